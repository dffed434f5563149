/* Partial reliability beside reliable channels under loss: what gives up holds nobody else up. */
#include "support/pc_peers.h"

static void run(uint64_t seed, bool interleaving, size_t size) {
  pc_peers *p = pc_peers_new(seed);
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  p->alice.cfg.no_interleaving = !interleaving;
  pc_peers_start(p);
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.has_max_retransmits = true;
  init.max_retransmits = (uint16_t)(seed % 3);
  init.unordered = seed % 2 == 0;
  sim_channel *u = sim_pc_channel(p->alice.x, "unreliable", &init), *r = sim_pc_channel(p->alice.x, "reliable", NULL);
  pc_true(p, pc_peers_connect(p, 3000));
  sim_path_default(p->s, &(sim_path){.delay_us = 10000, .jitter_us = 10000, .loss = 80});
  sim_channel_flow(u, 200, 100, size, false);
  sim_channel_flow(r, 200, 100, size, false);
  bool done = pc_channel_run_to_all(p, r, 60000);
  sim_path_default(p->s, &(sim_path){.delay_us = 10000});
  if (!done) done = pc_channel_run_to_all(p, r, 120000);
  const sim_channel *ru = pc_channel_other(u), *rr = pc_channel_other(r);
  if (!done) {
    sim_fail(p->s, "seed %u: %u of %u came, %u of %u unreliable ones, %s", (unsigned)seed, rr->got, r->sent, ru->got,
             u->sent, r->told_close ? "closed" : "open");
  }
  pc_peers_free(p);
}

static void with_interleaving(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 30; seed++) run(seed, true, 6000);
}

static void without_interleaving(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 15; seed++) run(seed, false, 6000);
}

static void with_small_messages(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 15; seed++) run(seed, true, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(with_interleaving),
      cmocka_unit_test(without_interleaving),
      cmocka_unit_test(with_small_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
