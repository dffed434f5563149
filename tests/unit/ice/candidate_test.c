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

static void writes_the_attribute(void **state) {
  (void)state;
  fixture f = begin();
  const floe__candidate *host = add(&f, FLOE_CANDIDATE_HOST, "[2001:db8::5]:4000", "[2001:db8::5]:4000", NULL);
  const floe__candidate *srflx = add(&f, FLOE_CANDIDATE_SRFLX, "192.0.2.9:5", "10.0.0.1:6", "198.51.100.1");
  assert_string_equal(host->pub.text, "candidate:1 1 udp 2130706431 2001:db8::5 4000 typ host");
  assert_string_equal(srflx->pub.text, "candidate:2 1 udp 1694498815 192.0.2.9 5 typ srflx raddr 10.0.0.1 rport 6");
  finish(&f);
}

static void the_longest_fits(void **state) {
  (void)state;
  floe_ice_candidate c = {.component = 255, .transport = FLOE_TRANSPORT_UDP, .priority = UINT32_MAX};
  memset(c.foundation, 'F', 32);
  c.type = FLOE_CANDIDATE_RELAY;
  c.address = addr("[aaaa:bbbb:cccc:dddd:eeee:ffff:1111:2222]:65535");
  c.related = c.address;
  char text[FLOE__CANDIDATE_TEXT];
  size_t len = floe_candidate_write(&c, NULL, text, sizeof text);
  assert_true(len < sizeof text);
  assert_int_equal(len, strlen(text));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(priorities_follow_the_formula),
      cmocka_unit_test(no_two_priorities_are_equal),
      cmocka_unit_test(foundations_group_what_shares_a_path),
      cmocka_unit_test(redundant_means_same_address_and_base),
      cmocka_unit_test(exposes_by_ip),
      cmocka_unit_test(writes_the_attribute),
      cmocka_unit_test(the_longest_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
