/* mux.c, mux_binding.c, mux_transaction.c, mux_address.c, mux_route.c: which agent a datagram belongs to. The agents
 * are never looked into: any distinct addresses will do. */
#include "floe/mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ice/mux_internal.h"
#include "stun/integrity.h"
#include "support/cmocka.h"

/* --- a multiplexer, agents, datagrams --------------------------------------------------------------------------- */

typedef struct fixture {
  floe_env *env;
  floe_ice_mux *mux;
  size_t live;      /* blocks */
  uint32_t fail_in; /* so many calls for memory from now one fails; 0 = none */
  uint64_t rng;
  uint8_t buf[600];
} fixture;

static void *reallocate(void *user, void *ptr, size_t size) {
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

static void fill_random(void *user, uint8_t *out, size_t len) {
  fixture *f = user;
  for (size_t i = 0; i < len; i++) {
    f->rng = f->rng * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(f->rng >> 56);
  }
}

static void begin_with(fixture *f, const floe_ice_mux_config *cfg) {
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.user = f;
  env.reallocate = reallocate;
  env.random = fill_random;
  assert_int_equal(floe_env_new(&f->env, &env), FLOE_OK);
  assert_int_equal(floe_ice_mux_new(&f->mux, f->env, cfg), FLOE_OK);
}

static int setup(void **state) {
  static fixture f;
  memset(&f, 0, sizeof f);
  begin_with(&f, NULL);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  floe_ice_mux_free(f->mux);
  floe_env_free(f->env);
  assert_int_equal(f->live, 0);
  return 0;
}

/* Begins anew with limits. */
static void limit(fixture *f, uint32_t agents, uint32_t addresses, uint32_t transactions) {
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
static max_align_t places[AGENTS];

static floe_ice_agent *agent(size_t i) {
  return (floe_ice_agent *)(void *)&places[i];
}

static floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

/* The shared sockets. */
#define LOCAL    "198.51.100.1:3478"
#define LOCAL_V6 "[2001:db8:ffff::1]:3478"

/* An agent's names for them, unless the test gives others. */
static floe_sock_id name_of(size_t i) {
  return (floe_sock_id)(100 + i);
}
static floe_sock_id name_v6_of(size_t i) {
  return (floe_sock_id)(200000 + i);
}

static floe_status add(fixture *f, size_t i, const char *ufrag) {
  floe_ice_parameters params = {.ufrag = ufrag, .pwd = "asd88fgpdd777uzjYhagZg"};
  return floe__mux_add(f->mux, agent(i), &params, agent(i));
}

static floe_status bind_at(fixture *f, size_t i, floe_sock_id sock, const char *local) {
  floe_addr a = addr(local);
  return floe_ice_mux_bind(f->mux, agent(i), sock, &a);
}

/* With a socket. */
static floe_status attach(fixture *f, size_t i, const char *ufrag) {
  floe_status st = add(f, i, ufrag);
  return st == FLOE_OK ? bind_at(f, i, name_of(i), LOCAL) : st;
}

static const floe_bytes hello = {(const uint8_t *)"hello", 5};

/* A message with this transaction, "" for none but zeros, and nothing in it. */
static floe_bytes message(fixture *f, floe__stun_class cls, const char *id) {
  uint8_t txn[FLOE__STUN_TXN_ID] = {0};
  memcpy(txn, id, strlen(id));
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, cls, FLOE__STUN_BINDING, txn);
  return floe__stun_end(&b);
}

static floe_bytes check(fixture *f, const char *username) {
  const uint8_t txn[FLOE__STUN_TXN_ID] = {1};
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, txn);
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, username);
  return floe__stun_end(&b);
}

static void sends_to(fixture *f, floe_time now, size_t i, floe_sock_id sock, const floe_addr *to, floe_bytes data) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock;
  out.u.transmit.to = *to;
  out.u.transmit.data = data;
  (void)floe_ice_mux_note(f->mux, now, agent(i), &out, NULL);
}

static void sends(fixture *f, floe_time now, size_t i, const char *to, floe_bytes data) {
  floe_addr a = addr(to);
  sends_to(f, now, i, name_of(i), &a, data);
}

static floe_ice_mux_match route(fixture *f, floe_time now, const char *local, const floe_addr *from, floe_bytes data) {
  floe_addr at = addr(local);
  floe_ice_mux_match match;
  memset(&match, 0xff, sizeof match);
  bool found = floe_ice_mux_route(f->mux, now, &at, from, data, &match);
  assert_true(found == (match.agent != NULL));
  assert_ptr_equal(match.user, match.agent);
  return match;
}

static floe_ice_agent *comes_from(fixture *f, const floe_addr *from, floe_bytes data) {
  return route(f, 0, LOCAL, from, data).agent;
}

static floe_ice_agent *comes_at(fixture *f, floe_time now, const char *from, floe_bytes data) {
  floe_addr a = addr(from);
  return route(f, now, LOCAL, &a, data).agent;
}

static floe_ice_agent *comes(fixture *f, const char *from, floe_bytes data) {
  return comes_at(f, 0, from, data);
}

/* The name of the socket that it is for. */
static floe_sock_id name_at(fixture *f, const char *local, const char *from, floe_bytes data) {
  floe_addr a = addr(from);
  return route(f, 0, local, &a, data).sock;
}

/* The agent sends a check there, and its peer answers. */
static void agree(fixture *f, size_t i, const char *at, const char *id) {
  sends(f, 0, i, at, message(f, FLOE__STUN_REQUEST, id));
  assert_ptr_equal(comes(f, at, message(f, FLOE__STUN_SUCCESS, id)), agent(i));
}

static void assert_slice(floe_bytes slice, const char *text) {
  assert_int_equal(slice.len, strlen(text));
  if (slice.len > 0) assert_memory_equal(slice.ptr, text, slice.len);
}

/* --- making one ------------------------------------------------------------------------------------------------- */

static void configuration(void **state) {
  fixture *f = *state;
  floe_ice_mux_config cfg;
  floe_ice_mux *mux;
  floe_ice_mux_config_init(&cfg, sizeof cfg);
  assert_int_equal(cfg.size, sizeof cfg);
  cfg.size = 2;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, &cfg), FLOE_E_TYPE);
  assert_null(mux);
  cfg.size = 8; /* an older program */
  cfg.max_agents = 3;
  cfg.max_addresses = 99;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, &cfg), FLOE_OK);
  assert_int_equal(mux->cfg.max_agents, 3);
  assert_int_equal(mux->cfg.max_addresses, 64);
  assert_int_equal(mux->cfg.max_transactions, 256);
  floe_ice_mux_free(mux);
  floe_ice_mux_free(NULL);
  assert_int_equal(f->mux->cfg.max_agents, 1000000);
}

static void an_empty_one_finds_nobody(void **state) {
  fixture *f = *state;
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", check(f, "8hhY:9uB6")));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "one")));
  assert_null(comes(f, "192.0.2.1:1000", (floe_bytes){0}));
  sends(f, 0, 0, "192.0.2.1:1000", hello); /* of an agent that is not there */
  sends(f, 0, 0, "192.0.2.1:1000", message(f, FLOE__STUN_REQUEST, "one"));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "one")));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(floe_ice_mux_agents(f->mux), 0);
}

static void a_pointer_of_the_program(void **state) {
  fixture *f = *state;
  floe_ice_parameters params = {.ufrag = "8hhY", .pwd = "asd88fgpdd777uzjYhagZg"};
  floe_addr local = addr(LOCAL);
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match match;
  int mine;
  int other;
  assert_int_equal(floe__mux_add(f->mux, agent(0), &params, &mine), FLOE_OK);
  assert_true(floe_ice_mux_route(f->mux, 0, &local, &from, check(f, "8hhY:h6vY"), &match));
  assert_ptr_equal(match.user, &mine);
  assert_int_equal(floe__mux_add(f->mux, agent(0), &params, &other), FLOE_OK);
  assert_true(floe_ice_mux_route(f->mux, 0, &local, &from, check(f, "8hhY:h6vY"), &match));
  assert_ptr_equal(match.user, &other);
}

/* --- checks ----------------------------------------------------------------------------------------------------- */

static void a_check_finds_its_agent_by_ufrag(void **state) {
  fixture *f = *state;
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match request;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_int_equal(floe_ice_mux_agents(f->mux), 2);
  request = route(f, 0, LOCAL, &from, check(f, "evtj:h6vY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "evtj");
  assert_slice(request.remote_ufrag, "h6vY");
  assert_true(request.local_ufrag.ptr > f->buf && request.local_ufrag.ptr < f->buf + sizeof f->buf);
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:h6vY"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.local_ufrag, "8hhY");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.remote_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY:a:b"));
  assert_ptr_equal(request.agent, agent(0));
  assert_slice(request.remote_ufrag, "a:b");
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "evtj:h6vY")), agent(1)); /* nobody asks for the parts */
}

static void a_check_for_a_ufrag_that_is_not_known(void **state) {
  fixture *f = *state;
  static const char *const names[] = {"zzzz:h6vY", "8hhYY:h6vY", "8hh:h6vY", "8HHY:h6vY", "h6vY:8hhY"};
  static const char *const locals[] = {"zzzz", "8hhYY", "8hh", "8HHY", "h6vY"};
  floe_addr from = addr("192.0.2.1:1000");
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "one"); /* even from an address that is known */
  for (size_t i = 0; i < 5; i++) {
    floe_ice_mux_match request;
    request = route(f, 0, LOCAL, &from, check(f, names[i]));
    assert_null(request.agent);
    assert_slice(request.local_ufrag, locals[i]);
  }
}

static void a_request_that_is_no_check_goes_by_address(void **state) {
  fixture *f = *state;
  floe_addr from = addr("192.0.2.1:1000");
  floe_ice_mux_match request;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 1, "192.0.2.1:1000", "one");
  request = route(f, 0, LOCAL, &from, check(f, "8hhY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  assert_slice(request.remote_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, ":8hhY"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  request = route(f, 0, LOCAL, &from, check(f, ""));
  assert_ptr_equal(request.agent, agent(1));
  request = route(f, 0, LOCAL, &from, message(f, FLOE__STUN_REQUEST, "x"));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  /* Another method, with a user name that would fit. */
  floe__stun_builder b;
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE, (const uint8_t *)"twelve bytes");
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "8hhY:evtj");
  request = route(f, 0, LOCAL, &from, floe__stun_end(&b));
  assert_ptr_equal(request.agent, agent(1));
  assert_slice(request.local_ufrag, "");
  /* An indication (RFC 8445 11: keepalive). */
  assert_ptr_equal(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_INDICATION, "x")), agent(1));
  assert_null(comes(f, "192.0.2.1:1001", message(f, FLOE__STUN_INDICATION, "x")));
}

static void a_check_that_is_cut_short(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  floe_bytes whole = check(f, "8hhY:h6vY");
  for (size_t len = 0; len < whole.len; len++) {
    assert_null(comes(f, "192.0.2.1:1000", (floe_bytes){.ptr = whole.ptr, .len = len}));
  }
  /* An attribute that reaches past the end, after the user name: it is for the agent to refuse. */
  memcpy(f->buf + whole.len, "\x80\x22\x00\x40", 4);
  f->buf[3] = (uint8_t)(f->buf[3] + 4);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", (floe_bytes){.ptr = f->buf, .len = whole.len + 4}), agent(0));
}

static void is_signed(void **state) {
  fixture *f = *state;
  floe__stun_key key;
  floe__stun_builder b;
  floe__stun_key_init(&key, "asd88fgpdd777uzjYhagZg", 22);
  floe__stun_begin(&b, f->buf, sizeof f->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, (const uint8_t *)"twelve bytes");
  floe__stun_put_text(&b, FLOE__STUN_USERNAME, "8hhY:evtj");
  floe__stun_put_integrity(&b, &key);
  floe__stun_put_fingerprint(&b);
  floe_bytes data = floe__stun_end(&b);
  assert_true(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZh"));
  assert_false(floe_ice_mux_check_is_signed(data, ""));
  f->buf[25]++;
  assert_false(floe_ice_mux_check_is_signed(data, "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(check(f, "8hhY:evtj"), "asd88fgpdd777uzjYhagZg"));
  assert_false(floe_ice_mux_check_is_signed(hello, "asd88fgpdd777uzjYhagZg"));
}

/* --- attaching -------------------------------------------------------------------------------------------------- */

static void two_sessions_of_one_agent(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "old0"), FLOE_OK);
  assert_int_equal(attach(f, 0, "new0"), FLOE_OK);
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "old0:peer")), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "new0:peer")), agent(0));
}

static void the_last_eight_sessions_are_kept(void **state) {
  fixture *f = *state;
  static const char *const names[] = {"s000:p", "s001:p", "s002:p", "s003:p", "s004:p",
                                      "s005:p", "s006:p", "s007:p", "s008:p", "s009:p"};
  for (size_t i = 0; i < 10; i++) {
    char ufrag[5] = {0};
    memcpy(ufrag, names[i], 4);
    assert_int_equal(attach(f, 0, ufrag), FLOE_OK);
  }
  assert_null(comes(f, "192.0.2.1:1000", check(f, names[0])));
  assert_null(comes(f, "192.0.2.1:1000", check(f, names[1])));
  for (size_t i = 2; i < 10; i++) assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, names[i])), agent(0));
  assert_int_equal(attach(f, 1, "s000"), FLOE_OK); /* free again */
}

static void a_ufrag_belongs_to_one_agent(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_E_STATE);
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "8hhY:peer")), agent(0));
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_E_STATE);
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(attach(f, 1, "8hhY"), FLOE_OK);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", check(f, "8hhY:peer")), agent(1));
}

static void no_more_agents_than_allowed(void **state) {
  fixture *f = *state;
  limit(f, 2, 0, 0);
  assert_int_equal(attach(f, 0, "aaaa"), FLOE_OK);
  assert_int_equal(attach(f, 1, "bbbb"), FLOE_OK);
  assert_int_equal(attach(f, 2, "cccc"), FLOE_E_TOO_LARGE);
  assert_null(comes(f, "192.0.2.1:1000", check(f, "cccc:peer")));
  assert_int_equal(attach(f, 0, "dddd"), FLOE_OK); /* a restart is no new agent */
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(attach(f, 2, "cccc"), FLOE_OK);
}

static void detaching_forgets_all(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "old0"), FLOE_OK);
  assert_int_equal(attach(f, 0, "new0"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "one");
  agree(f, 1, "192.0.2.1:2000", "two");
  sends(f, 0, 0, "192.0.2.1:1000", message(f, FLOE__STUN_REQUEST, "three"));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_int_equal(floe_ice_mux_agents(f->mux), 1);
  assert_null(comes(f, "192.0.2.1:1000", check(f, "old0:peer")));
  assert_null(comes(f, "192.0.2.1:1000", check(f, "new0:peer")));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  assert_null(comes(f, "192.0.2.1:1000", message(f, FLOE__STUN_SUCCESS, "three")));
  assert_ptr_equal(comes(f, "192.0.2.1:2000", hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(0));
  floe_ice_mux_detach(f->mux, agent(1));
  /* Nothing is left but the multiplexer and its env. */
  assert_int_equal(f->live, 2);
}

/* --- names of sockets ------------------------------------------------------------------------------------------- */

static void an_agent_has_a_name_for_each_socket(void **state) {
  fixture *f = *state;
  const char *from = "192.0.2.1:1000";
  assert_int_equal(bind_at(f, 0, 7, LOCAL), FLOE_E_NOT_FOUND);
  assert_int_equal(add(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(add(f, 1, "evtj"), FLOE_OK);
  /* It has no name yet. */
  floe_addr a = addr(from);
  floe_ice_mux_match match = route(f, 0, LOCAL, &a, check(f, "8hhY:peer"));
  assert_ptr_equal(match.agent, agent(0));
  assert_int_equal(match.sock, 0);
  assert_int_equal(bind_at(f, 0, 7, LOCAL), FLOE_OK);
  assert_int_equal(bind_at(f, 0, 8, LOCAL_V6), FLOE_OK);
  assert_int_equal(bind_at(f, 1, 7, LOCAL_V6), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 7);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 8);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "evtj:peer")), 0);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "evtj:peer")), 7);
  assert_int_equal(name_at(f, "198.51.100.1:3479", from, check(f, "8hhY:peer")), 0);
  floe_ice_mux_unbind(f->mux, agent(0), 7);
  floe_ice_mux_unbind(f->mux, agent(0), 7);
  floe_ice_mux_unbind(f->mux, agent(5), 7);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 0);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 8);
  /* Bound again, elsewhere. */
  assert_int_equal(bind_at(f, 0, 8, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "8hhY:peer")), 8);
  assert_int_equal(name_at(f, LOCAL_V6, from, check(f, "8hhY:peer")), 0);
}

static void what_is_sent_on_a_socket_that_is_not_shared(void **state) {
  fixture *f = *state;
  floe_addr local;
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = 9;
  out.u.transmit.to = addr("192.0.2.1:1000");
  out.u.transmit.data = hello;
  assert_false(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_false(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  assert_null(comes(f, "192.0.2.1:1000", hello));
  out.u.transmit.sock = name_of(0);
  assert_true(floe_ice_mux_note(f->mux, 0, agent(0), &out, &local));
  floe_addr expected = addr(LOCAL);
  assert_true(floe_addr_equal(&local, &expected));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", hello), agent(0));
}

/* Two agents that talk to one address from two sockets. */
static void sockets_keep_peers_apart(void **state) {
  fixture *f = *state;
  floe_addr peer = addr("192.0.2.1:1000");
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(attach(f, i, i == 0 ? "8hhY" : "evtj"), FLOE_OK);
    assert_int_equal(bind_at(f, i, name_v6_of(i), LOCAL_V6), FLOE_OK);
  }
  sends_to(f, 0, 0, name_of(0), &peer, hello);
  sends_to(f, 0, 1, name_v6_of(1), &peer, hello);
  floe_ice_mux_match match = route(f, 0, LOCAL, &peer, hello);
  assert_ptr_equal(match.agent, agent(0));
  assert_int_equal(match.sock, name_of(0));
  match = route(f, 0, LOCAL_V6, &peer, hello);
  assert_ptr_equal(match.agent, agent(1));
  assert_int_equal(match.sock, name_v6_of(1));
}

static void each_session_has_its_own_names(void **state) {
  fixture *f = *state;
  const char *from = "192.0.2.1:1000";
  floe_addr peer = addr(from);
  assert_int_equal(add(f, 0, "old0"), FLOE_OK);
  assert_int_equal(bind_at(f, 0, 1, LOCAL), FLOE_OK);
  sends_to(f, 0, 0, 1, &peer, message(f, FLOE__STUN_REQUEST, "zero"));
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "zero")), 1);
  sends_to(f, 0, 0, 1, &peer, hello);
  /* A restart: until the new session has its socket, the old one's must do. */
  assert_int_equal(add(f, 0, "new0"), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "new0:peer")), 1);
  assert_int_equal(bind_at(f, 0, 2, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "old0:peer")), 1);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "new0:peer")), 2);
  /* Answers go to whose request it was; data goes on to the old session until the new one has proved itself. */
  sends_to(f, 0, 0, 2, &peer, message(f, FLOE__STUN_REQUEST, "two"));
  sends_to(f, 0, 0, 1, &peer, message(f, FLOE__STUN_REQUEST, "one"));
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "one")), 1);
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "two")), 2);
  assert_int_equal(name_at(f, LOCAL, from, hello), 2);
  sends_to(f, 0, 0, 1, &peer, hello);
  assert_int_equal(name_at(f, LOCAL, from, hello), 1);
  /* The old session ends. */
  floe_ice_mux_unbind(f->mux, agent(0), 1);
  assert_int_equal(name_at(f, LOCAL, from, hello), 2);
  /* Of several the newest stands in for one that is gone. */
  assert_int_equal(bind_at(f, 0, 3, LOCAL), FLOE_OK);
  assert_int_equal(name_at(f, LOCAL, from, hello), 3);
  assert_int_equal(name_at(f, LOCAL, from, check(f, "old0:peer")), 3);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "one")), 3);
  assert_int_equal(name_at(f, LOCAL, from, message(f, FLOE__STUN_SUCCESS, "two")), 2);
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void an_answer_finds_who_asked(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  /* Both ask the same server. */
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_ERROR, "zero")), agent(0));
  /* The answer to another transmission, from wherever. */
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.7:3478", message(f, FLOE__STUN_ERROR, "one")), agent(1));
}

static void an_answer_to_nothing_goes_by_address(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_null(comes(f, "192.0.2.8:3478", message(f, FLOE__STUN_SUCCESS, "two")));
}

static void requests_are_forgotten_in_time(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  const char *elsewhere = "192.0.2.8:3478"; /* where nothing goes by address */
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 30 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  sends(f, 60 * FLOE_SECOND - 1, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  sends(f, 60 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "zero")); /* sent again: its time runs anew */
  sends(f, 90 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "three"));
  assert_null(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "one")));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "three")), agent(0));
}

static void answered_requests_are_forgotten_sooner(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  assert_ptr_equal(comes_at(f, FLOE_SECOND, at, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_ptr_equal(comes_at(f, 9 * FLOE_SECOND, at, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  sends(f, 11 * FLOE_SECOND - 1, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  assert_int_equal(f->mux->transactions.n, 2);
  sends(f, 11 * FLOE_SECOND, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_int_equal(f->mux->transactions.n, 2);
  assert_null(comes(f, "192.0.2.8:3478", message(f, FLOE__STUN_SUCCESS, "zero")));
}

static void the_oldest_request_gives_way(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.9:3478";
  const char *elsewhere = "192.0.2.8:3478";
  limit(f, 0, 0, 2);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 1, at, message(f, FLOE__STUN_REQUEST, "other"));
  sends(f, 1, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 2, 0, at, message(f, FLOE__STUN_REQUEST, "one"));
  sends(f, 3, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 4, 0, at, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "zero")), agent(0));
  assert_null(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "one")));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, elsewhere, message(f, FLOE__STUN_SUCCESS, "other")), agent(1));
}

static void one_transaction_id_of_two_agents(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 0, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "same"));
  sends(f, 0, 1, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "same"));
  assert_ptr_equal(comes(f, "192.0.2.9:3478", message(f, FLOE__STUN_SUCCESS, "same")), agent(1));
  assert_int_equal(f->mux->transactions.n, 1);
}

/* --- addresses -------------------------------------------------------------------------------------------------- */

static void data_goes_by_address(void **state) {
  fixture *f = *state;
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, "192.0.2.1:1000", "zero");
  agree(f, 1, "192.0.2.1:1001", "one");
  sends(f, 0, 0, "[2001:db8::1]:1000", hello); /* families do not matter here */
  sends(f, 0, 1, "[2001:db8::1]:1001", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1000", hello), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:1001", hello), agent(1));
  assert_ptr_equal(comes(f, "[2001:db8::1]:1000", hello), agent(0));
  assert_ptr_equal(comes(f, "[2001:db8::1]:1001", hello), agent(1));
  assert_null(comes(f, "192.0.2.1:1002", hello));
  assert_null(comes(f, "192.0.2.2:1000", hello));
  assert_null(comes(f, "[2001:db8::2]:1000", hello));
  assert_ptr_equal(comes(f, "192.0.2.1:1000", (floe_bytes){0}), agent(0));
  /* The bytes beyond an IPv4 address mean nothing; the scope of a link-local one does. */
  floe_addr v4 = addr("192.0.2.1:1000");
  v4.ip[9] = 7;
  assert_ptr_equal(comes_from(f, &v4, hello), agent(0));
  floe_addr v6 = addr("[fe80::1]:1000");
  v6.scope_id = 2;
  sends_to(f, 0, 1, name_of(1), &v6, hello);
  assert_ptr_equal(comes_from(f, &v6, hello), agent(1));
  v6.scope_id = 3;
  assert_null(comes_from(f, &v6, hello));
}

static void the_first_to_send_has_an_address_that_is_nobodys(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.1:1000";
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  assert_ptr_equal(comes(f, at, check(f, "evtj:peer")), agent(1));
  assert_null(comes(f, at, hello)); /* a check by itself leads nowhere */
  sends(f, 0, 0, at, message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, at, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, at, hello), agent(0));
}

static void the_oldest_address_gives_way(void **state) {
  fixture *f = *state;
  limit(f, 0, 2, 0);
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  sends(f, 0, 1, "192.0.2.1:9", hello);
  sends(f, 0, 0, "192.0.2.1:1", hello);
  sends(f, 0, 0, "192.0.2.1:2", hello);
  sends(f, 0, 0, "192.0.2.1:1", hello); /* used again */
  sends(f, 0, 0, "192.0.2.1:3", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1", hello), agent(0));
  assert_null(comes(f, "192.0.2.1:2", hello));
  assert_ptr_equal(comes(f, "192.0.2.1:3", hello), agent(0));
  assert_ptr_equal(comes(f, "192.0.2.1:9", hello), agent(1));
}

static void an_address_goes_back_when_its_agent_leaves(void **state) {
  fixture *f = *state;
  const char *at = "192.0.2.1:1000";
  for (size_t i = 0; i < 3; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    assert_int_equal(attach(f, i, ufrag), FLOE_OK);
    agree(f, i, at, ufrag);
  }
  assert_ptr_equal(comes(f, at, hello), agent(2));
  floe_ice_mux_detach(f->mux, agent(2));
  assert_ptr_equal(comes(f, at, hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(0));
  assert_ptr_equal(comes(f, at, hello), agent(1));
  floe_ice_mux_detach(f->mux, agent(1));
  assert_null(comes(f, at, hello));
}

/* --- whose address ---------------------------------------------------------------------------------------------- */

/* Agent 0 talks to its peer there; agent 1 is whose peer is a liar, or the peer that has the address by now. */
static const char *const contested = "192.0.2.1:1000";

static void begin_contest(fixture *f) {
  assert_int_equal(attach(f, 0, "8hhY"), FLOE_OK);
  assert_int_equal(attach(f, 1, "evtj"), FLOE_OK);
  agree(f, 0, contested, "zero");
}

static void a_check_does_not_take_an_address(void **state) {
  fixture *f = *state;
  begin_contest(f);
  /* From an address that may be forged, signed or not. */
  assert_ptr_equal(comes(f, contested, check(f, "evtj:liar")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  /* It was signed: agent 1 answers, and checks the other way. */
  sends(f, 0, 1, contested, message(f, FLOE__STUN_SUCCESS, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 1, contested, message(f, FLOE__STUN_INDICATION, "keep"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  /* Agent 0's peer knows nothing of that check: it refuses. */
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_ERROR, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_from_there_takes_it(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(1));
  /* The answers go on finding who asked. */
  sends(f, 0, 0, contested, message(f, FLOE__STUN_REQUEST, "two"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "two")), agent(0));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_to_a_check_to_elsewhere_does_not(void **state) {
  fixture *f = *state;
  begin_contest(f);
  /* The liar gets the check at its own address and answers with agent 0's peer as the source. */
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "there"));
  sends(f, 0, 1, "192.0.2.66:6666", message(f, FLOE__STUN_REQUEST, "here"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "here")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void a_second_answer_does_not(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  agree(f, 0, contested, "two");
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void an_answer_to_the_next_transmission_does(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  agree(f, 0, contested, "two");
  sends(f, 0, 1, contested, message(f, FLOE__STUN_REQUEST, "one"));
  assert_ptr_equal(comes(f, contested, message(f, FLOE__STUN_SUCCESS, "one")), agent(1));
  assert_ptr_equal(comes(f, contested, hello), agent(1));
}

static void sending_data_takes_it(void **state) {
  fixture *f = *state;
  begin_contest(f);
  sends(f, 0, 1, contested, hello);
  assert_ptr_equal(comes(f, contested, hello), agent(1));
  sends(f, 0, 0, contested, hello);
  assert_ptr_equal(comes(f, contested, hello), agent(0));
}

static void a_lite_agent_takes_it_by_answering(void **state) {
  fixture *f = *state;
  floe_ice_parameters lite = {.ufrag = "lite", .pwd = "asd88fgpdd777uzjYhagZg", .lite = true};
  begin_contest(f);
  assert_int_equal(floe__mux_add(f->mux, agent(2), &lite, agent(2)), FLOE_OK);
  assert_int_equal(bind_at(f, 2, name_of(2), LOCAL), FLOE_OK);
  assert_ptr_equal(comes(f, contested, check(f, "lite:peer")), agent(2));
  sends(f, 0, 2, contested, message(f, FLOE__STUN_ERROR, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  sends(f, 0, 2, contested, message(f, FLOE__STUN_SUCCESS, "check"));
  assert_ptr_equal(comes(f, contested, hello), agent(2));
}

static void refusing_strangers_pushes_out_nobody(void **state) {
  fixture *f = *state;
  begin_contest(f);
  for (uint16_t port = 1; port <= 1000; port++) {
    floe_addr from = addr("203.0.113.5");
    from.port = port;
    assert_ptr_equal(comes_from(f, &from, check(f, "8hhY:liar")), agent(0));
    sends_to(f, 0, 0, name_of(0), &from, message(f, FLOE__STUN_ERROR, "401"));
  }
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  assert_int_equal(f->mux->addresses.n, 1);
}

/* --- ICMP ------------------------------------------------------------------------------------------------------- */

static size_t count_at(const fixture *f, const char *to, bool seen[4]) {
  floe_addr local = addr(LOCAL);
  floe_addr a = addr(to);
  size_t n = 0;
  memset(seen, 0, 4 * sizeof *seen);
  for (floe_ice_mux_match m = {0}; floe_ice_mux_next_at(f->mux, &local, &a, &m); n++) {
    for (size_t k = 0; k < 4; k++) {
      if (m.agent != agent(k)) continue;
      seen[k] = true;
      assert_ptr_equal(m.user, m.agent);
      assert_int_equal(m.sock, name_of(k));
    }
  }
  return n;
}

static void all_that_have_sent_to_an_address(void **state) {
  fixture *f = *state;
  bool seen[4];
  floe_addr local = addr(LOCAL);
  floe_addr a = addr("192.0.2.9:3478");
  for (size_t i = 0; i < 4; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    assert_int_equal(attach(f, i, ufrag), FLOE_OK);
  }
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 0);
  for (size_t i = 0; i < 3; i++) sends(f, 0, i, "192.0.2.9:3478", message(f, FLOE__STUN_REQUEST, "zero"));
  sends(f, 0, 1, "192.0.2.9:3479", hello);
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 3);
  assert_true(seen[0] && seen[1] && seen[2] && !seen[3]);
  assert_int_equal(count_at(f, "192.0.2.9:3479", seen), 1);
  assert_true(seen[1]);
  floe_ice_mux_match strange = {.agent = agent(3)};
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange));
  assert_null(strange.agent);
  local.port = 3479; /* another socket */
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange));
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(count_at(f, "192.0.2.9:3478", seen), 2);
  assert_true(seen[0] && seen[2]);
  local.port = 3478;
  strange.agent = agent(1);
  assert_false(floe_ice_mux_next_at(f->mux, &local, &a, &strange)); /* it has gone between two calls */
}

/* --- no memory -------------------------------------------------------------------------------------------------- */

/* A little of everything. What could not be remembered is nobody's; it is never another's. */
static void live_a_little(fixture *f) {
  bool has[3];
  for (size_t i = 0; i < 3; i++) {
    char ufrag[] = "aaa0";
    ufrag[3] = (char)('0' + i);
    floe_status st = add(f, i, ufrag);
    has[i] = st == FLOE_OK;
    assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
    st = bind_at(f, i, name_of(i), LOCAL);
    assert_true(has[i] ? st == FLOE_OK || st == FLOE_E_NOMEM : st == FLOE_E_NOT_FOUND);
    floe_ice_agent *found = comes(f, "192.0.2.1:9", check(f, i == 0 ? "aaa0:p" : i == 1 ? "aaa1:p" : "aaa2:p"));
    assert_ptr_equal(found, has[i] ? agent(i) : NULL);
  }
  assert_int_equal(floe_ice_mux_agents(f->mux), (size_t)has[0] + has[1] + has[2]);
  for (uint16_t i = 0; i < 60; i++) {
    floe_addr to = addr("192.0.2.1");
    char id[] = "id 00";
    to.port = (uint16_t)(1000 + i);
    id[3] = (char)('0' + i / 10);
    id[4] = (char)('0' + i % 10);
    floe_ice_agent *whose = agent(i % 3);
    sends_to(f, i, i % 3, name_of(i % 3), &to, message(f, FLOE__STUN_REQUEST, id));
    floe_ice_agent *found = comes_from(f, &to, message(f, FLOE__STUN_SUCCESS, id));
    assert_true(found == whose || found == NULL);
    sends_to(f, i, i % 3, name_of(i % 3), &to, hello);
    found = comes_from(f, &to, hello);
    assert_true(found == whose || found == NULL);
    floe_addr local = addr(LOCAL);
    floe_ice_mux_match match = {0};
    assert_true(floe_ice_mux_next_at(f->mux, &local, &to, &match) == (found != NULL));
    assert_ptr_equal(match.agent, found);
  }
  floe_ice_mux_detach(f->mux, agent(1));
  assert_int_equal(floe_ice_mux_agents(f->mux), (size_t)has[0] + has[2]);
}

static void memory_runs_out(void **state) {
  fixture *f = *state;
  uint32_t fail_in = 1;
  do {
    f->fail_in = fail_in++;
    live_a_little(f);
    floe_ice_mux_detach(f->mux, agent(0));
    floe_ice_mux_detach(f->mux, agent(2));
    assert_int_equal(f->live, 2);
  } while (f->fail_in == 0);
  assert_true(fail_in > 150);
  f->fail_in = 0;
}

static void no_memory_for_one(void **state) {
  fixture *f = *state;
  floe_ice_mux *mux = f->mux;
  f->fail_in = 1;
  assert_int_equal(floe_ice_mux_new(&mux, f->env, NULL), FLOE_E_NOMEM);
  assert_null(mux);
}

static void an_agent_that_is_there_stays_without_memory(void **state) {
  fixture *f = *state;
  begin_contest(f);
  f->fail_in = 1;
  assert_int_equal(attach(f, 0, "new0"), FLOE_E_NOMEM);
  assert_ptr_equal(comes(f, contested, check(f, "8hhY:peer")), agent(0));
  assert_ptr_equal(comes(f, contested, hello), agent(0));
  for (uint32_t i = 1; i <= 2; i++) { /* for the address, for the path */
    f->fail_in = i;
    sends(f, 0, 0, "192.0.2.1:1001", hello);
    assert_int_equal(f->fail_in, 0);
    assert_null(comes(f, "192.0.2.1:1001", hello));
  }
  sends(f, 0, 0, "192.0.2.1:1001", hello);
  assert_ptr_equal(comes(f, "192.0.2.1:1001", hello), agent(0));
}

/* --- many ------------------------------------------------------------------------------------------------------- */

static const char *ufrag_of(size_t i, char out[16]) {
  (void)snprintf(out, 16, "u%05zu", i);
  return out;
}

static floe_addr address_of(size_t i) {
  floe_addr a = addr("10.0.0.0");
  a.ip[1] = (uint8_t)(i >> 12);
  a.ip[2] = (uint8_t)(i >> 4);
  a.ip[3] = (uint8_t)(i % 16 + 1);
  a.port = (uint16_t)(2000 + i % 7);
  return a;
}

static void assert_found(fixture *f, size_t i, floe_ice_agent *expected) {
  char name[16];
  char username[32];
  floe_addr a = address_of(i);
  (void)snprintf(username, sizeof username, "%s:peer", ufrag_of(i, name));
  assert_ptr_equal(comes_from(f, &a, check(f, username)), expected);
  assert_ptr_equal(comes_from(f, &a, message(f, FLOE__STUN_SUCCESS, name)), expected);
  assert_ptr_equal(comes_from(f, &a, hello), expected);
}

static size_t longest_chain(const floe__mux_table *t) {
  size_t longest = 0;
  for (size_t i = 0; i < t->n_buckets; i++) {
    size_t n = 0;
    for (const floe__mux_link *link = t->buckets[i]; link != NULL; link = link->next) n++;
    if (n > longest) longest = n;
  }
  return longest;
}

static void twenty_thousand(void **state) {
  fixture *f = *state;
  for (size_t i = 0; i < AGENTS; i++) {
    char name[16];
    floe_addr a = address_of(i);
    assert_int_equal(attach(f, i, ufrag_of(i, name)), FLOE_OK);
    sends_to(f, 0, i, name_of(i), &a, message(f, FLOE__STUN_REQUEST, name));
  }
  assert_int_equal(floe_ice_mux_agents(f->mux), AGENTS);
  assert_true(longest_chain(&f->mux->members) <= 12);
  assert_true(longest_chain(&f->mux->ufrags) <= 12);
  assert_true(longest_chain(&f->mux->transactions) <= 12);
  assert_true(longest_chain(&f->mux->addresses) <= 12);
  assert_true(longest_chain(&f->mux->paths) <= 12);
  for (size_t i = 0; i < AGENTS; i++) assert_found(f, i, agent(i));
  for (size_t i = 0; i < AGENTS; i += 2) floe_ice_mux_detach(f->mux, agent(i));
  for (size_t i = 0; i < AGENTS; i++) assert_found(f, i, i % 2 == 0 ? NULL : agent(i));
  for (size_t i = 1; i < AGENTS; i += 2) floe_ice_mux_detach(f->mux, agent(i));
  assert_int_equal(f->live, 2);
}

/* A thousand agents that ask one server are told apart, and each knows its neighbours there. */
static void many_at_one_address(void **state) {
  fixture *f = *state;
  floe_addr server = addr("192.0.2.9:3478");
  char name[16];
  for (size_t i = 0; i < 1000; i++) {
    assert_int_equal(attach(f, i, ufrag_of(i, name)), FLOE_OK);
    sends_to(f, 0, i, name_of(i), &server, message(f, FLOE__STUN_REQUEST, name));
  }
  assert_int_equal(f->mux->addresses.n, 1);
  assert_int_equal(f->mux->paths.n, 1000);
  assert_true(longest_chain(&f->mux->paths) <= 10);
  for (size_t i = 0; i < 1000; i++) {
    floe_bytes answer = message(f, FLOE__STUN_SUCCESS, ufrag_of(i, name));
    assert_ptr_equal(comes_from(f, &server, answer), agent(i));
  }
  size_t n = 0;
  floe_addr local = addr(LOCAL);
  for (floe_ice_mux_match m = {0}; floe_ice_mux_next_at(f->mux, &local, &server, &m);) n++;
  assert_int_equal(n, 1000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(configuration),
      TEST(an_empty_one_finds_nobody),
      TEST(a_pointer_of_the_program),
      TEST(a_check_finds_its_agent_by_ufrag),
      TEST(a_check_for_a_ufrag_that_is_not_known),
      TEST(a_request_that_is_no_check_goes_by_address),
      TEST(a_check_that_is_cut_short),
      TEST(is_signed),
      TEST(two_sessions_of_one_agent),
      TEST(the_last_eight_sessions_are_kept),
      TEST(a_ufrag_belongs_to_one_agent),
      TEST(no_more_agents_than_allowed),
      TEST(detaching_forgets_all),
      TEST(an_agent_has_a_name_for_each_socket),
      TEST(what_is_sent_on_a_socket_that_is_not_shared),
      TEST(sockets_keep_peers_apart),
      TEST(each_session_has_its_own_names),
      TEST(an_answer_finds_who_asked),
      TEST(an_answer_to_nothing_goes_by_address),
      TEST(requests_are_forgotten_in_time),
      TEST(answered_requests_are_forgotten_sooner),
      TEST(the_oldest_request_gives_way),
      TEST(one_transaction_id_of_two_agents),
      TEST(data_goes_by_address),
      TEST(the_first_to_send_has_an_address_that_is_nobodys),
      TEST(the_oldest_address_gives_way),
      TEST(an_address_goes_back_when_its_agent_leaves),
      TEST(a_check_does_not_take_an_address),
      TEST(an_answer_from_there_takes_it),
      TEST(an_answer_to_a_check_to_elsewhere_does_not),
      TEST(a_second_answer_does_not),
      TEST(an_answer_to_the_next_transmission_does),
      TEST(sending_data_takes_it),
      TEST(a_lite_agent_takes_it_by_answering),
      TEST(refusing_strangers_pushes_out_nobody),
      TEST(all_that_have_sent_to_an_address),
      TEST(memory_runs_out),
      TEST(no_memory_for_one),
      TEST(an_agent_that_is_there_stays_without_memory),
      TEST(twenty_thousand),
      TEST(many_at_one_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
