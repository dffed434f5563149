#!/bin/sh
# Lists the files of the project: those that git tracks, or, without git, everything that is not built.
set -eu
cd "$(dirname "$0")/.."
if [ -e .git ] && git -c safe.directory='*' ls-files 2>/dev/null; then
  exit 0
fi
find . -path ./.git -prune -o -path ./build -prune -o -type f -print | sed 's|^\./||'
