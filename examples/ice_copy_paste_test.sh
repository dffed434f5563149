#!/bin/sh
# Two of them on this host, with this script as the people who copy and paste.
#
#   ice_copy_paste_test.sh PROGRAM
set -eu
program=$1
dir=$(mktemp -d)
pids=
trap 'status=$?; [ -z "$pids" ] || kill $pids 2>/dev/null || true; rm -rf "$dir"; exit $status' EXIT
cd "$dir"

fail() {
  echo "$1"
  for file in *.out *.err; do echo "--- $file"; cat "$file"; done
  exit 1
}

# until FILE holds TEXT as a whole line, or the start of one when it ends in *
until_said() {
  tries=0
  until grep -q "^$2" "$1"; do
    tries=$((tries + 1))
    [ $tries -lt 400 ] || fail "no \"$2\" in $1"
    sleep 0.05
  done
}

# what NAME printed up to the empty line, and that line
description() {
  sed '/^$/q' "$1.out"
}

ended() {
  status=0
  wait "$1" || status=$?
  [ $status -eq "$2" ] || fail "it ended with $status, not with $2"
}

mkfifo ann.in ben.in
"$program" -l <ann.in >ann.out 2>ann.err &
ann=$!
"$program" -l <ben.in >ben.out 2>ben.err &
ben=$!
pids="$ann $ben"
exec 3>ann.in 4>ben.in
until_said ann.out a=end-of-candidates
until_said ben.out a=end-of-candidates

# nonsense is refused and may be followed by sense; line ends of any kind
printf 'what is this\n\n' >&3
until_said ann.err "that is no description of a peer: a=ice-ufrag is missing"
description ann >&3
until_said ann.err "that is no description of a peer: it is this program's own"
description ben >&3
description ann | sed 's/$/\r/' >&4
until_said ann.err connected
until_said ben.err connected
until_said ann.err "over udp: host to "

echo "hello, this is ann" >&3
until_said ben.out "hello, this is ann"
echo "and this is ben" >&4
until_said ann.out "and this is ben"

# what was typed before the end still arrives
echo "bye" >&3
exec 3>&-
ended $ann 0
until_said ben.out bye
exec 4>&-
ended $ben 0
pids=

# the end before there is a peer
status=0
printf '' | "$program" -l >eof.out 2>eof.err || status=$?
[ $status -eq 2 ] || fail "without a peer it ended with $status, not with 2"

# a file is no input that can be waited for
echo x >file
status=0
"$program" -l <file >file.out 2>file.err || status=$?
[ $status -eq 2 ] || fail "with a file it ended with $status, not with 2"
until_said file.err "the input must be"

# a bad URL
status=0
printf '' | "$program" -s nonsense >url.out 2>url.err || status=$?
[ $status -eq 2 ] || fail "with a bad URL it ended with $status, not with 2"
until_said url.err "FLOE_E_SYNTAX: iceServers"
