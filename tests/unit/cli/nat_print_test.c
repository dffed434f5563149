/* What floe nat prints: for people, and as JSON lines. */
#include "nat_print.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static floe__nat_plan plan;
static floe__nat_options options;
static const char *urls[] = {"stun:192.0.2.1", "stun:192.0.2.9"};
static floe_nat_server_result servers[2];
static floe_nat_result result;
static floe__nat_findings f;
static fixture fix;
static char *text;
static size_t len;

static void fill_result(void) {
  servers[0] = (floe_nat_server_result){.server = addr("192.0.2.1:3478"),
                                        .mapped = addr("203.0.113.1:40000"),
                                        .other = addr("192.0.2.2:3479"),
                                        .is_examined = true,
                                        .has_rtt = true,
                                        .rtt_ms = 10};
  servers[1] = (floe_nat_server_result){.cause = FLOE_CAUSE_UDP_TIMEOUT, .server = addr("192.0.2.9:3478")};
  result = (floe_nat_result){.local = addr("10.0.0.1:50000"),
                             .interface = "eth0",
                             .mapped = addr("203.0.113.1:40000"),
                             .mapping = FLOE_NAT_ENDPOINT_INDEPENDENT,
                             .mapping_certainty = FLOE_NAT_CERTAIN,
                             .filtering = FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT,
                             .filtering_certainty = FLOE_NAT_LIKELY,
                             .has_hairpin = true,
                             .same_port_parity = true,
                             .has_loss = true,
                             .servers = servers,
                             .n_servers = 2,
                             .elapsed_ms = 2520};
}

static void fill_report(void) {
  static const floe_cause causes[] = {FLOE_CAUSE_AUTH_REJECTED, FLOE_CAUSE_TLS_UNTRUSTED, FLOE_CAUSE_TCP_REFUSED,
                                      FLOE_CAUSE_TCP_TIMEOUT};
  memset(&fix, 0, sizeof fix);
  for (size_t i = 0; i < 4; i++) {
    floe_server_report *s = fixture_server(&fix, "", FLOE_VERDICT_FAILED, causes[i]);
    floe_attempt_report *a = fixture_bad(&fix, s, "192.0.2.1:1", causes[i]);
    a->has_connect_ms = i < 2;
    a->connect_ms = 11;
  }
}

static int set_up(void **state) {
  (void)state;
  floe_error why;
  options = (floe__nat_options){.urls = urls, .n_urls = 2, .tls_port = 443};
  assert_true(floe__nat_plan_make(&plan, &options, &why));
  fill_result();
  fill_report();
  const floe_nat_result *results[2] = {&result, NULL};
  floe__nat_findings_make(&f, &plan, results, &fix.report);
  f.elapsed_ms = 4000;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free(text);
  text = NULL;
  return 0;
}

static void print(bool verbose) {
  floe__human h;
  FILE *out = open_memstream(&text, &len);
  floe__human_init(&h, out, verbose, 0);
  floe__nat_print(&h, &f);
  (void)fclose(out);
}

static void for_people(void **state) {
  (void)state;
  print(false);
  assert_string_equal(
      text,
      "PASS stun:192.0.2.1\n"
      "  IPv4         192.0.2.1:3478 sees 203.0.113.1:40000 in 10.0 ms; it has two addresses (RFC 5780)\n"
      "  TCP 3478     gets out: the server has answered in 11.0 ms (auth_rejected)\n"
      "  TLS 443      gets out: connected (tls_untrusted)\n"
      "\n"
      "FAIL stun:192.0.2.9\n"
      "  IPv4         udp_timeout: no answer over UDP\n"
      "  TCP 3478     refused: nobody listens there, or a firewall says so (tcp_refused)\n"
      "  TLS 443      nothing came back (tcp_timeout)\n"
      "\n"
      "IPv4 from 10.0.0.1:50000 (eth0), seen as 203.0.113.1:40000\n"
      "  mapping      endpoint-independent (certain): one public port per local port, whoever is spoken to\n"
      "  filtering    address-and-port-dependent (likely): lets in only addresses with the port that this host has "
      "sent to\n"
      "  hairpin      no: what is sent to its public address from behind it is lost: two hosts there need another way\n"
      "  ports        changed; even stays even, odd stays odd\n"
      "  Two such hosts connect directly; a TURN server is needed only if the other side's NAT is symmetric. (likely)\n"
      "  Packets were lost while it was tried what is let in: run it again to be surer.\n"
      "\n"
      "gets out: UDP, TCP, TLS\n");
}

static void verbose_says_what_to_try(void **state) {
  (void)state;
  print(true);
  assert_non_null(strstr(text, "udp_timeout: no answer over UDP\n               try: "));
  assert_non_null(strstr(text, "(tcp_refused)\n               try: "));
  assert_null(strstr(text, "(auth_rejected)\n               try: ")); /* it has answered: nothing is wrong */
}

static void nothing_is_known(void **state) {
  (void)state;
  result = (floe_nat_result){.servers = servers, .n_servers = 2};
  for (size_t i = 0; i < 2; i++) servers[i] = (floe_nat_server_result){.cause = FLOE_CAUSE_NO_LOCAL_ADDRESS};
  const floe_nat_result *results[2] = {&result, NULL};
  floe__nat_findings_make(&f, &plan, results, NULL);
  print(false);
  assert_string_equal(
      text,
      "FAIL stun:192.0.2.1\n"
      "  IPv4         no_local_address: this host has no usable address of a family that the server has\n"
      "\n"
      "FAIL stun:192.0.2.9\n"
      "  IPv4         no_local_address: this host has no usable address of a family that the server has\n"
      "\n"
      "IPv4\n"
      "  mapping      unknown: no server has answered over UDP\n"
      "  filtering    unknown: no server has answered over UDP\n"
      "  Nothing is known: no server has answered over UDP. If UDP is blocked here, only a TURN server over TCP or TLS "
      "helps.\n"
      "\n");
}

static void each_way_has_its_word(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    f.ways[i][FLOE__NAT_UDP].reach = FLOE__NAT_REACH_BLOCKED;
    f.ways[i][FLOE__NAT_TCP].reach = FLOE__NAT_REACH_SPOILED;
    f.ways[i][FLOE__NAT_TLS].reach = FLOE__NAT_REACH_REFUSED;
  }
  print(false);
  assert_non_null(strstr(text, "\nanswered by something else: TCP; refused: TLS; no answer: UDP\n"));
  assert_memory_equal(text, "FAIL stun:192.0.2.1\n", 20);
  free(text);
  f.ways[0][FLOE__NAT_TLS].reach = FLOE__NAT_REACH_CONNECTED; /* reached, and not over UDP */
  f.ways[1][FLOE__NAT_TCP].reach = FLOE__NAT_REACH_UNKNOWN;
  print(false);
  assert_memory_equal(text, "WARN stun:192.0.2.1\n", 20);
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void json_lines(void **state) {
  (void)state;
  FILE *out = open_memstream(&text, &len);
  floe__nat_print_json(out, &f);
  (void)fclose(out);
  assert_string_equal(
      text,
      "{\"type\":\"server\",\"url\":\"stun:192.0.2.1\",\"family\":4,\"cause\":null,\"server\":\"192.0.2.1:3478\","
      "\"mapped\":\"203.0.113.1:40000\",\"other\":\"192.0.2.2:3479\",\"examined\":true,\"rttMs\":10.0}\n"
      "{\"type\":\"server\",\"url\":\"stun:192.0.2.9\",\"family\":4,\"cause\":\"udp_timeout\",\"server\":"
      "\"192.0.2.9:3478\",\"mapped\":null,\"other\":null,\"examined\":false,\"rttMs\":null}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.1\",\"transport\":\"udp\",\"port\":3478,\"reach\":\"open\","
      "\"cause\":null,\"ms\":10.0}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.1\",\"transport\":\"tcp\",\"port\":3478,\"reach\":\"open\","
      "\"cause\":\"auth_rejected\",\"ms\":11.0}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.1\",\"transport\":\"tls\",\"port\":443,\"reach\":\"connected\","
      "\"cause\":\"tls_untrusted\",\"ms\":null}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.9\",\"transport\":\"udp\",\"port\":3478,\"reach\":\"blocked\","
      "\"cause\":\"udp_timeout\",\"ms\":null}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.9\",\"transport\":\"tcp\",\"port\":3478,\"reach\":\"refused\","
      "\"cause\":\"tcp_refused\",\"ms\":null}\n"
      "{\"type\":\"transport\",\"url\":\"stun:192.0.2.9\",\"transport\":\"tls\",\"port\":443,\"reach\":\"blocked\","
      "\"cause\":\"tcp_timeout\",\"ms\":null}\n"
      "{\"type\":\"nat\",\"family\":4,\"local\":\"10.0.0.1:50000\",\"interface\":\"eth0\",\"mapped\":"
      "\"203.0.113.1:40000\",\"mapping\":\"endpoint-independent\",\"mappingCertainty\":\"certain\",\"filtering\":"
      "\"address-and-port-dependent\",\"filteringCertainty\":\"likely\",\"hairpin\":false,\"portPreserved\":false,"
      "\"samePortParity\":true,\"loss\":true,\"elapsedMs\":2520.0,\"conclusion\":\"Two such hosts connect directly; a "
      "TURN server is needed only if the other side's NAT is "
      "symmetric.\",\"certainty\":\"likely\",\"caveat\":\"Packets "
      "were lost while it was tried what is let in: run it again to be surer.\"}\n"
      "{\"type\":\"summary\",\"udp\":\"open\",\"tcp\":\"open\",\"tls\":\"connected\",\"elapsedMs\":4000.0}\n");
}

/* Each line is an object by itself, whatever is missing. */
static void lines_of_nothing(void **state) {
  (void)state;
  result = (floe_nat_result){.servers = servers, .n_servers = 2};
  for (size_t i = 0; i < 2; i++) servers[i] = (floe_nat_server_result){.cause = FLOE_CAUSE_DNS_NXDOMAIN};
  const floe_nat_result *results[2] = {NULL, &result};
  floe__nat_findings_make(&f, &plan, results, NULL);
  f.plan = &plan;
  FILE *out = open_memstream(&text, &len);
  floe__nat_print_json(out, &f);
  (void)fclose(out);
  size_t lines = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
    *end = '\0';
    json_t *object = json_loads(line, 0, NULL);
    assert_true(json_is_object(object));
    assert_true(json_is_string(json_object_get(object, "type")));
    json_decref(object);
  }
  assert_int_equal(lines, 6); /* two servers, UDP to each, the family, the summary */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(for_people, set_up, tear_down),
      cmocka_unit_test_setup_teardown(verbose_says_what_to_try, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nothing_is_known, set_up, tear_down),
      cmocka_unit_test_setup_teardown(each_way_has_its_word, set_up, tear_down),
      cmocka_unit_test_setup_teardown(json_lines, set_up, tear_down),
      cmocka_unit_test_setup_teardown(lines_of_nothing, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
