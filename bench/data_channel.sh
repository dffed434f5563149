#!/bin/sh
# Data channels of Floe beside those of the other stacks that are installed here, in one run.
#
#   bench/data_channel.sh BENCH_DATA_CHANNEL [ARGUMENTS-OF-data_channel.py...]
#
# As root it all happens in a network namespace with one address, so that nothing else of the host is in the way.
set -eu
exe=${1:?usage: bench/data_channel.sh BENCH_DATA_CHANNEL [ARGUMENTS...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
dir=$(cd "$(dirname "$exe")" && pwd)
exe=$dir/${exe##*/}
PATH=$PATH:/usr/sbin:/sbin

if [ "${FLOE_IN_NETNS:-}" != yes ]; then
  stacks=floe
  FLOE_NPM=${FLOE_NPM:-$dir/../npm}
  export FLOE_NPM
  if command -v node >/dev/null && command -v npm >/dev/null && "$here/../tools/npm-peers.sh" "$FLOE_NPM"; then
    stacks=$stacks,node_datachannel,wrtc,werift
  else
    echo "npm cannot get the packages of tests/interop/npm: without node-datachannel, wrtc and werift"
  fi
  if /usr/bin/python3 -c 'import aiortc' 2>/dev/null; then
    stacks=$stacks,aiortc
  else
    echo "python3-aiortc is not installed: without aiortc"
  fi
  FLOE_BENCH_STACKS=$stacks
  export FLOE_BENCH_STACKS
  if [ "$(id -u)" -eq 0 ] && unshare --net --pid --fork --kill-child --mount-proc true 2>/dev/null; then
    FLOE_IN_NETNS=yes exec unshare --net --pid --fork --kill-child --mount-proc sh "$0" "$exe" "$@"
  fi
else
  ip link set lo up
  ip link add eth0 type veth peer name eth1
  ip link set eth0 up
  ip link set eth1 up
  ip address add 10.0.0.1/24 dev eth0
  ip route add default via 10.0.0.2
fi
exec python3 -B "$here/data_channel.py" "$exe" "$dir/floe_path" --stacks "$FLOE_BENCH_STACKS" "$@"
