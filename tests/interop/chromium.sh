#!/bin/sh
# With Chromium, as far as its iceConnectionState: both roles, loss, names for hosts on either side, lite.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=peers_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/peers_lib.sh"
net_enter "$@"
need nft
command -v chromium-headless-shell >/dev/null || need chromium
linked_network
CHROMIUM="python3 -B $here/chromium_peer.py"

# Chromium speaks first once there is a pair: what Floe gets is its DTLS ClientHello (record type 22).
browser() { # TITLE FLOE-ROLE ARGUMENTS-OF-FLOE CHROMIUM-ROLE ARGUMENTS-OF-CHROMIUM
  meet "$1, $loss % loss" <<END
a left $FLOE_PEER --role $2 $3
b right $CHROMIUM --role $4 $5
never both state failed*
never a refused *
never b # *
await a state connected
latest a stranger 22
await b state connected
latest a role $2
latest b role $4
latest b pair host * udp
END
}

restarts() { # WHO FLOE-ROLE CHROMIUM-ROLE
  meet "$1 restarts, Floe $2, $loss % loss" <<END
a left $FLOE_PEER --role $2
b right $CHROMIUM --role $3 --show-hosts
never both state failed*
never a refused *
never b # *
await both state connected
tell $1 restart
await a gathering gathering
await a pair host * udp *
latest a state co*ed
latest b state connected
END
}

all_kinds() {
  hears_nothing "without the other's candidates, Floe controlling" controlling "$CHROMIUM --show-hosts --role controlled"
  hears_nothing "without the other's candidates, Floe controlled" controlled "$CHROMIUM --show-hosts --role controlling"
  browser "Floe controlling, Chromium controlled" controlling "" controlled --show-hosts
  browser "Chromium controlling" controlled "" controlling --show-hosts
  browser "Chromium's names, Floe controlling" controlling "" controlled ""
  browser "Chromium's names, Chromium controlling" controlled "" controlling ""
  browser "names on both sides" controlling --hide-hosts controlled ""
  browser "a lite Floe" controlled --lite controlling --show-hosts

  restarts a controlling controlled
  restarts a controlled controlling
  restarts b controlled controlling
}

for percent in 0 15; do
  loses "$percent"
  all_kinds
done
show_loss

# No UDP but for multicast DNS: what is left is Chromium's active TCP candidates, which it has always.
loses 0
for host in left right; do
  rules "$host" <<'END'
table inet no_udp {
  chain input {
    type filter hook input priority filter; policy accept
    udp dport != 5353 drop
  }
}
END
done
for roles in "controlling controlled" "controlled controlling"; do
  meet "ICE-TCP, Floe passive and ${roles% *}" <<END
a left $FLOE_PEER --role ${roles% *} --tcp-passive
b right $CHROMIUM --role ${roles#* }
never both state failed*
never a refused *
never b # *
await a state connected
latest a stranger 22
await b state connected
latest a pair host prflx tcp *
latest b pair * host tcp
END
done
finish
