#!/bin/sh
# Runs the tests of the builds dev (gcc), asan (clang, sanitizers) and fuzz as one: one list, one summary at the end.
# Arguments are handed to ctest.
set -eu
cd "$(dirname "$0")/.."
top=$PWD/build/all
mkdir -p "$top"
{
  echo "# Made by tools/test-all.sh"
  for build in dev asan fuzz; do
    echo "subdirs(\"$PWD/build/$build\")"
  done
} >"$top/CTestTestfile.cmake"
exec ctest --test-dir "$top" --output-on-failure --no-tests=error --no-label-summary "$@"
