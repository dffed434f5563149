#!/bin/sh
# TURN over TCP over a routed network.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need nft
routed_network

testserver server good --user floe --credential floe-secret --relay-ip "$SERVER4" --relay-ip "$SERVER6" \
  --listen "tcp:$SERVER4:5001,bytewise" --listen "tcp:$SERVER4:5002,close-after-accept" \
  --listen "tcp:$SERVER4:5003,reset-after-accept" --listen "tcp:$SERVER4:5004,close-after-401" \
  --listen "tcp:$SERVER4:5005,reset-after-401" --listen "tcp:$SERVER4:5006,silent" \
  --listen "tcp:$SERVER4:5007,silent-after-401" --listen "tcp:$SERVER4:5008,garbage" \
  --listen "tcp:$SERVER4:4003" --listen "tcp:$SERVER4:4004" --listen "tcp:[$SERVER6]" --listen "tcp:$SERVER4"
serve server banner ready python3 "$lib/banner.py" "$SERVER4:8022=SSH-2.0-OpenSSH_9.2" \
  "$SERVER4:8025=220 mail.floe.test ESMTP" "$SERVER4:8080=HTTP/1.1 400 Bad Request"

rules router <<'END'
table inet floe {
  chain forward {
    type filter hook forward priority filter; policy accept
    tcp dport 4000 drop
    tcp dport 4001 reject with tcp reset
    tcp dport 4003 ct state established drop
    tcp dport 4004 ct state established tcp flags & psh == psh reject with tcp reset
    tcp dport 4005 reject with icmpx type port-unreachable
    tcp dport 4006 reject with icmpx type host-unreachable
    tcp dport 4007 reject with icmpx type no-route
    tcp dport 4008 reject with icmpx type admin-prohibited
  }
}
END
rules client <<'END'
table inet floe {
  chain output {
    type filter hook output priority filter; policy accept
    tcp dport 4100 drop
    tcp dport 4101 reject with tcp reset
  }
}
END
route client prohibit 203.0.113.11
route client unreachable 203.0.113.21
route client unreachable 2001:db8:9::21

HOSTS="gathering
host udp $CLIENT4
host udp $CLIENT6"

turn() { # TITLE NAMESPACE URL
  check "$1" "$2" --user floe --credential floe-secret "$3"
}

# --- it works -------------------------------------------------------------------------------------------------------------

relays() { # TITLE BASE SERVER-ADDRESS RELATED RELAY-FIRST RELAY-SECOND
  url="turn:$3?transport=tcp"
  turn "$1" client "$url" <<END
exit 0
$HOSTS
relay udp $SERVER4 $2 tcp $url
relay udp $SERVER6 $2 tcp $url
end
complete
report ok
server ok - $url
  attempt candidate - - tcp $2 $4 realm=floe.test mappedAddress=*$2* relayedAddress=*$SERVER4:* relayedAddressAdditional=*$SERVER6*
  test flows - tcp $SERVER4 arrivedOut=10 arrivedBack=10
  test flows - tcp $SERVER6 arrivedOut=10 arrivedBack=10
END
}
relays "TURN, IPv4" "$CLIENT4" "$SERVER4" "$SERVER4:3478"
relays "TURN, IPv6" "$CLIENT6" "[$SERVER6]" "[$SERVER6]:3478"
relays "TURN, one byte at a time" "$CLIENT4" "$SERVER4:5001" "$SERVER4:5001"

# --- it does not ------------------------------------------------------------------------------------------------------------

outcome() { # TITLE CAUSE EXIT PHASE BASE SERVER-ADDRESS OTHER-FIELDS
  url="turn:$6?transport=tcp"
  case $5 in
    *:*) family=6 ;;
    *) family=4 ;;
  esac
  turn "$1" client "$url" <<END
exit $3
within 7000
$HOSTS
error 701 $2 $url $5 $4 tcp $family serverAddress=$6 interface=eth0 icmp=- $7
end
complete
report failed
server failed $2 $url
  attempt error 701 $2 tcp $5 $6 $7
END
}
connect4() { outcome "$1" "$2" 4 connect "$CLIENT4" "$3" "$4"; }
connect6() { outcome "$1" "$2" 4 connect "$CLIENT6" "$3" "$4"; }
answer4() { outcome "$1" "$2" 4 allocate "$CLIENT4" "$3" "$4"; }

connect4 "nobody listens, IPv4" tcp_refused "$SERVER4:9" 'osErrorText="Connection refused"'
connect6 "nobody listens, IPv6" tcp_refused "[$SERVER6]:9" 'osErrorText="Connection refused"'
connect4 "a router resets, IPv4" tcp_refused "$SERVER4:4001" 'osErrorText="Connection refused"'
connect6 "a router resets, IPv6" tcp_refused "[$SERVER6]:4001" 'osErrorText="Connection refused"'
connect4 "the client's firewall resets" tcp_refused "$SERVER4:4101" 'osErrorText="Connection refused"'
connect4 "ICMP port unreachable" tcp_refused "$SERVER4:4005" 'osErrorText="Connection refused"'
connect6 "ICMPv6 port unreachable" tcp_refused "[$SERVER6]:4005" 'osErrorText="Connection refused"'
connect4 "ICMP host unreachable ends connect()" host_unreachable "$SERVER4:4006" 'osErrorText="No route to host"'
connect6 "ICMPv6 address unreachable ends connect()" host_unreachable "[$SERVER6]:4006" 'osErrorText="No route to host"'
connect4 "ICMP net unreachable ends connect()" net_unreachable "$SERVER4:4007" 'osErrorText="Network is unreachable"'
connect6 "ICMPv6 no route ends connect()" net_unreachable "[$SERVER6]:4007" 'osErrorText="Network is unreachable"'
# For a TCP socket Linux makes EHOSTUNREACH of ICMP "communication prohibited", and EACCES of its ICMPv6 sister.
connect4 "ICMP communication prohibited" host_unreachable "$SERVER4:4008" 'osErrorText="No route to host"'
connect6 "ICMPv6 communication prohibited" send_denied "[$SERVER6]:4008" 'osErrorText="Permission denied"'
connect4 "a black hole, IPv4" tcp_timeout "$SERVER4:4000" "osError=-"
connect6 "a black hole, IPv6" tcp_timeout "[$SERVER6]:4000" "osError=-"
# Linux does not tell connect() that its own firewall dropped the SYN.
connect4 "the client's firewall drops" tcp_timeout "$SERVER4:4100" "osError=-"
connect4 "the client's prohibit route" send_denied 203.0.113.11:3478 'osErrorText="Permission denied"'
connect4 "the client's unreachable route" host_unreachable 203.0.113.21:3478 'osErrorText="No route to host"'
connect6 "the client's unreachable route, IPv6" host_unreachable "[2001:db8:9::21]:3478" 'osErrorText="No route to host"'
connect4 "nobody has the address" host_unreachable 192.0.2.99:3478 'osErrorText="No route to host"'

answer4 "closed after accept" tcp_closed "$SERVER4:5002" "osError=-"
# The reset may overtake the news that the connection is there.
outcome "reset after accept" tcp_reset 4 "*" "$CLIENT4" "$SERVER4:5003" 'osErrorText="Connection reset by peer"'
answer4 "closed after the challenge" tcp_closed "$SERVER4:5004" "osError=- realm=floe.test"
answer4 "reset after the challenge" tcp_reset "$SERVER4:5005" 'osErrorText="Connection reset by peer" realm=floe.test'
answer4 "silence" no_answer "$SERVER4:5006" "osError=-"
answer4 "silence after the challenge" no_answer "$SERVER4:5007" "osError=- realm=floe.test"
answer4 "a firewall that lets connections come about, and no data" no_answer "$SERVER4:4003" "osError=-"
answer4 "a firewall that resets when data comes" tcp_reset "$SERVER4:4004" 'osErrorText="Connection reset by peer"'
outcome "bytes that are no STUN" not_stun 9 allocate "$CLIENT4" "$SERVER4:5008" "osError=-"
outcome "an SSH server" not_stun 9 allocate "$CLIENT4" "$SERVER4:8022" "osError=-"
outcome "a mail server" not_stun 9 allocate "$CLIENT4" "$SERVER4:8025" "osError=-"
outcome "a web server" not_stun 9 allocate "$CLIENT4" "$SERVER4:8080" "osError=-"
judge

ip -n client route del default
ip -n client -6 route del default
connect4 "no route" net_unreachable "$SERVER4:3478" 'osErrorText="Network is unreachable"'
connect6 "no route, IPv6" net_unreachable "[$SERVER6]:3478" 'osErrorText="Network is unreachable"'
finish
