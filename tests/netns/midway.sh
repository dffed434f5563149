#!/bin/sh
# What changes under way: interfaces that go down, servers that restart or vanish after they gave an allocation.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${HOLD:?HOLD must be the path of the program floe_hold}"
net_enter "$@"
need nft

# Several clients, so that each can lose its link by itself.
ns router server down4 down6 gone alive
link server eth0 router out0
forward router
address router out0 "$FAR4/24" "$FAR6/64"
address server eth0 "$SERVER4/24" "$SERVER6/64"
route server default via "$FAR4"
route server default via "$FAR6"
n=0
for host in down4 down6 gone alive; do
  n=$((n + 1))
  link "$host" eth0 router "$host"
  address router "$host" "192.0.2.$((n * 4 + 1))/30" "2001:db8:$n::1/64"
  address "$host" eth0 "192.0.2.$((n * 4 + 2))/30" "2001:db8:$n::2/64"
  route "$host" default via "192.0.2.$((n * 4 + 1))"
  route "$host" default via "2001:db8:$n::1"
done
rules router <<'END'
table inet floe {
  set silenced {
    type inet_service
    elements = { 4000 }
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    udp dport @silenced drop
    tcp dport @silenced drop
  }
}
END
DONE="end
complete"

# --- while gathering ------------------------------------------------------------------------------------------------------

lost() { # TITLE NAMESPACE FAMILY CAUSE BASE URL SERVER COMMAND-OF-IP...: the network changes once the request is under way
  title=$1
  host=$2
  family=$3
  cause=$4
  base=$5
  url=$6
  server=$7
  shift 7
  check "$title" "$host" "-$family" "$url" <<END
exit 4
within 7000
gathering
host udp $base
error 701 $cause $url $base binding udp $family
$DONE
report failed
server failed $cause $url
  attempt error 701 $cause udp $base $server
END
  await "$observed" '"candidateType":"host"'
  ip -n "$host" "$@"
}
lost "the interface goes down, IPv4" down4 4 socket_failed 192.0.2.6 "stun:$SERVER4:4000" "$SERVER4:4000" link set eth0 down
lost "the interface goes down, IPv6" down6 6 socket_failed 2001:db8:2::2 "stun:[$SERVER6]:4000" "[$SERVER6]:4000" link set eth0 down
lost "the interface is taken away" gone 4 socket_failed 192.0.2.14 "stun:$SERVER4:4000" "$SERVER4:4000" link delete eth0
judge

# --- afterwards -------------------------------------------------------------------------------------------------------------

# Allocations live four seconds and are refreshed after two, so that the end of one is soon met.
start_server() { # LOG PORT SCRIPT
  testserver server "$1" --lifetime 4 --user floe --credential floe-secret --relay-ip "$SERVER4" \
    --listen "tcp:$SERVER4:$2$3" --listen "udp:$SERVER4:$2$3"
}

holds() { # TITLE TRANSPORT PORT SERVER-ERROR: until what comes after gathering
  url=turn:$SERVER4:$3
  [ "$2" = udp ] || url="$url?transport=$2"
  observe "$1" alive "$HOLD" -4 --user floe --credential floe-secret "$url" <<END
exit 0
gathering
host udp 192.0.2.18
relay udp $SERVER4 192.0.2.18 $2 $url
$DONE
servererror $4
report ok
server ok - $url
  attempt candidate - - $2 192.0.2.18 $SERVER4:$3 lifetime=4
END
  await "$observed" '"state":"complete"'
}

start_server restarted 5001 ""
restarted=$served
start_server killed 5002 ""
killed=$served
start_server silenced 4001 ""
start_server forgetful 5004 ,forget-allocation
start_server refusing 5005 ",refresh-error=486:Too many"

holds "the server restarts, over TCP: the connection ends" tcp 5001 \
  "701 tcp_closed turn:$SERVER4:5001?transport=tcp 192.0.2.18 refresh tcp 4"
holds "the server stops" udp 5002 "701 refresh_failed turn:$SERVER4:5002 192.0.2.18 refresh udp 4"
holds "the server stops, over TCP" tcp 5002 "701 tcp_closed turn:$SERVER4:5002?transport=tcp 192.0.2.18 refresh tcp 4"
holds "the network to the server breaks" udp 4001 "701 refresh_failed turn:$SERVER4:4001 192.0.2.18 refresh udp 4"
holds "the network to the server breaks, over TCP" tcp 4001 \
  "701 refresh_failed turn:$SERVER4:4001?transport=tcp 192.0.2.18 refresh tcp 4"
holds "the server forgets the allocation" udp 5004 "437 allocation_expired turn:$SERVER4:5004 192.0.2.18 refresh udp 4"
holds "the server refuses to refresh" udp 5005 \
  "486 refresh_failed turn:$SERVER4:5005 192.0.2.18 refresh udp 4 errorText=\"Too many\""
holds "the server refuses to refresh, over TCP" tcp 5005 \
  "486 refresh_failed turn:$SERVER4:5005?transport=tcp 192.0.2.18 refresh tcp 4 errorText=\"Too many\""

holds "the server restarts: it knows nothing of the allocation" udp 5001 \
  "437 allocation_expired turn:$SERVER4:5001 192.0.2.18 refresh udp 4"
stop "$restarted"
start_server restarted_again 5001 ""
stop "$killed"
ip netns exec router nft add element inet floe silenced "{ 4001 }"
judge

# An interface with an allocation goes down: that is no failure of its server, of which nothing is told.
start_server left 5006 ""
export HOLD_MS=5000
observe "the interface goes down after gathering" alive "$HOLD" -4 --user floe --credential floe-secret "turn:$SERVER4:5006" <<END
exit 1
gathering
host udp 192.0.2.18
relay udp $SERVER4 192.0.2.18 udp turn:$SERVER4:5006
$DONE
report ok
server ok - turn:$SERVER4:5006
  attempt candidate - - udp 192.0.2.18 $SERVER4:5006 lifetime=4
END
await "$observed" '"state":"complete"'
ip -n alive link set eth0 down
finish
