/* Any configuration: refused with a path, or made into an agent that frees everything; also when memory runs out.
 *
 * The input is text, a line for each member: a letter and its value.
 *   s  a new server     u  a URL of it       n  its user name    c  its credential
 *   i  an interface     a  CA certificates   w  SOFTWARE
 *   p  lowest port      P  highest port      r  relay family     t  transport policy
 *   m  max servers      l  lifetime          4, 6  not this family
 *   T  one time for every step                f  the n-th allocation fails */
#include <stdlib.h>
#include <string.h>

#include "floe/ice.h"

#define CHECK(condition)       \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

#define MAX_SERVERS    80
#define MAX_URLS       16
#define MAX_INTERFACES 4

typedef struct input {
  floe_ice_config cfg;
  floe_ice_server servers[MAX_SERVERS];
  const char *urls[MAX_SERVERS][MAX_URLS];
  const char *interfaces[MAX_INTERFACES];
  long allocations_left;
} input;

static void *reallocate(void *user, void *ptr, size_t size) {
  long *left = user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  if (*left == 0) return NULL;
  if (*left > 0) (*left)--;
  return realloc(ptr, size);
}

static void read_server_line(input *in, char key, const char *value) {
  if (key == 's') {
    if (in->cfg.n_ice_servers == MAX_SERVERS) return;
    in->servers[in->cfg.n_ice_servers].urls = in->urls[in->cfg.n_ice_servers];
    in->cfg.n_ice_servers++;
  }
  if (in->cfg.n_ice_servers == 0) return;
  floe_ice_server *server = &in->servers[in->cfg.n_ice_servers - 1];
  if (key == 'u' && server->n_urls < MAX_URLS) in->urls[in->cfg.n_ice_servers - 1][server->n_urls++] = value;
  if (key == 'n') server->username = value;
  if (key == 'c') server->credential = value;
}

static void set_times(floe_ice_timing *t, uint32_t value) {
  *t = (floe_ice_timing){value, value, value, value, value, value, value, value, value, value, value,
                         value, value, value, value, value, value, value, value, value, value, {0}};
}

static void read_option_line(input *in, char key, const char *value) {
  floe_ice_config *c = &in->cfg;
  unsigned long number = strtoul(value, NULL, 10);
  switch (key) {
    case 'i':
      if (c->n_interfaces < MAX_INTERFACES) in->interfaces[c->n_interfaces++] = value;
      break;
    case 'a': c->ca_pem = (floe_bytes){(const uint8_t *)value, strlen(value)}; break;
    case 'w': c->software = value; break;
    case 'p': c->port_min = (uint16_t)number; break;
    case 'P': c->port_max = (uint16_t)number; break;
    case 'r': c->relay_family = (floe_relay_family)(number % 4); break;
    case 't': c->ice_transport_policy = (floe_ice_transport_policy)(number % 3); break;
    case 'm': c->max_ice_servers = number; break;
    case 'l': c->allocation_lifetime_s = (uint32_t)number; break;
    case '4': c->no_ipv4 = true; break;
    case '6': c->no_ipv6 = true; break;
    case 'T': set_times(&c->timing, (uint32_t)number); break;
    case 'f': in->allocations_left = (long)(number % 1000); break;
    default: break; /* any other line is ignored */
  }
}

static void read_input(input *in, char *text) {
  memset(in, 0, sizeof *in);
  floe_ice_config_init(&in->cfg, sizeof in->cfg);
  in->allocations_left = -1;
  for (char *line = text; line != NULL;) {
    char *end = strchr(line, '\n');
    if (end != NULL) *end = '\0';
    if (*line != '\0') {
      read_server_line(in, *line, line + 1);
      read_option_line(in, *line, line + 1);
    }
    line = end == NULL ? NULL : end + 1;
  }
  in->cfg.ice_servers = in->servers;
  in->cfg.interfaces = in->interfaces;
}

static void check_refusal(floe_status status, const floe_error *why) {
  CHECK(status == FLOE_E_SYNTAX || status == FLOE_E_ACCESS || status == FLOE_E_TYPE || status == FLOE_E_TOO_LARGE);
  CHECK(why->status == status && why->path[0] != '\0' && why->message[0] != '\0');
}

static void try_agent(input *in, floe_status checked) {
  floe_env_config env_cfg;
  floe_env *env = NULL;
  floe_ice_agent *agent = NULL;
  floe_error why;
  floe_env_config_init(&env_cfg, sizeof env_cfg);
  env_cfg.reallocate = reallocate;
  env_cfg.user = &in->allocations_left;
  if (floe_env_new(&env, &env_cfg) == FLOE_OK) {
    floe_status status = floe_ice_agent_new(&agent, env, &in->cfg, &why);
    CHECK(status == checked || status == FLOE_E_NOMEM);
    if (status == FLOE_OK) CHECK(floe_ice_agent_gathering_state(agent) == FLOE_ICE_GATHERING_NEW);
    floe_ice_agent_free(agent);
  }
  floe_env_free(env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static input in;
  char *text = malloc(size + 1);
  if (text == NULL) return 0;
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  read_input(&in, text);
  floe_error why;
  floe_status status = floe_ice_config_check(&in.cfg, &why);
  if (status != FLOE_OK && status != FLOE_E_NOMEM) check_refusal(status, &why);
  try_agent(&in, status);
  free(text);
  return 0;
}
