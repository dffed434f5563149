# floe check --json: the lines of the contract.
. "${0%/*}/lib.sh"

start_server --user user --credential $PW --listen udp:127.0.0.1:0 --listen tls:127.0.0.1:0,tls-expired \
  --listen udp:127.0.0.1:0,permission-error=403:No --listen udp:127.0.0.1:0,silent
UDP=turn:127.0.0.1:$PORT_1

check 0 --json $AUTH $UDP stun:127.0.0.1:$PORT_1
json out
json_value out report.verdict ok
json_value out report.servers.0.url "$UDP"
json_value out report.servers.0.cause null
json_value out report.servers.0.attempts.0.outcome candidate
json_value out report.servers.0.attempts.0.lifetime 600
json_value out report.servers.0.relayTests.0.outcome flows
json_value out report.servers.0.relayTests.0.arrivedBack 10
json_value out report.servers.1.url stun:127.0.0.1:$PORT_1
json_value out report.servers.1.relayTests "[]"
[ ! -s "$DIR/err" ] || fail "something on standard error"

check 4 --json --timeout 1 $AUTH --ca-file "$DIR/ca.pem" turns:127.0.0.1:$PORT_2 turn:127.0.0.1:$PORT_4
json out
json_value out report.verdict failed
json_value out report.servers.0.cause tls_expired
json_value out report.servers.0.attempts.0.detail.tls.alert 45
json_value out report.servers.1.cause udp_timeout
json_value out icecandidateerror.errorCode 701

check 6 --json --user user --credential wrong-password $UDP
json out
json_value out icecandidateerror.errorCode 401
json_value out icecandidateerror.detail.cause auth_rejected

# A refusal during the relay test is told after gathering.
check 1 --json $AUTH turn:127.0.0.1:$PORT_3
json out
json_value out iceservererror.errorCode 403
json_value out iceservererror.errorText No
json_value out report.verdict degraded
json_value out report.servers.0.relayTests.0.outcome not_tested

check 1 --json --all $AUTH $UDP
json out
json_value out report.verdict degraded
json_value out report.servers.1.derived true
json_value out report.servers.0.derived absent

check 0 --json --insecure stun:127.0.0.1:$PORT_1
json out
json_value out report.insecure true

check 0 --json --watch 0.1 --count 2 stun:127.0.0.1:$PORT_1
json out --watch
json_value out report.round 2
json_value out summary.rounds 2
json_value out summary.servers.0.ok 2
json_value out summary.servers.0.lossPercent 0.0

# Refused configurations are one line.
check 2 --json turn:127.0.0.1:x --user u --credential c
json out --refused
json_value out error.name SyntaxError
json_value out error.path "iceServers[0].urls[0]"
json_value out error.offset 15
check 2 --json $UDP
json out --refused
json_value out error.name InvalidAccessError
json_value out error.offset absent

# iceServers from standard input and from a file.
servers() {
  printf '%s' "$1" >"$DIR/servers.json"
  "$FLOE" check --json --ice-servers - <"$DIR/servers.json" >"$DIR/out" 2>"$DIR/err"
  echo $? >"$DIR/status"
  cat "$DIR/out" "$DIR/err" >>"$DIR/all"
  has status "$2"
}
servers "[{\"urls\":\"$UDP\",\"username\":\"user\",\"credential\":\"$PW\"},{\"urls\":[\"stun:127.0.0.1:$PORT_1\"]}]" 0
json out
json_value out report.servers.1.serverIndex 1
servers "{\"iceServers\":[{\"urls\":\"stun:127.0.0.1:$PORT_1\"}]}" 0
json out
servers "[{\"urls\":\"stun:a.floe.test\",\"password\":\"$PW\"}]" 2
json out --refused
json_value out error.name TypeError
json_value out error.path "iceServers[0].password"
servers "[{\"urls\":\"turn:a.floe.test\",\"username\":\"user\",\"credential\":$PW}]" 2
json out --refused
json_value out error.line 1
json_value out error.path null
servers '[]' 0
json out
json_value out report.verdict unused
check 0 --ice-servers "$DIR/servers.json" stun:127.0.0.1:$PORT_1
has out "PASS stun:127.0.0.1:$PORT_1"
check 2 --ice-servers "$DIR/not-there.json"
has err "floe check: cannot read *not-there.json: No such file or directory"

has_not all $PW
has_not all wrong-password
finish
