# Floe's peer connection and that of another stack. Sourced after ../netns/lib.sh, ../netns/meet_lib.sh and peers_lib.sh.
#
#   PC_PEER    the program pc_peer
#   FLOE_NPM   the folder where packages of npm are installed, or to be installed
#
# shellcheck shell=sh disable=SC2034,SC2154

need_pc_peer() {
  [ -n "${PC_PEER:-}" ] || skip "pc_peer was not built"
}

# Before net_enter: npm needs the network of this machine. A machine that can make namespaces need not reach npm's registry:
# without it this is skipped, unless FLOE_REQUIRE_NPM is set.
have_npm() {
  [ "${FLOE_IN_NETNS:-}" != yes ] || [ -f "${FLOE_NPM:?FLOE_NPM must be a folder}/installed.json" ] || return 1
  [ "${FLOE_IN_NETNS:-}" != yes ] || return 0
  need node npm flock
  "$here/../../tools/npm-peers.sh" "${FLOE_NPM:?FLOE_NPM must be a folder}"
}

need_npm() {
  have_npm && return 0
  if [ "${FLOE_REQUIRE_NPM:-0}" != 0 ]; then
    echo "FAILED, not skipped, because FLOE_REQUIRE_NPM is set: npm cannot get the packages of tests/interop/npm" >&2
    exit 1
  fi
  echo "skipped: npm cannot get the packages of tests/interop/npm" >&2
  exit 77
}

# Debian's packages are for Debian's Python only.
need_aiortc() {
  /usr/bin/python3 -c "import aiortc" 2>/dev/null || skip "/usr/bin/python3 has no module aiortc"
}

need_gstreamer() {
  /usr/bin/python3 -c "
import gi
gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0'); gi.require_version('GstSdp', '1.0')
from gi.repository import Gst, GstSdp, GstWebRTC
Gst.init(None)
assert Gst.ElementFactory.make('webrtcbin') and Gst.ElementFactory.make('nicesrc') and Gst.ElementFactory.make('sctpenc')
" 2>/dev/null || skip "GStreamer's webrtcbin is not installed, or not for /usr/bin/python3"
}

# with_stack STACK ARGUMENTS-OF-pc_stacks.py...: the scenarios that these choose, or all.
with_stack() {
  n_cases=$((n_cases + 1))
  FLOE_ETC="$work/etc" python3 -B "$here/pc_stacks.py" "$@" || failed=yes
}
