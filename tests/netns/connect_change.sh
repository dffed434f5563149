#!/bin/sh
# What changes while two are connected: an address, the NAT's mappings, an interface that comes. (Relay servers that stop
# are in connect_relay.sh.)
set -eu
lib_dir=$(dirname "$0")
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
net_enter "$@"
need nft
homes_network
nat left_nat
nat right_nat
STUN="--server stun:$PUBLIC4"
SOON="--consent-interval 500 --consent-timeout 4000 --disconnected 1500"
testserver server stun --listen "udp:$PUBLIC4"

# A second address takes the place of the first, as when a host moves to another network.
moves() { # FROM TO
  echo "ip -n left address add 10.81.1.$2/24 dev eth0; ip -n left address del 10.81.1.$1/24 dev eth0;" \
    "ip -n left route replace default via 10.81.1.1"
}

meet "the address changes, and gathering is continual" <<END
a left $FLOE_PEER --role controlling --continual $STUN $SOON
b open $FLOE_PEER --role controlled $SOON
never both state failed*
await both state connected
latest a pair [sp]rflx host udp $LEFT_NAT:* $OPEN4:*
tell both data 50
await both data ok 50
run $(moves 2 3)
await a pair * host udp $LEFT_NAT:* $OPEN4:*
tell both data 50
await both data ok 100
latest a state co*ed
latest b state co*ed
END

for who in a b; do
  from=3 to=2
  [ "$who" = a ] || from=2 to=3
  meet "the address changes, and $who restarts" <<END
a left $FLOE_PEER --role controlling $STUN $SOON
b open $FLOE_PEER --role controlled $SOON
await both state connected
tell both data 50
await both data ok 50
run $(moves $from $to)
await a state disconnected network_gone
tell $who restart
await a pair [sp]rflx host udp $LEFT_NAT:* $OPEN4:*
await b pair host [sp]rflx udp $OPEN4:* $LEFT_NAT:*
tell both data 50
await both data ok 100
latest a state co*ed
latest b state co*ed
END
done

meet "a restart without need keeps the data flowing" <<END
a left $FLOE_PEER --role controlling $STUN $SOON
b right $FLOE_PEER --role controlled $STUN $SOON
never both state disconnected*
never both state failed*
await both state connected
tell both data 10
await both data ok 10
tell both data 500
tell a restart
await both pair srflx srflx udp *
tell both data 500
await both data ok 1010
END

meet "the NAT's address changes, and b restarts" <<END
a left $FLOE_PEER --role controlling $STUN $SOON
b right $FLOE_PEER --role controlled $STUN $SOON
never both state failed*
await both state connected
latest a pair srflx srflx udp $LEFT_NAT:* $RIGHT_NAT:*
tell both data 50
await both data ok 50
run ip -n left_nat address add 203.0.113.3/29 dev out0; ip -n left_nat address del $LEFT_NAT/29 dev out0
run ip -n left_nat route replace default via 203.0.113.1
await a state disconnected*
tell b restart
await a pair srflx srflx udp 203.0.113.3:* $RIGHT_NAT:*
await b pair srflx srflx udp $RIGHT_NAT:* 203.0.113.3:*
tell both data 50
await both data ok 100
latest both state co*ed
END

# Decision 7: a direct pair takes the place of a relayed one whenever it is found.
testserver server turn --user floe --credential floe-secret --relay-ip "$PUBLIC4" --listen "udp:$PUBLIC4:5001"
nat left_nat fully-random
nat right_nat fully-random
meet "a network that both are in comes, and gathering is continual" <<END
a left $FLOE_PEER --role controlling --continual --server turn:$PUBLIC4:5001 --user floe --credential floe-secret $SOON
b right $FLOE_PEER --role controlled --continual --server stun:$PUBLIC4 $SOON
never both state failed*
never both state disconnected*
await both state connected
latest a pair relay:udp prflx udp *
tell both data 50
await both data ok 50
run ip link add cable netns left type veth peer name cable netns right
run ip -n left link set cable up; ip -n right link set cable up
run ip -n left address add 2001:db8:99::1/64 dev cable nodad; ip -n right address add 2001:db8:99::2/64 dev cable nodad
await a pair host * udp [[]2001:db8:99::1]:* [[]2001:db8:99::2]:*
await b pair host * udp [[]2001:db8:99::2]:* [[]2001:db8:99::1]:*
tell both data 50
await both data ok 100
END
finish
