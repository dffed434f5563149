#include "uv/sock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "uv/neterror.h"
#include "uv/os.h"
#include "uv/sockaddr.h"

/* How long a closed socket may go on sending what is queued. */
#define LINGER FLOE_SECOND

static void on_ready(uv_poll_t *poll, int status, int events) {
  floe__uv_sock *sock = poll->data;
  /* libuv stops a handle whose descriptor has an error; floe__uv_sock_watch starts it again. */
  if (status < 0) sock->watched = 0;
  if (sock->transport == FLOE_TRANSPORT_UDP) {
    floe__uv_udp_ready(sock, status, events);
  } else {
    floe__uv_tcp_ready(sock, status, events);
  }
  if (sock->state == FLOE__UV_SOCK_LINGERING && sock->first == NULL) floe__uv_sock_close(sock);
  floe__uv_sock_watch(sock);
}

static int wanted_events(const floe__uv_sock *sock) {
  int writable = sock->first != NULL ? UV_WRITABLE : 0;
  int readable = sock->transport == FLOE_TRANSPORT_UDP ? floe__uv_os_udp_events : UV_READABLE;
  switch (sock->state) {
    case FLOE__UV_SOCK_CONNECTING: return UV_WRITABLE;
    case FLOE__UV_SOCK_LISTENING: return UV_READABLE;
    case FLOE__UV_SOCK_PAUSED: return 0;
    case FLOE__UV_SOCK_OPEN: return readable | writable;
    case FLOE__UV_SOCK_ENDED:
    case FLOE__UV_SOCK_LINGERING: return writable;
    case FLOE__UV_SOCK_CLOSED: return 0;
  }
  return 0;
}

void floe__uv_sock_watch(floe__uv_sock *sock) {
  int events = wanted_events(sock);
  if (sock->state == FLOE__UV_SOCK_CLOSED || events == sock->watched) return;
  sock->watched = events;
  /* Fails only for a handle that is closing. With no events it stops the handle. */
  (void)uv_poll_start(&sock->poll, events, on_ready);
  /* The kernel is told at the loop's next turn, which an own loop must then have. */
  if (sock->uv->owns_loop) floe__uv_wake(sock->uv);
}

/* Where `id` is, or would be put: ids grow, so that is nearly always the end. */
static size_t place_of(const floe_uv_ice_agent *agent, floe_sock_id id) {
  size_t lo = 0;
  size_t hi = agent->n_socks;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (agent->socks[mid]->id < id) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

floe__uv_sock *floe__uv_sock_find(floe_uv_ice_agent *agent, floe_sock_id id) {
  size_t i = place_of(agent, id);
  if (i == agent->n_socks || agent->socks[i]->id != id) return NULL;
  floe__uv_sock *sock = agent->socks[i];
  bool is_gone = sock->state == FLOE__UV_SOCK_LINGERING || sock->state == FLOE__UV_SOCK_CLOSED;
  return is_gone ? NULL : sock;
}

static void on_alarm(floe__uv_alarm *alarm, floe_time now) {
  (void)now;
  floe__uv_sock *sock = (void *)((char *)alarm - offsetof(floe__uv_sock, alarm));
  if (sock->state != FLOE__UV_SOCK_PAUSED) {
    floe__uv_sock_close(sock);
    return;
  }
  sock->state = FLOE__UV_SOCK_LISTENING;
  floe__uv_sock_watch(sock);
}

/* Returns 0 or an errno. */
static int make_handle(floe__uv_sock *sock) {
  int err = -uv_poll_init(sock->uv->loop, &sock->poll, sock->fd);
  if (err != 0) return err;
  sock->poll.data = sock;
  floe__uv_handle_opened(sock->uv);
  return 0;
}

/* Returns 0 or an errno. */
static int start(floe__uv_sock *sock, const floe_output *out) {
  const floe_addr *local = &out->u.open.local;
  sock->family = floe__uv_sockaddr_family(local);
  sock->fd = floe__uv_os_socket(sock->family, sock->transport == FLOE_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM);
  if (sock->fd < 0) return -sock->fd;
  int on = 1;
  if (sock->family == AF_INET6 && setsockopt(sock->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return errno;
  int err = sock->transport == FLOE_TRANSPORT_UDP ? floe__uv_udp_start(sock, local) : floe__uv_tcp_start(sock, out);
  return err != 0 ? err : make_handle(sock);
}

/* A socket that has no handle yet. */
static void free_unstarted(floe__uv_sock *sock) {
  if (sock == NULL) return;
  if (sock->fd >= 0) (void)close(sock->fd);
  floe__uv_alarm_clear(&sock->uv->alarms, &sock->alarm);
  floe__uv_free(&sock->uv->mem, sock);
}

static floe__uv_sock *new_sock(floe_uv *uv) {
  floe__uv_sock *sock = floe__uv_zalloc(&uv->mem, sizeof *sock);
  if (sock == NULL) return NULL;
  sock->uv = uv;
  sock->fd = -1;
  if (floe__uv_alarm_init(&uv->alarms, &uv->mem, &sock->alarm, on_alarm)) return sock;
  free_unstarted(sock);
  return NULL;
}

static floe__uv_sock *new_sock_of(floe_uv_ice_agent *agent, floe_sock_id id) {
  floe_uv *uv = agent->uv;
  void *socks = agent->socks;
  bool has_room = floe__uv_reserve(&uv->mem, &socks, &agent->cap_socks, sizeof(floe__uv_sock *), agent->n_socks + 1);
  agent->socks = socks;
  floe__uv_sock *sock = has_room ? new_sock(uv) : NULL;
  if (sock == NULL) return NULL;
  sock->agent = agent;
  sock->id = id;
  return sock;
}

static void tell_failed(floe_uv_ice_agent *agent, floe_sock_id id, int os_error) {
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .sock = id};
  floe__uv_set_error(&in, os_error, text);
  floe__uv_agent_input(agent, &in);
}

int floe__uv_sock_local(const floe__uv_sock *sock, floe_addr *out) {
  struct sockaddr_storage local = {0};
  socklen_t len = sizeof local;
  if (getsockname(sock->fd, (struct sockaddr *)&local, &len) != 0) return errno;
  floe__uv_sockaddr_read(out, (const struct sockaddr *)&local);
  return 0;
}

/* There is room: new_sock_of has seen to it. */
static void add(floe_uv_ice_agent *agent, floe__uv_sock *sock) {
  size_t i = place_of(agent, sock->id);
  memmove(agent->socks + i + 1, agent->socks + i, (agent->n_socks - i) * sizeof(floe__uv_sock *));
  agent->socks[i] = sock;
  agent->n_socks++;
  floe__uv_sock_watch(sock);
}

void floe__uv_sock_open(floe_uv_ice_agent *agent, const floe_output *out) {
  floe_sock_id id = out->u.open.sock;
  floe__uv_sock *sock = new_sock_of(agent, id);
  int err = ENOMEM;
  if (sock != NULL) {
    sock->transport = out->u.open.transport;
    err = start(sock, out);
  }
  if (err != 0) {
    free_unstarted(sock);
    tell_failed(agent, id, err);
    return;
  }
  add(agent, sock);
  if (sock->state != FLOE__UV_SOCK_CONNECTING) floe__uv_sock_opened(sock);
}

floe__uv_sock *floe__uv_sock_open_shared(floe_uv *uv, const floe_addr *local,
                                         void (*tell)(floe__uv_sock *sock, const floe_input *in), void *user,
                                         int *err) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.local = *local;
  floe__uv_sock *sock = new_sock(uv);
  *err = ENOMEM;
  if (sock == NULL) return NULL;
  sock->transport = FLOE_TRANSPORT_UDP;
  sock->tell = tell;
  sock->user = user;
  *err = start(sock, &out);
  if (*err == 0) {
    floe__uv_sock_watch(sock);
    return sock;
  }
  free_unstarted(sock);
  return NULL;
}

void floe__uv_sock_tell(floe__uv_sock *sock, const floe_input *in) {
  if (sock->tell != NULL) {
    sock->tell(sock, in);
  } else {
    floe__uv_agent_input(sock->agent, in);
  }
}

void floe__uv_sock_accepted(floe__uv_sock *listener, int fd, const floe_addr *peer) {
  floe_uv_ice_agent *agent = listener->agent;
  bool has_name = agent->n_accepted < UINT32_MAX - FLOE_SOCK_ACCEPTED;
  floe__uv_sock *sock = has_name ? new_sock_of(agent, FLOE_SOCK_ACCEPTED + agent->n_accepted) : NULL;
  if (sock == NULL) {
    (void)close(fd);
    return;
  }
  sock->fd = fd;
  sock->transport = FLOE_TRANSPORT_TCP;
  sock->family = listener->family;
  sock->state = FLOE__UV_SOCK_OPEN;
  if (make_handle(sock) != 0) {
    free_unstarted(sock);
    return;
  }
  agent->n_accepted++;
  add(agent, sock);
  floe_input in = {.type = FLOE_INPUT_SOCKET_ACCEPTED, .sock = listener->id, .accepted = sock->id, .addr = *peer};
  floe__uv_agent_input(agent, &in);
}

void floe__uv_sock_pause(floe__uv_sock *listener, floe_time duration) {
  listener->state = FLOE__UV_SOCK_PAUSED;
  floe__uv_alarm_set(&listener->uv->alarms, &listener->alarm, floe_uv_now(listener->uv) + duration);
  floe__uv_wake(listener->uv); /* the drain arms the timer */
}

static void forget(floe_uv_ice_agent *agent, const floe__uv_sock *sock) {
  size_t i = place_of(agent, sock->id);
  memmove(agent->socks + i, agent->socks + i + 1, (agent->n_socks - i - 1) * sizeof(floe__uv_sock *));
  agent->n_socks--;
  floe__uv_agent_sock_gone(agent);
}

void floe__uv_sock_bound(floe__uv_sock *sock) {
  floe_input in = {.type = FLOE_INPUT_SOCKET_BOUND, .sock = sock->id};
  if (floe__uv_sock_local(sock, &in.addr) == 0) floe__uv_agent_input(sock->agent, &in);
}

void floe__uv_sock_opened(floe__uv_sock *sock) {
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = sock->id};
  int err = floe__uv_sock_local(sock, &in.addr);
  if (err != 0) {
    floe__uv_sock_fail(sock, err);
    return;
  }
  floe__uv_agent_input(sock->agent, &in);
}

void floe__uv_sock_fail(floe__uv_sock *sock, int os_error) {
  /* A socket that only lingers is the core's no more. */
  bool is_told = sock->state != FLOE__UV_SOCK_LINGERING;
  floe__uv_sock_close(sock);
  if (is_told) tell_failed(sock->agent, sock->id, os_error);
}

void floe__uv_sock_send(floe__uv_sock *sock, floe__uv_sender sender, const floe_output *out) {
  if (sock->transport == FLOE_TRANSPORT_UDP) {
    floe__uv_batch_add(sock->uv, sock, sender, out);
  } else {
    floe__uv_tcp_send(sock, out->u.transmit.data, out->u.transmit.dscp);
  }
}

bool floe__uv_sock_queue(floe__uv_sock *sock, const floe_addr *to, floe_bytes data, uint8_t dscp) {
  floe__uv_packet *packet = floe__uv_alloc(&sock->uv->mem, sizeof *packet + data.len);
  if (packet == NULL) return false;
  *packet = (floe__uv_packet){.len = data.len, .dscp = dscp};
  if (to != NULL) packet->to = *to;
  if (data.len > 0) memcpy(packet->data, data.ptr, data.len);
  if (sock->last != NULL) {
    sock->last->next = packet;
  } else {
    sock->first = packet;
  }
  sock->last = packet;
  sock->queued += data.len;
  if (sock->transport == FLOE_TRANSPORT_TCP) sock->agent->stream_queued += data.len;
  floe__uv_sock_watch(sock);
  return true;
}

void floe__uv_sock_drop_first(floe__uv_sock *sock) {
  floe__uv_packet *packet = sock->first;
  sock->first = packet->next;
  if (sock->first == NULL) sock->last = NULL;
  sock->queued -= packet->len;
  if (sock->transport == FLOE_TRANSPORT_TCP) sock->agent->stream_queued -= packet->len;
  floe__uv_free(&sock->uv->mem, packet);
}

void floe__uv_sock_end(floe__uv_sock *sock) {
  if (sock->first == NULL || sock->state == FLOE__UV_SOCK_CONNECTING) {
    floe__uv_sock_close(sock);
    return;
  }
  sock->state = FLOE__UV_SOCK_LINGERING;
  floe__uv_alarm_set(&sock->uv->alarms, &sock->alarm, floe_uv_now(sock->uv) + LINGER);
  floe__uv_sock_watch(sock);
}

static void on_closed(uv_handle_t *handle) {
  floe__uv_sock *sock = handle->data;
  floe_uv *uv = sock->uv;
  if (sock->agent != NULL) forget(sock->agent, sock);
  floe__uv_free(&uv->mem, sock);
  floe__uv_handle_closed(uv);
}

void floe__uv_sock_close(floe__uv_sock *sock) {
  if (sock->state == FLOE__UV_SOCK_CLOSED) return;
  while (sock->first != NULL) floe__uv_sock_drop_first(sock);
  sock->state = FLOE__UV_SOCK_CLOSED;
  sock->watched = 0;
  floe__uv_alarm_clear(&sock->uv->alarms, &sock->alarm);
  uv_close((uv_handle_t *)&sock->poll, on_closed);
  (void)close(sock->fd);
  sock->fd = -1;
}
