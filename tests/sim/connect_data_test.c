/* Data over the selected pair: sizes, code points, what is refused, the queue, statistics. */
#include "support/fake_peer.h"
#include "support/peers.h"

static uint8_t bytes[70000];

static floe_bytes some(size_t len) {
  for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)(0x80 | i % 113); /* as RTP begins, RFC 7983 */
  return (floe_bytes){bytes, len};
}

static peers *connected(void) {
  peers *p = peers_new(1);
  peers_true(p, peers_connect(p, 1000));
  sim_run_for(p->s, 1000);
  return p;
}

static void before_a_pair_is_selected_it_is_refused(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_start(p);
  assert_int_equal(sim_agent_send(p->a.agent, some(10), 0), FLOE_E_STATE);
  peers_begin(p);
  sim_run_for(p->s, 30);
  assert_int_equal(sim_agent_send(p->a.agent, some(10), 0), FLOE_E_STATE);
  peers_true(p, peers_connect(p, 1000));
  assert_int_equal(sim_agent_send(p->a.agent, some(10), 0), FLOE_OK);
  peers_free(p);
}

static void every_size_arrives_as_it_is(void **state) {
  (void)state;
  peers *p = connected();
  static const size_t sizes[] = {1, 2, 19, 20, 21, 1199, 1200, 1201, 1500, 9000, 64999, 65000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_int_equal(sim_agent_send(p->a.agent, some(sizes[i]), 0), FLOE_OK);
    sim_run_for(p->s, 10);
    assert_int_equal(sim_agent_n_data(p->b.agent), i + 1);
    const sim_data *d = sim_agent_data(p->b.agent, i);
    assert_int_equal(d->len, sizes[i]);
    assert_memory_equal(d->bytes, bytes, sizes[i]);
  }
  peers_free(p);
}

static void what_cannot_be_sent_is_refused(void **state) {
  (void)state;
  peers *p = connected();
  assert_int_equal(sim_agent_send(p->a.agent, some(65001), 0), FLOE_E_TOO_LARGE);
  assert_int_equal(sim_agent_send(p->a.agent, some(0), 0), FLOE_E_TYPE);
  assert_int_equal(sim_agent_send(p->a.agent, some(10), 64), FLOE_E_TYPE);
  assert_int_equal(sim_agent_send(p->a.agent, some(10), 255), FLOE_E_TYPE);
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_n_data(p->b.agent), 0);
  sim_agent_close(p->a.agent);
  assert_int_equal(floe_ice_agent_send(sim_agent_core(p->a.agent), sim_now(p->s), some(10), 0), FLOE_E_STATE);
  peers_free(p);
}

static void the_code_point_goes_with_the_packet(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.check_dscp = 34;
  peers_true(p, peers_connect(p, 1000));
  /* checks and answers */
  assert_string_equal(sim_agent_wire_with(p->a.agent, "Binding\n"), "");
  assert_non_null(strstr(sim_agent_wire(p->a.agent), "Binding dscp=34\n"));
  assert_non_null(strstr(sim_agent_wire(p->a.agent), "Binding nominate dscp=34\n"));
  assert_null(strstr(sim_agent_wire(p->b.agent), "dscp="));
  /* data */
  sim_agent_clear_log(p->a.agent);
  assert_int_equal(sim_agent_send(p->a.agent, some(100), 46), FLOE_OK);
  assert_int_equal(sim_agent_send(p->a.agent, some(100), 0), FLOE_OK);
  assert_int_equal(sim_agent_send(p->a.agent, some(100), 63), FLOE_OK);
  expect_text(p->s, "wire", sim_agent_wire_with(p->a.agent, "bytes"),
              "* send udp 10.0.0.1:50000 > 10.0.1.1:50000 bytes dscp=46\n"
              "* send udp 10.0.0.1:50000 > 10.0.1.1:50000 bytes\n"
              "* send udp 10.0.0.1:50000 > 10.0.1.1:50000 bytes dscp=63\n");
  peers_free(p);
}

/* Through a relay it goes with the packet to the server. */
static void through_a_relay_too(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  p->a.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  peers_true(p, peers_connect(p, 2000));
  sim_run_for(p->s, 3000);
  sim_agent_clear_log(p->a.agent);
  assert_int_equal(sim_agent_send(p->a.agent, some(1000), 46), FLOE_OK);
  expect_text(p->s, "wire", sim_agent_wire_with(p->a.agent, "dscp=46"),
              "* send udp 10.0.0.1:50000 > 192.0.2.1:3478 ChannelData dscp=46\n");
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_data(p->b.agent, 0)->len, 1000);
  peers_exchange_data(p);
  peers_free(p);
}

/* Outputs that are not taken pile up to max_queue_bytes. */
static void a_full_queue_says_again(void **state) {
  (void)state;
  peers *p = peers_new(1);
  p->a.cfg.max_queue_bytes = 10000;
  peers_true(p, peers_connect(p, 1000));
  floe_ice_agent *core = sim_agent_core(p->a.agent);
  size_t accepted = 0;
  floe_status st = FLOE_OK;
  while (accepted < 1000 && (st = floe_ice_agent_send(core, sim_now(p->s), some(1000), 0)) == FLOE_OK) accepted++;
  assert_int_equal(st, FLOE_E_AGAIN);
  assert_in_range(accepted, 5, 10);
  sim_agent_feed(p->a.agent, &(floe_input){.type = FLOE_INPUT_TIMER}); /* takes the outputs */
  assert_int_equal(sim_agent_send(p->a.agent, some(1000), 0), FLOE_OK);
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_n_data(p->b.agent), accepted + 1);
  peers_free(p);
}

/* RFC 8445 7.3.1.5 and RFC 7983: anything but STUN from the peer's address is data; from strangers nothing is. */
static void only_the_peer_is_heard(void **state) {
  (void)state;
  peers *p = connected();
  sim_host *h = sim_host_new(p->s, "stranger", "eth0", "198.51.100.1", NULL);
  fake_peer *f = fake_peer_new(h, "198.51.100.1:7000");
  size_t before = sim_agent_n_data(p->a.agent);
  fake_peer_send(f, "10.0.0.1:50000", "from a stranger");
  fake_peer_send(f, "10.0.0.1:50000", "");
  uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
  fake_peer_send_bytes(f, "10.0.0.1:50000", (floe_bytes){stun, sizeof stun});
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_n_data(p->a.agent), before);
  assert_int_equal(f->successes, 0);
  peers_exchange_data(p);
  peers_free(p);
}

static void the_statistics_count(void **state) {
  (void)state;
  peers *p = connected();
  for (int i = 0; i < 5; i++) assert_int_equal(sim_agent_send(p->a.agent, some(100), 0), FLOE_OK);
  assert_int_equal(sim_agent_send(p->b.agent, some(40), 0), FLOE_OK);
  sim_run_for(p->s, 1000);
  const floe_stats *s = floe_ice_agent_stats(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_non_null(s);
  assert_int_equal(s->timestamp, sim_now(p->s));
  assert_int_equal(s->transport.packets_sent, 5);
  assert_int_equal(s->transport.bytes_sent, 500);
  assert_int_equal(s->transport.packets_received, 1);
  assert_int_equal(s->transport.bytes_received, 40);
  assert_int_equal(s->transport.ice_role, FLOE_ICE_ROLE_CONTROLLING);
  assert_int_equal(s->transport.ice_state, FLOE_ICE_CONNECTION_COMPLETED);
  assert_int_equal(s->transport.selected_candidate_pair_changes, 1);
  assert_string_equal(s->transport.ice_local_username_fragment,
                      floe_ice_agent_local_parameters(sim_agent_core(p->a.agent))->ufrag);
  assert_int_equal(s->n_pairs, 1);
  const floe_pair_stats *pair = &s->pairs[0];
  assert_int_equal(pair->id, s->transport.selected_candidate_pair_id);
  assert_true(pair->selected && pair->nominated);
  assert_int_equal(pair->state, FLOE_PAIR_SUCCEEDED);
  assert_int_equal(pair->packets_sent, 5);
  assert_int_equal(pair->bytes_sent, 500);
  assert_int_equal(pair->packets_received, 1);
  assert_int_equal(pair->bytes_received, 40);
  assert_true(pair->has_last_packet_sent && pair->has_last_packet_received);
  assert_true(pair->has_current_round_trip_time);
  assert_true(pair->current_round_trip_time > 0.0099 && pair->current_round_trip_time < 0.0101);
  assert_int_equal(pair->requests_sent, 2); /* a check and the nomination */
  assert_int_equal(pair->responses_sent, 1);
  assert_int_equal(pair->requests_received, 1);
  assert_int_equal(s->n_local_candidates, 1);
  assert_int_equal(s->n_remote_candidates, 1);
  assert_int_equal(pair->local_candidate_id, s->local_candidates[0]->id);
  assert_int_equal(pair->remote_candidate_id, s->remote_candidates[0].candidate->id);
  peers_free(p);
}

static void failed_pairs_are_in_the_statistics(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peer_drop_to(&p->a, "10.0.1.1");
  peer_drop_to(&p->b, "10.0.0.1");
  peers_true(p, peers_run_to_failed(p, 60000));
  const floe_stats *s = floe_ice_agent_stats(sim_agent_core(p->a.agent), sim_now(p->s));
  assert_int_equal(s->n_pairs, 1);
  assert_int_equal(s->pairs[0].state, FLOE_PAIR_FAILED);
  assert_false(s->pairs[0].selected || s->pairs[0].nominated || s->pairs[0].has_current_round_trip_time);
  assert_int_equal(s->transport.selected_candidate_pair_id, 0);
  peers_free(p);
}

/* A relayed connection: the channel takes over from indications, and nothing gets lost or comes twice on the way. */
static void through_relays_nothing_is_lost(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peer_add(&p->b, "turn:192.0.2.1?transport=tcp");
  p->a.cfg.ice_transport_policy = p->b.cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  peers_true(p, peers_connect(p, 3000));
  for (int i = 0; i < 200; i++) {
    peers_true(p, peer_send_numbered(&p->a));
    peers_true(p, peer_send_numbered(&p->b));
    sim_run_for(p->s, 5);
  }
  sim_run_for(p->s, 200);
  peers_expect_all_numbered(p);
  assert_int_equal(sim_agent_n_data(p->a.agent), 200);
  assert_int_equal(sim_agent_n_data(p->b.agent), 200);
  peers_free(p);
}

/* The calls of relays, made by the program, stay its own beside the connection. */
static void a_program_may_use_the_relay_too(void **state) {
  (void)state;
  peers *p = peers_new(1);
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peer_add(&p->a, "turn:192.0.2.1");
  peers_true(p, peers_connect(p, 3000));
  fake_peer *f = fake_peer_new(sim_host_new(p->s, "other", "eth0", "198.51.100.1", NULL), "198.51.100.1:7000");
  uint32_t relay = sim_agent_relay(p->a.agent, 0);
  assert_int_equal(sim_agent_permit(p->a.agent, relay, "198.51.100.1:7000", false), FLOE_OK);
  sim_run_for(p->s, 100);
  assert_int_equal(sim_agent_send_relayed(p->a.agent, relay, "198.51.100.1:7000", "to another one"), FLOE_OK);
  sim_run_for(p->s, 100);
  assert_string_equal(f->data, "to another one");
  peers_exchange_data(p);
  peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(before_a_pair_is_selected_it_is_refused),
      cmocka_unit_test(every_size_arrives_as_it_is),
      cmocka_unit_test(what_cannot_be_sent_is_refused),
      cmocka_unit_test(the_code_point_goes_with_the_packet),
      cmocka_unit_test(through_a_relay_too),
      cmocka_unit_test(a_full_queue_says_again),
      cmocka_unit_test(only_the_peer_is_heard),
      cmocka_unit_test(the_statistics_count),
      cmocka_unit_test(failed_pairs_are_in_the_statistics),
      cmocka_unit_test(through_relays_nothing_is_lost),
      cmocka_unit_test(a_program_may_use_the_relay_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
