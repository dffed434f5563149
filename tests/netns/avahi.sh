#!/bin/sh
# Multicast DNS with Avahi, each in a namespace of its own: Floe finds Avahi's names, Avahi finds Floe's, and forgets them
# when they are taken back. Skipped where Avahi or D-Bus is not installed.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need avahi-daemon avahi-resolve dbus-daemon
: "${MDNS_PEER:?MDNS_PEER must be the path of mdns_peer}"
NAME=1f4712db-ea17-4bcf-a596-105139dfd8bf.local
SIX=5a0c1d3e-0000-4bcf-a596-105139dfd8bf.local

ns one other
for each in one other; do
  set_kernel "$each" ipv6/conf/default/addr_gen_mode 1 # one address of each family, so that Avahi's name has one
done
link one eth0 other eth0
address one eth0 192.0.2.1/24 2001:db8:81::1/64
address other eth0 192.0.2.2/24 2001:db8:81::2/64

# Avahi, and the bus over which its tools ask it, with directories of their own.
for each in dbus avahi-daemon; do
  mkdir -p "/run/$each"
  mount -t tmpfs floe "/run/$each" || fail "cannot mount /run/$each"
done
cat >"$work/avahi.conf" <<END
[server]
host-name=avahibox
allow-interfaces=eth0
[publish]
publish-workstation=no
publish-hinfo=no
END
cat >"$work/dbus.conf" <<END
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
END
serve other dbus "^unix:" dbus-daemon --config-file="$work/dbus.conf" --nofork --nopidfile --print-address
serve other avahi "Server startup complete" avahi-daemon --no-drop-root --no-chroot -f "$work/avahi.conf"

expect() { # FILE LINE...
  expect_file=$1
  shift
  printf '%s\n' "$@" | sort >"$work/expected"
  sort "$expect_file" | diff -u "$work/expected" - || {
    show_servers
    exit 1
  }
}

# Floe asks. The address of the other family is not denied by Avahi; nor does it know other names.
inside one "$MDNS_PEER" resolve avahibox.local 4 resolve AVAHIBOX.local 6 resolve nobody.local 4 >"$work/found"
expect "$work/found" "avahibox.local 4 OK 192.0.2.2" "AVAHIBOX.local 6 OK 2001:db8:81::2" "nobody.local 4 TIMEOUT "

# Avahi asks: once the announcements are in its cache or not, and after the goodbyes.
ask() { # 4|6 NAME
  inside other avahi-resolve "-$1" -n "$2" 2>&1 || true
}
mkfifo "$work/end"
become one "$MDNS_PEER" publish "$NAME" 192.0.2.1 publish "$SIX" 2001:db8:81::1 <"$work/end" >"$work/server.peer" 2>&1 &
peer=$!
exec 9>"$work/end"
await "$work/server.peer" ready "$peer"
{ ask 4 "$NAME"; ask 6 "$SIX"; } >"$work/found"
printf '%s\t%s\n' "$NAME" 192.0.2.1 "$SIX" 2001:db8:81::1 >"$work/wanted"
diff -u "$work/wanted" "$work/found"
stop "$served" # and again with nothing in its cache
serve other avahi2 "Server startup complete" avahi-daemon --no-drop-root --no-chroot -f "$work/avahi.conf"
{ ask 4 "$NAME"; ask 6 "$SIX"; } >"$work/found"
diff -u "$work/wanted" "$work/found"
ask 6 "$NAME" >"$work/found"
grep -q "Failed to resolve" "$work/found" || fail "an IPv4 name has an IPv6 address: $(cat "$work/found")"
exec 9>&-
wait "$peer"
sleep 1.5 # RFC 6762 10.1: a goodbye takes a second
ask 4 "$NAME" >"$work/found"
grep -q "Failed to resolve" "$work/found" || fail "the name is still there: $(cat "$work/found")"

# A third one on the same host as Avahi: they share the port.
inside other "$MDNS_PEER" resolve avahibox.local 4 >"$work/found"
expect "$work/found" "avahibox.local 4 OK 192.0.2.2"
echo "avahi: as it should be"
