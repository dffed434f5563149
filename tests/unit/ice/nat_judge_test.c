/* What the answers of servers say about a NAT: RFC 4787 4.1 and 5, and what is left when answers are missing. */
#include "ice/nat_judge.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"

static floe_addr addr(const char *text) {
  floe_addr a;
  if (!floe_addr_parse(&a, text)) fail_msg("no address: %s", text);
  return a;
}

/* The four ends of a server of RFC 5780, and two others. */
static const char *const servers[] = {"192.0.2.1:3478", "192.0.2.1:3479",    "192.0.2.2:3478",
                                      "192.0.2.2:3479", "198.51.100.1:3478", "198.51.100.2:3478"};

typedef struct mapping_row {
  const char *seen; /* per server: '.' no answer, 'L' the local address, else a letter for each mapping */
  floe_nat_behaviour behaviour;
  floe_nat_certainty certainty;
} mapping_row;

static const mapping_row mapping_rows[] = {
    {"......", FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    /* everybody answers */
    {"aaaa..", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_CERTAIN},
    {"aaaaaa", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_CERTAIN},
    {"aabb..", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_CERTAIN},
    {"aabbcd", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_CERTAIN},
    {"abcd..", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_CERTAIN},
    {"abcdef", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_CERTAIN},
    {"LLLL..", FLOE_NAT_NONE, FLOE_NAT_CERTAIN},
    {"LLLLLL", FLOE_NAT_NONE, FLOE_NAT_CERTAIN},
    /* no kind of NAT does this: nothing is certain */
    {"abab..", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_LIKELY},
    {"abbb..", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_LIKELY},
    {"aaab..", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_LIKELY},
    {"aaaab.", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_LIKELY},
    {"aabba.", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_LIKELY},
    {"LLLLa.", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_LIKELY}, /* one way out has a NAT, the other has none */
    /* one end does not answer */
    {"aaa...", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_LIKELY},
    {"a.a...", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_LIKELY},
    {"aab...", FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_LIKELY},
    {"a.b...", FLOE_NAT_DEPENDENT, FLOE_NAT_LIKELY},
    {"ab....", FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_LIKELY},
    {"aa....", FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    {"LL....", FLOE_NAT_NONE, FLOE_NAT_LIKELY},
    /* servers are compared */
    {"....aa", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_LIKELY},
    {"....ab", FLOE_NAT_DEPENDENT, FLOE_NAT_LIKELY},
    {"....LL", FLOE_NAT_NONE, FLOE_NAT_LIKELY},
    {"....aL", FLOE_NAT_DEPENDENT, FLOE_NAT_LIKELY},
    {"....a.", FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    {"....L.", FLOE_NAT_NONE, FLOE_NAT_LIKELY},
    {"aa..a.", FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_LIKELY},
    {"a...b.", FLOE_NAT_DEPENDENT, FLOE_NAT_LIKELY},
};

static size_t sights_of(const char *seen, floe__nat_sight out[6]) {
  size_t n = 0;
  for (size_t i = 0; i < 6; i++) {
    if (seen[i] == '.') continue;
    out[n] = (floe__nat_sight){.server = addr(servers[i]), .mapped = addr("203.0.113.1")};
    out[n].mapped.port = (uint16_t)(40000 + seen[i]);
    if (seen[i] == 'L') out[n].mapped = addr("10.0.0.1:50000");
    n++;
  }
  return n;
}

static void mappings(void **state) {
  (void)state;
  floe_addr local = addr("10.0.0.1:50000");
  for (size_t i = 0; i < sizeof mapping_rows / sizeof mapping_rows[0]; i++) {
    const mapping_row *row = &mapping_rows[i];
    floe__nat_sight sights[6];
    size_t n = sights_of(row->seen, sights);
    bool is_complete = memchr(row->seen, '.', 4) == NULL;
    floe__nat_judgement j = floe__nat_judge_mapping(sights, n, &local, is_complete);
    if (j.behaviour == row->behaviour && j.certainty == row->certainty) continue;
    fail_msg("%s: %s %s", row->seen, floe_nat_behaviour_name(j.behaviour), floe_nat_certainty_name(j.certainty));
  }
}

/* One and the same destination sees two mappings: the NAT has lost its state meanwhile. */
static void a_restless_nat(void **state) {
  (void)state;
  floe_addr local = addr("10.0.0.1:50000");
  floe__nat_sight sights[] = {{addr("192.0.2.1:3478"), addr("203.0.113.1:1")},
                              {addr("192.0.2.1:3478"), addr("203.0.113.1:2")}};
  floe__nat_judgement j = floe__nat_judge_mapping(sights, 2, &local, false);
  assert_int_equal(j.behaviour, FLOE_NAT_DEPENDENT);
  assert_int_equal(j.certainty, FLOE_NAT_LIKELY);
  sights[1].mapped = sights[0].mapped; /* told twice, and nothing more */
  j = floe__nat_judge_mapping(sights, 2, &local, false);
  assert_int_equal(j.behaviour, FLOE_NAT_UNKNOWN);
}

#define ANSWERED FLOE__NAT_ASK_ANSWERED
#define SILENT   FLOE__NAT_ASK_SILENT
#define REFUSED  FLOE__NAT_ASK_REFUSED

static const struct {
  floe__nat_filter_facts facts;
  floe_nat_behaviour behaviour;
  floe_nat_certainty certainty;
} filter_rows[] = {
    {{false, SILENT, SILENT, true, true, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    /* an answer is an answer, whatever else is lost */
    {{true, ANSWERED, ANSWERED, true, true, false}, FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_CERTAIN},
    {{true, ANSWERED, SILENT, false, false, true}, FLOE_NAT_ENDPOINT_INDEPENDENT, FLOE_NAT_CERTAIN},
    /* silence counts when who is silent can be heard, and nothing is lost */
    {{true, SILENT, ANSWERED, true, true, false}, FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_CERTAIN},
    {{true, SILENT, ANSWERED, true, true, true}, FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_LIKELY},
    {{true, SILENT, ANSWERED, false, true, false}, FLOE_NAT_ADDRESS_DEPENDENT, FLOE_NAT_GUESS},
    {{true, SILENT, SILENT, true, true, false}, FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_CERTAIN},
    {{true, SILENT, SILENT, true, true, true}, FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_LIKELY},
    {{true, SILENT, SILENT, false, true, false}, FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_CERTAIN},
    {{true, SILENT, SILENT, true, false, false}, FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT, FLOE_NAT_GUESS},
    {{true, SILENT, SILENT, false, false, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    /* refused, or answered from elsewhere: no silence */
    {{true, REFUSED, SILENT, true, true, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    {{true, REFUSED, ANSWERED, true, true, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    {{true, SILENT, REFUSED, true, true, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
    {{true, REFUSED, REFUSED, true, true, false}, FLOE_NAT_UNKNOWN, FLOE_NAT_GUESS},
};

static void filters(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof filter_rows / sizeof filter_rows[0]; i++) {
    floe__nat_judgement j = floe__nat_judge_filtering(&filter_rows[i].facts);
    if (j.behaviour == filter_rows[i].behaviour && j.certainty == filter_rows[i].certainty) continue;
    fail_msg("row %zu: %s %s", i, floe_nat_behaviour_name(j.behaviour), floe_nat_certainty_name(j.certainty));
  }
}

static void usable_other_addresses(void **state) {
  (void)state;
  static const struct {
    const char *server, *other;
    bool usable;
  } rows[] = {{"192.0.2.1:3478", "192.0.2.2:3479", true},     {"192.0.2.1:3478", "192.0.2.2:3478", false},
              {"192.0.2.1:3478", "192.0.2.1:3479", false},    {"192.0.2.1:3478", "192.0.2.2", false},
              {"192.0.2.1:3478", "0.0.0.0:3479", false},      {"192.0.2.1:3478", "10.0.0.2:3479", false},
              {"192.0.2.1:3478", "127.0.0.1:3479", false},    {"192.0.2.1:3478", "[2001:db8::2]:3479", false},
              {"10.0.0.1:3478", "10.0.0.2:3479", true},       {"127.0.0.1:3478", "127.0.0.2:3479", true},
              {"10.0.0.1:3478", "192.0.2.2:3479", true},      {"[2001:db8::1]:3478", "[2001:db8::2]:3479", true},
              {"[2001:db8::1]:3478", "[fd00::2]:3479", false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_addr server = addr(rows[i].server), other = addr(rows[i].other);
    if (floe__nat_is_usable_other(&server, &other) != rows[i].usable) fail_msg("%s %s", rows[i].server, rows[i].other);
  }
}

static void names(void **state) {
  (void)state;
  static const char *const behaviours[] = {
      "unknown", "none", "endpoint-independent", "address-dependent", "address-and-port-dependent", "dependent"};
  for (size_t i = 0; i < 6; i++) assert_string_equal(floe_nat_behaviour_name((floe_nat_behaviour)i), behaviours[i]);
  assert_string_equal(floe_nat_certainty_name(FLOE_NAT_GUESS), "guess");
  assert_string_equal(floe_nat_certainty_name(FLOE_NAT_LIKELY), "likely");
  assert_string_equal(floe_nat_certainty_name(FLOE_NAT_CERTAIN), "certain");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mappings), cmocka_unit_test(a_restless_nat),
      cmocka_unit_test(filters),  cmocka_unit_test(usable_other_addresses),
      cmocka_unit_test(names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
