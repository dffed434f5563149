#!/bin/sh
# Two hosts behind NATs, or one and a public host: which pair connects them, with coturn and without. What must come out
# follows from the NATs (RFC 4787): one mapping for all destinations lets two homes meet directly, one for each does not.
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
# shellcheck disable=SC2086
coturn main 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER
# shellcheck disable=SC2086
coturn denying 5001 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER \
  --denied-peer-ip "$RIGHT_NAT-$RIGHT_NAT"
STUN="--server stun:$PUBLIC4"
TURN="--server turn:$PUBLIC4 --user floe --credential floe-secret"

LEFT_MAPPED="$LEFT_NAT:*"
RIGHT_MAPPED="$RIGHT_NAT:*"

nat left_nat
nat right_nat
connects "two homes, one mapping each: directly" left "$STUN" "srflx srflx udp $LEFT_MAPPED $RIGHT_MAPPED" \
  right "$STUN" "srflx srflx udp $RIGHT_MAPPED $LEFT_MAPPED"
connects "the same where relays are at hand" left "$TURN" "srflx srflx udp $LEFT_MAPPED $RIGHT_MAPPED" \
  right "$TURN" "srflx srflx udp $RIGHT_MAPPED $LEFT_MAPPED"
# Which comes first, the answer of the STUN server or that of the peer, decides how the mapping is called.
connects "a home and a public host" left "$STUN" "[sp]rflx host udp $LEFT_MAPPED $OPEN4:*" \
  open "" "host [sp]rflx udp $OPEN4:* $LEFT_MAPPED"
connects "a home that knows no server, and a public host" left "" "prflx host udp $LEFT_MAPPED $OPEN4:*" \
  open "" "host prflx udp $OPEN4:* $LEFT_MAPPED"
connects "relays alone, on one server" left "$TURN --relay-only" "relay:udp relay udp $PUBLIC4:* $PUBLIC4:*" \
  right "$TURN --relay-only" "relay:udp relay udp $PUBLIC4:* $PUBLIC4:*"
cannot "two homes that know no server: no route to each other's networks" left "" right "" checks_unreachable
cannot "hosts hidden behind names, which multicast does not carry to the other home" left --hide-hosts right --hide-hosts \
  remote_unresolvable

nat left_nat fully-random
nat right_nat fully-random
connects "two homes, a mapping for each destination: a relay" left "$TURN" "*relay* udp *" right "$TURN" "*relay* udp *"
connects "the same, and only one has a relay" left "$TURN" "relay:udp prflx udp $PUBLIC4:* $RIGHT_MAPPED" \
  right "$STUN" "prflx relay udp $RIGHT_MAPPED $PUBLIC4:*"
connects "a home with such mappings and a public host" left "$STUN" "prflx host udp $LEFT_MAPPED $OPEN4:*" \
  open "" "host prflx udp $OPEN4:* $LEFT_MAPPED"
meet "the relay server denies the other home" <<END
a left $FLOE_PEER --role controlling $QUICK --relay-only --server turn:$PUBLIC4:5001 --user floe --credential floe-secret
b right $FLOE_PEER --role controlled $QUICK $STUN
never both state connected
status both 1
await a servererror 403 * turn:$PUBLIC4:5001 permission
await a state failed relay_denied
await b state failed checks_unanswered
END
cannot "two homes, a mapping for each destination, no relay" left "$STUN" right "$STUN" checks_unanswered

nat right_nat
connects "a mapping for each destination on one side: a relay" left "$TURN" "*relay* udp *" right "$TURN" "*relay* udp *"
cannot "the same without a relay" left "$STUN" right "$STUN" checks_unanswered
finish
