#!/bin/sh
# `floe nat` against coturn, which knows RFC 5780 when it has two addresses.
set -eu
lib_dir=$(dirname "$0")/../netns
# shellcheck source=../netns/lib.sh source-path=SCRIPTDIR
. "$lib_dir/lib.sh"
# shellcheck source=../netns/nat_lib.sh source-path=SCRIPTDIR
. "$lib_dir/nat_lib.sh"
# shellcheck source=coturn_lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/coturn_lib.sh"
net_enter "$@"
need nft
need_coturn
routed_network
OTHER4=198.51.100.3
address server eth0 "$OTHER4/24"

# It takes an option to switch RFC 5780 off in 4.6, and one to switch it on in later versions.
rfc5780=
turnserver --help 2>&1 | grep -qe ' --rfc5780' && rfc5780=--rfc5780
# shellcheck disable=SC2086
serve server two "Total General servers" turnserver -n --no-cli --log-file stdout --simple-log --userdb "$work/two.db" \
  --pidfile "$work/two.pid" --realm floe.test --no-tls --no-dtls --listening-port 3478 --alt-listening-port 3479 \
  --listening-ip "$SERVER4" --listening-ip "$OTHER4" --relay-ip "$SERVER4" $COTURN_USER $rfc5780
# shellcheck disable=SC2086
coturn one 3490 --listening-ip "$SERVER4" --relay-ip "$SERVER4" --no-tls --no-dtls $COTURN_USER

CERTAIN="mappingCertainty=certain filteringCertainty=certain loss=false"
two() {
  finds "$@" "stun:$SERVER4" --no-transports
}

two "no NAT" client 0 "mapping=none filtering=endpoint-independent other=$OTHER4:3479 $CERTAIN"
finds "TCP gets out: coturn refuses our credentials" client 0 "transport=tcp udp=open tcp=open tls=refused" "stun:$SERVER4"
finds "a coturn with one address" client 0 "mapping=none mappingCertainty=likely filtering=unknown other=null" \
  "turn:$SERVER4:3490" --no-transports

rules router <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
}
END
two "behind a NAT that keeps the port" client 0 \
  "mapping=endpoint-independent filtering=address-and-port-dependent hairpin=false portPreserved=true $CERTAIN"

inside router nft flush ruleset
rules router <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade fully-random
  }
}
END
two "behind one that takes another for each destination" client 0 \
  "mapping=address-and-port-dependent filtering=address-and-port-dependent hairpin=false $CERTAIN"
finish
