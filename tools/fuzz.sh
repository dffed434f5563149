#!/bin/sh
# Runs fuzz targets for some seconds each, from their seeds.
#
#   tools/fuzz.sh DIR SECONDS [NAME...]     DIR holds the fuzz_NAME executables; default: every one
#
# New inputs go to DIR/found/NAME, which the next run starts from as well; fuzz/corpus is never written to. A crash is
# left in DIR/found/NAME-crash-* and ends with status 1.
set -eu

[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$1
seconds=$2
shift 2
here=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -eq 0 ]; then
  for exe in "$dir"/fuzz_*; do
    if [ -f "$exe" ] && [ -x "$exe" ]; then
      set -- "$@" "${exe##*/fuzz_}"
    fi
  done
fi
[ $# -gt 0 ] || { echo "no fuzz targets in $dir" >&2; exit 1; }

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
failed=
for name; do
  found=$dir/found/$name
  mkdir -p "$found"
  set -- "$found"
  [ ! -d "$here/fuzz/corpus/$name" ] || set -- "$@" "$here/fuzz/corpus/$name"
  [ ! -f "$here/fuzz/dict/$name.dict" ] || set -- "$@" "-dict=$here/fuzz/dict/$name.dict"
  log=$dir/found/$name.log
  if "$dir/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$dir/found/$name-" "$@" >"$log" 2>&1; then
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s," \
      "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) edges, clean"
  else
    failed="$failed $name"
    echo "$name: FAILED, the end of $log:"
    tail -n 60 "$log"
  fi
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
