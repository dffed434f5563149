#include "matrix.h"

#include "fixture.h"

static void expect_derived(const char *const *given, const char *const *expected) {
  floe__server_list list = {0};
  size_t n = 0, k = 0;
  for (; given[n] != NULL; n++) floe__server_list_add_url(floe__server_list_add(&list, "u", "p"), given[n]);
  floe__matrix_derive(&list);
  for (; expected[k] != NULL; k++) {
    if (n + k >= list.n) fail_msg("%s is missing", expected[k]);
    assert_int_equal(list.servers[n + k].n_urls, 1);
    assert_string_equal(list.servers[n + k].urls[0], expected[k]);
    assert_string_equal(list.servers[n + k].username, "u");
    assert_string_equal(list.servers[n + k].credential, "p");
  }
  assert_int_equal(list.n, n + k);
  floe__server_list_clear(&list);
}

#define URLS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void what_a_host_could_serve(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  expect_derived(URLS("turn:a.example"), URLS("turn:a.example?transport=tcp", "turns:a.example"));
  expect_derived(URLS("turn:a.example?transport=tcp"), URLS("turn:a.example", "turns:a.example"));
  expect_derived(URLS("turns:a.example:443"), URLS("turn:a.example", "turn:a.example?transport=tcp"));
  expect_derived(URLS("turn:a.example:3479"), URLS("turn:a.example:3479?transport=tcp", "turns:a.example"));
  expect_derived(URLS("turn:[2001:db8::1]:3479"), URLS("turn:[2001:db8::1]:3479?transport=tcp", "turns:[2001:db8::1]"));
  expect_derived(URLS("stun:a.example"), URLS("stuns:a.example"));
  expect_derived(URLS("stuns:a.example:443"), URLS("stun:a.example"));
  expect_derived(URLS("turn:a.example", "turn:a.example?transport=tcp", "turns:a.example:443"), none);
  expect_derived(URLS("turn:a.example", "turns:A.EXAMPLE"), URLS("turn:a.example?transport=tcp"));
  expect_derived(URLS("stun:a.example", "turn:a.example"),
                 URLS("stuns:a.example", "turn:a.example?transport=tcp", "turns:a.example"));
  expect_derived(URLS("nonsense"), none);
}

static void every_derived_url_is_a_url(void **state) {
  (void)state;
  floe__server_list list = {0};
  floe_ice_config cfg;
  floe__server_list_add_url(floe__server_list_add(&list, "u", "p"), "turn:[2001:db8::1]:3479");
  floe__server_list_add_url(floe__server_list_add(&list, "u", "p"), "turns:192.0.2.1");
  floe__matrix_derive(&list);
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = list.servers;
  cfg.n_ice_servers = list.n;
  assert_int_equal(floe_ice_config_check(&cfg, NULL), FLOE_OK);
  floe__server_list_clear(&list);
}

static void the_matrix(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  floe_server_report *s = fixture_server(&f, "turn:turn.example.org", FLOE_VERDICT_DEGRADED, FLOE_CAUSE_UDP_TIMEOUT);
  (void)fixture_good(&f, s, "198.51.100.1:3478");
  (void)fixture_bad(&f, s, "[2001:db8::1]:3478", FLOE_CAUSE_UDP_TIMEOUT);
  s = fixture_server(&f, "turn:turn.example.org?transport=tcp", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  (void)fixture_good(&f, s, "198.51.100.1:3478");
  s = fixture_server(&f, "turns:turn.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_TLS_EXPIRED);
  (void)fixture_bad(&f, s, "198.51.100.1:5349", FLOE_CAUSE_TLS_EXPIRED);
  s = fixture_server(&f, "stun:stun.example.org", FLOE_VERDICT_FAILED, FLOE_CAUSE_DNS_NXDOMAIN);
  fixture_bad(&f, s, NULL, FLOE_CAUSE_DNS_NXDOMAIN)->detail.family = FLOE_FAMILY_IPV6;
  floe__result_init(&f.result, &f.report, 1);
  catch_open(&c);
  const floe__human h = {.out = c.out};
  floe__matrix_print(&h, &f.result);
  expect_text(&c,
              "turn.example.org (TURN)\n"
              "       IPv4                        IPv6\n"
              "  UDP  ok 12.3 ms                  udp_timeout\n"
              "  TCP  ok 12.3 ms                  -\n"
              "  TLS  tls_expired                 -\n"
              "\n"
              "stun.example.org (STUN)\n"
              "       IPv4                        IPv6\n"
              "  UDP  -                           dns_nxdomain\n"
              "\n");
  floe__result_clear(&f.result);
}

static void a_relay_without_data_is_not_ok(void **state) {
  (void)state;
  fixture f = {0};
  caught c;
  floe_server_report *s = fixture_server(&f, "turn:198.51.100.1", FLOE_VERDICT_OK, FLOE_CAUSE_NONE);
  (void)fixture_good(&f, s, "198.51.100.1:3478");
  floe__result_init(&f.result, &f.report, 1);
  (void)fixture_relay(&f, 0, FLOE__RELAY_NO_DATA, FLOE_CAUSE_RELAY_NO_DATA);
  floe__result_judge(&f.result);
  catch_open(&c);
  const floe__human h = {.out = c.out};
  floe__matrix_print(&h, &f.result);
  expect_contains(catch_close(&c), "  UDP  relay_no_data               -\n");
  catch_free(&c);
  floe__result_clear(&f.result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_host_could_serve),
      cmocka_unit_test(every_derived_url_is_a_url),
      cmocka_unit_test(the_matrix),
      cmocka_unit_test(a_relay_without_data_is_not_ok),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
