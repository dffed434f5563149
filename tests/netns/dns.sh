#!/bin/sh
# Names: the system's resolv.conf and hosts file, dnsmasq, and name servers that misbehave.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need dnsmasq nft
routed_network

testserver server good --user floe --credential floe-secret --listen "udp:$SERVER4" --listen "udp:[$SERVER6]"

# Name servers live on the router, each at an address of its own.
GOOD=192.0.2.53
SERVFAIL=192.0.2.61
REFUSED=192.0.2.62
SILENT=192.0.2.63
CLOSED=192.0.2.64
TRUNCATED=192.0.2.65
NOTIMP=192.0.2.66
GARBAGE=192.0.2.67
REJECTED=192.0.2.68
DENIED=192.0.2.69
A_SERVFAIL=192.0.2.71
AAAA_SERVFAIL=192.0.2.72
A_SILENT=192.0.2.73
AAAA_SILENT=192.0.2.74
AAAA_NXDOMAIN=192.0.2.75
for one in $GOOD $SERVFAIL $REFUSED $SILENT $CLOSED $TRUNCATED $NOTIMP $GARBAGE $REJECTED $DENIED $A_SERVFAIL $AAAA_SERVFAIL $A_SILENT \
  $AAAA_SILENT $AAAA_NXDOMAIN; do
  address router in0 "$one/24"
done
address router in0 2001:db8:81:1::53/64
serve router dnsmasq "started, version" dnsmasq --keep-in-foreground --conf-file=/dev/null --log-facility=- --pid-file= \
  --user=root --no-resolv --no-hosts --bind-interfaces --listen-address="$GOOD,2001:db8:81:1::53" --log-queries \
  --local=/test/ --host-record="good.test,$SERVER4,$SERVER6" --host-record="once.test,$SERVER4,$SERVER6" \
  --host-record="v4.test,$SERVER4" --host-record="v6.test,$SERVER6" --cname=alias.test,good.test \
  --host-record="dead-first.test,198.51.100.99" --host-record="dead-first.test,$SERVER4" \
  --txt-record=nodata.test,nothing
route client unreachable 203.0.113.53
rules router <<END
table inet floe {
  chain input {
    type filter hook input priority filter; policy accept
    ip daddr $REJECTED reject with icmp type admin-prohibited
  }
}
END
rules client <<END
table inet floe {
  chain output {
    type filter hook output priority filter; policy accept
    ip daddr $DENIED drop
  }
}
END
found=",$SERVER4,$SERVER6"
serve router dns "all name servers are ready" python3 "$lib/dns.py" "$SERVFAIL=servfail" "$REFUSED=refused" \
  "$SILENT=silent" "$TRUNCATED=truncated$found" "$NOTIMP=notimp" "$GARBAGE=garbage" "$A_SERVFAIL=a-servfail$found" \
  "$AAAA_SERVFAIL=aaaa-servfail$found" "$A_SILENT=a-silent$found" "$AAAA_SILENT=aaaa-silent$found" \
  "$AAAA_NXDOMAIN=aaaa-nxdomain$found"

HOSTS="gathering
host udp $CLIENT4
host udp $CLIENT6"
DONE="end
complete"

# With the resolvers that follow URL, all of the name's addresses answer.
finds() { # TITLE URL RESOLVER...
  variant=case$n_cases
  title=$1
  url=$2
  shift 2
  resolvers "$variant" "$@" </dev/null
  check "$title" "client@$variant" "$url" <<END
exit 0
$HOSTS
$DONE
report ok
server ok - $url
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478 redundant=true serverName=*
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478 redundant=true serverName=*
}
END
}

fails() { # TITLE CAUSE STATUS URL RESOLVER...: both families fail the same way
  variant=case$n_cases
  title=$1
  cause=$2
  status=$3
  url=$4
  shift 4
  resolvers "$variant" "$@" </dev/null
  check "$title" "client@$variant" "$url" <<END
exit 3
within 7000
$HOSTS
error 701 $cause $url - dns udp * dnsStatus=$status serverName=${url#stun:} serverAddress=- localAddress=- interface=- icmp=-
$DONE
report failed
server failed $cause $url
{
  attempt error 701 $cause udp - - dnsStatus=* serverName=${url#stun:} family=4
  attempt error 701 $cause udp - - dnsStatus=* serverName=${url#stun:} family=6
}
END
}

half() { # TITLE CAUSE STATUS FAILING-FAMILY RESOLVER...: one family works
  variant=case$n_cases
  title=$1
  cause=$2
  status=$3
  family=$4
  shift 4
  resolvers "$variant" "$@" </dev/null
  case $family in
    4) works="$CLIENT6 [$SERVER6]:3478" ;;
    6) works="$CLIENT4 $SERVER4:3478" ;;
  esac
  check "$title" "client@$variant" stun:some.test <<END
exit 1
within 7000
$HOSTS
$DONE
report degraded
server degraded $cause stun:some.test
{
  attempt candidate - - udp $works
  attempt error 701 $cause udp - - dnsStatus=$status family=$family
}
END
}

# --- found --------------------------------------------------------------------------------------------------------------

finds "a name with both families" stun:good.test $GOOD
finds "an alias" stun:alias.test $GOOD
finds "capital letters" stun:GOOD.Test $GOOD
finds "over an IPv6 resolver" stun:good.test 2001:db8:81:1::53
finds "an answer that only fits TCP" stun:some.test $TRUNCATED
finds "the first resolver says SERVFAIL, the second knows" stun:good.test $SERVFAIL $GOOD
finds "the first resolver says REFUSED, the second knows" stun:good.test $REFUSED $GOOD
finds "the first resolver is not there, the second knows" stun:good.test $CLOSED $GOOD
finds "the first resolver is silent, the second knows" stun:good.test $SILENT $GOOD
finds "two bad resolvers, the third knows" stun:good.test $SERVFAIL $SILENT $GOOD

resolvers search $GOOD </dev/null
echo "search test" >>"$work/etc/search/resolv.conf"
check "a search domain" client@search stun:good <<END
exit 0
$HOSTS
$DONE
report ok
server ok - stun:good
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478
}
END

check "--dns-server, with an empty resolv.conf" client --dns-server $GOOD stun:good.test <<END
exit 0
$HOSTS
$DONE
report ok
server ok - stun:good.test
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478
}
END

resolvers hosts <<END
$SERVER4 hosted.test four.test
$SERVER6 hosted.test
END
check "a name of the hosts file, without any resolver" client@hosts stun:hosted.test <<END
exit 0
$HOSTS
$DONE
report ok
server ok - stun:hosted.test
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478
}
END

# The other family is not asked for anywhere: the hosts file knows the name.
check "a name of the hosts file with one family" client@hosts stun:four.test <<END
exit 1
$HOSTS
$DONE
report degraded
server degraded dns_nodata stun:four.test
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt error 701 dns_nodata udp - - family=6
}
END

resolvers one_name $GOOD </dev/null
check "a name that two URLs share" client@one_name stun:once.test stun:once.test:3478 stun:once.test:9 <<END
exit 4
$HOSTS
error 701 port_unreachable stun:once.test:9 * binding udp *
$DONE
report failed
server ok - stun:once.test
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478
}
server ok - stun:once.test:3478
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt candidate - - udp $CLIENT6 [$SERVER6]:3478
}
server failed port_unreachable stun:once.test:9
{
  attempt error 701 port_unreachable udp $CLIENT4 $SERVER4:9
  attempt error 701 port_unreachable udp $CLIENT6 [$SERVER6]:9
}
END

resolvers good $GOOD </dev/null
check "of two addresses the first is dead: the second is tried" client@good stun:dead-first.test <<END
exit 1
within 7000
$HOSTS
$DONE
report degraded
server degraded dns_nodata stun:dead-first.test
{
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  attempt error 701 dns_nodata udp - - family=6
}
END

# --- not found ------------------------------------------------------------------------------------------------------------

fails "no such name" dns_nxdomain NXDOMAIN stun:nobody.test $GOOD
fails "a name without addresses" dns_nodata NODATA stun:nodata.test $GOOD
fails "a resolver that refuses" dns_refused REFUSED stun:other.example $GOOD
fails "SERVFAIL" dns_servfail SERVFAIL stun:some.test $SERVFAIL
fails "SERVFAIL of two resolvers" dns_servfail SERVFAIL stun:some.test $SERVFAIL $SERVFAIL
fails "REFUSED" dns_refused REFUSED stun:some.test $REFUSED
fails "REFUSED, then SERVFAIL" dns_servfail SERVFAIL stun:some.test $REFUSED $SERVFAIL
fails "SERVFAIL, then REFUSED" dns_servfail SERVFAIL stun:some.test $SERVFAIL $REFUSED
fails "NXDOMAIN is an answer: the second resolver is not asked" dns_nxdomain NXDOMAIN stun:nobody.test $GOOD $AAAA_SILENT
fails "a silent resolver" dns_timeout TIMEOUT stun:some.test $SILENT
fails "two silent resolvers" dns_timeout TIMEOUT stun:some.test $SILENT $SILENT
fails "no resolver listens" dns_unreachable UNREACHABLE stun:some.test $CLOSED
fails "no resolver is configured, and none is on this host" dns_unreachable UNREACHABLE stun:some.test
fails "silence, then SERVFAIL" dns_servfail SERVFAIL stun:some.test $SILENT $SERVFAIL
fails "garbage is no answer" dns_timeout TIMEOUT stun:some.test $GARBAGE
fails "nobody has the resolver's address" dns_timeout TIMEOUT stun:some.test 192.0.2.99
fails "no route to the resolver" dns_unreachable UNREACHABLE stun:some.test 203.0.113.53
fails "a firewall rejects the resolver" dns_unreachable UNREACHABLE stun:some.test $REJECTED
fails "the client's own firewall drops questions" dns_unreachable UNREACHABLE stun:some.test $DENIED

half "SERVFAIL for A" dns_servfail SERVFAIL 4 $A_SERVFAIL
half "SERVFAIL for AAAA" dns_servfail SERVFAIL 6 $AAAA_SERVFAIL
half "no answer for A" dns_timeout TIMEOUT 4 $A_SILENT
half "no answer for AAAA" dns_timeout TIMEOUT 6 $AAAA_SILENT
half "NXDOMAIN for AAAA" dns_nxdomain NXDOMAIN 6 $AAAA_NXDOMAIN

check "a name without addresses, over TCP" client@good --user floe --credential floe-secret \
  "turn:nobody.test?transport=tcp" <<END
exit 3
$HOSTS
error 701 dns_nxdomain turn:nobody.test?transport=tcp - dns tcp * dnsStatus=NXDOMAIN
$DONE
report failed
server failed dns_nxdomain turn:nobody.test?transport=tcp
{
  attempt error 701 dns_nxdomain tcp - - family=4
  attempt error 701 dns_nxdomain tcp - - family=6
}
END
judge

# One query for each family, however many URLs have the name.
saw "A of once.test is asked for once" dnsmasq "query\[A\] once.test from $CLIENT4" 1
saw "AAAA of once.test is asked for once" dnsmasq "query\[AAAA\] once.test from $CLIENT4" 1
finish
