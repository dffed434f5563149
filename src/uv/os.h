/* What each operating system does its own way. One of os_linux.c and os_portable.c is built. */
#ifndef FLOE_UV_OS_H
#define FLOE_UV_OS_H

#include <sys/socket.h>

#include "floe/types.h"

/* Datagrams read at once. A slot holds the largest there can be, so none is ever cut; only the pages that are written
 * to cost memory. */
#define FLOE__UV_SLOTS      8
#define FLOE__UV_SLOT_BYTES ((size_t)65536)

typedef struct floe__uv_received {
  floe_addr from;
  floe_bytes data; /* in the slots */
  size_t segment;  /* 0: one datagram; else several of this size, of which the last may be shorter */
} floe__uv_received;

/* An ICMP error about a datagram that a socket sent. */
typedef struct floe__uv_icmp {
  floe_addr to; /* where that was sent */
  uint8_t type; /* ICMPv6 type for an IPv6 `to` */
  uint8_t code;
  int os_error; /* how the system puts it */
} floe__uv_icmp;

/* What a UDP socket is watched for: UV_READABLE and, where errors have a queue of their own, UV_PRIORITIZED. */
extern const int floe__uv_os_udp_events;

/* A non-blocking socket that no child process inherits, or a negated errno. */
int floe__uv_os_socket(int family, int type);

void floe__uv_os_prepare_udp(int fd, int family); /* before it is bound */

/* Reads datagrams. Returns how many, 0 when there is none now, or a negated errno. */
int floe__uv_os_receive(int fd, uint8_t *slots, floe__uv_received out[FLOE__UV_SLOTS]);

/* Takes the next ICMP error; false when there is none. */
bool floe__uv_os_next_icmp(int fd, floe__uv_icmp *out);

/* Takes a connection off a listening socket, non-blocking and not inherited, or a negated errno. */
int floe__uv_os_accept(int fd, floe_addr *peer);

/* How many datagrams floe__uv_os_send_segments takes at once; 1 where the system has no such call. */
extern const size_t floe__uv_os_max_segments;

/* sendto() with a differentiated services code point, of this datagram alone. Returns 0 or an errno. */
int floe__uv_os_send_marked(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data, uint8_t dscp);

/* The same for several datagrams of `segment` bytes, of which the last may be shorter: all or none. */
int floe__uv_os_send_segments(int fd, const struct sockaddr_storage *to, socklen_t to_len, floe_bytes data,
                              size_t segment, uint8_t dscp);

/* send() that raises no signal. Returns how many bytes were taken, or a negated errno. */
ssize_t floe__uv_os_send(int fd, const uint8_t *data, size_t len);

/* Sets is_temporary and is_deprecated where the system tells, and removes addresses that cannot be used. Returns how
 * many are left. */
size_t floe__uv_os_review_interfaces(floe_interface *list, size_t n);

/* A descriptor that is readable when the host's addresses may have changed, or a negated errno. */
int floe__uv_os_open_changes(void);
/* Reads what it has. Returns 1 when something may have changed, 0 when not, a negated errno when it is broken. */
int floe__uv_os_read_changes(int fd);

#endif
