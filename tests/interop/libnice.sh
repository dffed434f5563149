#!/bin/sh
# With libnice: both roles, both ways to nominate, loss, lite, conflicts of role, restarts, ICE-TCP.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=peers_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/peers_lib.sh"
net_enter "$@"
need nft
[ -n "${NICE_PEER:-}" ] || skip "libnice is not installed"
linked_network

# libnice 0.1.21 loses its place in a TCP stream that comes in small pieces: two of it exchange wrong data in one of ten
# runs with such loss. So data is for the link without any.
over_tcp() {
  [ "$loss" -gt 0 ] || agree "$@"
  [ "$loss" -eq 0 ] || meet "$1, $loss % loss" <<END
a left $FLOE_PEER --role $2 $3
b right $4
never a refused *
await a state connected
await b state co*ed
latest a pair host * tcp *
END
}

all_kinds() {
  hears_nothing "without the other's candidates, Floe controlling" controlling "$NICE_PEER --role controlled"
  hears_nothing "without the other's candidates, Floe controlled" controlled "$NICE_PEER --role controlling"
  agree "Floe controlling, libnice controlled" controlling "" "$NICE_PEER --role controlled"
  agree "libnice controlling, regular nomination" controlled "" "$NICE_PEER --role controlling --nomination regular"
  agree "libnice controlling, aggressive nomination" controlled "" \
    "$NICE_PEER --role controlling --nomination aggressive"
  agree "IPv4 alone" controlling --no-ipv6 "$NICE_PEER --role controlled"
  agree "IPv6 alone" controlled --no-ipv4 "$NICE_PEER --role controlling --nomination regular"
  agree "a lite Floe" controlled --lite "$NICE_PEER --role controlling"
  agree "a lite libnice" controlling "" "$NICE_PEER --role controlled --lite"
  over_tcp "ICE-TCP, Floe active" controlling "" "$NICE_PEER --role controlled --tcp-only"
  over_tcp "ICE-TCP, Floe passive" controlled --tcp-passive "$NICE_PEER --role controlling --tcp-only"

  for role in controlling controlled; do
    meet "both $role, $loss % loss" <<END
a left $FLOE_PEER --role $role
b right $NICE_PEER --role $role
await a state connected
await b state co*ed
tell both data 100
await both data ok 100
END
  done

  for who in a b; do
    meet "$who restarts, $loss % loss" <<END
a left $FLOE_PEER --role controlling
b right $NICE_PEER --role controlled
await a state connected
await b state co*ed
tell both data 50
await both data ok 50
tell $who restart
await a gathering gathering
await a pair host * udp *
tell both data 50
await both data ok 100
never a state failed*
END
  done
}

for percent in 0 15; do
  loses "$percent"
  all_kinds
done
show_loss
finish
