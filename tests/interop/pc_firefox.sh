#!/bin/sh
# Floe's peer connection with Firefox's.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/meet_lib.sh source-path=SCRIPTDIR
. "$lib_dir/meet_lib.sh"
# shellcheck source=peers_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/peers_lib.sh"
# shellcheck source=pc_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/pc_lib.sh"
net_enter "$@"
need_browser firefox
linked_network
with_browser firefox "$@"
finish
