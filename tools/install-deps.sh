#!/bin/sh
# Installs the Debian packages that Floe needs and that are missing.
#
#   tools/install-deps.sh build     what `make demo` needs: to build the libraries and the command
#   tools/install-deps.sh test      that, and what `make test` needs
#   tools/install-deps.sh bench     what `make bench` needs
#
# Works as root or through sudo. Package lists are fetched only when a missing package is not known yet or cannot be
# had. Nothing is started: services of the packages installed here (coturn) stay off.
set -eu
LC_ALL=C
export LC_ALL

build_packages="cmake ninja-build gcc libc6-dev make pkg-config libssl-dev libuv1-dev libc-ares-dev libjansson-dev
  libunistring-dev libusrsctp-dev zlib1g-dev"
test_packages="clang libclang-rt-14-dev clang-format libcmocka-dev coturn dnsmasq-base nftables iproute2 doxygen
  groff openssl python3 libmicrohttpd-dev"
# Other ICE agents and peer connections, and another that speaks multicast DNS, for Floe's to talk with.
peer_packages="libnice-dev python3-aioice chromium-headless-shell firefox-esr avahi-daemon avahi-utils python3-aiortc
  python3-gi gstreamer1.0-plugins-bad gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0"
# Those of npm are installed by tools/npm-peers.sh; any Node.js from 18.20 on does.
node_packages=
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  node_packages="nodejs npm"
fi

case ${1-} in
  build) wanted=$build_packages ;;
  test) wanted="$build_packages $test_packages $peer_packages $node_packages" ;;
  bench) wanted="$build_packages valgrind libnice-dev iproute2 python3 python3-aiortc $node_packages" ;;
  *) echo "usage: $0 build|test|bench" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "$0: this is no Debian system; going on, in the hope that what these hold is installed: $wanted" >&2
  exit 0
fi

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

missing=
for package in $wanted; do
  is_installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "packages: all installed"
  exit 0
fi
echo "packages: installing$missing"

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "$0: must be root to install packages, and sudo is not here. As root, run: apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

# Debian's way to keep a package's service from being started (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
policy_is_ours=
restore_policy() {
  [ -z "$policy_is_ours" ] || $as_root rm -f "$policy"
}
trap restore_policy EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
fi

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -q "$@"
}
install_missing() {
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing </dev/null
}
is_known() {
  apt-cache show --no-all-versions "$1" >/dev/null 2>&1
}

updated=
for package in $missing; do
  if [ -z "$updated" ] && ! is_known "$package"; then
    echo "packages: $package is not in the package lists: fetching them"
    apt update </dev/null || true # one broken source must not hide the others
    updated=yes
  fi
done
if ! install_missing; then
  if [ -n "$updated" ]; then
    echo "$0: apt-get could not install:$missing" >&2
    exit 1
  fi
  echo "packages: trying again with new package lists"
  apt update </dev/null || true
  install_missing || { echo "$0: apt-get could not install:$missing" >&2; exit 1; }
fi
