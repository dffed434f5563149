#!/bin/sh
# A client behind a NAT: server-reflexive candidates, relays over UDP and TCP, and relays that carry nothing.
set -eu
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
net_enter "$@"
need nft

# Two homes behind routers that masquerade: one has a public address, the other that of a carrier's NAT.
HOME4=10.81.1.2
CARRIER4=100.64.81.1
ns home nat shared carrier server
link home eth0 nat in0
link shared eth0 carrier in0
link nat out0 server eth0
link carrier out0 server eth1
forward nat
forward carrier
address home eth0 "$HOME4/24"
address nat in0 10.81.1.1/24
address nat out0 "$FAR4/24"
address shared eth0 "$HOME4/24"
address carrier in0 10.81.1.1/24
address carrier out0 "$CARRIER4/24"
address server eth0 "$SERVER4/24"
address server eth1 100.64.81.2/24
route home default via 10.81.1.1
route shared default via 10.81.1.1
route carrier default via 100.64.81.2
for one in nat carrier; do
  rules "$one" <<'END'
table ip floe {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "out0" masquerade
  }
}
END
done
# The second server's relays are behind a firewall that was forgotten.
rules server <<'END'
table inet floe {
  chain input {
    type filter hook input priority filter; policy accept
    iifname "lo" ip daddr 198.51.100.3 drop
  }
}
END
address server eth0 198.51.100.3/24

testserver server good --user floe --credential floe-secret --relay-ip "$SERVER4" \
  --listen "udp:$SERVER4:5001,relay-nothing" --listen "udp:$SERVER4:5002,relay-private" \
  --listen "udp:$SERVER4:5003,permission-error=403:Not for you" --listen "tcp:$SERVER4" --listen "udp:$SERVER4"
testserver server firewalled --user floe --credential floe-secret --relay-ip 198.51.100.3 --listen "udp:198.51.100.3"

turn() { # TITLE URL
  check "$1" home --user floe --credential floe-secret "$2"
}

check "STUN" home "stun:$SERVER4" <<END
exit 0
gathering
host udp $HOME4
srflx udp $FAR4 $HOME4 stun:$SERVER4
end
complete
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp $HOME4 $SERVER4:3478 mappedAddress=$FAR4:* redundant=-
END

check "two STUN servers see the same address: one is redundant" home "stun:$SERVER4" "stun:198.51.100.3" <<END
exit 0
gathering
host udp $HOME4
srflx udp $FAR4 $HOME4 stun:*
end
complete
report ok
server ok - stun:$SERVER4
  attempt candidate - - udp $HOME4 $SERVER4:3478 mappedAddress=$FAR4:*
server ok - stun:198.51.100.3
  attempt candidate - - udp $HOME4 198.51.100.3:3478 mappedAddress=$FAR4:*
END

turn "TURN over UDP" "turn:$SERVER4" <<END
exit 0
gathering
host udp $HOME4
relay udp $SERVER4 $FAR4 udp turn:$SERVER4
srflx udp $FAR4 $HOME4 turn:$SERVER4
end
complete
report ok
server ok - turn:$SERVER4
  attempt candidate - - udp $HOME4 $SERVER4:3478 mappedAddress=$FAR4:* relayedAddress=$SERVER4:* lifetime=600 realm=floe.test software=*
  test flows - udp $SERVER4 sent=10 arrivedOut=10 arrivedBack=10
END

turn "TURN over TCP tells no server-reflexive candidate" "turn:$SERVER4?transport=tcp" <<END
exit 0
gathering
host udp $HOME4
relay udp $SERVER4 * tcp turn:$SERVER4?transport=tcp
end
complete
report ok
server ok - turn:$SERVER4?transport=tcp
  attempt candidate - - tcp $HOME4 $SERVER4:3478 mappedAddress=$FAR4:* relayedAddress=$SERVER4:*
  test flows - tcp $SERVER4 sent=10 arrivedOut=10 arrivedBack=10
END

check "the address of a carrier's NAT" shared "stun:$SERVER4" <<END
exit 1
gathering
host udp $HOME4
srflx udp $CARRIER4 $HOME4 stun:$SERVER4
end
complete
report degraded
server degraded relay_private_address stun:$SERVER4
  attempt candidate - - udp $HOME4 $SERVER4:3478 mappedAddress=$CARRIER4:*
END

# --- relays that carry nothing ------------------------------------------------------------------------------------------

turn "a relay that relays nothing" "turn:$SERVER4:5001" <<END
exit 8
gathering
host udp $HOME4
relay udp $SERVER4 $FAR4 udp turn:$SERVER4:5001
srflx udp $FAR4 $HOME4 turn:$SERVER4:5001
end
complete
report failed
server failed relay_no_data turn:$SERVER4:5001
  attempt candidate - - udp $HOME4 $SERVER4:5001
  test no_data relay_no_data udp $SERVER4 sent=10 arrivedOut=0 arrivedBack=0
END

turn "a firewall before the relay's ports" turn:198.51.100.3 <<END
exit 8
gathering
host udp $HOME4
relay udp 198.51.100.3 $FAR4 udp turn:198.51.100.3
srflx udp $FAR4 $HOME4 turn:198.51.100.3
end
complete
report failed
server failed relay_no_data turn:198.51.100.3
  attempt candidate - - udp $HOME4 198.51.100.3:3478
  test no_data relay_no_data udp 198.51.100.3 sent=10 arrivedOut=0 arrivedBack=0
END

turn "a private relayed address" "turn:$SERVER4:5002" <<END
exit 8
gathering
host udp $HOME4
relay udp 192.168.77.1 $FAR4 udp turn:$SERVER4:5002
srflx udp $FAR4 $HOME4 turn:$SERVER4:5002
end
complete
report failed
server failed relay_private_address turn:$SERVER4:5002
  attempt candidate - - udp $HOME4 $SERVER4:5002 relayedAddress=192.168.77.1:*
  test no_data * udp 192.168.77.1
END

turn "no permission" "turn:$SERVER4:5003" <<END
exit 1
gathering
host udp $HOME4
relay udp $SERVER4 $FAR4 udp turn:$SERVER4:5003
srflx udp $FAR4 $HOME4 turn:$SERVER4:5003
end
complete
servererror 403 permission_failed turn:$SERVER4:5003 $HOME4 * udp 4 errorText="Not for you"
report degraded
server degraded permission_failed turn:$SERVER4:5003
  attempt candidate - - udp $HOME4 $SERVER4:5003
  test not_tested permission_failed udp $SERVER4 errorCode=403 errorText="Not for you" sent=-
END

check "no relay test" home --no-relay-test --user floe --credential floe-secret "turn:$SERVER4:5001" <<END
exit 0
gathering
host udp $HOME4
relay udp $SERVER4 $FAR4 udp turn:$SERVER4:5001
srflx udp $FAR4 $HOME4 turn:$SERVER4:5001
end
complete
report ok
server ok - turn:$SERVER4:5001
  attempt candidate - - udp $HOME4 $SERVER4:5001
END
finish
