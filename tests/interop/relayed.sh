#!/bin/sh
# With libnice, aioice and Chromium behind NATs: through coturn, where each destination has a mapping of its own, and
# directly, where one is for all.
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
net_enter "$@"
need nft
need_coturn
[ -n "${NICE_PEER:-}" ] || skip "libnice is not installed"
command -v chromium-headless-shell >/dev/null || need chromium
python_with aioice
homes_network
# shellcheck disable=SC2086
coturn main 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --no-tls --no-dtls $COTURN_USER
STUN="--server stun:$PUBLIC4"
TURN="--server turn:$PUBLIC4 --user floe --credential floe-secret"
AIOICE="$python -B $here/aioice_peer.py"
CHROMIUM="python3 -B $here/chromium_peer.py --show-hosts"

# through TITLE ARGUMENTS-OF-FLOE COMMAND-OF-THE-OTHER FLOE-PAIR: both roles, with data where the other can.
through() {
  for roles in "controlling controlled" "controlled controlling"; do
    case $3 in
      *chromium*) data="latest a stranger 22" ;;
      *) data="tell both data 50
await both data ok 50" ;;
    esac
    meet "$1, Floe ${roles% *}" <<END
a left $FLOE_PEER --role ${roles% *} $2
b right $3 --role ${roles#* }
never a state failed*
never a refused *
await a state connected
await b state co*ed
$data
latest a pair $4
END
  done
}

nat left_nat fully-random
nat right_nat fully-random
for one in "libnice=$NICE_PEER" "aioice=$AIOICE" "Chromium=$CHROMIUM"; do
  name=${one%%=*}
  peer=${one#*=}
  through "$name and Floe, each with a relay" "$TURN" "$peer $TURN" "*relay* udp *"
  # aioice 0.8 takes no Data indications, so that its relay hears nobody but those whom it has sent to.
  [ "$name" = aioice ] || through "$name has the relay" "$STUN" "$peer $TURN" "prflx relay udp $LEFT_NAT:* $PUBLIC4:*"
  through "Floe has the relay, $name none" "$TURN" "$peer $STUN" "relay:udp prflx udp $PUBLIC4:* $RIGHT_NAT:*"
done

nat left_nat
nat right_nat
for one in "libnice=$NICE_PEER" "aioice=$AIOICE" "Chromium=$CHROMIUM"; do
  through "${one%%=*}, one mapping for all destinations: directly" "$STUN" "${one#*=} $STUN" \
    "srflx srflx udp $LEFT_NAT:* $RIGHT_NAT:*"
done
finish
