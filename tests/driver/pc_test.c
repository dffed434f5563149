/* Two real peer connections on one loop, over loopback. */
#include "driver/pc_rig.h"

/* ---- connecting ---- */

static void two_connections_open_a_channel(void **state) {
  world *w = *state;
  world_connect(w, NULL);
  assert_int_equal(w->a.state, FLOE_PC_CONNECTED);
  assert_int_equal(w->b.state, FLOE_PC_CONNECTED);
  assert_string_equal(floe_data_channel_label(w->b.channel), "channel");
  assert_ptr_equal(floe_uv_data_channel_pc(w->a.channel), w->a.pc);
  assert_ptr_equal(floe_uv_data_channel_pc(w->b.channel), w->b.pc);
  assert_int_equal(floe_data_channel_id(w->a.channel), floe_data_channel_id(w->b.channel));
  assert_int_equal(floe_pc_sctp_transport(floe_uv_pc_core(w->a.pc))->state, FLOE_SCTP_TRANSPORT_CONNECTED);
  assert_null(floe_uv_data_channel_pc(w->a.channel) == w->b.pc ? w : NULL);
  assert_int_equal(floe_uv_pc_failure_report(w->a.pc)->verdict, FLOE_CAUSE_NONE);
  assert_string_equal(floe_stats_type_name(floe_uv_pc_get_stats(w->a.pc)->objects[0].type), "peer-connection");
}

static void on_candidate(const floe_event *event, void *user) {
  end *e = user;
  const floe_signaled_candidate *c = &event->u.signaled;
  floe_ice_candidate_init init = {
      .candidate = c->text, .sdp_mid = c->sdp_mid, .username_fragment = c->username_fragment};
  if (c->text == NULL || e->peer->pc == NULL) return;
  if (floe_uv_pc_add_ice_candidate(e->peer->pc, &init, NULL) != FLOE_OK) e->n_errors++;
}

static void candidates_are_trickled(void **state) {
  world *w = *state;
  end_make(&w->a, &w->b, w->uv, NULL);
  end_make(&w->b, &w->a, w->uv, NULL);
  end_channel(&w->a, "channel", NULL);
  assert_int_equal(floe_uv_pc_on_icecandidate(w->a.pc, on_candidate, &w->a), FLOE_OK);
  assert_int_equal(floe_uv_pc_on_icecandidate(w->b.pc, on_candidate, &w->b), FLOE_OK);
  assert_int_equal(floe_uv_pc_set_local_description(w->a.pc, NULL, NULL), FLOE_OK);
  end_tell(&w->a, &w->b);
  assert_int_equal(floe_uv_pc_set_local_description(w->b.pc, NULL, NULL), FLOE_OK);
  end_tell(&w->b, &w->a);
  assert_null(strstr(floe_uv_pc_local_description(w->a.pc)->sdp, "a=candidate"));
  world_run(w, both_are_open);
  assert_int_equal(w->a.n_errors + w->b.n_errors, 0);
}

static void negotiate_when_needed(const floe_event *event, void *user) {
  end *e = user;
  (void)event;
  e->n_low++;
  if (floe_uv_pc_set_local_description(e->pc, NULL, NULL) != FLOE_OK) e->n_errors++;
}

static void the_first_channel_asks_for_negotiation(void **state) {
  world *w = *state;
  end_make(&w->a, &w->b, w->uv, NULL);
  assert_int_equal(floe_uv_pc_on_negotiationneeded(w->a.pc, negotiate_when_needed, &w->a), FLOE_OK);
  end_channel(&w->a, "one", NULL);
  end_channel(&w->a, "two", NULL);
  assert_int_equal(w->a.n_low, 0); /* not from inside a call */
  world_run(w, a_is_complete);
  assert_int_equal(w->a.n_low, 1);
  assert_int_equal(w->a.n_errors, 0);
}

static void a_pool_is_gathered_before_a_description(void **state) {
  world *w = *state;
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice_candidate_pool_size = 1;
  end_make(&w->a, &w->b, w->uv, &cfg);
  end_make(&w->b, &w->a, w->uv, NULL);
  pass_loops(w, 5);
  end_channel(&w->a, "channel", NULL);
  world_negotiate(w);
  world_run(w, both_are_open);
}

/* ---- messages ---- */

typedef struct wanted {
  floe_bytes data;
  bool is_text;
  size_t n_right, n_wrong;
} wanted;

static void compare(const floe_event *event, void *user) {
  wanted *want = ((end *)user)->user;
  const floe_channel_message *m = &event->u.message;
  uint64_t digest = digest_on(0, want->data);
  floe_bytes expected = want->data;
  if (want->n_right % 2 == 1) expected = (floe_bytes){.ptr = (const uint8_t *)&digest, .len = sizeof digest};
  bool is_same = m->data.len == expected.len;
  if (is_same && expected.len > 0) is_same = memcmp(m->data.ptr, expected.ptr, expected.len) == 0;
  bool is_kind = want->n_right % 2 == 1 || m->is_binary != want->is_text;
  if (is_same && is_kind) {
    want->n_right++;
  } else {
    want->n_wrong++;
  }
}

static size_t n_wanted;

static bool has_answers(world *w) {
  const wanted *want = w->a.user;
  return want->n_right >= n_wanted || want->n_wrong > 0;
}

static void ask(world *w, wanted *want, floe_bytes data, bool is_text) {
  want->data = data;
  want->is_text = is_text;
  n_wanted = want->n_right + 2;
  floe_status st =
      is_text ? floe_uv_data_channel_send_text(w->a.channel, data) : floe_uv_data_channel_send(w->a.channel, data);
  assert_int_equal(st, FLOE_OK);
  world_run(w, has_answers);
  assert_int_equal(want->n_wrong, 0);
}

static void messages_of_all_sizes_come_back(void **state) {
  world *w = *state;
  wanted want = {.n_right = 0};
  static const size_t lens[] = {1,    2,    100,  1000,  1100,  1115,  1116,  1117,   1118,   1119,        1120,
                                1144, 1200, 2400, 16384, 65535, 65536, 65537, 100000, 131072, LARGEST - 1, LARGEST};
  make_pattern();
  world_connect(w, NULL);
  w->a.user = &want;
  echo_on(&w->b);
  assert_int_equal(floe_uv_data_channel_on_message(w->a.channel, compare, &w->a), FLOE_OK);
  for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) ask(w, &want, message(i, lens[i]), false);
  ask(w, &want, (floe_bytes){.ptr = pattern, .len = 0}, false);
  ask(w, &want, (floe_bytes){.ptr = pattern, .len = 0}, true);
  ask(w, &want,
      bytes_of("gr\xc3\xbc\xc3\x9f"
               "e"),
      true);
  assert_int_equal(w->b.n_errors, 0);
  assert_int_equal(floe_uv_data_channel_send_text(w->a.channel, bytes_of("\xff")), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_data_channel_send(w->a.channel, message(0, LARGEST + 1)), FLOE_E_TOO_LARGE);
}

static size_t n_expected;

static bool b_has_all(world *w) {
  return w->b.n_messages >= n_expected;
}

static void thousands_of_messages_come_in_order(void **state) {
  world *w = *state;
  make_pattern();
  world_connect(w, NULL);
  uint64_t digest = 0;
  n_expected = 20000;
  for (size_t i = 0, n_sent = 0; n_sent < n_expected;) {
    floe_bytes data = message(i, 1 + i * 7919 % 1500);
    floe_status st = floe_uv_data_channel_send(w->a.channel, data);
    if (st == FLOE_E_AGAIN) {
      (void)uv_run(&w->loop, UV_RUN_ONCE);
      assert_false(w->is_late);
      continue;
    }
    assert_int_equal(st, FLOE_OK);
    digest = digest_on(digest, data);
    n_sent++;
    i++;
  }
  world_run(w, b_has_all);
  assert_int_equal(w->b.n_messages, n_expected);
  assert_true(w->b.digest == digest);
}

/* ---- back-pressure ---- */

typedef struct pump {
  size_t n_sent, n_total, n_full;
  uint64_t digest;
} pump;

static void pump_more(const floe_event *event, void *user) {
  end *e = user;
  pump *p = e->user;
  (void)event;
  while (p->n_sent < p->n_total) {
    floe_bytes data = message(p->n_sent, 65536);
    floe_status st = floe_uv_data_channel_send(e->channel, data);
    if (st != FLOE_OK) {
      p->n_full += st == FLOE_E_AGAIN ? 1 : 1000000;
      return;
    }
    p->digest = digest_on(p->digest, data);
    p->n_sent++;
  }
}

static void a_sender_waits_for_bufferedamountlow(void **state) {
  world *w = *state;
  pump p = {.n_total = 512}; /* 32 MiB */
  make_pattern();
  world_connect(w, NULL);
  w->a.user = &p;
  floe_data_channel_set_buffered_amount_low_threshold(w->a.channel, 256 * 1024);
  assert_int_equal(floe_uv_data_channel_on_bufferedamountlow(w->a.channel, pump_more, &w->a), FLOE_OK);
  pump_more(NULL, &w->a);
  assert_int_equal(p.n_full, 1);
  assert_true(floe_data_channel_buffered_amount(w->a.channel) > 256 * 1024);
  n_expected = p.n_total;
  uint64_t start = uv_hrtime();
  world_run(w, b_has_all);
  double seconds = (double)(uv_hrtime() - start) / 1e9;
  print_message("%.0f MB/s\n", (double)w->b.n_bytes / seconds / 1e6);
  assert_int_equal(p.n_sent, p.n_total);
  assert_in_range(p.n_full, 2, 999999); /* no other status than FLOE_E_AGAIN */
  assert_int_equal(w->b.n_bytes, p.n_total * 65536);
  assert_true(w->b.digest == p.digest);
  assert_true(w->a.n_low >= 1);
}

/* ---- closing ---- */

static bool channels_are_closed(world *w) {
  return w->a.n_closed > 0 && w->b.n_closed > 0;
}

static void a_channel_is_closed_from(world *w, end *closer) {
  world_connect(w, NULL);
  n_expected = closer == &w->a ? 3 : 0;
  for (size_t i = 0; i < n_expected; i++) {
    assert_int_equal(floe_uv_data_channel_send(closer->channel, bytes_of("before")), FLOE_OK);
  }
  floe_uv_data_channel_close(closer->channel);
  assert_int_equal(floe_data_channel_ready_state(closer->channel), FLOE_DATA_CHANNEL_CLOSING);
  assert_int_equal(floe_uv_data_channel_send(closer->channel, bytes_of("late")), FLOE_E_STATE);
  world_run(w, channels_are_closed);
  assert_int_equal(w->b.n_messages, n_expected);
  assert_int_equal(floe_data_channel_ready_state(w->a.channel), FLOE_DATA_CHANNEL_CLOSED);
  assert_int_equal(floe_data_channel_ready_state(w->b.channel), FLOE_DATA_CHANNEL_CLOSED);
  assert_int_equal(w->a.n_errors + w->b.n_errors, 0);
  floe_uv_data_channel_free(w->a.channel);
  floe_uv_data_channel_free(w->b.channel);
  /* The connection goes on without it. */
  w->a.n_opened = w->b.n_opened = 0;
  end_channel(&w->b, "next", NULL);
  world_run(w, both_are_open);
  assert_string_equal(floe_data_channel_label(w->a.channel), "next");
}

static void the_offerer_closes_a_channel(void **state) {
  world *w = *state;
  a_channel_is_closed_from(w, &w->a);
}

static void the_answerer_closes_a_channel(void **state) {
  world *w = *state;
  a_channel_is_closed_from(w, &w->b);
}

static void both_close_a_channel_at_once(void **state) {
  world *w = *state;
  world_connect(w, NULL);
  floe_uv_data_channel_close(w->a.channel);
  floe_uv_data_channel_close(w->b.channel);
  world_run(w, channels_are_closed);
}

static bool b_channel_is_closed(world *w) {
  return w->b.n_closed > 0 && w->a.is_gone;
}

static void the_peer_learns_of_close(void **state) {
  world *w = *state;
  world_connect(w, NULL);
  assert_int_equal(floe_uv_data_channel_send(w->a.channel, bytes_of("bye")), FLOE_OK);
  pass_loops(w, 10);
  end_close(&w->a);
  assert_false(w->a.is_gone);
  world_run(w, b_channel_is_closed);
  assert_int_equal(w->b.n_messages, 1);
  assert_int_equal(floe_data_channel_ready_state(w->b.channel), FLOE_DATA_CHANNEL_CLOSED);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(two_connections_open_a_channel),
      TEST(candidates_are_trickled),
      TEST(the_first_channel_asks_for_negotiation),
      TEST(a_pool_is_gathered_before_a_description),
      TEST(messages_of_all_sizes_come_back),
      TEST(thousands_of_messages_come_in_order),
      TEST(a_sender_waits_for_bufferedamountlow),
      TEST(the_offerer_closes_a_channel),
      TEST(the_answerer_closes_a_channel),
      TEST(both_close_a_channel_at_once),
      TEST(the_peer_learns_of_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
