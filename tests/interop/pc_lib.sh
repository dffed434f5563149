# Floe's peer connection and a browser's. Sourced after ../netns/lib.sh, ../netns/meet_lib.sh and peers_lib.sh.
#
#   PC_PEER   the program pc_peer
#
# shellcheck shell=sh disable=SC2034,SC2154

need_browser() { # chromium|firefox
  : "${PC_PEER:?PC_PEER must be the path of the program pc_peer}"
  case $1 in
    chromium) command -v chromium-headless-shell >/dev/null || need chromium ;;
    firefox) command -v firefox-esr >/dev/null || need firefox ;;
  esac
}

# with_browser chromium|firefox ARGUMENTS-OF-pc_browser.py...: the scenarios that these choose.
with_browser() {
  n_cases=$((n_cases + 1))
  FLOE_ETC="$work/etc" python3 -B "$here/pc_browser.py" "$@" || failed=yes
}

# all_scenarios chromium|firefox: on a link that loses nothing, and some of them on one that does, where each loss in a
# row doubles the time until the next attempt.
all_scenarios() {
  with_browser "$1"
  with_browser "$1" --show-hosts --only "* offers, trickle, *" --note ", the browser's hosts are shown"
  loses 10
  FLOE_PATIENCE=90 with_browser "$1" --short --note ", $loss % loss" --only "* offers, trickle, Floe's hosts are hidden" \
    --only "messages of *" --only "a channel is closed, Floe closes, browser *" \
    --only "a channel is closed, browser closes, Floe *" --only "*restarts ICE, Floe has *"
  show_loss
}
