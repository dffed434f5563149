# Each exit status of floe check, from a server that deserves it.
. "${0%/*}/lib.sh"

start_server --user user --credential $PW \
  --listen udp:127.0.0.1:0 --listen tcp:127.0.0.1:0 --listen tls:127.0.0.1:0 \
  --listen udp:127.0.0.1:0,permission-error=403 \
  --listen tls:127.0.0.1:0,tls-expired --listen tls:127.0.0.1:0,tls-other-name \
  --listen udp:127.0.0.1:0,error-after-auth=486 --listen udp:127.0.0.1:0,relay-nothing \
  --listen udp:127.0.0.1:0,error=500:Sorry --listen udp:127.0.0.1:0,silent \
  --listen tls:127.0.0.1:0,tls-plain-text --listen udp:127.0.0.1:0,stale-forever --listen tcp:127.0.0.1:0,garbage
UDP=turn:127.0.0.1:$PORT_1

# 0
check 0 stun:127.0.0.1:$PORT_1
has out "PASS stun:127.0.0.1:$PORT_1"
has out "  mapped       127.0.0.1:*"
has out "1 server works (*)"
check 0 $AUTH $UDP
has out "PASS $UDP"
has out "  relay        127.0.0.1:*"
has out "  realm        floe.test"
has out "  software     Floe testserver"
has out "  lifetime     600 s"
has out "  relay data   10 of 10 packets arrived both ways, RTT * ms"
check 0 $AUTH "turn:127.0.0.1:$PORT_2?transport=tcp"
has out "  server       127.0.0.1:$PORT_2 over TCP, RTT *"
check 0 $AUTH --ca-file "$DIR/ca.pem" turns:127.0.0.1:$PORT_3
has out "  certificate  CN=localhost"
has out "  validity     until *, * days left"
check 0 $AUTH --relay-only stun:127.0.0.1:$PORT_1 $UDP
has out "SKIP stun:127.0.0.1:$PORT_1"
check 0 --relay-only stun:127.0.0.1:$PORT_1
has out "no server was used (*)"

# 1
check 1 $AUTH turn:127.0.0.1:$PORT_4
has out "WARN turn:127.0.0.1:$PORT_4"
has out "  permission_failed: *"
has out "  server says  403 *"
check 0 $AUTH --no-relay-test turn:127.0.0.1:$PORT_4

# 2
check 2
check 2 --frobnicate
check 2 nonsense
has err "floe check: SyntaxError: *"
check 2 $UDP
has err "floe check: InvalidAccessError: *"

# 3
NS=$(closed_port)
check 3 --dns-server 127.0.0.1:$NS --timeout 2 stun:stun.floe.test
has out "  dns_*"

# 4
CLOSED=$(closed_port)
check 4 $AUTH turn:127.0.0.1:$CLOSED
check 4 $AUTH --timeout 0.5 turn:127.0.0.1:$PORT_10
has out "  udp_timeout: no answer over UDP"
check 4 $AUTH "turn:127.0.0.1:$CLOSED?transport=tcp"
has out "  tcp_refused: *"
check 4 $AUTH -6 $UDP
has out "  no_local_address: *"

# 5
check 5 $AUTH --ca-file "$DIR/ca.pem" turns:127.0.0.1:$PORT_5
has out "  tls_expired: *"
has out "  validity     from * to *: expired * day* ago"
check 5 $AUTH --ca-file "$DIR/ca.pem" turns:127.0.0.1:$PORT_6
has out "  tls_name_mismatch: *"
check 5 $AUTH turns:127.0.0.1:$PORT_3
has out "  tls_untrusted: *"
check 5 $AUTH turns:127.0.0.1:$PORT_11
has out "  tls_not_tls: *"
check 0 $AUTH --insecure turns:127.0.0.1:$PORT_3
has out "  INSECURE     the certificate was not verified (--insecure)"
has out "INSECURE: certificates were not verified (--insecure)"

# 6
check 6 --user user --credential wrong-password $UDP
has out "FAIL $UDP"
has out "  auth_rejected: *"
has out "  server says  401 *"
check 6 $AUTH turn:127.0.0.1:$PORT_12
has out "  stale_nonce_loop: *"

# 7
check 7 $AUTH turn:127.0.0.1:$PORT_7
has out "  quota_reached: *"
has out "  server says  486 *"

# 8
check 8 $AUTH turn:127.0.0.1:$PORT_8
has out "  relay_no_data: *"
has out "  relay data   none of 10 packets arrived from *"
check 0 $AUTH --no-relay-test turn:127.0.0.1:$PORT_8

# 9
check 9 $AUTH turn:127.0.0.1:$PORT_9
has out "  stun_error: *"
has out "  server says  500 Sorry"
check 9 $AUTH "turn:127.0.0.1:$PORT_13?transport=tcp"
has out "  not_stun: *"

# Of several the lowest, whatever the order.
check 5 $AUTH turn:127.0.0.1:$PORT_9 --ca-file "$DIR/ca.pem" turns:127.0.0.1:$PORT_5 $UDP turn:127.0.0.1:$PORT_7
has out "3 of 4 servers failed (*)"
has out "more about a cause: floe check --explain *"

# Nothing but the output of floe check itself, and no control characters.
has_not all "$(printf '\033')"
finish
