#!/bin/sh
# With aioice: both roles, loss, lite, conflicts of role, hidden hosts.
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
python_with aioice
linked_network
AIOICE="$python -B $here/aioice_peer.py"

all_kinds() {
  hears_nothing "without the other's candidates, Floe controlling" controlling "$AIOICE --role controlled"
  hears_nothing "without the other's candidates, Floe controlled" controlled "$AIOICE --role controlling"
  agree "Floe controlling, aioice controlled" controlling "" "$AIOICE --role controlled"
  agree "aioice controlling" controlled "" "$AIOICE --role controlling"
  agree "IPv4 alone" controlling --no-ipv6 "$AIOICE --role controlled"
  agree "a lite Floe" controlled --lite "$AIOICE --role controlling"
  agree "Floe hides its hosts behind names" controlling --hide-hosts "$AIOICE --role controlled"

  for role in controlling controlled; do
    meet "both $role, $loss % loss" <<END
a left $FLOE_PEER --role $role
b right $AIOICE --role $role
await both state connected
tell both data 100
await both data ok 100
END
  done
}

for percent in 0 15; do
  loses "$percent"
  all_kinds
done
show_loss
finish
