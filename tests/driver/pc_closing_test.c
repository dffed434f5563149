/* Real peer connections that are closed, and channels that are freed, from inside of callbacks and at any moment. */
#include "driver/pc_rig.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_callback_may_close_everything),
      cmocka_unit_test(connections_end_at_any_moment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
