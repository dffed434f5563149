# Credentials: from where they come, and that they are never shown.
. "${0%/*}/lib.sh"

start_server --user user --credential $PW --listen udp:127.0.0.1:0 --listen udp:127.0.0.1:0,silent \
  --listen udp:127.0.0.1:0,error-after-auth=486
UDP=turn:127.0.0.1:$PORT_1

check 0 --user user --credential $PW $UDP -v
check 0 --user user --credential=$PW $UDP --json
echo $PW >"$DIR/pw"
check 0 --user user --credential-file "$DIR/pw" $UDP
printf '%s\r\nsecond line\n' $PW >"$DIR/pw"
check 0 --user user --credential-file "$DIR/pw" $UDP
"$FLOE" check --user user --credential-file - $UDP <"$DIR/pw" >"$DIR/out" 2>&1 || fail "credential from standard input"
: >"$DIR/empty"
check 2 --user user --credential-file "$DIR/empty" $UDP
has err "floe check: the first line of *empty is empty"
check 2 --user user --credential-file "$DIR/none" $UDP
check 2 --user user $UDP
has err "floe check: InvalidAccessError: iceServers?0?.credential: *"

# Where one could slip out: errors, refusals, typing errors.
check 7 --user user --credential $PW turn:127.0.0.1:$PORT_3 -v
check 7 --user user --credential $PW turn:127.0.0.1:$PORT_3 --json
check 6 --user user --credential $PW-wrong $UDP -v
check 6 --user user --credential $PW-wrong $UDP --json
check 2 --user user --credential $PW turn:user:$PW@127.0.0.1
check 2 --user user --credential $PW turn:user:$PW@127.0.0.1 --json
check 2 --user user --credentail=$PW $UDP
check 2 --user user --credential $PW --secret $PW $UDP
check 2 --user user --credential $PW --ttl 7 $UDP
check 2 --user user --credential $PW turn:127.0.0.1:99999999
"$FLOE" turn:user:$PW@127.0.0.1 >>"$DIR/all" 2>&1
has_not all $PW

# Not in the process list either, once the command runs.
mkfifo "$DIR/fifo"
"$FLOE" check --json --user user --credential $PW turn:127.0.0.1:$PORT_2 >"$DIR/fifo" &
pid=$!
exec 4<"$DIR/fifo"
read -r _ <&4
if [ -r /proc/$pid/cmdline ]; then
  tr '\0' ' ' </proc/$pid/cmdline >"$DIR/cmdline"
  has cmdline "* check --json --user user --credential *"
  has_not cmdline $PW
fi
kill $pid
cat <&4 >/dev/null
exec 4<&-
wait $pid
stop_server

# Time-limited credentials of a shared secret.
start_server --secret $PW --listen udp:127.0.0.1:0
UDP=turn:127.0.0.1:$PORT_1
check 0 --secret $PW --user alice --ttl 60 $UDP
check 0 --secret $PW $UDP
echo $PW >"$DIR/pw"
check 0 --secret-file "$DIR/pw" --user alice $UDP
check 6 --secret wrong-$PW --user alice $UDP
has_not all $PW
finish
