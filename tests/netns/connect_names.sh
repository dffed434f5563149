#!/bin/sh
# Two agents on one link that hide their hosts behind names: each is found by multicast DNS alone.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
# shellcheck source=meet_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/meet_lib.sh"
net_enter "$@"
linked_network

both_hide() { # TITLE ARGUMENTS-OF-BOTH
  meet "$1" <<END
a left $FLOE_PEER --role controlling --hide-hosts $2
b right $FLOE_PEER --role controlled --hide-hosts $2
never both state failed*
await both state connected
tell both data 100
await both data ok 100
END
}

both_hide "names on both sides" ""
both_hide "names for IPv4 alone" --no-ipv6
both_hide "names for IPv6 alone" --no-ipv4
finish
