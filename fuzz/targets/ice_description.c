/* Any text as the peer's description, and any lines as its candidates, up to the first NUL and behind it. What is
 * refused has changed nothing; what is accepted can be asked for; an agent's own description suits its peer. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "floe/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUTS 20000

static void fill_random(void *user, uint8_t *out, size_t len) {
  uint8_t *next = user;
  for (size_t i = 0; i < len; i++) out[i] = (uint8_t)((*next)++ * 37);
}

static void answer_interfaces(floe_ice_agent *agent, floe_time now) {
  floe_interface one = {.name = "eth0", .index = 1, .addr = {.family = FLOE_FAMILY_IPV4, .ip = {192, 0, 2, 1}}};
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = &one, .n_interfaces = 1};
  floe_ice_agent_input(agent, now, &in);
}

static void answer_open(floe_ice_agent *agent, floe_time now, const floe_output *out) {
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = out->u.open.sock, .addr = out->u.open.local};
  in.addr.port = (uint16_t)(40000 + out->u.open.sock);
  floe_ice_agent_input(agent, now, &in);
}

static void drain(floe_ice_agent *agent, floe_time now) {
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe_output out;
    floe_ice_agent_poll(agent, &out);
    if (out.type == FLOE_OUTPUT_WAIT) {
      FLOE__ASSERT(out.u.wait.until > now);
      return;
    }
    if (out.type == FLOE_OUTPUT_INTERFACES) answer_interfaces(agent, now);
    if (out.type == FLOE_OUTPUT_OPEN) answer_open(agent, now, &out);
    if (out.type == FLOE_OUTPUT_RESOLVE) FLOE__ASSERT(out.u.resolve.multicast && out.u.resolve.host[0] != '\0');
  }
  abort();
}

static void check_error(const floe_error *why, floe_status st, const char *path, size_t len) {
  FLOE__ASSERT(why->status == st && why->message[0] != '\0');
  FLOE__ASSERT(why->offset == FLOE_NO_OFFSET || why->offset <= len);
  FLOE__ASSERT(st != FLOE_E_SYNTAX || strcmp(why->path, path) == 0);
}

static void set_description(floe_ice_agent *agent, floe_time now, const char *text) {
  floe_error why;
  floe_status st = floe_ice_agent_set_remote_description(agent, now, text, &why);
  const floe_ice_parameters *p = floe_ice_agent_remote_parameters(agent);
  if (st != FLOE_OK) {
    check_error(&why, st, "description", strlen(text));
    FLOE__ASSERT(st != FLOE_E_SYNTAX || p == NULL);
    return;
  }
  FLOE__ASSERT(p != NULL && strlen(p->ufrag) >= 4 && strlen(p->pwd) >= 22);
  FLOE__ASSERT(strstr(text, p->ufrag) != NULL && strstr(text, p->pwd) != NULL);
  FLOE__ASSERT(floe_ice_agent_set_remote_description(agent, now, text, NULL) == FLOE_OK); /* again is fine */
}

static void add_lines(floe_ice_agent *agent, floe_time now, const char *text, const char *end) {
  while (text < end) {
    floe_error why;
    floe_status st = floe_ice_agent_add_remote_candidate(agent, now, text, &why);
    if (st != FLOE_OK) check_error(&why, st, "candidate", strlen(text));
    text += strlen(text) + 1;
  }
}

/* What one says the other takes. */
static void exchange(floe_ice_agent *agent, floe_env *env, const floe_ice_config *cfg, floe_time now) {
  char text[2000];
  floe_ice_agent *peer;
  size_t len = floe_ice_agent_local_description(agent, text, sizeof text);
  FLOE__ASSERT(len == strlen(text));
  FLOE__ASSERT(floe_ice_agent_new(&peer, env, cfg, NULL) == FLOE_OK);
  FLOE__ASSERT(floe_ice_agent_set_remote_description(peer, now, text, NULL) == FLOE_OK);
  FLOE__ASSERT(strcmp(floe_ice_agent_remote_parameters(peer)->ufrag, floe_ice_agent_local_parameters(agent)->ufrag) ==
               0);
  floe_ice_agent_free(peer);
}

static void run(floe_env *env, const char *text, const char *end) {
  floe_ice_agent *agent;
  floe_ice_config cfg;
  floe_time now = FLOE_SECOND;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.max_remote_candidates = 20;
  cfg.lite = text < end && end[-1] == '!';
  FLOE__ASSERT(floe_ice_agent_new(&agent, env, &cfg, NULL) == FLOE_OK);
  FLOE__ASSERT(floe_ice_agent_gather(agent, now) == FLOE_OK);
  drain(agent, now);
  set_description(agent, now, text);
  add_lines(agent, now, text + strlen(text) + 1, end);
  drain(agent, now);
  exchange(agent, env, &cfg, now);
  FLOE__ASSERT(floe_ice_agent_connection_report(agent, now)->n_remote_candidates <= 20);
  for (int i = 0; i < 3; i++) {
    now += 20 * FLOE_SECOND;
    floe_ice_agent_input(agent, now, &(floe_input){.type = FLOE_INPUT_TIMER});
    drain(agent, now);
  }
  floe_ice_agent_free(agent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t next = 1;
  char *text = malloc(size + 2);
  FLOE__ASSERT(text != NULL);
  if (size > 0) memcpy(text, data, size);
  text[size] = text[size + 1] = '\0';
  floe_env *env;
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &next;
  cfg.random = fill_random;
  FLOE__ASSERT(floe_env_new(&env, &cfg) == FLOE_OK);
  run(env, text, text + size);
  floe_env_free(env);
  free(text);
  return 0;
}
