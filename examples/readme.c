#include <floe/uv.h>
#include <stdio.h>
#include <uv.h>

static void on_error(const floe_event *e, void *user) {
  (void)user;
  fprintf(stderr, "%s: %u %s\n", e->u.error.url, e->u.error.error_code, e->u.error.error_text);
}

int main(void) {
  const char *urls[] = {"stun:stun.example.org", "turns:turn.example.org"};
  floe_ice_server server = {.urls = urls, .n_urls = 2, .username = "alice", .credential = "secret"};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  floe_uv *uv;
  floe_uv_ice_agent *agent;
  if (floe_uv_new(&uv, uv_default_loop(), NULL, NULL) != FLOE_OK) return 1;
  if (floe_uv_ice_agent_new(&agent, uv, &cfg, NULL) != FLOE_OK) return 1;
  floe_uv_ice_agent_on_icecandidateerror(agent, on_error, NULL);
  if (floe_uv_ice_agent_gather(agent) != FLOE_OK) return 1;
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
