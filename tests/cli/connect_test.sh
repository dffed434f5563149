# floe connect: standard input and output, tickets, what is refused, what goes wrong.
. "${0%/*}/lib.sh"
. "${0%/*}/connect_lib.sh"

# 10 MB both ways; both ends know that all was delivered.
random a.in 10000000
random b.in 10000001
start_offer a -v
start_answer b -v
ended $OFFER a 0
ended $ANSWER b 0
same a.in b.out
same b.in a.out
has a.err "floe connect: connected, directly"
has a.err "  path         host * to host * over UDP*"
length=$(wc -c <"$DIR/offer")
[ "$length" -lt 300 ] || fail "a ticket has $length characters"

# One way, and nothing at all.
rm "$DIR/b.in"
start_offer a
start_answer b --no-input
ended $OFFER a 0
ended $ANSWER b 0
same a.in b.out
[ ! -s "$DIR/a.out" ] || fail "something came out of nothing"
rm "$DIR/a.in" "$DIR/b.in"
start_offer a
start_answer b
ended $OFFER a 0
ended $ANSWER b 0

# Half-close: one side ends at once, and still gets what the other says later.
mkfifo "$DIR/late"
rm -f "$DIR/offer" "$DIR/answer"
"$FLOE" connect $HERE -n --ticket-out "$DIR/offer" --ticket-in "$DIR/answer" >"$DIR/a.out" 2>"$DIR/a.err" &
OFFER=$!
"$FLOE" connect $HERE --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/answer" <"$DIR/late" >"$DIR/b.out" 2>"$DIR/b.err" &
ANSWER=$!
exec 6>"$DIR/late"
wait_for b.err connected $ANSWER
echo "early" >&6
wait_for a.out early $OFFER
echo "late" >&6
exec 6>&-
ended $OFFER a 0
ended $ANSWER b 0
printf 'early\nlate\n' >"$DIR/expected"
same a.out expected

# The reader goes: 141, and the other side is told.
random b.in 3000000
rm -f "$DIR/offer" "$DIR/answer"
{ "$FLOE" connect $HERE -n --ticket-out "$DIR/offer" --ticket-in "$DIR/answer" 2>"$DIR/a.err"; echo $? >"$DIR/a.status"; } |
  head -c 100 >"$DIR/a.out" &
READER_PID=$!
start_answer b
wait $READER_PID
ended $ANSWER b 1
has a.status 141
has a.err "floe connect: connected, directly"
has b.err "floe connect: the other side has ended: nobody reads its output"
head -c 100 "$DIR/b.in" >"$DIR/expected"
same a.out expected

# A full disk.
if [ -c /dev/full ]; then
  rm -f "$DIR/offer" "$DIR/answer"
  "$FLOE" connect $HERE -n --ticket-out "$DIR/offer" --ticket-in "$DIR/answer" >/dev/full 2>"$DIR/a.err" &
  OFFER=$!
  start_answer b
  ended $OFFER a 7
  ended $ANSWER b 1
  has a.err "floe connect: standard output cannot be written: No space left on device"
fi

# Interrupted: 130, and the other side is told.
mkfifo "$DIR/hold"
start_offer a -n
"$FLOE" connect $HERE --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/answer" <"$DIR/hold" >"$DIR/b.out" 2>"$DIR/b.err" &
ANSWER=$!
exec 6>"$DIR/hold"
wait_for b.err connected $ANSWER
kill -INT $ANSWER
ended $ANSWER b 130
ended $OFFER a 1
exec 6>&-
has a.err "floe connect: the other side was interrupted"

# Interrupted while the ticket is awaited.
rm -f "$DIR/nothing"
"$FLOE" connect $HERE --ticket-in "$DIR/nothing" >"$DIR/a.out" 2>"$DIR/a.err" </dev/null &
OFFER=$!
wait_for a.err "floe1:" $OFFER
kill -TERM $OFFER
ended $OFFER a 143
has a.err "floe connect floe1:*"
[ ! -s "$DIR/a.out" ] || fail "a ticket on standard output"

# Tickets that are damaged, cut off, old, or somebody else's.
start_offer a
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
ticket=$(cat "$DIR/offer")
connect 2 $HERE "$(echo "$ticket" | cut -c 1-60)"
has err "floe connect: the ticket ends after 60 of * characters"
connect 2 $HERE "$(echo "$ticket" | sed 's/\(^.\{50\}\)./\1!/')"
has err "floe connect: character 51 is none that a ticket has: copy it again"
connect 2 $HERE "$(echo "$ticket" | sed 's/^\(.\{50\}\)\(.\)\(.\)/\1\3\2x/')"
has err "floe connect: the ticket is damaged *: copy it again" # one in 64 is seen a group later
connect 2 $HERE "$(echo "$ticket" | sed 's/^floe1/floe9/')"
has err "floe connect: this ticket was made by another version of floe"
connect 2 $HERE hello
has err "floe connect: this is no ticket: one begins with floe1:"
connect 2 $HERE --send "$DIR/offer" "$ticket"
has err "floe connect: the other side connects standard input and output: use neither --send nor any other such option here"
cp "$DIR/offer" "$DIR/answer" # an answer is awaited
ended $OFFER a 2
has a.err "floe connect: this ticket is an offer, and an answer is awaited: *"
start_offer a --send "$DIR/offer"
ended $OFFER a 7 # the file is not there yet
start_offer a --expose localhost:1
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
connect 2 $HERE "$(cat "$DIR/offer")"
has err "floe connect: the other side exposes a TCP server: use --forward here"
kill $OFFER
wait $OFFER
start_offer a
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
cp "$DIR/offer" "$DIR/first"
kill $OFFER
wait $OFFER
start_offer a
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
"$FLOE" connect $HERE -n --ticket-out "$DIR/answer" "$(cat "$DIR/first")" >"$DIR/b.out" 2>"$DIR/b.err" </dev/null &
ANSWER=$!
ended $OFFER a 2
has a.err "floe connect: this ticket answers another offer than the one printed here"
kill $ANSWER
wait $ANSWER

# It is not who made the ticket: another certificate than the answer names.
start_offer a
"$FLOE" connect $HERE -n --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/true" >"$DIR/b.out" 2>"$DIR/b.err" </dev/null &
ANSWER=$!
until [ -s "$DIR/true" ]; do kill -0 $ANSWER || break; done
"$TOOLS/ticket_edit" --fingerprint <"$DIR/true" >"$DIR/answer"
ended $OFFER a 5
ended $ANSWER b 5
has a.err "floe connect: not connected: dtls_fingerprint: *"
has b.err "floe connect: not connected: dtls_alert: *"

# Nobody is there.
start_offer a --timeout 1.5
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
"$TOOLS/ticket_edit" --answer "$DIR/offer" <"$DIR/offer" >"$DIR/answer"
ended $OFFER a 4
has a.err "floe connect: not connected: *"
has a.err "  try: *"

# Through a relay, and a server that is not there.
start_server --user user --credential "$PW" --listen udp:127.0.0.1:0
CLOSED=$(closed_port)
random a.in 300000
RELAY="--relay-only $AUTH -s turn:127.0.0.1:$PORT_1 -s turn:127.0.0.1:$CLOSED"
# shellcheck disable=SC2086
start_offer a -v $RELAY
# shellcheck disable=SC2086
start_answer b -v $RELAY
ended $OFFER a 0
ended $ANSWER b 0
same a.in b.out
has a.err "floe connect: connected, through a TURN server"
has a.err "floe connect: turn:127.0.0.1:$CLOSED at 127.0.0.1:$CLOSED: port_unreachable: *"
has a.err "  path         relay * to relay * over UDP*"
has a.err "  relay        turn:127.0.0.1:$PORT_1, spoken to over udp"
start_offer a --relay-only $AUTH -s turn:127.0.0.1:$CLOSED --timeout 5
ended $OFFER a 4
has a.err "floe connect: not connected: no_local_candidates: *"

# JSON lines, a trace, keys.
start_offer a --json --keylog "$DIR/keys" --trace "$DIR/trace"
start_answer b "--json=$DIR/b.json"
ended $OFFER a 0
ended $ANSWER b 0
json_value a.err ticket.role offer
json_value a.err connected.local.type host
json_value a.err connected.tlsVersion DTLSv1.2
json_value a.err transferred.bytesSent 300000
json_value a.err end.status 0
json_value b.json ticket.role answer
json_value b.json transferred.bytesReceived 300000
has b.err "floe connect: connected, directly"
grep -q '^CLIENT_RANDOM\|_TRAFFIC_SECRET_' "$DIR/keys" || fail "no keys in the key log"
"$FLOE" explain "$DIR/trace" >"$DIR/out" 2>"$DIR/err" || { fail "floe explain refuses the trace"; cat "$DIR/err" >&2; }

# The terminal asks for the ticket, and once more when it is none.
rm "$DIR/a.in"
start_offer a
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
ticket=$(cat "$DIR/offer")
"$TOOLS/on_pty" --when "ticket here: " --type "hello^J" --when "one begins with" --type "$(echo "$ticket" | cut -c 1-70)^J" \
  --when "the rest: " --type "$(echo "$ticket" | cut -c 71-)^J" \
  "$FLOE" connect $HERE -n --answer --ticket-out "$DIR/answer" >"$DIR/b.out" 2>&1
[ $? -eq 0 ] || { fail "a ticket that is typed"; cat "$DIR/b.out" >&2; }
ended $OFFER a 0

# What is refused.
connect 0 --help
has out "usage: floe connect *"
for n in 0 1 2 4 5 7 8 9; do has out "  $n  *"; done
connect 2 --fnord
has err "floe connect: unknown option --fnord"
connect 2 --relay-only
has err "floe connect: --relay-only needs a TURN server: give --server or --ice-servers"
connect 2 -s stun:127.0.0.1:99999
has err "floe connect: SyntaxError: iceServers?0?.urls?0?: the port is above 65535"
has err "                 ^"
connect 2 --interface no-such-if0
has err "floe connect: there is no interface no-such-if0; *"
connect 7 --send "$DIR/no-such-file"
has err "floe connect: */no-such-file: No such file or directory"
connect 7 --receive "$DIR/no-such-directory"
has err "floe connect: --receive */no-such-directory: No such file or directory"
connect 2 --trace "$DIR/no/trace"
has err "floe connect: --trace */no/trace: No such file or directory"
connect 2 --keylog "$DIR/no/keys"
has err "floe connect: --keylog */no/keys: No such file or directory"

# Completion, where there is bash.
if command -v bash >/dev/null; then
  complete_line() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _floe; echo "${COMPREPLY[*]}"' - \
      "${0%/*}/../../cli/completion/floe.bash" "$@" >"$DIR/out" 2>"$DIR/err"
    [ ! -s "$DIR/err" ] || { fail "completion of $*:"; cat "$DIR/err" >&2; }
  }
  complete_line floe conn
  has out "connect"
  complete_line floe connect --re
  has out "--receive --relay-only"
  complete_line floe connect -s tur
  has out "turn: turns:"
fi
"$FLOE" --help | grep -q '^  connect  ' || fail "floe --help does not name connect"
finish
