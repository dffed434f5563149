# Names: what the name server says is told. The name server is ours, on loopback.
. "${0%/*}/lib.sh"

start_dns() {
  rm -f "$DIR/dns.fifo"
  mkfifo "$DIR/dns.fifo"
  "$TOOLS/tiny_dns" "$1" >"$DIR/dns.fifo" &
  PIDS="$PIDS $!"
  read -r NS <"$DIR/dns.fifo"
}

start_dns 3
check 3 --dns-server 127.0.0.1:$NS stun:stun.floe.test
has out "FAIL stun:stun.floe.test"
has out "  dns_nxdomain: the name does not exist"
has out "  DNS says     NXDOMAIN"
start_dns 2
check 3 --dns-server 127.0.0.1:$NS stun:stun.floe.test
has out "  dns_servfail: *"
start_dns 5
check 3 --dns-server 127.0.0.1:$NS stun:stun.floe.test
has out "  dns_refused: *"
start_dns 0
check 3 --dns-server 127.0.0.1:$NS stun:stun.floe.test
has out "  dns_nodata: *"
finish
