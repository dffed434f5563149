#include "ice/mux_table.h"

#include "base/assert.h"

/* --- SipHash-1-3 (Aumasson, Bernstein): one round per eight bytes, three at the end ----------------------------- */

typedef struct sip {
  uint64_t v0, v1, v2, v3;
} sip;

static inline uint64_t rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

static inline void round_of(sip *s) {
  s->v0 += s->v1;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v0 = rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static inline uint64_t word_of(const uint8_t *p, size_t len) {
  uint64_t word = 0;
  for (size_t i = 0; i < len; i++) word |= (uint64_t)p[i] << (8 * i);
  return word;
}

static inline void take_word(sip *s, uint64_t word) {
  s->v3 ^= word;
  round_of(s);
  s->v0 ^= word;
}

uint64_t floe__mux_hash(const floe__mux_key *key, const void *bytes, size_t len) {
  sip s = {.v0 = key->k[0] ^ 0x736f6d6570736575u,
           .v1 = key->k[1] ^ 0x646f72616e646f6du,
           .v2 = key->k[0] ^ 0x6c7967656e657261u,
           .v3 = key->k[1] ^ 0x7465646279746573u};
  const uint8_t *p = bytes;
  size_t left = len;
  for (; left >= 8; left -= 8, p += 8) take_word(&s, word_of(p, 8));
  take_word(&s, word_of(p, left) | (uint64_t)len << 56);
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; i++) round_of(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

#define MIN_BUCKETS ((size_t)16)
/* Buckets moved per change. A table is doubled when there are as many members as buckets, so that all are moved long
 * before it is full again. */
#define MOVED_AT_ONCE 4

static inline floe__mux_link **bucket_of(floe__mux_link **buckets, size_t n_buckets, uint64_t hash) {
  return &buckets[hash & (n_buckets - 1)];
}

static void move_some(floe__mux_table *t, floe_env *env) {
  for (int i = 0; i < MOVED_AT_ONCE && t->moved < t->n_old; i++) {
    floe__mux_link *link = t->old[t->moved];
    t->old[t->moved++] = NULL;
    while (link != NULL) {
      floe__mux_link *next = link->next;
      floe__mux_link **bucket = bucket_of(t->buckets, t->n_buckets, link->hash);
      link->next = *bucket;
      *bucket = link;
      link = next;
    }
  }
  if (t->old == NULL || t->moved < t->n_old) return;
  floe__free(env, t->old);
  t->old = NULL;
  t->n_old = t->moved = 0;
}

/* False: no memory, and nothing has changed. */
static bool resize(floe__mux_table *t, floe_env *env, size_t n_buckets) {
  floe__mux_link **buckets = floe__zalloc(env, n_buckets * sizeof(floe__mux_link *));
  if (buckets == NULL) return false;
  t->old = t->buckets;
  t->n_old = t->n_buckets;
  t->moved = 0;
  t->buckets = buckets;
  t->n_buckets = n_buckets;
  return true;
}

static void fit(floe__mux_table *t, floe_env *env) {
  if (t->old != NULL) {
    move_some(t, env);
  } else if (t->n > t->n_buckets && t->n_buckets <= SIZE_MAX / (4 * sizeof(floe__mux_link *))) {
    (void)resize(t, env, t->n_buckets * 2);
  } else if (t->n < t->n_buckets / 8 && t->n_buckets > MIN_BUCKETS) {
    (void)resize(t, env, t->n_buckets / 4 < MIN_BUCKETS ? MIN_BUCKETS : t->n_buckets / 4);
  }
}

bool floe__mux_table_add(floe__mux_table *t, floe_env *env, floe__mux_link *link) {
  if (t->buckets == NULL && !resize(t, env, MIN_BUCKETS)) return false;
  floe__mux_link **bucket = bucket_of(t->buckets, t->n_buckets, link->hash);
  link->next = *bucket;
  *bucket = link;
  t->n++;
  fit(t, env);
  return true;
}

static bool unlink_from(floe__mux_link **at, const floe__mux_link *link) {
  while (*at != NULL && *at != link) at = &(*at)->next;
  if (*at == NULL) return false;
  *at = link->next;
  return true;
}

void floe__mux_table_remove(floe__mux_table *t, floe_env *env, floe__mux_link *link) {
  if (!unlink_from(bucket_of(t->buckets, t->n_buckets, link->hash), link)) {
    FLOE__ASSERT(t->old != NULL && unlink_from(bucket_of(t->old, t->n_old, link->hash), link));
  }
  t->n--;
  if (t->n == 0) {
    floe__mux_table_clear(t, env);
  } else {
    fit(t, env);
  }
}

floe__mux_link *floe__mux_table_find(const floe__mux_table *t, uint64_t hash,
                                     bool (*is)(const floe__mux_link *link, const void *key), const void *key) {
  if (t->buckets == NULL) return NULL;
  floe__mux_link *link = *bucket_of(t->buckets, t->n_buckets, hash);
  for (; link != NULL; link = link->next) {
    if (link->hash == hash && is(link, key)) return link;
  }
  if (t->old == NULL) return NULL;
  for (link = *bucket_of(t->old, t->n_old, hash); link != NULL; link = link->next) {
    if (link->hash == hash && is(link, key)) return link;
  }
  return NULL;
}

void floe__mux_table_clear(floe__mux_table *t, floe_env *env) {
  floe__free(env, t->buckets);
  floe__free(env, t->old);
  *t = (floe__mux_table){0};
}

/* --- lists ------------------------------------------------------------------------------------------------------ */

void floe__mux_list_add_first(floe__mux_list *list, floe__mux_node *node) {
  node->prev = NULL;
  node->next = list->first;
  if (list->first != NULL) {
    list->first->prev = node;
  } else {
    list->last = node;
  }
  list->first = node;
  list->n++;
}

void floe__mux_list_add_last(floe__mux_list *list, floe__mux_node *node) {
  node->prev = list->last;
  node->next = NULL;
  if (list->last != NULL) {
    list->last->next = node;
  } else {
    list->first = node;
  }
  list->last = node;
  list->n++;
}

void floe__mux_list_remove(floe__mux_list *list, floe__mux_node *node) {
  if (node->prev != NULL) {
    node->prev->next = node->next;
  } else {
    list->first = node->next;
  }
  if (node->next != NULL) {
    node->next->prev = node->prev;
  } else {
    list->last = node->prev;
  }
  list->n--;
}
