/* The configuration of a peer connection: what is refused with which path, and
 * what can be changed (webrtc-pc 4.4.1.6 "set the configuration"). */
#include "support/pc_peers.h"
#include "support/sim_alloc.h"

typedef struct fixture {
  sim *s;
  sim_env *env;
  floe_pc_config cfg;
  floe_ice_config ice;
  floe_error why;
} fixture;

static fixture new_fixture(void) {
  fixture f = {.s = sim_new(1)};
  f.env = sim_env_new(f.s, 1);
  floe_env_set_unix_time(f.env->env, 0, SIM_UNIX_MS);
  floe_pc_config_init(&f.cfg, sizeof f.cfg);
  floe_ice_config_init(&f.ice, sizeof f.ice);
  return f;
}

static void free_fixture(fixture *f) {
  assert_int_equal(sim_env_free(f->env), 0);
  sim_free(f->s);
}

static void expect_refused(fixture *f, floe_status status, const char *path) {
  floe_pc *pc = NULL;
  f->cfg.ice = &f->ice;
  floe_status st = floe_pc_new(&pc, f->env->env, 0, &f->cfg, &f->why);
  if (st != status) fail_msg("%s, expected %s at %s", floe_status_name(st), floe_status_name(status), path);
  assert_null(pc);
  assert_int_equal(f->why.status, status);
  assert_string_equal(f->why.path, path);
  assert_true(f->why.message[0] != '\0');
  floe_pc_config_init(&f->cfg, sizeof f->cfg);
  floe_ice_config_init(&f->ice, sizeof f->ice);
}

static void members_out_of_their_range(void **state) {
  (void)state;
  fixture f = new_fixture();
  f.cfg.bundle_policy = (floe_bundle_policy)3;
  expect_refused(&f, FLOE_E_TYPE, "bundlePolicy");
  f.cfg.rtcp_mux_policy = (floe_rtcp_mux_policy)1;
  expect_refused(&f, FLOE_E_TYPE, "rtcpMuxPolicy");
  f.cfg.ice_candidate_pool_size = 256;
  expect_refused(&f, FLOE_E_TYPE, "iceCandidatePoolSize");
  f.cfg.mtu = 575;
  expect_refused(&f, FLOE_E_TYPE, "mtu");
  f.cfg.mtu = 65001;
  expect_refused(&f, FLOE_E_TYPE, "mtu");
  f.cfg.max_message_size = (UINT64_C(1) << 30) + 1;
  expect_refused(&f, FLOE_E_TYPE, "maxMessageSize");
  f.ice.ice_transport_policy = (floe_ice_transport_policy)2;
  expect_refused(&f, FLOE_E_TYPE, "iceTransportPolicy");
  free_fixture(&f);
}

static void servers_that_cannot_be_used(void **state) {
  (void)state;
  static const struct {
    const char *url, *user, *credential;
    floe_status status;
    const char *path;
  } rows[] = {{"http://example.org", NULL, NULL, FLOE_E_SYNTAX, "iceServers[0].urls[0]"},
              {"stun:", NULL, NULL, FLOE_E_SYNTAX, "iceServers[0].urls[0]"},
              {"", NULL, NULL, FLOE_E_SYNTAX, "iceServers[0].urls[0]"},
              {"turn:192.0.2.1", NULL, NULL, FLOE_E_ACCESS, "iceServers[0].username"},
              {"turn:192.0.2.1", "user", NULL, FLOE_E_ACCESS, "iceServers[0].credential"}};
  fixture f = new_fixture();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_ice_server server = {
        .urls = &rows[i].url, .n_urls = 1, .username = rows[i].user, .credential = rows[i].credential};
    f.ice.ice_servers = &server;
    f.ice.n_ice_servers = 1;
    expect_refused(&f, rows[i].status, rows[i].path);
  }
  floe_ice_server none = {0};
  f.ice.ice_servers = &none;
  f.ice.n_ice_servers = 1;
  expect_refused(&f, FLOE_E_SYNTAX, "iceServers[0].urls");
  free_fixture(&f);
}

static floe_certificate *make_certificate(fixture *f, uint64_t expires_ms) {
  floe_certificate_options options;
  floe_certificate_options_init(&options, sizeof options);
  options.expires_ms = expires_ms;
  floe_certificate *cert = NULL;
  assert_int_equal(floe_certificate_generate(&cert, f->env->env, 0, &options, NULL), FLOE_OK);
  return cert;
}

static void an_expired_certificate_is_refused(void **state) {
  (void)state;
  fixture f = new_fixture();
  floe_certificate *good = make_certificate(&f, 0), *bad = make_certificate(&f, 1000);
  const floe_certificate *list[] = {good, bad};
  floe_pc *pc = NULL;
  f.cfg.certificates = list;
  f.cfg.n_certificates = 2;
  assert_int_equal(floe_pc_new(&pc, f.env->env, 500 * FLOE_MS, &f.cfg, &f.why), FLOE_OK);
  floe_pc_free(pc);
  pc = NULL;
  assert_int_equal(floe_pc_new(&pc, f.env->env, 2 * FLOE_SECOND, &f.cfg, &f.why), FLOE_E_ACCESS);
  assert_string_equal(f.why.path, "certificates[1]");
  assert_null(pc);
  floe_certificate_free(good);
  floe_certificate_free(bad);
  free_fixture(&f);
}

/* Copies: nothing of what was given is needed afterwards. */
static void everything_is_copied(void **state) {
  (void)state;
  fixture f = new_fixture();
  char url[] = "turn:192.0.2.1", user[] = "user", credential[] = "secret";
  const char *urls[] = {url};
  floe_ice_server server = {.urls = urls, .n_urls = 1, .username = user, .credential = credential};
  floe_certificate *cert = make_certificate(&f, 0);
  const floe_certificate *list[] = {cert};
  f.ice.ice_servers = &server;
  f.ice.n_ice_servers = 1;
  f.cfg.ice = &f.ice;
  f.cfg.certificates = list;
  f.cfg.n_certificates = 1;
  floe_pc *pc = NULL;
  assert_int_equal(floe_pc_new(&pc, f.env->env, 0, &f.cfg, &f.why), FLOE_OK);
  memset(url, 'x', sizeof url - 1);
  memset(user, 'x', sizeof user - 1);
  memset(credential, 'x', sizeof credential - 1);
  memset(&server, 0, sizeof server);
  floe_certificate_free(cert);
  memset(&f.ice, 0, sizeof f.ice);
  memset(&f.cfg, 0, sizeof f.cfg);
  const floe_pc_config *got = floe_pc_configuration(pc);
  assert_int_equal(got->ice->n_ice_servers, 1);
  assert_string_equal(got->ice->ice_servers[0].urls[0], "turn:192.0.2.1");
  assert_string_equal(got->ice->ice_servers[0].username, "user");
  assert_int_equal(got->n_certificates, 1);
  assert_int_equal(floe_certificate_key_type(got->certificates[0]), FLOE_KEY_ECDSA_P256);
  floe_pc_free(pc);
  free_fixture(&f);
}

static void the_given_certificate_is_shown(void **state) {
  (void)state;
  static const floe_key_type types[] = {FLOE_KEY_ECDSA_P256, FLOE_KEY_RSA};
  for (size_t i = 0; i < 2; i++) {
    pc_peers *p = pc_peers_new(1);
    fixture f = new_fixture();
    floe_certificate_options options;
    floe_certificate_options_init(&options, sizeof options);
    options.key_type = types[i];
    floe_certificate *cert = NULL;
    assert_int_equal(floe_certificate_generate(&cert, f.env->env, 0, &options, NULL), FLOE_OK);
    const floe_certificate *list[] = {cert};
    p->alice.cfg.certificates = list;
    p->alice.cfg.n_certificates = 1;
    pc_true(p, pc_peers_connect(p, 5000));
    char text[FLOE_FINGERPRINT_TEXT], line[FLOE_FINGERPRINT_TEXT + 40];
    assert_true(floe_certificate_fingerprint(cert, "sha-256", text));
    (void)snprintf(line, sizeof line, "a=fingerprint:sha-256 %s\r\n", text);
    char *offer = sim_pc_local_sdp(p->alice.x);
    assert_non_null(strstr(offer, line));
    free(offer);
    floe_certificate_free(cert);
    pc_peers_exchange(p);
    pc_peers_free(p);
    free_fixture(&f);
  }
}

static void keep_line(void *user, const char *line) {
  char *kept = user;
  if (strlen(kept) + strlen(line) + 2 < 2000) (void)sprintf(kept + strlen(kept), "%s\n", line);
}

/* The secrets go to whoever asked for them, one line for a session, the same at both ends. */
static void the_key_log(void **state) {
  (void)state;
  char of_alice[2000] = "", of_bob[2000] = "";
  pc_peers *p = pc_peers_new(1);
  p->alice.cfg.keylog = p->bob.cfg.keylog = keep_line;
  p->alice.cfg.keylog_user = of_alice;
  p->bob.cfg.keylog_user = of_bob;
  pc_true(p, pc_peers_connect(p, 2000));
  assert_int_equal(strncmp(of_alice, "CLIENT_RANDOM ", 14), 0);
  assert_string_equal(of_alice, of_bob);
  pc_peers_free(p);
}

static void ports_and_limits_are_told(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->alice.cfg.sctp_port = 5001;
  p->alice.cfg.max_message_size = 100000;
  p->bob.cfg.no_interleaving = true;
  pc_true(p, pc_peers_connect(p, 2000));
  char *offer = sim_pc_local_sdp(p->alice.x), *answer = sim_pc_local_sdp(p->bob.x);
  assert_non_null(strstr(offer, "a=sctp-port:5001\r\n"));
  assert_non_null(strstr(offer, "a=max-message-size:100000\r\n"));
  assert_non_null(strstr(answer, "a=sctp-port:5000\r\n"));
  assert_non_null(strstr(answer, "a=max-message-size:262144\r\n"));
  free(offer);
  free(answer);
  assert_int_equal(floe_pc_sctp_transport(p->bob.x->core)->max_message_size, 100000);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* --- setConfiguration
 * ----------------------------------------------------------------------------------------------
 */

static floe_status set_configuration(pc_peer *y, const floe_pc_config *cfg) {
  floe_status st = floe_pc_set_configuration(y->x->core, sim_pc_now(y->x), cfg, &y->x->why);
  sim_pc_drain(y->x);
  return st;
}

static void what_cannot_be_modified(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  floe_pc_config cfg = p->alice.cfg;
  cfg.bundle_policy = FLOE_BUNDLE_POLICY_MAX_BUNDLE;
  pc_status(p, FLOE_E_MODIFICATION, set_configuration(&p->alice, &cfg));
  assert_string_equal(p->alice.x->why.path, "bundlePolicy");

  fixture f = new_fixture();
  floe_certificate *cert = make_certificate(&f, 0);
  const floe_certificate *list[] = {cert, cert};
  cfg = p->alice.cfg;
  cfg.certificates = list;
  cfg.n_certificates = 1;
  pc_status(p, FLOE_E_MODIFICATION, set_configuration(&p->alice, &cfg));
  assert_string_equal(p->alice.x->why.path, "certificates");
  floe_certificate_free(cert);
  free_fixture(&f);

  cfg = p->alice.cfg;
  cfg.ice_candidate_pool_size = 1; /* as long as no local description is set */
  pc_status(p, FLOE_OK, set_configuration(&p->alice, &cfg));
  assert_int_equal(floe_pc_configuration(p->alice.x->core)->ice_candidate_pool_size, 1);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_status(p, FLOE_OK, set_configuration(&p->alice, &cfg)); /* the same */
  cfg.ice_candidate_pool_size = 2;
  pc_status(p, FLOE_E_MODIFICATION, set_configuration(&p->alice, &cfg));
  assert_string_equal(p->alice.x->why.path, "iceCandidatePoolSize");
  assert_int_equal(floe_pc_configuration(p->alice.x->core)->ice_candidate_pool_size, 1);
  sim_pc_close(p->alice.x);
  pc_status(p, FLOE_E_STATE, set_configuration(&p->alice, &p->alice.cfg));
  pc_peers_free(p);
}

static void a_wrong_configuration_changes_nothing(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peer_add(&p->alice, "stun:192.0.2.1");
  pc_peers_start(p);
  const char *url = "stun:[broken";
  floe_ice_server server = {.urls = &url, .n_urls = 1};
  floe_ice_config ice = p->alice.ice;
  floe_pc_config cfg = p->alice.cfg;
  cfg.ice = &ice;
  ice.ice_servers = &server;
  pc_status(p, FLOE_E_SYNTAX, set_configuration(&p->alice, &cfg));
  assert_string_equal(p->alice.x->why.path, "iceServers[0].urls[0]");
  url = "turn:192.0.2.2";
  pc_status(p, FLOE_E_ACCESS, set_configuration(&p->alice, &cfg));
  const floe_pc_config *now = floe_pc_configuration(p->alice.x->core);
  assert_int_equal(now->ice->n_ice_servers, 1);
  assert_string_equal(now->ice->ice_servers[0].urls[0], "stun:192.0.2.1");
  pc_peers_free(p);
}

/* The next gathering asks the new servers. */
static void other_servers_count_from_the_next_gathering(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  pc_true(p, pc_peers_connect(p, 2000));
  const char *url = "turn:192.0.2.1";
  floe_ice_server server = {.urls = &url, .n_urls = 1, .username = "user", .credential = "secret"};
  floe_ice_config ice = p->alice.ice;
  floe_pc_config cfg = p->alice.cfg;
  cfg.ice = &ice;
  ice.ice_servers = &server;
  ice.n_ice_servers = 1;
  pc_status(p, FLOE_OK, set_configuration(&p->alice, &cfg));
  sim_run_for(p->s, 1000);
  assert_string_equal(sim_pc_wire_with(p->alice.x, "192.0.2.1:3478"), "");
  pc_peers_clear_logs(p);
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 2000);
  pc_expect_with(&p->alice, "relay", "icecandidate relay 192.0.2.1:* turn:192.0.2.1\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void a_pool_is_gathered_anew(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  p->alice.cfg.ice_candidate_pool_size = 1;
  pc_peers_start(p);
  sim_run_for(p->s, 1000);
  const char *url = "turn:192.0.2.1";
  floe_ice_server server = {.urls = &url, .n_urls = 1, .username = "user", .credential = "secret"};
  floe_ice_config ice = p->alice.ice;
  floe_pc_config cfg = p->alice.cfg;
  cfg.ice = &ice;
  ice.ice_servers = &server;
  ice.n_ice_servers = 1;
  pc_status(p, FLOE_OK, set_configuration(&p->alice, &cfg));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_expect_with(&p->alice, "icecandidate",
                 "icecandidate host 10.0.0.1:*\n"
                 "icecandidate relay 192.0.2.1:* turn:192.0.2.1\n"
                 "icecandidate end\n"
                 "icecandidate null\n");
  pc_peers_free(p);
}

static void the_defaults_are_filled_in(void **state) {
  (void)state;
  fixture f = new_fixture();
  floe_pc *pc = NULL;
  assert_int_equal(floe_pc_new(&pc, f.env->env, 0, NULL, &f.why), FLOE_OK);
  const floe_pc_config *got = floe_pc_configuration(pc);
  assert_int_equal(got->bundle_policy, FLOE_BUNDLE_POLICY_BALANCED);
  assert_int_equal(got->rtcp_mux_policy, FLOE_RTCP_MUX_POLICY_REQUIRE);
  assert_int_equal(got->ice_candidate_pool_size, 0);
  assert_int_equal(got->max_message_size, 262144);
  assert_int_equal(got->max_buffered_amount, 1048576);
  assert_int_equal(got->max_channels, 256);
  assert_int_equal(got->mtu, 1200);
  assert_int_equal(got->dtls_timeout_ms, 30000);
  assert_int_equal(got->sctp_port, 5000);
  assert_false(got->no_interleaving);
  assert_non_null(got->ice);
  assert_int_equal(got->ice->n_ice_servers, 0);
  floe_pc_free(pc);
  floe_pc_free(NULL);
  free_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_out_of_their_range),
      cmocka_unit_test(servers_that_cannot_be_used),
      cmocka_unit_test(an_expired_certificate_is_refused),
      cmocka_unit_test(everything_is_copied),
      cmocka_unit_test(the_given_certificate_is_shown),
      cmocka_unit_test(the_key_log),
      cmocka_unit_test(ports_and_limits_are_told),
      cmocka_unit_test(what_cannot_be_modified),
      cmocka_unit_test(a_wrong_configuration_changes_nothing),
      cmocka_unit_test(other_servers_count_from_the_next_gathering),
      cmocka_unit_test(a_pool_is_gathered_anew),
      cmocka_unit_test(the_defaults_are_filled_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
