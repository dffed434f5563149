# Colour, the line of progress and the prompt, on a terminal.
. "${0%/*}/lib.sh"
ESC=$(printf '\033')

start_server --user user --credential $PW --listen udp:127.0.0.1:0 --listen udp:127.0.0.1:0,silent
UDP=turn:127.0.0.1:$PORT_1

# on_terminal STATUS ARGS... : output as a terminal gets it in $DIR/out.
on_terminal() {
  expected=$1
  shift
  "$TOOLS/on_pty" "$@" >"$DIR/out" 2>&1
  got=$?
  [ $got -eq "$expected" ] || { fail "on a terminal: $*: status $got, not $expected"; cat "$DIR/out" >&2; }
}

on_terminal 0 "$FLOE" check stun:127.0.0.1:$PORT_1
has out "${ESC}?1;32mPASS${ESC}?0m stun:127.0.0.1:$PORT_1*"
on_terminal 0 env NO_COLOR=1 "$FLOE" check stun:127.0.0.1:$PORT_1
has out "PASS stun:127.0.0.1:$PORT_1*"
has_not out "$ESC"
on_terminal 0 env TERM=dumb "$FLOE" check stun:127.0.0.1:$PORT_1
has_not out "$ESC"

# The line of progress is on standard error, and gone at the end.
SLOW="check --timeout 1 --user user --credential x turn:127.0.0.1:$PORT_2"
on_terminal 4 sh -c "'$FLOE' $SLOW >'$DIR/plain'"
has out "*gathering: * s, * candidates, 0 errors*${ESC}?K"
has_not plain "$ESC"
has plain "FAIL turn:127.0.0.1:$PORT_2"
on_terminal 4 sh -c "'$FLOE' $SLOW --json >/dev/null"
[ ! -s "$DIR/out" ] || fail "a line of progress with --json"
on_terminal 0 sh -c "'$FLOE' $SLOW 2>/dev/null | cat"
has_not out "$ESC"

# The prompt, asked for and by itself.
on_terminal 0 --when "Credential of user: " --type "$PW^J" "$FLOE" check --user user --credential-prompt $UDP
has out "*PASS*$UDP*"
has_not out $PW
on_terminal 0 --when "Credential of user: " --type "$PW^J" "$FLOE" check --user user $UDP
has out "*PASS*$UDP*"
has_not out $PW
on_terminal 2 --when "Credential of user: " --type "^J" "$FLOE" check --user user $UDP
has out "floe check: no credential was typed*"
# No question where no credential is needed.
on_terminal 0 "$FLOE" check --user user stun:127.0.0.1:$PORT_1

# Interrupted at the prompt: the echo is back.
on_terminal 0 --when "Credential of user: " --type "^C" \
  sh -c "trap : INT; '$FLOE' check --user user $UDP; echo status \$?; stty -a"
has out "status 130*"
grep -q ' echo ' "$DIR/out" || { fail "the echo is still off"; cat "$DIR/out" >&2; }

# Stopped at the prompt and brought back by the shell: it asks again, and the echo is still off.
if command -v bash >/dev/null; then
  on_terminal 0 --when "Credential of user: " --type "ab^Z" --when "Stopped" --type "" \
    --when "READY" --type "fg^J" --when "Credential of user: " --type "$PW^J" --when "PASS" --type "" \
    --when "READY" --type "exit 0^J" env PS1="READY" bash --norc --noprofile --noediting -c \
    "set -m; '$FLOE' check --user user $UDP; while printf READY; read -r line; do eval \"\$line\"; done"
  has_not out $PW
fi

# No terminal, no prompt.
if command -v setsid >/dev/null; then
  setsid -w "$FLOE" check --user user --credential-prompt $UDP >"$DIR/out" 2>"$DIR/err" </dev/null
  has err "floe check: there is no terminal to ask on: use --credential-file"
fi
finish
