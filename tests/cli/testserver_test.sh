# floe testserver itself: its lines, its CA, its log, how it ends and what it refuses.
. "${0%/*}/lib.sh"

refuses() { # sentence, arguments
  sentence=$1
  shift
  "$FLOE" testserver "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  got=$?
  [ $got -eq 2 ] || fail "floe testserver $*: status $got, not 2"
  has err "floe testserver: $sentence"
  [ ! -s "$DIR/out" ] || fail "floe testserver $*: says something on standard output"
}

# The lines, the ports that the system chose, the log, the end.
start_server -v --user user --credential $PW --listen udp:127.0.0.1:0 --listen "tcp:127.0.0.1:0,error=486:Full house" \
  --listen tls:127.0.0.1:0
grep -q "BEGIN CERTIFICATE" "$DIR/ca.pem" || fail "no certificate in the CA file"
check 0 $AUTH "turn:127.0.0.1:$PORT_1"
check 7 $AUTH "turn:127.0.0.1:$PORT_2?transport=tcp"
has out "*Full house*"
check 0 $AUTH --ca-file "$DIR/ca.pem" "turns:127.0.0.1:$PORT_3"
check 5 $AUTH "turns:127.0.0.1:$PORT_3"
stop_server
has server.out "udp 127.0.0.1:* Allocate: error 401"
has server.out "udp 127.0.0.1:* Allocate: success"
has server.out "tcp 127.0.0.1:* Allocate: error 486"
has server.out "tls 127.0.0.1:* Refresh: success"
has_not server.out "$PW"

# Both signals end it in good order, also with clients connected.
for signal in INT TERM; do
  start_server --listen udp:127.0.0.1:0,silent --listen tcp:127.0.0.1:0
  kill -s $signal "$SERVER"
  wait "$SERVER"
  got=$?
  [ $got -eq 0 ] || fail "status $got after SIG$signal"
done

# Time-limited credentials, SHA-256.
start_server --secret north --sha256 --listen udp:127.0.0.1:0
check 0 --secret north "turn:127.0.0.1:$PORT_1"
check 6 --secret south "turn:127.0.0.1:$PORT_1"
check 6 $AUTH "turn:127.0.0.1:$PORT_1"

# Quiet means no line at all.
"$FLOE" testserver --quiet --listen udp:127.0.0.1:0 --write-ca "$DIR/quiet.pem" >"$DIR/out" 2>"$DIR/err" &
QUIET=$!
PIDS="$PIDS $QUIET"
while [ ! -s "$DIR/quiet.pem" ]; do kill -0 "$QUIET" 2>/dev/null || break; done
kill "$QUIET"
wait "$QUIET" 2>/dev/null
[ ! -s "$DIR/out" ] && [ ! -s "$DIR/err" ] || fail "--quiet says something"

# What it refuses.
refuses "--listen udp:127.0.0.1:$PORT_1: address already in use" --listen "udp:127.0.0.1:$PORT_1"
refuses "--listen udp:192.0.2.1:0: address not available" --listen udp:192.0.2.1:0
refuses "--write-ca $DIR/none/ca.pem: the file cannot be written" --write-ca "$DIR/none/ca.pem" --listen udp:127.0.0.1:0
refuses '--listen udp:127.0.0.1:0,nothing: at byte 16: there is no script "nothing"' --listen udp:127.0.0.1:0,nothing
has err "see floe testserver --help"

finish
