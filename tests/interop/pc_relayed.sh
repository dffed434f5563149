#!/bin/sh
# Floe's peer connection and a browser's, both behind NATs and with nothing but relays of coturn: over UDP, TCP and TLS.
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
# shellcheck source=pc_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/pc_lib.sh"
net_enter "$@"
need nft
need_coturn
need_browser chromium
need_browser firefox
homes_network
nat left_nat fully-random
nat right_nat fully-random
certificate_authority
certificate turn turn.floe.test
for host in left right; do
  echo "$PUBLIC4 turn.floe.test" >>"$work/etc/$host/hosts"
done
# shellcheck disable=SC2086
coturn main 3478 --listening-ip "$PUBLIC4" --relay-ip "$PUBLIC4" --tls-listening-port 5349 --no-dtls \
  --cert "$work/turn.pem" --pkey "$work/turn.key" $COTURN_USER
for browser in chromium firefox; do
  for url in "turn:$PUBLIC4" "turn:$PUBLIC4?transport=tcp" "turns:turn.floe.test?transport=tcp"; do
    with_browser "$browser" --server "$url" --user floe --credential floe-secret --ca "$work/ca.pem" \
      --trust "turn.floe.test:5349=$work/turn.pem"
  done
done
finish
