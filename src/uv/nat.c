/* NAT probes on the driver. */
#include "floe/nat.h"

#include "uv/agent.h"

struct floe_uv_nat_probe {
  floe_uv_ice_agent agent; /* first: freed as one. It is driven like an agent, and is none: its `core` is NULL */
  floe_nat_probe *core;
  bool is_told;
  floe_uv_nat_handler on_result; /* nullable */
  void *user;
};

/* ---- the probe as a machine ---- */

static void input_probe(void *driven, floe_time now, const floe_input *in) {
  const floe_uv_nat_probe *probe = driven;
  floe_nat_probe_input(probe->core, now, in);
}

/* The result is told once, as if the core had an output for it. */
static void poll_probe(void *driven, floe_output *out) {
  floe_uv_nat_probe *probe = driven;
  floe_nat_probe_poll(probe->core, out);
  if (out->type != FLOE_OUTPUT_WAIT || probe->is_told || floe_nat_probe_result(probe->core) == NULL) return;
  probe->is_told = true;
  *out = (floe_output){.type = FLOE_OUTPUT_EVENT};
}

static void close_probe(void *driven, floe_time now) {
  (void)driven; /* nothing is left at a server */
  (void)now;
}

static bool is_probe_closed(const void *driven) {
  (void)driven;
  return true;
}

static void free_probe(void *driven) {
  floe_uv_nat_probe *probe = driven;
  floe_nat_probe_free(probe->core);
  probe->core = NULL;
}

static void tell_result(floe_uv_ice_agent *agent, const floe_output *out) {
  (void)out;
  const floe_uv_nat_probe *probe = agent->driven;
  if (probe->on_result != NULL) probe->on_result(floe_nat_probe_result(probe->core), probe->user);
}

static const floe__uv_machine machine = {.input = input_probe,
                                         .poll = poll_probe,
                                         .close = close_probe,
                                         .is_closed = is_probe_closed,
                                         .free = free_probe,
                                         .tell = tell_result};

/* ---- floe/uv.h ---- */

floe_status floe_uv_nat_probe_new(floe_uv_nat_probe **out, floe_uv *uv, const floe_nat_config *cfg, floe_error *why) {
  *out = NULL;
  floe_nat_probe *core = NULL;
  floe_status st = floe_nat_probe_new(&core, uv->env, cfg, why);
  if (st != FLOE_OK) return st;
  floe_uv_nat_probe *probe = floe__uv_zalloc(&uv->mem, sizeof *probe);
  if (probe == NULL || !floe__uv_agent_init(&probe->agent, uv, &machine, probe)) {
    floe__uv_free(&uv->mem, probe);
    floe_nat_probe_free(core);
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  }
  probe->core = core;
  *out = probe;
  return FLOE_OK;
}

void floe_uv_nat_probe_start(floe_uv_nat_probe *probe, floe_uv_nat_handler on_result, void *user) {
  if (probe->agent.state != FLOE__UV_AGENT_LIVE) return;
  probe->on_result = on_result;
  probe->user = user;
  floe_nat_probe_start(probe->core, floe_uv_now(probe->agent.uv));
  floe__uv_agent_wake(&probe->agent);
}

const floe_nat_result *floe_uv_nat_probe_result(const floe_uv_nat_probe *probe) {
  return probe->core == NULL ? NULL : floe_nat_probe_result(probe->core);
}

void floe_uv_nat_probe_close(floe_uv_nat_probe *probe) {
  if (probe != NULL) floe_uv_ice_agent_close(&probe->agent, NULL, NULL);
}
