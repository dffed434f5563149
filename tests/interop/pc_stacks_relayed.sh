#!/bin/sh
# Floe's peer connection with others, both behind NATs where each destination has a mapping of its own: through coturn.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=coturn_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/coturn_lib.sh"
# shellcheck source=peers_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/peers_lib.sh"
# shellcheck source=pc_stacks_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/pc_stacks_lib.sh"
need_pc_peer
all="gstreamer aiortc"
if have_npm; then
  all="node_datachannel gstreamer werift aiortc"
else
  echo "npm cannot get the packages of tests/interop/npm: without node_datachannel and werift" >&2
  [ "${FLOE_REQUIRE_NPM:-0}" = 0 ] || exit 1
fi
need_aiortc
need_gstreamer
net_enter "$@"
need nft
need_coturn
homes_network
# shellcheck disable=SC2086
coturn main 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER
nat left_nat fully-random
nat right_nat fully-random
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
for stack; do
  with_stack "$stack" --relay "$PUBLIC4" connects
done
finish
