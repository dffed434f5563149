#!/bin/sh
# The core opens no socket, reads no clock, takes no lock, reads no environment and writes to no stream (docs/architecture.md):
# its archive asks for none of the functions that do. One object may take a lock: usrsctp is one per process, and the
# envs of a program are not (docs/decisions/0009-usrsctp-engine.md).
#
#   tools/check-symbols.sh ARCHIVE [COMPILER]
set -eu
archive=${1:?usage: tools/check-symbols.sh ARCHIVE [COMPILER]}
cc=${2:-cc}

forbidden='socket|socketpair|bind|listen|connect|accept4?|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg'
forbidden="$forbidden|shutdown|[gs]etsockopt|poll|ppoll|select|pselect|epoll_.*|eventfd|pipe2?|ioctl|fcntl"
forbidden="$forbidden|clock_gettime|clock|gettimeofday|time|ftime|timespec_get|localtime.*|gmtime|mktime|timer_.*|timerfd_.*"
forbidden="$forbidden|nanosleep|clock_nanosleep|u?sleep|alarm|setitimer|sched_yield"
forbidden="$forbidden|getaddrinfo|getnameinfo|gethostby.*|res_.*|getifaddrs|if_nametoindex|if_indextoname"
forbidden="$forbidden|pthread_.*|thrd_.*|mtx_.*|cnd_.*|call_once|sem_.*|fork|vfork|exec.*|system|popen|signal|sigaction|raise"
forbidden="$forbidden|v?[fd]?printf|vprintf|puts|fputs|putc|fputc|putchar|fwrite|perror|syslog|vsyslog|stdout|stderr|stdin"
forbidden="$forbidden|getenv|secure_getenv|setenv|putenv|environ"
forbidden="$forbidden|open|open64|openat|fopen|fopen64|freopen|fdopen|read|pread|write|pwrite|readv|writev|fread|fgets|getc|fgetc|mmap"
forbidden="$forbidden|rand|srand|random|srandom|rand_r|[a-z]rand48|getrandom|exit|_exit|atexit|setlocale|newlocale|strerror"
forbidden="$forbidden|BIO_new_(socket|connect|accept|file|fp|fd)|BIO_s_(socket|connect|accept|file|fd)|SSL_set_[rw]?fd|uv_.*|ares_.*"

# The symbols that an archive or object wants and does not have, without versions and without _FORTIFY_SOURCE's dressing.
wanted() {
  nm -A -u "$1" | sed -E 's/^(.*): +[Uuw] +/\1 /; s/@.*$//; s/ __(isoc99_)?([a-z]+)_chk$/ \2/' | sort -u
}
# One exception: usrsctp is one per process, so its file takes a mutex (docs/decisions/0009-usrsctp-engine.md).
offenders() {
  wanted "$1" | grep -vE ":usrsctp_engine\\.c\\.o pthread_mutex_(un)?lock$" | grep -E " ($forbidden)$"
}

# It must be able to fail.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/planted.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
long planted(const char *s);
long planted(const char *s) {
  printf("%s %d\n", s, socket(AF_INET, SOCK_DGRAM, 0));
  return getenv(s) ? (long)time(NULL) : 0;
}
END
for options in -O0 "-O2 -D_FORTIFY_SOURCE=2"; do
  # shellcheck disable=SC2086
  "$cc" -std=c11 $options -c "$dir/planted.c" -o "$dir/planted.o"
  ar rcs "$dir/planted.a" "$dir/planted.o"
  found=$(offenders "$dir/planted.a" | sed 's/.* //' | sort | tr '\n' ' ')
  if [ "$found" != "getenv printf socket time " ]; then
    echo "check-symbols: the planted symbols were not found, but: $found" >&2
    exit 1
  fi
done

count=$(wanted "$archive" | wc -l)
if [ "$count" -lt 50 ]; then
  echo "check-symbols: $archive wants only $count symbols: is it the core?" >&2
  exit 1
fi
if offenders "$archive"; then
  echo "check-symbols: the core must not use these" >&2
  exit 1
fi
echo "symbols: $count looked at, none forbidden"
