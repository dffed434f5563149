#include "testserver_uv/testserver_uv.h"

#include <string.h>

#include "testserver_uv/uv_internal.h"

floe_time floe__tsuv_now(void) {
  return uv_hrtime();
}

/* --- what the core wants ---------------------------------------------------------------------------------------- */

static void open_relay(floe__testserver_uv *server, const floe__ts_output *out) {
  floe__tsuv_socket *s = NULL;
  floe_addr bound = out->local;
  int r = floe__tsuv_open_udp(server, FLOE__TSUV_RELAY, &out->local, &s, &bound);
  if (r == 0) s->id = out->relay;
  floe__testserver_on_relay_opened(server->core, floe__tsuv_now(), out->relay, r == 0, &bound);
}

static void on_timer(uv_timer_t *timer) {
  floe__testserver_uv *server = timer->data;
  floe__testserver_on_timer(server->core, floe__tsuv_now());
  floe__tsuv_drain(server);
}

static void set_timer(floe__testserver_uv *server, floe_time at) {
  if (at == FLOE_TIME_NEVER) {
    (void)uv_timer_stop(&server->timer);
    return;
  }
  floe_time now = floe__tsuv_now();
  uint64_t ms = at > now ? (at - now + FLOE_MS - 1) / FLOE_MS : 0;
  uv_update_time(server->loop);
  (void)uv_timer_start(&server->timer, on_timer, ms, 0);
}

static void send_from(floe__tsuv_socket *s, const floe__ts_output *out) {
  if (s != NULL) floe__tsuv_send_datagram(s, &out->to, out->data);
}

/* False: that was the last output. */
static bool handle_output(floe__testserver_uv *server, const floe__ts_output *out) {
  floe__tsuv_socket *s;
  switch (out->type) {
    case FLOE__TS_WAIT: set_timer(server, out->wait.at); return false;
    case FLOE__TS_SEND: send_from(floe__tsuv_find(server, FLOE__TSUV_UDP, out->listener), out); break;
    case FLOE__TS_SEND_RELAY: send_from(floe__tsuv_find(server, FLOE__TSUV_RELAY, out->relay), out); break;
    case FLOE__TS_OPEN_RELAY: open_relay(server, out); break;
    case FLOE__TS_SEND_CONN:
      s = floe__tsuv_find(server, FLOE__TSUV_CONN, out->conn);
      if (s != NULL) floe__tsuv_write(s, out->data);
      break;
    case FLOE__TS_CLOSE_CONN:
      s = floe__tsuv_find(server, FLOE__TSUV_CONN, out->conn);
      if (s != NULL) floe__tsuv_end(s, out->reset);
      break;
    case FLOE__TS_CLOSE_RELAY:
      s = floe__tsuv_find(server, FLOE__TSUV_RELAY, out->relay);
      if (s != NULL) floe__tsuv_close_socket(s);
      break;
  }
  return true;
}

void floe__tsuv_drain(floe__testserver_uv *server) {
  floe__ts_output out;
  if (server->is_closing) return;
  do {
    floe__testserver_poll(server->core, &out);
  } while (handle_output(server, &out));
}

/* --- making and closing ----------------------------------------------------------------------------------------- */

static int64_t unix_s_at_zero(void) {
  uv_timeval64_t tv;
  if (uv_gettimeofday(&tv) != 0) return 0;
  return tv.tv_sec - (int64_t)(floe__tsuv_now() / FLOE_SECOND);
}

int floe__testserver_uv_new(floe__testserver_uv **out, uv_loop_t *loop, floe_env *env, const floe__ts_config *cfg) {
  *out = NULL;
  floe__testserver_uv *server = floe__zalloc(env, sizeof *server);
  if (server == NULL) return UV_ENOMEM;
  server->loop = loop;
  server->env = env;
  floe__ts_config with_clock = *cfg;
  if (with_clock.unix_s == 0) with_clock.unix_s = unix_s_at_zero();
  server->core = floe__testserver_new(env, &with_clock);
  int r = server->core == NULL ? UV_ENOMEM : uv_timer_init(loop, &server->timer);
  if (r != 0) {
    floe__testserver_free(server->core);
    floe__free(env, server);
    return r;
  }
  server->timer.data = server;
  server->open_handles = 1;
  *out = server;
  return 0;
}

int floe__testserver_uv_listen(floe__testserver_uv *server, floe_transport transport, const floe_addr *addr,
                               const floe__ts_script *script, floe_addr *bound) {
  floe__tsuv_socket *s = NULL;
  floe_addr at = *addr;
  int r = transport == FLOE_TRANSPORT_UDP ? floe__tsuv_open_udp(server, FLOE__TSUV_UDP, addr, &s, &at)
                                          : floe__tsuv_listen_tcp(server, addr, &s, &at);
  if (r != 0) return r;
  s->id = floe__testserver_listen(server->core, transport, &at, script);
  if (s->id == 0) {
    floe__tsuv_close_socket(s);
    return UV_ENOMEM;
  }
  if (bound != NULL) *bound = at;
  return 0;
}

floe__testserver *floe__testserver_uv_core(floe__testserver_uv *server) {
  return server->core;
}

void floe__tsuv_handle_closed(floe__testserver_uv *server) {
  if (--server->open_handles > 0) return;
  void (*on_closed)(void *user) = server->on_closed;
  void *user = server->user;
  floe__testserver_free(server->core);
  floe__free(server->env, server);
  if (on_closed != NULL) on_closed(user);
}

static void on_timer_closed(uv_handle_t *handle) {
  floe__tsuv_handle_closed(handle->data);
}

void floe__testserver_uv_close(floe__testserver_uv *server, void (*on_closed)(void *user), void *user) {
  if (server == NULL || server->is_closing) return;
  server->is_closing = true;
  server->on_closed = on_closed;
  server->user = user;
  for (floe__tsuv_socket *s = server->sockets; s != NULL; s = s->next) floe__tsuv_close_socket(s);
  uv_close((uv_handle_t *)&server->timer, on_timer_closed);
}
