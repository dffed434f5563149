#include "check_setup.h"

#include "fixture.h"

enum { NOW = 1700000000 - 3600 };

static void arguments_are_servers_in_their_order(void **state) {
  (void)state;
  const char *urls[] = {"turn:a.example", "stun:b.example"};
  char secret[] = "north";
  floe__check_setup setup;
  floe__setup_error why;
  const floe__check_options o = {.urls = urls,
                                 .n_urls = 2,
                                 .user = "alice",
                                 .credential_source = FLOE__CREDENTIAL_SECRET_TEXT,
                                 .credential = secret,
                                 .ttl_s = 3600,
                                 .relay_only = true,
                                 .no_ipv6 = true,
                                 .port_min = 5000,
                                 .port_max = 5010,
                                 .timeout_ms = 2500,
                                 .insecure = true};
  assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_OK);
  assert_int_equal(setup.cfg.n_ice_servers, 2);
  assert_int_equal(setup.n_asked, 2);
  assert_string_equal(setup.cfg.ice_servers[0].urls[0], "turn:a.example");
  assert_string_equal(setup.cfg.ice_servers[0].username, "1700000000:alice");
  assert_null(setup.cfg.ice_servers[1].username); /* STUN gets no credentials */
  assert_null(setup.cfg.ice_servers[1].credential);
  assert_int_equal(setup.cfg.ice_transport_policy, FLOE_ICE_TRANSPORT_POLICY_RELAY);
  assert_true(setup.cfg.no_ipv6 && !setup.cfg.no_ipv4 && setup.cfg.tls_insecure);
  assert_int_equal(setup.cfg.port_min, 5000);
  assert_int_equal(setup.cfg.port_max, 5010);
  assert_int_equal(setup.cfg.timing.server_timeout_ms, 2500);
  assert_int_equal(setup.cfg.timing.gathering_timeout_ms, 2500);
  floe__check_setup_clear(&setup);
}

static void all_adds_and_marks(void **state) {
  (void)state;
  const char *urls[] = {"stun:a.example"};
  floe__check_setup setup;
  floe__setup_error why;
  const floe__check_options o = {.urls = urls, .n_urls = 1, .all = true};
  assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_OK);
  assert_int_equal(setup.n_asked, 1);
  assert_int_equal(setup.cfg.n_ice_servers, 2);
  assert_string_equal(floe__check_setup_url(&setup, "iceServers[1].urls[0]"), "stuns:a.example");
  floe__check_setup_clear(&setup);
}

static void all_of_many_is_not_too_much(void **state) {
  (void)state;
  const char *urls[64];
  char text[64][32];
  floe__check_setup setup;
  floe__setup_error why;
  for (unsigned i = 0; i < 64; i++) {
    (void)snprintf(text[i], sizeof text[i], "stun:s%u.example", i);
    urls[i] = text[i];
  }
  const floe__check_options o = {.urls = urls, .n_urls = 64, .all = true};
  assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_OK);
  assert_int_equal(setup.cfg.n_ice_servers, 128);
  floe__check_setup_clear(&setup);
}

static void refused_configurations(void **state) {
  (void)state;
  static const struct {
    const char *url;
    floe_status status;
    const char *path;
  } rows[] = {{"turn:a.example:", FLOE_E_SYNTAX, "iceServers[0].urls[0]"},
              {"http:a.example", FLOE_E_SYNTAX, "iceServers[0].urls[0]"},
              {"turn:a.example", FLOE_E_ACCESS, "iceServers[0].username"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *urls[] = {rows[i].url};
    floe__check_setup setup;
    floe__setup_error why;
    const floe__check_options o = {.urls = urls, .n_urls = 1};
    assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_REFUSED);
    assert_int_equal(why.refused.error.status, rows[i].status);
    assert_string_equal(why.refused.error.path, rows[i].path);
    floe__check_setup_clear(&setup);
  }
}

static void expect_usage(const floe__check_options *o, const char *part) {
  floe__check_setup setup;
  floe__setup_error why;
  assert_int_equal(floe__check_setup_make(&setup, o, NOW, &why), FLOE__SETUP_USAGE);
  expect_contains(why.usage, part);
  floe__check_setup_clear(&setup);
}

static void files_and_interfaces(void **state) {
  (void)state;
  const char *urls[] = {"stun:a.example"}, *interfaces[] = {"no-such-if0"};
  const floe__check_options no_if = {.urls = urls, .n_urls = 1, .interfaces = interfaces, .n_interfaces = 1};
  expect_usage(&no_if, "there is no interface no-such-if0; there are ");
  const floe__check_options no_ca = {.urls = urls, .n_urls = 1, .ca_file = FLOE_SOURCE_DIR "/no-such.pem"};
  expect_usage(&no_ca, "No such file");
  const floe__check_options bad_ca = {.urls = urls, .n_urls = 1, .ca_file = FLOE_SOURCE_DIR "/LICENSE"};
  expect_usage(&bad_ca, "there is no PEM certificate in it");
  const floe__check_options no_json = {.ice_servers = FLOE_SOURCE_DIR "/no-such.json"};
  expect_usage(&no_json, "No such file");
  const floe__check_options a_directory = {.ice_servers = FLOE_SOURCE_DIR};
  expect_usage(&a_directory, "directory");
}

static void json_that_is_none(void **state) {
  (void)state;
  floe__check_setup setup;
  floe__setup_error why;
  const floe__check_options o = {.ice_servers = FLOE_SOURCE_DIR "/LICENSE"};
  assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_REFUSED);
  assert_int_equal(why.refused.line, 1);
  floe__check_setup_clear(&setup);
}

static void urls_of_paths(void **state) {
  (void)state;
  const char *urls[] = {"stun:a.example"};
  floe__check_setup setup;
  floe__setup_error why;
  const floe__check_options o = {.urls = urls, .n_urls = 1};
  assert_int_equal(floe__check_setup_make(&setup, &o, NOW, &why), FLOE__SETUP_OK);
  assert_string_equal(floe__check_setup_url(&setup, "iceServers[0].urls[0]"), "stun:a.example");
  assert_null(floe__check_setup_url(&setup, "iceServers[1].urls[0]"));
  assert_null(floe__check_setup_url(&setup, "iceServers[0].urls[1]"));
  assert_null(floe__check_setup_url(&setup, "iceServers[0].username"));
  assert_null(floe__check_setup_url(&setup, ""));
  floe__check_setup_clear(&setup);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arguments_are_servers_in_their_order),
      cmocka_unit_test(all_adds_and_marks),
      cmocka_unit_test(all_of_many_is_not_too_much),
      cmocka_unit_test(refused_configurations),
      cmocka_unit_test(files_and_interfaces),
      cmocka_unit_test(json_that_is_none),
      cmocka_unit_test(urls_of_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
