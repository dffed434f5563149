#include "support/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#define DEFAULT_MAX_STEPS 1000000

typedef struct event {
  floe_time at;
  uint64_t seq;
  sim_fn fn;
  void *user;
  void *payload;
} event;

typedef struct hook {
  void (*fn)(void *user);
  void *user;
} hook;

typedef struct hooks {
  hook *items;
  size_t n;
} hooks;

struct sim {
  floe_time now;
  uint64_t seed;
  sim_rng rng;
  event *heap; /* a binary heap, the earliest first */
  size_t n, cap;
  uint64_t next_seq;
  uint64_t steps, max_steps;
  uint64_t streams;
  hooks on_free, on_dump;
  void (*failure)(void *user, const char *text);
  void *failure_user;
  void *parts[SIM_PART_COUNT];
  void **kept;
  size_t n_kept;
};

void *sim_must(void *ptr) {
  if (ptr == NULL) abort();
  return ptr;
}

sim *sim_new(uint64_t seed) {
  sim *s = sim_must(calloc(1, sizeof *s));
  s->seed = seed;
  s->rng = sim_rng_of(s, 0);
  s->max_steps = DEFAULT_MAX_STEPS;
  return s;
}

void sim_free(sim *s) {
  if (s == NULL) return;
  while (s->on_free.n > 0) {
    hook h = s->on_free.items[--s->on_free.n];
    h.fn(h.user);
  }
  for (size_t i = 0; i < s->n; i++) free(s->heap[i].payload);
  for (size_t i = 0; i < s->n_kept; i++) free(s->kept[i]);
  free(s->on_free.items);
  free(s->on_dump.items);
  free(s->heap);
  free(s->kept);
  free(s);
}

floe_time sim_now(const sim *s) {
  return s->now;
}

uint64_t sim_seed(const sim *s) {
  return s->seed;
}

uint64_t sim_steps(const sim *s) {
  return s->steps;
}

void sim_set_max_steps(sim *s, uint64_t max_steps) {
  s->max_steps = max_steps;
}

/* --- the queue ------------------------------------------------------------------------------------------------- */

static bool is_before(const event *a, const event *b) {
  return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void swap_events(event *a, event *b) {
  event t = *a;
  *a = *b;
  *b = t;
}

static void push_event(sim *s, event e) {
  if (s->n == s->cap) {
    s->cap = s->cap == 0 ? 64 : s->cap * 2;
    s->heap = sim_must(realloc(s->heap, s->cap * sizeof *s->heap));
  }
  size_t i = s->n++;
  s->heap[i] = e;
  while (i > 0 && is_before(&s->heap[i], &s->heap[(i - 1) / 2])) {
    swap_events(&s->heap[i], &s->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
}

static event pop_event(sim *s) {
  event first = s->heap[0];
  s->heap[0] = s->heap[--s->n];
  size_t i = 0;
  for (;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->n; child++) {
      if (is_before(&s->heap[child], &s->heap[least])) least = child;
    }
    if (least == i) return first;
    swap_events(&s->heap[i], &s->heap[least]);
    i = least;
  }
}

void sim_at(sim *s, floe_time at, sim_fn fn, void *user, void *payload) {
  push_event(
      s, (event){.at = at < s->now ? s->now : at, .seq = s->next_seq++, .fn = fn, .user = user, .payload = payload});
}

void sim_after(sim *s, floe_time delay, sim_fn fn, void *user, void *payload) {
  sim_at(s, s->now + delay, fn, user, payload);
}

static void run_event(sim *s) {
  event e = pop_event(s);
  s->now = e.at;
  s->steps++;
  e.fn(e.user, e.payload);
  free(e.payload);
}

bool sim_run_until(sim *s, floe_time limit, bool (*pred)(void *user), void *user) {
  if (pred != NULL && pred(user)) return true;
  while (s->n > 0 && s->heap[0].at <= limit) {
    if (s->steps >= s->max_steps) {
      sim_fail(s, "more than %llu events: something spins", (unsigned long long)s->max_steps);
      return false;
    }
    run_event(s);
    if (pred != NULL && pred(user)) return true;
  }
  if (limit != FLOE_TIME_NEVER && limit > s->now) s->now = limit;
  return false;
}

void sim_run_for(sim *s, uint64_t ms) {
  (void)sim_run_until(s, s->now + ms * FLOE_MS, NULL, NULL);
}

/* --- randomness: splitmix64, which needs no state but a counter ----------------------------------------------------
 */

static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

sim_rng sim_rng_of(const sim *s, uint64_t stream) {
  return (sim_rng){.state = mix(s->seed + 0x9E3779B97F4A7C15u) ^ mix(stream)};
}

uint64_t sim_rng_next(sim_rng *rng) {
  rng->state += 0x9E3779B97F4A7C15u;
  return mix(rng->state);
}

uint64_t sim_next_stream(sim *s) {
  return ++s->streams;
}

uint64_t sim_random(sim *s) {
  return sim_rng_next(&s->rng);
}

uint32_t sim_random_below(sim *s, uint32_t below) {
  return (uint32_t)(sim_random(s) >> 32) % below;
}

bool sim_chance(sim *s, uint32_t permille) {
  return permille > 0 && sim_random_below(s, 1000) < permille;
}

/* --- failing --------------------------------------------------------------------------------------------------- */

static void add_hook(hooks *list, void (*fn)(void *user), void *user) {
  list->items = sim_must(realloc(list->items, (list->n + 1) * sizeof *list->items));
  list->items[list->n++] = (hook){fn, user};
}

void sim_on_free(sim *s, void (*fn)(void *user), void *user) {
  add_hook(&s->on_free, fn, user);
}

void sim_on_dump(sim *s, void (*fn)(void *user), void *user) {
  add_hook(&s->on_dump, fn, user);
}

void sim_on_failure(sim *s, void (*fn)(void *user, const char *text), void *user) {
  s->failure = fn;
  s->failure_user = user;
}

void sim_fail(sim *s, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (s->failure != NULL) {
    s->failure(s->failure_user, text);
    return;
  }
  for (size_t i = 0; i < s->on_dump.n; i++) s->on_dump.items[i].fn(s->on_dump.items[i].user);
  print_error("at %.3f ms, seed %llu: %s\n", (double)s->now / (double)FLOE_MS, (unsigned long long)s->seed, text);
  _fail(__FILE__, __LINE__);
}

/* --- memory of the simulation ----------------------------------------------------------------------------------- */

void *sim_keep(sim *s, size_t size) {
  s->kept = sim_must(realloc(s->kept, (s->n_kept + 1) * sizeof *s->kept));
  s->kept[s->n_kept] = sim_must(calloc(1, size));
  return s->kept[s->n_kept++];
}

void *sim_part_of(sim *s, sim_part part, size_t size) {
  if (s->parts[part] == NULL) s->parts[part] = sim_keep(s, size);
  return s->parts[part];
}
