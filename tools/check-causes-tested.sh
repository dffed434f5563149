#!/bin/sh
# Fails when a cause of include/floe/cause.h appears in no test below tests/ (by its id or its enumerator).
#
#   tools/check-causes-tested.sh
set -eu
cd "$(dirname "$0")/.."

ids=$(sed -n 's/^ *X(FLOE_CAUSE_[A-Z0-9_]*, "\([a-z0-9_]*\)".*/\1/p' include/floe/cause.h)
count=$(printf '%s\n' "$ids" | grep -c .)
if [ "$count" -lt 40 ]; then
  echo "only $count causes were found in include/floe/cause.h: has its form changed?" >&2
  exit 1
fi

missing=0
for id in $ids; do
  [ "$id" = none ] && continue # not a failure
  upper=FLOE_CAUSE_$(printf '%s' "$id" | tr 'a-z' 'A-Z')
  if ! grep -rqwE --include='*_test.c' --include='*.sh' --include='*.py' -e "$id" -e "$upper" tests; then
    echo "no test has the cause $id" >&2
    missing=1
  fi
done
[ "$missing" -eq 0 ] && echo "all $((count - 1)) causes appear in a test"
exit "$missing"
