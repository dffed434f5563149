#!/bin/sh
# Lays the C sources out with clang-format. With --check only says what would change, and fails if anything would.
set -eu
cd "$(dirname "$0")/.."
mode=-i
[ "${1-}" != --check ] || mode="--dry-run -Werror"
# shellcheck disable=SC2086
find include src cli tests fuzz bench examples -name '*.[ch]' -print0 2>/dev/null | xargs -0 -r clang-format $mode
