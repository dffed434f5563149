#!/bin/sh
# Runs every benchmark of a build directory, one after the other.
set -eu
dir=${1:?usage: tools/bench.sh BUILD-DIR}
for exe in "$dir"/bench/bench_*; do
  if [ -f "$exe" ] && [ -x "$exe" ]; then
    echo "== ${exe##*/}"
    "$exe"
  fi
done
