#!/bin/sh
# The quick tests (unit, vectors, sim) hold no sleep, socket, thread or wall clock: looks through their sources, and
# through what their objects ask for.
#
#   tools/check-quick.sh BUILD-DIR-OF-TESTS
set -eu
build=${1:?usage: tools/check-quick.sh BUILD-DIR-OF-TESTS}
here=$(cd "$(dirname "$0")/.." && pwd)
failed=0

calls='sleep|usleep|nanosleep|clock_nanosleep|socket|socketpair|bind|listen|connect|accept|send|sendto|sendmsg|sendmmsg'
calls="$calls|recv|recvfrom|recvmsg|recvmmsg|poll|ppoll|select|epoll_[a-z0-9]*|alarm|setitimer|pthread_[a-z_]*|thrd_[a-z_]*|fork"
calls="$calls|clock_gettime|gettimeofday|time|clock|timespec_get|srand|rand|random|getaddrinfo|system|popen|uv_[a-z_]*|ares_[a-z_]*"

cd "$here"
# The test of the virtual clock itself asks what libssl and usrsctp ask (tests/support/virtual_time.h).
if grep -rnE "(^|[^a-zA-Z0-9_>.\"])($calls)\(" tests/unit tests/vectors tests/sim --include='*.[ch]' |
  grep -v '^tests/unit/support/virtual_time_test.c:' | grep -vE ':[0-9]+: *(/?\*|//)'; then
  echo "check-quick: the quick tests must not use these" >&2
  failed=1
fi

objects=$(find "$build" -path '*test_unit_*.o' -o -path '*test_vectors_*.o' -o -path '*test_sim_*.o' |
  grep -v '/virtual_time_test\.c\.o$')
[ -n "$objects" ] || { echo "check-quick: no test objects below $build: is it built?" >&2; exit 1; }
# shellcheck disable=SC2086
if nm -A -u $objects | sed -E 's/@.*$//' | grep -E " ($calls)$"; then
  echo "check-quick: the objects of the quick tests ask for these" >&2
  failed=1
fi
# shellcheck disable=SC2086
[ $failed -ne 0 ] || echo "quick: $(echo $objects | wc -w) test objects, none sleeps, opens a socket or reads a clock"
exit $failed
