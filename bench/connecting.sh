#!/bin/sh
# Time to `connected` over paths of 0, 20 and 100 ms round trip, Floe beside libnice in the same run.
#   bench/connecting.sh BENCH_CONNECTING
set -eu
exe=${1:?usage: bench/connecting.sh BENCH_CONNECTING}
nice=${exe}_nice
for one_way in 0 10 50; do
  echo "round trip $((2 * one_way)) ms"
  "$exe" time 20 "$one_way"
  [ ! -x "$nice" ] || "$nice" time 20 "$one_way"
done
