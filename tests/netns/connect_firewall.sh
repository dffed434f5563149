#!/bin/sh
# Firewalls that let through no UDP, or nothing but TCP to port 443: relays over TCP and TLS of coturn, and ICE-TCP.
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
certificate_authority
certificate turn turn.floe.test
for home in left right; do
  resolvers "$home" <<END
$PUBLIC4 turn.floe.test
END
done
# shellcheck disable=SC2086
coturn main 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" $COTURN_USER --no-dtls --tls-listening-port 443 \
  --cert "$work/turn.pem" --pkey "$work/turn.key"

as="--user floe --credential floe-secret"
STUN="--server stun:$PUBLIC4"
TCP="--server turn:$PUBLIC4 --server turn:$PUBLIC4?transport=tcp $as"
TLS="--server turn:$PUBLIC4 --server turns:turn.floe.test:443 --ca-file $work/ca.pem $as"
TCP443="--server turn:$PUBLIC4 --server turn:$PUBLIC4:443?transport=tcp $as"
RELAY="$PUBLIC4:*"

lets_out left_nat "meta l4proto tcp"
connects "no UDP on one side: a relay over TCP" left "$TCP" "relay:tcp srflx udp $RELAY $RIGHT_NAT:*" \
  right "$STUN" "srflx relay udp $RIGHT_NAT:* $RELAY"
connects "no UDP on one side, and no relay: ICE-TCP to a public host" left "" "host host tcp $LEFT_HOME:9 $OPEN4:*" \
  open --tcp-passive "host prflx tcp $OPEN4:* $LEFT_NAT:*"
meet "no UDP on one side, and neither relay nor ICE-TCP: each side says what it met" <<END
a left $FLOE_PEER --role controlling $QUICK --no-tcp
b open $FLOE_PEER --role controlled $QUICK --tcp-passive
never both pair *
status both 1
await a state failed checks_unanswered
await b state failed checks_unreachable
END
lets_out right_nat "meta l4proto tcp"
connects "no UDP on either side: two relays over TCP" left "$TCP" "relay:tcp relay udp $RELAY $RELAY" \
  right "$TCP" "relay:tcp relay udp $RELAY $RELAY"

lets_out left_nat "tcp dport 443"
lets_out right_nat "tcp dport 443"
connects "port 443 alone: relays over TLS" left "$TLS" "relay:tls relay udp $RELAY $RELAY" \
  right "$TLS" "relay:tls relay udp $RELAY $RELAY"
connects "port 443 alone: over TLS and over TCP" left "$TLS" "relay:tls relay udp $RELAY $RELAY" \
  right "$TCP443" "relay:tcp relay udp $RELAY $RELAY"
meet "what fails beside it is told" <<END
a left $FLOE_PEER --role controlling $TLS
b right $FLOE_PEER --role controlled $TLS
await both state connected
await both error 701 udp_timeout turn:$PUBLIC4 allocate
tell both data 20
await both data ok 20
END
finish
