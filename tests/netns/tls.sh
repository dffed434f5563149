#!/bin/sh
# TLS over a routed network: certificates good and bad at OpenSSL's own server, and servers that do not speak TLS.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need nft openssl
routed_network

certificate_authority
certificate good turn.floe.test
certificate other other.floe.test
certificate expired turn.floe.test 20200101000000Z 20210203040506Z
certificate future turn.floe.test 20900101000000Z 20910101000000Z
self_signed alone turn.floe.test

tls_server() { # LOG PORT ARGUMENTS...
  log=$1
  port=$2
  shift 2
  serve server "$log" ACCEPT openssl s_server -www -accept "$SERVER4:$port" "$@"
}
tls_server openssl-good 5001 -cert "$work/good.pem" -key "$work/good.key"
tls_server openssl-other 5002 -cert "$work/other.pem" -key "$work/other.key"
tls_server openssl-expired 5003 -cert "$work/expired.pem" -key "$work/expired.key"
tls_server openssl-alone 5004 -cert "$work/alone.pem" -key "$work/alone.key"
tls_server openssl-1.2 5005 -cert "$work/good.pem" -key "$work/good.key" -tls1_2
tls_server openssl-future 5008 -cert "$work/future.pem" -key "$work/future.key"
# Only ciphers for a key of another kind: no handshake can succeed.
tls_server openssl-cipher 5006 -cert "$work/good.pem" -key "$work/good.key" -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
tls_server openssl-1.2-client 5007 -cert "$work/good.pem" -key "$work/good.key" -tls1_2 -Verify 1 -CAfile "$work/ca.pem"
testserver server good --user floe --credential floe-secret --relay-ip "$SERVER4" --relay-ip "$SERVER6" \
  --listen "tls:$SERVER4:5101,tls-plain-text" --listen "tls:$SERVER4:5102,tls-hangs" \
  --listen "tls:$SERVER4:5103,tls-alert" --listen "tls:$SERVER4:5104,close-after-accept" \
  --listen "tls:$SERVER4:5105,reset-after-accept" --listen "tls:$SERVER4:5106,silent" \
  --listen "tls:$SERVER4:5107,bytewise" --listen "tls:$SERVER4:4001" --listen "tcp:$SERVER4" --listen "tls:[$SERVER6]" --listen "tls:$SERVER4"
serve server banner ready python3 "$lib/banner.py" "$SERVER4:8022=SSH-2.0-OpenSSH_9.2" "$SERVER4:8025=220 mail.floe.test ESMTP"
rules router <<'END'
table inet floe {
  chain forward {
    type filter hook forward priority filter; policy accept
    tcp dport 4000 drop
    tcp dport 4001 ct state established drop
  }
}
END
resolvers named <<END
$SERVER4 turn.floe.test
END

HOSTS="gathering
host udp $CLIENT4
host udp $CLIENT6"

# The hosts file knows the name for IPv4 only; -4 leaves no other family.
outcome() { # TITLE CAUSE EXIT PHASE PORT OTHER-FIELDS [CHECK-ARGUMENTS...]
  title=$1
  cause=$2
  status=$3
  phase=$4
  port=$5
  fields=$6
  shift 6
  url="turns:turn.floe.test:$port"
  check "$title" client@named -4 --user floe --credential floe-secret "$@" "$url" <<END
exit $status
within 9000
gathering
host udp $CLIENT4
error 701 $cause $url $CLIENT4 $phase tls 4 serverAddress=$SERVER4:$port serverName=turn.floe.test interface=eth0 $fields
end
complete
report failed
server failed $cause $url
  attempt error 701 $cause tls $CLIENT4 $SERVER4:$port $fields
END
}
trusting() { outcome "$@" --ca-file "$work/ca.pem"; }

no_tls="tls.verifyError=- tls.alert=- tls.subject=-"
trusting "another name" tls_name_mismatch 5 tls 5002 'tls.subject=*other.floe.test* tls.names=*other.floe.test* tls.issuer=*authority*'
trusting "expired" tls_expired 5 tls 5003 'tls.subject=*turn.floe.test* tls.verifyError=10 tls.notBefore=2020-01-01* tls.notAfter=2021-02-03*'
trusting "not valid yet" tls_expired 5 tls 5008 'tls.verifyError=9 tls.notBefore=2090-01-01* tls.notAfter=2091-01-01*'
trusting "self-signed" tls_untrusted 5 tls 5004 'tls.subject=*turn.floe.test* tls.issuer=*turn.floe.test* tls.verifyError=18'
outcome "an authority that is not trusted" tls_untrusted 5 tls 5001 'tls.subject=*turn.floe.test* tls.issuer=*authority* tls.verifyText=*'
trusting "no cipher in common" tls_alert 5 tls 5006 "tls.alert=40 tls.verifyError=-"
trusting "a client certificate is asked for" tls_alert 5 tls 5007 "tls.alert=40"
trusting "a fatal alert" tls_alert 5 tls 5103 "tls.alert=40"
trusting "plain text" tls_not_tls 5 tls 5101 "$no_tls"
trusting "an SSH server" tls_not_tls 5 tls 8022 "$no_tls"
trusting "a mail server" tls_not_tls 5 tls 8025 "$no_tls"
trusting "no answer to the handshake" tls_timeout 5 tls 5102 "$no_tls"
trusting "a firewall that lets connections come about, and no data" tls_timeout 5 tls 4001 "$no_tls"
trusting "closed after accept" tcp_closed 4 tls 5104 "osError=- $no_tls"
# The reset may overtake the news that the connection is there.
trusting "reset after accept" tcp_reset 4 "*" 5105 'osErrorText="Connection reset by peer"'
trusting "nobody listens" tcp_refused 4 connect 9 'osErrorText="Connection refused"'
trusting "a black hole" tcp_timeout 4 connect 4000 "osError=- $no_tls"
trusting "TLS works, but nothing answers, TLS 1.3" no_answer 4 allocate 5001 'tls.version=TLSv1.3 tls.subject=*turn.floe.test*'
trusting "TLS works, but nothing answers, TLS 1.2" no_answer 4 allocate 5005 'tls.version=TLSv1.2'
outcome "an expired certificate is not looked at" no_answer 4 allocate 5003 "tls.insecure=true" --insecure

# A TURN server on TCP does not speak TLS: it closes, since a ClientHello is no STUN message.
trusting "the port for TURN over TCP" tcp_closed 4 tls 3478 "$no_tls"

relays() { # TITLE BASE SERVER-ADDRESS URL
  check "$1" client --insecure --user floe --credential floe-secret "$4" <<END
exit 0
$HOSTS
relay udp $SERVER4 $2 tls $4
relay udp $SERVER6 $2 tls $4
end
complete
report ok insecure=true
server ok - $4
  attempt candidate - - tls $2 $3 tls.insecure=true tls.version=TLSv1.3 tls.names=*localhost* lifetime=600
  test flows - tls $SERVER4 arrivedOut=10 arrivedBack=10
  test flows - tls $SERVER6 arrivedOut=10 arrivedBack=10
END
}
relays "TURN, IPv4" "$CLIENT4" "$SERVER4:5349" "turns:$SERVER4"
relays "TURN, IPv6" "$CLIENT6" "[$SERVER6]:5349" "turns:[$SERVER6]"
relays "TURN, one byte at a time" "$CLIENT4" "$SERVER4:5107" "turns:$SERVER4:5107"

check "STUN over TLS" client --insecure "stuns:$SERVER4" <<END
exit 0
$HOSTS
end
complete
report ok insecure=true
server ok - stuns:$SERVER4
  attempt candidate - - tls $CLIENT4 $SERVER4:5349 mappedAddress=$CLIENT4:* tls.insecure=true
END
finish
