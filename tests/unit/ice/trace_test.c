/* Each event of a trace names the agent that it is about, whatever the order in which agents run. */
#include <string.h>

#include "floe/ice.h"
#include "support/cmocka.h"

typedef struct log {
  char text[4096];
  size_t len;
} log;

static void keep(void *user, const char *json, size_t len) {
  log *l = user;
  assert_true(l->len + len + 2 < sizeof l->text);
  memcpy(l->text + l->len, json, len);
  l->len += len;
  l->text[l->len++] = '\n';
  l->text[l->len] = '\0';
}

static floe_ice_agent *make_agent(floe_env *env, const char *ufrag) {
  floe_ice_config cfg;
  floe_ice_agent *agent;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.local_ufrag = ufrag;
  cfg.local_pwd = "asd88fgpdd777uzjYhagZg";
  assert_int_equal(floe_ice_agent_new(&agent, env, &cfg, NULL), FLOE_OK);
  return agent;
}

static void list_no_interface(floe_ice_agent *agent, floe_time now) {
  const floe_input in = {.type = FLOE_INPUT_INTERFACES};
  floe_ice_agent_input(agent, now, &in);
}

static void take_all(floe_ice_agent *agent) {
  floe_output out;
  do floe_ice_agent_poll(agent, &out);
  while (out.type != FLOE_OUTPUT_WAIT);
}

static void agents_are_told_apart(void **state) {
  (void)state;
  static log l;
  floe_env *env;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &l;
  cfg.trace = keep;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_OK);
  floe_ice_agent *first = make_agent(env, "ann1"), *second = make_agent(env, "ben2");
  assert_int_equal(floe_ice_agent_gather(second, 0), FLOE_OK);
  assert_int_equal(floe_ice_agent_gather(first, FLOE_MS), FLOE_OK);
  list_no_interface(second, 2 * FLOE_MS);
  take_all(first);
  list_no_interface(first, 3 * FLOE_MS);
  take_all(second);
  floe_ice_agent_close(second, 4 * FLOE_MS);
  floe_ice_agent_free(first);
  floe_ice_agent_free(second);
  floe_env_free(env);
  assert_string_equal(
      l.text,
      "{\"t_ms\":0.000,\"event\":\"ice.session\",\"agent\":2,\"ufrag\":\"ben2\",\"change\":\"started\"}\n"
      "{\"t_ms\":0.000,\"event\":\"agent.state\",\"agent\":2,\"from\":\"idle\",\"to\":\"gathering\"}\n"
      "{\"t_ms\":1.000,\"event\":\"ice.session\",\"agent\":1,\"ufrag\":\"ann1\",\"change\":\"started\"}\n"
      "{\"t_ms\":1.000,\"event\":\"agent.state\",\"agent\":1,\"from\":\"idle\",\"to\":\"gathering\"}\n"
      "{\"t_ms\":2.000,\"event\":\"gather.state\",\"agent\":2,\"from\":\"listing\",\"to\":\"open\"}\n"
      "{\"t_ms\":2.000,\"event\":\"gather.state\",\"agent\":2,\"from\":\"open\",\"to\":\"complete\"}\n"
      "{\"t_ms\":3.000,\"event\":\"gather.state\",\"agent\":1,\"from\":\"listing\",\"to\":\"open\"}\n"
      "{\"t_ms\":3.000,\"event\":\"gather.state\",\"agent\":1,\"from\":\"open\",\"to\":\"complete\"}\n"
      "{\"t_ms\":4.000,\"event\":\"agent.state\",\"agent\":2,\"from\":\"gathering\",\"to\":\"closing\"}\n"
      "{\"t_ms\":4.000,\"event\":\"ice.session\",\"agent\":2,\"ufrag\":\"ben2\",\"change\":\"ended\"}\n"
      "{\"t_ms\":4.000,\"event\":\"gather.state\",\"agent\":2,\"from\":\"complete\",\"to\":\"closing\"}\n"
      "{\"t_ms\":4.000,\"event\":\"gather.state\",\"agent\":2,\"from\":\"closing\",\"to\":\"closed\"}\n"
      "{\"t_ms\":4.000,\"event\":\"agent.state\",\"agent\":2,\"from\":\"closing\",\"to\":\"closed\"}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agents_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
