#!/bin/sh
# Both sides on this host, with two pipes as the people who copy and paste.
#
#   data_channel_test.sh PROGRAM
set -eu
program=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkfifo to-offerer to-answerer

# What each prints goes to the other up to the empty line; what follows is its message.
relay() { # FROM-FILE-OF-MESSAGES
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in '' | "$(printf '\r')") break ;; esac
  done
  cat >"$1"
}

"$program" answer <to-answerer 2>answer.err | relay answer.said >to-offerer &
"$program" offer <to-offerer 2>offer.err | relay offer.said >to-answerer
wait
[ "$(cat answer.said)" = "hello from C" ] || { cat answer.err; echo "the answerer heard: $(cat answer.said)"; exit 1; }
[ "$(cat offer.said)" = "HELLO FROM C" ] || { cat offer.err; echo "the offerer heard: $(cat offer.said)"; exit 1; }
grep -q '^connected$' offer.err
