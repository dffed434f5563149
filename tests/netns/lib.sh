# Networks for tests: namespaces, links, servers, and `floe check` inside them. Sourced by the scripts beside it.
#
# Each script runs itself again in namespaces of its own (mount, network, processes): nothing of it is seen outside, runs
# side by side do not meet, and whatever happens to it, the kernel removes it all.
#
#   FLOE                  the command to test
#   FLOE_REQUIRE_NETNS=1  a test that cannot make its network fails, where it would be skipped
#   FLOE_KEEP=1           keep the directory with the outputs
#
# shellcheck shell=sh

: "${FLOE:?FLOE must be the path of the floe command}"
lib=$(cd "${lib_dir:-$(dirname "$0")}" && pwd)
work=
n_cases=0
PATH=$PATH:/usr/sbin:/sbin # where Debian has ip, nft and dnsmasq, and not every way to become root looks

skip() {
  if [ "${FLOE_REQUIRE_NETNS:-0}" != 0 ]; then
    echo "FAILED, not skipped, because FLOE_REQUIRE_NETNS is set: $*" >&2
    exit 1
  fi
  echo "skipped: $*" >&2
  exit 77
}

fail() {
  echo "cannot set the test up: $*" >&2
  exit 1
}

need() {
  for tool; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
}

# Runs the script again where it may do as it likes.
net_enter() {
  if [ "${FLOE_IN_NETNS:-}" != yes ]; then
    need ip unshare python3
    [ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
    unshare --mount --net --pid --fork --kill-child --mount-proc true 2>/dev/null ||
      skip "this machine does not let root make namespaces"
    FLOE_IN_NETNS=yes exec unshare --mount --net --pid --fork --kill-child --mount-proc sh "$0" "$@"
  fi
  work=$(mktemp -d)
  trap leave EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p /run/netns
  mount -t tmpfs floe /run/netns || fail "cannot mount /run/netns"
  # What a resolver's configuration can be changed with from outside.
  unset RES_OPTIONS LOCALDOMAIN HOSTALIASES CARES_HOSTS SSL_CERT_FILE SSL_CERT_DIR
  SSL_CERT_DIR=/nonexistent
  export SSL_CERT_DIR
}

leave() {
  status=$?
  trap - EXIT
  [ "$status" -eq 0 ] || show_servers
  if [ "${FLOE_KEEP:-0}" != 0 ]; then
    echo "kept: $work" >&2
  else
    rm -rf "$work"
  fi
  exit "$status"
}

show_servers() {
  for log in "$work"/server.*; do
    [ -s "$log" ] || continue
    echo "--- ${log##*/}"
    tail -n 20 "$log"
  done
}

# --- networks ---------------------------------------------------------------------------------------------------------

# ns NAME...: makes namespaces, with no limit on ICMP errors and no wait for new IPv6 addresses.
ns() {
  for name; do
    ip netns add "$name" || fail "ip netns add $name"
    mkdir -p "$work/etc/$name"
    : >"$work/etc/$name/resolv.conf"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$work/etc/$name/hosts"
    printf 'hosts: files dns\n' >"$work/etc/$name/nsswitch.conf"
    set_kernel "$name" ipv4/icmp_ratemask 0
    set_kernel "$name" ipv6/icmp/ratelimit 0
    set_kernel "$name" ipv6/conf/default/accept_dad 0
    set_kernel "$name" ipv6/conf/all/accept_dad 0
    ip -n "$name" link set lo up
  done
}

set_kernel() { # NAMESPACE PATH VALUE
  # shellcheck disable=SC2016
  ip netns exec "$1" sh -c 'echo "$1" >"/proc/sys/net/$0"' "$2" "$3" || fail "cannot set $2 in $1"
}

# inside NAMESPACE[@VARIANT] COMMAND...: runs a command in a namespace, with the /etc files of $work/etc/VARIANT.
inside() {
  (become "$@")
}

# become NAMESPACE[@VARIANT] COMMAND...: the same in place of the shell, so that the process id is the command's.
become() {
  inside_ns=${1%@*}
  inside_etc=${1#*@}
  shift
  # shellcheck disable=SC2016
  exec ip netns exec "$inside_ns" sh -c '
    for file in "$0"/*; do
      [ ! -e "/etc/${file##*/}" ] || mount --bind "$file" "/etc/${file##*/}" || exit 125
    done
    exec "$@"' "$work/etc/$inside_etc" "$@"
}

# resolvers VARIANT ADDRESS...: another /etc, whose resolv.conf names these; lines from standard input are added to its
# hosts file.
resolvers() {
  mkdir -p "$work/etc/$1"
  printf 'hosts: files dns\n' >"$work/etc/$1/nsswitch.conf"
  { printf '127.0.0.1 localhost\n::1 localhost\n'; cat; } >"$work/etc/$1/hosts"
  resolvers_file=$work/etc/$1/resolv.conf
  : >"$resolvers_file"
  shift
  for one; do
    printf 'nameserver %s\n' "$one" >>"$resolvers_file"
  done
}

link() { # NAMESPACE INTERFACE NAMESPACE INTERFACE: a cable between two namespaces
  ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" || fail "link $*"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}

address() { # NAMESPACE INTERFACE ADDRESS/BITS...
  address_ns=$1
  address_if=$2
  shift 2
  for one; do
    case $one in
      *:*) ip -n "$address_ns" address add "$one" dev "$address_if" nodad ;;
      *) ip -n "$address_ns" address add "$one" dev "$address_if" ;;
    esac || fail "address $one"
  done
}

route() { # NAMESPACE ARGUMENTS-OF-IP-ROUTE-ADD...
  route_ns=$1
  shift
  ip -n "$route_ns" route add "$@" || fail "route $*"
}

forward() { # NAMESPACE: makes it a router
  set_kernel "$1" ipv4/ip_forward 1
  set_kernel "$1" ipv6/conf/all/forwarding 1
}

# rules NAMESPACE: nftables rules from standard input
rules() {
  ip netns exec "$1" nft -f - || fail "nft rules of $1"
}

# The network of most tests: two hosts with public addresses and a router between them.
CLIENT4=192.0.2.2
CLIENT6=2001:db8:81:1::2
SERVER4=198.51.100.2
SERVER6=2001:db8:81:2::2
NEAR4=192.0.2.1 # the router's addresses at the client's side
NEAR6=2001:db8:81:1::1
FAR4=198.51.100.1 # and at the server's
FAR6=2001:db8:81:2::1

routed_network() {
  ns client router server
  link client eth0 router in0
  link server eth0 router out0
  forward router
  address client eth0 "$CLIENT4/24" "$CLIENT6/64"
  address router in0 "$NEAR4/24" "$NEAR6/64"
  address router out0 "$FAR4/24" "$FAR6/64"
  address server eth0 "$SERVER4/24" "$SERVER6/64"
  route client default via "$NEAR4"
  route client default via "$NEAR6"
  route server default via "$FAR4"
  route server default via "$FAR6"
}

# --- servers ----------------------------------------------------------------------------------------------------------

# serve NAMESPACE LOG READY COMMAND...: starts a server; it is ready when a line that matches READY (basic regular
# expression) is in its output. Its process id is then in $served.
serve() {
  serve_ns=$1
  serve_log=$work/server.$2
  [ ! -e "$serve_log" ] || fail "two servers have the log $2"
  serve_ready=$3
  shift 3
  become "$serve_ns" "$@" >>"$serve_log" 2>&1 &
  served=$!
  await "$serve_log" "$serve_ready" "$served"
}

# await FILE PATTERN [PID]: until the pattern is in the file, as long as the process lives.
await() {
  await_left=400
  until grep -q "$2" "$1" 2>/dev/null; do
    await_left=$((await_left - 1))
    if [ "$await_left" -eq 0 ] || { [ -n "${3:-}" ] && ! kill -0 "$3" 2>/dev/null; }; then
      fail "\"$2\" does not come in $1"
    fi
    sleep 0.05
  done
}

stop() { # PID
  kill "$1"
  wait "$1" 2>/dev/null || true
}

# testserver NAMESPACE LOG ARGUMENTS...
testserver() {
  testserver_ns=$1
  testserver_log=$2
  shift 2
  for last; do :; done
  case $last in # the line that comes last says that all ports are open
    *,*) last="listening .* (${last#*,})" ;;
    *) last="listening .* (correct)" ;;
  esac
  serve "$testserver_ns" "$testserver_log" "$last" "$FLOE" testserver --verbose "$@"
}

# --- certificates -----------------------------------------------------------------------------------------------------

# Makes an authority, $work/ca.pem.
certificate_authority() {
  need openssl
  mkdir "$work/ca"
  : >"$work/ca/index"
  cat >"$work/ca/conf" <<END
[ca]
default_ca = here
[here]
database = $work/ca/index
new_certs_dir = $work/ca
certificate = $work/ca.pem
private_key = $work/ca.key
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
END
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Floe test authority" \
    -keyout "$work/ca.key" -out "$work/ca.pem" >/dev/null 2>&1 || fail "openssl: the authority"
}

# certificate FILE NAME [FIRST LAST]: a certificate for NAME signed by the authority, FILE.pem and FILE.key in $work, good
# for a month from now, or between two times such as 20200131235959Z.
certificate() {
  certificate_file=$work/$1
  certificate_name=$2
  shift 2
  if [ $# -eq 2 ]; then
    set -- -startdate "$1" -enddate "$2"
  else
    set -- -days 30
  fi
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$certificate_name" \
    -keyout "$certificate_file.key" -out "$certificate_file.csr" >/dev/null 2>&1 || fail "openssl: the key of $certificate_file"
  printf 'subjectAltName=DNS:%s\n' "$certificate_name" >"$certificate_file.ext"
  openssl ca -batch -notext -config "$work/ca/conf" -in "$certificate_file.csr" -out "$certificate_file.pem" \
    -extfile "$certificate_file.ext" "$@" >"$work/ca/log" 2>&1 || {
    cat "$work/ca/log" >&2
    fail "openssl: the certificate of $certificate_file"
  }
}

self_signed() { # FILE NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2" -keyout "$work/$1.key" -out "$work/$1.pem" >/dev/null 2>&1 ||
    fail "openssl: the certificate of $1"
}

# --- checks -----------------------------------------------------------------------------------------------------------

# check TITLE NAMESPACE[@VARIANT] ARGUMENTS...: starts `floe check --json ARGUMENTS` in a namespace. What it must print
# comes on standard input, in the notation of expect.py. Checks run side by side until `judge`.
check() {
  check_title=$1
  check_ns=$2
  shift 2
  observe "$check_title" "$check_ns" "$FLOE" check --json "$@"
}

# observe TITLE NAMESPACE[@VARIANT] COMMAND...: the same of any command. What it prints is in the file $observed.
observe() {
  n_cases=$((n_cases + 1))
  case_dir=$work/cases/$(printf %03d "$n_cases")
  mkdir -p "$case_dir"
  observed=$case_dir/out
  : >"$observed"
  printf '%s\n' "$1" >"$case_dir/title"
  cat >"$case_dir/expect"
  case_ns=$2
  shift 2
  printf '%s\n' "$*" >"$case_dir/command"
  {
    case_status=0
    inside "$case_ns" "$@" >"$case_dir/out" 2>"$case_dir/err" </dev/null || case_status=$?
    echo "$case_status" >"$case_dir/status"
  } &
  checks="${checks:-} $!"
  # One after the other until it prints, so that they do not take each other's time: deadlines are real ones.
  until [ -s "$observed" ] || [ -e "$case_dir/status" ]; do
    sleep 0.01
  done
}

# Waits for all checks, and compares.
judge() {
  for pid in ${checks:-}; do
    wait "$pid" || true
  done
  checks=
  judge_status=0
  python3 -B "$lib/expect.py" "$work"/cases/* || judge_status=1
  if [ "${FLOE_KEEP:-0}" != 0 ]; then
    mkdir -p "$work/judged"
    mv "$work"/cases/* "$work/judged"
  else
    rm -rf "$work"/cases/*
  fi
  [ "$judge_status" -eq 0 ] || failed=yes
}

# saw TITLE LOG PATTERN COUNT: so many lines of a server's log match; COUNT is a pattern of the shell.
saw() {
  seen=$(grep -c "$3" "$work/server.$2") || true
  # shellcheck disable=SC2254
  case $seen in
    $4) echo "ok      $1" ;;
    *)
      echo "FAILED  $1: the log of $2 has $seen lines with \"$3\", expected $4"
      failed=yes
      ;;
  esac
}

# The end of each script.
finish() {
  [ -z "${checks:-}" ] || judge
  [ -z "${failed:-}" ] || exit 1
  echo "all $n_cases as expected"
}
