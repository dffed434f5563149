/* Several threads, each with an env and associations of its own: usrsctp is one for all of them. Each thread's ticks
 * make the timers of the others' associations run, so packets are lost here on purpose. ThreadSanitizer watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka.h needs those before it */
#include <cmocka.h>
#include <pthread.h>

#include "sctp/sctp.h"

#define THREADS  4
#define LIVES    8
#define MESSAGES 200

typedef struct worker {
  pthread_t thread;
  unsigned number;
  const char *failed; /* nullable: what went wrong */
  uint32_t random;
} worker;

typedef struct pair {
  worker *worker;
  floe__sctp *side[2];
  uint32_t received; /* by side 1, in order */
  bool is_wrong;
} pair;

static floe_time now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (floe_time)t.tv_sec * FLOE_SECOND + (floe_time)t.tv_nsec;
}

static uint32_t draw(worker *w) {
  w->random = w->random * 1664525u + 1013904223u;
  return w->random >> 8;
}

static void check(pair *p, const floe__sctp_event *e) {
  uint32_t said[2];
  if (e->data.len < sizeof said) {
    p->is_wrong = true;
    return;
  }
  memcpy(said, e->data.ptr, sizeof said);
  if (said[0] != p->worker->number || said[1] != p->received) p->is_wrong = true;
  p->received++;
}

/* One in 16 packets is lost. */
static bool shuttle(pair *p, int from) {
  floe_bytes packet;
  floe__sctp_event e;
  bool any = false;
  while (floe__sctp_next_packet(p->side[from], &packet)) {
    any = true;
    if (draw(p->worker) % 16 != 0) floe__sctp_on_packet(p->side[!from], packet, now());
  }
  while (floe__sctp_next_event(p->side[!from], &e)) {
    any = true;
    if (e.type == FLOE__SCTP_EVENT_MESSAGE) check(p, &e);
    if (e.type == FLOE__SCTP_EVENT_CLOSED) p->is_wrong = true;
  }
  return any;
}

static void turn(pair *p) {
  bool any = false;
  for (int side = 0; side < 2; side++) {
    if (shuttle(p, side)) any = true;
    if (floe__sctp_deadline(p->side[side]).at <= now()) floe__sctp_on_deadline(p->side[side], now());
  }
  const struct timespec pause = {.tv_nsec = 1000000};
  if (!any) nanosleep(&pause, NULL);
}

static bool send_one(pair *p, uint32_t number) {
  uint8_t data[3000] = {0};
  const uint32_t said[2] = {p->worker->number, number};
  memcpy(data, said, sizeof said);
  floe_bytes b = {.ptr = data, .len = sizeof said + number * 7 % 2900};
  return floe__sctp_send(p->side[0], 1, FLOE__PPID_BINARY, b, NULL, now()) == FLOE_OK;
}

static const char *live(pair *p) {
  floe_time until = now() + 60 * FLOE_SECOND;
  uint32_t sent = 0;
  for (int side = 0; side < 2; side++) floe__sctp_connect(p->side[side], now());
  while (p->received < MESSAGES && !p->is_wrong) {
    bool is_up = floe__sctp_state_of(p->side[0]) == FLOE__SCTP_CONNECTED;
    for (int i = 0; is_up && i < 20 && sent < MESSAGES; i++) {
      if (!send_one(p, sent)) return "a message was not taken";
      sent++;
    }
    turn(p);
    if (now() > until) return "too slow";
  }
  return p->is_wrong ? "a message was not the right one, or the association ended" : NULL;
}

static void *work(void *arg) {
  worker *w = arg;
  const floe__sctp_config cfg = {.streams = 16};
  floe_env *env;
  if (floe_env_new(&env, NULL) != FLOE_OK) {
    w->failed = "no env";
    return NULL;
  }
  for (int i = 0; i < LIVES && w->failed == NULL; i++) {
    pair p = {.worker = w};
    for (int side = 0; side < 2; side++) p.side[side] = floe__sctp_new(env, &cfg, now());
    w->failed = p.side[0] != NULL && p.side[1] != NULL ? live(&p) : "no association";
    floe__sctp_free(p.side[i % 2]);
    floe__sctp_free(p.side[1 - i % 2]);
  }
  floe_env_free(env);
  return NULL;
}

static void threads_do_not_disturb_each_other(void **state) {
  (void)state;
  worker workers[THREADS] = {0};
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i].number = i;
    workers[i].random = 77 + i;
    assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
  for (unsigned i = 0; i < THREADS; i++) {
    if (workers[i].failed != NULL) fail_msg("thread %u: %s", i, workers[i].failed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_do_not_disturb_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
