/* A hundred thousand messages: each arrives once and as it was sent, in order where that was promised. */
#include "support/pc_peers.h"

#define N_CHANNELS 8
#define N_MESSAGES 12500 /* of each: 100,000 in all */

static pc_peers *new_world(uint64_t seed) {
  pc_peers *p = pc_peers_new(seed);
  /* so much is sent that writing it down would take longer than sending it */
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  pc_peers_start(p);
  return p;
}

/* Every other channel is unordered, and half of them send from bob. */
static void make_channels(pc_peers *p, sim_channel **out) {
  for (size_t i = 0; i < N_CHANNELS; i++) {
    char label[20];
    (void)snprintf(label, sizeof label, "channel %zu", i);
    floe_data_channel_init init;
    floe_data_channel_init_init(&init, sizeof init);
    init.unordered = i % 2 == 1;
    out[i] = sim_pc_channel(i / 2 % 2 == 0 ? p->alice.x : p->bob.x, label, &init);
  }
}

static bool is_all_there(void *user) {
  sim_channel **channels = user;
  for (size_t i = 0; i < N_CHANNELS; i++) {
    const sim_channel *other = pc_channel_other(channels[i]);
    if (channels[i]->flow_left > 0 || other->got < channels[i]->sent) return false;
  }
  return true;
}

static void exchange_all(uint64_t seed, const sim_path *path, size_t min_len, size_t max_len, uint64_t limit_s) {
  pc_peers *p = new_world(seed);
  sim_path_default(p->s, path);
  sim_channel *channels[N_CHANNELS];
  make_channels(p, channels);
  pc_true(p, pc_peers_connect(p, 10000));
  for (size_t i = 0; i < N_CHANNELS; i++) sim_channel_flow(channels[i], N_MESSAGES, min_len, max_len, i % 3 == 0);
  pc_true(p, pc_peers_run_until(p, limit_s * 1000, is_all_there, channels));
  pc_peers_expect_all(p);
  uint64_t total = 0;
  for (size_t i = 0; i < N_CHANNELS; i++) total += pc_channel_other(channels[i])->got;
  assert_int_equal(total, 100000);
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_free(p);
}

static void on_a_good_path(void **state) {
  (void)state;
  exchange_all(1, &(sim_path){.delay_us = 5000}, SIM_NUMBERED_MIN, 400, 120);
}

static void under_one_percent_of_loss(void **state) {
  (void)state;
  exchange_all(2, &(sim_path){.delay_us = 5000, .loss = 10}, SIM_NUMBERED_MIN, 300, 1200);
}

static void reordered_and_duplicated(void **state) {
  (void)state;
  exchange_all(3, &(sim_path){.delay_us = 5000, .jitter_us = 3000, .reorder = 20, .duplicate = 20}, SIM_NUMBERED_MIN,
               200, 1200);
}

/* Large messages and small ones share the association: nobody is starved, nothing is mixed up. */
static void large_messages_between_small_ones(void **state) {
  (void)state;
  for (int interleaving = 0; interleaving < 2; interleaving++) {
    pc_peers *p = pc_peers_new(4);
    p->alice.options.no_wire = p->bob.options.no_wire = true;
    p->alice.cfg.no_interleaving = interleaving == 0;
    pc_peers_start(p);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .loss = 5});
    sim_channel *large = sim_pc_channel(p->alice.x, "large", NULL), *small = sim_pc_channel(p->alice.x, "small", NULL);
    pc_true(p, pc_peers_connect(p, 10000));
    sim_channel_flow(large, 30, 100000, 262144, false);
    sim_channel_flow(small, 3000, SIM_NUMBERED_MIN, 100, true);
    pc_true(p, pc_channel_run_to_all(p, small, 600000));
    pc_true(p, pc_channel_run_to_all(p, large, 600000));
    pc_peers_free(p);
  }
}

/* A queue of a few messages: FLOE_E_AGAIN all the time, and nothing is lost. */
static void with_a_small_queue(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(5);
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  p->alice.cfg.max_buffered_amount = p->bob.cfg.max_buffered_amount = 4096;
  pc_peers_start(p);
  sim_path_default(p->s, &(sim_path){.delay_us = 1000, .loss = 5});
  sim_channel *a = sim_pc_channel(p->alice.x, "a", NULL), *b = sim_pc_channel(p->bob.x, "b", NULL);
  pc_true(p, pc_peers_connect(p, 10000));
  sim_channel_flow(a, 2000, 100, 3000, false);
  sim_channel_flow(b, 2000, 100, 3000, true);
  pc_true(p, pc_channel_run_to_all(p, a, 600000));
  pc_true(p, pc_channel_run_to_all(p, b, 600000));
  assert_true(a->flow_waits > 100 && b->flow_waits > 100);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(on_a_good_path),           cmocka_unit_test(under_one_percent_of_loss),
      cmocka_unit_test(reordered_and_duplicated), cmocka_unit_test(large_messages_between_small_ones),
      cmocka_unit_test(with_a_small_queue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
