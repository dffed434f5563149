# floe connect --expose and --forward: many TCP connections at once, ends in order and not, refusals.
. "${0%/*}/lib.sh"
. "${0%/*}/connect_lib.sh"
command -v python3 >/dev/null || { echo "python3 is not here"; exit 77; }
PEER="${0%/*}/tcp_peer.py"

# serve KIND : starts a TCP server; its port is $SERVED.
serve() {
  rm -f "$DIR/port"
  mkfifo "$DIR/port"
  python3 "$PEER" "$1" >"$DIR/port" 2>"$DIR/serve.err" &
  PIDS="$PIDS $!"
  read -r SERVED <"$DIR/port"
}

# tunnel PLACE : both sides are connected; the forwarding one listens at $LISTENING.
tunnel() {
  start_offer a -v --expose "$1"
  start_answer b -v --forward 0
  wait_for b.err "listening on" $ANSWER
  LISTENING=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$DIR/b.err")
}

serve serve
tunnel "127.0.0.1:$SERVED"
wait_for a.err "the other side can reach" $OFFER
has a.err "floe connect: the other side can reach 127.0.0.1 port $SERVED"
python3 "$PEER" load "$LISTENING" 1 0 || fail "an empty connection"
python3 "$PEER" load "$LISTENING" 8 1000000 || fail "eight connections at once"
python3 "$PEER" load "$LISTENING" 60 1000 || fail "sixty connections at once"
kill -INT $ANSWER
ended $ANSWER b 130
ended $OFFER a 0
has b.err "floe connect: 69 connections in all"
has a.err "floe connect: the other side has ended the tunnel"
has a.err "floe connect: connection 1 opened"
has a.err "floe connect: connection 1 closed"
has b.err "floe connect: connection 1 from 127.0.0.1:* opened"

# The other way round; a name that has several addresses; the side that exposes ends.
start_offer a --forward 127.0.0.1:0
start_answer b --expose "localhost:$SERVED"
wait_for a.err "listening on" $OFFER
LISTENING=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$DIR/a.err")
python3 "$PEER" load "$LISTENING" 4 200000 || fail "four connections through localhost"
kill -TERM $ANSWER
ended $ANSWER b 143
ended $OFFER a 0

# Nobody listens there: the client sees a reset, both sides say so, and the tunnel stays.
tunnel "127.0.0.1:$(closed_port)"
[ "$(python3 "$PEER" ask "$LISTENING")" = refused ] || fail "a connection to nobody"
[ "$(python3 "$PEER" ask "$LISTENING")" = refused ] || fail "a second connection to nobody"
kill -INT $ANSWER
ended $ANSWER b 130
ended $OFFER a 0
has a.err "floe connect: connection 2 refused: Connection refused"
has b.err "floe connect: connection 2 from 127.0.0.1:* refused: Connection refused"

# The server resets: so does the tunnel.
serve reset
tunnel "127.0.0.1:$SERVED"
[ "$(python3 "$PEER" ask "$LISTENING")" = refused ] || fail "a connection that is reset"
kill -INT $OFFER
ended $OFFER a 130
ended $ANSWER b 0
has b.err "floe connect: connection 1 from 127.0.0.1:* reset: *"

# JSON lines.
serve serve
start_offer a --json --expose "127.0.0.1:$SERVED"
start_answer b --json --forward 0
wait_for b.err '"listening"' $ANSWER
LISTENING=$(sed -n 's/.*"address":"127\.0\.0\.1:\([0-9]*\)".*/\1/p' "$DIR/b.err")
python3 "$PEER" load "$LISTENING" 1 5000 || fail "a connection with --json"
wait_for b.err '"event":"closed"' $ANSWER
kill -INT $ANSWER
ended $ANSWER b 130
ended $OFFER a 0
grep -q '"event":"closed","peer":"127.0.0.1:[0-9]*","bytesSent":5000,"bytesReceived":5000}' "$DIR/b.err" ||
  { fail "what a connection carried"; cat "$DIR/b.err" >&2; }

# A port that is taken, and places that are none.
connect 9 $HERE --forward "127.0.0.1:$SERVED"
has err "floe connect: cannot listen at 127.0.0.1 port $SERVED: Address already in use"
connect 2 --expose localhost
has err "floe connect: --expose localhost: not HOST:PORT, such as localhost:8080 or ?::1?:8080"
connect 2 --forward 70000
has err "floe connect: --forward 70000: not PORT or BIND:PORT, such as 8080, 0.0.0.0:8080 or ?::1?:8080"
finish
