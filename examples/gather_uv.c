/* Gathers ICE candidates from one STUN or TURN server, on libuv's default loop.
 *
 *     gather_uv stun:stun.example.org
 *     gather_uv turn:turn.example.org user secret */
#include <floe/uv.h>
#include <stdio.h>
#include <uv.h>

static void on_candidate(const floe_event *event, void *user) {
  (void)user;
  if (event->u.candidate == NULL) return; /* the end of candidates */
  printf("%s\n", event->u.candidate->text);
}

static void on_error(const floe_event *event, void *user) {
  const floe_candidate_error *error = &event->u.error;
  (void)user;
  printf("icecandidateerror %s: %u %s\n", error->url, error->error_code, error->error_text);
  if (error->detail->hint != NULL) printf("  %s\n", error->detail->hint);
}

static void on_state(const floe_event *event, void *user) {
  floe_uv_ice_agent *agent = user;
  if (event->u.gathering_state != FLOE_ICE_GATHERING_COMPLETE) return;
  const floe_report *report = floe_ice_agent_report(floe_uv_ice_agent_core(agent));
  printf("%s after %.0f ms\n", floe_verdict_name(report->verdict), report->elapsed_ms);
  /* Gives allocations back to their servers, then lets uv_run return. A callback may close the agent it hears from. */
  floe_uv_ice_agent_close(agent, NULL, NULL);
}

static floe_status start(floe_uv *uv, const floe_ice_config *cfg, floe_error *why) {
  floe_uv_ice_agent *agent;
  floe_status st = floe_uv_ice_agent_new(&agent, uv, cfg, why);
  if (st != FLOE_OK) return st;
  if (floe_uv_ice_agent_on_icecandidate(agent, on_candidate, NULL) != FLOE_OK ||
      floe_uv_ice_agent_on_icecandidateerror(agent, on_error, NULL) != FLOE_OK ||
      floe_uv_ice_agent_on_icegatheringstatechange(agent, on_state, agent) != FLOE_OK) {
    return FLOE_E_NOMEM; /* floe_uv_close frees the agent */
  }
  return floe_uv_ice_agent_gather(agent);
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 4) {
    fprintf(stderr, "usage: %s URL [USER PASSWORD]\n", argv[0]);
    return 2;
  }
  const char *url = argv[1];
  floe_ice_server server = {.urls = &url, .n_urls = 1};
  if (argc == 4) {
    server.username = argv[2];
    server.credential = argv[3];
  }
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;

  uv_loop_t *loop = uv_default_loop();
  floe_uv *uv;
  floe_error why = {.message = "it did not start"};
  floe_status st = floe_uv_new(&uv, loop, NULL, &why);
  if (st == FLOE_OK) st = start(uv, &cfg, &why);
  if (st != FLOE_OK) fprintf(stderr, "%s: %s: %s\n", floe_status_name(st), why.path, why.message);
  if (st == FLOE_OK) (void)uv_run(loop, UV_RUN_DEFAULT);

  floe_uv_close(uv);                  /* NULL is fine */
  (void)uv_run(loop, UV_RUN_DEFAULT); /* libuv closes the handles */
  (void)uv_loop_close(loop);
  return st == FLOE_OK ? 0 : 2;
}
