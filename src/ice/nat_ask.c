#include "ice/nat_ask.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"
#include "ice/net_cause.h"

static const char *state_name(floe__nat_ask_state state) {
  switch (state) {
    case FLOE__NAT_ASK_OPEN: return "open";
    case FLOE__NAT_ASK_ANSWERED: return "answered";
    case FLOE__NAT_ASK_SILENT: return "silent";
    case FLOE__NAT_ASK_REFUSED: return "refused";
  }
  return "";
}

static void go(floe__nat_ask *ask, floe__nat_ask_state next, floe_cause cause) {
  FLOE__ASSERT(ask->state == FLOE__NAT_ASK_OPEN && next != FLOE__NAT_ASK_OPEN);
  ask->state = next;
  ask->cause = cause;
  floe__stun_request_clear(&ask->request);
  floe__trace t;
  if (!floe__trace_begin(&t, ask->io->env, ask->io->now, "nat.ask")) return;
  floe__trace_addr(&t, "to", &ask->plan.to);
  floe__trace_int(&t, "change", ask->plan.change);
  floe__trace_text(&t, "state", state_name(next));
  floe__trace_addr(&t, "mapped", &ask->mapped);
  if (cause != FLOE_CAUSE_NONE) floe__trace_text(&t, "cause", floe_cause_id(cause));
  floe__trace_end(&t);
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static void write_change(void *owner, uint16_t method, floe__stun_builder *b, bool optional) {
  (void)method;
  (void)optional;
  const floe__nat_ask *ask = owner;
  if (ask->plan.change != 0) floe__stun_put_u32(b, FLOE__STUN_CHANGE_REQUEST, ask->plan.change);
}

static void send_request(void *owner, floe_bytes message) {
  floe__nat_ask *ask = owner;
  if (!floe__io_transmit(ask->io, ask->plan.sock, &ask->plan.to, message)) ask->is_unsent = true;
}

static const floe__stun_request_ops request_ops = {.write = write_change, .send = send_request};

floe__nat_ask *floe__nat_asks_add(floe__nat_asks *asks, floe__io *io, const floe__nat_ask_plan *plan) {
  floe__nat_ask *ask = floe__zalloc(io->env, sizeof *ask);
  if (ask == NULL) return NULL;
  ask->io = io;
  ask->plan = *plan;
  floe__stun_request_init(&ask->request, io->env, &request_ops, ask, plan->timing, FLOE__STUN_BINDING, false);
  ask->next = asks->first;
  asks->first = ask;
  floe__stun_request_start(&ask->request, io->now);
  return ask;
}

void floe__nat_asks_clear(floe__nat_asks *asks, floe_env *env) {
  while (asks->first != NULL) {
    floe__nat_ask *ask = asks->first;
    asks->first = ask->next;
    floe__free(env, ask);
  }
}

/* --- what comes ------------------------------------------------------------------------------------------------- */

static bool is_from(const floe_addr *a, const floe_addr *b) {
  floe_addr x = *a, y = *b;
  x.scope_id = y.scope_id = 0; /* only the system's word for the link */
  return floe_addr_equal(&x, &y);
}

/* The first servers (RFC 3489) know MAPPED-ADDRESS only. */
static bool take_addresses(floe__nat_ask *ask, const floe__stun_msg *m) {
  bool has_mapped = floe__stun_get_xor_addr(m, FLOE__STUN_XOR_MAPPED_ADDRESS, &ask->mapped) ||
                    floe__stun_get_addr(m, FLOE__STUN_MAPPED_ADDRESS, &ask->mapped);
  if (has_mapped && ask->mapped.family == ask->plan.to.family && ask->mapped.port != 0) {
    (void)floe__stun_get_addr(m, FLOE__STUN_OTHER_ADDRESS, &ask->other);
    return true;
  }
  ask->mapped = (floe_addr){0};
  return false;
}

static void on_success(floe__nat_ask *ask, const floe_input *in, const floe__stun_msg *m) {
  /* RFC 5780 4.4: an answer from elsewhere than was asked for says nothing about the filter. */
  bool is_good = is_from(&in->addr, &ask->plan.from) && ask->plan.arrives_at == 0 && take_addresses(ask, m);
  go(ask, is_good ? FLOE__NAT_ASK_ANSWERED : FLOE__NAT_ASK_REFUSED,
     is_good ? FLOE_CAUSE_NONE : FLOE_CAUSE_MALFORMED_RESPONSE);
}

static void on_response(floe__nat_ask *ask, const floe_input *in, const floe__stun_msg *m, floe__stun_parse parse) {
  floe__stun_outcome outcome;
  switch (floe__stun_request_on_response(&ask->request, ask->io->now, m, parse, NULL, &outcome)) {
    case FLOE__STUN_PENDING: break;
    case FLOE__STUN_RESULT_SUCCESS: on_success(ask, in, m); break;
    case FLOE__STUN_RESULT_ERROR:
    case FLOE__STUN_RESULT_REDIRECT:
    case FLOE__STUN_RESULT_MISMATCH:
    case FLOE__STUN_RESULT_BROKEN: go(ask, FLOE__NAT_ASK_REFUSED, outcome.cause); break;
    case FLOE__STUN_RESULT_TIMEOUT:
    case FLOE__STUN_RESULT_NOMEM: go(ask, FLOE__NAT_ASK_REFUSED, FLOE_CAUSE_SOCKET_FAILED); break;
  }
}

/* Our own request, back again. */
static bool is_hairpin_of(const floe__nat_ask *ask, const floe_input *in, const floe__stun_msg *m) {
  if (ask->plan.arrives_at == 0 || in->sock != ask->plan.arrives_at || m->cls != FLOE__STUN_REQUEST) return false;
  return memcmp(m->txn_id, ask->request.txn.id, FLOE__STUN_TXN_ID) == 0;
}

static bool on_message(floe__nat_ask *ask, const floe_input *in, const floe__stun_msg *m, floe__stun_parse parse) {
  if (ask->state != FLOE__NAT_ASK_OPEN) return false;
  if (is_hairpin_of(ask, in, m)) {
    go(ask, FLOE__NAT_ASK_ANSWERED, FLOE_CAUSE_NONE);
    return true;
  }
  if (in->sock != ask->plan.sock || !floe__stun_request_is_mine(&ask->request, m)) return false;
  on_response(ask, in, m, parse);
  return true;
}

bool floe__nat_asks_on_message(floe__nat_asks *asks, const floe_input *in, const floe__stun_msg *m,
                               floe__stun_parse parse) {
  for (floe__nat_ask *ask = asks->first; ask != NULL; ask = ask->next) {
    if (on_message(ask, in, m, parse)) return true;
  }
  return false;
}

static void apply(floe__nat_ask *ask, floe__net_verdict v) {
  if (v.cause == FLOE_CAUSE_NONE) return;
  ask->soft_cause = v.cause;
  ask->soft_errors++;
  if (v.hard || ask->soft_errors > 1) go(ask, FLOE__NAT_ASK_REFUSED, v.cause);
}

void floe__nat_asks_on_error(floe__nat_asks *asks, const floe_input *in) {
  bool is_icmp = in->type == FLOE_INPUT_ICMP;
  floe__net_verdict v = is_icmp ? floe__net_judge_icmp(in) : floe__net_judge_send_error(in->net_error);
  for (floe__nat_ask *ask = asks->first; ask != NULL; ask = ask->next) {
    if (ask->state != FLOE__NAT_ASK_OPEN || in->sock != ask->plan.sock || !is_from(&in->addr, &ask->plan.to)) continue;
    apply(ask, v);
  }
}

/* --- time ------------------------------------------------------------------------------------------------------- */

static void give_up(floe__nat_ask *ask, floe_cause discarded) {
  floe_cause cause = discarded != FLOE_CAUSE_NONE ? discarded : ask->soft_cause;
  if (cause == FLOE_CAUSE_NONE && ask->is_unsent) cause = FLOE_CAUSE_SOCKET_FAILED;
  if (cause != FLOE_CAUSE_NONE) {
    go(ask, FLOE__NAT_ASK_REFUSED, cause);
  } else {
    go(ask, FLOE__NAT_ASK_SILENT, FLOE_CAUSE_UDP_TIMEOUT);
  }
}

void floe__nat_asks_on_deadline(floe__nat_asks *asks) {
  for (floe__nat_ask *ask = asks->first; ask != NULL; ask = ask->next) {
    floe__stun_outcome outcome;
    if (ask->state != FLOE__NAT_ASK_OPEN || floe__stun_request_deadline(&ask->request) > ask->io->now) continue;
    if (floe__stun_request_on_deadline(&ask->request, ask->io->now, &outcome) != FLOE__STUN_RESULT_TIMEOUT) continue;
    give_up(ask, outcome.cause);
  }
}

floe_time floe__nat_asks_deadline(const floe__nat_asks *asks) {
  floe_time at = FLOE_TIME_NEVER;
  for (const floe__nat_ask *ask = asks->first; ask != NULL; ask = ask->next) {
    floe_time own = ask->state == FLOE__NAT_ASK_OPEN ? floe__stun_request_deadline(&ask->request) : FLOE_TIME_NEVER;
    if (own < at) at = own;
  }
  return at;
}

bool floe__nat_asks_are_over(const floe__nat_asks *asks) {
  for (const floe__nat_ask *ask = asks->first; ask != NULL; ask = ask->next) {
    if (ask->state == FLOE__NAT_ASK_OPEN) return false;
  }
  return true;
}
