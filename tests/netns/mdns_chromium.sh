#!/bin/sh
# Multicast DNS with Chromium, each in a namespace of its own: Floe finds the name of a candidate of Chromium's, and
# Chromium sends its checks to a name of Floe's. That two agents connect would show neither: one of them learns the
# other's address from the other's checks.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
command -v chromium-headless-shell >/dev/null || need chromium
: "${MDNS_PEER:?MDNS_PEER must be the path of mdns_peer}"
NAME=1f4712db-ea17-4bcf-a596-105139dfd8bf.local

ns one browser
link one eth0 browser eth0
address one eth0 192.0.2.1/24
address browser eth0 192.0.2.2/24
route browser default via 192.0.2.1 # else Chromium has no host candidate

mkfifo "$work/say" "$work/end"
become browser python3 -B "$lib/../interop/chromium_peer.py" --role controlling <"$work/say" >"$work/server.browser" 2>&1 &
browser=$!
exec 8>"$work/say"
await "$work/server.browser" '\.local .* host' "$browser"
theirs=$(sed -n 's/^candidate:.* \([0-9a-f-]*\.local\) .*/\1/p' "$work/server.browser" | head -n 1)
printf '%s\n' "$theirs 4 OK 192.0.2.2" "$theirs 6 NODATA " >"$work/expected"
inside one "$MDNS_PEER" resolve "$theirs" 4 resolve "$theirs" 6 | sort >"$work/found"
diff -u "$work/expected" "$work/found"

become one "$MDNS_PEER" publish "$NAME" 192.0.2.1 <"$work/end" >"$work/server.peer" 2>&1 &
peer=$!
exec 9>"$work/end"
await "$work/server.peer" ready "$peer"
inside one python3 -c '
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("192.0.2.1", 40000))
    s.settimeout(20)
    print("listening", flush=True)
    print("from", s.recvfrom(2000)[1][0], flush=True)
' >"$work/server.checks" 2>&1 &
await "$work/server.checks" listening
printf 'ufrag abcd\npwd 0123456789012345678901\ncandidate:1 1 udp 2130706431 %s 40000 typ host\n' "$NAME" >&8
await "$work/server.checks" "from 192.0.2.2"
exec 8>&- 9>&-
wait "$peer"
stop "$browser"
echo "mdns_chromium: as it should be"
