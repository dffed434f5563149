/* Candidates: priority, foundation, redundancy, text (RFC 8445 5.1, RFC 8839 5.1). */
#include "ice/candidate.h"

#include <string.h>

#include "support/cmocka.h"

static floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

typedef struct fixture {
  floe_env *env;
  floe__candidate_list list;
  uint32_t last_id;
} fixture;

static fixture begin(void) {
  fixture f = {0};
  assert_int_equal(floe_env_new(&f.env, NULL), FLOE_OK);
  return f;
}

static void finish(fixture *f) {
  floe__candidate_list_clear(&f->list, f->env);
  floe_env_free(f->env);
}

static floe__candidate *add(fixture *f, floe_candidate_type type, const char *address, const char *base,
                            const char *server) {
  floe__candidate *c = floe__zalloc(f->env, sizeof *c);
  assert_non_null(c);
  c->pub.id = ++f->last_id;
  c->pub.type = type;
  c->pub.component = 1;
  c->pub.address = addr(address);
  c->base = addr(base);
  if (server != NULL) c->server = addr(server);
  if (type != FLOE_CANDIDATE_HOST) c->pub.related = addr(base);
  assert_true(floe__candidate_add(&f->list, f->env, c, 65535));
  floe__candidate_tell(&f->list, c);
  return c;
}

/* Given to the list as it is, and not told. */
static floe__candidate *add_silently(fixture *f, const floe_ice_candidate *pub, uint16_t preference) {
  floe__candidate *c = floe__zalloc(f->env, sizeof *c);
  assert_non_null(c);
  c->pub = *pub;
  c->pub.id = ++f->last_id;
  c->pub.component = 1;
  c->base = pub->address;
  assert_true(floe__candidate_add(&f->list, f->env, c, preference));
  return c;
}

static void priorities_follow_the_formula(void **state) {
  (void)state;
  assert_int_equal(floe__candidate_priority(FLOE_CANDIDATE_HOST, 65535, 1), 2130706431);
  assert_int_equal(floe__candidate_priority(FLOE_CANDIDATE_SRFLX, 65535, 1), 1694498815);
  assert_int_equal(floe__candidate_priority(FLOE_CANDIDATE_PRFLX, 65535, 1), 1862270975);
  assert_int_equal(floe__candidate_priority(FLOE_CANDIDATE_RELAY, 65535, 1), 16777215);
  assert_int_equal(floe__candidate_priority(FLOE_CANDIDATE_RELAY, 0, 256), 0);
}

/* RFC 6544 4.2: (2^13)*(direction preference) + (other preference). */
static void tcp_priorities_follow_theirs(void **state) {
  (void)state;
  static const struct {
    floe_candidate_type type;
    floe_tcp_type tcp_type;
    uint32_t type_preference, direction;
  } rows[] = {
      {FLOE_CANDIDATE_HOST, FLOE_TCP_TYPE_ACTIVE, 90, 6},   {FLOE_CANDIDATE_HOST, FLOE_TCP_TYPE_PASSIVE, 90, 4},
      {FLOE_CANDIDATE_HOST, FLOE_TCP_TYPE_SO, 90, 2},       {FLOE_CANDIDATE_SRFLX, FLOE_TCP_TYPE_ACTIVE, 70, 4},
      {FLOE_CANDIDATE_SRFLX, FLOE_TCP_TYPE_PASSIVE, 70, 2}, {FLOE_CANDIDATE_SRFLX, FLOE_TCP_TYPE_SO, 70, 6},
      {FLOE_CANDIDATE_PRFLX, FLOE_TCP_TYPE_ACTIVE, 80, 4},  {FLOE_CANDIDATE_RELAY, FLOE_TCP_TYPE_ACTIVE, 0, 6},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (uint32_t other = 0; other <= 8191; other += 8191) {
      uint32_t expected = rows[i].type_preference << 24 | (rows[i].direction << 13 | other) << 8 | 255;
      uint16_t preference = other == 0 ? 7 : 65535;
      assert_int_equal(floe__candidate_tcp_priority(rows[i].type, rows[i].tcp_type, preference, 1), expected);
    }
  }
  /* Every direct UDP candidate is better than any over TCP, and a relay is worse. */
  uint32_t best_tcp = floe__candidate_tcp_priority(FLOE_CANDIDATE_HOST, FLOE_TCP_TYPE_ACTIVE, 65535, 1);
  uint32_t worst_tcp = floe__candidate_tcp_priority(FLOE_CANDIDATE_SRFLX, FLOE_TCP_TYPE_PASSIVE, 0, 1);
  assert_true(best_tcp < floe__candidate_priority(FLOE_CANDIDATE_SRFLX, 0, 1));
  assert_true(worst_tcp > floe__candidate_priority(FLOE_CANDIDATE_RELAY, 65535, 1));
}

static void priorities_do_not_wrap(void **state) {
  (void)state;
  fixture f = begin();
  floe_ice_candidate relay = {.type = FLOE_CANDIDATE_RELAY, .address = addr("192.0.2.1:1")};
  for (int i = 0; i < 3; i++) (void)add_silently(&f, &relay, 1);
  for (size_t i = 0; i < f.list.n; i++) assert_in_range(f.list.items[i]->pub.priority, 255, 511);
  finish(&f);
}

static void no_two_priorities_are_equal(void **state) {
  (void)state;
  fixture f = begin();
  const floe__candidate *a = add(&f, FLOE_CANDIDATE_HOST, "192.0.2.1:1", "192.0.2.1:1", NULL);
  const floe__candidate *b = add(&f, FLOE_CANDIDATE_HOST, "192.0.2.2:1", "192.0.2.2:1", NULL);
  assert_int_equal(a->pub.priority, 2130706431);
  assert_int_equal(b->pub.priority, 2130706431 - 256);
  finish(&f);
}

static void foundations_group_what_shares_a_path(void **state) {
  (void)state;
  fixture f = begin();
  const floe__candidate *host = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.1:1", "10.0.0.1:1", NULL);
  const floe__candidate *other_port = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.1:2", "10.0.0.1:2", NULL);
  const floe__candidate *other_ip = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.2:1", "10.0.0.2:1", NULL);
  const floe__candidate *srflx = add(&f, FLOE_CANDIDATE_SRFLX, "192.0.2.9:1", "10.0.0.1:1", "198.51.100.1");
  const floe__candidate *same_server = add(&f, FLOE_CANDIDATE_SRFLX, "192.0.2.9:2", "10.0.0.1:2", "198.51.100.1");
  const floe__candidate *other_server = add(&f, FLOE_CANDIDATE_SRFLX, "192.0.2.9:3", "10.0.0.1:1", "198.51.100.2");
  assert_string_equal(host->pub.foundation, other_port->pub.foundation);
  assert_string_not_equal(host->pub.foundation, other_ip->pub.foundation);
  assert_string_not_equal(host->pub.foundation, srflx->pub.foundation);
  assert_string_equal(srflx->pub.foundation, same_server->pub.foundation);
  assert_string_not_equal(srflx->pub.foundation, other_server->pub.foundation);
  finish(&f);
}

static void redundant_means_same_address_and_base(void **state) {
  (void)state;
  fixture f = begin();
  const floe__candidate *host = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.1:1", "10.0.0.1:1", NULL);
  floe__candidate c = {.pub = {.type = FLOE_CANDIDATE_SRFLX, .address = addr("10.0.0.1:1")},
                       .base = addr("10.0.0.1:1")};
  assert_ptr_equal(floe__candidate_find_redundant(&f.list, &c), host);
  c.base = addr("10.0.0.2:1");
  assert_null(floe__candidate_find_redundant(&f.list, &c));
  c.base = addr("10.0.0.1:1");
  c.pub.address = addr("10.0.0.1:2");
  assert_null(floe__candidate_find_redundant(&f.list, &c));
  c.pub.address = addr("10.0.0.1:1");
  c.pub.transport = FLOE_TRANSPORT_TCP;
  assert_null(floe__candidate_find_redundant(&f.list, &c));
  finish(&f);
}

/* What hides its address does not make another one needless that shows it; the same again is needless all the same. */
static void what_is_not_shown_makes_only_its_own_kind_redundant(void **state) {
  (void)state;
  fixture f = begin();
  floe_ice_candidate host = {.type = FLOE_CANDIDATE_HOST, .address = addr("192.0.2.1:1")};
  floe__candidate *silent = add_silently(&f, &host, 1);
  host.address = addr("192.0.2.2:1");
  host.mdns_name = "x.local";
  floe__candidate *named = add_silently(&f, &host, 1);
  floe__candidate_tell(&f.list, named);
  for (int i = 0; i < 2; i++) {
    floe__candidate *other = i == 0 ? silent : named;
    floe__candidate c = {.pub = {.type = FLOE_CANDIDATE_SRFLX, .address = other->pub.address}, .base = other->base};
    assert_null(floe__candidate_find_redundant(&f.list, &c));
    c.pub.type = FLOE_CANDIDATE_HOST;
    assert_ptr_equal(floe__candidate_find_redundant(&f.list, &c), other);
    floe__candidate_lose(&f.list, other);
    assert_null(floe__candidate_find_redundant(&f.list, &c));
  }
  finish(&f);
}

static void what_is_gone_is_counted_once(void **state) {
  (void)state;
  fixture f = begin();
  floe__candidate *a = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.1:1", "10.0.0.1:1", NULL);
  floe__candidate *b = add(&f, FLOE_CANDIDATE_HOST, "10.0.0.2:1", "10.0.0.2:1", NULL);
  floe__candidate_lose(&f.list, a);
  floe__candidate_lose(&f.list, a);
  assert_true(a->is_gone);
  assert_false(b->is_gone);
  assert_int_equal(f.list.n_gone, 1);
  assert_int_equal(f.list.n, 2);
  finish(&f);
}

static void exposes_by_ip(void **state) {
  (void)state;
  fixture f = begin();
  (void)add(&f, FLOE_CANDIDATE_HOST, "10.0.0.1:1", "10.0.0.1:1", NULL);
  floe_addr same_ip = addr("10.0.0.1:99");
  floe_addr other = addr("10.0.0.2:1");
  assert_true(floe__candidate_exposes(&f.list, &same_ip));
  assert_false(floe__candidate_exposes(&f.list, &other));
  assert_non_null(floe__candidate_by_id(&f.list, 1));
  assert_null(floe__candidate_by_id(&f.list, 2));
  assert_null(floe__candidate_by_id(&f.list, 0));
  finish(&f);
}

static void what_is_not_told_or_has_a_name_exposes_nothing(void **state) {
  (void)state;
  fixture f = begin();
  floe_ice_candidate host = {.type = FLOE_CANDIDATE_HOST, .address = addr("10.0.0.1:1")};
  floe__candidate *silent = add_silently(&f, &host, 1);
  host.address = addr("10.0.0.2:1");
  host.mdns_name = "x.local";
  floe__candidate *named = add_silently(&f, &host, 1);
  floe__candidate_tell(&f.list, named);
  assert_false(floe__candidate_exposes(&f.list, &silent->pub.address));
  assert_false(floe__candidate_exposes(&f.list, &named->pub.address));
  assert_int_equal(f.list.n_told, 1);
  assert_ptr_equal(f.list.told[0], &named->pub);
  floe__candidate_tell(&f.list, silent);
  assert_true(floe__candidate_exposes(&f.list, &silent->pub.address));
  assert_int_equal(f.list.n_told, 2);
  finish(&f);
}

static void the_name_is_the_candidates_own(void **state) {
  (void)state;
  fixture f = begin();
  char name[] = "x.local";
  floe_ice_candidate host = {.type = FLOE_CANDIDATE_HOST, .address = addr("10.0.0.2:7"), .mdns_name = name};
  const floe__candidate *c = add_silently(&f, &host, 65535);
  memset(name, 'y', sizeof name - 1);
  assert_string_equal(c->pub.mdns_name, "x.local");
  assert_string_equal(c->pub.text, "candidate:1 1 udp 2130706431 x.local 7 typ host");
  finish(&f);
}

static void writes_the_attribute(void **state) {
  (void)state;
  fixture f = begin();
  const floe__candidate *host = add(&f, FLOE_CANDIDATE_HOST, "[2001:db8::5]:4000", "[2001:db8::5]:4000", NULL);
  const floe__candidate *srflx = add(&f, FLOE_CANDIDATE_SRFLX, "192.0.2.9:5", "10.0.0.1:6", "198.51.100.1");
  assert_string_equal(host->pub.text, "candidate:1 1 udp 2130706431 2001:db8::5 4000 typ host");
  assert_string_equal(srflx->pub.text, "candidate:2 1 udp 1694498815 192.0.2.9 5 typ srflx raddr 10.0.0.1 rport 6");
  finish(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(priorities_follow_the_formula),
      cmocka_unit_test(tcp_priorities_follow_theirs),
      cmocka_unit_test(priorities_do_not_wrap),
      cmocka_unit_test(no_two_priorities_are_equal),
      cmocka_unit_test(foundations_group_what_shares_a_path),
      cmocka_unit_test(redundant_means_same_address_and_base),
      cmocka_unit_test(what_is_not_shown_makes_only_its_own_kind_redundant),
      cmocka_unit_test(what_is_gone_is_counted_once),
      cmocka_unit_test(exposes_by_ip),
      cmocka_unit_test(what_is_not_told_or_has_a_name_exposes_nothing),
      cmocka_unit_test(the_name_is_the_candidates_own),
      cmocka_unit_test(writes_the_attribute),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
