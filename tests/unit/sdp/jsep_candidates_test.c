/* Candidates in a description. */
#include "fixture.h"

#define C1 "candidate:1 1 udp 2113937151 192.0.2.1 54220 typ host"
#define C2 "candidate:2 1 udp 1677729535 198.51.100.1 54220 typ srflx raddr 192.0.2.1 rport 54220"

static void assert_appended(const bed *b, const char *text, const floe__jsep_candidates *c, const char *expected) {
  char *out;
  assert_true(floe__jsep_append_candidates(b->env, text, c, &out));
  assert_string_equal(out, expected);
  floe__free(b->env, out);
}

static const char *const both[] = {C1, C2};

static void go_to_the_end_of_their_section(void **state) {
  floe__jsep_candidates c = {.mid = "1", .candidates = both, .n_candidates = 2, .is_ended = true};
  assert_appended(*state, HEAD AUDIO "a=mid:0\r\n" DATA "a=mid:1\r\n" AUDIO "a=mid:2\r\n", &c,
                  HEAD AUDIO "a=mid:0\r\n" DATA "a=mid:1\r\na=" C1 "\r\na=" C2 "\r\na=end-of-candidates\r\n" AUDIO
                             "a=mid:2\r\n");
  assert_appended(*state, HEAD DATA "a=mid:1\r\n", &c,
                  HEAD DATA "a=mid:1\r\na=" C1 "\r\na=" C2 "\r\na=end-of-candidates\r\n");
}

static void none_change_nothing(void **state) {
  floe__jsep_candidates c = {.mid = "1"};
  assert_appended(*state, HEAD DATA "a=mid:1\r\n", &c, HEAD DATA "a=mid:1\r\n");
}

static void the_default_shows_in_the_section(void **state) {
  floe__jsep_candidates c = {.mid = "1", .candidates = both, .n_candidates = 1};
  assert_true(floe_addr_parse(&c.default_addr, "192.0.2.1:54220"));
  assert_appended(*state, HEAD DATA "a=mid:0\r\n" DATA "a=mid:1\r\n", &c,
                  HEAD DATA
                  "a=mid:0\r\nm=application 54220 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 192.0.2.1\r\n"
                  "a=mid:1\r\na=" C1 "\r\n");
  assert_true(floe_addr_parse(&c.default_addr, "[2001:db8::1]:1"));
  c.n_candidates = 0;
  assert_appended(*state, HEAD DATA "a=mid:1\r\n", &c,
                  HEAD "m=application 1 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP6 2001:db8::1\r\na=mid:1\r\n");
}

static void no_such_section_changes_nothing(void **state) {
  floe__jsep_candidates c = {.mid = "1", .candidates = both, .n_candidates = 2, .is_ended = true};
  assert_true(floe_addr_parse(&c.default_addr, "192.0.2.1:54220"));
  assert_appended(*state, HEAD DATA "a=mid:10\r\n", &c, HEAD DATA "a=mid:10\r\n");
  assert_appended(*state, HEAD DATA "a=mid:\r\n", &c, HEAD DATA "a=mid:\r\n");
  assert_appended(*state, HEAD DATA, &c, HEAD DATA);
  assert_appended(*state, HEAD "a=mid:1\r\n", &c, HEAD "a=mid:1\r\n");
  assert_appended(*state, "", &c, "");
}

static void without_a_mid_the_first_that_is_not_rejected(void **state) {
  floe__jsep_candidates c = {.candidates = both, .n_candidates = 1};
  assert_appended(*state, HEAD "m=audio 0 RTP/AVP 0\r\n" DATA AUDIO, &c,
                  HEAD "m=audio 0 RTP/AVP 0\r\n" DATA "a=" C1 "\r\n" AUDIO);
  assert_appended(*state, HEAD "m=audio 0 RTP/AVP 0\r\n", &c, HEAD "m=audio 0 RTP/AVP 0\r\n");
}

static void a_missing_line_end_is_made(void **state) {
  floe__jsep_candidates c = {.mid = "1", .candidates = both, .n_candidates = 1};
  assert_appended(*state, HEAD DATA "a=mid:1", &c, HEAD DATA "a=mid:1\r\na=" C1 "\r\n");
}

static void the_end_of_memory_is_told(void **state) {
  bed *b = *state;
  floe__jsep_candidates c = {.mid = "1", .candidates = both, .n_candidates = 1};
  char *out = (char *)1;
  b->memory.fail_from = b->memory.calls + 1;
  assert_false(floe__jsep_append_candidates(b->env, HEAD DATA "a=mid:1\r\n", &c, &out));
  b->memory.fail_from = 0;
  assert_null(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(go_to_the_end_of_their_section),
      SDP_TEST(none_change_nothing),
      SDP_TEST(the_default_shows_in_the_section),
      SDP_TEST(no_such_section_changes_nothing),
      SDP_TEST(without_a_mid_the_first_that_is_not_rejected),
      SDP_TEST(a_missing_line_end_is_made),
      SDP_TEST(the_end_of_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
