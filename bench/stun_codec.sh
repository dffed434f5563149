#!/bin/sh
# Instructions per operation of bench_stun_codec, counted by callgrind: (I(2200 operations) - I(200)) / 2000.
#
#   bench/stun_codec.sh path/to/bench_stun_codec
#
# valgrind does not offer SHA-NI: the hash runs as plain instructions here, also in the floor.
set -eu
bench=${1:?usage: stun_codec.sh path/to/bench_stun_codec}

instructions() { # kind, operations
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" count "$1" "$2" 2>&1) || true
  n=$(printf '%s\n' "$log" | sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
  if [ -z "$n" ]; then
    printf '%s\n' "$log" >&2
    exit 1
  fi
  echo "$n"
}

per_operation() {
  many=$(instructions "$1" 2200)
  few=$(instructions "$1" 200)
  echo $(((many - few) / 2000))
}

for what in parse build; do
  ours=$(per_operation "$what")
  floor=$(per_operation "${what}_floor")
  printf '%s %6d instructions, floor %6d, ratio %d.%02d\n' "$what" "$ours" "$floor" \
    $((ours / floor)) $((ours * 100 / floor % 100))
done
