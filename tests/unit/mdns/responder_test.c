/* responder.h: what is answered, to whom, and how often. Queries are literal bytes. */
#include "mdns/responder.h"

#include <string.h>

#include "support/mdns_hub.h"

#define V4 FLOE_FAMILY_IPV4
#define V6 FLOE_FAMILY_IPV6

#define NAME  "\x04peer\x05local\x00"
#define QUERY "\0\0\0\0\0\x01\0\0\0\0\0\0"
/* The answer for peer.local, 192.0.2.2, by whatever way. */
#define ANSWER                                   \
  "\0\0\x84\0\0\0\0\x01\0\0\0\x01" NAME          \
  "\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x02" \
  "\xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\x05\xc0\x0c\0\x01\x40"

typedef struct fixture {
  hub *h;
  hub_host *host;
} fixture;

/* A host that answers for peer.local, and whose announcements are long past. */
static int setup(void **state) {
  static fixture f;
  f.h = hub_new(7);
  f.host = hub_host_new(f.h, "192.0.2.2", "fe80::2");
  hub_register(f.host, "peer.local", "192.0.2.2");
  sim_run_for(f.h->s, 60000);
  hub_forget(f.h);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  hub_free(f->h);
  return 0;
}

static void ask_bytes(fixture *f, const char *from, const char *bytes, size_t len) {
  floe_addr addr = hub_addr(from);
  hub_inject(f->host, 1, (floe_family)addr.family, &addr, bytes, len);
}

#define ASK(f, from, bytes) ask_bytes(f, from, bytes, sizeof(bytes) - 1)

static void assert_sent(const fixture *f, floe_family family, size_t n, const char *to, const char *bytes, size_t len) {
  char text[FLOE_ADDR_TEXT];
  const hub_packet *p = hub_packet_of(f->h, f->host, 1, family, n);
  assert_non_null(p);
  assert_string_equal(floe_addr_format(&p->to, text), to);
  assert_int_equal(p->len, len);
  assert_memory_equal(p->data, bytes, len);
}

#define ASSERT_SENT(f, family, n, to, bytes) assert_sent(f, family, n, to, bytes, sizeof(bytes) - 1)

static void assert_silent(const fixture *f) {
  sim_run_for(f->h->s, 5000);
  assert_null(f->h->first);
}

static void a_question_is_answered_to_the_group_at_once(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\0\x01");
  ASSERT_SENT(f, V4, 0, "224.0.0.251:5353", ANSWER);
  assert_int_equal(hub_count(f->h, f->host, 1, V6), 0); /* only where it was asked */
  assert_int_equal(f->h->first->at, 60000);
  sim_run_for(f->h->s, 5000);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 1);
}

static void over_ipv6_it_is_answered_over_ipv6(void **state) {
  fixture *f = *state;
  ASK(f, "[fe80::1]:5353", QUERY NAME "\0\x01\0\x01");
  ASSERT_SENT(f, V6, 0, "[ff02::fb%1]:5353", ANSWER);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 0);
}

static void case_does_not_matter(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY "\x04PEER\x05Local\0\0\x01\0\x01");
  ASSERT_SENT(f, V4, 0, "224.0.0.251:5353", ANSWER); /* with the name as it was registered */
}

static void any_type_and_the_other_family_get_the_same_answer(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\xff\0\xff");
  ASSERT_SENT(f, V4, 0, "224.0.0.251:5353", ANSWER);
  sim_run_for(f->h->s, 2000);
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x1c\0\x01"); /* which denies an AAAA record: RFC 6762 6.1 */
  ASSERT_SENT(f, V4, 1, "224.0.0.251:5353", ANSWER);
}

static void other_questions_are_not_answered(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x10\0\x01");                                /* TXT */
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\0\x03");                                /* class CH */
  ASK(f, "192.0.2.1:5353", QUERY "\x04pier\x05local\0\0\x01\0\x01");                  /* another name */
  ASK(f, "192.0.2.1:5353", QUERY "\x01x" NAME "\0\x01\0\x01");                        /* x.peer.local */
  ASK(f, "192.0.2.1:5353", "\0\0\x08\0\0\x01\0\0\0\0\0\0" NAME "\0\x01\0\x01");       /* an opcode */
  ASK(f, "192.0.2.1:5353", "\0\0\0\x01\0\x01\0\0\0\0\0\0" NAME "\0\x01\0\x01");       /* a response code */
  ASK(f, "192.0.2.1:5353", "\0\0\x84\0\0\x01\0\0\0\0\0\0" NAME "\0\x01\0\x01");       /* a response */
  ASK(f, "192.0.2.1:5353", "\0\0\0\0\0\x02\0\0\0\0\0\0" NAME "\0\x01\0\x01\xc0\xff"); /* malformed at its end */
  ASK(f, "192.0.2.1:5353", "\0\0\0\0\0\0\0\0\0\0\0\0");                               /* nothing */
  assert_silent(f);
}

static void who_is_not_on_the_link_is_not_answered(void **state) {
  fixture *f = *state;
  floe_addr from[] = {hub_addr("0.0.0.0:5353"), hub_addr("224.0.0.251:5353"), hub_addr("127.0.0.1:5353"),
                      hub_addr("[fe80::1]:5353"), hub_addr("[fe80::1]:5353")};
  const floe_family families[] = {V4, V4, V4, V4, V6};
  from[4].scope_id = 2;
  for (size_t i = 0; i < 5; i++) hub_inject(f->host, 1, families[i], &from[i], QUERY NAME "\0\x01\0\x01", 28);
  assert_silent(f);
}

/* RFC 6762 6: "at least one second". */
static void a_name_is_answered_once_a_second(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 30; i++) {
    ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\0\x01");
    sim_run_for(f->h->s, 100);
  }
  sim_run_for(f->h->s, 5000);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 4); /* at 0, 1, 2 and 3 s: who asked last has an answer, too */
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(hub_packet_of(f->h, f->host, 1, V4, i)->at, 60000 + 1000 * i);
  }
}

static void each_name_and_link_has_its_own_second(void **state) {
  fixture *f = *state;
  hub_register(f->host, "six.local", "fe80::2");
  sim_run_for(f->h->s, 5000);
  hub_forget(f->h);
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\0\x01");
  ASK(f, "192.0.2.1:5353", QUERY "\x03six\x05local\0\0\x1c\0\x01");
  ASK(f, "[fe80::1]:5353", QUERY NAME "\0\x01\0\x01");
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 2);
  assert_int_equal(hub_count(f->h, f->host, 1, V6), 1);
}

static void a_query_of_many_questions_is_answered_once_a_name(void **state) {
  fixture *f = *state;
  static uint8_t query[12 + 16 + 1000 * 6] = {0, 0, 0, 0, 0x03, 0xe9};
  memcpy(query + 12, NAME "\0\x01\0\x01", 16);
  for (size_t i = 0; i < 1000; i++) memcpy(query + 28 + 6 * i, "\xc0\x0c\0\x01\0\x01", 6);
  floe_addr from = hub_addr("192.0.2.1:5353"), legacy = hub_addr("192.0.2.1:40000");
  hub_inject(f->host, 1, V4, &from, query, sizeof query);
  hub_inject(f->host, 1, V4, &legacy, query, sizeof query);
  sim_run_for(f->h->s, 5000);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 2);
}

static void at_most_32_names_of_a_query_are_answered(void **state) {
  fixture *f = *state;
  uint8_t query[1024] = {0, 0, 0, 0, 0, 40};
  size_t len = 12;
  char name[16] = "x0.local";
  for (uint8_t i = 0; i < 40; i++) {
    name[1] = (char)('0' + i);
    hub_register(f->host, name, "192.0.2.2");
    memcpy(query + len, "\x02x.\x05local\0\0\x01\0\x01", 14);
    query[len + 2] = (uint8_t)name[1];
    len += 14;
  }
  sim_run_for(f->h->s, 5000);
  hub_forget(f->h);
  floe_addr from = hub_addr("192.0.2.1:5353");
  hub_inject(f->host, 1, V4, &from, query, len);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 32);
}

/* RFC 6762 5.4. */
static void a_question_for_a_unicast_answer_gets_one_when_the_group_has_heard_lately(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\x80\x01");
  ASSERT_SENT(f, V4, 0, "224.0.0.251:5353", ANSWER); /* told 59 s ago: all hear it */
  for (size_t i = 1; i < 5; i++) {
    ASK(f, "192.0.2.7:5353", QUERY NAME "\0\x01\x80\x01");
    ASSERT_SENT(f, V4, i, "192.0.2.7:5353", ANSWER);
  }
  sim_run_for(f->h->s, 29999);
  ASK(f, "192.0.2.7:5353", QUERY NAME "\0\x01\x80\x01");
  ASSERT_SENT(f, V4, 5, "192.0.2.7:5353", ANSWER);
  sim_run_for(f->h->s, 1);
  ASK(f, "192.0.2.7:5353", QUERY NAME "\0\x01\x80\x01");
  ASSERT_SENT(f, V4, 6, "224.0.0.251:5353", ANSWER);
}

static void one_question_for_the_group_among_others_is_enough(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:5353", QUERY NAME "\0\x01\0\x01");
  sim_run_for(f->h->s, 2000);
  ASK(f, "192.0.2.1:5353", "\0\0\0\0\0\x02\0\0\0\0\0\0" NAME "\0\x01\x80\x01\xc0\x0c\0\x1c\0\x01");
  ASSERT_SENT(f, V4, 1, "224.0.0.251:5353", ANSWER);
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 2);
}

/* RFC 6762 6.7. */
static void a_plain_resolver_is_answered_alone(void **state) {
  fixture *f = *state;
  ASK(f, "192.0.2.1:40000", "\xab\xcd\x01\0\0\x01\0\0\0\0\0\0" NAME "\0\x01\0\x01");
  ASSERT_SENT(f, V4, 0, "192.0.2.1:40000",
              "\xab\xcd\x84\0\0\x01\0\x01\0\0\0\0" NAME
              "\0\x01\0\x01"
              "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\0\x02\x02");
  ASK(f, "192.0.2.1:40000", "\xab\xce\x01\0\0\x01\0\0\0\0\0\0" NAME "\0\xff\0\x01");
  ASSERT_SENT(f, V4, 1, "192.0.2.1:40000",
              "\xab\xce\x84\0\0\x01\0\x01\0\0\0\0" NAME
              "\0\xff\0\x01"
              "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\0\x02\x02");
  /* The family that there is decides, in whatever order both are asked for. */
  ASK(f, "192.0.2.1:40000", "\0\x07\0\0\0\x02\0\0\0\0\0\0" NAME "\0\x1c\0\x01\xc0\x0c\0\x01\0\x01");
  ASSERT_SENT(f, V4, 2, "192.0.2.1:40000",
              "\0\x07\x84\0\0\x01\0\x01\0\0\0\0" NAME
              "\0\x01\0\x01"
              "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\0\x02\x02");
  hub_forget(f->h);
  ASK(f, "192.0.2.1:40000", "\xab\xcf\x01\0\0\x01\0\0\0\0\0\0" NAME "\0\x1c\0\x01"); /* no IPv6 address to tell */
  assert_silent(f);
}

/* RFC 6762 6.2: not even to one who asks on another link. */
static void on_another_link_a_name_is_not_known(void **state) {
  fixture *f = *state;
  hub_add_interface(f->host, 2, "198.51.100.2");
  hub_tell_interfaces(f->host);
  hub_register(f->host, "two.local", "198.51.100.2");
  sim_run_for(f->h->s, 5000);
  hub_forget(f->h);
  static const char *const from[] = {"198.51.100.1:5353", "198.51.100.1:40000"};
  for (size_t i = 0; i < 2; i++) {
    floe_addr addr = hub_addr(from[i]);
    hub_inject(f->host, 2, V4, &addr, QUERY NAME "\0\x01\0\x01", 28);
  }
  assert_silent(f);
}

/* RFC 6762 7.1. */
static void what_the_query_knows_is_not_told_again(void **state) {
  fixture *f = *state;
#define KNOWN "\0\0\0\0\0\x01\0\x01\0\0\0\0" NAME "\0\x01\0\x01\xc0\x0c\0\x01\0\x01"
  ASK(f, "192.0.2.1:5353", KNOWN "\0\0\0\x3c\0\x04\xc0\0\x02\x02");
  assert_silent(f);
  ASK(f, "192.0.2.1:5353", KNOWN "\0\0\0\x3b\0\x04\xc0\0\x02\x02"); /* less than half of its time to live */
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 1);
  sim_run_for(f->h->s, 2000);
  ASK(f, "192.0.2.1:5353", KNOWN "\0\0\0\x78\0\x04\xc0\0\x02\x03"); /* another address */
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 2);
  sim_run_for(f->h->s, 2000);
  ASK(f, "192.0.2.1:40000", KNOWN "\0\0\0\x78\0\x04\xc0\0\x02\x02"); /* a plain resolver knows nothing */
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 3);
  sim_run_for(f->h->s, 2000);
  ASK(f, "192.0.2.1:5353",
      "\0\0\0\0\0\x01\0\x01\0\0\0\0" NAME
      "\0\x1c\0\x01"
      "\xc0\x0c\0\x01\0\x01\0\0\0\x78\0\x04\xc0\0\x02\x02"); /* not what it asks for */
  assert_int_equal(hub_count(f->h, f->host, 1, V4), 4);
#undef KNOWN
}

/* ---- without a network around it ---- */

typedef struct bare {
  sim *s;
  sim_env *env;
  floe__mdns_links links;
  floe__mdns_responder r;
} bare;

static void bare_init(bare *b) {
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.max_names = 4096;
  b->s = sim_new(1);
  b->env = sim_env_new(b->s, 0);
  floe__mdns_links_init(&b->links, b->env->env, false);
  floe__mdns_responder_init(&b->r, &b->links, &cfg);
}

static void bare_clear(bare *b) {
  floe__mdns_responder_clear(&b->r);
  floe__mdns_links_clear(&b->links);
  assert_int_equal(sim_env_free(b->env), 0);
  sim_free(b->s);
}

static floe__dns_name nth_name(unsigned i) {
  floe__dns_name name = {
      .len = 4, .label = {'n', (uint8_t)('0' + i / 100), (uint8_t)('0' + i / 10 % 10), (uint8_t)('0' + i % 10)}};
  return name;
}

static void names_are_found_among_many(void **state) {
  (void)state;
  static bare b;
  bare_init(&b);
  for (unsigned i = 0; i < 1000; i++) {
    unsigned shuffled = i * 617 % 1000;
    floe__dns_name name = nth_name(shuffled);
    floe_addr addr = {.family = V4, .ip = {10, 0, (uint8_t)(shuffled >> 8), (uint8_t)shuffled}};
    assert_int_equal(floe__mdns_responder_register(&b.r, 5, &name, &addr), FLOE_OK);
  }
  for (unsigned i = 0; i < 1000; i += 2) {
    floe__dns_name name = nth_name(i);
    floe__mdns_responder_unregister(&b.r, &name);
  }
  for (unsigned i = 0; i < 1000; i++) {
    floe__dns_name name = nth_name(i);
    const floe_addr *addr = floe__mdns_responder_find(&b.r, &name);
    assert_int_equal(addr != NULL, i % 2 == 1);
    if (addr != NULL) assert_int_equal(addr->ip[2] << 8 | addr->ip[3], i);
  }
  assert_int_equal(b.r.n, 500);
  bare_clear(&b);
}

static void names_without_an_interface_ask_for_no_timer(void **state) {
  (void)state;
  static bare b;
  bare_init(&b);
  floe__dns_name name = nth_name(1);
  floe_addr addr = {.family = V4, .ip = {10, 0, 0, 1}};
  assert_int_equal(floe__mdns_responder_register(&b.r, 5, &name, &addr), FLOE_OK);
  floe__mdns_responder_on_deadline(&b.r, 5);
  assert_int_equal(floe__mdns_responder_deadline(&b.r).at, FLOE_TIME_NEVER);
  assert_string_equal(floe__mdns_responder_deadline(&b.r).reason, "none");
  bare_clear(&b);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_question_is_answered_to_the_group_at_once),
      TEST(over_ipv6_it_is_answered_over_ipv6),
      TEST(case_does_not_matter),
      TEST(any_type_and_the_other_family_get_the_same_answer),
      TEST(other_questions_are_not_answered),
      TEST(who_is_not_on_the_link_is_not_answered),
      TEST(a_name_is_answered_once_a_second),
      TEST(each_name_and_link_has_its_own_second),
      TEST(a_query_of_many_questions_is_answered_once_a_name),
      TEST(at_most_32_names_of_a_query_are_answered),
      TEST(a_question_for_a_unicast_answer_gets_one_when_the_group_has_heard_lately),
      TEST(one_question_for_the_group_among_others_is_enough),
      TEST(a_plain_resolver_is_answered_alone),
      TEST(on_another_link_a_name_is_not_known),
      TEST(what_the_query_knows_is_not_told_again),
      cmocka_unit_test(names_are_found_among_many),
      cmocka_unit_test(names_without_an_interface_ask_for_no_timer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
