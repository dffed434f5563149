# Help, version, explanations, the matrix, filters, completion.
. "${0%/*}/lib.sh"

start_server --user user --credential $PW --listen udp:127.0.0.1:0 --listen tcp:127.0.0.1:0
UDP=turn:127.0.0.1:$PORT_1

run() { # status, arguments of floe
  expected=$1
  shift
  "$FLOE" "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  got=$?
  [ $got -eq "$expected" ] || { fail "floe $*: status $got, not $expected"; cat "$DIR/out" "$DIR/err" >&2; }
}

run 0 --version
has out "floe [0-9]*.[0-9]*.[0-9]*"
run 0 --help
has out "  check        *"
has out "  testserver   *"
run 0 help
has out "usage: floe COMMAND *"
run 0 help check
has out "usage: floe check *"
run 0 help explain
has out "usage: floe explain *"
run 0 help testserver
has out "usage: floe testserver *"
run 2 help chekc
run 2 chekc
has err "floe: there is no command chekc; did you mean check?"
run 2 turn:example.org
has err "to check a server: floe check turn:example.org"
run 2
has err "usage: floe COMMAND *"

check 0 --help
has out "usage: floe check *"
for n in 0 1 2 3 4 5 6 7 8 9; do has out "  $n  *"; done
check 0 --version
has out "floe *"
check 0 --explain tls_expired
has out "tls_expired: *"
has out "  try: *"
has out "  more: *causes/tls_expired.md"
check 0 --explain list
has out "relay_no_data *"
check 2 --explain tls_expird
has err "floe check: there is no cause tls_expird; did you mean tls_expired?"

check 1 --all $AUTH $UDP
has out "127.0.0.1 (TURN)"
has out "       IPv4                        IPv6"
has out "  UDP  ok * ms*"
has out "  TCP  tcp_refused  *"
has out "  TLS  *" # whatever is on the default port

check 0 -v $AUTH $UDP
has out "  attempt      at *: 127.0.0.1:$PORT_1 over UDP from 127.0.0.1:*: candidate after *, requests *, 2 sent"
check 0 --port-range 42000-42999 stun:127.0.0.1:$PORT_1
has out "  mapped       127.0.0.1:42[0-9][0-9][0-9]"
check 2 --interface no-such-if0 stun:127.0.0.1:$PORT_1
has err "floe check: there is no interface no-such-if0; there are *lo*"
check 0 --interface lo stun:127.0.0.1:$PORT_1
check 0 -4 stun:127.0.0.1:$PORT_1
check 0 --json --include-loopback stun:127.0.0.1:$PORT_1
grep -q '"address":"127.0.0.1","port":[0-9]*,"protocol":"udp","relatedAddress":null' "$DIR/out" ||
  fail "no host candidate on loopback"
check 2 --ca-file "$DIR/server.err" stun:127.0.0.1:$PORT_1
has err "floe check: --ca-file *: there is no PEM certificate in it"

check 0 --watch 0.1 --count 3 $AUTH $UDP
has out "*:*:* #3 PASS $UDP RTT * ms, relay 20 of 20 RTT * ms"
has out "--- 3 rounds in * ---"

# The same URL twice is gathered once and tested once, and both entries have it.
check 0 --json $AUTH $UDP $UDP
json_value out report.servers.0.relayTests.0.outcome flows
json_value out report.servers.1.relayTests.0.outcome flows
json_value out report.servers.1.relayTests.0.sent 10

# Completion, where there is bash.
if command -v bash >/dev/null; then
  complete_line() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _floe; echo "${COMPREPLY[*]}"' - \
      "${0%/*}/../../cli/completion/floe.bash" "$@" >"$DIR/out" 2>"$DIR/err"
    [ ! -s "$DIR/err" ] || { fail "completion of $*:"; cat "$DIR/err" >&2; }
  }
  complete_line floe ch
  has out "check"
  complete_line floe check --no
  has out "--no-relay-test"
  complete_line floe check --credential
  has out "--credential --credential-file --credential-prompt"
  complete_line floe check tu
  has out "turn: turns:"
  PATH=${FLOE%/*}:$PATH
  complete_line floe check --explain tls_e
  has out "tls_expired"
  complete_line floe ex
  has out "explain"
  complete_line floe explain --su
  has out "--summary"
  complete_line floe check --trace-
  has out "--trace-addresses"
  complete_line floe testserver --wr
  has out "--write-ca"
fi
finish
