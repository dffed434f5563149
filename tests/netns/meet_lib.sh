# Two ICE peers in network namespaces. Sourced after lib.sh.
#
#   FLOE_PEER   the program floe_peer
#   NICE_PEER   the program nice_peer; empty where libnice is not installed
#
# shellcheck shell=sh

# meet TITLE: the two peers of the scenario on standard input (meet.py).
meet() {
  n_cases=$((n_cases + 1))
  FLOE_ETC="$work/etc" python3 -B "$lib/meet.py" "$1" || failed=yes
}

# Two hosts with public addresses, and a router between them that can lose packets.
LEFT4=192.0.2.2
LEFT6=2001:db8:81:1::2
RIGHT4=198.51.100.2
RIGHT6=2001:db8:81:2::2

peers_network() {
  ns left middle right
  link left eth0 middle in0
  link right eth0 middle out0
  forward middle
  address left eth0 "$LEFT4/24" "$LEFT6/64"
  address middle in0 192.0.2.1/24 2001:db8:81:1::1/64
  address middle out0 198.51.100.1/24 2001:db8:81:2::1/64
  address right eth0 "$RIGHT4/24" "$RIGHT6/64"
  route left default via 192.0.2.1
  route left default via 2001:db8:81:1::1
  route right default via 198.51.100.1
  route right default via 2001:db8:81:2::1
}

# lossy NAMESPACE PERCENT: it loses so much of what it forwards, either way.
lossy() {
  rules "$1" <<END
table inet loss
delete table inet loss
table inet loss {
  chain forward {
    type filter hook forward priority 10; policy accept
    numgen random mod 100 < $2 counter drop
  }
}
END
}

# What a lossy one has lost so far: so that a test without any loss is noticed.
lost() {
  ip netns exec "$1" nft list table inet loss | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'
}
