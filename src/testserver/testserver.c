#include "testserver/testserver.h"

#include <string.h>

#include "base/rng.h"
#include "stun/opaque_string.h"
#include "testserver/ts_internal.h"

/* --- the configuration ------------------------------------------------------------------------------------------ */

static bool copy_text(floe__testserver *ts, const char **at, const char *text) {
  if (text == NULL) return true;
  *at = floe__strdup(ts->env, text);
  return *at != NULL;
}

/* Clients prepare user name and password (RFC 8489 9.2.2), so ours are prepared too; what cannot be is kept as it is,
 * and then no client will match it. */
static bool copy_prepared(floe__testserver *ts, const char **at, const char *text) {
  if (text == NULL) return true;
  char *prepared = NULL;
  size_t offset;
  floe__opaque_string_result result = floe__opaque_string(ts->env, text, &prepared, &offset);
  if (result == FLOE__OPAQUE_NOMEM) return false;
  if (result != FLOE__OPAQUE_OK) return copy_text(ts, at, text);
  *at = prepared;
  return true;
}

static bool copy_config(floe__testserver *ts, const floe__ts_config *cfg) {
  ts->cfg = *cfg;
  ts->cfg.realm = ts->cfg.software = ts->cfg.cert_name = NULL;
  ts->cfg.username = ts->cfg.credential = ts->cfg.secret = NULL;
  return copy_text(ts, &ts->cfg.realm, cfg->realm != NULL ? cfg->realm : "floe.test") &&
         copy_text(ts, &ts->cfg.software, cfg->software != NULL ? cfg->software : "Floe testserver") &&
         copy_text(ts, &ts->cfg.cert_name, cfg->cert_name != NULL ? cfg->cert_name : "localhost") &&
         copy_prepared(ts, &ts->cfg.username, cfg->username) &&
         copy_prepared(ts, &ts->cfg.credential, cfg->credential) && copy_text(ts, &ts->cfg.secret, cfg->secret);
}

/* Our copies were made with floe__strdup; the configuration's type has them const because the caller's are. */
static void free_text(floe__testserver *ts, const char *text) {
  if (text == NULL) return;
  void *copy;
  memcpy(&copy, &text, sizeof copy);
  floe__free_secret(ts->env, copy, strlen(text));
}

static void free_config(floe__testserver *ts) {
  free_text(ts, ts->cfg.realm);
  free_text(ts, ts->cfg.software);
  free_text(ts, ts->cfg.cert_name);
  free_text(ts, ts->cfg.username);
  free_text(ts, ts->cfg.credential);
  free_text(ts, ts->cfg.secret);
}

floe__testserver *floe__testserver_new(floe_env *env, const floe__ts_config *cfg) {
  floe__testserver *ts = floe__zalloc(env, sizeof *ts);
  if (ts == NULL) return NULL;
  ts->env = env;
  floe__random(env, ts->nonce_key, sizeof ts->nonce_key);
  if (copy_config(ts, cfg)) return ts;
  floe__testserver_free(ts);
  return NULL;
}

/* --- freeing ---------------------------------------------------------------------------------------------------- */

static void free_streams(floe__testserver *ts, floe__ts_stream *s) {
  while (s != NULL) {
    floe__ts_stream *next = s->next;
    floe__ts_stream_free(ts, s);
    s = next;
  }
}

static void free_ports(floe__testserver *ts) {
  while (ts->ports != NULL) {
    floe__ts_port *port = ts->ports;
    ts->ports = port->next;
    floe__free(ts->env, port->cert_pem);
    if (port->key_pem != NULL) floe__free_secret(ts->env, port->key_pem, strlen(port->key_pem));
    floe__free(ts->env, port);
  }
}

void floe__testserver_free(floe__testserver *ts) {
  if (ts == NULL) return;
  while (ts->allocations != NULL) floe__ts_delete_allocation(ts, ts->allocations);
  free_streams(ts, ts->streams);
  free_streams(ts, ts->closing);
  free_ports(ts);
  floe__ts_output_clear(ts);
  floe__ts_cache_clear(ts);
  floe__free(ts->env, ts->closing_relays);
  floe__free(ts->env, ts->ca_pem);
  if (ts->ca_key != NULL) floe__free_secret(ts->env, ts->ca_key, strlen(ts->ca_key));
  free_config(ts);
  floe__free_secret(ts->env, ts, sizeof *ts);
}

/* --- ports ------------------------------------------------------------------------------------------------------ */

/* A script made by hand may leave the code out. */
static void complete_script(floe__ts_script *script) {
  if (script->error_code != 0) return;
  if (script->fault == FLOE__TS_PERMISSION_ERROR) {
    script->error_code = 403;
  } else {
    script->error_code = 500;
  }
}

floe__ts_listener floe__testserver_listen(floe__testserver *ts, floe_transport transport, const floe_addr *local,
                                          const floe__ts_script *script) {
  floe__ts_port *port = floe__zalloc(ts->env, sizeof *port);
  if (port == NULL) return 0;
  port->transport = transport;
  port->local = *local;
  if (script != NULL) port->script = *script;
  complete_script(&port->script);
  if (transport == FLOE_TRANSPORT_TLS && !floe__ts_make_cert(ts, port)) {
    floe__free(ts->env, port);
    return 0;
  }
  port->id = ++ts->last_listener;
  port->next = ts->ports;
  ts->ports = port;
  return port->id;
}

floe__ts_port *floe__ts_find_port(floe__testserver *ts, floe__ts_listener listener) {
  floe__ts_port *port = ts->ports;
  while (port != NULL && port->id != listener) port = port->next;
  return port;
}

const char *floe__testserver_ca_pem(floe__testserver *ts) {
  return floe__ts_make_ca(ts) ? ts->ca_pem : NULL;
}

/* --- input ------------------------------------------------------------------------------------------------------ */

bool floe__ts_flow_equal(const floe__ts_flow *a, const floe__ts_flow *b) {
  if (a->port != b->port || a->conn != b->conn) return false;
  return a->conn != 0 || floe_addr_equal(&a->from, &b->from);
}

static void end_allocations(floe__testserver *ts) {
  floe__ts_allocation *a = ts->allocations;
  while (a != NULL) {
    floe__ts_allocation *next = a->next;
    if (a->expires_at <= ts->now) floe__ts_delete_allocation(ts, a);
    a = next;
  }
}

void floe__ts_advance(floe__testserver *ts, floe_time now) {
  ts->env->trace_agent = 0; /* what follows is no agent's doing */
  if (now > ts->now) ts->now = now;
  end_allocations(ts);
  floe__ts_flush_late(ts);
  floe__ts_sweep_streams(ts);
}

void floe__testserver_on_datagram(floe__testserver *ts, floe_time now, floe__ts_listener listener,
                                  const floe_addr *from, floe_bytes data) {
  floe__ts_advance(ts, now);
  floe__ts_flow flow = {.port = floe__ts_find_port(ts, listener), .from = *from};
  if (flow.port == NULL || flow.port->transport != FLOE_TRANSPORT_UDP) return;
  floe__ts_on_message(ts, &flow, data);
}

void floe__testserver_on_accept(floe__testserver *ts, floe_time now, floe__ts_listener listener, floe__ts_conn conn,
                                const floe_addr *from) {
  floe__ts_advance(ts, now);
  floe__ts_port *port = floe__ts_find_port(ts, listener);
  if (port == NULL || port->transport == FLOE_TRANSPORT_UDP) return;
  floe__ts_stream_open(ts, port, conn, from);
}

void floe__testserver_on_timer(floe__testserver *ts, floe_time now) {
  floe__ts_advance(ts, now);
}

floe__ts_counters floe__testserver_counters(const floe__testserver *ts) {
  floe__ts_counters counters = ts->counters;
  counters.allocations = (uint32_t)ts->n_allocations;
  return counters;
}
