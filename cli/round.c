#include "round.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "relay_test.h"

/* Beyond the agent's own close_timeout_ms. */
enum { CLOSE_LIMIT_MS = 3000 };

static void set_true(void *user) {
  *(bool *)user = true;
}

void floe__round_close_agent(floe__session *s, floe_uv_ice_agent *agent) {
  bool closed = false;
  if (agent == NULL) return;
  floe_uv_ice_agent_close(agent, set_true, &closed);
  (void)floe__session_wait_cleanup(s, &closed, CLOSE_LIMIT_MS);
}

static void on_event(const floe_event *event, void *user) {
  floe__round *round = user;
  if (round->plan->on_event != NULL) round->plan->on_event(event, round->plan->user);
  if (event->type == FLOE_EVENT_ICEGATHERINGSTATECHANGE && event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) {
    round->complete = true;
  }
}

static floe_status listen_to_all(floe__round *round) {
  for (int type = 0; type < FLOE_EVENT_COUNT; type++) {
    floe_status status = floe_uv_ice_agent_add_event_listener(round->agent, (floe_event_type)type, on_event, round);
    if (status != FLOE_OK) return status;
  }
  return FLOE_OK;
}

static floe_status start(floe__round *round, floe__session *s, floe_error *why) {
  floe_status status = floe_uv_ice_agent_new(&round->agent, s->uv, round->plan->cfg, why);
  if (status != FLOE_OK) return status;
  status = listen_to_all(round);
  if (status == FLOE_OK) status = floe_uv_ice_agent_gather(round->agent);
  if (status != FLOE_OK) {
    memset(why, 0, sizeof *why);
    why->status = status;
    why->offset = FLOE_NO_OFFSET;
    (void)snprintf(why->message, sizeof why->message, "%s", floe_status_text(status));
  }
  return status;
}

/* The candidates' texts outlive the agent's next call this way. */
static void copy_candidates(floe__check_server *server, const floe_ice_agent *agent) {
  const floe_server_report *report = server->report;
  server->candidates = floe__cli_alloc(report->n_candidates * sizeof *server->candidates);
  for (size_t i = 0; i < report->n_candidates; i++) {
    const floe_ice_candidate *c = floe_ice_agent_candidate(agent, report->candidates[i]);
    if (c != NULL) server->candidates[server->n_candidates++] = floe__cli_strdup(c->text);
  }
}

floe__round_end floe__round_run(floe__round *round, floe__session *s, const floe__round_plan *plan, floe_error *why) {
  memset(round, 0, sizeof *round);
  round->plan = plan;
  if (start(round, s, why) != FLOE_OK) return FLOE__ROUND_REFUSED;
  if (plan->on_step != NULL) plan->on_step("gathering", plan->user);
  if (!floe__session_wait(s, &round->complete, 0)) return FLOE__ROUND_STOPPED;
  const floe_ice_agent *core = floe_uv_ice_agent_core(round->agent);
  floe__result_init(&round->result, floe_ice_agent_report(core), plan->n_asked);
  round->result.insecure = plan->cfg->tls_insecure;
  for (size_t i = 0; i < round->result.n_servers; i++) copy_candidates(&round->result.servers[i], core);
  if (plan->relay_test) {
    if (plan->on_step != NULL) plan->on_step("sending data through the relays", plan->user);
    if (!floe__relay_test_run(s, round->agent, plan->cfg, &round->result)) return FLOE__ROUND_STOPPED;
    floe__result_judge(&round->result);
  }
  return FLOE__ROUND_DONE;
}

void floe__round_close(floe__round *round, floe__session *s) {
  floe__result_clear(&round->result);
  floe__round_close_agent(s, round->agent);
  round->agent = NULL;
}
