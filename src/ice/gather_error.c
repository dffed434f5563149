/* Outcomes -> icecandidateerror and iceservererror (the contract's sections 1 and 2): the only place. */
#include <stdio.h>
#include <string.h>

#include "ice/gather.h"

const char *floe__gather_error_text(floe_cause cause) {
  switch (cause) {
#define FLOE__ROW(id, name, group, exit_class, sentence, hint) \
  case id: return name ": " sentence;
    FLOE_CAUSE_MAP(FLOE__ROW)
#undef FLOE__ROW
    case FLOE_CAUSE_COUNT: break;
  }
  return "";
}

/* --- which attempt says most ----------------------------------------------------------------------------------- */

static bool says_more(const floe__attempt *a, const floe__attempt *than) {
  floe_cause x = a->report.detail.cause;
  floe_cause y = than->report.detail.cause;
  int gx = floe_cause_group(x);
  int gy = floe_cause_group(y);
  if (gx != gy) return gx > gy;
  if (gx == 2 && x != y) return x > y; /* different DNS causes: the later in the group */
  return a->order < than->order;
}

floe__attempt *floe__gather_error_pick(const floe__gather_server *s) {
  floe__attempt *best = NULL;
  for (size_t i = 0; i < s->n_attempts; i++) {
    floe__attempt *a = s->attempts[i];
    if (a->state != FLOE__ATTEMPT_ENDED || a->report.outcome != FLOE_ATTEMPT_ERROR) continue;
    if (best == NULL || says_more(a, best)) best = a;
  }
  return best;
}

/* --- icecandidateerror ----------------------------------------------------------------------------------------- */

/* What an event told stays as it was told, though more may surface before it is read, and is shown in the report then.
 */
static const floe_attempt_detail *freeze_detail(floe__attempt *a) {
  a->told = floe__alloc(a->gather->io->env, sizeof *a->told);
  a->frozen = a->told == NULL; /* without memory for a copy nothing more is shown */
  if (a->frozen) return &a->report.detail;
  *a->told = a->report.detail;
  return a->told;
}

static void fill(floe__attempt *a) {
  floe__gather *g = a->gather;
  floe__event_init(&a->node, FLOE_EVENT_ICECANDIDATEERROR, g->io->now, g->started_at);
  floe__attempt_hide(a);
  floe_candidate_error *e = &a->node.event.u.error;
  if (a->report.detail.local_address.family != FLOE_FAMILY_NONE) {
    char ip[FLOE_ADDR_TEXT];
    (void)snprintf(a->address, sizeof a->address, "%.47s", floe_addr_format_ip(&a->local, ip));
    e->address = a->address;
    e->has_port = true;
    e->port = a->local.port;
  }
  e->url = a->server->config->text;
  e->error_code = a->report.error_code;
  e->error_text = a->report.error_text;
  e->detail = freeze_detail(a);
}

static bool equal_text(const char *a, const char *b) {
  if (a == NULL || b == NULL) return a == b;
  return strcmp(a, b) == 0;
}

static bool equal_events(const floe_candidate_error *a, const floe_candidate_error *b) {
  return equal_text(a->address, b->address) && a->has_port == b->has_port && a->port == b->port &&
         a->error_code == b->error_code && equal_text(a->error_text, b->error_text);
}

/* Section 2.1 and 2.8: an event equal in all W3C fields to one already dispatched, counted per URL and credentials. */
static bool was_told(const floe__attempt *a) {
  const floe__gather_server *s = a->server;
  for (size_t i = 0; i < s->n_attempts; i++) {
    const floe__attempt *other = s->attempts[i];
    bool told = other != a && other->node.event.type == FLOE_EVENT_ICECANDIDATEERROR && other->node.event.name != NULL;
    if (told && equal_events(&other->node.event.u.error, &a->node.event.u.error)) return true;
  }
  return false;
}

void floe__gather_error_standing(floe__attempt *a) {
  fill(a);
  if (was_told(a)) {
    a->node.event.name = NULL; /* not dispatched: the first one stands for it */
    return;
  }
  floe__gather_tell(a->gather, &a->node);
}

/* Section 2.2 and 2.3. */
void floe__gather_error_unreachable(floe__gather_server *s) {
  if (s->told_unreachable || s->unused || s->same_as != NULL) return;
  for (size_t i = 0; i < s->n_attempts; i++) {
    const floe_attempt_report *r = &s->attempts[i]->report;
    bool stands = r->outcome == FLOE_ATTEMPT_ERROR && r->error_code != 701;
    if (r->outcome == FLOE_ATTEMPT_CANDIDATE || stands) return;
  }
  floe__attempt *a = floe__gather_error_pick(s);
  if (a == NULL) return;
  s->told_unreachable = true;
  fill(a);
  floe__gather_tell(a->gather, &a->node);
}

/* --- iceservererror -------------------------------------------------------------------------------------------- */

/* An event of its own: an allocation can have many of them. */
typedef struct server_error {
  floe__event_node node;
  floe_attempt_detail detail;
  char address[FLOE_ADDR_TEXT];
  char text[FLOE__STUN_REASON_MAX + 1];
} server_error;

static void fill_detail(server_error *e, floe__attempt *a, const floe__try *t, floe_cause cause, floe_phase phase) {
  floe_attempt_detail *d = &e->detail;
  floe__attempt_hide(a);
  *d = a->report.detail;
  d->cause = cause;
  d->phase = phase;
  d->attempts = floe__try_sent(t);
  d->has_rtt = floe__try_rtt(t, &d->rtt_ms);
  d->elapsed_ms = floe__ms_between(a->started_at, a->gather->io->now);
  const char *hint = floe_cause_hint(cause);
  d->hint = hint[0] == '\0' ? NULL : hint;
}

void floe__gather_error_server(floe__attempt *a, const floe__try *t, floe_cause cause, floe_phase phase, uint16_t code,
                               const char *reason) {
  floe__gather *g = a->gather;
  if (g->state == FLOE__GATHER_CLOSING || g->state == FLOE__GATHER_CLOSED) return;
  g->io->server_errors++;
  server_error *e = floe__zalloc(g->io->env, sizeof *e);
  if (e == NULL) return; /* the state of the allocation still tells: calls on it return FLOE_E_STATE */
  floe__event_init(&e->node, FLOE_EVENT_ICESERVERERROR, g->io->now, g->started_at);
  e->node.owned = e;
  fill_detail(e, a, t, cause, phase);
  const char *text = code != 0 && reason != NULL ? reason : floe__gather_error_text(cause);
  size_t len = strlen(text) < sizeof e->text ? strlen(text) : sizeof e->text - 1;
  memcpy(e->text, text, len);
  floe_candidate_error *error = &e->node.event.u.error;
  if (e->detail.local_address.family != FLOE_FAMILY_NONE) {
    error->address = floe_addr_format_ip(&a->local, e->address);
    error->has_port = true;
    error->port = a->local.port;
  }
  error->url = a->server->config->text;
  error->error_code = code == 0 ? 701 : code;
  error->error_text = e->text;
  error->detail = &e->detail;
  floe__event_push(g->events, &e->node);
}
