/* Real peer connections whose memory fails, once or from then on, at each of many moments: nothing breaks, everything
 * is given back, and the driver can be closed. */
#include "driver/pc_rig.h"

typedef struct memory {
  long n_live;     /* blocks that were not given back */
  long n_asked;    /* requests so far */
  long fails_at;   /* the request that fails; -1: none */
  bool for_ever;   /* and all after it */
  bool has_failed; /* one did */
} memory;

static void *reallocate(void *user, void *ptr, size_t size) {
  memory *m = user;
  if (size == 0) {
    if (ptr != NULL) m->n_live--;
    free(ptr);
    return NULL;
  }
  long n = m->n_asked++;
  bool fails = m->fails_at >= 0 && (n == m->fails_at || (m->for_ever && n > m->fails_at));
  if (fails) {
    m->has_failed = true;
    return NULL;
  }
  void *got = realloc(ptr, size);
  if (ptr == NULL && got != NULL) m->n_live++;
  return got;
}

static floe_uv *make_driver(memory *m, uv_loop_t *loop) {
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  env.user = m;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  floe_uv *uv = NULL;
  (void)!floe_uv_new(&uv, loop, &cfg, NULL);
  return uv;
}

static void hear_all(end *e) {
  static const floe_event_type types[] = {FLOE_EVENT_OPEN, FLOE_EVENT_MESSAGE, FLOE_EVENT_CLOSE};
  for (size_t i = 0; i < 3; i++) (void)!floe_uv_data_channel_add_event_listener(e->channel, types[i], hear, e);
}

static void on_announced(const floe_event *event, void *user) {
  end *e = user;
  e->channel = event->u.channel;
  hear_all(e);
}

/* False: there was no memory for it. */
static bool make_end(end *e, end *peer, floe_uv *uv) {
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  e->peer = peer;
  floe_status st = floe_uv_pc_new(&e->pc, uv, &cfg, NULL);
  if (st != FLOE_OK) return false;
  (void)!floe_uv_pc_on_datachannel(e->pc, on_announced, e);
  return true;
}

static void tell(end *from, end *to) {
  const floe_session_description *d = floe_uv_pc_local_description(from->pc);
  if (d != NULL) (void)!floe_uv_pc_set_remote_description(to->pc, d, NULL);
}

static bool have_talked(const world *w) {
  return w->a.n_messages > 0 && w->b.n_messages > 0;
}

static void greet(end *e) {
  static const uint8_t hello[] = "hello";
  if (e->channel != NULL) (void)!floe_uv_data_channel_send(e->channel, (floe_bytes){.ptr = hello, .len = sizeof hello});
}

static void turns(world *w, int n) {
  for (int i = 0; i < n; i++) (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* What a program does that takes no notice of failures. Returns whether a message has come both ways. */
static bool live(world *w) {
  if (!make_end(&w->a, &w->b, w->uv) || !make_end(&w->b, &w->a, w->uv)) return false;
  if (floe_uv_pc_create_data_channel(w->a.pc, "channel", NULL, &w->a.channel, NULL) == FLOE_OK) hear_all(&w->a);
  (void)!floe_uv_pc_set_local_description(w->a.pc, NULL, NULL);
  turns(w, 10);
  tell(&w->a, &w->b);
  (void)!floe_uv_pc_set_local_description(w->b.pc, NULL, NULL);
  turns(w, 10);
  tell(&w->b, &w->a);
  for (int i = 0; i < 60 && (w->a.n_opened == 0 || w->b.n_opened == 0); i++) {
    uv_sleep(1); /* checks are paced: there is a clock to wait for */
    turns(w, 1);
  }
  greet(&w->a);
  greet(&w->b);
  for (int i = 0; i < 30 && !have_talked(w); i++) turns(w, 1);
  (void)floe_uv_pc_get_stats(w->a.pc);
  (void)floe_uv_pc_failure_report(w->b.pc);
  if (w->b.channel != NULL) floe_uv_data_channel_close(w->b.channel);
  turns(w, 3);
  end_close(&w->a);
  turns(w, 3);
  return have_talked(w);
}

/* Returns whether there was a failure. */
static bool live_with(long fails_at, bool for_ever, bool *has_talked, long *n_asked) {
  memory m = {.fails_at = fails_at, .for_ever = for_ever};
  world w;
  memset(&w, 0, sizeof w);
  assert_int_equal(uv_loop_init(&w.loop), 0);
  w.uv = make_driver(&m, &w.loop);
  if (w.uv != NULL) *has_talked = live(&w);
  floe_uv_close(w.uv);
  assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&w.loop), 0);
  assert_int_equal(m.n_live, 0);
  *n_asked = m.n_asked;
  return m.has_failed;
}

/* A memory that stays empty is much the same from one moment to the next: ever fewer of them. */
static void fail_everywhere(bool for_ever) {
  bool has_talked = false;
  long n_asked = 0;
  assert_false(live_with(-1, false, &has_talked, &n_asked));
  assert_true(has_talked);
  print_message("%ld requests\n", n_asked);
  for (long at = 0; at < n_asked; at += for_ever ? 1 + at / 25 : 1)
    (void)live_with(at, for_ever, &has_talked, &(long){0});
}

static void a_failure_breaks_nothing(void **state) {
  (void)state;
  fail_everywhere(false);
}

static void failures_without_end_break_nothing(void **state) {
  (void)state;
  fail_everywhere(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_breaks_nothing),
      cmocka_unit_test(failures_without_end_break_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
