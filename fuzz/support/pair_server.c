#include <stdlib.h>
#include <string.h>

#include "support/pair_world.h"

static void drain_server(pw_world *w);

bool pw_is_server(const pw_world *w, const floe_addr *to) {
  floe_addr v4 = pw_ip("192.0.2.1");
  return w->ts != NULL && to->port == 3478 && floe_addr_equal_ip(to, &v4);
}

static pw_relay *find_relay(pw_world *w, const floe_addr *to, floe__ts_relay id) {
  for (size_t i = 0; i < PW_RELAYS; i++) {
    pw_relay *r = &w->relays[i];
    if (to != NULL ? r->id != 0 && pw_is_same(&r->addr, to) : r->id == id) return r;
  }
  return NULL;
}

bool pw_reach_server(pw_world *w, const pw_event *e) {
  if (w->ts == NULL) return false;
  floe_bytes data = {e->data, e->len};
  const pw_relay *r = find_relay(w, &e->to, 0);
  if (r != NULL) {
    floe__testserver_on_relay_datagram(w->ts, w->now, r->id, &e->from, data);
  } else if (pw_is_server(w, &e->to)) {
    floe__testserver_on_datagram(w->ts, w->now, w->ts_udp, &e->from, data);
  } else {
    return false;
  }
  drain_server(w);
  return true;
}

static void open_relay(pw_world *w, const floe__ts_output *out) {
  pw_relay *r = find_relay(w, NULL, 0);
  floe_addr local = out->local;
  local.port = w->next_relay_port++;
  if (r != NULL) *r = (pw_relay){out->relay, local};
  floe__testserver_on_relay_opened(w->ts, w->now, out->relay, r != NULL, &local);
}

static void send_of_server(pw_world *w, const floe_addr *from, const floe__ts_output *out) {
  pw_event e = {.kind = PW_PACKET, .host = PW_SERVER, .from = *from, .to = out->to};
  pw_put_on_way(w, e, out->data);
}

static void drain_server(pw_world *w) {
  floe_addr own = pw_ip("192.0.2.1:3478");
  for (int i = 0; i < 20000; i++) {
    floe__ts_output out;
    floe__testserver_poll(w->ts, &out);
    pw_relay *r;
    switch (out.type) {
      case FLOE__TS_WAIT: return;
      case FLOE__TS_SEND: send_of_server(w, &own, &out); break;
      case FLOE__TS_SEND_CONN: pw_send_stream(w, PW_SERVER, out.conn, out.data); break;
      case FLOE__TS_CLOSE_CONN: pw_close_stream(w, PW_SERVER, out.conn, out.reset ? PW_RESET : PW_STREAM_END); break;
      case FLOE__TS_OPEN_RELAY: open_relay(w, &out); break;
      case FLOE__TS_SEND_RELAY:
        r = find_relay(w, NULL, out.relay);
        if (r != NULL) send_of_server(w, &r->addr, &out);
        break;
      case FLOE__TS_CLOSE_RELAY:
        r = find_relay(w, NULL, out.relay);
        if (r != NULL) r->id = 0;
        break;
    }
  }
  abort();
}

void pw_serve(pw_world *w, uint8_t flags) {
  floe__ts_script script = {.error_code = 486, .times = 1, .delay_ms = 50};
  script.fault = (floe__ts_fault)((flags & 0x3f) % ((unsigned)FLOE__TS_FORGET_ALLOCATION + 1));
  floe__ts_config cfg = {.username = "user", .credential = "secret", .unix_s = 1750000000};
  cfg.relay_ipv4 = pw_ip("192.0.2.1");
  cfg.lifetime_s = (flags & 64) != 0 ? 30 : 0;
  if (w->ts_env == NULL) FLOE__ASSERT(floe_env_new(&w->ts_env, NULL) == FLOE_OK);
  w->ts = floe__testserver_new(w->ts_env, &cfg);
  FLOE__ASSERT(w->ts != NULL);
  floe_addr own = pw_ip("192.0.2.1:3478");
  w->ts_udp = floe__testserver_listen(w->ts, FLOE_TRANSPORT_UDP, &own, &script);
  w->ts_tcp = floe__testserver_listen(w->ts, FLOE_TRANSPORT_TCP, &own, &script);
  w->next_relay_port = 49152;
}

void pw_stop_server(pw_world *w) {
  floe__testserver_free(w->ts);
  w->ts = NULL;
  memset(w->relays, 0, sizeof w->relays);
}

/* --- connections, time -------------------------------------------------------------------------------------------- */

void pw_server_accept(pw_world *w, uint32_t conn, const floe_addr *from) {
  floe__testserver_on_accept(w->ts, w->now, w->ts_tcp, conn, from);
  drain_server(w);
}

void pw_server_on_stream(pw_world *w, const pw_event *e, pw_end *end) {
  if (w->ts == NULL) return;
  if (e->kind == PW_STREAM) {
    floe__testserver_on_bytes(w->ts, w->now, end->id, (floe_bytes){e->data, e->len});
  } else {
    end->is_over = true;
    floe__testserver_on_end(w->ts, w->now, end->id);
  }
  drain_server(w);
}

floe_time pw_server_time(const pw_world *w) {
  if (w->ts == NULL) return FLOE_TIME_NEVER;
  floe__ts_output out;
  floe__testserver_poll(w->ts, &out);
  FLOE__ASSERT(out.type == FLOE__TS_WAIT);
  return out.wait.at;
}

void pw_server_on_timer(pw_world *w) {
  floe__testserver_on_timer(w->ts, w->now);
  drain_server(w);
}
