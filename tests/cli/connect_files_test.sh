# floe connect --send and --receive: files of all sizes and names, what is there already, going on after a kill.
. "${0%/*}/lib.sh"
. "${0%/*}/connect_lib.sh"
mkdir "$DIR/from" "$DIR/to"

# Several files, an empty one among them; who offers does not matter.
random from/large 20000000
random from/small 17
: >"$DIR/from/empty"
chmod 0777 "$DIR/from/small"
start_offer a --send "$DIR/from/large" "$DIR/from/small" "$DIR/from/empty"
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
for f in large small empty; do same from/$f to/$f; done
[ ! -x "$DIR/to/small" ] || fail "permissions came along"
has a.err "floe connect: large: delivered, 20.0 MB, checksum right"
has a.err "floe connect: empty: delivered, 0 bytes, checksum right"
has b.err "floe connect: small: received, 17 bytes, checksum right"
[ ! -s "$DIR/a.out" ] || fail "something on standard output"
[ ! -s "$DIR/b.out" ] || fail "something on standard output"
rm "$DIR"/to/*
start_offer a --receive "$DIR/to" --json
start_answer b --send "$DIR/from/empty" --send "$DIR/from/small" "--json=$DIR/b.json"
ended $OFFER a 0
ended $ANSWER b 0
same from/small to/small
same from/empty to/empty
hash=$(sha256sum <"$DIR/from/small" | cut -d ' ' -f 1)
json_value a.err file.name small
json_value a.err file.outcome received
json_value a.err file.size 17
json_value a.err file.sha256 "$hash"
json_value b.json file.outcome delivered
json_value b.json file.sha256 "$hash"

# The ticket on the command line, behind the files.
rm "$DIR"/to/*
start_offer a --receive "$DIR/to"
until [ -s "$DIR/offer" ]; do kill -0 $OFFER || break; done
"$FLOE" connect $HERE --ticket-out "$DIR/answer" --send "$DIR/from/small" "$DIR/from/empty" "$(cat "$DIR/offer")" \
  >"$DIR/b.out" 2>"$DIR/b.err"
[ $? -eq 0 ] || fail "files and a ticket on the command line"
wait $OFFER
same from/small to/small

# What is there stays, and the others come; with --force it goes.
echo mine >"$DIR/to/small"
start_offer a --send "$DIR/from/small" "$DIR/from/large"
start_answer b --receive "$DIR/to"
ended $OFFER a 1
ended $ANSWER b 1
has a.err "floe connect: small: not delivered: there is a file of this name already"
has b.err "floe connect: small: not received: there is a file of this name already (--force overwrites it)"
[ "$(cat "$DIR/to/small")" = mine ] || fail "a file was overwritten"
same from/large to/large
start_offer a --send "$DIR/from/small"
start_answer b --receive "$DIR/to" --force
ended $OFFER a 0
ended $ANSWER b 0
same from/small to/small

# Names: hidden files, options, and what is no name.
printf x >"$DIR/from/.profile"
printf y >"$DIR/from/-rf"
printf z >"$DIR/from/$(printf 'a\033[2J')"
start_offer a --send "$DIR/from/.profile" --send "$DIR/from/-rf" --send "$DIR/from/$(printf 'a\033[2J')"
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
[ "$(cat "$DIR/to/_profile")" = x ] || fail "no _profile"
[ "$(cat "$DIR/to/_rf")" = y ] || fail "no _rf"
[ "$(cat "$DIR/to/$(printf 'a\357\277\275[2J')")" = z ] || fail "a name with an escape"
has_not b.err "$(printf '\033')"

# A part that is there: only the rest is sent. One of another file: all of it.
rm "$DIR"/to/* "$DIR"/to/.* 2>/dev/null
head -c 12345678 "$DIR/from/large" >"$DIR/to/large.floe-part"
start_offer a --send "$DIR/from/large" --json
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
same from/large to/large
json_value a.err file.from 12345678
has b.err "floe connect: large: going on where it was cut off"
[ ! -e "$DIR/to/large.floe-part" ] || fail "the part is still there"
rm "$DIR/to/large"
random to/large.floe-part 4000000
start_offer a --send "$DIR/from/large"
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
same from/large to/large
has b.err "floe connect: large: the part that is here is of another file; from the beginning"
rm "$DIR/to/large"
cp "$DIR/from/large" "$DIR/to/large.floe-part" # all of it is there
start_offer a --send "$DIR/from/large"
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
same from/large to/large

# Killed in the middle (kill -9), then once more.
rm "$DIR/to/large"
random from/huge 100000000
start_offer a --send "$DIR/from/huge"
start_answer b --receive "$DIR/to"
until [ -s "$DIR/to/huge.floe-part" ]; do kill -0 $ANSWER 2>/dev/null || break; done
kill -KILL $ANSWER
wait $ANSWER
kill -INT $OFFER
ended $OFFER a 130
has a.err "floe connect: 0 of 1 files delivered; run the same again on both sides to go on"
[ ! -e "$DIR/to/huge" ] || fail "a file that is not whole has its name"
part=$(wc -c <"$DIR/to/huge.floe-part")
[ "$part" -gt 0 ] && [ "$part" -lt 100000000 ] || fail "the part has $part bytes"
start_offer a --send "$DIR/from/huge" --json
start_answer b --receive "$DIR/to"
ended $OFFER a 0
ended $ANSWER b 0
same from/huge to/huge
json_value a.err file.from "$part"

# Interrupted in the middle: the part is kept, and both say so.
rm "$DIR/to/huge"
start_offer a --send "$DIR/from/huge"
start_answer b --receive "$DIR/to"
until [ -s "$DIR/to/huge.floe-part" ]; do kill -0 $ANSWER 2>/dev/null || break; done
kill -INT $ANSWER
ended $ANSWER b 130
ended $OFFER a 1
has b.err "floe connect: huge: * of 100.0 MB are kept in huge.floe-part; run the same again on both sides to go on"
has a.err "floe connect: the other side was interrupted"
[ -s "$DIR/to/huge.floe-part" ] || fail "the part is not kept"
rm "$DIR"/from/huge "$DIR"/to/*

# No room: that file fails, the next one comes; both know. (A limit of the size of files is as good as a full disk.)
(
  ulimit -f 4000 # blocks of 512 bytes
  trap '' XFSZ
  exec "$FLOE" connect $HERE --ticket-out "$DIR/offer2" --ticket-in "$DIR/answer2" --receive "$DIR/to" 2>"$DIR/a.err"
) &
OFFER=$!
"$FLOE" connect $HERE --answer --ticket-in "$DIR/offer2" --ticket-out "$DIR/answer2" --send "$DIR/from/large" \
  "$DIR/from/small" >"$DIR/b.out" 2>"$DIR/b.err"
[ $? -eq 1 ] || fail "a file too large: the sender's status"
ended $OFFER a 7
has a.err "floe connect: large: not received: File too large"
has b.err "floe connect: large: not delivered: File too large"
same from/small to/small
[ ! -e "$DIR/to/large" ] || fail "a file that is not whole has its name"

# What cannot be sent.
connect 7 --send "$DIR/from"
has err "floe connect: */from: a directory; pack it: tar c ... | floe connect"
mkfifo "$DIR/from/fifo"
connect 7 --send "$DIR/from/fifo"
has err "floe connect: */from/fifo: not a regular file; use floe connect <FILE"
connect 7 --send "$DIR/from/small" "$DIR/to/small"
has err "floe connect: */to/small: another file has the same name"

# On a terminal there is a line of progress, and it is gone at the end.
rm "$DIR"/to/*
random from/huge 60000000
start_offer a --send "$DIR/from/huge"
"$TOOLS/on_pty" "$FLOE" connect $HERE --answer --ticket-in "$DIR/offer" --ticket-out "$DIR/answer" --receive "$DIR/to" \
  >"$DIR/b.out" 2>&1
[ $? -eq 0 ] || { fail "receiving on a terminal"; cat "$DIR/b.out" >&2; }
ended $OFFER a 0
grep -q 'huge: [0-9]* %, .* of 60.0 MB' "$DIR/b.out" || fail "no progress on a terminal"
same from/huge to/huge
finish
