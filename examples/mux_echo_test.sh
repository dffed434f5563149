#!/bin/sh
# An echo server on one port and a hundred peers that it was told nothing of.
#
#   mux_echo_test.sh SERVER CLIENT
set -eu
server=$1
client=$2
dir=$(mktemp -d)
pid=
trap 'status=$?; [ -z "$pid" ] || kill $pid 2>/dev/null || true; rm -rf "$dir"; exit $status' EXIT

fail() {
  echo "$1"
  for file in "$dir"/*; do echo "--- $file"; cat "$file"; done
  exit 1
}

"$server" -l tell-nobody >"$dir/server" 2>"$dir/errors" &
pid=$!
tries=0
until grep -qs '^port ' "$dir/server"; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || fail "the server does not start"
  sleep 0.05
done
port=$(sed -n 's/^port //p' "$dir/server")

"$client" "127.0.0.1:$port" tell-nobody 100 >"$dir/client" 2>&1 || fail "the clients were not served"
grep -q '^100 peers were heard$' "$dir/client" || fail "not all clients were served"

# Others, while the server still thinks that the first are there.
"$client" "127.0.0.1:$port" tell-nobody 10 >"$dir/again" 2>&1 || fail "the others were not served"

# With the wrong secret nobody answers: one descriptor is all that it ever has, and it goes on.
timeout 3 "$client" "127.0.0.1:$port" another-one 3 >"$dir/stranger" 2>&1 && fail "a stranger was served"
"$client" "127.0.0.1:$port" tell-nobody >"$dir/last" 2>&1 || fail "after strangers it serves nobody"

kill -TERM $pid
status=0
wait $pid || status=$?
pid=
[ $status -eq 0 ] || fail "it ended with $status"
[ ! -s "$dir/errors" ] || fail "it had something to say"
