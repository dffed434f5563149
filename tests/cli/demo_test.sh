# floe check --demo shows what it should, without a network.
. "${0%/*}/lib.sh"

check 0 --demo
has out "9 of 9 cases showed what they should."
has_not out "$(printf '\033')"
has_not out "demo-password"
[ ! -s "$DIR/err" ] || fail "words on standard error"
for word in auth_rejected port_unreachable udp_timeout tls_expired relay_no_data; do has out "  $word: *"; done
for number in 1 2 3 4 5 6 7 8 9; do has out "$number. *"; done
[ "$(grep -c '^PASS ' "$DIR/out")" -eq 4 ] || fail "not four that pass"
[ "$(grep -c '^FAIL ' "$DIR/out")" -eq 5 ] || fail "not five that fail"
check 0 --demo -v
has out "  attempt      *"
finish
