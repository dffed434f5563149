# A public server that hands out private relay addresses, in a network namespace of its own.
if [ -z "${FLOE_IN_NAMESPACE-}" ]; then
  unshare -rn true 2>/dev/null && command -v ip >/dev/null || { echo "skipped: no network namespaces here"; exit 77; }
  FLOE_IN_NAMESPACE=1 exec unshare -rn sh "$0" "$@"
fi
. "${0%/*}/lib.sh"
ip link set lo up
ip link add d0 type veth peer name d1 || { echo "skipped: no veth interfaces here"; exit 77; }
ip addr add 198.51.100.1/24 dev d0
ip addr add 192.168.77.1/24 dev d0
ip link set d0 up
ip link set d1 up

# Data flows, since both relays are on this host: degraded.
start_server --user user --credential $PW --relay-ip 192.168.77.1 --listen udp:198.51.100.1:0 \
  --listen udp:198.51.100.1:0,relay-nothing --listen udp:192.168.77.1:0
check 1 $AUTH -4 --interface d0 turn:198.51.100.1:$PORT_1
has out "WARN turn:198.51.100.1:$PORT_1"
has out "  relay_private_address: the server is public but hands out a private address"
has out "  relay        192.168.77.1:*  <- private"
has out "  relay data   *10 of 10 packets arrived both ways, *"
check 1 $AUTH -4 --json turn:198.51.100.1:$PORT_1
json out
json_value out report.servers.0.cause relay_private_address
json_value out report.servers.0.verdict degraded
check 1 $AUTH -4 --no-relay-test turn:198.51.100.1:$PORT_1

# None flows: failed, and the private address is the reason.
check 8 $AUTH -4 turn:198.51.100.1:$PORT_2
has out "FAIL turn:198.51.100.1:$PORT_2"
has out "  relay_private_address: *"
has out "  try: Tell the server its public address (coturn: external-ip)"

# A private server may hand out private addresses.
check 0 $AUTH -4 turn:192.168.77.1:$PORT_3
finish
