#!/bin/sh
# Every C source is laid out as .clang-format says.
set -eu
cd "$(dirname "$0")/.."
if ! tools/format.sh --check; then
  echo "run: make format" >&2
  exit 1
fi
