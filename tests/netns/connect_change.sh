#!/bin/sh
# What changes while two are connected: an address, the NAT's mappings, an interface that comes, a relay server that stops.
set -eu
lib_dir=$(dirname "$0")
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=../interop/coturn_lib.sh source-path=SCRIPTDIR
. "$lib_dir/../interop/coturn_lib.sh"
net_enter "$@"
need nft
need_coturn
homes_network
nat left_nat
nat right_nat
STUN="--server stun:$PUBLIC4"
as="--user floe --credential floe-secret"
SOON="--consent-interval 500 --consent-timeout 4000 --disconnected 1500"
start_coturn() { # LOG
  # shellcheck disable=SC2086
  coturn "$1" 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER
}
start_coturn first
first=$served

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
latest a pair srflx host udp $LEFT_NAT:* $OPEN4:*
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
await a pair srflx host udp $LEFT_NAT:* $OPEN4:*
await b pair host srflx udp $OPEN4:* $LEFT_NAT:*
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
LEFT_NAT=203.0.113.3

# --- the relay server -------------------------------------------------------------------------------------------------

nat left_nat fully-random
nat right_nat fully-random

meet "the relay server stops, and nothing else is there" <<END
a left $FLOE_PEER --role controlling --relay-only --server turn:$PUBLIC4 $as $SOON
b right $FLOE_PEER --role controlled $STUN $SOON
await both state connected
latest a pair relay:udp prflx udp $PUBLIC4:* $RIGHT_NAT:*
tell both data 50
await both data ok 50
run kill $first
await both state disconnected consent_lost
await both state failed consent_lost
await both verdict consent_lost received=yes *
END
start_coturn second
finish
