/* The allocation of an attempt that lives on after it: its candidates, data and permissions, its loss, and the next one
 * that is asked for in its place. */
#include "base/trace.h"
#include "ice/gather_internal.h"
#include "turn/permission.h"

/* After a loss another allocation is asked for, this many times, 1 s, 2 s, 4 s ... 30 s after the last failure. */
#define MAX_RETRIES 10
#define MAX_DELAY_S 30
/* One that has lived so long was no failure of this row. */
#define GOOD_LIFE_S 30

/* --- candidates --------------------------------------------------------------------------------------------------- */

floe__added floe__relay_add(floe__attempt *a, const floe__try *t, uint32_t last, bool is_silent) {
  floe_addr relayed = last == 0 ? t->turn->relayed : t->turn->relayed_additional;
  floe_ice_candidate c = {.type = FLOE_CANDIDATE_RELAY,
                          .address = relayed,
                          .related = t->turn->mapped,
                          .has_relay_protocol = true,
                          .relay_protocol = a->server->url.transport};
  floe__origin from = {.base = relayed, .server = t->server, .attempt = a, .is_silent = is_silent};
  return floe__gather_add_candidate(a->gather, &c, &from, floe__attempt_preference(a, last), &a->relay_ids[last]);
}

static void lose_candidates(floe__attempt *a) {
  floe__candidate_list *list = a->gather->candidates;
  for (size_t i = 0; i < list->n; i++) {
    uint32_t id = list->items[i]->pub.id;
    if (id == a->relay_ids[0] || id == a->relay_ids[1]) floe__candidate_lose(list, list->items[i]);
  }
}

static uint32_t relay_of_family(const floe__attempt *a, const floe__turn *turn, uint8_t family) {
  bool additional = turn->relayed_additional.family != FLOE_FAMILY_NONE && family == turn->relayed_additional.family;
  return a->relay_ids[additional ? 1 : 0];
}

/* --- data --------------------------------------------------------------------------------------------------------- */

void floe__relay_on_data(void *attempt, floe__try *t) {
  floe__attempt *a = attempt;
  const floe__gather_setup *setup = &a->gather->setup;
  const floe_addr *peer = &t->turn->data_peer;
  setup->on_relayed(setup->owner, relay_of_family(a, t->turn, peer->family), peer, t->turn->data);
}

/* --- permissions: each that was asked for is answered ------------------------------------------------------------- */

static void tell_permission(floe__attempt *a, const floe__turn *turn, const floe_addr *peer, bool granted) {
  (void)floe__io_permission(a->gather->io, relay_of_family(a, turn, peer->family), peer, granted);
}

static bool is_asked(const floe__attempt *a, const floe_addr *peer) {
  for (size_t i = 0; i < a->n_asked; i++) {
    if (floe_addr_equal(&a->asked[i], peer)) return true;
  }
  return false;
}

/* False: the program did not ask for it. */
static bool forget_asked(floe__attempt *a, const floe_addr *peer) {
  for (size_t i = 0; i < a->n_asked; i++) {
    if (!floe_addr_equal(&a->asked[i], peer)) continue;
    a->asked[i] = a->asked[--a->n_asked];
    return true;
  }
  return false;
}

/* The allocation is gone, and with it the answers. */
static void refuse_asked(floe__attempt *a, const floe__turn *turn) {
  while (a->n_asked > 0) tell_permission(a, turn, &a->asked[--a->n_asked], false);
}

floe_status floe__attempt_permit(floe__attempt *a, floe__try *t, const floe_addr *peer, bool use_channel) {
  floe__io *io = a->gather->io;
  if (t->turn->n_peers >= io->settings->cfg.max_permissions && !floe__turn_has_peer(t->turn, peer, use_channel)) {
    return FLOE_E_TOO_LARGE;
  }
  void *asked = a->asked;
  if (!floe__reserve(io->env, &asked, &a->asked_cap, sizeof *a->asked, a->n_asked + 1)) return FLOE_E_NOMEM;
  a->asked = asked;
  if (!floe__turn_permit(t->turn, io->now, peer, use_channel)) return FLOE_E_NOMEM;
  if (!is_asked(a, peer)) a->asked[a->n_asked++] = *peer; /* calls before the answer share it */
  return FLOE_OK;
}

static floe__permit_result result_of(const floe__turn *turn) {
  if (turn->granted) return FLOE__PERMIT_GRANTED;
  if (floe__turn_peer_may_send(turn, turn->now, &turn->peer)) return FLOE__PERMIT_KEPT;
  return turn->outcome.code == 0 ? FLOE__PERMIT_UNANSWERED : FLOE__PERMIT_REFUSED;
}

void floe__relay_on_permission(void *attempt, floe__try *t) {
  floe__attempt *a = attempt;
  const floe__turn *turn = t->turn;
  if (!turn->granted) {
    floe__gather_error_server(a, t, FLOE_CAUSE_PERMISSION_FAILED, turn->error_phase, turn->outcome.code,
                              turn->outcome.code == 0 ? NULL : turn->outcome.error.reason);
  }
  if (forget_asked(a, &turn->peer)) tell_permission(a, turn, &turn->peer, turn->granted);
  const floe__gather_setup *setup = &a->gather->setup;
  setup->on_permission(setup->owner, relay_of_family(a, turn, turn->peer.family), &turn->peer, result_of(turn));
}

/* --- loss, and another allocation --------------------------------------------------------------------------------- */

static void trace_retry(const floe__attempt *a, const char *what) {
  const floe__io *io = a->gather->io;
  floe__trace t;
  if (!floe__trace_begin(&t, io->env, io->now, "gather.reallocation")) return;
  floe__trace_int(&t, "server", a->server->config->server_index);
  floe__trace_int(&t, "url", a->server->config->url_index);
  floe__trace_int(&t, "family", a->family);
  floe__trace_int(&t, "retries", a->retries);
  floe__trace_text(&t, "what", what);
  if (a->n_tries > 0) floe__trace_text(&t, "cause", floe_cause_id(a->tries[0]->failure.cause));
  floe__trace_end(&t);
}

/* Nothing of it is open any more, and nothing will be. */
static void finish(floe__attempt *a, const char *why) {
  trace_retry(a, why);
  a->retry_at = FLOE_TIME_NEVER;
  floe__attempt_drop_tries(a, NULL);
  a->server->n_active--;
  floe__gather_release_base(a->gather, a->base);
}

static void plan_retry(floe__attempt *a) {
  if (a->retries >= MAX_RETRIES) {
    finish(a, "given up");
    return;
  }
  uint32_t delay_s = a->retries < 5 ? UINT32_C(1) << a->retries : MAX_DELAY_S;
  a->retries++;
  a->retry_at = floe__after_ms(a->gather->io->now, (uint64_t)delay_s * 1000);
  trace_retry(a, "planned");
}

static void on_lost(floe__attempt *a, floe__try *t) {
  const floe__failure *f = &t->failure;
  floe__gather_error_server(a, t, f->cause, f->phase, f->code, f->reason);
  refuse_asked(a, t->turn);
  lose_candidates(a);
  bool had_good_life = a->gather->io->now >= floe__after_ms(t->times.requested_at, GOOD_LIFE_S * 1000);
  if (had_good_life) a->retries = 0;
  plan_retry(a);
}

/* RFC 8445 has no new candidate after the end of candidates: it is used all the same, and the peer learns of it from
 * our checks. */
static void on_allocated(floe__attempt *a, floe__try *t) {
  bool is_silent = !a->gather->io->settings->cfg.continual_gathering;
  a->local = floe__try_local(t);
  a->relay_ids[0] = a->relay_ids[1] = 0;
  (void)floe__relay_add(a, t, 0, is_silent);
  if (t->turn->relayed_additional.family != FLOE_FAMILY_NONE) (void)floe__relay_add(a, t, 1, is_silent);
  if (a->relay_ids[0] != 0 || a->relay_ids[1] != 0) {
    trace_retry(a, "allocated");
    return;
  }
  (void)floe__try_delete(t); /* nobody could name it */
  finish(a, "not kept");
}

void floe__relay_retry(floe__attempt *a) {
  floe__io *io = a->gather->io;
  if (io->next_start_at > io->now) { /* Ta holds for it as for every new transaction */
    a->retry_at = io->next_start_at;
    return;
  }
  io->next_start_at = floe__after_ms(io->now, io->settings->cfg.timing.ta_ms);
  a->retry_at = FLOE_TIME_NEVER;
  /* The server as it was before any redirect. */
  floe__try *t = floe__attempt_make_try(a, &a->tries[0]->visited[0]);
  if (t == NULL) {
    plan_retry(a);
    return;
  }
  floe__attempt_drop_tries(a, NULL);
  a->tries[a->n_tries++] = t;
  floe__attempt_on_step(a, t, floe__try_start(t));
}

void floe__relay_on_step(floe__attempt *a, floe__try *t, floe__try_step step) {
  switch (step) {
    case FLOE__TRY_STEP_NONE:
    case FLOE__TRY_STEP_DELETED: return;
    case FLOE__TRY_STEP_SUCCEEDED: on_allocated(a, t); return;
    case FLOE__TRY_STEP_FAILED: plan_retry(a); return; /* that the allocation was lost is told already */
    case FLOE__TRY_STEP_LOST: on_lost(a, t); return;
  }
}

void floe__relay_abandon(floe__attempt *a) {
  if (a->n_tries == 0) return;
  floe__try *t = a->tries[0];
  if (t->turn != NULL) refuse_asked(a, t->turn);
  lose_candidates(a);
  floe__try_lose_base(t);
  finish(a, "address gone");
}

floe__try *floe__attempt_live(const floe__attempt *a) {
  if (a->state != FLOE__ATTEMPT_ENDED || a->n_tries == 0) return NULL;
  return a->tries[0]->state == FLOE__TRY_LIVE ? a->tries[0] : NULL;
}

void floe__attempt_delete(floe__attempt *a) {
  a->retry_at = FLOE_TIME_NEVER;
  if (a->n_tries > 0 && a->tries[0]->turn != NULL) refuse_asked(a, a->tries[0]->turn);
  for (size_t i = 0; i < a->n_tries; i++) (void)floe__try_delete(a->tries[i]);
}
