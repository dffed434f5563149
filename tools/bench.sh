#!/bin/sh
# Runs every benchmark of a build directory, one after the other, and counts instructions where a bench/NAME.sh knows how.
set -eu
dir=${1:?usage: tools/bench.sh BUILD-DIR}
here=$(cd "$(dirname "$0")/.." && pwd)
for exe in "$dir"/bench/bench_*; do
  if [ -f "$exe" ] && [ -x "$exe" ]; then
    name=${exe##*/bench_}
    echo "== $name"
    "$exe"
    [ ! -x "$here/bench/$name.sh" ] || "$here/bench/$name.sh" "$exe"
  fi
done
