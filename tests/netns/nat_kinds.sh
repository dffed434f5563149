#!/bin/sh
# `floe nat` behind NATs and firewalls made of nftables: what it must find out follows from their rules.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
# shellcheck source=nat_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/nat_lib.sh"
net_enter "$@"
need nft

# A home behind a router, a host without a NAT, and a server with two addresses.
HOME4=10.81.1.2
OPEN4=192.0.2.2
OPEN6=2001:db8:81:1::2
OTHER4=198.51.100.3
PLAIN4=198.51.100.4
SECOND4=198.51.100.5
OTHER6=2001:db8:81:2::3
ns home nat open router server
link home eth0 nat in0
link nat out0 server eth0
link open eth0 router in0
link router out0 server eth1
forward nat
forward router
address home eth0 "$HOME4/24"
address nat in0 10.81.1.1/24
address nat out0 "$FAR4/24"
address open eth0 "$OPEN4/24" "$OPEN6/64"
address router in0 "$NEAR4/24" "$NEAR6/64"
address router out0 203.0.113.1/24 "$FAR6/64"
address server eth0 "$SERVER4/24" "$OTHER4/24" "$PLAIN4/24" "$SECOND4/24"
address server eth1 203.0.113.2/24 "$SERVER6/64" "$OTHER6/64"
route home default via 10.81.1.1
route open default via "$NEAR4"
route open default via "$NEAR6"
route router 198.51.100.0/24 via 203.0.113.2
route server 192.0.2.0/24 via 203.0.113.1
route server 2001:db8:81:1::/64 via "$FAR6"

testserver server square --alternate "$OTHER4:3479" --listen "udp:$SERVER4" --listen "tcp:$SERVER4" --listen "tls:$SERVER4:443"
testserver server square6 --alternate "[$OTHER6]:3479" --listen "udp:[$SERVER6]"
testserver server plain --listen "udp:$PLAIN4" --listen "udp:$SECOND4"

# The same with the server that has two addresses, over UDP alone.
examines() {
  finds "$@" "stun:$SERVER4" --no-transports
}

CERTAIN="mappingCertainty=certain filteringCertainty=certain loss=false"

nat() { # rules of the NAT, from standard input
  inside nat nft flush ruleset # connections that are known stay so, but each probe has new ports
  rules nat
}

# --- NATs ---------------------------------------------------------------------------------------------------------------

# Linux keeps the port where it can, and lets in what belongs to a connection.
nat <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
}
END
examines "masquerade: one port, and the filter of conntrack" home 0 \
  "mapping=endpoint-independent filtering=address-and-port-dependent hairpin=false portPreserved=true $CERTAIN"
finds "the same, two servers compared" home 0 \
  "mapping=endpoint-independent mappingCertainty=likely filtering=unknown filteringCertainty=guess hairpin=false" \
  "stun:$PLAIN4" "stun:$SECOND4" --no-transports --timeout 1
finds "the same, one server" home 1 "mapping=unknown mappingCertainty=guess filtering=unknown" \
  "stun:$PLAIN4" --no-transports --timeout 1

nat <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade fully-random
  }
}
END
examines "random ports: a mapping for each destination" home 0 \
  "mapping=address-and-port-dependent filtering=address-and-port-dependent hairpin=false $CERTAIN"
finds "the same, two servers compared" home 0 "mapping=dependent mappingCertainty=likely" \
  "stun:$PLAIN4" "stun:$SECOND4" --no-transports --timeout 1

# A public address of its own for one of the destinations.
address nat out0 198.51.100.9/24
nat <<END
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" ip daddr $OTHER4 meta l4proto udp snat to 198.51.100.9
    oifname "out0" masquerade
  }
}
END
examines "another public address for another destination" home 0 \
  "mapping=address-dependent filtering=address-and-port-dependent $CERTAIN"

# Everything that comes to the public address goes to the home: nothing is filtered.
nat <<END
table ip floe {
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname "out0" meta l4proto udp dnat to $HOME4
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
}
END
examines "all ports forwarded: open to everybody" home 0 \
  "mapping=endpoint-independent filtering=endpoint-independent hairpin=false $CERTAIN"

nat <<END
table ip floe {
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip daddr $FAR4 meta l4proto udp dnat to $HOME4
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
    ip saddr $HOME4 ip daddr $HOME4 snat to $FAR4
  }
}
END
examines "the same, and what goes to the public address comes back" home 0 \
  "mapping=endpoint-independent filtering=endpoint-independent hairpin=true $CERTAIN"

# Only who was sent to may send.
nat <<END
table ip floe {
  set known {
    type ipv4_addr
    flags dynamic, timeout
    timeout 1m
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname "out0" meta l4proto udp dnat to $HOME4
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
  chain forward {
    type filter hook forward priority filter
    iifname "in0" udp dport 3478-3479 udp sport != 0 update @known { ip daddr }
    iifname "out0" ip saddr != @known drop
  }
}
END
# The set is of addresses for the whole home, and the first socket sends to both: so nobody is kept out.
examines "a filter for the whole home" home 0 "mapping=endpoint-independent filtering=endpoint-independent"

nat <<END
table ip floe {
  set known {
    type inet_service . ipv4_addr
    flags dynamic, timeout
    timeout 1m
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname "out0" meta l4proto udp dnat to $HOME4
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
  chain forward {
    type filter hook forward priority filter
    iifname "in0" meta l4proto udp update @known { udp sport . ip daddr }
    iifname "out0" udp dport . ip saddr != @known drop
  }
}
END
examines "a filter by address" home 0 \
  "mapping=endpoint-independent filtering=address-dependent hairpin=false $CERTAIN"

# --- loss ---------------------------------------------------------------------------------------------------------------

# Of what goes to the other address and port every third packet: the second of those beside the tests.
nat <<END
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
  chain forward {
    type filter hook forward priority filter
    ip daddr $OTHER4 udp dport 3479 numgen inc mod 3 == 2 drop
  }
}
END
examines "a packet is lost: likely, and no longer certain" home 0 \
  "mapping=endpoint-independent filtering=address-and-port-dependent filteringCertainty=likely loss=true"

# --- no NAT -------------------------------------------------------------------------------------------------------------

examines "a host without a NAT" open 0 \
  "mapping=none filtering=endpoint-independent hairpin=null portPreserved=true $CERTAIN"
finds "IPv6" open 0 "family=6 mapping=none filtering=endpoint-independent $CERTAIN" "stun:[$SERVER6]" --no-transports
rules router <<'END'
table inet floe {
  chain forward {
    type filter hook forward priority filter
    ct state established,related accept
    iifname "out0" drop
  }
}
END
examines "a firewall that remembers" open 0 \
  "mapping=none filtering=address-and-port-dependent hairpin=null $CERTAIN"
finds "the same over IPv6" open 0 "family=6 mapping=none filtering=address-and-port-dependent $CERTAIN" \
  "stun:[$SERVER6]" --no-transports

# --- transports -----------------------------------------------------------------------------------------------------------

finds "all three get out" open 0 "udp=open tcp=open tls=connected" "stun:$SERVER4"
rules router <<'END'
table inet strict {
  chain forward {
    type filter hook forward priority filter
    iifname "in0" meta l4proto udp drop
  }
}
END
finds "UDP is dropped" open 4 "mapping=unknown cause=udp_timeout udp=blocked tcp=open tls=connected" \
  "stun:$SERVER4" --timeout 1
inside router nft flush ruleset
rules router <<'END'
table inet strict {
  chain forward {
    type filter hook forward priority filter
    iifname "in0" meta l4proto udp reject with icmpx admin-prohibited
    iifname "in0" tcp dport 3478 reject with tcp reset
    iifname "in0" tcp dport 5349 drop
  }
}
END
finds "only TLS on port 443 gets out" open 4 "cause=send_denied udp=blocked tcp=refused tls=connected" \
  "stun:$SERVER4" --timeout 1
finds "and on another port not" open 4 "tls=blocked" "stun:$SERVER4" --timeout 1 --tls-port 5349
finish
