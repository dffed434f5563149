#!/bin/sh
# nat-matrix.sh [build directory] - writes docs/nat-matrix.md from simulated connections.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
FLOE_NAT_MATRIX=$root/docs/nat-matrix.md "$build/tests/test_sim_connect_nat_matrix"
