#!/bin/sh
# Multicast DNS between hosts: over the link that they share, on several links, and not beyond a router.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
: "${MDNS_PEER:?MDNS_PEER must be the path of mdns_peer}"

# one --- middle --- other, the middle one a router
ns one middle other
link one eth0 middle eth0
link middle eth1 other eth0
forward middle
address one eth0 192.0.2.1/24 2001:db8:81:1::1/64 fe80::1/64
address middle eth0 192.0.2.2/24 2001:db8:81:1::2/64
address middle eth1 198.51.100.2/24 2001:db8:81:2::2/64
address other eth0 198.51.100.3/24 2001:db8:81:2::3/64
route one default via 192.0.2.2
route other default via 198.51.100.2

mkfifo "$work/end"
become one "$MDNS_PEER" publish four.local 192.0.2.1 publish six.local 2001:db8:81:1::1 publish away.local 203.0.113.9 \
  <"$work/end" >"$work/server.peer" 2>&1 &
peer=$!
exec 9>"$work/end"
await "$work/server.peer" ready "$peer"

expect() { # NAMESPACE LINE...: asks for what is in the lines
  expect_ns=$1
  shift
  printf '%s\n' "$@" | sort >"$work/expected"
  # shellcheck disable=SC2046
  inside "$expect_ns" "$MDNS_PEER" $(printf '%s\n' "$@" | sed 's/^\([^ ]* .\) .*/resolve \1/') | sort >"$work/found"
  diff -u "$work/expected" "$work/found" || exit 1
}

# The middle one is on two links, asks on both, and finds what is on one of them.
expect middle "four.local 4 OK 192.0.2.1" "Four.LOCAL 4 OK 192.0.2.1" "six.local 6 OK 2001:db8:81:1::1" \
  "four.local 6 NODATA " "six.local 4 NODATA " "away.local 4 TIMEOUT " "no.local 6 TIMEOUT "
# Beyond the router there is nothing to be heard of it.
expect other "four.local 4 TIMEOUT " "six.local 6 TIMEOUT "
# Another program on the same host is one that asks as well.
expect one "four.local 4 OK 192.0.2.1" "six.local 6 OK 2001:db8:81:1::1" "away.local 4 TIMEOUT "
# Without an interface there is nobody to ask.
ip -n other link set eth0 down
expect other "four.local 4 UNREACHABLE "

exec 9>&-
wait "$peer"
expect middle "four.local 4 TIMEOUT "
echo "mdns: as it should be"
