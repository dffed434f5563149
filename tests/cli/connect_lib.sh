# What the tests of floe connect share. Both sides are on this host, on loopback only.
HERE="--interface lo --include-loopback --timeout 30"

# start_offer NAME OPTIONS... : starts the side that offers, in the background: standard input from $DIR/NAME.in when that
# is there, output in $DIR/NAME.out and $DIR/NAME.err. Its process is $OFFER.
start_offer() {
  name=$1
  shift
  rm -f "$DIR/offer" "$DIR/answer"
  [ -e "$DIR/$name.in" ] || : >"$DIR/$name.in"
  "$FLOE" connect $HERE --ticket-out "$DIR/offer" --ticket-in "$DIR/answer" "$@" \
    <"$DIR/$name.in" >"$DIR/$name.out" 2>"$DIR/$name.err" &
  OFFER=$!
  PIDS="$PIDS $OFFER"
}

# start_answer NAME OPTIONS... : the side that answers. Its process is $ANSWER.
start_answer() {
  name=$1
  shift
  [ -e "$DIR/$name.in" ] || : >"$DIR/$name.in"
  "$FLOE" connect $HERE --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/answer" "$@" \
    <"$DIR/$name.in" >"$DIR/$name.out" 2>"$DIR/$name.err" &
  ANSWER=$!
  PIDS="$PIDS $ANSWER"
}

# ended PID NAME STATUS : waits for the process; its status is this.
ended() {
  wait "$1"
  got=$?
  [ $got -eq "$3" ] || { fail "$2: status $got, not $3"; tail -n 20 "$DIR/$2.err" >&2; }
}

# wait_for FILE TEXT PID : until the text is in the file; or the process has ended.
wait_for() {
  until grep -qe "$2" "$DIR/$1" 2>/dev/null; do
    kill -0 "$3" 2>/dev/null || { grep -qe "$2" "$DIR/$1" || fail "'$2' did not come in $1"; return; }
  done
}

# connect STATUS ARGS... : runs floe connect to its end; output in $DIR/out and $DIR/err.
connect() {
  expected=$1
  shift
  "$FLOE" connect "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  got=$?
  [ $got -eq "$expected" ] || { fail "floe connect $*: status $got, not $expected"; cat "$DIR/err" >&2; }
}

same() {
  cmp "$DIR/$1" "$DIR/$2" >&2 || fail "$1 and $2 differ"
}

# random FILE BYTES
random() {
  head -c "$2" /dev/urandom >"$DIR/$1"
}
