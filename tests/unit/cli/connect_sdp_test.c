/* From a description to a ticket and back: what matters is still there. */
#include "connect_sdp.h"

#include "connect_fixture.h"

static const char offer[] =
    "v=0\r\n"
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "a=ice-options:trickle ice2\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:0\r\n"
    "a=ice-ufrag:8hhY\r\n"
    "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:"
    "ee:ff\r\n"
    "a=setup:actpass\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n"
    "a=candidate:4057218 1 udp 2130706431 192.0.2.17 50123 typ host\r\n"
    "a=candidate:4057218 2 udp 2130706430 192.0.2.17 50124 typ host\r\n"
    "a=candidate:77 1 udp 2130706175 2001:db8::17 50125 typ host generation 0\r\n"
    "a=candidate:4057218 1 tcp 1518280447 192.0.2.17 9 typ host tcptype active\r\n"
    "a=candidate:x1 1 udp 2122260223 2f6ad1a5-9d45-4a08-b4ec-d5a2f7d4f3d0.local 50126 typ host\r\n"
    "a=candidate:9 1 udp 1694498815 203.0.113.5 61000 typ srflx raddr 192.0.2.17 rport 50123\r\n"
    "a=end-of-candidates\r\n";

static const char rebuilt[] =
    "v=0\r\n"
    "o=- 1 1 IN IP4 0.0.0.0\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:0\r\n"
    "a=ice-ufrag:8hhY\r\n"
    "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
    "a=ice-options:ice2\r\n"
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"
    "EE:FF\r\n"
    "a=setup:actpass\r\n"
    "a=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.17 50123 typ host\r\n"
    "a=candidate:2 1 udp 2130706175 2001:db8::17 50125 typ host\r\n"
    "a=candidate:1 1 tcp 1518280447 192.0.2.17 9 typ host tcptype active\r\n"
    "a=candidate:3 1 udp 2122260223 2f6ad1a5-9d45-4a08-b4ec-d5a2f7d4f3d0.local 50126 typ host\r\n"
    "a=candidate:4 1 udp 1694498815 203.0.113.5 61000 typ srflx raddr 0.0.0.0 rport 9\r\n"
    "a=end-of-candidates\r\n";

static floe__ticket t;
static char why[160];

static void there_and_back(void **state) {
  (void)state;
  char text[FLOE__TICKET_TEXT];
  floe__ticket again;
  floe__ticket_error error;
  assert_true(floe__ticket_from_sdp(&t, offer, why, sizeof why));
  assert_int_equal(t.n_candidates, 5);
  assert_true(floe__ticket_write(&t, text, sizeof text) > 0);
  assert_int_equal(floe__ticket_read(&again, text, &error), FLOE__TICKET_OK);
  char *sdp = floe__ticket_to_sdp(&again);
  assert_string_equal(sdp, rebuilt);
  free(sdp);
}

/* Reading what was written gives the same ticket. */
static void what_is_rebuilt_is_the_same_ticket(void **state) {
  (void)state;
  floe__ticket again;
  assert_true(floe__ticket_from_sdp(&t, offer, why, sizeof why));
  char *sdp = floe__ticket_to_sdp(&t);
  assert_true(floe__ticket_from_sdp(&again, sdp, why, sizeof why));
  expect_same_ticket(&t, &again);
  free(sdp);
}

static void setups_and_lite(void **state) {
  (void)state;
  static const char *const words[] = {"actpass", "active", "passive"};
  for (int i = 0; i < 3; i++) {
    floe__ticket *typical = ticket_typical();
    char line[40];
    typical->setup = (floe__ticket_setup)i;
    typical->is_lite = i == 1;
    (void)snprintf(line, sizeof line, "\r\na=setup:%s\r\n", words[i]);
    char *sdp = floe__ticket_to_sdp(typical);
    expect_contains(sdp, line);
    assert_true(floe__ticket_from_sdp(&t, sdp, why, sizeof why));
    expect_same_ticket(typical, &t);
    free(sdp);
    free(typical);
  }
}

static void lacks(const char *line, const char *sentence) {
  char sdp[sizeof offer], *at;
  strcpy(sdp, offer);
  at = strstr(sdp, line);
  assert_non_null(at);
  at[2] = '?';
  assert_false(floe__ticket_from_sdp(&t, sdp, why, sizeof why));
  assert_string_equal(why, sentence);
}

static void what_is_missing_is_told(void **state) {
  (void)state;
  lacks("a=ice-ufrag", "the session description lacks ICE parameters");
  lacks("a=ice-pwd", "the session description lacks ICE parameters");
  lacks("a=fingerprint", "the session description lacks a fingerprint that a ticket can hold");
  lacks("sha-256", "the session description lacks a fingerprint that a ticket can hold");
  lacks("a=mid:", "the session description lacks a data section");
}

/* RFC 8841 6.1. */
static void without_a_message_size_it_is_64_kib(void **state) {
  (void)state;
  char sdp[sizeof offer];
  strcpy(sdp, offer);
  strstr(sdp, "a=max-message-size")[2] = '?';
  assert_true(floe__ticket_from_sdp(&t, sdp, why, sizeof why));
  assert_int_equal(t.max_message_size, 65536);
}

static void of_too_many_the_best_are_kept(void **state) {
  (void)state;
  static char sdp[32768];
  size_t n = (size_t)snprintf(sdp, sizeof sdp, "%.*s", (int)(strstr(offer, "a=candidate") - offer), offer);
  for (int i = 0; i < FLOE__TICKET_CANDIDATES + 20; i++) {
    n += (size_t)snprintf(sdp + n, sizeof sdp - n, "a=candidate:%d 1 udp %d 192.0.2.1 %d typ host\r\n", i, 1000 + i,
                          2000 + i);
  }
  assert_true(floe__ticket_from_sdp(&t, sdp, why, sizeof why));
  assert_int_equal(t.n_candidates, FLOE__TICKET_CANDIDATES);
  for (size_t i = 0; i < t.n_candidates; i++) assert_true(t.candidates[i].priority >= 1020);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(there_and_back),
      cmocka_unit_test(what_is_rebuilt_is_the_same_ticket),
      cmocka_unit_test(setups_and_lite),
      cmocka_unit_test(what_is_missing_is_told),
      cmocka_unit_test(without_a_message_size_it_is_64_kib),
      cmocka_unit_test(of_too_many_the_best_are_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
