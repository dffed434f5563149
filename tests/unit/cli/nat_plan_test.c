/* From URLs to what is asked. */
#include "nat_plan.h"

#include <string.h>

#include "fixture.h"

static floe__nat_plan plan;
static floe__nat_options options;
static const char *urls[20];
static floe_error why;

static bool make(const char *a, const char *b, const char *c) {
  const char *const given[] = {a, b, c};
  options.urls = urls;
  options.n_urls = 0;
  for (size_t i = 0; i < 3 && given[i] != NULL; i++) urls[options.n_urls++] = given[i];
  memset(&why, 0, sizeof why);
  return floe__nat_plan_make(&plan, &options, &why);
}

static int set_up(void **state) {
  (void)state;
  memset(&options, 0, sizeof options);
  options.tls_port = 443;
  return 0;
}

static void a_name(void **state) {
  (void)state;
  assert_true(make("stun:stun.example.org", NULL, NULL));
  assert_int_equal(plan.n_hosts, 1);
  assert_string_equal(plan.hosts[0].udp_url, "stun:stun.example.org:3478");
  assert_string_equal(plan.hosts[0].tcp_url, "turn:stun.example.org:3478?transport=tcp");
  assert_string_equal(plan.hosts[0].tls_url, "stuns:stun.example.org:443");
  for (unsigned which = 0; which < 2; which++) {
    assert_int_equal(plan.probes[which].n_urls, 1);
    assert_string_equal(plan.probes[which].urls[0], "stun:stun.example.org:3478");
  }
  assert_int_equal(plan.probes[0].family, FLOE_FAMILY_IPV4);
  assert_int_equal(plan.probes[1].family, FLOE_FAMILY_IPV6);
  assert_int_equal(plan.agent.n_ice_servers, 2);
  assert_int_equal(floe_ice_config_check(&plan.agent, &why), FLOE_OK);
}

static void addresses_belong_to_their_family(void **state) {
  (void)state;
  assert_true(make("stun:192.0.2.1:7", "stun:[2001:db8::1]", "stun:name.example.org"));
  assert_int_equal(plan.n_hosts, 3);
  assert_int_equal(plan.probes[0].n_urls, 2);
  assert_string_equal(plan.probes[0].urls[0], "stun:192.0.2.1:7");
  assert_string_equal(plan.probes[0].urls[1], "stun:name.example.org:3478");
  assert_int_equal(plan.hosts_of[0][1], 2);
  assert_int_equal(plan.probes[1].n_urls, 2);
  assert_string_equal(plan.probes[1].urls[0], "stun:[2001:db8::1]:3478");
  assert_int_equal(plan.hosts_of[1][0], 1);
  assert_string_equal(plan.hosts[1].tls_url, "stuns:[2001:db8::1]:443");
}

static void ports_come_from_the_urls(void **state) {
  (void)state;
  assert_true(make("turns:a.example.org", NULL, NULL));
  assert_string_equal(plan.hosts[0].udp_url, "stun:a.example.org:3478");
  assert_string_equal(plan.hosts[0].tls_url, "stuns:a.example.org:5349");
  assert_true(make("turn:a.example.org:80?transport=tcp", NULL, NULL));
  assert_string_equal(plan.hosts[0].udp_url, "stun:a.example.org:80");
  assert_string_equal(plan.hosts[0].tcp_url, "turn:a.example.org:80?transport=tcp");
  options.tls_port = 8443;
  assert_true(make("stun:a.example.org", NULL, NULL));
  assert_string_equal(plan.hosts[0].tls_url, "stuns:a.example.org:8443");
}

/* What does not contradict each other is one server. */
static void urls_of_one_host(void **state) {
  (void)state;
  assert_true(make("stun:a.example.org", "turns:a.example.org:8443", "turn:a.example.org?transport=tcp"));
  assert_int_equal(plan.n_hosts, 1);
  assert_string_equal(plan.hosts[0].url, "stun:a.example.org");
  assert_string_equal(plan.hosts[0].udp_url, "stun:a.example.org:3478");
  assert_string_equal(plan.hosts[0].tls_url, "stuns:a.example.org:8443");
  assert_true(make("stun:a.example.org", "stun:a.example.org:3479", NULL));
  assert_int_equal(plan.n_hosts, 2);
}

static void options_reach_the_configurations(void **state) {
  (void)state;
  options.no_ipv6 = true;
  options.interface = "eth0";
  options.timeout_ms = 700;
  assert_true(make("stun:a.example.org", NULL, NULL));
  assert_int_equal(plan.probes[0].n_urls, 1);
  assert_int_equal(plan.probes[1].n_urls, 0);
  assert_string_equal(plan.probes[0].interface, "eth0");
  assert_int_equal(plan.probes[0].timeout_ms, 700);
  assert_true(plan.agent.no_ipv6 && !plan.agent.no_ipv4);
  assert_int_equal(plan.agent.n_interfaces, 1);
  assert_string_equal(plan.agent.interfaces[0], "eth0");
  assert_int_equal(plan.agent.timing.connect_timeout_ms, 700);
}

static void what_is_refused(void **state) {
  (void)state;
  assert_false(make("stun:a.example.org", "http:x", NULL));
  assert_string_equal(why.path, "urls[1]");
  assert_int_equal(why.status, FLOE_E_SYNTAX);
  options.no_ipv4 = true;
  assert_false(make("stun:192.0.2.1", NULL, NULL));
  assert_string_equal(why.message, "no server has an address of the family that is asked for");
  options.no_ipv4 = false;
  static char texts[17][32];
  for (size_t i = 0; i < 17; i++) {
    (void)snprintf(texts[i], sizeof texts[i], "stun:192.0.2.%zu", i + 1);
    urls[i] = texts[i];
  }
  options.urls = urls;
  options.n_urls = 17;
  assert_false(floe__nat_plan_make(&plan, &options, &why));
  assert_string_equal(why.path, "urls[16]");
  assert_string_equal(why.message, "more than 16 servers");
}

/* The longest name that there can be, in every URL. */
static void long_names(void **state) {
  (void)state;
  static char url[300];
  size_t n = (size_t)snprintf(url, sizeof url, "stun:");
  for (size_t i = 0; i < 250; i++) url[n++] = i % 50 == 49 ? '.' : 'a';
  url[n] = '\0';
  assert_true(make(url, NULL, NULL));
  assert_int_equal(floe_ice_config_check(&plan.agent, &why), FLOE_OK);
  assert_int_equal(strlen(plan.hosts[0].tcp_url), 250 + strlen("turn::3478?transport=tcp"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_name, set_up),
      cmocka_unit_test_setup(addresses_belong_to_their_family, set_up),
      cmocka_unit_test_setup(ports_come_from_the_urls, set_up),
      cmocka_unit_test_setup(urls_of_one_host, set_up),
      cmocka_unit_test_setup(options_reach_the_configurations, set_up),
      cmocka_unit_test_setup(what_is_refused, set_up),
      cmocka_unit_test_setup(long_names, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
