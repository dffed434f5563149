#include "connect_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"

int floe__socket_bind(const floe__place *place, char *why, size_t cap) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *list = NULL;
  int one = 1, fd = -1, end = getaddrinfo(place->host, place->port, &hints, &list);
  if (end != 0) {
    (void)snprintf(why, cap, "%s", gai_strerror(end));
    return -1;
  }
  for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0) break;
    (void)snprintf(why, cap, "%s", strerror(errno));
    if (fd >= 0) (void)close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  return fd;
}

const char *floe__socket_name(int fd, bool is_peer, char *buf) {
  struct sockaddr_storage ss;
  socklen_t len = sizeof ss;
  floe_addr addr = {.family = FLOE_FAMILY_NONE};
  int end = is_peer ? getpeername(fd, (struct sockaddr *)&ss, &len) : getsockname(fd, (struct sockaddr *)&ss, &len);
  if (end == 0 && ss.ss_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, &ss, sizeof in);
    addr.family = FLOE_FAMILY_IPV4;
    addr.port = ntohs(in.sin_port);
    memcpy(addr.ip, &in.sin_addr, 4);
  } else if (end == 0 && ss.ss_family == AF_INET6) {
    struct sockaddr_in6 in;
    memcpy(&in, &ss, sizeof in);
    addr.family = FLOE_FAMILY_IPV6;
    addr.port = ntohs(in.sin6_port);
    memcpy(addr.ip, &in.sin6_addr, 16);
  }
  return floe_addr_format(&addr, buf);
}

void floe__socket_reset(int fd) {
  const struct linger now = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* --- connecting --------------------------------------------------------------------------------------------------- */

struct floe__dial {
  uv_loop_t *loop;
  uv_getaddrinfo_t look_up;
  bool is_looking_up, is_cancelled;
  struct addrinfo *list, *next;
  floe__fd *fd; /* of the attempt that is under way */
  char why[160];
  floe__dial_handler handler;
  void *user;
};

static void free_dial(floe__dial *d) {
  floe__fd_close(d->fd);
  uv_freeaddrinfo(d->list);
  free(d);
}

static void finish(floe__dial *d, int fd) {
  d->handler(fd, d->why, d->user);
  free_dial(d);
}

static void try_next(floe__dial *d);

static void on_connected(floe__fd *f, int events, void *user) {
  floe__dial *d = user;
  int error = 0;
  socklen_t len = sizeof error;
  (void)events;
  if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
  int fd = error == 0 ? dup(f->fd) : -1; /* the handle of the attempt goes, its socket stays */
  if (error == 0 && fd < 0) error = errno;
  floe__fd_close(f);
  d->fd = NULL;
  if (fd >= 0) {
    finish(d, fd);
    return;
  }
  (void)snprintf(d->why, sizeof d->why, "%s", strerror(error));
  try_next(d);
}

static void try_next(floe__dial *d) {
  while (d->next != NULL) {
    const struct addrinfo *a = d->next;
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    d->next = a->ai_next;
    bool is_begun = fd >= 0 && (connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS);
    if (is_begun) {
      (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      d->fd = floe__fd_new(d->loop, fd, on_connected, d);
      floe__fd_want(d->fd, UV_WRITABLE);
      return;
    }
    (void)snprintf(d->why, sizeof d->why, "%s", strerror(errno));
    if (fd >= 0) (void)close(fd);
  }
  finish(d, -1);
}

static void on_looked_up(uv_getaddrinfo_t *handle, int status, struct addrinfo *list) {
  floe__dial *d = handle->data;
  d->is_looking_up = false;
  d->list = d->next = list;
  if (status != 0) (void)snprintf(d->why, sizeof d->why, "the name cannot be resolved: %s", uv_strerror(status));
  if (d->is_cancelled) {
    free_dial(d);
  } else {
    try_next(d);
  }
}

floe__dial *floe__dial_start(uv_loop_t *loop, const floe__place *place, floe__dial_handler handler, void *user) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  floe__dial *d = floe__cli_alloc(sizeof *d);
  d->loop = loop;
  d->handler = handler;
  d->user = user;
  d->look_up.data = d;
  d->is_looking_up = true;
  int end = uv_getaddrinfo(loop, &d->look_up, on_looked_up, place->host, place->port, &hints);
  if (end == 0) return d;
  (void)snprintf(d->why, sizeof d->why, "%s", uv_strerror(end));
  finish(d, -1);
  return NULL;
}

void floe__dial_cancel(floe__dial *d) {
  if (d == NULL) return;
  d->is_cancelled = true;
  if (d->is_looking_up) {
    (void)uv_cancel((uv_req_t *)&d->look_up); /* on_looked_up is called in any case */
  } else {
    free_dial(d);
  }
}
