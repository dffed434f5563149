#!/bin/sh
# Each public header compiles alone, as C11 and as C++17, without warnings; and shows functions with C linkage in C++.
set -eu
cd "$(dirname "$0")/.."
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Werror"
failed=0

compile() { # compiler, language, standard, header
  # shellcheck disable=SC2086
  printf '#include "floe/%s"\n#include "floe/%s"\ntypedef int one_declaration;\n' "$4" "$4" |
    "$1" -x "$2" "-std=$3" $warnings -Iinclude -fsyntax-only -
}

cxx=$(command -v clang++ || command -v g++) || { echo "check-headers: no C++ compiler" >&2; exit 1; }
cc=$(command -v gcc || command -v cc)
for path in include/floe/*.h; do
  header=${path##*/}
  compile "$cc" c c11 "$header" || failed=1
  compile "$cxx" c++ c++17 "$header" || failed=1
done
if ! printf '#include "floe/env.h"\nvoid *p = (void *)floe_version;\n' |
  "$cxx" -x c++ -std=c++17 -Iinclude -S -o - - | grep -qw floe_version; then
  echo "floe_version is mangled in C++" >&2
  failed=1
fi
[ $failed -ne 0 ] || echo "headers: all compile alone"
exit $failed
