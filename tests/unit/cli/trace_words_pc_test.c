#include "trace_fixture.h"
#include "trace_words.h"

typedef struct saying {
  const char *event, *members, *text;
  floe__words_tone tone;
  bool is_detail;
} saying;

static void expect_sayings(const saying *rows, size_t n) {
  floe__story s = {0};
  for (size_t i = 0; i < n; i++) {
    floe__words w;
    floe__trace_line line = make_line(1, rows[i].event, rows[i].members);
    assert_true(floe__words_make(&w, &s, &line));
    assert_string_equal(w.text, rows[i].text);
    assert_int_equal(w.tone, rows[i].tone);
    assert_int_equal(w.is_detail, rows[i].is_detail);
    floe__trace_line_clear(&line);
  }
  floe__story_clear(&s);
}

#define EXPECT(rows) expect_sayings(rows, sizeof(rows) / sizeof(rows)[0])
#define PLAIN        FLOE__TONE_PLAIN
#define GOOD         FLOE__TONE_GOOD
#define BAD          FLOE__TONE_BAD

static void signalling_is_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"pc.description", ",'side':'local','type':'offer','sections':1,'data':1,'restart':0,'candidates':0",
       "our offer is set: 1 section", PLAIN, false},
      {"pc.description", ",'side':'remote','type':'answer','sections':3,'data':0,'restart':1,'candidates':2",
       "the peer's answer is set: 3 sections, none for channels, 2 candidates, restarts ICE", PLAIN, false},
      {"pc.description", ",'side':'local','type':'rollback'", "our offer is rolled back", PLAIN, false},
      {"pc.description.refused", ",'side':'remote','type':'offer','status':'FLOE_E_SYNTAX'",
       "the peer's offer is refused: FLOE_E_SYNTAX", BAD, false},
      {"pc.signaling", ",'from':'stable','to':'have-local-offer'", "signalling: stable -> have-local-offer", PLAIN,
       true},
      {"pc.state", ",'from':'new','to':'connecting'", "connection: new -> connecting", PLAIN, false},
      {"pc.state", ",'from':'connecting','to':'connected'", "connection: connecting -> connected", GOOD, false},
      {"pc.state", ",'from':'connecting','to':'failed','cause':'dtls_alert'",
       "connection: connecting -> failed: dtls_alert", BAD, false},
  };
  EXPECT(rows);
}

static void dtls_is_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"pc.dtls", ",'from':'new','to':'connecting'", "DTLS transport: new -> connecting", PLAIN, true},
      {"dtls.state", ",'from':'new','to':'handshake','role':'client'", "the DTLS handshake begins, as client", PLAIN,
       false},
      {"dtls.state", ",'from':'handshake','to':'open','version':'DTLSv1.2','cipher':'A_CIPHER','group':'x25519'",
       "DTLS is established: DTLSv1.2, A_CIPHER, x25519", GOOD, false},
      {"dtls.state", ",'from':'handshake','to':'open','version':'DTLSv1.2','cipher':'A_CIPHER'",
       "DTLS is established: DTLSv1.2, A_CIPHER", GOOD, false},
      {"dtls.state", ",'from':'handshake','to':'failed','cause':'dtls_alert','alert_received':40",
       "DTLS failed: dtls_alert (the DTLS handshake failed, or the peer ended the session by an alert); alert 40 "
       "(handshake_failure) received",
       BAD, false},
      {"dtls.state", ",'from':'handshake','to':'failed','cause':'dtls_fingerprint','alert_sent':200",
       "DTLS failed: dtls_fingerprint (the peer's certificate is not the one that its description names); alert 200 "
       "sent",
       BAD, false},
      {"dtls.state", ",'from':'open','to':'closed','alert_received':0,'alert_sent':0", "DTLS is closed by the peer",
       PLAIN, false},
      {"dtls.state", ",'from':'open','to':'closed','alert_sent':0", "DTLS is closed by us", PLAIN, false},
  };
  EXPECT(rows);
}

static void sctp_is_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"sctp.state", ",'from':'new','to':'connecting'", "SCTP: new -> connecting", PLAIN, true},
      {"sctp.state", ",'to':'connected','streams_in':1024,'streams_out':1024,'interleaving':1",
       "the SCTP association is up: 1024 streams, interleaved", GOOD, false},
      {"sctp.state", ",'to':'connected','streams_in':10,'streams_out':20,'interleaving':0",
       "the SCTP association is up: 10 and 20 streams", GOOD, false},
      {"sctp.state", ",'to':'closed','cause':'none'", "the SCTP association is closed", PLAIN, false},
      {"sctp.state", ",'to':'closed','cause':'sctp_timeout','text':'INIT was not answered'",
       "the SCTP association is closed: sctp_timeout (the peer's SCTP no longer answers, or never did): INIT was not "
       "answered",
       BAD, false},
      {"sctp.state", ",'to':'closed','cause':'sctp_abort','by':'us','code':12,'text':'the connection was closed'",
       "the SCTP association is aborted by us: the connection was closed", PLAIN, false},
      {"sctp.state", ",'to':'closed','cause':'sctp_abort','by':'peer','code':13,'text':'Protocol Violation'",
       "the SCTP association is aborted by the peer with code 13: Protocol Violation", BAD, false},
      {"sctp.state", ",'to':'closed','cause':'sctp_abort','by':'peer'", "the SCTP association is aborted by the peer",
       BAD, false},
  };
  EXPECT(rows);
}

static void channels_are_told(void **state) {
  (void)state;
  static const saying rows[] = {
      {"pc.channel.made", ",'channel':1,'by':'us','negotiated':0,'ordered':1", "channel 1 is made", PLAIN, false},
      {"pc.channel.made", ",'channel':2,'stream':0,'by':'us','negotiated':1,'ordered':0,'max_lifetime_ms':300",
       "channel 2 is made, stream 0, negotiated, unordered, for at most 300 ms", PLAIN, false},
      {"pc.channel.made", ",'channel':3,'stream':7,'by':'peer','ordered':1,'max_retransmits':0",
       "channel 3 is announced by the peer, stream 7, at most 0 retransmissions", PLAIN, false},
      {"pc.channel", ",'channel':3,'from':'connecting','to':'open'", "channel 3 is open", GOOD, false},
      {"pc.channel", ",'channel':3,'from':'open','to':'closing'", "channel 3 is closing", PLAIN, true},
      {"pc.channel", ",'channel':3,'from':'closing','to':'closed'", "channel 3 is closed", PLAIN, false},
      {"pc.channel.message", ",'channel':3,'first':'sent','bytes':1", "channel 3: first message sent, 1 byte", PLAIN,
       false},
      {"pc.channel.message", ",'channel':3,'first':'received','bytes':0", "channel 3: first message received, 0 bytes",
       PLAIN, false},
  };
  EXPECT(rows);
}

/* Where ICE is one layer of a connection it is called so. */
static void ice_is_a_layer(void **state) {
  (void)state;
  floe__story s = {0};
  floe__words w;
  floe__trace_line line = make_line(2, "ice.state", ",'agent':1,'from':'new','to':'checking'");
  floe__story_add(&s, &line);
  assert_true(floe__words_make(&w, &s, &line));
  assert_string_equal(w.text, "connection: new -> checking");
  add_line(&s, 1, "pc.signaling", ",'agent':1,'from':'stable','to':'have-local-offer'");
  assert_true(floe__words_make(&w, &s, &line));
  assert_string_equal(w.text, "ICE: new -> checking");
  floe__trace_line_clear(&line);
  floe__story_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signalling_is_told), cmocka_unit_test(dtls_is_told),   cmocka_unit_test(sctp_is_told),
      cmocka_unit_test(channels_are_told),  cmocka_unit_test(ice_is_a_layer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
