/* Uses the core alone: one agent, no server, driven by hand until it wants the host's interfaces. Also valid C++. */
#include <floe/floe.h>
#include <stdio.h>

int main(void) {
  floe_env *env = NULL;
  floe_ice_agent *agent = NULL;
  floe_ice_config cfg;
  floe_error why;
  floe_ice_config_init(&cfg, sizeof cfg);
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  if (floe_ice_agent_new(&agent, env, &cfg, &why) != FLOE_OK) return 2;
  if (floe_ice_agent_gather(agent, FLOE_SECOND) != FLOE_OK) return 3;
  bool asked_for_interfaces = false;
  floe_output out;
  do {
    floe_ice_agent_poll(agent, &out);
    if (out.type == FLOE_OUTPUT_INTERFACES) asked_for_interfaces = true;
  } while (out.type != FLOE_OUTPUT_WAIT);
  floe_ice_agent_free(agent);
  floe_env_free(env);
  if (!asked_for_interfaces) return 4;
  printf("floe %s: %s\n", floe_version(), floe_cause_sentence(FLOE_CAUSE_AUTH_REJECTED));
  return 0;
}
