#!/bin/sh
# `floe connect` between two homes: directly through NATs with one mapping each, through a relay where there is one for each
# destination, and not at all without one; the side that answers waits, and its NAT lets the other in all the same.
set -eu
lib_dir=$(dirname "$0")
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
net_enter "$@"
need nft
homes_network
serve server stun '^listening' "$FLOE" testserver --user floe --credential floe-secret --listen "udp:$PUBLIC4:3478" \
  --relay-ip "$PUBLIC4"
STUN="--server stun:$PUBLIC4"
TURN="--server turn:$PUBLIC4 --user floe --credential floe-secret"
failed=
head -c 3000000 /dev/urandom >"$work/from"

# carries TITLE STATUS PATH OPTIONS-OF-BOTH: a file from the left home to the right one; both have this status, the left one
# says this of its path.
carries() {
  n_cases=$((n_cases + 1))
  mkdir -p "$work/to"
  rm -f "$work/offer" "$work/answer" "$work/to/from"
  # shellcheck disable=SC2086
  inside left "$FLOE" connect -v --timeout 8 $4 --send "$work/from" --ticket-out "$work/offer" --ticket-in "$work/answer" \
    >"$work/left" 2>&1 &
  left=$!
  right_got=0
  # shellcheck disable=SC2086
  inside right "$FLOE" connect -v --timeout 8 $4 --receive "$work/to" --answer --ticket-in "$work/offer" \
    --ticket-out "$work/answer" >"$work/right" 2>&1 || right_got=$?
  left_got=0
  wait $left || left_got=$?
  wrong=
  [ "$left_got $right_got" = "$2 $2" ] || wrong="status $left_got and $right_got, expected $2"
  [ "$2" -ne 0 ] || cmp -s "$work/from" "$work/to/from" || wrong="$wrong; the files differ"
  grep -q "$3" "$work/left" || wrong="$wrong; not '$3'"
  if [ -z "$wrong" ]; then
    echo "ok      $1"
  else
    echo "FAILED  $1: $wrong"
    cat "$work/left" "$work/right"
    failed=yes
  fi
}

nat left_nat
nat right_nat
carries "two homes, one mapping each: directly" 0 "path .*rflx .* to .*rflx " "$STUN"
carries "two homes that know no server: no path" 4 "not connected: checks_unreachable" ""
carries "through a relay when that is asked for" 0 "path .*relay .* to .*relay " "$TURN --relay-only"
nat left_nat fully-random
nat right_nat fully-random
carries "a mapping for each destination: through a relay" 0 "connected, through a TURN server" "$TURN"
carries "the same without one: no path" 4 "not connected: checks_un" "$STUN"

[ -z "$failed" ] || exit 1
echo "$n_cases cases, all as expected"
