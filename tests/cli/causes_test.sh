# What the test server can do wrong, and the cause that floe check names for it: one run over all of them.
. "${0%/*}/lib.sh"

# transport, script, cause (null: it works)
cat >"$DIR/table" <<'END'
udp correct null
udp stale-once null
udp 420-optional null
udp 437=1 null
udp late=100 null
udp 437=9 alloc_mismatch
udp 401-forever auth_rejected
udp 401-no-nonce malformed_challenge
udp 401-no-realm malformed_challenge
udp stale-forever stale_nonce_loop
udp redirect-no-address redirect_refused
udp redirect-after-auth=127.0.0.1:9 port_unreachable
udp error=400 stun_error
udp error-after-auth=403 forbidden
udp error-after-auth=440 family_unsupported
udp error-after-auth=441 auth_rejected
udp error-after-auth=442 transport_unsupported
udp error-after-auth=486 quota_reached
udp error-after-auth=508 insufficient_capacity
udp wrong-integrity bad_integrity
udp no-integrity bad_integrity
udp wrong-transaction wrong_transaction
udp bad-fingerprint bad_fingerprint
udp no-address malformed_response
udp lifetime-0 malformed_response
udp bad-error-class malformed_response
udp overrun malformed_response
udp garbage not_stun
udp silent udp_timeout
udp silent-after-401 udp_timeout
tcp correct null
tcp bytewise null
tcp garbage not_stun
tcp silent no_answer
tcp close-after-accept tcp_closed
tcp close-after-401 tcp_closed
tcp reset-after-accept tcp_reset
tcp reset-after-401 tcp_reset
tls correct null
tls bytewise null
tls tls-self-signed tls_untrusted
tls tls-expired tls_expired
tls tls-other-name tls_name_mismatch
tls tls-plain-text tls_not_tls
tls tls-alert tls_alert
tls tls-hangs tls_timeout
END

set --
while read -r transport script _; do set -- "$@" --listen "$transport:127.0.0.1:0,$script"; done <"$DIR/table"
start_server --user user --credential $PW "$@"

set --
i=0
while read -r transport _; do
  i=$((i + 1))
  eval "port=\$PORT_$i"
  case $transport in
    udp) set -- "$@" turn:127.0.0.1:$port ;;
    tcp) set -- "$@" "turn:127.0.0.1:$port?transport=tcp" ;;
    tls) set -- "$@" turns:127.0.0.1:$port ;;
  esac
done <"$DIR/table"

# Of the classes of all these failures 4 is the lowest.
check 4 --json --timeout 2 --ca-file "$DIR/ca.pem" $AUTH "$@"
json out
i=0
while read -r transport script cause; do
  got=$("$TOOLS/jsonl_check" --get report.servers.$i.cause <"$DIR/out")
  [ "$got" = "$cause" ] || fail "$transport $script: $got, not $cause"
  verdict=$("$TOOLS/jsonl_check" --get report.servers.$i.verdict <"$DIR/out")
  [ "$verdict" = failed ] && [ "$cause" = null ] && fail "$transport $script: failed"
  [ "$verdict" = ok ] && [ "$cause" != null ] && fail "$transport $script: ok"
  i=$((i + 1))
done <"$DIR/table"
[ $i -eq 46 ] || fail "$i rows"
has_not out $PW

# The same for people: a word, the cause and something to try for each.
check 4 --timeout 2 --ca-file "$DIR/ca.pem" $AUTH "$@"
[ "$(grep -c '^PASS ' "$DIR/out")" -eq 9 ] || fail "not 9 that pass"
[ "$(grep -c '^FAIL ' "$DIR/out")" -eq 37 ] || fail "not 37 that fail"
[ "$(grep -c '^  try: ' "$DIR/out")" -eq 37 ] || fail "not 37 hints"
has out "37 of 46 servers failed (*)"
has_not out $PW
finish
