# floe nat, against the test server on loopback with two addresses.
. "${0%/*}/lib.sh"
ESC=$(printf '\033')

# nat STATUS ARGS... : output in $DIR/out and $DIR/err.
nat() {
  expected=$1
  shift
  "$FLOE" nat "$@" >"$DIR/out" 2>"$DIR/err" </dev/null
  got=$?
  [ $got -eq "$expected" ] || { fail "floe nat $*: status $got, not $expected"; cat "$DIR/out" "$DIR/err" >&2; }
}

# One server of each kind; the first has two addresses.
start_server -v --user user --credential "$PW" --listen udp:127.0.0.1:0 --listen udp:127.0.0.1:0,silent \
  --listen udp:127.0.0.1:0,error=500 --listen tcp:127.0.0.1:0 --listen tls:127.0.0.1:0 \
  --listen tcp:127.0.0.1:0,garbage --alternate 127.0.0.2:0
SQUARE=$PORT_1 SILENT=$PORT_2 BROKEN=$PORT_3 TCP=$PORT_4 TLS=$PORT_5 SPOILED=$PORT_6
CLOSED=$(closed_port)

# A server with two addresses tells everything.
nat 0 --timeout 20 --tls-port "$TLS" stun:127.0.0.1:$SQUARE
has out "PASS stun:127.0.0.1:$SQUARE"
has out "  IPv4         127.0.0.1:$SQUARE sees 127.0.0.1:*; it has two addresses (RFC 5780)"
has out "  TLS $TLS    gets out: connected (tls_untrusted)"
has out "IPv4 from 127.0.0.1:* (lo), seen as 127.0.0.1:*"
has out "  mapping      none (certain): no NAT: servers see this host's own address"
has out "  filtering    endpoint-independent (certain): no firewall on the way keeps out what nobody has asked for"
has out "  This host can be reached directly: no peer needs a TURN server because of it. (certain)"
has out "  But the servers that answered are in a private network: *"
has_not out "hairpin"
has_not out "IPv6"
has_not out "$ESC"
[ ! -s "$DIR/err" ] || { fail "something on standard error:"; cat "$DIR/err" >&2; }

# Transports: what answers, what something else answers, what is refused.
nat 0 --no-transports stun:127.0.0.1:$SQUARE
has_not out "TCP"
has_not out "gets out"
nat 4 --timeout 20 --tls-port "$TLS" stun:127.0.0.1:$TCP
has out "WARN stun:127.0.0.1:$TCP"
has out "  IPv4         port_unreachable: the server's host says that nothing listens on the port"
has out "  TCP $TCP    gets out: the server has answered in * (auth_rejected)"
has out "  mapping      unknown: no server has answered over UDP"
has out "gets out: TCP, TLS; refused: UDP"
nat 4 --timeout 20 --tls-port "$CLOSED" stun:127.0.0.1:$SPOILED
has out "FAIL stun:127.0.0.1:$SPOILED"
has out "  TCP $SPOILED    what answers there is not what was asked for (not_stun)"
has out "  TLS $CLOSED    refused: nobody listens there, or a firewall says so (tcp_refused)"
has out "answered by something else: TCP; refused: UDP, TLS"

# Servers that do not answer, or not well; others make up for them.
nat 4 --timeout 0.5 --no-transports stun:127.0.0.1:$SILENT
has out "FAIL stun:127.0.0.1:$SILENT"
has out "  IPv4         udp_timeout: no answer over UDP"
has out "  Nothing is known: no server has answered over UDP. *"
nat 4 --no-transports stun:127.0.0.1:$BROKEN
has out "  IPv4         stun_error: *"
nat 0 --timeout 2 --no-transports stun:127.0.0.1:$SILENT --server stun:127.0.0.1:$SQUARE
has out "FAIL stun:127.0.0.1:$SILENT"
has out "PASS stun:127.0.0.1:$SQUARE"
has out "  mapping      none (certain): *"
nat 4 --no-transports -v stun:127.0.0.1:$CLOSED
has out "               try: *"

# Secure URLs and those of TURN name hosts and ports as well; two URLs of one host are one server.
nat 0 --no-transports turn:127.0.0.1:$SQUARE
has out "PASS turn:127.0.0.1:$SQUARE"
nat 0 --timeout 20 stun:127.0.0.1:$SQUARE turns:127.0.0.1:$TLS
has out "  TLS $TLS    gets out: connected (tls_untrusted)"
[ "$(grep -c '^PASS' "$DIR/out")" -eq 1 ] || fail "one host is told twice"

# Names, and families.
nat 0 --no-transports -4 stun:localhost:$SQUARE
has out "PASS stun:localhost:$SQUARE"
has_not out "IPv6"
nat 4 --no-transports -6 stun:localhost:$SQUARE
has out "  IPv6         *"

# JSON lines.
nat 0 --json --timeout 20 --tls-port "$TLS" stun:127.0.0.1:$SQUARE
json_value out server.url "stun:127.0.0.1:$SQUARE"
json_value out server.family 4
json_value out server.cause null
json_value out server.server "127.0.0.1:$SQUARE"
json_value out server.examined true
json_value out transport.transport tls
json_value out transport.reach connected
json_value out transport.cause tls_untrusted
json_value out nat.mapping none
json_value out nat.mappingCertainty certain
json_value out nat.filtering endpoint-independent
json_value out nat.filteringCertainty certain
json_value out nat.hairpin null
json_value out nat.portPreserved true
json_value out nat.interface lo
json_value out nat.certainty certain
json_value out summary.udp open
json_value out summary.tls connected
nat 4 --json --no-transports --timeout 0.5 stun:127.0.0.1:$SILENT
json_value out server.cause udp_timeout
json_value out server.mapped null
json_value out transport.reach blocked
json_value out nat.mapping unknown
json_value out nat.mappingCertainty guess
json_value out nat.mapped null
json_value out summary.udp blocked
json_value out summary.tcp unknown
grep -c '"type":"transport"' "$DIR/out" | grep -qx 1 || fail "more than UDP was tried"

# What is refused.
nat 2
has err "floe nat: no server: name one or more that you may use, *"
nat 2 stun:127.0.0.1:99999
has err "floe nat: urls?0?: the port is above 65535"
has err "  stun:127.0.0.1:99999"
has err "                 ^"
nat 2 --interface no-such-if0 stun:127.0.0.1
has err "floe nat: there is no interface no-such-if0"
nat 2 -4 -6 stun:127.0.0.1
has err "floe nat: -4 and -6 exclude each other"
nat 2 -6 stun:127.0.0.1
has err "floe nat: no server has an address of the family that is asked for"
nat 2 --timeout soon stun:127.0.0.1
has err "floe nat: --timeout soon: not a number of seconds from 0.2 to 60"
nat 2 --tls-prot 443 stun:127.0.0.1
has err "floe nat: unknown option --tls-prot; did you mean --tls-port?"
nat 0 --help
has out "usage: floe nat *"
for n in 0 1 2 3 4 9; do has out "  $n  *"; done
"$FLOE" --help | grep -q '^  nat  ' || fail "floe --help does not name nat"

# Nobody reads the output; a signal ends it.
"$FLOE" nat --no-transports stun:127.0.0.1:$SQUARE 2>"$DIR/err" >&-
[ $? -eq 141 ] || fail "a closed output is not status 141"
before=$(grep -c 'Binding: no answer' "$DIR/server.out")
"$FLOE" nat --timeout 30 --no-transports stun:127.0.0.1:$SILENT >"$DIR/out" 2>"$DIR/err" &
pid=$!
until [ "$(grep -c 'Binding: no answer' "$DIR/server.out")" -gt "$before" ] || ! kill -0 $pid; do :; done
kill -INT $pid
wait $pid
[ $? -eq 130 ] || fail "an interrupt is not status 130"
[ ! -s "$DIR/out" ] || fail "an interrupt leaves output behind"

# A terminal: colour, and a line of progress that is gone at the end.
"$TOOLS/on_pty" "$FLOE" nat --timeout 1 --no-transports stun:127.0.0.1:$SILENT stun:127.0.0.1:$SQUARE >"$DIR/out" 2>&1
grep -q "${ESC}\[1;32mPASS" "$DIR/out" || fail "no colour on a terminal"
grep -q "asking the servers" "$DIR/out" || fail "no progress on a terminal"

# Completion, where there is bash.
if command -v bash >/dev/null; then
  complete_line() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _floe; echo "${COMPREPLY[*]}"' - \
      "${0%/*}/../../cli/completion/floe.bash" "$@" >"$DIR/out" 2>"$DIR/err"
    [ ! -s "$DIR/err" ] || { fail "completion of $*:"; cat "$DIR/err" >&2; }
  }
  complete_line floe na
  has out "nat"
  complete_line floe nat --t
  has out "--timeout --tls-port"
  complete_line floe nat stu
  has out "stun: stuns:"
fi
finish
