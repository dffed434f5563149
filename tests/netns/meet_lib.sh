# Two ICE peers in network namespaces, and the networks for them. Sourced after lib.sh.
#
#   FLOE_PEER   the program floe_peer (tests/interop)
#
# shellcheck shell=sh

: "${FLOE_PEER:?FLOE_PEER must be the path of the program floe_peer}"

# meet TITLE: the two peers of the scenario on standard input (meet.py).
meet() {
  n_cases=$((n_cases + 1))
  FLOE_ETC="$work/etc" python3 -B "$lib/meet.py" "$1" || failed=yes
}

# --- two hosts on one link --------------------------------------------------------------------------------------------

LEFT4=192.0.2.1
LEFT6=2001:db8:81::1
RIGHT4=192.0.2.2
RIGHT6=2001:db8:81::2

# They are each other's default router, because some programs take only the interface that leads to the Internet.
linked_network() {
  ns left right
  link left eth0 right eth0
  address left eth0 "$LEFT4/24" "$LEFT6/64"
  address right eth0 "$RIGHT4/24" "$RIGHT6/64"
  route left default via "$RIGHT4"
  route left default via "$RIGHT6"
  route right default via "$LEFT4"
  route right default via "$LEFT6"
}

# lossy NAMESPACE PERCENT: so much of what comes to it does not arrive, but for multicast DNS.
lossy() {
  rules "$1" <<END
table inet loss
delete table inet loss
table inet loss {
  chain input {
    type filter hook input priority filter; policy accept
    udp dport 5353 accept
    meta l4proto { udp, tcp } numgen random mod 100 < $2 counter drop
  }
}
END
}

# How much that was so far.
lost() {
  ip netns exec "$1" nft list table inet loss | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'
}

# --- two homes, a server, and a host with a public address ------------------------------------------------------------

LEFT_HOME=10.81.1.2
RIGHT_HOME=10.82.1.2
LEFT_NAT=203.0.113.2
RIGHT_NAT=203.0.113.10
OPEN4=192.0.2.2
PUBLIC4=198.51.100.2

# Namespaces left, left_nat, right, right_nat, open, server, and core between the last five.
homes_network() {
  ns left left_nat right right_nat open server core
  for router in left_nat right_nat core; do
    forward "$router"
  done
  for changing in left left_nat; do # a second address stays when the first is taken away
    set_kernel "$changing" ipv4/conf/all/promote_secondaries 1
  done
  home left 10.81.1 203.0.113.0
  home right 10.82.1 203.0.113.8
  link open eth0 core open
  address core open 192.0.2.1/24
  address open eth0 "$OPEN4/24"
  route open default via 192.0.2.1
  link server eth0 core server
  address core server 198.51.100.1/24
  address server eth0 "$PUBLIC4/24"
  route server default via 198.51.100.1
}

home() { # NAME NETWORK-INSIDE NETWORK-OUTSIDE
  home_outside=${3%.*}
  home_first=${3##*.}
  link "$1" eth0 "$1_nat" in0
  link "$1_nat" out0 core "$1"
  address "$1" eth0 "$2.2/24"
  address "$1_nat" in0 "$2.1/24"
  address "$1_nat" out0 "$home_outside.$((home_first + 2))/29"
  address core "$1" "$home_outside.$((home_first + 1))/29"
  route "$1" default via "$2.1"
  route "$1_nat" default via "$home_outside.$((home_first + 1))"
}

# nat NAMESPACE [OPTIONS-OF-MASQUERADE]: mappings that keep the port where it is free, which is one for all destinations,
# or with fully-random one for each. What nobody inside has asked for is dropped without a trace, as homes do.
nat() {
  rules "$1" <<END
table ip nat
delete table ip nat
table ip nat {
  chain input {
    type filter hook input priority filter; policy accept
    iifname "out0" ct state new drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    iifname "out0" ct state new drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade ${2:-}
  }
}
END
}

# lets_out NAMESPACE EXPRESSION: nothing else gets through it.
lets_out() {
  rules "$1" <<END
table inet firewall
delete table inet firewall
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    $2 accept
  }
}
END
}

# connects TITLE A-NAMESPACE A-ARGUMENTS A-PAIR B-NAMESPACE B-ARGUMENTS B-PAIR: two Floes connect, in both roles, over such
# a pair, and exchange data.
connects() {
  for roles in "controlling controlled" "controlled controlling"; do
    meet "$1 (${roles% *} to ${roles#* })" <<END
a $2 $FLOE_PEER --role ${roles% *} $3
b $5 $FLOE_PEER --role ${roles#* } $6
never both state failed*
never both refused *
await both state connected
tell both data 200
await both data ok 200
latest a pair $4
latest b pair $7
END
  done
}

# cannot TITLE A-NAMESPACE A-ARGUMENTS B-NAMESPACE B-ARGUMENTS CAUSE: no pair works, and both say so.
cannot() {
  meet "$1" <<END
a $2 $FLOE_PEER --role controlling $QUICK $3
b $4 $FLOE_PEER --role controlled $QUICK $5
never both state connected
never both pair *
status both 1
await both state failed $6
await both verdict $6 received=no *
END
}
QUICK="--patience 2000 --check-rto 100 --check-transmissions 4"
