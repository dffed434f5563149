/* resolver.h: which answers count. They are literal bytes, of whoever sends them. */
#include "mdns/resolver.h"

#include <string.h>

#include "support/mdns_hub.h"

#define V4 FLOE_FAMILY_IPV4
#define V6 FLOE_FAMILY_IPV6

#define NAME     "\x04peer\x05local\x00"
#define HEAD(n)  "\0\0\x84\0\0\0\0" n "\0\0\0\0"
#define A        "\0\x01\x80\x01\0\0\0\x78\0\x04"
#define AAAA     "\0\x1c\x80\x01\0\0\0\x78\0\x10"
#define ONE      HEAD("\x01") NAME A
#define ONE_AAAA HEAD("\x01") NAME AAAA

typedef struct fixture {
  hub *h;
  hub_host *host;
  uint32_t q4, q6; /* both families of peer.local */
} fixture;

static int setup(void **state) {
  static fixture f;
  f.h = hub_new(7);
  f.host = hub_host_new(f.h, "192.0.2.1", "fe80::1");
  f.q4 = hub_resolve(f.host, "peer.local", V4);
  f.q6 = hub_resolve(f.host, "peer.local", V6);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  hub_free(f->h);
  return 0;
}

static void tell_bytes(fixture *f, const char *from, const char *bytes, size_t len) {
  floe_addr addr = hub_addr(from);
  hub_inject(f->host, 1, (floe_family)addr.family, &addr, bytes, len);
}

#define TELL(f, bytes)            tell_bytes(f, "192.0.2.2:5353", bytes, sizeof(bytes) - 1)
#define TELL_FROM(f, from, bytes) tell_bytes(f, from, bytes, sizeof(bytes) - 1)

static void assert_undecided(fixture *f) {
  assert_int_equal(f->host->n_resolved, 0);
  sim_run_for(f->h->s, 4000);
  hub_assert_status(f->host, f->q4, FLOE_DNS_TIMEOUT);
  hub_assert_status(f->host, f->q6, FLOE_DNS_TIMEOUT);
}

static void an_address_record_is_an_answer(void **state) {
  fixture *f = *state;
  TELL(f, ONE "\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
  assert_int_equal(f->host->n_resolved, 1);
  TELL_FROM(f, "[fe80::2]:5353", ONE_AAAA "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02");
  hub_assert_resolved(f->host, f->q6, "2001:db8::2");
  assert_int_equal(hub_result(f->host, f->q6)->address.scope_id, 0);
}

static void each_family_may_come_over_the_other(void **state) {
  fixture *f = *state;
  TELL(f, ONE_AAAA "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02");
  hub_assert_resolved(f->host, f->q6, "fe80::2%1");
  TELL_FROM(f, "[fe80::2]:5353", ONE "\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

static void both_families_in_one_message_answer_both(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x02") NAME A "\xc0\0\x02\x02\xc0\x0c" AAAA "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
  hub_assert_resolved(f->host, f->q6, "2001:db8::2");
}

static void an_answer_to_one_host_counts_too(void **state) {
  fixture *f = *state;
  /* With id, question and no cache-flush bit, and the record among the additional ones. */
  TELL(f, "\x12\x34\x84\0\0\x01\0\0\0\0\0\x01" NAME "\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

static void an_answer_is_found_among_others(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x04") "\x03who\x05local\0" A
                       "\x0a\0\0\x01"
                       "\x00\0\x10\x80\x01\0\0\0\x78\0\x03\x02hi" NAME A
                       "\xc0\0\x02\x02"
                       "\x01x\xc0\x0c" A "\x0a\0\0\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

/* The draft's section 3.2.2: a name that "returns more than one IP address" is not to be used. */
static void several_addresses_are_a_failure(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x02") NAME A "\xc0\0\x02\x02\xc0\x0c" A "\xc0\0\x02\x03");
  hub_assert_status(f->host, f->q4, FLOE_DNS_FAILED);
  assert_int_equal(f->host->n_resolved, 1);
}

static void the_same_address_twice_is_one(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x02") NAME A "\xc0\0\x02\x02\xc0\x0c" A "\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

static void a_goodbye_is_no_answer(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x01") NAME "\0\x01\x80\x01\0\0\0\0\0\x04\xc0\0\x02\x02");
  TELL(f, HEAD("\x01") NAME "\0\x2f\x80\x01\0\0\0\0\0\x05\xc0\x0c\0\x01\x40");
  assert_undecided(f);
}

static void a_goodbye_beside_an_address_does_not_make_several(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x02") NAME "\0\x01\x80\x01\0\0\0\0\0\x04\xc0\0\x02\x03\xc0\x0c" A "\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

static void a_denial_says_that_there_is_none(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x01") NAME "\0\x2f\x80\x01\0\0\0\x78\0\x05\xc0\x0c\0\x01\x40");
  hub_assert_status(f->host, f->q6, FLOE_DNS_NODATA);
  assert_int_equal(f->host->n_resolved, 1);
  TELL(f, HEAD("\x01") NAME "\0\x2f\x80\x01\0\0\0\x78\0\x08\xc0\x0c\0\x04\0\0\0\x08");
  hub_assert_status(f->host, f->q4, FLOE_DNS_NODATA);
}

static void an_address_counts_more_than_a_denial(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x02") NAME "\0\x2f\x80\x01\0\0\0\x78\0\x08\xc0\x0c\0\x04\0\0\0\x08\xc0\x0c" A "\xc0\0\x02\x02");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
}

static void what_is_no_answer_is_ignored(void **state) {
  fixture *f = *state;
  TELL(f, HEAD("\x01") "\x04pier\x05local\0" A "\xc0\0\x02\x02");                /* another name */
  TELL(f, HEAD("\x01") NAME "\0\x01\x80\x03\0\0\0\x78\0\x04\xc0\0\x02\x02");     /* class CH */
  TELL(f, HEAD("\x01") NAME "\0\x01\x80\x01\0\0\0\x78\0\x05\xc0\0\x02\x02\x02"); /* five bytes */
  TELL(f, HEAD("\x01") NAME "\0\x10\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x02");     /* TXT */
  TELL(f, "\0\0\x84\x03\0\0\0\x01\0\0\0\0" NAME A "\xc0\0\x02\x02");             /* a response code */
  TELL(f, "\0\0\xac\0\0\0\0\x01\0\0\0\0" NAME A "\xc0\0\x02\x02");               /* an opcode */
  TELL(f, "\0\0\0\0\0\0\0\x01\0\0\0\0" NAME A "\xc0\0\x02\x02");                 /* a query that knows one */
  TELL(f, HEAD("\x02") NAME A "\xc0\0\x02\x02\xc0\x0c" A "\xc0\0\x02");          /* cut */
  TELL(f, HEAD("\x02") NAME A "\xc0\0\x02\x02\xc0\x3f" A "\xc0\0\x02\x02");      /* a pointer ahead */
  assert_undecided(f);
}

/* RFC 6762 6: "MUST silently ignore any Multicast DNS responses they receive where the source UDP port is not 5353". */
static void who_may_not_answer_is_ignored(void **state) {
  fixture *f = *state;
  TELL_FROM(f, "192.0.2.2:5354", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "192.0.2.2:53", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "0.0.0.0:5353", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "224.0.0.251:5353", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "127.0.0.1:5353", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "[ff02::fb]:5353", ONE "\xc0\0\x02\x02");
  TELL_FROM(f, "[::1]:5353", ONE "\xc0\0\x02\x02");
  assert_undecided(f);
}

/* What somebody says must not make this host talk to itself, or to everybody. */
static void addresses_of_no_host_are_ignored(void **state) {
  fixture *f = *state;
  TELL(f, ONE "\0\0\0\0");
  TELL(f, ONE "\x7f\0\0\x01");
  TELL(f, ONE "\xe0\0\0\xfb");
  TELL(f, ONE "\xff\xff\xff\xff");
  TELL(f, ONE_AAAA "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
  TELL(f, ONE_AAAA "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
  TELL(f, ONE_AAAA "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\xfb");
  TELL(f, ONE_AAAA "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x02");
  assert_undecided(f);
}

static void an_answer_is_taken_once(void **state) {
  fixture *f = *state;
  TELL(f, ONE "\xc0\0\x02\x02");
  TELL(f, ONE "\xc0\0\x02\x03");
  hub_assert_resolved(f->host, f->q4, "192.0.2.2");
  sim_run_for(f->h->s, 5000);
  assert_int_equal(f->host->n_resolved, 2); /* and q6, which timed out */
}

static void a_datagram_for_a_socket_that_is_gone_is_ignored(void **state) {
  fixture *f = *state;
  floe_addr from = hub_addr("192.0.2.2:5353");
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .addr = from};
  static const char answer[] = ONE "\xc0\0\x02\x02";
  in.data = (floe_bytes){(const uint8_t *)answer, sizeof answer - 1};
  in.sock = 0;
  floe_mdns_input(f->host->mdns, sim_now(f->h->s), &in);
  in.sock = 4711;
  floe_mdns_input(f->host->mdns, sim_now(f->h->s), &in);
  hub_drain(f->host);
  assert_undecided(f);
}

/* ---- without a network around it ---- */

typedef struct bare {
  sim *s;
  sim_env *env;
  floe__mdns_links links;
  floe__mdns_resolver r;
} bare;

static void bare_init(bare *b, uint32_t max_queries) {
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.timeout_ms = 3000;
  cfg.retry_ms = 250;
  cfg.max_queries = max_queries;
  b->s = sim_new(1);
  b->env = sim_env_new(b->s, 0);
  floe__mdns_links_init(&b->links, b->env->env, false);
  floe__mdns_resolver_init(&b->r, &b->links, &cfg);
}

static void bare_clear(bare *b) {
  floe__mdns_resolver_clear(&b->r);
  floe__mdns_links_clear(&b->links);
  assert_int_equal(sim_env_free(b->env), 0);
  sim_free(b->s);
}

static floe__dns_name nth_name(unsigned i) {
  return (floe__dns_name){.len = 2, .label = {(uint8_t)('0' + i / 10), (uint8_t)('0' + i % 10)}};
}

static void deadlines_are_the_earliest(void **state) {
  (void)state;
  static bare b;
  uint32_t id;
  bare_init(&b, 10);
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, FLOE_TIME_NEVER);
  floe__dns_name one = nth_name(1), two = nth_name(2);
  assert_int_equal(floe__mdns_resolver_ask(&b.r, 1000 * FLOE_MS, &one, V4, &id), FLOE_OK);
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, 1000 * FLOE_MS);
  floe__mdns_resolver_on_deadline(&b.r, 1000 * FLOE_MS);
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, 1250 * FLOE_MS);
  assert_string_equal(floe__mdns_resolver_deadline(&b.r).reason, "mdns.question");
  assert_int_equal(floe__mdns_resolver_ask(&b.r, 1100 * FLOE_MS, &two, V4, &id), FLOE_OK);
  floe__mdns_resolver_on_deadline(&b.r, 1100 * FLOE_MS);
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, 1250 * FLOE_MS);
  floe__mdns_resolver_on_deadline(&b.r, 3999 * FLOE_MS); /* late: asked once, not for each time that was missed */
  assert_string_equal(floe__mdns_resolver_deadline(&b.r).reason, "mdns.timeout");
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, 4000 * FLOE_MS);
  floe__mdns_resolver_on_deadline(&b.r, 4100 * FLOE_MS);
  assert_int_equal(floe__mdns_resolver_deadline(&b.r).at, FLOE_TIME_NEVER);
  bare_clear(&b);
}

static void questions_are_found_among_many(void **state) {
  (void)state;
  static bare b;
  uint32_t ids[200];
  bare_init(&b, 200);
  for (unsigned i = 0; i < 200; i++) {
    unsigned shuffled = i * 37 % 200;
    floe__dns_name name = nth_name(shuffled / 2);
    assert_int_equal(floe__mdns_resolver_ask(&b.r, 0, &name, shuffled % 2 == 0 ? V4 : V6, &ids[shuffled]), FLOE_OK);
  }
  assert_int_equal(b.r.n, 200);
  floe_addr addr = hub_addr("192.0.2.1");
  for (unsigned i = 0; i < 100; i++) {
    floe__dns_name name = nth_name(i);
    floe__mdns_resolver_on_registered(&b.r, &name, &addr);
    floe_mdns_output out = {.type = FLOE_MDNS_OUTPUT_WAIT};
    assert_true(floe__mdns_resolver_poll(&b.r, &out));
    assert_int_equal(out.u.resolved.query, ids[2 * i]);
    assert_int_equal(out.u.resolved.status, FLOE_DNS_OK);
    assert_true(floe__mdns_resolver_poll(&b.r, &out));
    assert_int_equal(out.u.resolved.query, ids[2 * i + 1]);
    assert_int_equal(out.u.resolved.status, FLOE_DNS_NODATA);
    assert_false(floe__mdns_resolver_poll(&b.r, &out));
  }
  assert_int_equal(b.r.n, 0);
  bare_clear(&b);
}

static void numbers_are_never_0(void **state) {
  (void)state;
  static bare b;
  uint32_t id;
  bare_init(&b, 10);
  b.r.last_id = UINT32_MAX - 1;
  assert_int_equal(floe__mdns_resolver_tell(&b.r, FLOE_DNS_NODATA, NULL, &id), FLOE_OK);
  assert_int_equal(id, UINT32_MAX);
  assert_int_equal(floe__mdns_resolver_tell(&b.r, FLOE_DNS_NODATA, NULL, &id), FLOE_OK);
  assert_int_equal(id, 1);
  bare_clear(&b);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(an_address_record_is_an_answer),
      TEST(each_family_may_come_over_the_other),
      TEST(both_families_in_one_message_answer_both),
      TEST(an_answer_to_one_host_counts_too),
      TEST(an_answer_is_found_among_others),
      TEST(several_addresses_are_a_failure),
      TEST(the_same_address_twice_is_one),
      TEST(a_goodbye_is_no_answer),
      TEST(a_goodbye_beside_an_address_does_not_make_several),
      TEST(a_denial_says_that_there_is_none),
      TEST(an_address_counts_more_than_a_denial),
      TEST(what_is_no_answer_is_ignored),
      TEST(who_may_not_answer_is_ignored),
      TEST(addresses_of_no_host_are_ignored),
      TEST(an_answer_is_taken_once),
      TEST(a_datagram_for_a_socket_that_is_gone_is_ignored),
      cmocka_unit_test(deadlines_are_the_earliest),
      cmocka_unit_test(questions_are_found_among_many),
      cmocka_unit_test(numbers_are_never_0),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
