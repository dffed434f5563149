# floe connect when the other side is killed: told after consent has run out (RFC 7675), with its own status.
. "${0%/*}/lib.sh"
. "${0%/*}/connect_lib.sh"

start_offer a -n
mkfifo "$DIR/hold"
"$FLOE" connect $HERE --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/answer" <"$DIR/hold" >"$DIR/b.out" 2>"$DIR/b.err" &
ANSWER=$!
PIDS="$PIDS $ANSWER"
exec 6>"$DIR/hold"
wait_for b.err connected $ANSWER
kill -KILL $ANSWER
wait $ANSWER
ended $OFFER a 8
exec 6>&-
has a.err "floe connect: the connection was lost: *"
finish
