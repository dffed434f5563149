#!/bin/sh
# Installs a build into a temporary prefix, and uses it from there as a stranger would: by CMake, by pkg-config with the
# shared and with the static libraries, from C and from C++. Then moves the tree: it must still work.
#
#   tests/install/run.sh BUILD-DIR [COMPILER]
set -eu
build=${1:?usage: tests/install/run.sh BUILD-DIR [COMPILER]}
cc=${2:-cc}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset DESTDIR

cmake --install "$build" --prefix "$dir/first" >/dev/null
mv "$dir/first" "$dir/prefix"
prefix=$dir/prefix
libdir=$(dirname "$(find "$prefix" -name libfloe.so)")

for file in include/floe/floe.h include/floe/uv.h; do
  [ -f "$prefix/$file" ] || { echo "not installed: $file" >&2; exit 1; }
done
for name in floe floe-uv; do
  for file in "$libdir/lib$name.a" "$libdir/lib$name.so" "$libdir/pkgconfig/$name.pc"; do
    [ -f "$file" ] || { echo "not installed: $file" >&2; exit 1; }
  done
done
if find "$prefix" -name '*.h' | grep -v '/include/floe/[a-z_]*\.h$'; then
  echo "internal headers were installed" >&2
  exit 1
fi

LD_LIBRARY_PATH=$libdir
PKG_CONFIG_PATH=$libdir/pkgconfig
export LD_LIBRARY_PATH PKG_CONFIG_PATH

echo "== CMake"
if ! { cmake -S "$here" -B "$dir/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" &&
  cmake --build "$dir/cmake"; } >"$dir/cmake.log" 2>&1; then
  cat "$dir/cmake.log"
  exit 1
fi
"$dir/cmake/core_user"
"$dir/cmake/uv_user"

version=$(pkg-config --modversion floe)
use() { # what, program, sources and flags
  what=$1
  program=$2
  shift 2
  echo "== $what"
  "$@" -o "$dir/$program"
  "$dir/$program"
}
# shellcheck disable=SC2046
use "pkg-config, shared" core_shared "$cc" -std=c11 "$here/core_user.c" $(pkg-config --cflags --libs floe)
# shellcheck disable=SC2046
use "pkg-config, driver" uv_shared "$cc" -std=c11 "$here/uv_user.c" $(pkg-config --cflags --libs floe-uv)
# shellcheck disable=SC2046
use "pkg-config, static" uv_static "$cc" -std=c11 "$here/uv_user.c" $(pkg-config --cflags floe-uv) "$libdir/libfloe-uv.a" \
  "$libdir/libfloe.a" $(pkg-config --static --libs floe-uv | tr ' ' '\n' | grep -vE '^-lfloe' | tr '\n' ' ')
cxx=$(command -v clang++ || command -v g++) || { echo "no C++ compiler" >&2; exit 1; }
cp "$here/core_user.c" "$dir/core_user.cc"
# shellcheck disable=SC2046
use "pkg-config, C++" core_cxx "$cxx" -std=c++17 "$dir/core_user.cc" $(pkg-config --cflags --libs floe)

readelf -d "$dir/core_shared" | grep -q 'NEEDED.*\[libfloe\.so\.[0-9]*\]' || { echo "no soname was linked" >&2; exit 1; }
if [ -x "$prefix/bin/floe" ]; then
  echo "== command"
  "$prefix/bin/floe" --version | grep -F "$version"
  [ -f "$prefix/share/man/man1/floe.1" ] || { echo "not installed: the manual page" >&2; exit 1; }
  [ -f "$prefix/share/bash-completion/completions/floe" ] || { echo "not installed: the completion" >&2; exit 1; }
fi
