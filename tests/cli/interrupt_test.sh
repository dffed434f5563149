# Signals, and readers that go away.
. "${0%/*}/lib.sh"

start_server -v --user user --credential $PW --listen udp:127.0.0.1:0 --listen udp:127.0.0.1:0,silent
GOOD=turn:127.0.0.1:$PORT_1
SILENT=turn:127.0.0.1:$PORT_2

# Interrupted while one server holds an allocation and the other is silent: status 130, and the allocation is deleted.
interrupt() { # signal, status
  rm -f "$DIR/fifo"
  mkfifo "$DIR/fifo"
  "$FLOE" check --json $AUTH $GOOD $SILENT >"$DIR/fifo" 2>"$DIR/err" &
  pid=$!
  exec 4<"$DIR/fifo"
  while read -r line <&4; do
    case $line in *' typ relay '*) break ;; esac
  done
  kill -"$1" $pid
  cat <&4 >"$DIR/rest"
  exec 4<&-
  wait $pid
  status=$?
  [ "$status" -eq "$2" ] || fail "SIG$1: status $status, not $2"
  [ ! -s "$DIR/err" ] || { fail "SIG$1: words on standard error:"; cat "$DIR/err" >&2; }
  has_not rest '"report"'
}
# A background job of a shell without job control ignores SIGINT until somebody asks for it: floe does.
interrupt TERM 143
interrupt INT 130

# The reader goes after the first line, while a server is silent: no word.
mkfifo "$DIR/pipe"
"$FLOE" check --json --timeout 0.5 stun:127.0.0.1:$PORT_2 >"$DIR/pipe" 2>"$DIR/err" &
pid=$!
read -r line <"$DIR/pipe"
wait $pid
[ $? -eq 141 ] || fail "a closed pipe: another status than 141"
[ ! -s "$DIR/err" ] || { fail "a closed pipe: words on standard error:"; cat "$DIR/err" >&2; }
case $line in '{"type":"icegatheringstatechange",'*) ;; *) fail "the first line is $line" ;; esac

# Standard output closed from the beginning.
"$FLOE" check stun:127.0.0.1:$PORT_1 >&- 2>"$DIR/err"
[ $? -eq 141 ] || fail "closed standard output"
[ ! -s "$DIR/err" ] || fail "closed standard output: words on standard error"
"$FLOE" check --help >&- 2>"$DIR/err"
[ ! -s "$DIR/err" ] || fail "closed standard output: words on standard error"

# A full disk is no reader who has gone.
if [ -c /dev/full ]; then
  for command in "check --json stun:127.0.0.1:$PORT_1" "check stun:127.0.0.1:$PORT_1" "check --help" "help"; do
    # shellcheck disable=SC2086
    "$FLOE" $command >/dev/full 2>"$DIR/err"
    status=$?
    [ $status -eq 9 ] || fail "floe $command into a full disk: status $status, not 9"
    has err "floe: the output could not be written: *"
  done
fi

# A watch that is interrupted sums up and has the status of its rounds.
mkfifo "$DIR/watch"
"$FLOE" check --watch 0.2 stun:127.0.0.1:$PORT_1 >"$DIR/watch" 2>"$DIR/err" &
pid=$!
exec 5<"$DIR/watch"
read -r _ <&5
read -r line <&5
kill -INT $pid
cat <&5 >"$DIR/rest"
exec 5<&-
wait $pid
[ $? -eq 0 ] || fail "an interrupted watch"
case $line in *'#2 PASS stun:127.0.0.1:'*) ;; *) fail "round 2 says $line" ;; esac
has rest "--- * rounds in * ---"
has rest "  rounds       * ok, 0 in part, 0 failed: loss 0.0 %"
has rest "  RTT          min/avg/max/jitter */*/*/* ms"

stop_server
allocated=$(grep -c 'Allocate: success' "$DIR/server.out")
deleted=$(grep -c 'Refresh: success' "$DIR/server.out")
[ "$allocated" -eq 2 ] || fail "only $allocated allocations"
[ "$allocated" -eq "$deleted" ] || { fail "$allocated allocations, $deleted deleted"; cat "$DIR/server.out" >&2; }
finish
