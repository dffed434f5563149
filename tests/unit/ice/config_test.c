/* The configuration: all or nothing, with the class of the error and the path (the contract's section 6). */
#include <string.h>

#include "floe/ice.h"
#include "ice/settings.h"
#include "support/cmocka.h"

static const char *const stun_url[] = {"stun:stun.example.org"};
static const char *const turn_url[] = {"turn:turn.example.org"};
static const char *const mixed_urls[] = {"stun:s.example.org", "turn:t.example.org", "turns:t.example.org"};
static const char *const one_bad[] = {"stun:ok.example.org", "stun:b ad"};
static const char *const null_url[] = {NULL};

static floe_ice_config config_of(const floe_ice_server *servers, size_t n) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = servers;
  cfg.n_ice_servers = n;
  return cfg;
}

static void expect(const floe_ice_config *cfg, floe_status status, const char *path, size_t offset) {
  floe_error why = {0};
  assert_int_equal(floe_ice_config_check(cfg, &why), status);
  assert_int_equal(why.status, status);
  assert_string_equal(why.path, path);
  assert_int_equal(why.offset, offset);
  assert_true(why.message[0] != '\0');
  assert_int_equal(floe_ice_config_check(cfg, NULL), status);
}

static void accepts_what_is_right(void **state) {
  (void)state;
  floe_ice_server servers[] = {
      {.urls = stun_url, .n_urls = 1},
      {.urls = mixed_urls, .n_urls = 3, .username = "user", .credential = "secret"},
  };
  floe_ice_config cfg = config_of(servers, 2);
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  cfg = config_of(NULL, 0);
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
}

static void names_the_url(void **state) {
  (void)state;
  floe_ice_server servers[] = {{.urls = stun_url, .n_urls = 1}, {.urls = one_bad, .n_urls = 2}};
  floe_ice_config cfg = config_of(servers, 2);
  expect(&cfg, FLOE_E_SYNTAX, "iceServers[1].urls[1]", 6);
  servers[1].n_urls = 0;
  expect(&cfg, FLOE_E_SYNTAX, "iceServers[1].urls", FLOE_NO_OFFSET);
  servers[1] = (floe_ice_server){.urls = NULL, .n_urls = 1};
  expect(&cfg, FLOE_E_TYPE, "iceServers[1].urls", FLOE_NO_OFFSET);
  servers[1] = (floe_ice_server){.urls = null_url, .n_urls = 1};
  expect(&cfg, FLOE_E_TYPE, "iceServers[1].urls[0]", FLOE_NO_OFFSET);
}

static void wants_credentials_for_turn(void **state) {
  (void)state;
  char long_name[510];
  memset(long_name, 'u', sizeof long_name - 1);
  long_name[509] = '\0';
  floe_ice_server server = {.urls = turn_url, .n_urls = 1};
  floe_ice_config cfg = config_of(&server, 1);
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].username", FLOE_NO_OFFSET);
  server.username = "";
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].username", FLOE_NO_OFFSET);
  server.username = "user";
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].credential", FLOE_NO_OFFSET);
  server.credential = "";
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].credential", FLOE_NO_OFFSET);
  server.credential = "a\tb";
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].credential", FLOE_NO_OFFSET);
  server.credential = "a\xff";
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].credential", FLOE_NO_OFFSET);
  server.credential = "secret";
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  server.username = long_name;
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].username", FLOE_NO_OFFSET);
  long_name[508] = '\0';
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
}

/* RFC 8489 14.3 counts the name as it is sent: NFC makes twelve bytes of these four. */
static void counts_a_name_as_it_is_sent(void **state) {
  (void)state;
  char name[4 * 127 + 1] = "";
  for (int i = 0; i < 127; i++) strcat(name, "\xF0\x9D\x85\xA0");
  floe_ice_server server = {.urls = turn_url, .n_urls = 1, .username = name, .credential = "secret"};
  floe_ice_config cfg = config_of(&server, 1);
  expect(&cfg, FLOE_E_ACCESS, "iceServers[0].username", FLOE_NO_OFFSET);
  name[4 * 42] = '\0';
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
}

/* A program that was built with an older or a newer header. */
static void takes_structures_of_other_sizes(void **state) {
  (void)state;
  struct {
    floe_ice_config cfg;
    uint8_t later[16];
  } newer = {.later = {0}};
  floe_ice_config_init(&newer.cfg, sizeof newer);
  assert_int_equal(floe_ice_config_check(&newer.cfg, NULL), FLOE_OK);
  newer.later[15] = 1; /* something that this library does not know */
  expect(&newer.cfg, FLOE_E_TYPE, "", FLOE_NO_OFFSET);
  floe_ice_config older = config_of(NULL, 0);
  older.size = (uint32_t)offsetof(floe_ice_config, port_min);
  older.port_max = 7; /* not the older program's to set: what lies there is not read */
  assert_int_equal(floe_ice_config_check(&older, NULL), FLOE_OK);
}

static void ignores_credentials_of_stun(void **state) {
  (void)state;
  floe_ice_server server = {.urls = stun_url, .n_urls = 1, .username = "", .credential = "\x01"};
  floe_ice_config cfg = config_of(&server, 1);
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
}

static void caps_servers_loudly(void **state) {
  (void)state;
  floe_ice_server servers[65];
  for (size_t i = 0; i < 65; i++) servers[i] = (floe_ice_server){.urls = stun_url, .n_urls = 1};
  floe_ice_config cfg = config_of(servers, 64);
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  cfg.n_ice_servers = 65;
  expect(&cfg, FLOE_E_TOO_LARGE, "iceServers", FLOE_NO_OFFSET);
  cfg.max_ice_servers = 65;
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
}

static void checks_the_other_members(void **state) {
  (void)state;
  floe_ice_config cfg = config_of(NULL, 0);
  cfg.n_ice_servers = 1;
  expect(&cfg, FLOE_E_TYPE, "iceServers", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.ice_transport_policy = (floe_ice_transport_policy)7;
  expect(&cfg, FLOE_E_TYPE, "iceTransportPolicy", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.relay_family = (floe_relay_family)9;
  expect(&cfg, FLOE_E_TYPE, "relayFamily", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.no_ipv4 = cfg.no_ipv6 = true;
  expect(&cfg, FLOE_E_TYPE, "noIpv6", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.port_max = 5000;
  expect(&cfg, FLOE_E_TYPE, "portMin", FLOE_NO_OFFSET);
  cfg.port_min = 5001;
  expect(&cfg, FLOE_E_TYPE, "portMax", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  const char *names[] = {"eth0", ""};
  cfg.interfaces = names;
  cfg.n_interfaces = 2;
  expect(&cfg, FLOE_E_TYPE, "interfaces[1]", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.ca_pem = (floe_bytes){(const uint8_t *)"no pem", 6};
  expect(&cfg, FLOE_E_TYPE, "caPem", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.size = 1;
  expect(&cfg, FLOE_E_TYPE, "", FLOE_NO_OFFSET);
}

#define PWD "0123456789012345678901"

/* RFC 8839 5.4. */
static void checks_ufrag_and_pwd(void **state) {
  (void)state;
  floe_ice_config cfg = config_of(NULL, 0);
  cfg.local_ufrag = "abcd";
  expect(&cfg, FLOE_E_TYPE, "localPwd", FLOE_NO_OFFSET);
  cfg.local_pwd = PWD;
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  cfg.local_ufrag = NULL;
  expect(&cfg, FLOE_E_TYPE, "localUfrag", FLOE_NO_OFFSET);
  cfg.local_ufrag = "abc";
  expect(&cfg, FLOE_E_SYNTAX, "localUfrag", FLOE_NO_OFFSET);
  cfg.local_ufrag = "ab-d";
  expect(&cfg, FLOE_E_SYNTAX, "localUfrag", 2);
  cfg.local_ufrag = "abcd";
  cfg.local_pwd = "012345678901234567890";
  expect(&cfg, FLOE_E_SYNTAX, "localPwd", FLOE_NO_OFFSET);
}

static void checks_what_connecting_needs(void **state) {
  (void)state;
  floe_ice_config cfg = config_of(NULL, 0);
  cfg.check_dscp = 63;
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  cfg.check_dscp = 64;
  expect(&cfg, FLOE_E_TYPE, "checkDscp", FLOE_NO_OFFSET);
  cfg = config_of(NULL, 0);
  cfg.no_tcp = cfg.tcp_passive = true;
  expect(&cfg, FLOE_E_TYPE, "noTcp", FLOE_NO_OFFSET);
  cfg.tcp_passive = false;
  cfg.tcp_so = true;
  expect(&cfg, FLOE_E_TYPE, "noTcp", FLOE_NO_OFFSET);
}

/* RFC 8445 2.5, RFC 6544 4.1. */
static void a_lite_agent_has_hosts_only(void **state) {
  (void)state;
  floe_ice_server server = {.urls = stun_url, .n_urls = 1};
  floe_ice_config cfg = config_of(&server, 1);
  cfg.lite = true;
  expect(&cfg, FLOE_E_TYPE, "lite", FLOE_NO_OFFSET);
  cfg.n_ice_servers = 0;
  cfg.tcp_passive = true;
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  expect(&cfg, FLOE_E_TYPE, "lite", FLOE_NO_OFFSET);
  cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_ALL;
  cfg.tcp_so = true;
  expect(&cfg, FLOE_E_TYPE, "tcpSo", FLOE_NO_OFFSET);
}

static void checks_and_copies_rewrites(void **state) {
  (void)state;
  floe_address_rewrite rewrites[2] = {0};
  assert_true(floe_addr_parse(&rewrites[0].shown, "203.0.113.9"));
  floe_ice_config cfg = config_of(NULL, 0);
  cfg.n_rewrites = 2;
  expect(&cfg, FLOE_E_TYPE, "rewrites[0]", FLOE_NO_OFFSET); /* no list */
  cfg.rewrites = rewrites;
  expect(&cfg, FLOE_E_TYPE, "rewrites[1]", FLOE_NO_OFFSET); /* nothing to show */
  assert_true(floe_addr_parse(&rewrites[1].shown, "203.0.113.9"));
  assert_true(floe_addr_parse(&rewrites[1].local, "2001:db8::1"));
  expect(&cfg, FLOE_E_TYPE, "rewrites[1]", FLOE_NO_OFFSET); /* of another family */
  assert_true(floe_addr_parse(&rewrites[1].local, "10.0.0.1"));
  floe_env *env;
  floe__settings *s;
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  assert_int_equal(floe__settings_new(&s, env, &cfg, NULL), FLOE_OK);
  rewrites[1].local.ip[0] = 99;
  assert_int_equal(s->cfg.n_rewrites, 2);
  assert_int_equal(s->cfg.rewrites[1].local.ip[0], 10);
  floe__settings_free(s);
  floe_env_free(env);
}

static void copies_deeply_and_prepares(void **state) {
  (void)state;
  floe_env *env;
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  char url[] = "turn:turn.example.org";
  char user[] =
      "us\xc2\xa0"
      "er"; /* RFC 8265 4.2.1: the no-break space becomes a space */
  char credential[] = "secret";
  const char *urls[] = {"stun:s.example.org", url, url};
  floe_ice_server server = {.urls = urls, .n_urls = 3, .username = user, .credential = credential};
  floe_ice_config cfg = config_of(&server, 1);
  floe__settings *s;
  assert_int_equal(floe__settings_new(&s, env, &cfg, NULL), FLOE_OK);
  url[0] = user[0] = credential[0] = 'X';
  assert_int_equal(s->n_servers, 3);
  assert_null(s->servers[0].username);
  assert_string_equal(s->servers[1].text, "turn:turn.example.org");
  assert_string_equal(s->servers[1].username, "us er");
  assert_string_equal(s->servers[2].credential, "secret");
  assert_int_equal(s->servers[2].url_index, 2);
  assert_int_equal(s->cfg.timing.udp_timeout_ms, 5000);
  assert_int_equal(s->cfg.timing.ta_ms, 5);
  floe__settings_free(s);
  floe_env_free(env);
}

static void an_agent_is_refused_alike(void **state) {
  (void)state;
  floe_env *env;
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  floe_ice_server server = {.urls = turn_url, .n_urls = 1};
  floe_ice_config cfg = config_of(&server, 1);
  floe_ice_agent *agent = NULL;
  floe_error why;
  assert_int_equal(floe_ice_agent_new(&agent, env, &cfg, &why), FLOE_E_ACCESS);
  assert_null(agent);
  assert_string_equal(why.path, "iceServers[0].username");
  floe_env_free(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepts_what_is_right),
      cmocka_unit_test(names_the_url),
      cmocka_unit_test(wants_credentials_for_turn),
      cmocka_unit_test(counts_a_name_as_it_is_sent),
      cmocka_unit_test(takes_structures_of_other_sizes),
      cmocka_unit_test(ignores_credentials_of_stun),
      cmocka_unit_test(caps_servers_loudly),
      cmocka_unit_test(checks_the_other_members),
      cmocka_unit_test(checks_ufrag_and_pwd),
      cmocka_unit_test(checks_what_connecting_needs),
      cmocka_unit_test(a_lite_agent_has_hosts_only),
      cmocka_unit_test(checks_and_copies_rewrites),
      cmocka_unit_test(copies_deeply_and_prepares),
      cmocka_unit_test(an_agent_is_refused_alike),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
