#!/bin/sh
# UDP over a routed network: what works, what is refused, what is lost, and what each router on the way may say.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need nft
routed_network

testserver server good --user floe --credential floe-secret --relay-ip "$SERVER4" --relay-ip "$SERVER6" \
  --listen "udp:$SERVER4" --listen "udp:$SERVER4:4020" --listen "udp:[$SERVER6]"

# Ports 4000 and on go through the router's rules, 4100 and on through the client's.
rules router <<'END'
table inet floe {
  chain forward {
    type filter hook forward priority filter; policy accept
    udp dport 4000 drop
    udp dport 4001 reject with icmp type net-unreachable
    udp dport 4002 reject with icmp type host-unreachable
    udp dport 4003 reject with icmp type prot-unreachable
    udp dport 4004 reject with icmp type port-unreachable
    udp dport 4005 reject with icmp type net-prohibited
    udp dport 4006 reject with icmp type host-prohibited
    udp dport 4007 reject with icmp type admin-prohibited
    udp dport 4010 reject with icmpv6 type no-route
    udp dport 4011 reject with icmpv6 type admin-prohibited
    udp dport 4012 reject with icmpv6 type addr-unreachable
    udp dport 4013 reject with icmpv6 type port-unreachable
    udp dport 4020 limit rate 1/hour burst 1 packets reject with icmp type host-unreachable
    udp dport 4021 limit rate 1/hour burst 1 packets reject with icmp type net-unreachable
    udp dport 4021 drop
  }
}
END
rules client <<'END'
table inet floe {
  chain output {
    type filter hook output priority filter; policy accept
    udp dport 4100 drop
    udp dport 4101 reject
    udp dport 4102 reject with icmpx type admin-prohibited
  }
}
END
# The kernel's own words for a destination, on the client and on the router.
for table in client router; do
  host=1
  [ "$table" = client ] || host=2
  route "$table" prohibit "203.0.113.1$host"
  route "$table" unreachable "203.0.113.2$host"
  route "$table" blackhole "203.0.113.3$host"
  route "$table" prohibit "2001:db8:9::1$host"
  route "$table" unreachable "2001:db8:9::2$host"
  route "$table" blackhole "2001:db8:9::3$host"
done

HOSTS="gathering
host udp $CLIENT4
host udp $CLIENT6"

# outcome TITLE CAUSE FAMILY BASE HOST PORT OTHER-FIELDS: a check of one STUN server that fails with a 701.
outcome() {
  case $3 in
    4) server=$5:$6 ;;
    6) server=[$5]:$6 ;;
  esac
  url=stun:$server
  check "$1" client "$url" <<END
exit 4
within 7000
$HOSTS
error 701 $2 $url $4 binding udp $3 serverAddress=$server interface=eth0 serverName=- dnsStatus=- tls.alert=- $7
end
complete
report failed
server failed $2 $url
  attempt error 701 $2 udp $4 $server $7
END
}
v4() { outcome "$1" "$2" 4 "$CLIENT4" "$3" "$4" "$5"; }
v6() { outcome "$1" "$2" 6 "$CLIENT6" "$3" "$4" "$5"; }

# --- answers ------------------------------------------------------------------------------------------------------------

check "STUN, IPv4: the client's own address is no new candidate" client "stun:$SERVER4" <<END
exit 0
$HOSTS
end
complete
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp $CLIENT4 $SERVER4:3478 redundant=true mappedAddress=$CLIENT4:* attempts=1 icmp=- osError=-
END

check "STUN, IPv6" client "stun:[$SERVER6]" <<END
exit 0
$HOSTS
end
complete
report ok
server ok - stun:[$SERVER6]
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478 redundant=true mappedAddress=[$CLIENT6]:* attempts=1
END

check "one host unreachable, then an answer: the answer counts" client "stun:$SERVER4:4020" <<END
exit 0
$HOSTS
end
complete
report ok
server ok - stun:$SERVER4:4020
  attempt candidate - - udp $CLIENT4 $SERVER4:4020 attempts=2
END

relays() { # TITLE BASE SERVER-ADDRESS URL
  check "$1" client --user floe --credential floe-secret "$4" <<END
exit 0
$HOSTS
relay udp $SERVER4 $2 udp $4
relay udp $SERVER6 $2 udp $4
end
complete
report ok
server ok - $4
  attempt candidate - - udp $2 $3 realm=floe.test relayedAddress=*$SERVER4* relayedAddressAdditional=*$SERVER6*
  test flows - udp $SERVER4 sent=10 arrivedOut=10 arrivedBack=10
  test flows - udp $SERVER6 sent=10 arrivedOut=10 arrivedBack=10
END
}
relays "TURN, IPv4" "$CLIENT4" "$SERVER4:3478" "turn:$SERVER4"
relays "TURN, IPv6" "$CLIENT6" "[$SERVER6]:3478" "turn:[$SERVER6]"

# --- ICMP errors --------------------------------------------------------------------------------------------------------

refused='osErrorText="Connection refused"'
v4 "nobody listens, IPv4" port_unreachable "$SERVER4" 9 "attempts=1 icmp=3/3 $refused"
v6 "nobody listens, IPv6" port_unreachable "$SERVER6" 9 "attempts=1 icmp=1/4 $refused"
v4 "ICMP port unreachable by a router" port_unreachable "$SERVER4" 4004 "attempts=1 icmp=3/3"
v4 "ICMP protocol unreachable" port_unreachable "$SERVER4" 4003 "attempts=1 icmp=3/2"
v4 "ICMP net prohibited" send_denied "$SERVER4" 4005 "attempts=1 icmp=3/9"
v4 "ICMP host prohibited" send_denied "$SERVER4" 4006 "attempts=1 icmp=3/10"
v4 "ICMP communication prohibited" send_denied "$SERVER4" 4007 "attempts=1 icmp=3/13"
v4 "ICMP net unreachable ends at the second" net_unreachable "$SERVER4" 4001 "attempts=2 icmp=3/0"
v4 "ICMP host unreachable ends at the second" host_unreachable "$SERVER4" 4002 "attempts=2 icmp=3/1"
v4 "one ICMP net unreachable, then silence" net_unreachable "$SERVER4" 4021 "attempts=4 icmp=3/0"
v6 "ICMPv6 no route ends at the second" net_unreachable "$SERVER6" 4010 "attempts=2 icmp=1/0"
v6 "ICMPv6 prohibited" send_denied "$SERVER6" 4011 "attempts=1 icmp=1/1"
v6 "ICMPv6 address unreachable ends at the second" host_unreachable "$SERVER6" 4012 "attempts=2 icmp=1/3"
v6 "ICMPv6 port unreachable by a router" port_unreachable "$SERVER6" 4013 "attempts=1 icmp=1/4"

v4 "the router's prohibit route" send_denied 203.0.113.12 3478 "attempts=1 icmp=3/13"
v4 "the router's unreachable route" host_unreachable 203.0.113.22 3478 "attempts=2 icmp=3/1"
v4 "the router's blackhole route" udp_timeout 203.0.113.32 3478 "attempts=4 icmp=- osError=-"
v4 "the router has no route" net_unreachable 203.0.113.99 3478 "attempts=2 icmp=3/0"
v6 "the router's prohibit route, IPv6" send_denied 2001:db8:9::12 3478 "attempts=1 icmp=1/1"
v6 "the router's unreachable route, IPv6" "*_unreachable" 2001:db8:9::22 3478 "attempts=2 icmp=1/*"
v6 "the router's blackhole route, IPv6" udp_timeout 2001:db8:9::32 3478 "attempts=4 icmp=- osError=-"
v6 "the router has no route, IPv6" net_unreachable 2001:db8:9::99 3478 "attempts=2 icmp=1/0"
v4 "nobody has the address in the server's network" host_unreachable 198.51.100.99 3478 "icmp=3/1"
v6 "nobody has the address in the server's network, IPv6" host_unreachable 2001:db8:81:2::99 3478 "icmp=1/3"
v4 "nobody has the address in the client's network" host_unreachable 192.0.2.99 3478 "icmp=3/1"
v6 "nobody has the address in the client's network, IPv6" host_unreachable 2001:db8:81:1::99 3478 "icmp=1/3"

# --- the client's own kernel ----------------------------------------------------------------------------------------------

denied='osErrorText="Operation not permitted"'
v4 "the client's firewall drops" send_denied "$SERVER4" 4100 "attempts=1 $denied"
v6 "the client's firewall drops, IPv6" send_denied "$SERVER6" 4100 "attempts=1 $denied"
v4 "the client's firewall rejects" send_denied "$SERVER4" 4101 "attempts=1"
v6 "the client's firewall rejects, IPv6" send_denied "$SERVER6" 4101 "attempts=1"
v4 "the client's firewall prohibits" send_denied "$SERVER4" 4102 "attempts=1"
v4 "the client's prohibit route" send_denied 203.0.113.11 3478 'attempts=1 osErrorText="Permission denied" icmp=-'
v4 "the client's unreachable route" host_unreachable 203.0.113.21 3478 'osErrorText="No route to host" icmp=-'
v4 "the client's blackhole route" socket_failed 203.0.113.31 3478 'osErrorText="Invalid argument" icmp=-'
v6 "the client's prohibit route, IPv6" send_denied 2001:db8:9::11 3478 'attempts=1 osErrorText="Permission denied"'
v6 "the client's unreachable route, IPv6" host_unreachable 2001:db8:9::21 3478 'osErrorText="No route to host"'
v6 "the client's blackhole route, IPv6" socket_failed 2001:db8:9::31 3478 'osErrorText="Invalid argument"'

# --- silence --------------------------------------------------------------------------------------------------------------

v4 "a black hole, IPv4" udp_timeout "$SERVER4" 4000 "attempts=4 icmp=- osError=-"
v6 "a black hole, IPv6" udp_timeout "$SERVER6" 4000 "attempts=4 icmp=- osError=-"

# --- several servers of one socket -----------------------------------------------------------------------------------------

# The errors of one server must not be taken for those of another.
check "one good server among eight bad ones" client "stun:$SERVER4:9" "stun:$SERVER4:4007" "stun:$SERVER4:4001" \
  "stun:$SERVER4:4100" "stun:$SERVER4" "stun:$SERVER4:4000" "stun:203.0.113.11" "stun:$SERVER4:8" "stun:$SERVER4:4002" <<END
exit 4
within 7000
$HOSTS
{
error 701 port_unreachable stun:$SERVER4:9 $CLIENT4 binding udp 4 icmp=3/3
error 701 send_denied stun:$SERVER4:4007 $CLIENT4 binding udp 4 icmp=3/13
error 701 send_denied stun:$SERVER4:4100 $CLIENT4 binding udp 4 $denied
error 701 send_denied stun:203.0.113.11 $CLIENT4 binding udp 4
error 701 port_unreachable stun:$SERVER4:8 $CLIENT4 binding udp 4 icmp=3/3
}
{
error 701 net_unreachable stun:$SERVER4:4001 $CLIENT4 binding udp 4 icmp=3/0
error 701 host_unreachable stun:$SERVER4:4002 $CLIENT4 binding udp 4 icmp=3/1
}
error 701 udp_timeout stun:$SERVER4:4000 $CLIENT4 binding udp 4 icmp=-
end
complete
report failed
server failed port_unreachable stun:$SERVER4:9
  attempt error 701 port_unreachable udp $CLIENT4 $SERVER4:9
server failed send_denied stun:$SERVER4:4007
  attempt error 701 send_denied udp $CLIENT4 $SERVER4:4007
server failed net_unreachable stun:$SERVER4:4001
  attempt error 701 net_unreachable udp $CLIENT4 $SERVER4:4001
server failed send_denied stun:$SERVER4:4100
  attempt error 701 send_denied udp $CLIENT4 $SERVER4:4100
server ok - stun:$SERVER4
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
server failed udp_timeout stun:$SERVER4:4000
  attempt error 701 udp_timeout udp $CLIENT4 $SERVER4:4000
server failed send_denied stun:203.0.113.11
  attempt error 701 send_denied udp $CLIENT4 203.0.113.11:3478
server failed port_unreachable stun:$SERVER4:8
  attempt error 701 port_unreachable udp $CLIENT4 $SERVER4:8
server failed host_unreachable stun:$SERVER4:4002
  attempt error 701 host_unreachable udp $CLIENT4 $SERVER4:4002
END
judge

# --- no route at all --------------------------------------------------------------------------------------------------------

ip -n client route del default
ip -n client -6 route del default
v4 "the client has no route" net_unreachable "$SERVER4" 3478 'osErrorText="Network is unreachable" icmp=-'
v6 "the client has no route, IPv6" net_unreachable "$SERVER6" 3478 'osErrorText="Network is unreachable" icmp=-'
finish
