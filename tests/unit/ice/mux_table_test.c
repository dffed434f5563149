/* mux_table.c: the keyed hash, tables that grow and shrink, lists. */
#include "ice/mux_table.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

typedef struct memory {
  size_t live;    /* blocks */
  size_t largest; /* bytes asked for at once */
  bool fails;
} memory;

static void *reallocate(void *user, void *ptr, size_t size) {
  memory *m = user;
  if (size == 0) {
    if (ptr != NULL) m->live--;
    free(ptr);
    return NULL;
  }
  if (m->fails) return NULL;
  if (ptr == NULL) m->live++;
  if (size > m->largest) m->largest = size;
  return realloc(ptr, size);
}

static floe_env *env_of(memory *m) {
  floe_env_config cfg;
  floe_env *env;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = m;
  cfg.reallocate = reallocate;
  assert_int_equal(floe_env_new(&env, &cfg), FLOE_OK);
  return env;
}

/* --- the hash --------------------------------------------------------------------------------------------------- */

static const floe__mux_key counted = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

static void hash_of_known_inputs(void **state) {
  (void)state;
  /* SipHash-1-3 of 00 01 02 ... under the key 00 01 .. 0f; the values are those of other implementations. */
  uint8_t in[16];
  for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)i;
  assert_int_equal(floe__mux_hash(&counted, in, 0), 0xabac0158050fc4dcu);
  assert_int_equal(floe__mux_hash(&counted, in, 1), 0xc9f49bf37d57ca93u);
  assert_int_equal(floe__mux_hash(&counted, in, 2), 0x82cb9b024dc7d44du);
  assert_int_equal(floe__mux_hash(&counted, in, 8), 0x369095118d299a8eu);
}

static uint64_t libcrypto_hash(const floe__mux_key *key, const uint8_t *in, size_t len) {
  uint8_t bytes[16];
  for (size_t i = 0; i < 16; i++) bytes[i] = (uint8_t)(key->k[i / 8] >> (8 * (i % 8)));
  unsigned c = 1;
  unsigned d = 3;
  size_t size = 8;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_uint("c-rounds", &c), OSSL_PARAM_construct_uint("d-rounds", &d),
                         OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
  uint8_t out[8];
  size_t n = 0;
  EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
  EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
  assert_int_equal(EVP_MAC_init(ctx, bytes, sizeof bytes, params), 1);
  assert_int_equal(EVP_MAC_update(ctx, in, len), 1);
  assert_int_equal(EVP_MAC_final(ctx, out, &n, sizeof out), 1);
  assert_int_equal(n, 8);
  EVP_MAC_CTX_free(ctx);
  EVP_MAC_free(mac);
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; i++) hash |= (uint64_t)out[i] << (8 * i);
  return hash;
}

static void hash_is_that_of_libcrypto(void **state) {
  (void)state;
  const floe__mux_key keys[] = {counted, {{0, 0}}, {{0xffffffffffffffffu, 0x8000000000000001u}}};
  uint8_t in[300];
  for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)(i * 167 + 13);
  for (size_t k = 0; k < 3; k++) {
    for (size_t len = 0; len <= sizeof in; len++) {
      assert_int_equal(floe__mux_hash(&keys[k], in, len), libcrypto_hash(&keys[k], in, len));
    }
  }
}

static void hash_depends_on_the_key(void **state) {
  (void)state;
  const floe__mux_key other = {{0x0706050403020100u, 0x0f0e0d0c0b0a0909u}};
  assert_int_not_equal(floe__mux_hash(&counted, "8hhY", 4), floe__mux_hash(&other, "8hhY", 4));
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

typedef struct item {
  floe__mux_link link;
  uint32_t name;
  bool is_in;
} item;

static bool is_named(const floe__mux_link *link, const void *key) {
  return ((const item *)(const void *)link)->name == *(const uint32_t *)key;
}

static item *find(const floe__mux_table *t, uint64_t hash, uint32_t name) {
  return (item *)(void *)floe__mux_table_find(t, hash, is_named, &name);
}

static uint64_t hash_of(uint32_t name) {
  return floe__mux_hash(&counted, &name, sizeof name);
}

static void empty_table_finds_nothing(void **state) {
  (void)state;
  floe__mux_table t = {0};
  assert_null(find(&t, 0, 0));
}

static void same_hash_different_key(void **state) {
  (void)state;
  memory m = {0};
  floe_env *env = env_of(&m);
  floe__mux_table t = {0};
  item items[40];
  for (uint32_t i = 0; i < 40; i++) {
    items[i] = (item){.link.hash = 7, .name = i};
    assert_true(floe__mux_table_add(&t, env, &items[i].link));
  }
  for (uint32_t i = 0; i < 40; i++) assert_ptr_equal(find(&t, 7, i), &items[i]);
  assert_null(find(&t, 7, 40));
  assert_null(find(&t, 7 + 64, 3));
  for (uint32_t i = 0; i < 40; i += 2) floe__mux_table_remove(&t, env, &items[i].link);
  assert_int_equal(t.n, 20);
  for (uint32_t i = 0; i < 40; i++) assert_ptr_equal(find(&t, 7, i), i % 2 == 0 ? NULL : &items[i]);
  floe__mux_table_clear(&t, env);
  floe_env_free(env);
  assert_int_equal(m.live, 0);
}

static void grows_a_few_buckets_at_a_time(void **state) {
  (void)state;
  memory m = {0};
  floe_env *env = env_of(&m);
  floe__mux_table t = {0};
  item items[40];
  for (uint32_t i = 0; i < 40; i++) items[i] = (item){.link.hash = hash_of(i), .name = i};
  uint32_t n = 0;
  while (n < 16) assert_true(floe__mux_table_add(&t, env, &items[n++].link));
  assert_int_equal(t.n_buckets, 16);
  assert_null(t.old);
  assert_true(floe__mux_table_add(&t, env, &items[n++].link));
  assert_int_equal(t.n_buckets, 32);
  assert_int_equal(t.n_old, 16);
  assert_int_equal(t.moved, 0);
  for (uint32_t i = 0; i < n; i++) assert_ptr_equal(find(&t, hash_of(i), i), &items[i]);
  for (size_t moved = 4; moved <= 12; moved += 4) {
    assert_true(floe__mux_table_add(&t, env, &items[n++].link));
    assert_int_equal(t.moved, moved);
    for (uint32_t i = 0; i < n; i++) assert_ptr_equal(find(&t, hash_of(i), i), &items[i]);
  }
  /* One that is still in the old array can go. */
  floe__mux_table_remove(&t, env, &items[5].link);
  assert_null(t.old);
  assert_null(find(&t, hash_of(5), 5));
  floe__mux_table_clear(&t, env);
  floe_env_free(env);
  assert_int_equal(m.live, 0);
}

static void goes_on_without_memory(void **state) {
  (void)state;
  memory m = {0};
  floe_env *env = env_of(&m);
  floe__mux_table t = {0};
  static item items[1000];
  for (uint32_t i = 0; i < 1000; i++) items[i] = (item){.link.hash = hash_of(i), .name = i};
  m.fails = true;
  assert_false(floe__mux_table_add(&t, env, &items[0].link));
  assert_int_equal(t.n, 0);
  m.fails = false;
  assert_true(floe__mux_table_add(&t, env, &items[0].link));
  m.fails = true;
  for (uint32_t i = 1; i < 1000; i++) assert_true(floe__mux_table_add(&t, env, &items[i].link));
  assert_int_equal(t.n_buckets, 16);
  for (uint32_t i = 0; i < 1000; i++) assert_ptr_equal(find(&t, hash_of(i), i), &items[i]);
  m.fails = false;
  floe__mux_table_remove(&t, env, &items[0].link);
  assert_int_equal(t.n_buckets, 32);
  floe__mux_table_clear(&t, env);
  floe_env_free(env);
  assert_int_equal(m.live, 0);
}

static void shrinks_and_gives_all_back(void **state) {
  (void)state;
  memory m = {0};
  floe_env *env = env_of(&m);
  floe__mux_table t = {0};
  enum { N = 5000 };
  static item items[N];
  for (uint32_t i = 0; i < N; i++) {
    items[i] = (item){.link.hash = hash_of(i), .name = i};
    assert_true(floe__mux_table_add(&t, env, &items[i].link));
  }
  assert_int_equal(t.n_buckets, 8192);
  for (uint32_t i = 0; i < N; i++) {
    if (i == N - 1) assert_int_equal(t.n_buckets, 2048);
    floe__mux_table_remove(&t, env, &items[i].link);
    if (i % 500 == 0) {
      for (uint32_t j = 0; j < N; j++) assert_ptr_equal(find(&t, hash_of(j), j), j <= i ? NULL : &items[j]);
    }
  }
  assert_int_equal(t.n, 0);
  assert_null(t.buckets);
  assert_null(t.old);
  floe_env_free(env);
  assert_int_equal(m.live, 0);
}

/* Members come and go at random beside a plain array. */
static void random_changes(void **state) {
  (void)state;
  memory m = {0};
  floe_env *env = env_of(&m);
  floe__mux_table t = {0};
  enum { N = 3000 };
  static item items[N];
  memset(items, 0, sizeof items);
  uint64_t rng = 20261122;
  size_t n = 0;
  for (uint32_t step = 0; step < 60000; step++) {
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    uint32_t i = (uint32_t)(rng >> 33) % N;
    bool wants_in = (rng >> 20) % 100 < (step / 10000 % 2 == 0 ? 80u : 10u);
    if (wants_in != items[i].is_in) {
      items[i].name = i;
      items[i].link.hash = hash_of(i);
      if (wants_in) assert_true(floe__mux_table_add(&t, env, &items[i].link));
      if (!wants_in) floe__mux_table_remove(&t, env, &items[i].link);
      items[i].is_in = wants_in;
      if (wants_in) n++;
      if (!wants_in) n--;
    }
    assert_int_equal(t.n, n);
    uint32_t j = (uint32_t)(rng >> 5) % N;
    assert_ptr_equal(find(&t, hash_of(j), j), items[j].is_in ? &items[j] : NULL);
  }
  floe__mux_table_clear(&t, env);
  floe_env_free(env);
  assert_int_equal(m.live, 0);
}

/* --- lists ------------------------------------------------------------------------------------------------------ */

static void assert_order(const floe__mux_list *list, const floe__mux_node *nodes, const char *order) {
  const floe__mux_node *node = list->first;
  const floe__mux_node *prev = NULL;
  assert_int_equal(list->n, strlen(order));
  for (const char *c = order; *c != '\0'; c++) {
    assert_ptr_equal(node, &nodes[*c - '0']);
    assert_ptr_equal(node->prev, prev);
    prev = node;
    node = node->next;
  }
  assert_null(node);
  assert_ptr_equal(list->last, prev);
}

static void lists_keep_their_order(void **state) {
  (void)state;
  floe__mux_node nodes[5] = {{0}};
  floe__mux_list list = {0};
  assert_order(&list, nodes, "");
  floe__mux_list_add_first(&list, &nodes[1]);
  floe__mux_list_add_last(&list, &nodes[2]);
  floe__mux_list_add_first(&list, &nodes[0]);
  floe__mux_list_add_last(&list, &nodes[3]);
  assert_order(&list, nodes, "0123");
  floe__mux_list_remove(&list, &nodes[2]);
  assert_order(&list, nodes, "013");
  floe__mux_list_remove(&list, &nodes[0]);
  assert_order(&list, nodes, "13");
  floe__mux_list_remove(&list, &nodes[3]);
  assert_order(&list, nodes, "1");
  floe__mux_list_remove(&list, &nodes[1]);
  assert_order(&list, nodes, "");
  floe__mux_list_add_last(&list, &nodes[4]);
  assert_order(&list, nodes, "4");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hash_of_known_inputs),    cmocka_unit_test(hash_is_that_of_libcrypto),
      cmocka_unit_test(hash_depends_on_the_key), cmocka_unit_test(empty_table_finds_nothing),
      cmocka_unit_test(same_hash_different_key), cmocka_unit_test(grows_a_few_buckets_at_a_time),
      cmocka_unit_test(goes_on_without_memory),  cmocka_unit_test(shrinks_and_gives_all_back),
      cmocka_unit_test(random_changes),          cmocka_unit_test(lists_keep_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
