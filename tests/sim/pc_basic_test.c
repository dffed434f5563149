/* Two peer connections offer, answer, connect, send and close: what each is
 * told, in its order. */
#include "support/pc_peers.h"

/* webrtc-pc 4.4.1.5 and 5.6: gathering of a host with one address. */
#define COMPLETE                        \
  "icecandidate end\n"                  \
  "ice gatheringstatechange complete\n" \
  "icegatheringstatechange complete\n"  \
  "icecandidate null\n"
#define GATHERED(address)                \
  "ice gatheringstatechange gathering\n" \
  "icegatheringstatechange gathering\n"  \
  "icecandidate host " address "\n" COMPLETE

static void trickle_tells_everything_in_order(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice,
            "negotiationneeded\n"
            "signalingstatechange have-local-offer\n" GATHERED(
                "10.0.0.1:50000") "signalingstatechange stable\n"
                                  "ice statechange checking\n"
                                  "iceconnectionstatechange checking\n"
                                  "connectionstatechange connecting\n"
                                  "ice selectedcandidatepairchange host "
                                  "10.0.0.1:50000 > host 10.0.1.1:50000\n"
                                  "ice statechange connected\n"
                                  "iceconnectionstatechange connected\n"
                                  "dtls statechange connecting\n"
                                  "ice statechange completed\n"
                                  "iceconnectionstatechange completed\n"
                                  "dtls statechange connected\n"
                                  "connectionstatechange connected\n"
                                  "sctp statechange connected\n"
                                  "data open\n");
  pc_expect(&p->bob,
            "signalingstatechange have-remote-offer\n"
            "signalingstatechange stable\n"
            "ice gatheringstatechange gathering\n"
            "icegatheringstatechange gathering\n"
            "ice statechange checking\n"
            "iceconnectionstatechange checking\n"
            "connectionstatechange connecting\n"
            "icecandidate host 10.0.1.1:50000\n" COMPLETE
            "ice selectedcandidatepairchange host 10.0.1.1:50000 > "
            "host 10.0.0.1:50000\n"
            "ice statechange connected\n"
            "iceconnectionstatechange connected\n"
            "dtls statechange connecting\n"
            "ice statechange completed\n"
            "iceconnectionstatechange completed\n"
            "dtls statechange connected\n"
            "connectionstatechange connected\n"
            "sctp statechange connected\n"
            "datachannel data\n"
            "data open\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void whole_descriptions_need_no_candidates(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_WHOLE);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_true(p, p->alice.n_sent == 1 && p->bob.n_sent == 1);
  char *offer = sim_pc_local_sdp(p->alice.x);
  pc_true(p, strstr(offer, "a=candidate:") != NULL);
  pc_true(p, strstr(offer, "10.0.0.1 50000 typ host") != NULL);
  pc_true(p, strstr(offer, "a=end-of-candidates") != NULL);
  free(offer);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* webrtc-pc 4.4.1.6: what can be asked, before and after. */
static void the_states_at_the_beginning(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  floe_pc *pc = p->alice.x->core;
  assert_int_equal(floe_pc_signaling_state(pc), FLOE_SIGNALING_STABLE);
  assert_int_equal(floe_pc_ice_gathering_state(pc), FLOE_ICE_GATHERING_NEW);
  assert_int_equal(floe_pc_ice_connection_state(pc), FLOE_ICE_CONNECTION_NEW);
  assert_int_equal(floe_pc_connection_state(pc), FLOE_PC_NEW);
  assert_null(floe_pc_local_description(pc));
  assert_null(floe_pc_current_local_description(pc));
  assert_null(floe_pc_pending_local_description(pc));
  assert_null(floe_pc_remote_description(pc));
  assert_null(floe_pc_current_remote_description(pc));
  assert_null(floe_pc_pending_remote_description(pc));
  assert_int_equal(floe_pc_can_trickle_ice_candidates(pc), -1);
  assert_null(floe_pc_ice_transport(pc));
  assert_null(floe_pc_dtls_transport(pc));
  assert_null(floe_pc_sctp_transport(pc));
  assert_int_equal(floe_pc_data_channels(pc, NULL), 0);
  assert_false(floe_pc_is_closed(pc));
  sim_run_for(p->s, 5000);
  pc_expect(&p->alice, "");
  assert_string_equal(sim_pc_wire_with(p->alice.x, ""), ""); /* nothing was asked of anybody */
  pc_peers_free(p);
}

static void the_transports_once_connected(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 100);
  const floe_ice_transport *ice = floe_pc_ice_transport(p->alice.x->core);
  assert_non_null(ice);
  assert_int_equal(ice->role, FLOE_ICE_ROLE_CONTROLLING);
  assert_int_equal(ice->state, FLOE_ICE_CONNECTION_COMPLETED);
  assert_int_equal(ice->gathering_state, FLOE_ICE_GATHERING_COMPLETE);
  assert_non_null(ice->local_parameters);
  assert_non_null(ice->remote_parameters);
  assert_int_equal(ice->selected_local->address.port, 50000);
  assert_int_equal(ice->selected_remote->address.port, 50000);

  const floe_dtls_transport *a = floe_pc_dtls_transport(p->alice.x->core);
  assert_int_equal(a->state, FLOE_DTLS_TRANSPORT_CONNECTED);
  assert_false(a->is_client); /* RFC 8842 5.3: the answerer of actpass should be
                                 active */
  assert_int_equal(a->n_remote_certificates, 1);
  assert_true(a->remote_certificates[0].len > 100);
  assert_string_equal(a->tls_version, "DTLSv1.2");
  assert_int_equal(a->cause, FLOE_CAUSE_NONE);
  const floe_dtls_transport *b = floe_pc_dtls_transport(p->bob.x->core);
  assert_true(b->is_client);

  const floe_sctp_transport *sctp = floe_pc_sctp_transport(p->alice.x->core);
  assert_int_equal(sctp->state, FLOE_SCTP_TRANSPORT_CONNECTED);
  assert_int_equal(sctp->max_message_size, 262144);
  assert_true(sctp->has_max_channels);
  assert_int_equal(sctp->cause, FLOE_CAUSE_NONE);
  assert_int_equal(floe_pc_can_trickle_ice_candidates(p->alice.x->core), 1);
  pc_peers_free(p);
}

/* Offer and answer 10 ms each; then checks 1 to 2 round trips, DTLS 2 to 3,
 * SCTP 2. */
static void connecting_takes_few_round_trips(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  double ms = (double)sim_now(p->s) / (double)FLOE_MS;
  if (ms > 110.0) sim_fail(p->s, "it took %.1f ms", ms);
  pc_peers_free(p);
}

static void messages_of_all_kinds_are_echoed(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  pc_peers_clear_logs(p);
  pc_status(p, FLOE_OK, sim_channel_text(a, "hello"));
  pc_status(p, FLOE_OK, sim_channel_text(a, ""));
  pc_status(p, FLOE_OK, sim_channel_binary(a, "\x01\x02\x03", 3));
  pc_status(p, FLOE_OK, sim_channel_binary(a, "", 0));
  pc_status(p, FLOE_OK, sim_channel_text(a, "gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x91\x8B"));
  pc_true(p, pc_channel_run_to_messages(b, 5, 1000));
  pc_expect(&p->bob,
            "data text \"hello\"\n"
            "data text \"\"\n"
            "data binary 3 bytes 010203\n"
            "data binary 0 bytes\n"
            "data text \"gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x91\x8B\"\n");
  pc_status(p, FLOE_OK, sim_channel_text(b, "hello yourself"));
  pc_true(p, pc_channel_run_to_messages(a, 1, 1000));
  pc_expect_with(&p->alice, "text", "data text \"hello yourself\"\n");
  pc_peers_free(p);
}

static void messages_of_many_sizes_arrive_as_they_were_sent(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 100, 1023, 1024, 1200, 1201, 16384, 16385, 65535, 65536, 262143, 262144};
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    for (int text = 0; text < 2; text++) {
      uint64_t hash, had = b->n_texts + b->n_binaries, texts = b->n_texts;
      pc_status(p, FLOE_OK, sim_channel_blob(a, sizes[i], i + 1, text == 1, &hash));
      pc_true(p, pc_channel_run_to_messages(b, had + 1, 5000));
      pc_true(p, b->last_len == sizes[i] && b->last_hash == hash);
      pc_true(p, b->n_texts == texts + (text == 1 ? 1 : 0));
      had = a->n_texts + a->n_binaries;
      pc_status(p, FLOE_OK, sim_channel_blob(b, sizes[i], i + 77, text == 1, &hash));
      pc_true(p, pc_channel_run_to_messages(a, had + 1, 5000));
      pc_true(p, a->last_len == sizes[i] && a->last_hash == hash);
    }
  }
  pc_peers_free(p);
}

static void a_channel_closed_here_closes_there(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  pc_peers_exchange(p);
  pc_peers_clear_logs(p);
  sim_channel_close(a);
  assert_int_equal(floe_data_channel_ready_state(a->handle), FLOE_DATA_CHANNEL_CLOSING);
  pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 1000));
  pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 1000));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "data close\n");
  pc_expect(&p->bob,
            "data closing\n"
            "data close\n");
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_free(p);
}

static void over_ipv6(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new_bare(1);
  sim_host_add_address(p->alice.host, "eth0", "2001:db8:a::1");
  sim_host_add_address(p->bob.host, "eth0", "2001:db8:b::1");
  pc_true(p, pc_peers_connect(p, 2000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void through_nats(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_nat(&p->alice, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  pc_peers_nat(&p->bob, SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  pc_peers_add(p, "stun:192.0.2.1");
  pc_true(p, pc_peers_connect(p, 5000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void through_a_relay(void **state) {
  (void)state;
  static const char *const urls[] = {"turn:192.0.2.1", "turn:192.0.2.1?transport=tcp"};
  for (size_t i = 0; i < 2; i++) {
    pc_peers *p = pc_peers_new(1);
    pc_peers_listen(p, i == 0 ? FLOE_TRANSPORT_UDP : FLOE_TRANSPORT_TCP, NULL);
    pc_peers_add(p, urls[i]);
    p->alice.ice.ice_transport_policy = p->bob.ice.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
    pc_true(p, pc_peers_connect(p, 5000));
    pc_true(p, strstr(sim_pc_events_with(p->alice.x, "selectedcandidatepairchange"), "relay 192.0.2.1") != NULL);
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

/* Two pairs in one process do not disturb each other: the SCTP engine is one
 * for all. */
static void two_pairs_in_one_process(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers *q = pc_peers_new_in(p);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_true(p, pc_peers_connect(q, 2000));
  pc_peers_exchange(p);
  pc_peers_exchange(q);
  pc_peers_free_pair(q);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void who_answers_may_open_channels_too(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  (void)sim_pc_channel(p->alice.x, "from alice", NULL);
  (void)sim_pc_channel(p->bob.x, "from bob", NULL);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_expect_with(&p->alice, "channel ", "datachannel from bob\n");
  pc_expect_with(&p->bob, "channel ", "datachannel from alice\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* RFC 8828 and the mDNS draft: no address is in what is signalled. */
static void behind_names(void **state) {
  (void)state;
  for (int whole = 0; whole < 2; whole++) {
    pc_peers *p = pc_peers_new(1);
    p->alice.ice.mdns_hide_hosts = p->bob.ice.mdns_hide_hosts = true;
    pc_peers_set_mode(p, whole == 1 ? PC_WHOLE : PC_TRICKLE);
    pc_true(p, pc_peers_connect(p, 5000));
    char *offer = sim_pc_local_sdp(p->alice.x);
    assert_null(strstr(offer, "10.0.0.1"));
    assert_non_null(strstr(offer, ".local 50000 typ host"));
    free(offer);
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

/* RFC 6544: UDP is blocked, and a listening TCP socket is there. */
static void over_tcp(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  sim_rule_add(p->s, &(sim_rule){.from = p->alice.host, .proto = SIM_UDP, .action = SIM_DROP});
  sim_rule_add(p->s, &(sim_rule){.from = p->bob.host, .proto = SIM_UDP, .action = SIM_DROP});
  p->bob.ice.tcp_passive = true;
  pc_true(p, pc_peers_connect(p, 10000));
  sim_channel *a = pc_peer_channel(&p->alice, 0);
  for (int i = 0; i < 50; i++) pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 5000, false));
  pc_true(p, pc_channel_run_to_all(p, a, 10000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void late_outputs_change_nothing(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    pc_peers *p = pc_peers_new(seed);
    p->alice.options.lazy_drain = p->bob.options.lazy_drain = 300;
    pc_true(p, pc_peers_connect(p, 3000));
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

static void a_missing_description_is_refused(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  floe_error why;
  pc_true(p, pc_peers_connect(p, 2000));
  assert_int_equal(floe_pc_set_remote_description(p->bob.x->core, sim_pc_now(p->bob.x), NULL, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "description");
  assert_string_equal(why.message, "is missing");
  assert_int_equal(floe_pc_signaling_state(p->bob.x->core), FLOE_SIGNALING_STABLE);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trickle_tells_everything_in_order),
      cmocka_unit_test(whole_descriptions_need_no_candidates),
      cmocka_unit_test(the_states_at_the_beginning),
      cmocka_unit_test(the_transports_once_connected),
      cmocka_unit_test(connecting_takes_few_round_trips),
      cmocka_unit_test(messages_of_all_kinds_are_echoed),
      cmocka_unit_test(messages_of_many_sizes_arrive_as_they_were_sent),
      cmocka_unit_test(a_channel_closed_here_closes_there),
      cmocka_unit_test(over_ipv6),
      cmocka_unit_test(through_nats),
      cmocka_unit_test(through_a_relay),
      cmocka_unit_test(two_pairs_in_one_process),
      cmocka_unit_test(who_answers_may_open_channels_too),
      cmocka_unit_test(behind_names),
      cmocka_unit_test(over_tcp),
      cmocka_unit_test(late_outputs_change_nothing),
      cmocka_unit_test(a_missing_description_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
