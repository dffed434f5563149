/* Handshakes on bad paths: loss, reordering, duplication, narrow ones. They always connect. */
#include "support/pc_peers.h"
#include "support/sim_alloc.h"

static void connect_on(uint64_t seed, const sim_path *path, uint16_t mtu, pc_mode mode) {
  pc_peers *p = pc_peers_new(seed);
  sim_path_default(p->s, path);
  pc_peers_set_mode(p, mode);
  if (mtu > 0) p->alice.cfg.mtu = p->bob.cfg.mtu = mtu;
  /* Time enough: what is looked for is that it never gets stuck. */
  p->alice.cfg.dtls_timeout_ms = p->bob.cfg.dtls_timeout_ms = 120000;
  pc_true(p, pc_peers_connect(p, 120000));
  /* SCTP gets along with more, at the pace of its time-outs. */
  sim_path better = *path;
  if (better.loss > 50) better.loss = 50;
  sim_path_default(p->s, &better);
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  for (int i = 0; i < 20; i++) {
    pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 500, i % 2 == 0));
    pc_status(p, FLOE_OK, sim_channel_send_numbered(b, 3000, i % 2 == 0));
  }
  pc_true(p, pc_channel_run_to_all(p, a, 120000));
  pc_true(p, pc_channel_run_to_all(p, b, 120000));
  pc_peers_free(p);
}

static void ten_percent_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    connect_on(seed, &(sim_path){.delay_us = 20000, .loss = 100}, 0, seed % 2 == 0 ? PC_WHOLE : PC_TRICKLE);
  }
}

static void twenty_percent_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    connect_on(seed, &(sim_path){.delay_us = 20000, .loss = 200}, 0, seed % 2 == 0 ? PC_WHOLE : PC_TRICKLE);
  }
}

static void thirty_percent_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    connect_on(seed, &(sim_path){.delay_us = 20000, .loss = 300}, 0, seed % 2 == 0 ? PC_WHOLE : PC_TRICKLE);
  }
}

static void reordering_and_duplication(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    sim_path path = {.delay_us = 20000, .jitter_us = 40000, .duplicate = 300, .reorder = 300, .loss = 50};
    connect_on(seed, &path, 0, PC_TRICKLE);
  }
}

/* The path drops what is larger than the configuration says, silently. */
static void narrow_paths(void **state) {
  (void)state;
  static const uint16_t mtus[] = {576, 577, 600, 700, 800, 1000, 1200, 1280, 1400, 1472, 1500};
  for (size_t i = 0; i < sizeof mtus / sizeof mtus[0]; i++) {
    connect_on(i + 1, &(sim_path){.delay_us = 5000, .mtu = mtus[i]}, mtus[i], PC_TRICKLE);
    connect_on(i + 1, &(sim_path){.delay_us = 5000, .mtu = mtus[i], .loss = 100}, mtus[i], PC_TRICKLE);
  }
}

/* The default of 1200 fits every path that WebRTC is used on. */
static void the_default_fits_1200(void **state) {
  (void)state;
  connect_on(1, &(sim_path){.delay_us = 5000, .mtu = 1200}, 0, PC_TRICKLE);
  connect_on(1, &(sim_path){.delay_us = 5000, .mtu = 1280}, 0, PC_WHOLE);
}

/* An RSA certificate does not fit one datagram: the flight is cut into records. */
static void a_large_certificate_on_a_narrow_path(void **state) {
  (void)state;
  pc_peers *first = pc_peers_new(1);
  pc_peers_start(first);
  floe_certificate_options options;
  floe_certificate_options_init(&options, sizeof options);
  options.key_type = FLOE_KEY_RSA;
  options.rsa_bits = 2048;
  sim_env *env = sim_env_new(first->s, 99);
  floe_env_set_unix_time(env->env, 0, SIM_UNIX_MS);
  floe_certificate *cert;
  assert_int_equal(floe_certificate_generate(&cert, env->env, 0, &options, NULL), FLOE_OK);
  const floe_certificate *list[] = {cert};
  for (uint64_t seed = 1; seed <= 10; seed++) {
    pc_peers *p = pc_peers_new(seed);
    sim_path_default(p->s, &(sim_path){.delay_us = 20000, .mtu = 576, .loss = 150, .reorder = 100});
    p->alice.cfg.mtu = p->bob.cfg.mtu = 576;
    p->alice.cfg.certificates = p->bob.cfg.certificates = list;
    p->alice.cfg.n_certificates = p->bob.cfg.n_certificates = 1;
    p->alice.cfg.dtls_timeout_ms = p->bob.cfg.dtls_timeout_ms = 120000;
    pc_true(p, pc_peers_connect(p, 120000));
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
  floe_certificate_free(cert);
  assert_int_equal(sim_env_free(env), 0);
  pc_peers_free(first);
}

/* A path that is gone for a while in the middle of the handshakes. */
static void an_outage_in_the_middle(void **state) {
  (void)state;
  for (uint64_t ms = 10; ms < 80; ms += 5) {
    pc_peers *p = pc_peers_new(ms);
    pc_peers_begin(p);
    sim_run_for(p->s, ms);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .loss = 1000});
    sim_run_for(p->s, 3000);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000});
    pc_true(p, pc_peers_connect(p, 30000));
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

/* Signalling that loses candidates: those of one side are enough. */
static void lost_candidates(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    pc_peers *p = pc_peers_new(seed);
    p->alice.out.drop_candidates = seed % 2 == 0 ? 1000 : 0;
    p->bob.out.drop_candidates = seed % 2 == 0 ? 0 : 1000;
    p->alice.out.jitter_ms = p->bob.out.jitter_ms = 100;
    pc_true(p, pc_peers_connect(p, 10000));
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_percent_loss),
      cmocka_unit_test(twenty_percent_loss),
      cmocka_unit_test(thirty_percent_loss),
      cmocka_unit_test(reordering_and_duplication),
      cmocka_unit_test(narrow_paths),
      cmocka_unit_test(the_default_fits_1200),
      cmocka_unit_test(a_large_certificate_on_a_narrow_path),
      cmocka_unit_test(an_outage_in_the_middle),
      cmocka_unit_test(lost_candidates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
