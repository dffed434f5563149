#!/bin/sh
# Hosts with several interfaces, with one family only, with a broken one; and the options that choose among them.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need nft

# A host with two uplinks, each behind a NAT of its own. What leaves by which is decided by the source address.
ns client first second server four six dual lone
link client eth0 first in0
link client eth1 second in0
link first out0 server eth0
link second out0 server eth1
forward first
forward second
address client eth0 10.81.1.2/24
address client eth1 10.81.3.2/24
address first in0 10.81.1.1/24
address second in0 10.81.3.1/24
address first out0 198.51.100.1/24
address second out0 203.0.113.1/24
address server eth0 "$SERVER4/24" "$SERVER6/64"
address server eth1 203.0.113.2/24
route client default via 10.81.1.1
ip -n client rule add from 10.81.3.2 table 3
route client default via 10.81.3.1 table 3
route second "$SERVER4" via 203.0.113.2
for one in first second; do
  rules "$one" <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
}
END
done
rules first <<'END'
table inet floe2 {
  chain forward {
    type filter hook forward priority filter; policy accept
    udp dport { 4001, 4003 } reject
    udp dport 4004 drop
  }
}
END
rules second <<'END'
table inet floe2 {
  chain forward {
    type filter hook forward priority filter; policy accept
    udp dport { 4002, 4003, 4005 } drop
    tcp dport 4002 drop
  }
}
END

# Hosts with IPv4 only, with IPv6 only, and with both of which IPv6 leads nowhere.
link four eth0 server four
link six eth0 server six
link dual eth0 server dual
address four eth0 192.0.2.2/30
address server four 192.0.2.1/30
address six eth0 2001:db8:6::2/64 fe80::6/64
address server six 2001:db8:6::1/64 fe80::1/64
address dual eth0 192.0.2.6/30 2001:db8:7::2/64
address server dual 192.0.2.5/30 2001:db8:7::1/64
route four default via 192.0.2.1
route six default via 2001:db8:6::1
route dual default via 192.0.2.5
route dual default via 2001:db8:7::1
rules server <<'END'
table inet floe {
  chain input {
    type filter hook input priority filter; policy accept
    iifname "dual" meta nfproto ipv6 udp dport 3478 drop
    iifname "dual" meta nfproto ipv6 udp dport 4010 reject with icmpv6 type no-route
    iifname "dual" meta nfproto ipv6 tcp dport 3478 drop
  }
}
END

testserver server good --user floe --credential floe-secret --relay-ip "$SERVER4" \
  --listen "udp:$SERVER4:4001" --listen "udp:$SERVER4:4002" --listen "tcp:$SERVER4:4002" \
  --listen "udp:$SERVER4:4004,error=500:Out of order" --listen "udp:$SERVER4:4005,error=500:Out of order" \
  --listen "udp:$SERVER4:4010" --listen "tcp:$SERVER4" --listen "udp:[$SERVER6]" --listen "udp:$SERVER4"
testserver client local --listen udp:127.0.0.1
testserver server link_local --listen "udp:[::]:3479"
resolvers named <<END
$SERVER4 dual.test four.test
$SERVER6 dual.test six.test
END
# In place of the hosts file: a name server, which knows that there is no such address.
serve four dns4 "all name servers are ready" python3 "$lib/dns.py" "192.0.2.2=good,$SERVER6"
serve six dns6 "all name servers are ready" python3 "$lib/dns.py" "2001:db8:6::2=good,$SERVER4"
resolvers only_six 192.0.2.2 </dev/null
resolvers only_four 2001:db8:6::2 </dev/null

# --- several interfaces ---------------------------------------------------------------------------------------------------

BOTH="gathering
host udp 10.81.1.2
host udp 10.81.3.2"
DONE="end
complete"

check "two uplinks, two addresses" client "stun:$SERVER4" <<END
exit 0
$BOTH
{
srflx udp 198.51.100.1 10.81.1.2 stun:$SERVER4
srflx udp 203.0.113.1 10.81.3.2 stun:$SERVER4
}
$DONE
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp 10.81.1.2 $SERVER4:3478 interface=eth0
  attempt candidate - - udp 10.81.3.2 $SERVER4:3478 interface=eth1
END

check "two uplinks, two relays" client --user floe --credential floe-secret "turn:$SERVER4" <<END
exit 0
$BOTH
{
srflx udp 198.51.100.1 10.81.1.2 turn:$SERVER4
srflx udp 203.0.113.1 10.81.3.2 turn:$SERVER4
relay udp $SERVER4 198.51.100.1 udp turn:$SERVER4
relay udp $SERVER4 203.0.113.1 udp turn:$SERVER4
}
$DONE
report ok
server ok - turn:$SERVER4
  attempt candidate - - udp 10.81.1.2 $SERVER4:3478
  attempt candidate - - udp 10.81.3.2 $SERVER4:3478
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
END

check "the first uplink is refused, the second works: no event" client "stun:$SERVER4:4001" <<END
exit 1
$BOTH
srflx udp 203.0.113.1 10.81.3.2 stun:$SERVER4:4001
$DONE
report degraded
server degraded port_unreachable stun:$SERVER4:4001
  attempt error 701 port_unreachable udp 10.81.1.2 $SERVER4:4001 icmp=3/3 interface=eth0
  attempt candidate - - udp 10.81.3.2 $SERVER4:4001
END

check "the first uplink works, the second is a black hole: no event" client "stun:$SERVER4:4002" <<END
exit 1
within 7000
$BOTH
srflx udp 198.51.100.1 10.81.1.2 stun:$SERVER4:4002
$DONE
report degraded
server degraded udp_timeout stun:$SERVER4:4002
  attempt candidate - - udp 10.81.1.2 $SERVER4:4002
  attempt error 701 udp_timeout udp 10.81.3.2 $SERVER4:4002 interface=eth1
END

check "the same over TCP" client --user floe --credential floe-secret "turn:$SERVER4:4002?transport=tcp" <<END
exit 1
within 7000
$BOTH
relay udp $SERVER4 * tcp turn:$SERVER4:4002?transport=tcp
$DONE
report degraded
server degraded tcp_timeout turn:$SERVER4:4002?transport=tcp
  attempt candidate - - tcp 10.81.1.2 $SERVER4:4002
  attempt error 701 tcp_timeout tcp 10.81.3.2 $SERVER4:4002
  test flows - tcp $SERVER4 arrivedOut=10 arrivedBack=10
END

check "refused on one, black hole on the other: one 701, of the one that ended first" client "stun:$SERVER4:4003" <<END
exit 4
within 7000
$BOTH
error 701 port_unreachable stun:$SERVER4:4003 10.81.1.2 binding udp 4 icmp=3/3
$DONE
report failed
server failed port_unreachable stun:$SERVER4:4003
  attempt error 701 port_unreachable udp 10.81.1.2 $SERVER4:4003
  attempt error 701 udp_timeout udp 10.81.3.2 $SERVER4:4003
END

check "an error response on one, a black hole on the other: the server's words, and no 701" client \
  "stun:$SERVER4:4004" "stun:$SERVER4:4005" <<END
exit 9
within 7000
$BOTH
{
error 500 stun_error stun:$SERVER4:4004 10.81.3.2 binding udp 4 errorText="Out of order"
error 500 stun_error stun:$SERVER4:4005 10.81.1.2 binding udp 4 errorText="Out of order"
}
$DONE
report failed
server failed stun_error stun:$SERVER4:4004
  attempt error 701 udp_timeout udp 10.81.1.2 $SERVER4:4004
  attempt error 500 stun_error udp 10.81.3.2 $SERVER4:4004
server failed stun_error stun:$SERVER4:4005
  attempt error 500 stun_error udp 10.81.1.2 $SERVER4:4005
  attempt error 701 udp_timeout udp 10.81.3.2 $SERVER4:4005
END

check "--interface eth1" client --interface eth1 "stun:$SERVER4" <<END
exit 0
gathering
host udp 10.81.3.2
srflx udp 203.0.113.1 10.81.3.2 stun:$SERVER4
$DONE
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp 10.81.3.2 $SERVER4:3478 interface=eth1
END

check "--interface, and no server can be reached from there" client --interface eth1 "stun:$SERVER4:4002" <<END
exit 4
within 7000
gathering
host udp 10.81.3.2
error 701 udp_timeout stun:$SERVER4:4002 10.81.3.2 binding udp 4 interface=eth1
$DONE
report failed
server failed udp_timeout stun:$SERVER4:4002
  attempt error 701 udp_timeout udp 10.81.3.2 $SERVER4:4002
END

check "a loopback server is asked from loopback only, and loopback is no candidate" client stun:127.0.0.1 <<END
exit 0
$BOTH
srflx udp 127.0.0.1 0.0.0.0 stun:127.0.0.1
$DONE
report ok
server ok - stun:127.0.0.1
  attempt candidate - - udp * 127.0.0.1:3478 mappedAddress=127.0.0.1:* interface=lo
END

check "--interface without loopback: a loopback server has no base" client --interface eth0 stun:127.0.0.1 <<END
exit 4
gathering
error 701 no_local_address stun:127.0.0.1 - socket udp 4 interface=- localAddress=-
host udp 10.81.1.2
$DONE
report failed
server failed no_local_address stun:127.0.0.1
  attempt error 701 no_local_address udp - 127.0.0.1:3478
END

# It has two: the kernel's and ours.
check "a link-local server is asked from link-local addresses" six "stun:[fe80::1]:3479" <<END
exit 0
gathering
host udp 2001:db8:6::2
{
srflx udp fe80::6 :: stun:[fe80::1]:3479
srflx udp fe80::*:* :: stun:[fe80::1]:3479
}
$DONE
report ok
server ok - stun:[fe80::1]:3479
{
  attempt candidate - - udp * [fe80::1%*]:3479 mappedAddress=[fe80::6]:*
  attempt candidate - - udp * [fe80::1%*]:3479 mappedAddress=[fe80::*]:*
}
END

check "the relay-only policy hides the base" client --relay-only --user floe --credential floe-secret \
  "turn:$SERVER4:9" "stun:$SERVER4" <<END
exit 4
gathering
error 701 port_unreachable turn:$SERVER4:9 - allocate udp 4 localAddress=- interface=- serverAddress=$SERVER4:9
$DONE
report failed
server failed port_unreachable turn:$SERVER4:9
  attempt error 701 port_unreachable udp - $SERVER4:9
  attempt error 701 port_unreachable udp - $SERVER4:9
server unused - stun:$SERVER4
END

check "the relay-only policy has no use for STUN" client --relay-only "stun:$SERVER4" <<END
exit 0
gathering
$DONE
report unused
server unused - stun:$SERVER4
END

# --- families -------------------------------------------------------------------------------------------------------------

no_family() { # TITLE NAMESPACE HOST-LINES URL CHECK-ARGUMENTS...: a server of a family that the host does not have
  title=$1
  host=$2
  lines=$3
  url=$4
  shift 4
  case $url in
  *]) family=6 ;;
  *) family=4 ;;
  esac
  check "$title" "$host" "$@" "$url" <<END
exit 4
gathering
error 701 no_local_address $url - socket udp $family localAddress=- interface=- osError=-
$lines
$DONE
report failed
server failed no_local_address $url
  attempt error 701 no_local_address udp - ${url#stun:}:3478
END
}
no_family "an IPv6 server from an IPv4 host" four "host udp 192.0.2.2" "stun:[$SERVER6]"
no_family "an IPv4 server from an IPv6 host" six "host udp 2001:db8:6::2" "stun:$SERVER4"
no_family "-4 and an IPv6 server" dual "host udp 192.0.2.6" "stun:[$SERVER6]" -4
no_family "-6 and an IPv4 server" dual "host udp 2001:db8:7::2" "stun:$SERVER4" -6
no_family "a host without any network" lone "" "stun:$SERVER4"

check "a name with an IPv6 address only, from an IPv4 host" four@only_six stun:some.test <<END
exit 3
gathering
host udp 192.0.2.2
error 701 dns_nodata stun:some.test - dns udp 4 dnsStatus=NODATA
$DONE
report failed
server failed dns_nodata stun:some.test
  attempt error 701 dns_nodata udp - - family=4
END

check "a name with an IPv4 address only, from an IPv6 host" six@only_four stun:some.test <<END
exit 3
gathering
host udp 2001:db8:6::2
error 701 dns_nodata stun:some.test - dns udp 6 dnsStatus=NODATA
$DONE
report failed
server failed dns_nodata stun:some.test
  attempt error 701 dns_nodata udp - - family=6
END

one_family() { # TITLE NAMESPACE BASE SERVER CHECK-ARGUMENTS...: only the family that there is counts
  title=$1
  host=$2
  base=$3
  server=$4
  shift 4
  check "$title" "$host" "$@" stun:dual.test <<END
exit 0
gathering
host udp $base
$DONE
report ok
server ok - stun:dual.test
  attempt candidate - - udp $base $server
END
}
one_family "a name with both families from an IPv4 host" four@named 192.0.2.2 "$SERVER4:3478"
one_family "a name with both families from an IPv6 host" six@named 2001:db8:6::2 "[$SERVER6]:3478"
one_family "-4 and a name with both families" dual@named 192.0.2.6 "$SERVER4:3478" -4

DUAL="gathering
host udp 192.0.2.6
host udp 2001:db8:7::2"

check "both families, IPv6 is a black hole" dual@named stun:dual.test <<END
exit 1
within 7000
$DUAL
$DONE
report degraded
server degraded udp_timeout stun:dual.test
{
  attempt candidate - - udp 192.0.2.6 $SERVER4:3478
  attempt error 701 udp_timeout udp 2001:db8:7::2 [$SERVER6]:3478
}
END

check "both families, IPv6 has no route" dual@named stun:dual.test:4010 <<END
exit 1
$DUAL
$DONE
report degraded
server degraded net_unreachable stun:dual.test:4010
{
  attempt candidate - - udp 192.0.2.6 $SERVER4:4010
  attempt error 701 net_unreachable udp 2001:db8:7::2 [$SERVER6]:4010 icmp=1/0
}
END

check "both families over TCP, IPv6 is a black hole" dual@named --user floe --credential floe-secret \
  "turn:dual.test?transport=tcp" <<END
exit 1
within 7000
$DUAL
relay udp $SERVER4 192.0.2.6 tcp turn:dual.test?transport=tcp
$DONE
report degraded
server degraded tcp_timeout turn:dual.test?transport=tcp
{
  attempt candidate - - tcp 192.0.2.6 $SERVER4:3478
  attempt error 701 tcp_timeout tcp 2001:db8:7::2 [$SERVER6]:3478
}
  test flows - tcp $SERVER4 arrivedOut=10 arrivedBack=10
END

check "-6 and a black hole" dual@named -6 stun:dual.test <<END
exit 4
within 7000
gathering
host udp 2001:db8:7::2
error 701 udp_timeout stun:dual.test 2001:db8:7::2 binding udp 6
$DONE
report failed
server failed udp_timeout stun:dual.test
  attempt error 701 udp_timeout udp 2001:db8:7::2 [$SERVER6]:3478
END

# --- ports ------------------------------------------------------------------------------------------------------------------

check "a port range of one port" four --port-range 40000-40000 "stun:$SERVER4" <<END
exit 0
gathering
host udp 192.0.2.2 port=40000
$DONE
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp 192.0.2.2 $SERVER4:3478 localAddress=192.0.2.2:40000 mappedAddress=192.0.2.2:40000
END

testserver four taken --listen udp:192.0.2.2:41000 --listen udp:192.0.2.2:41001
check "the port range is taken" four --port-range 41000-41001 "stun:$SERVER4" <<END
exit 4
gathering
error 701 port_range_exhausted stun:$SERVER4 - socket udp 4
$DONE
report failed
server failed port_range_exhausted stun:$SERVER4
  attempt error 701 port_range_exhausted udp * *
END

check "the port range is taken but for its last port" four --port-range 41000-41002 "stun:$SERVER4" <<END
exit 0
gathering
host udp 192.0.2.2 port=41002
$DONE
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp 192.0.2.2 $SERVER4:3478
END
finish
