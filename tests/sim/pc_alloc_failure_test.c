/* Memory that runs out at the n-th allocation, for each n: nothing crashes, nothing leaks, and what is told stays true.
 */
#include "support/pc_peers.h"
#include "support/sim_agent_internal.h"

static void try_to_send(pc_peer *y) {
  for (sim_channel *c = y->x->channels; c != NULL; c = c->next_channel) {
    if (floe_data_channel_ready_state(c->handle) != FLOE_DATA_CHANNEL_OPEN) continue;
    uint64_t hash;
    (void)sim_channel_text(c, "hello");
    (void)sim_channel_blob(c, 5000, 1, false, &hash);
    (void)sim_channel_text(c, "");
  }
}

static void look_at_everything(pc_peer *y) {
  floe_pc *pc = y->x->core;
  (void)floe_pc_local_description(pc);
  (void)floe_pc_remote_description(pc);
  (void)floe_pc_ice_transport(pc);
  (void)floe_pc_dtls_transport(pc);
  (void)floe_pc_sctp_transport(pc);
  (void)floe_pc_get_stats(pc, sim_pc_now(y->x));
  (void)floe_pc_failure_report(pc, sim_pc_now(y->x));
}

static bool are_made(const pc_peers *p) {
  return p->alice.x->core != NULL && p->bob.x->core != NULL;
}

/* Offer, answer, channels of all kinds, messages, a restart, closing. */
static void do_everything(pc_peers *p) {
  pc_peers_start(p);
  if (!are_made(p)) return;
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.unordered = true;
  init.has_max_retransmits = true;
  init.protocol = "proto";
  (void)sim_pc_channel(p->alice.x, "one", &init);
  (void)sim_pc_channel(p->bob.x, "two", NULL);
  sim_run_for(p->s, 150);
  try_to_send(&p->alice);
  try_to_send(&p->bob);
  (void)sim_pc_channel(p->alice.x, "three", NULL);
  sim_run_for(p->s, 100);
  look_at_everything(&p->alice);
  look_at_everything(&p->bob);
  sim_pc_restart_ice(p->alice.x);
  sim_run_for(p->s, 200);
  try_to_send(&p->alice);
  try_to_send(&p->bob);
  if (p->alice.x->channels != NULL) sim_channel_close(p->alice.x->channels);
  if (p->bob.x->channels != NULL) sim_channel_close(p->bob.x->channels);
  sim_run_for(p->s, 200);
}

/* True when the failure was reached. */
static bool fails_at(bool at_bob, uint64_t fail_at, uint64_t fail_from, pc_mode mode) {
  pc_peers *p = pc_peers_new(1);
  pc_peer *y = at_bob ? &p->bob : &p->alice;
  y->options.fail_at = fail_at;
  y->options.fail_from = fail_from;
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  pc_peers_set_mode(p, mode);
  do_everything(p);
  bool failed = y->x->a->env->alloc.failed > 0;
  y->x->a->env->alloc.fail_from = 0;
  pc_peers_free(p);
  return failed;
}

static void loop(bool at_bob, bool from, uint64_t step, pc_mode mode) {
  uint64_t n = 1;
  while (fails_at(at_bob, from ? 0 : n, from ? n : 0, mode)) n += step;
  assert_true(n > 100);
}

static void one_fails_at_the_offerer(void **state) {
  (void)state;
  loop(false, false, 1, PC_TRICKLE);
}

static void one_fails_at_the_answerer(void **state) {
  (void)state;
  loop(true, false, 1, PC_TRICKLE);
}

static void all_fail_from_some_point_on(void **state) {
  (void)state;
  loop(false, true, 7, PC_TRICKLE);
  loop(true, true, 7, PC_WHOLE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_fails_at_the_offerer),
      cmocka_unit_test(one_fails_at_the_answerer),
      cmocka_unit_test(all_fail_from_some_point_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
