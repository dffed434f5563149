#!/bin/sh
# A relay server that stops while it is in use: another one takes over, or a new allocation once it is back, and where
# there is nothing else the connection fails and says why.
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
as="--user floe --credential floe-secret"
STUN="--server stun:$PUBLIC4:3480"
SOON="--consent-interval 500 --consent-timeout 8000 --disconnected 1500"
# shellcheck disable=SC2086
start_coturn() { # LOG PORT FIRST-RELAYED-PORT
  coturn "$1" "$2" --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER \
    --min-port "$3" --max-port "$(($3 + 99))"
}
testserver server stun --listen "udp:$PUBLIC4:3480"

nat left_nat fully-random
nat right_nat fully-random
start_coturn first 3478 50000
first=$served
start_coturn second 3479 51000
second=$served

meet "the first relay server stops: the second one's pair takes over" <<END
a left $FLOE_PEER --role controlling --server turn:$PUBLIC4:3478 --server turn:$PUBLIC4:3479 $as $SOON
b right $FLOE_PEER --role controlled $STUN $SOON
never both state failed*
await both state connected
latest a pair relay:udp prflx udp $PUBLIC4:50??? $RIGHT_NAT:*
tell both data 50
await both data ok 50
run kill $first
await a pair relay:udp prflx udp $PUBLIC4:51??? $RIGHT_NAT:*
tell both data 50
await both data ok 100
latest a state co*ed
latest b state co*ed
END

meet "the relay server stops, and nothing else is there" <<END
a left $FLOE_PEER --role controlling --server turn:$PUBLIC4:3479 $as $SOON
b right $FLOE_PEER --role controlled $STUN $SOON
await both state connected
latest a pair relay:udp prflx udp $PUBLIC4:51??? $RIGHT_NAT:*
tell both data 50
await both data ok 50
run kill $second
await both state disconnected consent_lost
await both state failed consent_lost
await both verdict consent_lost received=yes *
END

# --- it comes back ------------------------------------------------------------------------------------------------------

# Allocations live four seconds and are refreshed after two, so that the loss of one is soon met over UDP too.
serve_relay() {
  testserver server relay --lifetime 4 --user floe --credential floe-secret --relay-ip "$PUBLIC4" \
    --listen "udp:$PUBLIC4:5001" --listen "tcp:$PUBLIC4:5001"
  echo "$served" >"$work/relay.pid"
}
again="kill \$(cat $work/relay.pid); ip netns exec server $FLOE testserver --lifetime 4 --user floe --credential floe-secret \
--relay-ip $PUBLIC4 --listen udp:$PUBLIC4:5001 --listen tcp:$PUBLIC4:5001 >>$work/server.relay 2>&1 & \
echo \$! >$work/relay.pid"

comes_back() { # TITLE TRANSPORT FLOE-ARGUMENTS B-NAMESPACE B-ARGUMENTS
  for roles in "controlling controlled" "controlled controlling"; do
    meet "$1, over $2 (${roles% *} to ${roles#* })" <<END
a left $FLOE_PEER --role ${roles% *} --server turn:$PUBLIC4:5001?transport=$2 $as $SOON $3
b $4 $FLOE_PEER --role ${roles#* } $5 $SOON
never both state failed*
await both state connected
latest a pair relay:$2 *
tell both data 50
await both data ok 50
run $again
await a servererror * turn:$PUBLIC4:5001?transport=$2 refresh
await a pair relay:$2 *
tell both data 50
await both data ok 100
latest a state co*ed
latest b state co*ed
END
  done
}
serve_relay
for transport in udp tcp; do
  # The peer hears of the new relay only where gathering is continual, and needs to where its NAT lets in whom it has
  # sent to and nobody else.
  comes_back "a new allocation, which is told" "$transport" --continual right "$STUN"
  lets_out left_nat "ip daddr $PUBLIC4"
  comes_back "a new allocation, which the peer meets" "$transport" "" open ""
  rules left_nat <<'END'
delete table inet firewall
END
done
finish
