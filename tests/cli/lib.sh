# What the end-to-end tests of the command share. Each test is run as: sh NAME_test.sh FLOE TOOLS, where FLOE is the
# command and TOOLS the directory of the helpers (jsonl_check, tiny_dns). Servers are floe testserver on loopback with
# ports that the system chooses; nothing waits for a fixed time.
set -u
LC_ALL=C
TERM=xterm
export LC_ALL TERM
unset NO_COLOR
FLOE=$1
TOOLS=$2
DIR=$(mktemp -d)
PIDS=
FAILED=0
PW=gEhEiM-4711 # a word that is in no other text
AUTH="--user user --credential $PW"

cleanup() {
  for pid in $PIDS; do kill "$pid" 2>/dev/null; done
  for pid in $PIDS; do wait "$pid" 2>/dev/null; done
  rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
  echo "FAILED: $*" >&2
  FAILED=1
}

finish() {
  [ "$FAILED" -eq 0 ] || exit 1
  echo "all as expected"
  exit 0
}

# start_server OPTIONS... : starts a test server and waits until every port is open. Ports are PORT_1, PORT_2 ... in the
# order of the --listen options. Its words are in $DIR/server.out, its CA in $DIR/ca.pem.
start_server() {
  count=0
  for arg; do [ "$arg" != --listen ] || count=$((count + 1)); done
  rm -f "$DIR/server.fifo"
  mkfifo "$DIR/server.fifo"
  "$FLOE" testserver --write-ca "$DIR/ca.pem" "$@" >"$DIR/server.fifo" 2>"$DIR/server.err" &
  SERVER=$!
  PIDS="$PIDS $SERVER"
  exec 3<"$DIR/server.fifo"
  i=1
  while [ $i -le $count ]; do
    read -r word _ address _ <&3 || { cat "$DIR/server.err" >&2; echo "the test server did not start" >&2; exit 1; }
    [ "$word" = listening ] || { echo "the test server says $word" >&2; exit 1; }
    eval "PORT_$i=${address##*:}"
    i=$((i + 1))
  done
  cat <&3 >"$DIR/server.out" &
  READER=$!
  exec 3<&-
}

# stop_server : ends it and waits until everything it said is in $DIR/server.out.
stop_server() {
  kill "$SERVER"
  wait "$SERVER" 2>/dev/null
  wait "$READER" 2>/dev/null
}

# check STATUS ARGS... : runs floe check; output in $DIR/out and $DIR/err, all output of the test in $DIR/all.
check() {
  expected=$1
  shift
  "$FLOE" check "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  got=$?
  cat "$DIR/out" "$DIR/err" >>"$DIR/all"
  [ "$got" -eq "$expected" ] || {
    fail "floe check $*: status $got, not $expected"
    cat "$DIR/out" "$DIR/err" >&2
  }
}

# has FILE TEXT : a line of the file is exactly this, but for what * stands for.
has() {
  while IFS= read -r line || [ -n "$line" ]; do
    # shellcheck disable=SC2254
    case $line in $2) return 0 ;; esac
  done <"$DIR/$1"
  fail "there is no line '$2' in:"
  cat "$DIR/$1" >&2
}

has_not() {
  if grep -qe "$2" "$DIR/$1"; then
    fail "'$2' is in:"
    cat "$DIR/$1" >&2
  fi
}

# json FILE [OPTIONS...] : the lines follow the contract.
json() {
  file=$1
  shift
  "$TOOLS/jsonl_check" "$@" <"$DIR/$file" >"$DIR/json.out" 2>&1 || {
    fail "JSON lines:"
    cat "$DIR/json.out" "$DIR/$file" >&2
  }
}

# json_value FILE PATH VALUE
json_value() {
  value=$("$TOOLS/jsonl_check" --get "$2" <"$DIR/$1")
  [ "$value" = "$3" ] || {
    fail "$2 is '$value', not '$3', in:"
    cat "$DIR/$1" >&2
  }
}

# A port of loopback on which nothing listens.
closed_port() {
  "$TOOLS/tiny_dns" --closed-port
}
