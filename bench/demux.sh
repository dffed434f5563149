#!/bin/sh
# Instructions per datagram of bench_demux, counted by callgrind: (I(2200 datagrams) - I(200)) / 2000.
#
#   bench/demux.sh path/to/bench_demux
set -eu
bench=${1:?usage: demux.sh path/to/bench_demux}

instructions() { # kind, agents, datagrams
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" count "$1" "$2" "$3" 2>&1) || true
  n=$(printf '%s\n' "$log" | sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
  if [ -z "$n" ]; then
    printf '%s\n' "$log" >&2
    exit 1
  fi
  echo "$n"
}

for kind in data check answer note; do
  one=
  for agents in 1 100 10000; do
    many=$(instructions "$kind" "$agents" 2200)
    few=$(instructions "$kind" "$agents" 200)
    each=$(((many - few) / 2000))
    : "${one:=$each}"
    printf '%-7s %6d agents %5d instructions, ratio %d.%02d\n' "$kind" "$agents" "$each" \
      $((each / one)) $((each * 100 / one % 100))
  done
done
