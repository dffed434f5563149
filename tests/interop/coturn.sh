#!/bin/sh
# Against coturn: STUN and TURN over each transport and family, credentials good and bad, redirects.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=coturn_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/coturn_lib.sh"
net_enter "$@"
need_coturn
routed_network

certificate_authority
certificate turn turn.floe.test
resolvers named <<END
$SERVER4 turn.floe.test
END

V4="--listening-ip $SERVER4 --relay-ip $SERVER4"
V6="--listening-ip $SERVER6 --relay-ip $SERVER6"
TLS="--cert $work/turn.pem --pkey $work/turn.key --no-dtls"
NO_TLS="--no-tls --no-dtls"
# shellcheck disable=SC2086
{
  coturn main 3478 $V4 $V6 $TLS $COTURN_USER --tls-listening-port 5349
  coturn keep_family 5001 $V4 $V6 $NO_TLS $COTURN_USER --allocation-default-address-family=keep
  coturn redirect 5002 $V4 $TLS --tls-listening-port 5003 $COTURN_USER --alternate-server "$SERVER4:3478" \
    --tls-alternate-server "$SERVER4:5349"
  coturn redirect_dead 5004 $V4 $TLS --tls-listening-port 5005 $COTURN_USER --alternate-server "$SERVER4:9" \
    --tls-alternate-server "$SERVER4:9"
  coturn redirect_there 5006 $V4 $NO_TLS $COTURN_USER --alternate-server "$SERVER4:5007"
  coturn redirect_back 5007 $V4 $NO_TLS $COTURN_USER --alternate-server "$SERVER4:5006"
  coturn rest 5008 $V4 $NO_TLS --use-auth-secret --static-auth-secret floe-secret
  coturn no_udp 5009 $V4 $NO_TLS $COTURN_USER --no-udp
  coturn no_tcp 5010 $V4 $NO_TLS $COTURN_USER --no-tcp
  coturn anonymous 5011 $V4 $NO_TLS --no-auth --no-software-attribute
  coturn secure_stun 5012 $V4 $NO_TLS $COTURN_USER --secure-stun
  coturn fingerprint 5013 $V4 $NO_TLS $COTURN_USER --fingerprint
  coturn stun_only 5016 $V4 $NO_TLS --stun-only
  coturn no_stun 5017 $V4 $NO_TLS $COTURN_USER --no-stun
}

HOSTS="gathering
host udp $CLIENT4
host udp $CLIENT6"
DONE="end
complete"
SOFTWARE="software=\"Coturn-4.6.1 'Gorst'\""

turn() { # TITLE URL ARGUMENTS...
  title=$1
  url=$2
  shift 2
  check "$title" client@named --ca-file "$work/ca.pem" --user floe --credential floe-secret "$@" "$url"
}

# --- STUN -----------------------------------------------------------------------------------------------------------------

stun() { # TITLE TRANSPORT BASE SERVER URL ARGUMENTS...
  title=$1
  transport=$2
  base=$3
  server=$4
  url=$5
  shift 5
  check "$title" client@named --ca-file "$work/ca.pem" "$@" "$url" <<END
exit 0
gathering
{
host udp *
host udp *
}
$DONE
report ok
server ok - $url
  attempt candidate - - $transport $base $server mappedAddress=*$base* $SOFTWARE
END
}
stun "STUN, IPv4" udp "$CLIENT4" "$SERVER4:3478" "stun:$SERVER4"
stun "STUN, IPv6" udp "$CLIENT6" "[$SERVER6]:3478" "stun:[$SERVER6]"
stun "STUN with FINGERPRINT" udp "$CLIENT4" "$SERVER4:5013" "stun:$SERVER4:5013"
stun "STUN of a server that does nothing else" udp "$CLIENT4" "$SERVER4:5016" "stun:$SERVER4:5016"

check "STUN over TLS" client@named -4 --ca-file "$work/ca.pem" stuns:turn.floe.test <<END
exit 0
gathering
host udp $CLIENT4
$DONE
report ok
server ok - stuns:turn.floe.test
  attempt candidate - - tls $CLIENT4 $SERVER4:5349 tls.subject=*turn.floe.test* tls.version=TLSv1.* tls.insecure=- $SOFTWARE
END

check "STUN that needs credentials" client "stun:$SERVER4:5012" <<END
exit 6
$HOSTS
error 401 auth_required stun:$SERVER4:5012 $CLIENT4 binding udp 4 errorText=Unauthorized realm=floe.test $SOFTWARE
$DONE
report failed
server failed auth_required stun:$SERVER4:5012
  attempt error 401 auth_required udp $CLIENT4 $SERVER4:5012
END

check "TURN of a server that does only STUN" client --user floe --credential floe-secret "turn:$SERVER4:5016" <<END
exit 4
within 7000
$HOSTS
error 701 udp_timeout turn:$SERVER4:5016 $CLIENT4 allocate udp 4
$DONE
report failed
server failed udp_timeout turn:$SERVER4:5016
  attempt error 701 udp_timeout udp $CLIENT4 $SERVER4:5016
END

check "STUN of a server that does only TURN" client "stun:$SERVER4:5017" <<END
exit 4
within 7000
$HOSTS
error 701 udp_timeout stun:$SERVER4:5017 $CLIENT4 binding udp 4
$DONE
report failed
server failed udp_timeout stun:$SERVER4:5017
  attempt error 701 udp_timeout udp $CLIENT4 $SERVER4:5017
END

# --- TURN -----------------------------------------------------------------------------------------------------------------

relays() { # TITLE TRANSPORT BASE SERVER URL
  turn "$1" "$5" <<END
exit 0
$HOSTS
relay udp $SERVER4 $3 $2 $5
$DONE
report ok
server ok - $5
  attempt candidate - - $2 $3 $4 realm=floe.test $SOFTWARE lifetime=600 mappedAddress=*$3* redirects=0
  test flows - $2 $SERVER4 arrivedOut=10 arrivedBack=10
END
}
relays "TURN over UDP, IPv4" udp "$CLIENT4" "$SERVER4:3478" "turn:$SERVER4"
relays "TURN over UDP, IPv6" udp "$CLIENT6" "[$SERVER6]:3478" "turn:[$SERVER6]"
relays "TURN over TCP, IPv4" tcp "$CLIENT4" "$SERVER4:3478" "turn:$SERVER4?transport=tcp"
relays "TURN over TCP, IPv6" tcp "$CLIENT6" "[$SERVER6]:3478" "turn:[$SERVER6]?transport=tcp"

turn "TURN over TLS" turns:turn.floe.test -4 <<END
exit 0
gathering
host udp $CLIENT4
relay udp $SERVER4 $CLIENT4 tls turns:turn.floe.test
$DONE
report ok
server ok - turns:turn.floe.test
  attempt candidate - - tls $CLIENT4 $SERVER4:5349 realm=floe.test $SOFTWARE tls.subject=*turn.floe.test* tls.issuer=*authority*
  test flows - tls $SERVER4 arrivedOut=10 arrivedBack=10
END

# coturn 4.6.1 knows ADDITIONAL-ADDRESS-FAMILY only by the number of a draft, so that IPv6 is relayed where it is the
# default: here the family of the client's connection.
for transport in udp tcp; do
  turn "an IPv6 relay over $transport" "turn:[$SERVER6]:5001?transport=$transport" <<END
exit 0
$HOSTS
relay udp $SERVER6 $CLIENT6 $transport turn:[$SERVER6]:5001?transport=$transport
$DONE
report ok
server ok - turn:[$SERVER6]:5001?transport=$transport
  attempt candidate - - $transport $CLIENT6 [$SERVER6]:5001 relayedAddress=[$SERVER6]:* additionalErrorCode=-
  test flows - $transport $SERVER6 arrivedOut=10 arrivedBack=10
END
done

turn "TURN with FINGERPRINT" "turn:$SERVER4:5013" <<END
exit 0
$HOSTS
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5013
$DONE
report ok
server ok - turn:$SERVER4:5013
  attempt candidate - - udp $CLIENT4 $SERVER4:5013
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
END

turn "a server that asks for no credentials, and does not say what it is" "turn:$SERVER4:5011" <<END
exit 0
$HOSTS
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4:5011
$DONE
report ok
server ok - turn:$SERVER4:5011
  attempt candidate - - udp $CLIENT4 $SERVER4:5011 realm=- software=-
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
END

turn "--all" "turn:$SERVER4" --all <<END
exit 1
gathering
{
host udp $CLIENT4
host udp $CLIENT6
}
{
relay udp $SERVER4 $CLIENT4 udp turn:$SERVER4
relay udp $SERVER4 $CLIENT4 tcp turn:$SERVER4?transport=tcp
error 701 tls_name_mismatch turns:$SERVER4 $CLIENT4 tls tls 4
}
$DONE
report degraded
server ok - turn:$SERVER4 derived=-
  attempt candidate - - udp $CLIENT4 $SERVER4:3478
  test flows - udp $SERVER4
server ok - turn:$SERVER4?transport=tcp derived=true
  attempt candidate - - tcp $CLIENT4 $SERVER4:3478
  test flows - tcp $SERVER4
server failed tls_name_mismatch turns:$SERVER4 derived=true
  attempt error 701 tls_name_mismatch tls $CLIENT4 $SERVER4:5349
END

# --- what is switched off ---------------------------------------------------------------------------------------------------

fails() { # TITLE EXIT CODE CAUSE PHASE TRANSPORT SERVER URL FIELDS ARGUMENTS...
  title=$1
  status=$2
  code=$3
  cause=$4
  phase=$5
  transport=$6
  server=$7
  url=$8
  fields=$9
  shift 9
  check "$title" client@named -4 --ca-file "$work/ca.pem" "$@" "$url" <<END
exit $status
gathering
host udp $CLIENT4
error $code $cause $url $CLIENT4 $phase $transport 4 serverAddress=$server $fields
$DONE
report failed
server failed $cause $url
  attempt error $code $cause $transport $CLIENT4 $server $fields
END
}
with="--user floe --credential floe-secret"
# shellcheck disable=SC2086
{
  fails "no UDP" 4 701 port_unreachable allocate udp "$SERVER4:5009" "turn:$SERVER4:5009" "icmp=3/3" $with
  fails "no TCP" 4 701 tcp_refused connect tcp "$SERVER4:5010" "turn:$SERVER4:5010?transport=tcp" "" $with
  fails "no TLS" 4 701 tcp_refused connect tls "$SERVER4:5999" "turns:turn.floe.test:5999" "" $with
  fails "TLS at the port for TCP and TLS: coturn takes both there" 5 701 tls_name_mismatch tls tls "$SERVER4:3478" \
    "turns:$SERVER4:3478" "tls.subject=*turn.floe.test*" $with
  fails "another name in the certificate" 5 701 tls_name_mismatch tls tls "$SERVER4:5349" "turns:$SERVER4" \
    "tls.names=*turn.floe.test*" $with
}

# --- credentials --------------------------------------------------------------------------------------------------------------

fails "wrong password" 6 401 auth_rejected allocate udp "$SERVER4:3478" "turn:$SERVER4" \
  "errorText=Unauthorized realm=floe.test $SOFTWARE" --user floe --credential floe-wrong
fails "wrong password, TCP" 6 401 auth_rejected allocate tcp "$SERVER4:3478" "turn:$SERVER4?transport=tcp" \
  "errorText=Unauthorized realm=floe.test" --user floe --credential floe-wrong
fails "wrong password, TLS" 6 401 auth_rejected allocate tls "$SERVER4:5349" "turns:turn.floe.test" \
  "errorText=Unauthorized realm=floe.test" --user floe --credential floe-wrong
fails "unknown user" 6 401 auth_rejected allocate udp "$SERVER4:3478" "turn:$SERVER4" \
  "errorText=Unauthorized realm=floe.test" --user nobody --credential floe-secret

works() { # TITLE SERVER URL FIELDS ARGUMENTS...
  title=$1
  server=$2
  url=$3
  fields=$4
  shift 4
  check "$title" client@named -4 "$@" "$url" <<END
exit 0
gathering
host udp $CLIENT4
relay udp $SERVER4 $CLIENT4 udp $url
$DONE
report ok
server ok - $url
  attempt candidate - - udp $CLIENT4 $server $fields
  test flows - udp $SERVER4 arrivedOut=10 arrivedBack=10
END
}
works "time-limited credentials from the shared secret" "$SERVER4:5008" "turn:$SERVER4:5008" "realm=floe.test" \
  --secret floe-secret
works "the same with a user name" "$SERVER4:5008" "turn:$SERVER4:5008" "realm=floe.test" --secret floe-secret --user floe
fails "time-limited credentials from another secret" 6 401 auth_rejected allocate udp "$SERVER4:5008" \
  "turn:$SERVER4:5008" "errorText=Unauthorized" --secret floe-wrong
# What a server gave out long ago: the password is right, the time is over.
old_user=1600000000:floe
old_password=$(printf %s "$old_user" | openssl dgst -sha1 -hmac floe-secret -binary | openssl base64)
fails "time-limited credentials that have run out" 6 401 auth_expired allocate udp "$SERVER4:5008" \
  "turn:$SERVER4:5008" "errorText=*" --user "$old_user" --credential "$old_password"

# --- redirects ------------------------------------------------------------------------------------------------------------------

redirected() { # TITLE TRANSPORT URL SERVER
  turn "$1" "$3" -4 <<END
exit 0
gathering
host udp $CLIENT4
relay udp $SERVER4 $CLIENT4 $2 $3
$DONE
report ok
server ok - $3
  attempt candidate - - $2 $CLIENT4 $4 redirects=1 unauthenticatedRedirect=true
  test flows - $2 $SERVER4 arrivedOut=10 arrivedBack=10
END
}
redirected "an alternate server" udp "turn:$SERVER4:5002" "$SERVER4:3478"
redirected "an alternate server, TCP" tcp "turn:$SERVER4:5002?transport=tcp" "$SERVER4:3478"
redirected "an alternate server, TLS: the certificate fits the configured name" tls turns:turn.floe.test:5003 "$SERVER4:5349"

alternate="errorText=\"Try Alternate\""
# shellcheck disable=SC2086
{
  fails "a dead alternate server" 4 300 port_unreachable allocate udp "$SERVER4:9" "turn:$SERVER4:5004" "$alternate" $with
  fails "a dead alternate server, TCP" 4 300 tcp_refused connect tcp "$SERVER4:9" "turn:$SERVER4:5004?transport=tcp" \
    "$alternate" $with
  fails "a dead alternate server, TLS" 4 300 tcp_refused connect tls "$SERVER4:9" turns:turn.floe.test:5005 "$alternate" $with
  fails "two servers that send to each other" 9 300 redirect_loop allocate udp "$SERVER4:500*" "turn:$SERVER4:5006" \
    "$alternate" $with
}
finish
