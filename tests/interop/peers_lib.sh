# Floe and an agent of somebody else on one link. Sourced after ../netns/lib.sh and ../netns/meet_lib.sh.
# shellcheck shell=sh

here=$(cd "$(dirname "$0")" && pwd)

# python_with MODULE: sets $python to one that has it; Debian's packages are for Debian's Python only.
python_with() {
  for python in python3 /usr/bin/python3; do
    ! "$python" -c "import $1" 2>/dev/null || return 0
  done
  skip "no Python has the module $1"
}

# loses PERCENT: from now on both lose so much of what comes to them.
loses() {
  loss=$1
  lossy left "$loss"
  lossy right "$loss"
}

# What that was: a test that loses nothing, where it means to, shows nothing.
show_loss() {
  n_lost=$(($(lost left) + $(lost right)))
  echo "lost on purpose: $n_lost packets"
  [ "$n_lost" -gt 0 ] || failed=yes
}

# agree TITLE ROLE ARGUMENTS-OF-FLOE COMMAND-OF-THE-OTHER: both connect, Floe has this role, and data goes both ways.
agree() {
  meet "$1, $loss % loss" <<END
a left $FLOE_PEER --role $2 $3
b right $4
never a state failed*
never a refused *
await a state connected
await b state co*ed
latest a role $2
tell both data 100
await both data ok 100
END
}

# hears_nothing TITLE ROLE COMMAND-OF-THE-OTHER: the other's candidates are not handed over, so that Floe learns them from
# its checks (RFC 8445 7.3.1.3).
hears_nothing() {
  meet "$1, $loss % loss" <<END
a left $FLOE_PEER --role $2
b right $3
keep b candidate:*
never a state failed*
never a refused *
await a state connected
await b state co*ed
latest a pair host prflx udp *
END
}
