#!/bin/sh
# A shared library exports what its list in abi/ says, all of it and nothing else.
#
#   tools/check-exports.sh LIBFLOE LIBFLOE-UV
#   tools/check-exports.sh --update LIBFLOE LIBFLOE-UV      writes the lists anew
set -eu
update=
if [ "${1-}" = --update ]; then
  update=yes
  shift
fi
[ $# -eq 2 ] || { echo "usage: tools/check-exports.sh [--update] LIBFLOE LIBFLOE-UV" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
LC_ALL=C
export LC_ALL
failed=0

exported() {
  nm -D --defined-only "$1" | awk '$2 ~ /[A-Za-z]/ && $3 !~ /^(_init|_fini|__bss_start|_edata|_end)$/ { sub(/@.*/, "", $3); print $3 }' | sort
}

for library; do
  name=$(basename "$library" | sed 's/\.so.*//')
  list=$here/abi/$name.symbols
  [ -z "$update" ] || exported "$library" >"$list"
  # what the headers declare is what is exported
  if [ "$name" = libfloe-uv ]; then headers=$here/include/floe/uv.h; else headers=$(ls "$here"/include/floe/*.h | grep -v '/uv\.h$'); fi
  # shellcheck disable=SC2086
  declared=$(cat $headers | tr '\n' ' ' | sed 's/FLOE_API/\n&/g' | sed -nE 's/^FLOE_API [^(;]*\b(floe_[a-z0-9_]+)\(.*/\1/p' | sort)
  if ! exported "$library" | diff -u "$list" -; then
    echo "$library exports something else than $list says" >&2
    failed=1
  fi
  if ! printf '%s\n' "$declared" | diff -u - "$list"; then
    echo "$list is something else than what the headers declare with FLOE_API" >&2
    failed=1
  fi
  soname=$(readelf -d "$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
  case $soname in
    "$name".so.[0-9]*) ;;
    *) echo "$library has the soname '$soname'" >&2; failed=1 ;;
  esac
  [ $failed -ne 0 ] || echo "exports: $name, $(wc -l <"$list") functions, soname $soname"
done
exit $failed
