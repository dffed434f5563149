/* A multiplexer whose agents are only addresses in memory (they are never looked into), and the datagrams of a test. */
#ifndef TESTS_UNIT_ICE_MUX_RIG_H
#define TESTS_UNIT_ICE_MUX_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ice/mux_internal.h"
#include "support/cmocka.h"

typedef struct fixture {
  floe_env *env;
  floe_ice_mux *mux;
  size_t live;      /* blocks */
  uint32_t fail_in; /* so many calls for memory from now one fails; 0 = none */
  uint64_t rng;
  uint8_t buf[600];
} fixture;

static inline void *reallocate(void *user, void *ptr, size_t size) {
  fixture *f = user;
  if (size == 0) {
    if (ptr != NULL) f->live--;
    free(ptr);
    return NULL;
  }
  if (f->fail_in > 0 && --f->fail_in == 0) return NULL;
  if (ptr == NULL) f->live++;
  return realloc(ptr, size);
}

static inline void fill_random(void *user, uint8_t *out, size_t len) {
  fixture *f = user;
  for (size_t i = 0; i < len; i++) {
    f->rng = f->rng * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(f->rng >> 56);
  }
}

static inline void begin_with(fixture *f, const floe_ice_mux_config *cfg) {
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.user = f;
  env.reallocate = reallocate;
  env.random = fill_random;
  assert_int_equal(floe_env_new(&f->env, &env), FLOE_OK);
  assert_int_equal(floe_ice_mux_new(&f->mux, f->env, cfg), FLOE_OK);
}

static inline int setup(void **state) {
  static fixture f;
  memset(&f, 0, sizeof f);
  begin_with(&f, NULL);
  *state = &f;
  return 0;
}

static inline int teardown(void **state) {
  fixture *f = *state;
  floe_ice_mux_free(f->mux);
  floe_env_free(f->env);
  assert_int_equal(f->live, 0);
  return 0;
}

/* Begins anew with limits. */
static inline void limit(fixture *f, uint32_t agents, uint32_t addresses, uint32_t transactions) {
  floe_ice_mux_config cfg;
  floe_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.max_agents = agents;
  cfg.max_addresses = addresses;
  cfg.max_transactions = transactions;
  floe_ice_mux_free(f->mux);
  floe_env_free(f->env);
  begin_with(f, &cfg);
}

#define AGENTS 20000
static max_align_t rig_places[AGENTS];

static inline floe_ice_agent *agent(size_t i) {
  return (floe_ice_agent *)(void *)&rig_places[i];
}

static inline floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

/* The shared sockets. */
#define LOCAL    "198.51.100.1:3478"
#define LOCAL_V6 "[2001:db8:ffff::1]:3478"

/* An agent's names for them, unless the test gives others. */
static inline floe_sock_id name_of(size_t i) {
  return (floe_sock_id)(100 + i);
}
static inline floe_sock_id name_v6_of(size_t i) {
  return (floe_sock_id)(200000 + i);
}

static inline floe_status add(fixture *f, size_t i, const char *ufrag) {
  floe_ice_parameters params = {.ufrag = ufrag, .pwd = "asd88fgpdd777uzjYhagZg"};
  return floe__mux_add(f->mux, agent(i), &params, agent(i));
}

static inline floe_status bind_at(fixture *f, size_t i, floe_sock_id sock, const char *local) {
  floe_addr a = addr(local);
  return floe_ice_mux_bind(f->mux, agent(i), sock, &a);
}

/* With a socket. */
static inline floe_status attach(fixture *f, size_t i, const char *ufrag) {
  floe_status st = add(f, i, ufrag);
  return st == FLOE_OK ? bind_at(f, i, name_of(i), LOCAL) : st;
}

static const floe_bytes hello = {(const uint8_t *)"hello", 5};

/* A message with this transaction, "" for none but zeros, and nothing in it. */
static inline floe_bytes message(fixture *f, floe__stun_class cls, const char *id) {
  uint8_t txn[FLOE__STUN_TXN_ID] = {0};
  memcpy(txn, id, strlen(id));
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, cls, FLOE__STUN_BINDING, txn);
  return floe__stun_end(&b);
}

static inline floe_bytes check(fixture *f, const char *username) {
  const uint8_t txn[FLOE__STUN_TXN_ID] = {1};
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn);
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, username);
  return floe__stun_end(&b);
}

static inline void sends_to(fixture *f, floe_time now, size_t i, floe_sock_id sock, const floe_addr *to,
                            floe_bytes data) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock;
  out.u.transmit.to = *to;
  out.u.transmit.data = data;
  (void)floe_ice_mux_note(f->mux, now, agent(i), &out, NULL);
}

static inline void sends(fixture *f, floe_time now, size_t i, const char *to, floe_bytes data) {
  floe_addr a = addr(to);
  sends_to(f, now, i, name_of(i), &a, data);
}

static inline floe_ice_mux_match route(fixture *f, floe_time now, const char *local, const floe_addr *from,
                                       floe_bytes data) {
  floe_addr at = addr(local);
  floe_ice_mux_match match;
  memset(&match, 0xff, sizeof match);
  bool found = floe_ice_mux_route(f->mux, now, &at, from, data, &match);
  assert_true(found == (match.agent != NULL));
  assert_ptr_equal(match.user, match.agent);
  return match;
}

static inline floe_ice_agent *comes_from(fixture *f, const floe_addr *from, floe_bytes data) {
  return route(f, 0, LOCAL, from, data).agent;
}

static inline floe_ice_agent *comes_at(fixture *f, floe_time now, const char *from, floe_bytes data) {
  floe_addr a = addr(from);
  return route(f, now, LOCAL, &a, data).agent;
}

static inline floe_ice_agent *comes(fixture *f, const char *from, floe_bytes data) {
  return comes_at(f, 0, from, data);
}

/* The name of the socket that it is for. */
static inline floe_sock_id name_at(fixture *f, const char *local, const char *from, floe_bytes data) {
  floe_addr a = addr(from);
  return route(f, 0, local, &a, data).sock;
}

/* The agent sends a check there, and its peer answers. */
static inline void agree(fixture *f, size_t i, const char *at, const char *id) {
  sends(f, 0, i, at, message(f, FLOE__STUN_REQUEST, id));
  assert_ptr_equal(comes(f, at, message(f, FLOE__STUN_SUCCESS, id)), agent(i));
}

static inline void assert_slice(floe_bytes slice, const char *text) {
  assert_int_equal(slice.len, strlen(text));
  if (slice.len > 0) assert_memory_equal(slice.ptr, text, slice.len);
}

#endif
