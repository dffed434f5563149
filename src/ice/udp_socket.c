#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/rng.h"
#include "ice/base.h"

static void go(floe__udp_socket *s, floe__udp_state next) {
  switch (next) {
    case FLOE__UDP_IDLE: break;
    case FLOE__UDP_OPENING: FLOE__ASSERT(s->state == FLOE__UDP_IDLE || s->state == FLOE__UDP_OPENING); break;
    case FLOE__UDP_OPEN: FLOE__ASSERT(s->state == FLOE__UDP_OPENING); break;
    case FLOE__UDP_FAILED: FLOE__ASSERT(s->state == FLOE__UDP_IDLE || s->state == FLOE__UDP_OPENING); break;
    case FLOE__UDP_CLOSED: FLOE__ASSERT(s->state == FLOE__UDP_OPENING || s->state == FLOE__UDP_OPEN); break;
  }
  s->state = next;
}

static void fail(floe__udp_socket *s, floe_cause cause, const floe_input *in /* nullable */) {
  s->cause = cause;
  s->os_error = in == NULL ? 0 : in->os_error;
  bool has_text = in != NULL && in->os_error_text != NULL;
  (void)snprintf(s->os_error_text, sizeof s->os_error_text, "%s", has_text ? in->os_error_text : "");
  go(s, FLOE__UDP_FAILED);
}

static floe_sock_id open_kind(const floe__udp_socket *s, floe__io *io) {
  switch (s->kind) {
    case FLOE__SOCKET_UDP: break;
    case FLOE__SOCKET_SHARED_UDP: return floe__io_open_shared(io, &s->local);
    case FLOE__SOCKET_LISTENER: return floe__io_open_tcp(io, &s->local, NULL, false);
    case FLOE__SOCKET_SO_LISTENER: return floe__io_open_tcp(io, &s->local, NULL, true);
  }
  return floe__io_open(io, FLOE_TRANSPORT_UDP, &s->local, NULL);
}

static void ask(floe__udp_socket *s, floe__io *io) {
  s->local.port = s->next_port;
  s->id = open_kind(s, io);
  if (s->id == 0) {
    fail(s, FLOE_CAUSE_SOCKET_FAILED, NULL);
    return;
  }
  go(s, FLOE__UDP_OPENING);
}

void floe__udp_open(floe__udp_socket *s, floe__io *io, const floe_addr *local, floe__socket_kind kind) {
  const floe_ice_config *cfg = &io->settings->cfg;
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->local = *local;
  if (cfg->port_min != 0 && kind != FLOE__SOCKET_SHARED_UDP) {
    /* Start at a random port of the range, so that agents side by side rarely meet. */
    s->ports_left = (uint32_t)(cfg->port_max - cfg->port_min) + 1;
    s->next_port = (uint16_t)(cfg->port_min + floe__random_below(io->env, s->ports_left));
  }
  ask(s, io);
}

void floe__udp_on_opened(floe__udp_socket *s, const floe_addr *local) {
  uint32_t scope = s->local.scope_id;
  s->local = *local;
  s->local.scope_id = scope;
  go(s, FLOE__UDP_OPEN);
}

void floe__udp_on_failed(floe__udp_socket *s, floe__io *io, const floe_input *in) {
  const floe_ice_config *cfg = &io->settings->cfg;
  bool in_use = in->net_error == FLOE_NET_ADDRESS_IN_USE;
  if (s->ports_left == 0 || !in_use) {
    fail(s, FLOE_CAUSE_SOCKET_FAILED, in);
    return;
  }
  if (--s->ports_left == 0) {
    fail(s, FLOE_CAUSE_PORT_RANGE_EXHAUSTED, in);
    return;
  }
  s->next_port = s->next_port >= cfg->port_max ? cfg->port_min : (uint16_t)(s->next_port + 1);
  ask(s, io);
}

void floe__udp_close(floe__udp_socket *s, floe__io *io) {
  if (s->state != FLOE__UDP_OPENING && s->state != FLOE__UDP_OPEN) return;
  if (!floe__io_close(io, s->id)) return; /* without memory the next close does it, or the end of the agent */
  go(s, FLOE__UDP_CLOSED);
}
