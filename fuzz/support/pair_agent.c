#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/candidate.h"
#include "support/pair_world.h"

#define MAX_OUTPUTS 20000 /* of one drain */
#define MAX_WAKES   20000 /* of timers, in one second */

/* --- what a program lends ---------------------------------------------------------------------------------------- */

static bool fails_now(pw_host *h) {
  if (h->fail_in == 0) return false;
  if (h->fail_in > 1) {
    h->fail_in--;
    return false;
  }
  if (h->fail_times > 0) h->fail_times--;
  if (h->fail_times == 0) h->fail_in = 0;
  h->was_short = true;
  return true;
}

static void *reallocate(void *user, void *ptr, size_t size) {
  pw_host *h = user;
  if (size == 0) {
    if (ptr != NULL) h->live--;
    free(ptr);
    return NULL;
  }
  if (fails_now(h)) return NULL;
  if (ptr == NULL) h->live++;
  return realloc(ptr, size);
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  pw_host *h = user;
  for (size_t i = 0; i < len; i++) {
    h->random = h->random * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(h->random >> 56);
  }
}

/* FLOE_FUZZ_TRACE=1 fuzz_ice_pair FILE shows what happens. */
static void take_trace(void *user, const char *json, size_t len) {
  static int prints = -1;
  const pw_host *h = user;
  if (prints < 0) prints = getenv("FLOE_FUZZ_TRACE") != NULL;
  if (prints != 0) (void)fprintf(stderr, "%d: %.*s\n", h->index, (int)len, json);
  FLOE__ASSERT(len > 2 && json[0] == '{' && json[len - 1] == '}');
}

pw_host *pw_other(const pw_host *h) {
  return &h->w->hosts[1 - h->index];
}

/* --- sockets ------------------------------------------------------------------------------------------------------ */

pw_sock *pw_find_sock(pw_host *h, floe_sock_id id) {
  for (size_t i = 0; i < PW_SOCKS; i++) {
    if (h->socks[i].id == id) return &h->socks[i];
  }
  return NULL;
}

pw_sock *pw_new_sock(pw_host *h) {
  pw_sock *k = pw_find_sock(h, 0);
  if (k != NULL) memset(k, 0, sizeof *k);
  return k;
}

static void fail_open(pw_host *h, floe_sock_id id, floe_net_error error) {
  pw_event e = {.kind = PW_OPEN_FAILED, .host = h->index, .id = id, .number = error};
  pw_add(h->w, e, 0, (floe_bytes){0});
}

static void on_open(pw_host *h, const floe_output *out) {
  FLOE__ASSERT(out->u.open.sock != 0 && pw_find_sock(h, out->u.open.sock) == NULL);
  FLOE__ASSERT(out->u.open.local.family != FLOE_FAMILY_NONE);
  pw_sock *k = pw_new_sock(h);
  if (k == NULL) {
    fail_open(h, out->u.open.sock, FLOE_NET_NO_RESOURCES);
    return;
  }
  k->id = out->u.open.sock;
  k->is_tcp = out->u.open.transport == FLOE_TRANSPORT_TCP;
  k->listens = out->u.open.listen;
  k->local = out->u.open.local;
  k->remote = out->u.open.remote;
  FLOE__ASSERT(k->is_tcp || (!k->listens && k->remote.family == FLOE_FAMILY_NONE));
  bool is_taken = k->local.port != 0 && !out->u.open.shared && pw_is_bound(h->w, h, k->is_tcp, &k->local);
  if (k->local.port == 0) k->local.port = h->next_port++;
  if (h->fail_opens > 0 || is_taken) {
    if (h->fail_opens > 0) h->fail_opens--;
    fail_open(h, k->id, is_taken ? FLOE_NET_ADDRESS_IN_USE : FLOE_NET_DENIED);
    return;
  }
  bool connects = k->is_tcp && !k->listens;
  pw_event e = {.kind = connects ? PW_CONNECT : PW_OPENED, .host = h->index, .id = k->id, .to = k->remote};
  pw_add(h->w, e, connects ? FLOE_MS : 0, (floe_bytes){0});
}

static void on_close(pw_host *h, floe_sock_id id) {
  pw_sock *k = pw_find_sock(h, id);
  if (k == NULL) return; /* it could not be kept when it was opened */
  if (k->is_tcp) pw_close_stream(h->w, h->index, id, PW_STREAM_END);
  memset(k, 0, sizeof *k);
}

static void on_transmit(pw_host *h, const floe_output *out) {
  FLOE__ASSERT(out->u.transmit.data.len > 0 && out->u.transmit.dscp < 64);
  pw_sock *k = pw_find_sock(h, out->u.transmit.sock);
  if (k == NULL) return;
  FLOE__ASSERT(k->open);
  pw_keep_seen(h->w, out->u.transmit.data);
  if (k->is_tcp) {
    pw_send_stream(h->w, h->index, k->id, out->u.transmit.data);
  } else {
    FLOE__ASSERT(out->u.transmit.to.family == k->local.family);
    pw_send(h->w, h, k, &out->u.transmit.to, out->u.transmit.data);
  }
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void on_publish(pw_host *h, const floe_output *out) {
  pw_world *w = h->w;
  pw_name *place = NULL;
  FLOE__ASSERT(strstr(out->u.publish.name, ".local") != NULL);
  for (size_t i = 0; i < PW_NAMES; i++) {
    pw_name *n = &w->names[i];
    bool is_it = strcmp(n->text, out->u.publish.name) == 0;
    if (is_it || (n->text[0] == '\0' && place == NULL)) place = n;
    if (is_it) break;
  }
  if (place == NULL) return;
  memset(place, 0, sizeof *place);
  if (out->u.publish.withdraw) return;
  (void)snprintf(place->text, sizeof place->text, "%s", out->u.publish.name);
  place->addr = out->u.publish.address;
}

static void on_resolve(pw_host *h, const floe_output *out) {
  const char *name = out->u.resolve.host;
  FLOE__ASSERT(name[0] != '\0' && out->u.resolve.req != 0);
  pw_event e = {.kind = PW_RESOLVED, .host = h->index, .id = out->u.resolve.req, .family = out->u.resolve.family};
  if (h->w->hostile_left > 0) e.number = pw_byte(h->w);
  pw_add(h->w, e, 2 * FLOE_MS, (floe_bytes){(const uint8_t *)name, strlen(name) + 1});
}

/* --- what is told ------------------------------------------------------------------------------------------------- */

/* W3C RTCIceTransportState: from each state the ones that may follow. */
static bool may_follow(floe_ice_connection_state from, floe_ice_connection_state to, bool restarted) {
#define BIT(state) (1u << FLOE_ICE_CONNECTION_##state)
  static const uint8_t next[] = {
      [FLOE_ICE_CONNECTION_NEW] = BIT(CHECKING) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CHECKING] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED),
      [FLOE_ICE_CONNECTION_CONNECTED] = BIT(COMPLETED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_COMPLETED] = BIT(CONNECTED) | BIT(DISCONNECTED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_DISCONNECTED] = BIT(CONNECTED) | BIT(COMPLETED) | BIT(FAILED) | BIT(CHECKING),
      [FLOE_ICE_CONNECTION_FAILED] = 0,
      [FLOE_ICE_CONNECTION_CLOSED] = 0,
  };
#undef BIT
  if (to == FLOE_ICE_CONNECTION_NEW) return restarted;
  return (next[from] >> to & 1) != 0;
}

static void on_connection(pw_host *h, const floe_connection_change *c) {
  FLOE__ASSERT(h->was_short || may_follow(h->connection, c->state, h->restarted));
  bool has_cause = c->state == FLOE_ICE_CONNECTION_FAILED || c->state == FLOE_ICE_CONNECTION_DISCONNECTED;
  FLOE__ASSERT(has_cause == (c->cause != FLOE_CAUSE_NONE));
  h->connection = c->state;
}

static void on_pair(pw_host *h, const floe_pair_change *c) {
  FLOE__ASSERT((c->local == NULL) == (c->remote == NULL));
  h->has_pair = c->local != NULL;
  if (!h->has_pair) return;
  FLOE__ASSERT(c->local->id != 0 && c->remote->id != 0 && c->local->transport == c->remote->transport);
  FLOE__ASSERT(c->remote->address.family != FLOE_FAMILY_NONE && c->local->address.family == c->remote->address.family);
  bool only_relay = h->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  FLOE__ASSERT(!only_relay || c->local->type == FLOE_CANDIDATE_RELAY);
}

static void signal_candidate(pw_host *h, const floe_ice_candidate *c) {
  pw_event e = {.kind = c == NULL ? PW_END : PW_CANDIDATE, .host = pw_other(h)->index, .number = h->generation};
  if (h->w->no_signalling) return;
  floe_bytes text = {0};
  if (c != NULL) text = (floe_bytes){(const uint8_t *)c->text, strlen(c->text) + 1};
  pw_add(h->w, e, 10 * FLOE_MS, text);
}

static void on_candidate(pw_host *h, const floe_ice_candidate *c) {
  signal_candidate(h, c);
  if (c == NULL) return;
  floe_candidate_line line;
  FLOE__ASSERT(c->id != 0 && floe_candidate_line_parse(&line, c->text, NULL) == FLOE_OK);
  FLOE__ASSERT(line.type == c->type && line.priority == c->priority && line.transport == c->transport);
  bool only_relay = h->cfg.ice_transport_policy == FLOE_ICE_TRANSPORT_POLICY_RELAY;
  FLOE__ASSERT(!only_relay || c->type == FLOE_CANDIDATE_RELAY);
  if (c->type == FLOE_CANDIDATE_RELAY) h->relay = c->id;
}

static void on_event(pw_host *h, const floe_event *e) {
  FLOE__ASSERT(!h->closed && e->type < FLOE_EVENT_COUNT && e->time <= h->w->now);
  if (h->program != NULL) {
    h->program->on_event(h, e);
    return;
  }
  switch ((int)e->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE: h->gathering = e->u.gathering_state; return;
    case FLOE_EVENT_ICECANDIDATE: on_candidate(h, e->u.candidate); return;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR:
      FLOE__ASSERT(e->u.error.url != NULL && e->u.error.error_text[0] != '\0' && e->u.error.detail != NULL);
      return;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: on_connection(h, &e->u.connection); return;
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE: on_pair(h, &e->u.pair); return;
    default: return;
  }
}

static void on_data(pw_host *h, const floe_output *out) {
  h->data_received++;
  FLOE__ASSERT(h->program == NULL && !h->closed && out->u.data.from.family != FLOE_FAMILY_NONE);
  bool is_of_relay = floe_ice_agent_remote_parameters(h->agent) == NULL; /* datagrams as they are, empty ones too */
  FLOE__ASSERT(out->u.data.data.len > 0 || is_of_relay);
  FLOE__ASSERT(out->u.data.candidate != 0);
  uint8_t copy[66000]; /* its bytes are there to be read */
  FLOE__ASSERT(out->u.data.data.len <= sizeof copy);
  memcpy(copy, out->u.data.data.ptr, out->u.data.data.len);
}

/* --- the driver --------------------------------------------------------------------------------------------------- */

static bool take_output(pw_host *h) {
  floe_output out;
  pw_event e = {.host = h->index};
  if (h->program != NULL) {
    h->program->poll(h, &out);
  } else {
    floe_ice_agent_poll(h->agent, &out);
  }
  switch (out.type) {
    case FLOE_OUTPUT_WAIT:
      FLOE__ASSERT(out.u.wait.until > h->w->now);
      FLOE__ASSERT(out.u.wait.until == FLOE_TIME_NEVER || out.u.wait.reason[0] != '\0');
      h->wait_until = out.u.wait.until;
      return false;
    case FLOE_OUTPUT_TRANSMIT: on_transmit(h, &out); break;
    case FLOE_OUTPUT_OPEN: on_open(h, &out); break;
    case FLOE_OUTPUT_CLOSE: on_close(h, out.u.close.sock); break;
    case FLOE_OUTPUT_RESOLVE: on_resolve(h, &out); break;
    case FLOE_OUTPUT_INTERFACES:
      e.kind = PW_INTERFACES;
      pw_add(h->w, e, 0, (floe_bytes){0});
      break;
    case FLOE_OUTPUT_EVENT: on_event(h, out.u.event); break;
    case FLOE_OUTPUT_DATA: on_data(h, &out); break;
    case FLOE_OUTPUT_PERMISSION: FLOE__ASSERT(!h->closed && out.u.permission.candidate != 0); break;
    case FLOE_OUTPUT_PUBLISH: on_publish(h, &out); break;
  }
  return true;
}

/* What can be asked agrees with what was told. */
static void check_told(const pw_host *h) {
  if (h->closed || h->was_short || h->is_pool) return;
  floe_ice_connection_state state = floe_ice_agent_connection_state(h->agent);
  FLOE__ASSERT(state == h->connection);
  const floe_ice_candidate *local, *remote;
  bool has_pair = floe_ice_agent_selected_pair(h->agent, &local, &remote);
  FLOE__ASSERT(has_pair == (local != NULL) && has_pair == (remote != NULL) && has_pair == h->has_pair);
  bool is_up = state == FLOE_ICE_CONNECTION_CONNECTED || state == FLOE_ICE_CONNECTION_COMPLETED;
  FLOE__ASSERT(!is_up || has_pair);
  FLOE__ASSERT(floe_ice_agent_gathering_state(h->agent) == h->gathering || h->restarted);
}

void pw_drain(pw_host *h) {
  int n = 0;
  while (take_output(h)) FLOE__ASSERT(++n < MAX_OUTPUTS);
  if (h->program != NULL) {
    h->program->on_drained(h);
  } else {
    check_told(h);
  }
}

/* A lazy driver takes the outputs of several calls at once. */
void pw_after_call(pw_host *h) {
  if (h->is_lazy && (h->w->seq & 3) != 0) {
    h->wait_until = h->w->now + FLOE_MS;
  } else {
    pw_drain(h);
  }
}

void pw_input(pw_host *h, const floe_input *in) {
  if (h->agent == NULL) return;
  if (in->type == FLOE_INPUT_TIMER) {
    floe_time second = h->w->now / FLOE_SECOND;
    h->wakes = second == h->wakes_second ? h->wakes + 1 : 0;
    h->wakes_second = second;
    FLOE__ASSERT(h->wakes < MAX_WAKES);
  }
  if (h->program != NULL) {
    h->program->input(h, in);
  } else {
    floe_ice_agent_input(h->agent, h->w->now, in);
  }
  if (in->type == FLOE_INPUT_TIMER) {
    pw_drain(h);
  } else {
    pw_after_call(h);
  }
}

void pw_input_interfaces(pw_host *h) {
  static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "2001:db8:a::1", "127.0.0.1", "169.254.0.1", "fe80::1"};
  static const char *const names[] = {"eth0", "eth1", "eth0", "lo", "eth0", "eth0"};
  floe_interface all[6] = {0};
  size_t n = 0;
  for (size_t i = 0; i < 6; i++) {
    if ((h->interfaces >> i & 1) == 0) continue;
    floe_interface *f = &all[n++];
    (void)snprintf(f->name, sizeof f->name, "%s", names[i]);
    f->index = (uint32_t)(i == 1 ? 2 : 1);
    f->addr = pw_ip(texts[i]);
    if (i < 2) f->addr.ip[2] = (uint8_t)h->index;
    if (i == 2) f->addr.ip[15] = (uint8_t)(1 + h->index);
    if (i == 4) f->addr.ip[3] = (uint8_t)(1 + h->index);
    if (i == 5) f->addr.ip[15] = (uint8_t)(1 + h->index);
    if (i == 5) f->addr.scope_id = 1;
    f->is_loopback = i == 3;
  }
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = all, .n_interfaces = n};
  if ((h->interfaces & 64) != 0) in.os_error = 1;
  pw_input(h, &in);
}

/* --- signalling --------------------------------------------------------------------------------------------------- */

void pw_gather(pw_host *h) {
  if (floe_ice_agent_gather(h->agent, h->w->now) == FLOE_OK) {
    h->generation++;
    h->is_pool = false;
  }
  pw_after_call(h);
}

void pw_offer(pw_host *h, pw_kind kind) {
  pw_event e = {.kind = kind, .host = pw_other(h)->index};
  if (!h->w->no_signalling) pw_add(h->w, e, 10 * FLOE_MS, (floe_bytes){0});
}

void pw_restart(pw_host *h) {
  if (floe_ice_agent_restart(h->agent, h->w->now) == FLOE_OK) {
    h->restarted = true;
    h->gathering = FLOE_ICE_GATHERING_NEW;
    h->generation++;
  }
  pw_after_call(h);
}

static void take_parameters(pw_host *h, bool is_offer) {
  const floe_ice_parameters *own = floe_ice_agent_remote_parameters(h->agent);
  const floe_ice_parameters *p = floe_ice_agent_local_parameters(pw_other(h)->agent);
  if (is_offer && own != NULL && strcmp(own->ufrag, p->ufrag) != 0) pw_restart(h);
  /* Those of the other host may be freed while this one is asked. */
  char ufrag[260], pwd[260];
  p = floe_ice_agent_local_parameters(pw_other(h)->agent);
  (void)snprintf(ufrag, sizeof ufrag, "%s", p->ufrag);
  (void)snprintf(pwd, sizeof pwd, "%s", p->pwd);
  floe_ice_parameters copy = {ufrag, pwd, p->lite};
  (void)!floe_ice_agent_set_remote_parameters(h->agent, h->w->now, &copy, NULL);
  pw_after_call(h);
  if (floe_ice_agent_gathering_state(h->agent) == FLOE_ICE_GATHERING_NEW) pw_gather(h);
  if (is_offer) pw_offer(h, PW_ANSWER);
}

void pw_take_signal(pw_host *h, const pw_event *e) {
  if (h->agent == NULL || pw_other(h)->agent == NULL || h->closed) return;
  if (h->program != NULL) {
    h->program->on_signal(h, e);
    return;
  }
  if (e->kind == PW_OFFER || e->kind == PW_ANSWER) {
    take_parameters(h, e->kind == PW_OFFER);
    return;
  }
  if (e->number != pw_other(h)->generation) return;
  if (e->kind == PW_END) {
    floe_ice_agent_end_of_remote_candidates(h->agent, h->w->now);
  } else {
    (void)!floe_ice_agent_add_remote_candidate(h->agent, h->w->now, (const char *)e->data, NULL);
  }
  pw_after_call(h);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

void pw_check_stats(pw_host *h) {
  const floe_connection_report *r = floe_ice_agent_connection_report(h->agent, h->w->now);
  FLOE__ASSERT(r != NULL || h->was_short);
  if (r != NULL) {
    uint32_t by_state = 0;
    for (size_t i = 0; i < r->n_groups; i++) by_state += r->groups[i].n_pairs;
    FLOE__ASSERT(by_state == r->n_pairs && r->n_pairs <= h->cfg.max_pairs);
    FLOE__ASSERT(r->n_local_candidates <= h->cfg.max_candidates + h->cfg.max_peer_reflexive);
    FLOE__ASSERT(r->n_remote_candidates <= h->cfg.max_remote_candidates + h->cfg.max_peer_reflexive);
    FLOE__ASSERT(r->state != FLOE_ICE_CONNECTION_FAILED || r->verdict != FLOE_CAUSE_NONE);
  }
  const floe_stats *s = floe_ice_agent_stats(h->agent, h->w->now);
  FLOE__ASSERT(s != NULL || h->was_short);
  if (s == NULL) return;
  uint32_t selected = 0;
  for (size_t i = 0; i < s->n_pairs; i++) {
    const floe_pair_stats *p = &s->pairs[i];
    FLOE__ASSERT((p->state == FLOE_PAIR_FAILED) == (p->failure != FLOE_PAIR_FAILURE_NONE));
    FLOE__ASSERT(p->local_candidate_id != 0 && p->remote_candidate_id != 0);
    if (p->selected) selected++;
  }
  FLOE__ASSERT(selected <= 1 && (selected == 1) == (s->transport.selected_candidate_pair_id != 0));
}

/* Nobody checks for ever: in its time it is connected, or has failed. */
void pw_check_settled(pw_host *h) {
  if (h->agent == NULL || h->closed || h->was_short || h->w->steps_left == 0) return;
  FLOE__ASSERT(floe_ice_agent_connection_state(h->agent) != FLOE_ICE_CONNECTION_CHECKING);
  FLOE__ASSERT(h->gathering != FLOE_ICE_GATHERING_GATHERING);
}

static bool is_up(const pw_host *h) {
  if (h->agent == NULL || h->closed || h->was_short) return false;
  floe_ice_connection_state state = floe_ice_agent_connection_state(h->agent);
  return state == FLOE_ICE_CONNECTION_CONNECTED || state == FLOE_ICE_CONNECTION_COMPLETED;
}

/* Where both say that they are connected they are: with each other, and as different sides. */
void pw_check_connected(pw_world *w) {
  pw_host *a = &w->hosts[0], *b = &w->hosts[1];
  if (!is_up(a) || !is_up(b) || w->steps_left == 0) return;
  if (a->cfg.lite && b->cfg.lite) return; /* nobody has checked anything */
  bool has_lite = a->cfg.lite || b->cfg.lite;
  FLOE__ASSERT(has_lite || floe_ice_agent_role(a->agent) != floe_ice_agent_role(b->agent));
  for (int i = 0; i < 2; i++) {
    pw_host *from = &w->hosts[i], *to = &w->hosts[1 - i];
    uint32_t before = to->data_received;
    floe_status st = floe_ice_agent_send(from->agent, w->now, (floe_bytes){(const uint8_t *)"hello", 5}, 0);
    pw_drain(from);
    pw_run(w, 200 * FLOE_MS);
    if (!is_up(from) || !is_up(to) || w->steps_left == 0) return;
    FLOE__ASSERT(st == FLOE_OK && to->data_received > before);
  }
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

void pw_host_prepare(pw_world *w, int index, const floe_ice_config *cfg, uint8_t seed) {
  pw_host *h = &w->hosts[index];
  h->w = w;
  h->index = index;
  h->cfg = *cfg;
  h->random = seed;
  h->next_port = 40000;
  h->last_accepted = FLOE_SOCK_ACCEPTED;
  h->wait_until = FLOE_TIME_NEVER;
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.user = h;
  env.reallocate = reallocate;
  env.random = fill_random;
  env.trace_addresses = true;
  if (w->is_traced || getenv("FLOE_FUZZ_TRACE") != NULL) env.trace = take_trace;
  FLOE__ASSERT(floe_env_new(&h->env, &env) == FLOE_OK);
}

void pw_host_begin(pw_world *w, int index, const floe_ice_config *cfg, uint8_t seed) {
  pw_host *h = &w->hosts[index];
  pw_host_prepare(w, index, cfg, seed);
  if (floe_ice_agent_new(&h->agent, h->env, cfg, NULL) != FLOE_OK) h->agent = NULL;
}

static void close_agent(pw_host *h) {
  if (h->program != NULL) {
    h->program->close(h);
  } else {
    floe_ice_agent_close(h->agent, h->w->now);
  }
  h->closed = true;
}

static void release_agent(pw_host *h) {
  if (h->program != NULL) {
    h->program->release(h);
  } else {
    floe_ice_agent_free(h->agent);
  }
  h->agent = NULL;
}

void pw_host_end(pw_host *h) {
  h->fail_in = 0;
  if (h->agent != NULL) {
    close_agent(h);
    pw_drain(h);
    pw_run(h->w, 2 * FLOE_SECOND);
    for (int i = 0; i < 100 && !floe_ice_agent_is_closed(h->agent); i++) {
      h->w->now += FLOE_SECOND;
      pw_input(h, &(floe_input){.type = FLOE_INPUT_TIMER});
    }
    FLOE__ASSERT(floe_ice_agent_is_closed(h->agent) || h->was_short);
    for (size_t i = 0; i < PW_SOCKS; i++) FLOE__ASSERT(h->socks[i].id == 0 || h->was_short);
    for (size_t i = 0; i < PW_SOCKS; i++) h->socks[i].id = 0;
  }
  release_agent(h);
  FLOE__ASSERT(h->live == 1 || h->program != NULL); /* the env; and, with DTLS, what that keeps in it */
  floe_env_free(h->env);
  FLOE__ASSERT(h->live == 0);
}
