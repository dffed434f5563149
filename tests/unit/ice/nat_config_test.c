/* The configuration of a NAT probe: what is refused, with its path, and what the defaults are. */
#include <string.h>

#include "ice/nat_probe.h"
#include "support/cmocka.h"
#include "support/sim_alloc.h"

static sim *s;
static sim_env *env;
static floe_nat_config cfg;
static const char *urls[20];

static int set_up(void **state) {
  (void)state;
  s = sim_new(1);
  env = sim_env_new(s, 1);
  floe_nat_config_init(&cfg, sizeof cfg);
  urls[0] = "stun:192.0.2.1";
  cfg.urls = urls;
  cfg.n_urls = 1;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  assert_int_equal(sim_env_free(env), 0);
  sim_free(s);
  return 0;
}

static void refuses(floe_status status, const char *path) {
  floe_error why;
  floe_nat_probe *probe;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, &why), status);
  assert_null(probe);
  assert_int_equal(why.status, status);
  assert_string_equal(why.path, path);
  assert_int_not_equal(why.message[0], '\0');
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, NULL), status);
}

static void urls_are_checked(void **state) {
  (void)state;
  cfg.n_urls = 0;
  refuses(FLOE_E_TYPE, "urls");
  cfg.n_urls = 1;
  cfg.urls = NULL;
  refuses(FLOE_E_TYPE, "urls");
  cfg.urls = urls;
  cfg.n_urls = 2;
  refuses(FLOE_E_TYPE, "urls[1]"); /* missing */
  urls[1] = "stun:192.0.2.1:x";
  refuses(FLOE_E_SYNTAX, "urls[1]");
  urls[1] = "turn:192.0.2.1";
  refuses(FLOE_E_UNSUPPORTED, "urls[1]");
  urls[1] = "stuns:192.0.2.1";
  refuses(FLOE_E_UNSUPPORTED, "urls[1]");
  for (size_t i = 0; i < 17; i++) urls[i] = "stun:192.0.2.1";
  cfg.n_urls = 17;
  refuses(FLOE_E_TYPE, "urls");
}

static void the_rest_is_checked(void **state) {
  (void)state;
  cfg.family = (floe_family)5;
  refuses(FLOE_E_TYPE, "family");
  cfg.family = FLOE_FAMILY_NONE;
  cfg.interface = "";
  refuses(FLOE_E_TYPE, "interface");
  cfg.interface = NULL;
  cfg.size = 1;
  refuses(FLOE_E_TYPE, "");
}

/* A program compiled with a later library, which sets something that this one does not know. */
static void members_of_a_later_library(void **state) {
  (void)state;
  struct {
    floe_nat_config known;
    uint64_t later;
  } big = {.known = cfg};
  floe_nat_probe *probe;
  floe_error why;
  big.known.size = sizeof big;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &big.known, &why), FLOE_OK);
  floe_nat_probe_free(probe);
  big.later = 1;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &big.known, &why), FLOE_E_TYPE);
}

static void defaults(void **state) {
  (void)state;
  floe_nat_probe *probe;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, NULL), FLOE_OK);
  assert_int_equal(probe->cfg.family, FLOE_FAMILY_IPV4);
  assert_int_equal(probe->timing.rto_ms, 300);
  assert_int_equal(probe->timing.transmissions, 4);
  assert_int_equal(probe->timing.udp_timeout_ms, 2500);
  assert_int_equal(probe->control.transmissions, 1);
  assert_int_equal(probe->settings.cfg.timing.dns_timeout_ms, 4000);
  assert_true(probe->settings.cfg.no_ipv6 && !probe->settings.cfg.no_ipv4);
  assert_null(floe_nat_probe_result(probe));
  floe_nat_probe_free(probe);
  floe_nat_probe_free(NULL);
}

/* Texts are the probe's own. */
static void texts_are_copied(void **state) {
  (void)state;
  char url[] = "stun:stun.example.org:7", name[] = "eth0";
  floe_nat_probe *probe;
  urls[0] = url;
  cfg.interface = name;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, NULL), FLOE_OK);
  memset(url, 'x', sizeof url - 1);
  memset(name, 'x', sizeof name - 1);
  assert_string_equal(probe->servers[0].text, "stun:stun.example.org:7");
  assert_string_equal(probe->settings.cfg.interfaces[0], "eth0");
  floe_nat_probe_free(probe);
}

static void memory_that_fails(void **state) {
  (void)state;
  cfg.interface = "eth0";
  uint64_t before = env->alloc.calls;
  floe_nat_probe *probe;
  assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, NULL), FLOE_OK);
  floe_nat_probe_free(probe);
  uint64_t calls = env->alloc.calls - before;
  assert_int_equal(calls, 5);
  for (uint64_t i = 1; i <= calls; i++) {
    floe_error why;
    env->alloc.fail_at = env->alloc.calls + i;
    assert_int_equal(floe_nat_probe_new(&probe, env->env, &cfg, &why), FLOE_E_NOMEM);
    assert_null(probe);
    assert_string_equal(why.path, "");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(urls_are_checked, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_rest_is_checked, set_up, tear_down),
      cmocka_unit_test_setup_teardown(members_of_a_later_library, set_up, tear_down),
      cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
      cmocka_unit_test_setup_teardown(texts_are_copied, set_up, tear_down),
      cmocka_unit_test_setup_teardown(memory_that_fails, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
