#include "ice/nat_survey.h"

#include <string.h>

#include "base/assert.h"
#include "base/trace.h"

/* RFC 5780 7.2: bits of CHANGE-REQUEST. */
#define CHANGE_IP   4u
#define CHANGE_PORT 2u

static const char *state_name(floe__nat_survey_state state) {
  switch (state) {
    case FLOE__NAT_SURVEY_IDLE: return "idle";
    case FLOE__NAT_SURVEY_MEETING: return "meeting";
    case FLOE__NAT_SURVEY_LOOKING: return "looking";
    case FLOE__NAT_SURVEY_OVER: return "over";
  }
  return "";
}

static void go(floe__nat_survey *s, floe__nat_survey_state next) {
  FLOE__ASSERT(next > s->state);
  floe__trace t;
  if (floe__trace_begin(&t, s->plan.io->env, s->plan.io->now, "nat.survey.state")) {
    floe__trace_text(&t, "from", state_name(s->state));
    floe__trace_text(&t, "to", state_name(next));
    floe__trace_end(&t);
  }
  s->state = next;
}

static bool has_square(const floe__nat_survey *s) {
  return s->plan.other.family != FLOE_FAMILY_NONE;
}

/* One of the server's four ends. */
static floe_addr end_of(const floe__nat_survey *s, bool other_address, bool other_port) {
  floe_addr end = other_address ? s->plan.other : s->plan.server;
  end.port = other_port ? s->plan.other.port : s->plan.server.port;
  return end;
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static floe__nat_ask *ask_plainly(floe__nat_survey *s, floe_sock_id sock, const floe_addr *to) {
  floe__nat_ask_plan plan = {.sock = sock, .to = *to, .from = *to, .timing = s->plan.timing};
  return floe__nat_asks_add(&s->asks, s->plan.io, &plan);
}

static floe__nat_ask *ask_for_change(floe__nat_survey *s, uint32_t change) {
  floe_addr from = end_of(s, (change & CHANGE_IP) != 0, (change & CHANGE_PORT) != 0);
  floe__nat_ask_plan plan = {
      .sock = s->second.id, .to = s->plan.server, .from = from, .change = change, .timing = s->plan.timing};
  return floe__nat_asks_add(&s->asks, s->plan.io, &plan);
}

static floe__nat_ask *ask_myself(floe__nat_survey *s, floe_sock_id sock, floe_sock_id arrives_at, const floe_addr *to) {
  floe__nat_ask_plan plan = {.sock = sock, .to = *to, .from = *to, .arrives_at = arrives_at, .timing = s->plan.timing};
  return floe__nat_asks_add(&s->asks, s->plan.io, &plan);
}

static void add_control(floe__nat_survey *s, floe_sock_id sock, floe_addr to) {
  floe__nat_ask_plan plan = {.sock = sock, .to = to, .from = to, .timing = s->plan.control};
  (void)floe__nat_asks_add(&s->controls, s->plan.io, &plan);
}

/* With each transmission of the tests: from where their answers would come, and over the way of their requests. */
static void keep_controls_in_step(floe__nat_survey *s) {
  const floe__nat_ask *test = s->other_address[0];
  if (test == NULL || test->state != FLOE__NAT_ASK_OPEN) return;
  while (s->control_rounds < test->request.sent) {
    s->control_rounds++;
    add_control(s, s->plan.sock, end_of(s, true, true));
    add_control(s, s->plan.sock, end_of(s, false, true));
    add_control(s, s->second.id, s->plan.server);
  }
}

static void look(floe__nat_survey *s) {
  go(s, FLOE__NAT_SURVEY_LOOKING);
  for (size_t i = 0; has_square(s) && i < FLOE__NAT_COPIES; i++) {
    s->other_address[i] = ask_for_change(s, CHANGE_IP | CHANGE_PORT);
    s->other_port[i] = ask_for_change(s, CHANGE_PORT);
  }
  if (!s->plan.hairpin) return;
  /* Both ways, so that each opens the filter for the other, as two ICE agents behind one NAT would. */
  s->turned[0] = ask_myself(s, s->plan.sock, s->second.id, &s->meet->mapped);
  s->turned[1] = ask_myself(s, s->second.id, s->plan.sock, &s->plan.mapped);
}

/* --- beginning and end ------------------------------------------------------------------------------------------ */

void floe__nat_survey_start(floe__nat_survey *s, const floe__nat_survey_plan *plan) {
  memset(s, 0, sizeof *s);
  s->plan = *plan;
  go(s, FLOE__NAT_SURVEY_MEETING);
  floe_addr local = plan->local;
  local.port = 0;
  floe__udp_open(&s->second, plan->io, &local, FLOE__SOCKET_UDP);
  if (!has_square(s)) return;
  for (unsigned i = 1; i < 4; i++) {
    floe_addr to = end_of(s, (i & 2) != 0, (i & 1) != 0);
    s->square[i >> 1][i & 1] = ask_plainly(s, plan->sock, &to);
  }
}

void floe__nat_survey_clear(floe__nat_survey *s) {
  if (s->state == FLOE__NAT_SURVEY_IDLE) return;
  floe__udp_close(&s->second, s->plan.io);
  floe__nat_asks_clear(&s->asks, s->plan.io->env);
  floe__nat_asks_clear(&s->controls, s->plan.io->env);
  memset(s, 0, sizeof *s);
}

static bool any_has_answer(floe__nat_ask *const *copies, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (floe__nat_ask_has_answer(copies[i])) return true;
  }
  return false;
}

/* Of a hairpin the first arrival is enough. */
static bool is_looked(const floe__nat_survey *s) {
  for (const floe__nat_ask *ask = s->asks.first; ask != NULL; ask = ask->next) {
    bool is_settled = ask->plan.arrives_at != 0 && any_has_answer(s->turned, 2);
    if (ask->state == FLOE__NAT_ASK_OPEN && !is_settled) return false;
  }
  return floe__nat_asks_are_over(&s->controls);
}

void floe__nat_survey_step(floe__nat_survey *s) {
  if (s->state == FLOE__NAT_SURVEY_MEETING) {
    bool is_alone = s->second.state == FLOE__UDP_FAILED || (s->second.state == FLOE__UDP_OPEN && s->meet == NULL);
    bool is_unmet = s->meet != NULL && s->meet->state != FLOE__NAT_ASK_OPEN && !floe__nat_ask_has_answer(s->meet);
    if (floe__nat_ask_has_answer(s->meet)) look(s);
    if ((is_alone || is_unmet) && floe__nat_asks_are_over(&s->asks)) go(s, FLOE__NAT_SURVEY_OVER);
  }
  if (s->state != FLOE__NAT_SURVEY_LOOKING) return;
  keep_controls_in_step(s);
  if (is_looked(s)) go(s, FLOE__NAT_SURVEY_OVER);
}

/* --- input ------------------------------------------------------------------------------------------------------ */

static void on_opened(floe__nat_survey *s, const floe_input *in) {
  if (s->second.state != FLOE__UDP_OPENING || in->sock != s->second.id) return;
  floe__udp_on_opened(&s->second, &in->addr);
  s->meet = ask_plainly(s, s->second.id, &s->plan.server);
}

static void on_failed(floe__nat_survey *s, const floe_input *in) {
  if (s->second.state != FLOE__UDP_OPENING || in->sock != s->second.id) return;
  floe__udp_on_failed(&s->second, s->plan.io, in);
}

void floe__nat_survey_on_input(floe__nat_survey *s, const floe_input *in) {
  if (s->state == FLOE__NAT_SURVEY_IDLE) return;
  if (in->type == FLOE_INPUT_SOCKET_OPENED) on_opened(s, in);
  if (in->type == FLOE_INPUT_SOCKET_FAILED) on_failed(s, in);
  if (in->type != FLOE_INPUT_ICMP && in->type != FLOE_INPUT_SEND_FAILED) return;
  floe__nat_asks_on_error(&s->asks, in);
  floe__nat_asks_on_error(&s->controls, in);
}

void floe__nat_survey_on_message(floe__nat_survey *s, const floe_input *in, const floe__stun_msg *m,
                                 floe__stun_parse parse) {
  if (!floe__nat_asks_on_message(&s->asks, in, m, parse)) (void)floe__nat_asks_on_message(&s->controls, in, m, parse);
}

void floe__nat_survey_on_deadline(floe__nat_survey *s) {
  floe__nat_asks_on_deadline(&s->asks);
  floe__nat_asks_on_deadline(&s->controls);
}

floe__deadline floe__nat_survey_deadline(const floe__nat_survey *s) {
  floe_time tests = floe__nat_asks_deadline(&s->asks), controls = floe__nat_asks_deadline(&s->controls);
  return floe__deadline_at(tests < controls ? tests : controls, "nat.survey");
}

/* --- what was found out ----------------------------------------------------------------------------------------- */

size_t floe__nat_survey_sights(const floe__nat_survey *s, floe__nat_sight out[4]) {
  size_t n = 0;
  out[n++] = (floe__nat_sight){s->plan.server, s->plan.mapped};
  for (unsigned i = 1; i < 4; i++) {
    const floe__nat_ask *ask = s->square[i >> 1][i & 1];
    if (floe__nat_ask_has_answer(ask)) out[n++] = (floe__nat_sight){ask->plan.to, ask->mapped};
  }
  return n;
}

/* One answer is an answer; silence is that of all copies. */
static floe__nat_ask_state outcome_of(floe__nat_ask *const copies[FLOE__NAT_COPIES]) {
  if (any_has_answer(copies, FLOE__NAT_COPIES)) return FLOE__NAT_ASK_ANSWERED;
  for (size_t i = 0; i < FLOE__NAT_COPIES; i++) {
    if (copies[i] == NULL || copies[i]->state != FLOE__NAT_ASK_SILENT) return FLOE__NAT_ASK_REFUSED;
  }
  return FLOE__NAT_ASK_SILENT;
}

static bool is_alive(const floe__nat_survey *s, bool other_address) {
  if (floe__nat_ask_has_answer(s->square[other_address][1])) return true;
  floe_addr end = end_of(s, other_address, true);
  for (const floe__nat_ask *c = s->controls.first; c != NULL; c = c->next) {
    if (floe__nat_ask_has_answer(c) && floe_addr_equal(&c->plan.to, &end)) return true;
  }
  return false;
}

/* A round that there was no memory for proves nothing either. */
static bool has_loss(const floe__nat_survey *s) {
  unsigned n = 0;
  for (const floe__nat_ask *c = s->controls.first; c != NULL; c = c->next) {
    if (!floe__nat_ask_has_answer(c)) return true;
    n++;
  }
  return n < 3 * s->control_rounds;
}

floe__nat_filter_facts floe__nat_survey_filter_facts(const floe__nat_survey *s) {
  floe__nat_filter_facts facts = {.is_tried = s->other_address[0] != NULL};
  if (!facts.is_tried) return facts;
  facts.other_address = outcome_of(s->other_address);
  facts.other_port = outcome_of(s->other_port);
  facts.other_address_is_alive = is_alive(s, true);
  facts.other_port_is_alive = is_alive(s, false);
  facts.has_loss = has_loss(s);
  return facts;
}

bool floe__nat_survey_hairpin(const floe__nat_survey *s, bool *arrived) {
  *arrived = any_has_answer(s->turned, 2);
  return s->turned[0] != NULL || s->turned[1] != NULL;
}
