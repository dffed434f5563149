/* Two threads, each with a loop, a driver and an env of its own; their connections talk to each other over loopback.
 * Nothing is shared but the descriptions, which go from thread to thread under a lock. ThreadSanitizer watches. */
#include "driver/pc_rig.h"

#define PAIRS    3
#define MESSAGES ((size_t)400)
#define LENGTH   ((size_t)20000)

/* A description on its way. */
typedef struct letter {
  char *sdp;
  floe_sdp_type type;
  size_t pair;
  struct letter *next;
} letter;

typedef struct side {
  struct side *other;
  bool is_offerer;
  uv_thread_t thread;
  uv_loop_t loop;
  uv_async_t bell; /* a letter has come, or the other side is done */
  uv_mutex_t lock; /* of the two that follow */
  letter *letters;
  bool is_other_done;
  floe_uv *uv;
  end ends[PAIRS];
  size_t n_sent[PAIRS];
  size_t n_done, n_failed;
  uv_timer_t guard;
} side;

static uint8_t payload[LENGTH];

/* ---- letters ---- */

static void post(side *to, const floe_session_description *d, size_t pair) {
  letter *l = calloc(1, sizeof *l);
  if (l == NULL) abort();
  *l = (letter){.sdp = strdup(d->sdp), .type = d->type, .pair = pair};
  uv_mutex_lock(&to->lock);
  letter **last = &to->letters;
  while (*last != NULL) last = &(*last)->next;
  *last = l;
  uv_mutex_unlock(&to->lock);
  (void)uv_async_send(&to->bell);
}

static void read_letter(side *s, const letter *l) {
  end *e = &s->ends[l->pair];
  floe_session_description d = {.type = l->type, .sdp = l->sdp};
  if (floe_uv_pc_set_remote_description(e->pc, &d, NULL) != FLOE_OK) s->n_failed++;
  if (l->type == FLOE_SDP_OFFER && floe_uv_pc_set_local_description(e->pc, NULL, NULL) != FLOE_OK) s->n_failed++;
}

static void end_all(side *s) {
  for (size_t i = 0; i < PAIRS; i++) {
    if (s->ends[i].pc != NULL) end_close(&s->ends[i]);
  }
  floe_uv_close(s->uv);
  uv_close((uv_handle_t *)&s->bell, NULL);
  uv_close((uv_handle_t *)&s->guard, NULL);
}

static void on_bell(uv_async_t *bell) {
  side *s = bell->data;
  uv_mutex_lock(&s->lock);
  letter *l = s->letters;
  s->letters = NULL;
  bool is_over = s->is_other_done && s->n_done == PAIRS;
  uv_mutex_unlock(&s->lock);
  for (letter *next; l != NULL; l = next) {
    next = l->next;
    read_letter(s, l);
    free(l->sdp);
    free(l);
  }
  if (is_over && !uv_is_closing((uv_handle_t *)bell)) end_all(s);
}

/* ---- a side's connections ---- */

static side *side_of(const end *e) {
  return e->user;
}

static void send_more(const floe_event *event, void *user) {
  end *e = user;
  side *s = side_of(e);
  size_t pair = (size_t)(e - s->ends);
  (void)event;
  while (s->n_sent[pair] < MESSAGES) {
    floe_status st = floe_uv_data_channel_send(e->channel, (floe_bytes){.ptr = payload, .len = LENGTH});
    if (st == FLOE_E_AGAIN) return;
    if (st != FLOE_OK) s->n_failed++;
    s->n_sent[pair]++;
  }
}

static void note_message(const floe_event *event, void *user) {
  end *e = user;
  side *s = side_of(e);
  hear(event, e);
  if (e->n_messages != MESSAGES) return;
  if (++s->n_done < PAIRS) return;
  uv_mutex_lock(&s->other->lock);
  s->other->is_other_done = true;
  uv_mutex_unlock(&s->other->lock);
  (void)uv_async_send(&s->other->bell);
  (void)uv_async_send(&s->bell);
}

static void prepare_channel(end *e) {
  side *s = side_of(e);
  if (floe_uv_data_channel_on_open(e->channel, send_more, e) != FLOE_OK) s->n_failed++;
  if (floe_uv_data_channel_on_bufferedamountlow(e->channel, send_more, e) != FLOE_OK) s->n_failed++;
  if (floe_uv_data_channel_on_message(e->channel, note_message, e) != FLOE_OK) s->n_failed++;
}

static void on_announced(const floe_event *event, void *user) {
  end *e = user;
  e->channel = event->u.channel;
  prepare_channel(e);
}

/* The description is complete: no candidates need be sent after it. */
static void on_gathering(const floe_event *event, void *user) {
  end *e = user;
  side *s = side_of(e);
  if (event->u.gathering_state != FLOE_ICE_GATHERING_COMPLETE) return;
  post(s->other, floe_uv_pc_local_description(e->pc), (size_t)(e - s->ends));
}

/* No assertion here: it would jump out of the thread. */
static bool make_end(side *s, end *e) {
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  e->user = s;
  if (floe_uv_pc_new(&e->pc, s->uv, &cfg, NULL) != FLOE_OK) return false;
  if (floe_uv_pc_on_datachannel(e->pc, on_announced, e) != FLOE_OK) return false;
  if (floe_uv_pc_on_icegatheringstatechange(e->pc, on_gathering, e) != FLOE_OK) return false;
  if (!s->is_offerer) return true;
  if (floe_uv_pc_create_data_channel(e->pc, "channel", NULL, &e->channel, NULL) != FLOE_OK) return false;
  prepare_channel(e);
  return floe_uv_pc_set_local_description(e->pc, NULL, NULL) == FLOE_OK;
}

static void on_late(uv_timer_t *timer) {
  side *s = timer->data;
  s->n_failed++;
  uv_stop(&s->loop);
}

static void live(void *user) {
  side *s = user;
  for (size_t i = 0; i < PAIRS; i++) {
    if (!make_end(s, &s->ends[i])) s->n_failed++;
  }
  (void)uv_run(&s->loop, UV_RUN_DEFAULT);
}

static void prepare(side *s, side *other, bool is_offerer) {
  memset(s, 0, sizeof *s);
  s->other = other;
  s->is_offerer = is_offerer;
  assert_int_equal(uv_loop_init(&s->loop), 0);
  assert_int_equal(uv_async_init(&s->loop, &s->bell, on_bell), 0);
  assert_int_equal(uv_timer_init(&s->loop, &s->guard), 0);
  assert_int_equal(uv_timer_start(&s->guard, on_late, 120000, 0), 0);
  assert_int_equal(uv_mutex_init(&s->lock), 0);
  s->bell.data = s->guard.data = s;
  assert_int_equal(floe_uv_new(&s->uv, &s->loop, NULL, NULL), FLOE_OK);
}

static void finish(side *s) {
  assert_int_equal(s->n_failed, 0);
  assert_int_equal(uv_loop_close(&s->loop), 0);
  uv_mutex_destroy(&s->lock);
  floe_bytes one = {.ptr = payload, .len = LENGTH};
  uint64_t digest = 0;
  for (size_t i = 0; i < MESSAGES; i++) digest = digest_on(digest, one);
  for (size_t i = 0; i < PAIRS; i++) {
    assert_int_equal(s->n_sent[i], MESSAGES);
    assert_int_equal(s->ends[i].n_messages, MESSAGES);
    assert_true(s->ends[i].digest == digest);
    assert_true(s->ends[i].is_gone);
  }
}

static void two_threads_talk(void **state) {
  static side a, b;
  (void)state;
  for (size_t i = 0; i < LENGTH; i++) payload[i] = (uint8_t)(i * 7);
  prepare(&a, &b, true);
  prepare(&b, &a, false);
  assert_int_equal(uv_thread_create(&a.thread, live, &a), 0);
  assert_int_equal(uv_thread_create(&b.thread, live, &b), 0);
  assert_int_equal(uv_thread_join(&a.thread), 0);
  assert_int_equal(uv_thread_join(&b.thread), 0);
  finish(&a);
  finish(&b);
}

/* ---- threads that come and go ---- */

typedef struct visit {
  uv_thread_t thread;
  bool is_right;
} visit;

static void meet(void *user) {
  visit *v = user;
  world w;
  memset(&w, 0, sizeof w);
  bool is_made = uv_loop_init(&w.loop) == 0 && floe_uv_new(&w.uv, &w.loop, NULL, NULL) == FLOE_OK;
  if (!is_made) return;
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  w.a.peer = &w.b;
  w.b.peer = &w.a;
  v->is_right = floe_uv_pc_new(&w.a.pc, w.uv, &cfg, NULL) == FLOE_OK &&
                floe_uv_pc_new(&w.b.pc, w.uv, &cfg, NULL) == FLOE_OK &&
                floe_uv_pc_on_datachannel(w.b.pc, on_datachannel, &w.b) == FLOE_OK &&
                floe_uv_pc_create_data_channel(w.a.pc, "channel", NULL, &w.a.channel, NULL) == FLOE_OK &&
                floe_uv_pc_set_local_description(w.a.pc, NULL, NULL) == FLOE_OK;
  if (v->is_right) listen_to(&w.a, w.a.channel);
  while (v->is_right && !a_is_complete(&w)) (void)uv_run(&w.loop, UV_RUN_ONCE);
  v->is_right = v->is_right &&
                floe_uv_pc_set_remote_description(w.b.pc, floe_uv_pc_local_description(w.a.pc), NULL) == FLOE_OK &&
                floe_uv_pc_set_local_description(w.b.pc, NULL, NULL) == FLOE_OK;
  while (v->is_right && !b_is_complete(&w)) (void)uv_run(&w.loop, UV_RUN_ONCE);
  v->is_right =
      v->is_right && floe_uv_pc_set_remote_description(w.a.pc, floe_uv_pc_local_description(w.b.pc), NULL) == FLOE_OK;
  while (v->is_right && !both_are_open(&w)) (void)uv_run(&w.loop, UV_RUN_ONCE);
  floe_uv_close(w.uv);
  (void)uv_run(&w.loop, UV_RUN_DEFAULT);
  v->is_right = v->is_right && uv_loop_close(&w.loop) == 0;
}

/* The first and the last of a process set up, and take down, what the libraries below have in common. */
static void threads_come_and_go(void **state) {
  (void)state;
  for (int round = 0; round < 3; round++) {
    visit visits[4];
    memset(visits, 0, sizeof visits);
    for (size_t i = 0; i < 4; i++) assert_int_equal(uv_thread_create(&visits[i].thread, meet, &visits[i]), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(uv_thread_join(&visits[i].thread), 0);
    for (size_t i = 0; i < 4; i++) assert_true(visits[i].is_right);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_threads_talk),
      cmocka_unit_test(threads_come_and_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
