#!/bin/sh
# Floe's peer connection with Chromium's: all scenarios, or with arguments those that they choose (pc_browser.py).
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
need nft
need_browser chromium
linked_network
if [ $# -gt 0 ]; then
  with_browser chromium "$@"
else
  all_scenarios chromium
fi
finish
