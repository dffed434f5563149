/* Two peer connections on drivers, which describe themselves to each other by hand and connect over loopback. */
#ifndef TESTS_DRIVER_PC_RIG_H
#define TESTS_DRIVER_PC_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "floe/uv.h"
#include "support/cmocka.h"

typedef struct end end;
struct end {
  floe_uv_pc *pc; /* NULL once it is closed */
  end *peer;
  floe_data_channel *channel; /* the one it made, or that was announced last; NULL once it is freed */
  void (*on_channel)(end *e); /* nullable: a channel was announced */
  floe_pc_state state;
  floe_cause cause;
  size_t n_opened, n_closed, n_messages, n_low, n_errors;
  size_t n_bytes;
  uint64_t digest;
  bool is_gone; /* on_closed was called */
  void *user;
};

static const char *const only_loopback[] = {"lo"};

static inline floe_ice_config loopback_config(void) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true;
  cfg.interfaces = only_loopback;
  cfg.n_interfaces = 1;
  return cfg;
}

/* ---- what is heard; callbacks assert nothing, for a jump out of the loop would leave it broken ---- */

/* FNV-1a over all bytes of all messages. */
static inline uint64_t digest_on(uint64_t digest, floe_bytes data) {
  for (size_t i = 0; i < data.len; i++) digest = (digest ^ data.ptr[i]) * UINT64_C(1099511628211);
  return digest;
}

static inline void hear(const floe_event *event, void *user) {
  end *e = user;
  if (event->target != event->u.channel && event->type != FLOE_EVENT_CONNECTIONSTATECHANGE) return;
  if (event->type == FLOE_EVENT_OPEN) e->n_opened++;
  if (event->type == FLOE_EVENT_BUFFEREDAMOUNTLOW) e->n_low++;
  if (event->type == FLOE_EVENT_ERROR) e->n_errors++;
  if (event->type == FLOE_EVENT_CLOSE) e->n_closed++;
  if (event->type != FLOE_EVENT_MESSAGE) return;
  e->n_messages++;
  e->n_bytes += event->u.message.data.len;
  e->digest = digest_on(e->digest, event->u.message.data);
}

static inline void listen_to(end *e, floe_data_channel *channel) {
  static const floe_event_type types[] = {FLOE_EVENT_OPEN, FLOE_EVENT_BUFFEREDAMOUNTLOW, FLOE_EVENT_ERROR,
                                          FLOE_EVENT_CLOSE, FLOE_EVENT_MESSAGE};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (floe_uv_data_channel_add_event_listener(channel, types[i], hear, e) != FLOE_OK) abort();
  }
}

static inline void on_datachannel(const floe_event *event, void *user) {
  end *e = user;
  e->channel = event->u.channel;
  listen_to(e, e->channel);
  if (e->on_channel != NULL) e->on_channel(e);
}

static inline void on_state(const floe_event *event, void *user) {
  end *e = user;
  e->state = event->u.pc.state;
  e->cause = event->u.pc.cause;
}

static inline void on_gone(void *user) {
  end *e = user;
  e->is_gone = true;
}

/* ---- making ---- */

static inline void end_listen(end *e) {
  assert_int_equal(floe_uv_pc_on_datachannel(e->pc, on_datachannel, e), FLOE_OK);
  assert_int_equal(floe_uv_pc_on_connectionstatechange(e->pc, on_state, e), FLOE_OK);
}

static inline void end_make(end *e, end *peer, floe_uv *uv, const floe_pc_config *given) {
  floe_ice_config ice = loopback_config();
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  if (given != NULL) cfg = *given;
  if (cfg.ice == NULL) cfg.ice = &ice;
  floe_error why = {.message = ""};
  memset(e, 0, sizeof *e);
  e->peer = peer;
  if (floe_uv_pc_new(&e->pc, uv, &cfg, &why) != FLOE_OK) fail_msg("%s: %s", why.path, why.message);
  end_listen(e);
}

static inline void end_channel(end *e, const char *label, const floe_data_channel_init *init) {
  assert_int_equal(floe_uv_pc_create_data_channel(e->pc, label, init, &e->channel, NULL), FLOE_OK);
  listen_to(e, e->channel);
}

static inline void end_close(end *e) {
  floe_uv_pc *pc = e->pc;
  e->pc = NULL;
  e->channel = NULL;
  floe_uv_pc_close(pc, on_gone, e);
}

/* What the one has set, the other is told. */
static inline void end_tell(end *from, end *to) {
  floe_error why = {.message = ""};
  floe_status st = floe_uv_pc_set_remote_description(to->pc, floe_uv_pc_local_description(from->pc), &why);
  if (st != FLOE_OK) fail_msg("%s: %s: %s", floe_status_name(st), why.path, why.message);
}

static inline bool end_is_complete(const end *e) {
  return floe_pc_ice_gathering_state(floe_uv_pc_core(e->pc)) == FLOE_ICE_GATHERING_COMPLETE;
}

/* ---- messages ---- */

static inline floe_bytes bytes_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

#define LARGEST ((size_t)256 * 1024)

static uint8_t pattern[LARGEST + 256];

static inline floe_bytes message(size_t number, size_t len) {
  return (floe_bytes){.ptr = pattern + number % 251, .len = len};
}

static inline void make_pattern(void) {
  uint32_t x = 12345;
  for (size_t i = 0; i < sizeof pattern; i++) {
    x = x * 1664525u + 1013904223u;
    pattern[i] = (uint8_t)(x >> 24);
  }
}

/* What the event points at stays while the listener runs, whatever it calls: so it can be sent as it is, twice. */
static inline void echo(const floe_event *event, void *user) {
  end *e = user;
  const floe_channel_message *m = &event->u.message;
  floe_status st = m->is_binary ? floe_uv_data_channel_send(m->channel, m->data)
                                : floe_uv_data_channel_send_text(m->channel, m->data);
  (void)floe_uv_pc_get_stats(e->pc);
  (void)floe_uv_pc_local_description(e->pc);
  uint64_t digest = digest_on(0, m->data);
  floe_bytes tail = {.ptr = (const uint8_t *)&digest, .len = sizeof digest};
  if (st == FLOE_OK) st = floe_uv_data_channel_send(m->channel, tail);
  if (st != FLOE_OK) e->n_errors++;
}

static inline void echo_on(end *e) {
  if (floe_uv_data_channel_on_message(e->channel, echo, e) != FLOE_OK) abort();
}

/* ---- one loop with both ---- */

typedef struct world {
  uv_loop_t loop;
  floe_uv *uv;
  end a, b;
  uv_timer_t guard;
  bool is_late;
} world;

static inline void world_late(uv_timer_t *guard) {
  *(bool *)guard->data = true;
}

static inline void world_init(world *w) {
  memset(w, 0, sizeof *w);
  assert_int_equal(uv_loop_init(&w->loop), 0);
  assert_int_equal(uv_timer_init(&w->loop, &w->guard), 0);
  w->guard.data = &w->is_late;
  assert_int_equal(uv_timer_start(&w->guard, world_late, 60000, 0), 0);
  uv_unref((uv_handle_t *)&w->guard);
  assert_int_equal(floe_uv_new(&w->uv, &w->loop, NULL, NULL), FLOE_OK);
}

/* Whatever the test left open is closed by the driver; libuv must then have nothing left. */
static inline void world_clear(world *w) {
  floe_uv_close(w->uv);
  uv_close((uv_handle_t *)&w->guard, NULL);
  assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&w->loop), 0);
}

static inline void world_run(world *w, bool (*done)(world *w)) {
  while (!done(w) && !w->is_late) (void)uv_run(&w->loop, UV_RUN_ONCE);
  if (w->is_late) fail_msg("what the test waits for has not come");
}

static inline bool a_is_complete(world *w) {
  return end_is_complete(&w->a);
}

static inline bool b_is_complete(world *w) {
  return end_is_complete(&w->b);
}

/* `a` offers, `b` answers; no candidates are trickled. */
static inline void world_negotiate(world *w) {
  assert_int_equal(floe_uv_pc_set_local_description(w->a.pc, NULL, NULL), FLOE_OK);
  world_run(w, a_is_complete);
  end_tell(&w->a, &w->b);
  assert_int_equal(floe_uv_pc_set_local_description(w->b.pc, NULL, NULL), FLOE_OK);
  world_run(w, b_is_complete);
  end_tell(&w->b, &w->a);
}

static inline bool both_are_open(world *w) {
  return w->a.n_opened > 0 && w->b.n_opened > 0;
}

/* Both connected, with a channel between them. */
static inline void world_connect(world *w, const floe_data_channel_init *init) {
  end_make(&w->a, &w->b, w->uv, NULL);
  end_make(&w->b, &w->a, w->uv, NULL);
  end_channel(&w->a, "channel", init);
  world_negotiate(w);
  world_run(w, both_are_open);
}

static inline void pass_loops(world *w, int n) {
  for (int i = 0; i < n; i++) (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

static inline int world_set_up(void **state) {
  static world w;
  world_init(&w);
  *state = &w;
  return 0;
}

static inline int world_tear_down(void **state) {
  world_clear(*state);
  return 0;
}

#endif
