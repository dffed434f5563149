/* bufferedAmount counts what the program has sent, and nothing of the protocol (webrtc-pc 6.2). */
#include "support/pc_peers.h"

static size_t at_datachannel;

static void look(void *user, const floe_event *e) {
  (void)user;
  if (e->type == FLOE_EVENT_DATACHANNEL) at_datachannel = floe_data_channel_buffered_amount(e->u.channel);
}

/* The answer to the announcement waits to be sent when the channel is told. */
static void announcements_are_not_counted(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  at_datachannel = 1000;
  p->bob.x->hooks.on_event = look;
  sim_channel *c = sim_pc_channel(p->alice.x, "later", NULL);
  pc_true(p, c != NULL);
  assert_int_equal(floe_data_channel_buffered_amount(c->handle), 0);
  sim_run_for(p->s, 500);
  pc_true(p, c->told_open && sim_pc_find(p->bob.x, "later")->told_open);
  assert_int_equal(at_datachannel, 0);
  pc_peers_free(p);
}

static void empty_messages_have_no_bytes(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *c = pc_peer_channel(&p->alice, 0);
  pc_status(p, FLOE_OK, sim_channel_text(c, ""));
  assert_int_equal(floe_data_channel_buffered_amount(c->handle), 0);
  sim_run_for(p->s, 500);
  assert_int_equal(pc_channel_other(c)->n_texts, 1);
  pc_expect_with(&p->alice, "bufferedamountlow", "");
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(announcements_are_not_counted),
      cmocka_unit_test(empty_messages_have_no_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
