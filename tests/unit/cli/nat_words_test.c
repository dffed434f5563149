/* Each behaviour in plain words: what it means, and who needs a TURN server. */
#include "nat_words.h"

#include <string.h>

#include "fixture.h"

static floe_nat_server_result servers[2];
static floe_nat_result r;

static int set_up(void **state) {
  (void)state;
  memset(servers, 0, sizeof servers);
  memset(&r, 0, sizeof r);
  r.servers = servers;
  r.n_servers = 1;
  r.mapped = servers[0].mapped = addr("203.0.113.1:40000");
  servers[0].server = addr("192.0.2.1:3478");
  return 0;
}

#define NONE FLOE_NAT_NONE
#define EI   FLOE_NAT_ENDPOINT_INDEPENDENT
#define AD   FLOE_NAT_ADDRESS_DEPENDENT
#define APD  FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT
#define UNK  FLOE_NAT_UNKNOWN

static void conclusions(void **state) {
  (void)state;
  static const struct {
    floe_nat_behaviour mapping, filtering;
    const char *begins;
  } rows[] = {
      {NONE, EI, "This host can be reached directly: no peer needs a TURN server because of it."},
      {NONE, AD, "Two such hosts connect directly, and so does a peer behind a symmetric NAT, "},
      {NONE, APD,
       "Two such hosts connect directly; a TURN server is needed only if the other side's NAT is symmetric."},
      {NONE, UNK, "There is no NAT. Whether a firewall keeps peers out is not known"},
      {EI, EI, "Any peer that can send UDP connects directly, even one behind a symmetric NAT: "},
      {EI, AD, "Two such hosts connect directly, and so does a peer behind a symmetric NAT, "},
      {EI, APD, "Two such hosts connect directly; a TURN server is needed only if the other side's NAT is symmetric."},
      {EI, UNK, "Two such hosts connect directly. Whether a TURN server is needed "},
      {AD, EI, "This NAT is symmetric: "},
      {AD, APD, "This NAT is symmetric: "},
      {APD, APD, "This NAT is symmetric: "},
      {FLOE_NAT_DEPENDENT, UNK, "This NAT is symmetric: "},
      {UNK, UNK, "UDP gets out through a NAT. Of what kind it is cannot be told from these servers: "},
  };
  floe_nat_certainty certainty;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    r.mapping = rows[i].mapping;
    r.filtering = rows[i].filtering;
    const char *words = floe__nat_words_conclusion(&r, &certainty);
    if (strncmp(words, rows[i].begins, strlen(rows[i].begins)) != 0) fail_msg("row %zu: %s", i, words);
  }
  r.mapped = (floe_addr){0};
  assert_memory_equal(floe__nat_words_conclusion(&r, &certainty), "Nothing is known: no server has answered over UDP.",
                      50);
}

/* As sure as the least of what it rests on: of a symmetric NAT filtering does not matter. */
static void certainties(void **state) {
  (void)state;
  floe_nat_certainty certainty;
  r.mapping = EI;
  r.filtering = APD;
  r.mapping_certainty = FLOE_NAT_CERTAIN;
  r.filtering_certainty = FLOE_NAT_LIKELY;
  (void)floe__nat_words_conclusion(&r, &certainty);
  assert_int_equal(certainty, FLOE_NAT_LIKELY);
  r.mapping = APD;
  (void)floe__nat_words_conclusion(&r, &certainty);
  assert_int_equal(certainty, FLOE_NAT_CERTAIN);
  r.mapping = EI;
  r.filtering = UNK;
  r.filtering_certainty = FLOE_NAT_GUESS;
  (void)floe__nat_words_conclusion(&r, &certainty);
  assert_int_equal(certainty, FLOE_NAT_CERTAIN);
}

static void mappings(void **state) {
  (void)state;
  static const char *const want[] = {
      "too little to compare: name a second server, or one with two addresses (RFC 5780)",
      "no NAT: servers see this host's own address",
      "one public port per local port, whoever is spoken to",
      "another public port for each address that is spoken to (symmetric)",
      "another public port for each address and port that is spoken to (symmetric)",
      "each server sees another public port (symmetric)"};
  for (int i = 0; i < 6; i++) {
    r.mapping = (floe_nat_behaviour)i;
    assert_string_equal(floe__nat_words_mapping(&r), want[i]);
  }
  r.mapping = UNK;
  r.mapped = (floe_addr){0};
  assert_string_equal(floe__nat_words_mapping(&r), "no server has answered over UDP");
}

static void filters(void **state) {
  (void)state;
  r.mapping = EI;
  r.filtering = EI;
  assert_string_equal(floe__nat_words_filtering(&r), "lets in whatever is sent to the public port");
  r.filtering = AD;
  assert_string_equal(floe__nat_words_filtering(&r), "lets in only addresses that this host has sent to");
  r.filtering = APD;
  assert_string_equal(floe__nat_words_filtering(&r), "lets in only addresses with the port that this host has sent to");
  r.mapping = NONE;
  assert_string_equal(floe__nat_words_filtering(&r),
                      "a firewall lets in only addresses with the port that this host has sent to");
  r.filtering = AD;
  assert_string_equal(floe__nat_words_filtering(&r), "a firewall lets in only addresses that this host has sent to");
  r.filtering = EI;
  assert_string_equal(floe__nat_words_filtering(&r), "no firewall on the way keeps out what nobody has asked for");
  r.filtering = UNK;
  assert_string_equal(floe__nat_words_filtering(&r), "only a server with two addresses (RFC 5780) can tell");
  servers[0].is_examined = true;
  assert_string_equal(floe__nat_words_filtering(&r),
                      "the server does not answer from its second address as it is asked to");
  r.mapped = (floe_addr){0};
  assert_string_equal(floe__nat_words_filtering(&r), "no server has answered over UDP");
}

static void hairpins_and_ports(void **state) {
  (void)state;
  assert_null(floe__nat_words_hairpin(&r));
  r.has_hairpin = true;
  assert_string_equal(floe__nat_words_hairpin(&r),
                      "what is sent to its public address from behind it is lost: two hosts there need another way");
  r.hairpin = true;
  assert_string_equal(floe__nat_words_hairpin(&r),
                      "what is sent to its public address from behind it comes in again: two hosts there can meet so");
  r.mapping = EI;
  assert_string_equal(floe__nat_words_ports(&r), "changed");
  r.same_port_parity = true;
  assert_string_equal(floe__nat_words_ports(&r), "changed; even stays even, odd stays odd");
  r.port_preserved = true;
  assert_string_equal(floe__nat_words_ports(&r), "the public port is the local one");
  r.mapping = NONE;
  assert_null(floe__nat_words_ports(&r));
}

static void caveats(void **state) {
  (void)state;
  assert_null(floe__nat_words_caveat(&r));
  r.has_loss = true;
  assert_memory_equal(floe__nat_words_caveat(&r), "Packets were lost ", 18);
  servers[0].server = addr("10.0.0.9:3478");
  assert_memory_equal(floe__nat_words_caveat(&r), "But the servers that answered are in a private network: ", 56);
  r.n_servers = 2;
  servers[1].mapped = r.mapped;
  servers[1].server = addr("192.0.2.1:3478"); /* one is public */
  r.has_loss = false;
  assert_null(floe__nat_words_caveat(&r));
  servers[1].mapped = (floe_addr){0}; /* and did not answer */
  assert_non_null(floe__nat_words_caveat(&r));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(conclusions, set_up),        cmocka_unit_test_setup(certainties, set_up),
      cmocka_unit_test_setup(mappings, set_up),           cmocka_unit_test_setup(filters, set_up),
      cmocka_unit_test_setup(hairpins_and_ports, set_up), cmocka_unit_test_setup(caveats, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
