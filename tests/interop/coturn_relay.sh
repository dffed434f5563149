#!/bin/sh
# Against coturn: quotas, peers that are not allowed, nonces that go stale, and relays behind a NAT.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=coturn_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/coturn_lib.sh"
: "${HOLD:?HOLD must be the path of the program floe_hold}"
net_enter "$@"
need nft
need_coturn
routed_network

# The server is also known by a public address that the router translates.
PUBLIC=203.0.113.1
PRIVATE=10.81.2.2
address router out0 10.81.2.1/24
address server eth0 "$PRIVATE/24"
rules router <<END
table inet floe {
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname "in0" ip daddr $PUBLIC dnat ip to $PRIVATE
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "in0" ip saddr $PRIVATE snat ip to $PUBLIC
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    udp dport 4000 drop
  }
}
END
# The firewall of the server lets nothing in to the relay ports of one turnserver.
rules server <<END
table inet floe {
  chain input {
    type filter hook input priority filter; policy accept
    udp dport 51000-51100 drop
  }
}
END

V4="--listening-ip $SERVER4 --relay-ip $SERVER4 --no-tls --no-dtls $COTURN_USER --user other:floe-secret"
# shellcheck disable=SC2086
{
  coturn user_quota 5001 $V4 --user-quota 1
  coturn user_quota_tested 5002 $V4 --user-quota 1
  coturn total_quota 5003 $V4 --total-quota 1
  coturn denied_peer 5004 $V4 --denied-peer-ip 198.51.100.0-198.51.100.255
  coturn stale_nonce 5005 $V4 --verbose --stale-nonce=1
  coturn narrow 5006 $V4 --min-port 50000 --max-port 50000
  coturn behind_nat 5007 --listening-ip "$PRIVATE" --relay-ip "$PRIVATE" --external-ip "$PUBLIC/$PRIVATE" --no-tls \
    --no-dtls $COTURN_USER
  coturn firewalled 5008 $V4 --min-port 51000 --max-port 51100
  coturn no_external_ip 5009 --listening-ip "$PRIVATE" --relay-ip "$PRIVATE" --no-tls --no-dtls $COTURN_USER
  coturn no_udp_relay 5010 $V4 --no-udp-relay
}

DONE="end
complete"

turn() { # TITLE URL ARGUMENTS...
  title=$1
  url=$2
  shift 2
  check "$title" client -4 --user floe --credential floe-secret "$@" "$url"
}

GATHERED="gathering
host udp $CLIENT4"

# --- relays -----------------------------------------------------------------------------------------------------------------

turn "external-ip" "turn:$PUBLIC:5007" <<END
exit 0
$GATHERED
relay udp $PUBLIC $CLIENT4 udp turn:$PUBLIC:5007
$DONE
report ok
server ok - turn:$PUBLIC:5007
  attempt candidate - - udp $CLIENT4 $PUBLIC:5007 relayedAddress=$PUBLIC:*
  test flows - udp $PUBLIC arrivedOut=10 arrivedBack=10
END

turn "the relay ports are firewalled" "turn:$SERVER4:5008" <<END
exit 8
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5008
$DONE
report failed
server failed relay_no_data turn:$SERVER4:5008
  attempt candidate - - udp $CLIENT4 $SERVER4:5008 relayedAddress=$SERVER4:51*
  test no_data relay_no_data udp $SERVER4 sent=10 arrivedOut=0 arrivedBack=0
END

turn "external-ip was forgotten" "turn:$PUBLIC:5009" <<END
exit 1
$GATHERED
relay udp $PRIVATE $CLIENT4 udp turn:$PUBLIC:5009
$DONE
report degraded
server degraded relay_private_address turn:$PUBLIC:5009
  attempt candidate - - udp $CLIENT4 $PUBLIC:5009 relayedAddress=$PRIVATE:*
  test flows - udp $PRIVATE arrivedOut=10 arrivedBack=10
END

turn "no permission for peers of the server's network" "turn:$SERVER4:5004" <<END
exit 1
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5004
$DONE
servererror 403 permission_failed turn:$SERVER4:5004 $CLIENT4 * udp 4 errorText=Forbidden*
report degraded
server degraded permission_failed turn:$SERVER4:5004
  attempt candidate - - udp $CLIENT4 $SERVER4:5004
  test not_tested permission_failed udp $SERVER4 errorCode=403
END

turn "no relays for UDP" "turn:$SERVER4:5010" <<END
exit 7
$GATHERED
error 442 transport_unsupported turn:$SERVER4:5010 $CLIENT4 allocate udp 4 errorText="UDP Transport is not allowed by the TURN Server configuration"
$DONE
report failed
server failed transport_unsupported turn:$SERVER4:5010
  attempt error 442 transport_unsupported udp $CLIENT4 $SERVER4:5010
END

turn "one relay port: the second allocation of the test finds none" "turn:$SERVER4:5006" <<END
exit 1
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5006 port=50000
$DONE
report degraded
server degraded insufficient_capacity turn:$SERVER4:5006
  attempt candidate - - udp $CLIENT4 $SERVER4:5006 relayedAddress=$SERVER4:50000
  test not_tested insufficient_capacity udp $SERVER4 errorCode=508
END

turn "a quota of one: the second allocation of the test is refused" "turn:$SERVER4:5002" <<END
exit 1
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5002
$DONE
report degraded
server degraded quota_reached turn:$SERVER4:5002
  attempt candidate - - udp $CLIENT4 $SERVER4:5002
  test not_tested quota_reached udp $SERVER4 errorCode=486
END

# --- quotas -----------------------------------------------------------------------------------------------------------------

# Programs that hold an allocation each, until the end of this script.
for port in 5001 5003; do
  become client "$HOLD" -4 --user floe --credential floe-secret "turn:$SERVER4:$port" >"$work/server.hold_$port" 2>&1 &
  await "$work/server.hold_$port" '"state":"complete"'
done

refused() { # TITLE PORT USER
  check "$1" client -4 --user "$3" --credential floe-secret "turn:$SERVER4:$2" <<END
exit 7
$GATHERED
error 486 quota_reached turn:$SERVER4:$2 $CLIENT4 allocate udp 4 errorText="Allocation Quota Reached" realm=floe.test software=Coturn*
$DONE
report failed
server failed quota_reached turn:$SERVER4:$2
  attempt error 486 quota_reached udp $CLIENT4 $SERVER4:$2
END
}
refused "the user's quota is used up" 5001 floe
refused "the quota of all users is used up" 5003 other

check "the quota of another user is not" client -4 --no-relay-test --user other --credential floe-secret \
  "turn:$SERVER4:5001" <<END
exit 0
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5001
$DONE
report ok
server ok - turn:$SERVER4:5001
  attempt candidate - - udp $CLIENT4 $SERVER4:5001
END

# --- nonces -----------------------------------------------------------------------------------------------------------------

# Nonces last a second. The data test comes after the black hole has kept gathering open for five.
turn "permissions and channels meet a stale nonce" "turn:$SERVER4:5005" "stun:$SERVER4:4000" <<END
exit 4
within 7000
$GATHERED
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5005
error 701 udp_timeout stun:$SERVER4:4000 $CLIENT4 binding udp 4
$DONE
report failed
server failed udp_timeout stun:$SERVER4:4000
  attempt error 701 udp_timeout udp $CLIENT4 $SERVER4:4000
server ok - turn:$SERVER4:5005
  attempt candidate - - udp $CLIENT4 $SERVER4:5005 realm=floe.test
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
END
HOLD_MS=2500
export HOLD_MS
for transport in udp tcp; do
  url="turn:$SERVER4:5005?transport=$transport"
  observe "an allocation is deleted with a stale nonce, over $transport" client "$HOLD" -4 --user floe \
    --credential floe-secret "$url" <<END
exit 1
$GATHERED
relay udp $SERVER4 $CLIENT4 $transport $url
$DONE
report ok
server ok - $url
  attempt candidate - - $transport $CLIENT4 $SERVER4:5005
END
done
judge
# By each holder, and by the first agent of the check; its second agent is new when it asks for its permission.
saw "nonces went stale" stale_nonce "error 438: Stale nonce" "[3-9]"
saw "every allocation was deleted" stale_nonce "refreshed, .*lifetime=0" 4
finish
