#!/bin/sh
# Floe's peer connection with that of node-datachannel.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=peers_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/peers_lib.sh"
# shellcheck source=pc_stacks_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/pc_stacks_lib.sh"
need_pc_peer
need_npm
net_enter "$@"
linked_network
with_stack node_datachannel "$@"
finish
