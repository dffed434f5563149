/* Two real peer connections on one loop, over loopback. */
#include "driver/pc_rig.h"

static int set_up(void **state) {
  static world w;
  world_init(&w);
  *state = &w;
  return 0;
}

static int tear_down(void **state) {
  world_clear(*state);
  return 0;
}

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

static void pass_loops(world *w, int n) {
  for (int i = 0; i < n; i++) (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

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

#define LARGEST ((size_t)256 * 1024)

static uint8_t pattern[LARGEST + 256];

static floe_bytes message(size_t number, size_t len) {
  return (floe_bytes){.ptr = pattern + number % 251, .len = len};
}

static void make_pattern(void) {
  uint32_t x = 12345;
  for (size_t i = 0; i < sizeof pattern; i++) {
    x = x * 1664525u + 1013904223u;
    pattern[i] = (uint8_t)(x >> 24);
  }
}

/* What the event points at stays while the listener runs, whatever it calls: so it can be sent as it is, twice. */
static void echo(const floe_event *event, void *user) {
  end *e = user;
  const floe_channel_message *m = &event->u.message;
  floe_status st = m->is_binary ? floe_uv_data_channel_send(m->channel, m->data)
                                : floe_uv_data_channel_send_text(m->channel, m->data);
  (void)floe_uv_pc_get_stats(e->pc);
  (void)floe_uv_pc_local_description(e->pc);
  uint64_t digest = digest_on(0, m->data);
  (void)floe_uv_data_channel_send(m->channel, (floe_bytes){.ptr = (const uint8_t *)&digest, .len = sizeof digest});
  if (st != FLOE_OK) e->n_errors++;
}

static void echo_on(end *e) {
  if (floe_uv_data_channel_on_message(e->channel, echo, e) != FLOE_OK) abort();
}

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

/* ---- closing and freeing inside of callbacks ---- */

typedef enum deed { FREE_CHANNEL = 0, CLOSE_CHANNEL, CLOSE_OWN, CLOSE_PEER, CLOSE_BOTH, CLOSE_DRIVER, DEEDS } deed;

typedef struct plot {
  world *w;
  end *actor;
  deed what;
  bool is_done, was_called_after;
} plot;

static void close_end(end *e) {
  if (e->pc != NULL) end_close(e);
}

static void do_it(const floe_event *event, void *user) {
  plot *p = user;
  end *e = p->actor;
  (void)event;
  if (p->is_done) return;
  p->is_done = true;
  switch (p->what) {
    case FREE_CHANNEL:
      floe_uv_data_channel_free(e->channel);
      e->channel = NULL;
      break;
    case CLOSE_CHANNEL:
      if (e->channel != NULL) floe_uv_data_channel_close(e->channel);
      break;
    case CLOSE_OWN: close_end(e); break;
    case CLOSE_PEER: close_end(e->peer); break;
    case CLOSE_BOTH:
      close_end(e);
      close_end(e->peer);
      break;
    case CLOSE_DRIVER: floe_uv_close(p->w->uv); break;
    case DEEDS: break;
  }
}

/* Behind do_it on the same target: not called when that has closed what it listens to. */
static void notice(const floe_event *event, void *user) {
  plot *p = user;
  (void)event;
  if (p->is_done && p->what >= CLOSE_OWN && p->what != CLOSE_PEER) p->was_called_after = true;
}

static bool is_of_channel(floe_event_type type) {
  return type == FLOE_EVENT_OPEN || type == FLOE_EVENT_MESSAGE || type == FLOE_EVENT_BUFFEREDAMOUNTLOW ||
         type == FLOE_EVENT_CLOSING || type == FLOE_EVENT_CLOSE;
}

static plot *current;
static floe_event_type current_type;

static void plot_on_channel(end *e) {
  if (e != current->actor || !is_of_channel(current_type)) return;
  (void)!floe_uv_data_channel_add_event_listener(e->channel, current_type, do_it, current);
  (void)!floe_uv_data_channel_add_event_listener(e->channel, current_type, notice, current);
}

/* Sets the trap before anything has happened; the other side provokes the event. */
static void lay(world *w, plot *p, floe_event_type type, bool is_offerer) {
  current = p;
  current_type = type;
  end_make(&w->a, &w->b, w->uv, NULL);
  end_make(&w->b, &w->a, w->uv, NULL);
  p->w = w;
  p->actor = is_offerer ? &w->a : &w->b;
  w->b.on_channel = plot_on_channel;
  end_channel(&w->a, "channel", NULL);
  plot_on_channel(&w->a);
  if (is_of_channel(type)) return;
  assert_int_equal(floe_uv_pc_add_event_listener(p->actor->pc, type, do_it, p), FLOE_OK);
  assert_int_equal(floe_uv_pc_add_event_listener(p->actor->pc, type, notice, p), FLOE_OK);
}

/* Each step only when the connections still are there. */
static void live_on(world *w, const plot *p) {
  for (int step = 0; step < 400 && !p->is_done; step++) {
    floe_uv_pc *a = w->a.pc;
    floe_uv_pc *b = w->b.pc;
    if (step == 5) (void)!floe_uv_pc_set_local_description(a, NULL, NULL);
    if (step == 20) (void)!floe_uv_pc_set_remote_description(b, floe_uv_pc_local_description(a), NULL);
    if (step == 21) (void)!floe_uv_pc_set_local_description(b, NULL, NULL);
    if (step == 40) (void)!floe_uv_pc_set_remote_description(a, floe_uv_pc_local_description(b), NULL);
    end *other = p->actor->peer;
    if (step > 60 && w->a.n_opened > 0 && w->b.n_opened > 0) {
      (void)!floe_uv_data_channel_send(other->channel, bytes_of("message"));
      (void)!floe_uv_data_channel_send(p->actor->channel, bytes_of("message"));
    }
    if (step == 300 && other->channel != NULL) floe_uv_data_channel_close(other->channel);
    uv_sleep(step > 40 && w->a.n_opened == 0 ? 2 : 0);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
  }
}

static void one_plot(floe_event_type type, deed what, bool is_offerer) {
  world w;
  plot p = {.what = what};
  world_init(&w);
  lay(&w, &p, type, is_offerer);
  live_on(&w, &p);
  if (!p.is_done) print_message("%s was never told (%d, %d)\n", floe_event_name(type), what, is_offerer);
  assert_true(p.is_done);
  if (what == CLOSE_DRIVER) {
    w.uv = NULL;
  } else {
    for (int i = 0; i < 20; i++) (void)uv_run(&w.loop, UV_RUN_NOWAIT);
  }
  assert_false(p.was_called_after);
  world_clear(&w);
}

static void every_callback_may_close_everything(void **state) {
  (void)state;
  static const struct {
    floe_event_type type;
    bool is_offerer;
  } traps[] = {
      {FLOE_EVENT_NEGOTIATIONNEEDED, true},
      {FLOE_EVENT_SIGNALINGSTATECHANGE, true},
      {FLOE_EVENT_SIGNALINGSTATECHANGE, false},
      {FLOE_EVENT_ICEGATHERINGSTATECHANGE, true},
      {FLOE_EVENT_ICECANDIDATE, true},
      {FLOE_EVENT_ICECANDIDATE, false},
      {FLOE_EVENT_ICECONNECTIONSTATECHANGE, true},
      {FLOE_EVENT_ICECONNECTIONSTATECHANGE, false},
      {FLOE_EVENT_CONNECTIONSTATECHANGE, true},
      {FLOE_EVENT_CONNECTIONSTATECHANGE, false},
      {FLOE_EVENT_DTLSTRANSPORT_STATECHANGE, true},
      {FLOE_EVENT_SCTPTRANSPORT_STATECHANGE, true},
      {FLOE_EVENT_DATACHANNEL, false},
      {FLOE_EVENT_OPEN, true},
      {FLOE_EVENT_OPEN, false},
      {FLOE_EVENT_MESSAGE, true},
      {FLOE_EVENT_MESSAGE, false},
      {FLOE_EVENT_BUFFEREDAMOUNTLOW, true},
      {FLOE_EVENT_CLOSING, true},
      {FLOE_EVENT_CLOSE, true},
      {FLOE_EVENT_CLOSE, false},
  };
  for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
    for (int what = 0; what < DEEDS; what++) one_plot(traps[i].type, (deed)what, traps[i].is_offerer);
  }
}

/* ---- random moments ---- */

static uint32_t draw(uint64_t *seed, uint32_t below) {
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*seed >> 33) % below;
}

static void talk(end *e, uint64_t *seed) {
  if (e->pc == NULL || e->channel == NULL) return;
  for (uint32_t n = draw(seed, 8); n > 0; n--) {
    (void)!floe_uv_data_channel_send(e->channel, message(n, draw(seed, 60000)));
  }
  if (draw(seed, 50) == 0) {
    floe_uv_data_channel_free(e->channel);
    e->channel = NULL;
  }
  if (draw(seed, 20) == 0) end_channel(e, "another", NULL);
}

static void live_and_die(uint64_t seed) {
  world w;
  world_init(&w);
  end_make(&w.a, &w.b, w.uv, NULL);
  end_make(&w.b, &w.a, w.uv, NULL);
  end_channel(&w.a, "channel", NULL);
  if (draw(&seed, 4) > 0) {
    world_negotiate(&w);
    for (uint32_t n = draw(&seed, 60); n > 0 && !both_are_open(&w); n--) (void)uv_run(&w.loop, UV_RUN_ONCE);
  }
  bool is_killed[2] = {false, false};
  for (uint32_t n = draw(&seed, 100); n > 0; n--) {
    talk(&w.a, &seed);
    talk(&w.b, &seed);
    (void)uv_run(&w.loop, UV_RUN_NOWAIT);
    uint32_t victim = draw(&seed, 60);
    if (victim < 2 && !is_killed[victim]) {
      is_killed[victim] = true;
      end_close(victim == 0 ? &w.a : &w.b);
    }
  }
  world_clear(&w);
  assert_int_equal(w.a.is_gone, is_killed[0]);
  assert_int_equal(w.b.is_gone, is_killed[1]);
}

static void connections_end_at_any_moment(void **state) {
  (void)state;
  make_pattern();
  const char *given = getenv("FLOE_TEST_SEED");
  uint64_t first = given == NULL ? uv_hrtime() : strtoull(given, NULL, 10);
  for (uint64_t i = 0; i < 60; i++) {
    print_message("seed %llu\n", (unsigned long long)(first + i));
    live_and_die(first + i);
    if (given != NULL) return;
  }
}

/* ---- many on one port ---- */

#define PAIRS 8

static end clients[PAIRS], servers[PAIRS];

static bool all_are_open(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += clients[i].n_opened > 0 && servers[i].n_opened > 0;
  return n == PAIRS;
}

static bool all_are_complete(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += end_is_complete(&clients[i]) && end_is_complete(&servers[i]);
  return n == PAIRS;
}

static bool all_have_answers(world *w) {
  (void)w;
  size_t n = 0;
  for (size_t i = 0; i < PAIRS; i++) n += clients[i].n_messages == 2;
  return n == PAIRS;
}

static void make_server(end *e, end *peer, floe_uv_ice_mux *mux) {
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  memset(e, 0, sizeof *e);
  e->peer = peer;
  e->on_channel = echo_on;
  assert_int_equal(floe_uv_pc_new_on_mux(&e->pc, mux, &cfg, NULL), FLOE_OK);
  end_listen(e);
}

static void answer_all(world *w) {
  for (size_t i = 0; i < PAIRS; i++) {
    assert_int_equal(floe_uv_pc_set_local_description(clients[i].pc, NULL, NULL), FLOE_OK);
    end_tell(&clients[i], &servers[i]);
    assert_int_equal(floe_uv_pc_set_local_description(servers[i].pc, NULL, NULL), FLOE_OK);
  }
  world_run(w, all_are_complete);
  for (size_t i = 0; i < PAIRS; i++) {
    floe_ice_candidate_init none = {.candidate = "", .sdp_mid = "0"};
    end_tell(&servers[i], &clients[i]);
    assert_int_equal(floe_uv_pc_add_ice_candidate(servers[i].pc, &none, NULL), FLOE_OK);
  }
}

static void assert_on_port(const end *e, uint16_t port) {
  const floe_ice_transport *ice = floe_pc_ice_transport(floe_uv_pc_core(e->pc));
  assert_non_null(ice->selected_local);
  assert_int_equal(ice->selected_local->address.port, port);
}

static void many_connections_share_a_port(void **state) {
  world *w = *state;
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_uv_ice_mux_new(&mux, w->uv, &cfg, NULL), FLOE_OK);
  make_pattern();
  for (size_t i = 0; i < PAIRS; i++) {
    end_make(&clients[i], &servers[i], w->uv, NULL);
    make_server(&servers[i], &clients[i], mux);
    end_channel(&clients[i], "channel", NULL);
  }
  assert_int_equal(floe_uv_ice_mux_agents(mux), PAIRS);
  answer_all(w);
  world_run(w, all_are_open);
  for (size_t i = 0; i < PAIRS; i++) {
    assert_on_port(&servers[i], floe_uv_ice_mux_port(mux));
    assert_int_equal(floe_uv_data_channel_send(clients[i].channel, message(i, 1000 * i)), FLOE_OK);
  }
  world_run(w, all_have_answers);
  for (size_t i = 0; i < PAIRS; i++) {
    uint64_t digest = digest_on(0, message(i, 1000 * i));
    uint64_t expected = digest_on(digest, (floe_bytes){.ptr = (const uint8_t *)&digest, .len = sizeof digest});
    assert_true(clients[i].digest == expected);
  }
  /* A restart has another ufrag, which the multiplexer must know. */
  floe_offer_options restart = {.ice_restart = true};
  const char *sdp = NULL;
  assert_int_equal(floe_uv_pc_create_offer(servers[3].pc, &restart, &sdp, NULL), FLOE_OK);
  assert_int_equal(floe_uv_pc_set_local_description(
                       servers[3].pc, &(floe_session_description){.type = FLOE_SDP_OFFER, .sdp = sdp}, NULL),
                   FLOE_OK);
  world_run(w, all_are_complete);
  end_tell(&servers[3], &clients[3]);
  assert_int_equal(floe_uv_pc_set_local_description(clients[3].pc, NULL, NULL), FLOE_OK);
  world_run(w, all_are_complete);
  end_tell(&clients[3], &servers[3]);
  clients[3].n_messages = 0;
  assert_int_equal(floe_uv_data_channel_send(clients[3].channel, message(3, 3000)), FLOE_OK);
  world_run(w, all_have_answers);
  for (size_t i = 0; i < PAIRS; i++) end_close(&servers[i]);
  pass_loops(w, 20);
  assert_int_equal(floe_uv_ice_mux_agents(mux), 0);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
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
      cmocka_unit_test(every_callback_may_close_everything),
      cmocka_unit_test(connections_end_at_any_moment),
      TEST(many_connections_share_a_port),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
