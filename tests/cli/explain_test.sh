# floe explain, and --trace of floe check and floe connect.
. "${0%/*}/lib.sh"
. "${0%/*}/connect_lib.sh"
TOP=${0%/*}/../..
TRACES=${0%/*}/traces
ESC=$(printf '\033')

# explain STATUS ARGS... : output in $DIR/out and $DIR/err.
explain() {
  expected=$1
  shift
  "$FLOE" explain "$@" >"$DIR/out" 2>"$DIR/err"
  got=$?
  [ $got -eq "$expected" ] || { fail "floe explain $*: status $got, not $expected"; cat "$DIR/out" "$DIR/err" >&2; }
}

as_in() { # FILE EXPECTED
  diff "$2" "$DIR/$1" >"$DIR/diff" || { fail "$1 is not as in $2:"; cat "$DIR/diff" >&2; }
}

# Recorded traces, and what is to be said of them.
for trace in connected failed lost channels fingerprint gone; do
  explain 0 "$TRACES/$trace.jsonl"
  as_in out "$TRACES/$trace.txt"
  [ ! -s "$DIR/err" ] || fail "$trace: something on standard error"
done
explain 1 "$TRACES/broken.jsonl"
as_in out "$TRACES/broken.txt"
sed 's/^floe explain: .*broken.jsonl: //' "$DIR/err" >"$DIR/errors"
as_in errors "$TRACES/broken.errors"

# Standard input, with and without a dash; the end alone; one agent; everything.
explain 0 <"$TRACES/failed.jsonl"
as_in out "$TRACES/failed.txt"
explain 0 - <"$TRACES/failed.jsonl"
as_in out "$TRACES/failed.txt"
explain 0 -s "$TRACES/failed.jsonl"
sed -n '/^---/,$p' "$TRACES/failed.txt" >"$DIR/end"
as_in out "$DIR/end"
explain 0 --agent 2 "$TRACES/failed.jsonl"
has out "     0.000  gathering begins"
has out "--- 3 events in 1.0 ms ---"
has_not out "URL 1"
explain 0 --verbose "$TRACES/failed.jsonl"
has out "     0.005  agent 1: try of turn.example.org: connecting -> tls"
has out "     1.526  agent 1: Allocate request sent again (3)"
explain 0 </dev/null
has out "--- 0 events in 0.00 ms ---"
explain 1 - <"$TRACES/broken.jsonl"
has err "floe explain: standard input: line 3, column 1: not a JSON object"

# For programs.
explain 0 --json "$TRACES/connected.jsonl"
json_value out summary.events 55
json_value out summary.unknownEvents 1
json_value out summary.brokenLines 0
json_value out summary.agents.0.connectionState failed
json_value out summary.agents.0.cause consent_lost
json_value out summary.agents.0.connectedMs 606.0
json_value out summary.agents.0.connectionStateMs 55606.0
json_value out summary.agents.0.peerChecks.ok 6
json_value out summary.agents.0.servers.0.serverName stun.example.org
json_value out summary.agents.0.servers.0.verdict ok
json_value out summary.agents.0.pairs.2.remoteAddress 203.0.113.200:4711
json_value out summary.agents.0.pairs.2.rttMs 20.125
json_value out summary.agents.0.pairs.2.selected true
json_value out summary.agents.0.pairs.0.failure timeout
json_value out summary.agents.0.pairs.1.errorCode 487
explain 1 --json "$TRACES/broken.jsonl"
json_value out summary.brokenLines 7

# The layers of a peer connection: recorded floe connect, one that a forged ticket ended, one whose peer was killed.
PC=summary.agents.0.peerConnection
explain 0 --json "$TRACES/channels.jsonl"
json_value out summary.unknownEvents 0
json_value out $PC.state closed
json_value out $PC.signaling.offeredBy us
json_value out $PC.signaling.negotiations 1
json_value out $PC.dtls.role server
json_value out $PC.dtls.version DTLSv1.2
json_value out $PC.dtls.fingerprintHash sha-256
json_value out $PC.sctp.streamsIn 1024
json_value out $PC.sctp.abortedBy peer
json_value out $PC.channels.opened 1
explain 0 --json "$TRACES/fingerprint.jsonl"
json_value out $PC.state failed
json_value out $PC.cause dtls_fingerprint
json_value out $PC.closed true
json_value out $PC.dtls.state failed
json_value out $PC.dtls.alertSent 42
json_value out $PC.dtls.peerCertificate true
json_value out $PC.channels.opened 0
explain 0 --json "$TRACES/gone.jsonl"
json_value out $PC.state failed
json_value out $PC.cause consent_lost
json_value out $PC.dtls.state closed
json_value out summary.agents.0.cause consent_lost

# A line that is too long, and many lines.
{
  head -c 3000000 /dev/zero | tr '\0' ' '
  printf '{}\n'
  cat "$TRACES/failed.jsonl"
} >"$DIR/long.jsonl"
explain 1 "$DIR/long.jsonl"
as_in out "$TRACES/long.txt"
has err "floe explain: *long.jsonl: line 1, column 1048577: the line is longer than 1 MiB"
awk 'BEGIN { for (i = 0; i < 300000; i++)
  printf "{\"t_ms\":%d,\"event\":\"ice.consent\",\"agent\":1,\"pair\":%d,\"outcome\":\"ok\"}\n", i, i % 7 + 1 }' >"$DIR/many.jsonl"
explain 0 "$DIR/many.jsonl"
has out "     0.000  consent renewed 300000 times on pairs 1, 2, 3, 4, 5, 6, 7, until 299.999"
# A trace that was cut off in the middle of a line.
head -c 300 "$TRACES/failed.jsonl" >"$DIR/cut.jsonl"
explain 1 "$DIR/cut.jsonl"
has err "floe explain: *cut.jsonl: line 4, column *"
has out "1 line could not be read"

# The manual page has the options of the help, and no other.
"$FLOE" explain --help | grep -o '^  .*  ' | grep -o -- '--[a-z]*' | sort >"$DIR/help"
tr -d '\\' <"$(dirname "$0")/../../docs/man/floe-explain.1" | sed -n '/^.SH OPTIONS/,/^.SH "EXIT/p' |
  grep -o -- '--[a-z]*' | sort >"$DIR/page"
[ -s "$DIR/help" ] && cmp -s "$DIR/help" "$DIR/page" || fail "the manual page has other options than the help"

# The command line.
explain 0 --help
has out "usage: floe explain *"
explain 2 "$DIR/no-such-file"
has err "floe explain: cannot read *no-such-file: No such file or directory"
explain 2 udp_timeout
has err "*; of a cause: floe check --explain udp_timeout"
explain 2 "$DIR"
explain 2 a b
has err "floe explain: one trace at a time: b is too much"
explain 2 --agent x
explain 2 --agent
explain 2 --nonsense
has err "floe explain: unknown option --nonsense"

# Colour for terminals only; a reader who has gone.
"$TOOLS/on_pty" "$FLOE" explain "$TRACES/failed.jsonl" >"$DIR/out" 2>&1
has out "*${ESC}?31mTLS failed: tls_expired*${ESC}?0m*"
has_not out "$ESC.2J"
"$TOOLS/on_pty" env NO_COLOR=1 "$FLOE" explain "$TRACES/failed.jsonl" >"$DIR/out" 2>&1
has_not out "$ESC"
"$TOOLS/on_pty" "$FLOE" explain "$TRACES/broken.jsonl" >"$DIR/out" 2>&1
has_not out "$ESC.2J"
{ "$FLOE" explain "$DIR/many.jsonl" -v; echo $? >"$DIR/status"; } 2>"$DIR/err" | head -n 1 >"$DIR/out"
has status 141
has_not err .

# floe check --trace: no credential and, unless asked for, no address; and floe explain knows all of it.
start_server --user user --credential $PW --realm example.test --listen udp:127.0.0.1:0 \
  --listen tls:127.0.0.1:0,tls-expired
ARGS="$AUTH turn:127.0.0.1:$PORT_1 turns:127.0.0.1:$PORT_2"
check 5 --ca-file "$DIR/ca.pem" --trace "$DIR/t.jsonl" $ARGS
has_not t.jsonl $PW
has_not t.jsonl example.test
has_not t.jsonl '127\.0\.0'
has_not t.jsonl '"user"'
explain 0 "$DIR/t.jsonl"
has out "*  server 0 URL 0, turn over udp, IPv4: gave a candidate"
has out "*  server 1 URL 0, turn over tls, IPv4: failed: tls_expired (the server's certificate is not valid at this time)"
has out "  server 0 URL 0 turn over udp: ok after * ms"
has_not out "does not know"
check 5 --ca-file "$DIR/ca.pem" --trace "$DIR/t.jsonl" --trace-addresses $ARGS
has_not t.jsonl $PW
explain 0 "$DIR/t.jsonl"
has out "*  server 0 URL 0, turn over udp, 127.0.0.1, IPv4 from 127.0.0.1:*: gave a candidate"
check 2 --trace-addresses $ARGS
has err "floe check: --trace-addresses needs --trace"
check 2 --trace "$DIR/no/such/file" $ARGS
has err "floe check: --trace *no/such/file: No such file or directory"
[ ! -e /dev/full ] || {
  check 9 --trace /dev/full stun:127.0.0.1:$PORT_1
  has err "floe check: --trace /dev/full could not be written: *"
}

# floe connect --trace: nothing of what was said, no address, and all of it is known.
head -c 1000 /dev/zero | tr '\0' 'q' >"$DIR/a.in"
start_offer a --trace "$DIR/a.jsonl"
start_answer b --trace "$DIR/b.jsonl"
ended $OFFER a 0
ended $ANSWER b 0
for side in a b; do
  has_not $side.jsonl "127\.0\.0"
  has_not $side.jsonl '::1'
  has_not $side.jsonl qqq
  has_not $side.jsonl floe
  explain 0 "$DIR/$side.jsonl"
  has out "*  channel 1 is open"
  has out "*  channel 1: first message sent, *"
  has out "  connection     connected after *; closed after *"
  has out "  ICE            *completed after *"
  has out "  DTLS           open after * (*, DTLSv1.*, TLS_*, *); closed after *"
  has out "  SCTP           connected after * (256 streams*); closed after *"
  has out "  channels       1, 1 opened, 1 closed; first message sent after *, one received after *"
  has_not out "does not know"
  has_not out "goes back"
  has_not out "try:"
done

# Whatever is traced is in the guide, and what is in the guide is known here.
grep -rhoE --include='*.c' 'floe__trace_begin\([^"]*"[a-z.]+"' "$TOP/src" | sed 's/.*"\(.*\)"/\1/' | sort -u >"$DIR/traced"
sed -n '/^### /s/^### //p' "$TOP/docs/guide/trace.md" | tr -d '`' | tr ',' '\n' | tr -d ' ' | sort -u >"$DIR/guide"
[ "$(wc -l <"$DIR/traced")" -ge 10 ] || fail "no events were found in the sources"
for event in $(cat "$DIR/traced"); do
  grep -qx "$event" "$DIR/guide" || fail "the event $event is not in docs/guide/trace.md"
done
for event in $(cat "$DIR/guide"); do
  printf '{"t_ms":1,"event":"%s"}\n' "$event"
done >"$DIR/all.jsonl"
explain 0 "$DIR/all.jsonl"
has_not out "does not know"
finish
