/* The NAT probe: finds an address that reaches a server, asks them all from there, and has those that can examined. */
#include "ice/nat_probe.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/status_internal.h"
#include "base/trace.h"
#include "ice/net_cause.h"

static const char *state_name(floe__nat_state state) {
  switch (state) {
    case FLOE__NAT_IDLE: return "idle";
    case FLOE__NAT_LISTING: return "listing";
    case FLOE__NAT_RESOLVING: return "resolving";
    case FLOE__NAT_OPENING: return "opening";
    case FLOE__NAT_MEETING: return "meeting";
    case FLOE__NAT_EXAMINING: return "examining";
    case FLOE__NAT_DONE: return "done";
  }
  return "";
}

static bool may_follow(floe__nat_state from, floe__nat_state to) {
  switch (to) {
    case FLOE__NAT_IDLE: return false;
    case FLOE__NAT_LISTING: return from == FLOE__NAT_IDLE;
    case FLOE__NAT_RESOLVING: return from == FLOE__NAT_LISTING;
    case FLOE__NAT_OPENING: return from >= FLOE__NAT_RESOLVING && from <= FLOE__NAT_MEETING;
    case FLOE__NAT_MEETING: return from == FLOE__NAT_OPENING;
    case FLOE__NAT_EXAMINING: return from == FLOE__NAT_MEETING || from == FLOE__NAT_EXAMINING;
    case FLOE__NAT_DONE: return from > FLOE__NAT_IDLE && from < FLOE__NAT_DONE;
  }
  return false;
}

static void go(floe_nat_probe *probe, floe__nat_state next) {
  FLOE__ASSERT(may_follow(probe->state, next));
  floe__trace t;
  if (floe__trace_begin(&t, probe->io.env, probe->io.now, "nat.state")) {
    floe__trace_text(&t, "from", state_name(probe->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  probe->state = next;
}

static void finish(floe_nat_probe *probe) {
  go(probe, FLOE__NAT_DONE);
  floe__nat_result_finish(probe);
  floe__nat_survey_clear(&probe->survey);
  floe__nat_asks_clear(&probe->asks, probe->io.env);
  floe__udp_close(&probe->socket, &probe->io);
}

/* --- names ------------------------------------------------------------------------------------------------------ */

static void take_addresses(floe_nat_probe *probe, floe__nat_server *server) {
  const floe__lookup_family *f = floe__lookup_of(&server->lookup, probe->cfg.family);
  if (f->status != FLOE_DNS_OK) {
    floe__nat_result_note(probe, (size_t)(server - probe->servers), floe__net_cause_of_dns(f->status));
    return;
  }
  for (size_t i = 0; i < f->n_addrs && server->n_addrs < FLOE__NAT_ADDRESSES; i++) {
    server->addrs[server->n_addrs] = f->addrs[i];
    server->addrs[server->n_addrs++].port = server->url.port;
  }
}

static bool is_name(const floe__nat_server *server) {
  return server->url.addr.family == FLOE_FAMILY_NONE;
}

static void resolve_all(floe_nat_probe *probe) {
  bool is_v4 = probe->cfg.family == FLOE_FAMILY_IPV4;
  go(probe, FLOE__NAT_RESOLVING);
  for (size_t i = 0; i < probe->n_servers; i++) {
    floe__nat_server *server = &probe->servers[i];
    if (is_name(server)) {
      floe__lookup_start(&server->lookup, &probe->io, server->url.host, is_v4, !is_v4);
    } else {
      server->addrs[server->n_addrs++] = server->url.addr;
    }
  }
}

static bool is_resolving(const floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (floe__lookup_is_pending(&probe->servers[i].lookup)) return true;
  }
  return false;
}

/* --- a local address -------------------------------------------------------------------------------------------- */

/* The n-th to be tried. */
static const floe__base *base_at(const floe_nat_probe *probe, size_t n) {
  static const floe__base_kind order[] = {FLOE__BASE_ORDINARY, FLOE__BASE_LINK_LOCAL, FLOE__BASE_LOOPBACK};
  for (size_t kind = 0; kind < sizeof order / sizeof order[0]; kind++) {
    for (size_t i = 0; i < probe->bases.n; i++) {
      if (probe->bases.items[i].kind == order[kind] && n-- == 0) return &probe->bases.items[i];
    }
  }
  return NULL;
}

/* The base reaches an address of the server as far as its kind goes. */
static bool serves(const floe__base *base, const floe__nat_server *server) {
  for (size_t k = 0; k < server->n_addrs; k++) {
    if (floe__base_serves(base, &server->addrs[k])) return true;
  }
  return false;
}

static bool serves_any(const floe_nat_probe *probe, const floe__base *base) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (serves(base, &probe->servers[i])) return true;
  }
  return false;
}

/* For a server that has an address and no base to ask it from. */
static void note_baseless(floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    bool is_open = probe->results[i].cause == FLOE_CAUSE_NONE && probe->results[i].mapped.family == FLOE_FAMILY_NONE;
    if (is_open) floe__nat_result_note(probe, i, FLOE_CAUSE_NO_LOCAL_ADDRESS);
  }
}

static void forget_asks(floe_nat_probe *probe) {
  floe__nat_asks_clear(&probe->asks, probe->io.env);
  for (size_t i = 0; i < probe->n_servers; i++) {
    memset(probe->servers[i].asks, 0, sizeof probe->servers[i].asks);
    probe->servers[i].was_asked = false;
  }
}

static void try_next_base(floe_nat_probe *probe) {
  forget_asks(probe);
  floe__udp_close(&probe->socket, &probe->io);
  const floe__base *base;
  do {
    base = base_at(probe, probe->next_base++);
  } while (base != NULL && !serves_any(probe, base));
  if (base == NULL) {
    note_baseless(probe);
    finish(probe);
    return;
  }
  probe->base = base;
  go(probe, FLOE__NAT_OPENING);
  floe__udp_open(&probe->socket, &probe->io, &base->interface.addr, FLOE__SOCKET_UDP);
}

static void take_local(floe_nat_probe *probe) {
  floe_nat_result *r = &probe->result;
  r->local = probe->socket.local;
  (void)snprintf(r->interface, sizeof r->interface, "%s", probe->base->interface.name);
}

static void skip_base(floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (serves(probe->base, &probe->servers[i])) floe__nat_result_note(probe, i, FLOE_CAUSE_SOCKET_FAILED);
  }
  try_next_base(probe);
}

/* --- the first question ----------------------------------------------------------------------------------------- */

static void meet_server(floe_nat_probe *probe, floe__nat_server *server) {
  for (size_t k = 0; k < server->n_addrs; k++) {
    floe_addr to = server->addrs[k];
    if (!floe__base_serves(probe->base, &to)) continue;
    if (to.scope_id == 0) to.scope_id = probe->socket.local.scope_id;
    floe__nat_ask_plan plan = {.sock = probe->socket.id, .to = to, .from = to, .timing = &probe->timing};
    server->was_asked = true;
    server->asks[k] = floe__nat_asks_add(&probe->asks, &probe->io, &plan);
    floe_nat_server_result *r = &probe->results[server - probe->servers];
    if (r->server.family == FLOE_FAMILY_NONE) r->server = to;
  }
}

static void meet_all(floe_nat_probe *probe) {
  go(probe, FLOE__NAT_MEETING);
  /* The first address that gets so far is told when none gets any further. */
  if (probe->result.local.family == FLOE_FAMILY_NONE) take_local(probe);
  for (size_t i = 0; i < probe->n_servers; i++) meet_server(probe, &probe->servers[i]);
}

/* It has answered, or will not. */
static bool is_met(const floe__nat_server *server) {
  bool any_open = false;
  for (size_t k = 0; k < server->n_addrs; k++) {
    if (floe__nat_ask_has_answer(server->asks[k])) return true;
    any_open = any_open || (server->asks[k] != NULL && server->asks[k]->state == FLOE__NAT_ASK_OPEN);
  }
  return !any_open;
}

static bool are_met(const floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (!is_met(&probe->servers[i])) return false;
  }
  return true;
}

/* --- examining -------------------------------------------------------------------------------------------------- */

static bool is_certain(const floe_nat_probe *probe) {
  bool mapping = floe__nat_result_mapping(probe).certainty == FLOE_NAT_CERTAIN;
  return mapping && probe->filtering.certainty == FLOE_NAT_CERTAIN;
}

/* The next server that can be examined. For the hairpin alone, which is looked at first of all, any will do. */
static floe_nat_server_result *next_to_examine(floe_nat_probe *probe) {
  floe_nat_server_result *any = NULL;
  if (probe->n_surveys == FLOE__NAT_MAX_SURVEYS) return NULL;
  for (size_t i = 0; i < probe->n_servers; i++) {
    floe_nat_server_result *r = &probe->results[i];
    if (r->mapped.family == FLOE_FAMILY_NONE || r->is_examined) continue;
    if (r->other.family != FLOE_FAMILY_NONE) return r;
    if (any == NULL) any = r;
  }
  return probe->n_surveys == 0 ? any : NULL;
}

static void examine_next(floe_nat_probe *probe) {
  floe_nat_server_result *r = is_certain(probe) ? NULL : next_to_examine(probe);
  bool hairpin = r != NULL && probe->n_surveys == 0 && !floe_addr_equal(&r->mapped, &probe->result.local);
  if (r == NULL || (!hairpin && r->other.family == FLOE_FAMILY_NONE)) {
    finish(probe);
    return;
  }
  const floe__nat_survey_plan plan = {.io = &probe->io,
                                      .timing = &probe->timing,
                                      .control = &probe->control,
                                      .sock = probe->socket.id,
                                      .local = probe->result.local,
                                      .mapped = r->mapped,
                                      .server = r->server,
                                      .other = r->other,
                                      .hairpin = hairpin};
  r->is_examined = r->other.family != FLOE_FAMILY_NONE;
  probe->n_surveys++;
  go(probe, FLOE__NAT_EXAMINING);
  floe__nat_survey_start(&probe->survey, &plan);
}

static void end_meeting(floe_nat_probe *probe) {
  if (!floe__nat_result_take_servers(probe)) {
    try_next_base(probe);
    return;
  }
  take_local(probe);
  note_baseless(probe);
  examine_next(probe);
}

static void end_survey(floe_nat_probe *probe) {
  floe__nat_result_take_survey(probe);
  floe__nat_survey_clear(&probe->survey);
  examine_next(probe);
}

/* --- the steps -------------------------------------------------------------------------------------------------- */

/* Goes on as far as it can. True: there may be more. */
static bool step(floe_nat_probe *probe) {
  switch (probe->state) {
    case FLOE__NAT_IDLE:
    case FLOE__NAT_LISTING:
    case FLOE__NAT_DONE: return false;
    case FLOE__NAT_RESOLVING:
      if (is_resolving(probe)) return false;
      for (size_t i = 0; i < probe->n_servers; i++) {
        if (is_name(&probe->servers[i])) take_addresses(probe, &probe->servers[i]);
      }
      try_next_base(probe);
      return true;
    case FLOE__NAT_OPENING:
      if (probe->socket.state == FLOE__UDP_OPENING) return false;
      if (probe->socket.state == FLOE__UDP_OPEN) {
        meet_all(probe);
      } else {
        skip_base(probe);
      }
      return true;
    case FLOE__NAT_MEETING:
      if (!are_met(probe)) return false;
      end_meeting(probe);
      return true;
    case FLOE__NAT_EXAMINING:
      floe__nat_survey_step(&probe->survey);
      if (probe->survey.state != FLOE__NAT_SURVEY_OVER) return false;
      end_survey(probe);
      return true;
  }
  return false;
}

static void on_interfaces(floe_nat_probe *probe, const floe_input *in) {
  if (probe->state != FLOE__NAT_LISTING) return;
  bool has_memory = floe__base_list_make(&probe->bases, &probe->io, in->interfaces, in->n_interfaces);
  if (has_memory && probe->bases.n > 0) {
    resolve_all(probe);
    return;
  }
  note_baseless(probe);
  finish(probe);
}

static void on_datagram(floe_nat_probe *probe, const floe_input *in) {
  floe__stun_msg m;
  floe__stun_parse parse = floe__stun_msg_parse(&m, in->data);
  if (parse == FLOE__STUN_NOT_STUN) return;
  if (!floe__nat_asks_on_message(&probe->asks, in, &m, parse)) {
    floe__nat_survey_on_message(&probe->survey, in, &m, parse);
  }
}

static void on_socket(floe_nat_probe *probe, const floe_input *in) {
  bool is_first = in->sock == probe->socket.id && probe->socket.state == FLOE__UDP_OPENING;
  if (is_first && in->type == FLOE_INPUT_SOCKET_OPENED) floe__udp_on_opened(&probe->socket, &in->addr);
  if (is_first && in->type == FLOE_INPUT_SOCKET_FAILED) floe__udp_on_failed(&probe->socket, &probe->io, in);
  if (in->type == FLOE_INPUT_ICMP || in->type == FLOE_INPUT_SEND_FAILED) floe__nat_asks_on_error(&probe->asks, in);
  floe__nat_survey_on_input(&probe->survey, in);
}

static void on_resolved(floe_nat_probe *probe, const floe_input *in) {
  for (size_t i = 0; i < probe->n_servers; i++) {
    if (floe__lookup_on_resolved(&probe->servers[i].lookup, &probe->io, in)) return;
  }
}

static void dispatch(floe_nat_probe *probe, const floe_input *in) {
  switch (in->type) {
    case FLOE_INPUT_DATAGRAM: on_datagram(probe, in); break;
    case FLOE_INPUT_SOCKET_OPENED:
    case FLOE_INPUT_SOCKET_FAILED:
    case FLOE_INPUT_SEND_FAILED:
    case FLOE_INPUT_ICMP: on_socket(probe, in); break;
    case FLOE_INPUT_RESOLVED: on_resolved(probe, in); break;
    case FLOE_INPUT_INTERFACES: on_interfaces(probe, in); break;
    case FLOE_INPUT_TIMER:
    case FLOE_INPUT_STREAM:
    case FLOE_INPUT_STREAM_END:
    case FLOE_INPUT_SOCKET_BOUND:
    case FLOE_INPUT_SOCKET_ACCEPTED: break;
  }
}

/* What is due is done before what has come, so that an answer that is too late is too late. */
static void run_due(floe_nat_probe *probe) {
  for (size_t i = 0; i < probe->n_servers; i++) (void)floe__lookup_on_deadline(&probe->servers[i].lookup, &probe->io);
  floe__nat_asks_on_deadline(&probe->asks);
  floe__nat_survey_on_deadline(&probe->survey);
}

static void advance(floe_nat_probe *probe, floe_time now) {
  probe->io.env->trace_agent = probe->number;
  if (now > probe->io.now) probe->io.now = now;
}

/* --- floe/nat.h ------------------------------------------------------------------------------------------------- */

floe_status floe_nat_probe_new(floe_nat_probe **out, floe_env *env, const floe_nat_config *cfg, floe_error *why) {
  *out = NULL;
  floe_nat_probe *probe = floe__zalloc(env, sizeof *probe);
  if (probe == NULL) return floe__error_set(why, FLOE_E_NOMEM, "", FLOE_NO_OFFSET, "out of memory");
  probe->io.env = env;
  probe->io.settings = &probe->settings;
  floe_status st = floe__nat_config_take(probe, cfg, why);
  if (st != FLOE_OK) {
    floe_nat_probe_free(probe);
    return st;
  }
  probe->number = ++env->n_agents;
  *out = probe;
  return FLOE_OK;
}

void floe_nat_probe_free(floe_nat_probe *probe) {
  if (probe == NULL) return;
  floe_env *env = probe->io.env;
  floe__nat_survey_clear(&probe->survey);
  floe__nat_asks_clear(&probe->asks, env);
  floe__nat_config_clear(probe);
  floe__free(env, probe->bases.items);
  floe__io_clear(&probe->io);
  floe__free(env, probe);
}

void floe_nat_probe_start(floe_nat_probe *probe, floe_time now) {
  advance(probe, now);
  if (probe->state != FLOE__NAT_IDLE) return;
  probe->started_at = probe->io.now;
  go(probe, FLOE__NAT_LISTING);
  if (floe__io_ask_interfaces(&probe->io)) return;
  note_baseless(probe); /* no memory */
  finish(probe);
}

void floe_nat_probe_input(floe_nat_probe *probe, floe_time now, const floe_input *in) {
  advance(probe, now);
  run_due(probe);
  dispatch(probe, in);
  while (step(probe)) continue;
}

static floe__deadline deadline_of(const floe_nat_probe *probe) {
  floe__deadline d = floe__deadline_at(floe__nat_asks_deadline(&probe->asks), "nat.ask");
  d = floe__earliest(d, floe__nat_survey_deadline(&probe->survey));
  for (size_t i = 0; i < probe->n_servers; i++) {
    d = floe__earliest(d, floe__lookup_deadline(&probe->servers[i].lookup));
  }
  return d;
}

void floe_nat_probe_poll(floe_nat_probe *probe, floe_output *out) {
  probe->io.env->trace_agent = probe->number;
  if (floe__io_next(&probe->io, out)) return;
  floe__deadline d = deadline_of(probe);
  *out = (floe_output){.type = FLOE_OUTPUT_WAIT};
  out->u.wait.until = d.at;
  out->u.wait.reason = d.reason;
}

const floe_nat_result *floe_nat_probe_result(const floe_nat_probe *probe) {
  return probe->state == FLOE__NAT_DONE ? &probe->result : NULL;
}
