/* Sockets in general, and UDP. */
#include <string.h>

#include "base/addr.h"
#include "testserver_uv/uv_internal.h"

/* --- addresses -------------------------------------------------------------------------------------------------- */

int floe__tsuv_to_sockaddr(const floe_addr *addr, struct sockaddr_storage *out) {
  char ip[FLOE_ADDR_TEXT];
  memset(out, 0, sizeof *out);
  if (addr->family == FLOE_FAMILY_IPV4) {
    return uv_ip4_addr(floe_addr_format_ip(addr, ip), addr->port, (struct sockaddr_in *)out);
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
  int r = uv_ip6_addr(floe_addr_format_ip(addr, ip), addr->port, in6);
  if (r == 0) in6->sin6_scope_id = addr->scope_id;
  return r;
}

floe_addr floe__tsuv_from_sockaddr(const struct sockaddr *sa) {
  floe_addr addr = {0};
  if (sa->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, sa, sizeof in);
    addr.family = FLOE_FAMILY_IPV4;
    addr.port = ntohs(in.sin_port);
    memcpy(addr.ip, &in.sin_addr, 4);
  } else if (sa->sa_family == AF_INET6) {
    struct sockaddr_in6 in6;
    memcpy(&in6, sa, sizeof in6);
    addr.family = FLOE_FAMILY_IPV6;
    addr.port = ntohs(in6.sin6_port);
    memcpy(addr.ip, &in6.sin6_addr, 16);
    addr.scope_id = floe_addr_is_link_local(&addr) ? in6.sin6_scope_id : 0;
  }
  return addr;
}

/* --- the list --------------------------------------------------------------------------------------------------- */

floe__tsuv_socket *floe__tsuv_find(floe__testserver_uv *server, floe__tsuv_kind kind, uint32_t id) {
  floe__tsuv_socket *s = server->sockets;
  while (s != NULL && (s->kind != kind || s->id != id || s->is_closing)) s = s->next;
  return s;
}

floe__tsuv_socket *floe__tsuv_add_socket(floe__testserver_uv *server, floe__tsuv_kind kind) {
  floe__tsuv_socket *s = floe__zalloc(server->env, sizeof *s);
  if (s == NULL) return NULL;
  s->server = server;
  s->kind = kind;
  s->next = server->sockets;
  server->sockets = s;
  server->open_handles++;
  if (kind == FLOE__TSUV_CONN) server->n_conns++;
  return s;
}

static void unlink_socket(floe__tsuv_socket *s) {
  floe__tsuv_socket **at = &s->server->sockets;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  if (s->kind == FLOE__TSUV_CONN) s->server->n_conns--;
  floe__free(s->server->env, s);
}

void floe__tsuv_remove_socket(floe__tsuv_socket *s) {
  s->server->open_handles--;
  unlink_socket(s);
}

static void on_socket_closed(uv_handle_t *handle) {
  floe__tsuv_socket *s = handle->data;
  floe__testserver_uv *server = s->server;
  unlink_socket(s);
  floe__tsuv_handle_closed(server);
}

void floe__tsuv_close_socket(floe__tsuv_socket *s) {
  if (s->is_closing) return;
  s->is_closing = true;
  /* uv_tcp_close_reset refuses a connection that is being shut down; then it is closed in the ordinary way. */
  if (s->kind == FLOE__TSUV_CONN && s->reset && uv_tcp_close_reset(&s->uv.tcp, on_socket_closed) == 0) return;
  uv_close(&s->uv.handle, on_socket_closed);
}

/* --- UDP -------------------------------------------------------------------------------------------------------- */

void floe__tsuv_lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  floe__tsuv_socket *s = handle->data;
  *buf = uv_buf_init(s->server->buffer, sizeof s->server->buffer);
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  floe__tsuv_socket *s = udp->data;
  floe__testserver_uv *server = s->server;
  /* No address: nothing was left to read. An error (an ICMP message for an earlier datagram) concerns one peer only. */
  if (n < 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0) return;
  floe_addr addr = floe__tsuv_from_sockaddr(from);
  floe_bytes data = {(const uint8_t *)buf->base, (size_t)n};
  if (s->kind == FLOE__TSUV_RELAY) {
    floe__testserver_on_relay_datagram(server->core, floe__tsuv_now(), s->id, &addr, data);
  } else {
    floe__testserver_on_datagram(server->core, floe__tsuv_now(), s->id, &addr, data);
  }
  floe__tsuv_drain(server);
}

static int bind_udp(uv_udp_t *udp, const floe_addr *addr, floe_addr *bound) {
  struct sockaddr_storage sa;
  int len = sizeof sa;
  int r = floe__tsuv_to_sockaddr(addr, &sa);
  if (r == 0) r = uv_udp_bind(udp, (struct sockaddr *)&sa, addr->family == FLOE_FAMILY_IPV6 ? UV_UDP_IPV6ONLY : 0);
  if (r == 0) r = uv_udp_getsockname(udp, (struct sockaddr *)&sa, &len);
  if (r == 0) *bound = floe__tsuv_from_sockaddr((struct sockaddr *)&sa);
  if (r == 0) r = uv_udp_recv_start(udp, floe__tsuv_lend_buffer, on_datagram);
  return r;
}

int floe__tsuv_open_udp(floe__testserver_uv *server, floe__tsuv_kind kind, const floe_addr *addr,
                        floe__tsuv_socket **out, floe_addr *bound) {
  floe__tsuv_socket *s = floe__tsuv_add_socket(server, kind);
  if (s == NULL) return UV_ENOMEM;
  int r = uv_udp_init(server->loop, &s->uv.udp);
  if (r != 0) {
    floe__tsuv_remove_socket(s);
    return r;
  }
  s->uv.handle.data = s;
  r = bind_udp(&s->uv.udp, addr, bound);
  if (r != 0) {
    floe__tsuv_close_socket(s);
    return r;
  }
  *out = s;
  return 0;
}

void floe__tsuv_send_datagram(floe__tsuv_socket *s, const floe_addr *to, floe_bytes data) {
  struct sockaddr_storage sa;
  if (floe__tsuv_to_sockaddr(to, &sa) != 0) return;
  /* libuv's buffers are not const, though it only reads them. What cannot be sent at once is lost, as datagrams are. */
  uv_buf_t buf = uv_buf_init(NULL, (unsigned)data.len);
  memcpy(&buf.base, &data.ptr, sizeof buf.base);
  (void)uv_udp_try_send(&s->uv.udp, &buf, 1, (const struct sockaddr *)&sa);
}
