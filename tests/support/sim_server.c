#include "support/sim_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/sim_alloc.h"

#define MAX_OUTPUTS 100000

typedef struct listener {
  sim_server *sv;
  floe__ts_listener id;
  floe_transport transport;
  floe_addr local;
  floe__ts_script script;
  sim_udp *udp; /* NULL for TCP and TLS, and when stopped */
  sim_listener *tcp;
  struct listener *next;
} listener;

typedef struct conn {
  sim_server *sv;
  floe__ts_conn id;
  sim_tcp *tcp; /* NULL when it is over */
  struct conn *next;
} conn;

typedef struct relay {
  sim_server *sv;
  floe__ts_relay id;
  sim_udp *udp; /* NULL when closed, or never bound */
  floe_addr local;
  struct relay *next;
} relay;

struct sim_server {
  sim *s;
  sim_host *host;
  sim_env *env;
  floe__ts_config cfg;
  floe__testserver *core; /* NULL when stopped */
  listener *listeners;
  conn *conns;
  relay *relays;
  floe__ts_conn next_conn;
  floe_time wake_at;
};

static void drain(sim_server *sv);

/* --- sockets --------------------------------------------------------------------------------------------------- */

static void on_request(void *user, const floe_addr *from, floe_bytes data) {
  listener *l = user;
  floe__testserver_on_datagram(l->sv->core, sim_now(l->sv->s), l->id, from, data);
  drain(l->sv);
}

static void on_relay_datagram(void *user, const floe_addr *from, floe_bytes data) {
  relay *r = user;
  floe__testserver_on_relay_datagram(r->sv->core, sim_now(r->sv->s), r->id, from, data);
  drain(r->sv);
}

static void on_bytes(void *user, floe_bytes data) {
  conn *c = user;
  if (c->tcp == NULL) return;
  floe__testserver_on_bytes(c->sv->core, sim_now(c->sv->s), c->id, data);
  drain(c->sv);
}

static void end_conn(conn *c) {
  if (c->tcp == NULL) return;
  floe__testserver_on_end(c->sv->core, sim_now(c->sv->s), c->id);
  drain(c->sv);
}

static void on_end(void *user) {
  end_conn(user);
}

static void on_conn_failed(void *user, floe_net_error error) {
  (void)error;
  conn *c = user;
  end_conn(c);
  c->tcp = NULL;
}

static const sim_udp_ops listener_ops = {.on_datagram = on_request};
static const sim_udp_ops relay_ops = {.on_datagram = on_relay_datagram};
static const sim_tcp_ops conn_ops = {.on_failed = on_conn_failed, .on_bytes = on_bytes, .on_end = on_end};

static void on_accept(void *user, sim_tcp *tcp, const floe_addr *from) {
  listener *l = user;
  sim_server *sv = l->sv;
  conn *c = sim_keep(sv->s, sizeof *c);
  *c = (conn){.sv = sv, .id = ++sv->next_conn, .tcp = tcp, .next = sv->conns};
  sv->conns = c;
  sim_tcp_set(tcp, &conn_ops, c);
  floe__testserver_on_accept(sv->core, sim_now(sv->s), l->id, c->id, from);
  drain(sv);
}

static listener *listener_of(sim_server *sv, floe__ts_listener id) {
  listener *l = sv->listeners;
  while (l != NULL && l->id != id) l = l->next;
  return l;
}

static conn *conn_of(sim_server *sv, floe__ts_conn id) {
  conn *c = sv->conns;
  while (c != NULL && c->id != id) c = c->next;
  return c;
}

static relay *relay_of(sim_server *sv, floe__ts_relay id) {
  relay *r = sv->relays;
  while (r != NULL && r->id != id) r = r->next;
  return r;
}

/* --- outputs --------------------------------------------------------------------------------------------------- */

static void tell_relay_opened(void *user, void *payload) {
  (void)payload;
  relay *r = user;
  if (relay_of(r->sv, r->id) != r) return; /* of the server before */
  floe__testserver_on_relay_opened(r->sv->core, sim_now(r->sv->s), r->id, r->udp != NULL, &r->local);
  drain(r->sv);
}

static void open_relay(sim_server *sv, const floe__ts_output *out) {
  floe_net_error why;
  relay *r = sim_keep(sv->s, sizeof *r);
  *r = (relay){.sv = sv, .id = out->relay, .local = out->local, .next = sv->relays};
  sv->relays = r;
  r->udp = sim_udp_open(sv->host, &out->local, &relay_ops, r, &why);
  if (r->udp != NULL) r->local = sim_udp_local(r->udp);
  sim_after(sv->s, 0, tell_relay_opened, r, NULL);
}

static void close_relay(sim_server *sv, floe__ts_relay id) {
  relay *r = relay_of(sv, id);
  if (r == NULL || r->udp == NULL) return;
  sim_udp_close(r->udp);
  r->udp = NULL;
}

static void close_conn(sim_server *sv, const floe__ts_output *out) {
  conn *c = conn_of(sv, out->conn);
  if (c == NULL || c->tcp == NULL) return;
  if (out->reset) {
    sim_tcp_reset(c->tcp);
  } else {
    sim_tcp_close(c->tcp);
  }
  c->tcp = NULL;
}

static void send_on_listener(sim_server *sv, const floe__ts_output *out) {
  listener *l = listener_of(sv, out->listener);
  if (l == NULL || l->udp == NULL) {
    sim_fail(sv->s, "the test server sends on a listener that has no datagrams");
    return;
  }
  sim_udp_send(l->udp, &out->to, out->data);
}

static void on_timer(void *user, void *payload) {
  (void)payload;
  sim_server *sv = user;
  if (sim_now(sv->s) < sv->wake_at || sv->core == NULL) return; /* an earlier plan */
  sv->wake_at = FLOE_TIME_NEVER;
  floe__testserver_on_timer(sv->core, sim_now(sv->s));
  drain(sv);
}

static void wait_until(sim_server *sv, floe_time at) {
  if (at <= sim_now(sv->s)) {
    sim_fail(sv->s, "the test server waits for a time that has passed");
    return;
  }
  if (at == sv->wake_at) return;
  sv->wake_at = at;
  if (at != FLOE_TIME_NEVER) sim_at(sv->s, at, on_timer, sv, NULL);
}

static void handle_output(sim_server *sv, const floe__ts_output *out) {
  conn *c;
  relay *r;
  switch (out->type) {
    case FLOE__TS_WAIT: wait_until(sv, out->wait.at); return;
    case FLOE__TS_SEND: send_on_listener(sv, out); return;
    case FLOE__TS_SEND_CONN:
      c = conn_of(sv, out->conn);
      if (c != NULL && c->tcp != NULL) sim_tcp_send(c->tcp, out->data);
      return;
    case FLOE__TS_CLOSE_CONN: close_conn(sv, out); return;
    case FLOE__TS_OPEN_RELAY: open_relay(sv, out); return;
    case FLOE__TS_SEND_RELAY:
      r = relay_of(sv, out->relay);
      if (r != NULL && r->udp != NULL) sim_udp_send(r->udp, &out->to, out->data);
      return;
    case FLOE__TS_CLOSE_RELAY: close_relay(sv, out->relay); return;
  }
}

static void drain(sim_server *sv) {
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe__ts_output out;
    floe__testserver_poll(sv->core, &out);
    handle_output(sv, &out);
    if (out.type == FLOE__TS_WAIT) return;
  }
  sim_fail(sv->s, "the test server's poll does not end");
}

/* --- making one -------------------------------------------------------------------------------------------------- */

static void free_server(void *user) {
  sim_server *sv = user;
  floe__testserver_free(sv->core);
  if (sim_env_free(sv->env) > 0) (void)fprintf(stderr, "the test server leaks\n");
}

sim_server *sim_server_new(sim_host *h, const floe__ts_config *cfg) {
  sim *s = sim_host_sim(h);
  sim_server *sv = sim_keep(s, sizeof *sv);
  sv->s = s;
  sv->host = h;
  sv->wake_at = FLOE_TIME_NEVER;
  sv->cfg = *cfg;
  sv->env = sim_env_new(s, sim_next_stream(s));
  floe_env_set_unix_time(sv->env->env, 0, cfg->unix_s * 1000);
  sv->core = sim_must(floe__testserver_new(sv->env->env, cfg));
  sim_on_free(s, free_server, sv);
  return sv;
}

static void open_listener(sim_server *sv, listener *l) {
  floe_net_error why;
  if (l->transport != FLOE_TRANSPORT_UDP) {
    l->tcp = sim_tcp_listen_at(sv->host, &l->local, true, on_accept, l, &why); /* SO_REUSEADDR */
  } else {
    l->udp = sim_udp_open(sv->host, &l->local, &listener_ops, l, &why);
  }
  char local[FLOE_ADDR_TEXT];
  if (l->tcp == NULL && l->udp == NULL) sim_fail(sv->s, "cannot listen at %s", floe_addr_format(&l->local, local));
  l->id = floe__testserver_listen(sv->core, l->transport, &l->local, &l->script);
}

floe__ts_listener sim_server_listen(sim_server *sv, floe_transport transport, const char *local, const char *script) {
  listener *l = sim_keep(sv->s, sizeof *l);
  char why[200] = "";
  size_t offset;
  if (!floe__ts_script_parse(&l->script, script == NULL ? "correct" : script, why, sizeof why, &offset)) {
    sim_fail(sv->s, "script '%s': %s", script, why);
    return 0;
  }
  l->sv = sv;
  l->transport = transport;
  l->local = sim_addr(local);
  open_listener(sv, l);
  l->next = sv->listeners;
  sv->listeners = l;
  return l->id;
}

void sim_server_stop(sim_server *sv) {
  floe__testserver_free(sv->core);
  sv->core = NULL;
  sv->wake_at = FLOE_TIME_NEVER;
  for (listener *l = sv->listeners; l != NULL; l = l->next) {
    if (l->udp != NULL) sim_udp_close(l->udp);
    if (l->tcp != NULL) sim_tcp_unlisten(l->tcp);
    l->udp = NULL;
    l->tcp = NULL;
  }
  for (conn *c = sv->conns; c != NULL; c = c->next) {
    if (c->tcp != NULL) sim_tcp_reset(c->tcp);
    c->tcp = NULL;
  }
  for (relay *r = sv->relays; r != NULL; r = r->next) {
    if (r->udp != NULL) sim_udp_close(r->udp);
    r->udp = NULL;
  }
  sv->relays = NULL; /* the next one counts its relays anew */
}

void sim_server_restart(sim_server *sv) {
  if (sv->core != NULL) sim_server_stop(sv);
  sv->core = sim_must(floe__testserver_new(sv->env->env, &sv->cfg));
  for (listener *l = sv->listeners; l != NULL; l = l->next) open_listener(sv, l);
}

void sim_server_listen_square(sim_server *sv, const char *primary, const char *alternate, const char *script) {
  const floe_addr ends[2] = {sim_addr(primary), sim_addr(alternate)};
  floe__ts_square square;
  for (unsigned i = 0; i < 4; i++) {
    char text[FLOE_ADDR_TEXT];
    floe_addr at = ends[i >> 1];
    at.port = ends[i & 1].port;
    square.at[i >> 1][i & 1] = sim_server_listen(sv, FLOE_TRANSPORT_UDP, floe_addr_format(&at, text), script);
  }
  if (!floe__testserver_set_square(sv->core, &square)) sim_fail(sv->s, "no square of %s and %s", primary, alternate);
}

floe__testserver *sim_server_core(sim_server *sv) {
  return sv->core;
}

floe__ts_counters sim_server_counters(sim_server *sv) {
  return floe__testserver_counters(sv->core);
}
