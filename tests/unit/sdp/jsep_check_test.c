/* What a description must fit. */
#include "fixture.h"

typedef struct check_row {
  bool is_offer;
  const char *text;
  uint32_t line; /* 0 and no message: accepted */
  const char *message;
} check_row;

#define REJECTED "m=audio 0 RTP/AVP 0\r\n"
#define ONLY     "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=bundle-only\r\n"
#define SETUP(x) "a=fingerprint:sha-256 " PRINT "\r\na=setup:" x "\r\n"

static const check_row check_rows[] = {
    {true, HEAD, 0, NULL},
    {true, HEAD AUDIO, 0, NULL}, /* what we reject needs nothing */
    {true, HEAD DATA ICE DTLS, 0, NULL},
    {true, HEAD ICE DTLS DATA, 0, NULL},
    {true, HEAD DATA ICE SETUP("active"), 0, NULL},
    {true, HEAD DATA ICE SETUP("passive"), 0, NULL},
    {false, HEAD DATA ICE SETUP("active"), 0, NULL},
    {true, HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n", 0, NULL},
    {true, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO "a=mid:0\r\n" ICE DTLS ONLY, 0, NULL},
    {true, HEAD "a=group:LS 7 7\r\na=group:LS 7\r\n" AUDIO, 0, NULL},
    {true, HEAD "a=group:BUNDLE 0\r\na=group:BUNDLE 1\r\n" AUDIO "a=mid:0\r\n" AUDIO "a=mid:1\r\n", 0, NULL},

    {true, HEAD AUDIO "a=mid:0\r\n" AUDIO "a=mid:0\r\n", 10, "two sections have the mid \"0\" (RFC 5888 9.2)"},
    {true, HEAD "a=group:BUNDLE 0\r\n" AUDIO, 5, "the BUNDLE group names \"0\", which is no section"},
    {true, HEAD "a=group:LS 9\r\na=group:BUNDLE 0 0\r\n" AUDIO "a=mid:0\r\n", 6,
     "the BUNDLE group names \"0\", which is in one already"},
    {true, HEAD "a=group:BUNDLE 0\r\na=group:BUNDLE 0\r\n" AUDIO "a=mid:0\r\n", 6,
     "the BUNDLE group names \"0\", which is in one already"},
    {true, HEAD DATA DTLS, 5, "the transport of the data section has no a=ice-ufrag"},
    {true, HEAD DATA "a=ice-ufrag:abcd\r\n" DTLS, 5, "the transport of the data section has no a=ice-pwd"},
    {true, HEAD DATA ICE "a=setup:actpass\r\n", 5, "the transport of the data section has no a=fingerprint"},
    {true, HEAD DATA ICE "a=fingerprint:sha-256 " PRINT "\r\n", 5,
     "the transport of the data section has no a=setup (RFC 8842 5.1)"},
    {true, HEAD DATA ICE SETUP("holdconn"), 10, "a=setup:holdconn has no DTLS connection"},
    {false, HEAD DATA ICE SETUP("actpass"), 10,
     "an answer chooses: a=setup:active or passive, not actpass (RFC 8842 5.3)"},
    {true, HEAD DATA ICE DTLS "a=sctp-port:0\r\n", 11, "SCTP port 0 is none"},
    {true, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO "a=mid:0\r\n" DTLS ONLY, 11,
     "the transport of the data section has no a=ice-ufrag"},
    {true, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO "a=mid:0\r\n" ICE ONLY, 6,
     "the transport of the data section has no a=fingerprint"},
    {true, HEAD ONLY, 7, "a=bundle-only in a section of no BUNDLE group"},
    {true, HEAD "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n", 6, "a=bundle-only in a section of no BUNDLE group"},
    {false, HEAD "a=group:BUNDLE 1\r\n" ICE SETUP("active") ONLY, 12, "an answer has no a=bundle-only (RFC 9143 7.3)"},
};

static void checks_one_description(void **state) {
  bed *b = *state;
  for (size_t i = 0; i < sizeof check_rows / sizeof check_rows[0]; i++) {
    const check_row *row = &check_rows[i];
    floe__sdp *sdp = parse_ok(b, row->text);
    floe_error why;
    floe_status st = floe__jsep_check(sdp, row->is_offer, &why);
    if (row->message == NULL)
      assert_int_equal(st, FLOE_OK);
    else
      assert_refused(st, &why, FLOE_E_ACCESS, row->line, row->message);
    assert_int_equal(floe__jsep_check(sdp, row->is_offer, NULL), st);
    floe__sdp_free(sdp);
  }
}

typedef struct pair_row {
  const char *now, *before; /* the text that is checked, and what it must fit */
  uint32_t line;
  const char *message;
} pair_row;

#define DATA_0 DATA "a=mid:0\r\n"

static const pair_row reoffer_rows[] = {
    {HEAD DATA_0, HEAD DATA_0, 0, NULL},
    {HEAD DATA_0 AUDIO, HEAD DATA_0, 0, NULL},
    {HEAD REJECTED DATA_0, HEAD AUDIO DATA_0, 0, NULL},
    /* the place of what was rejected, or of what our answer rejects, is free */
    {HEAD "m=video 9 RTP/AVP 9\r\na=mid:7\r\n" DATA_0, HEAD AUDIO "a=mid:a\r\n" DATA_0, 0, NULL},
    {HEAD AUDIO, HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n", 0, NULL},
    {HEAD DATA "a=mid:new\r\n", HEAD DATA, 0, NULL},
    {HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n", HEAD DATA_0, 0, NULL},

    {HEAD, HEAD DATA_0, 0, "there were 1 sections, and there are 0 (RFC 3264 8)"},
    {HEAD DATA_0, HEAD DATA_0 AUDIO, 0, "there were 2 sections, and there are 1 (RFC 3264 8)"},
    {HEAD AUDIO "a=mid:0\r\n", HEAD DATA_0, 5, "this section was of kind application (RFC 3264 8.2)"},
    {HEAD AUDIO DATA_0, HEAD DATA_0 AUDIO, 5, "this section was of kind application (RFC 3264 8.2)"},
    {HEAD DATA "a=mid:1\r\n", HEAD DATA_0, 7, "this section had the mid \"0\" (RFC 9429 5.2.2)"},
    {HEAD DATA, HEAD DATA_0, 5, "this section had the mid \"0\" (RFC 9429 5.2.2)"},
};

static const pair_row answer_rows[] = {
    {HEAD DATA_0 SETUP("active"), HEAD DATA_0 DTLS, 0, NULL},
    {HEAD DATA SETUP("passive"), HEAD DATA_0 DTLS, 0, NULL}, /* a peer that has no mids */
    {HEAD DATA_0 SETUP("active"), HEAD DATA_0 SETUP("passive"), 0, NULL},
    {HEAD REJECTED DATA_0 SETUP("active"), HEAD AUDIO DATA_0 DTLS, 0, NULL}, /* another protocol, rejected */
    {HEAD AUDIO, HEAD AUDIO, 0, NULL},
    {HEAD "a=group:BUNDLE 0\r\n" DATA_0 SETUP("active"), HEAD "a=group:BUNDLE 1 0\r\n" DATA_0 DTLS AUDIO "a=mid:1\r\n",
     0, "the offer has 2 sections, the answer 1 (RFC 3264 6)"},
    {HEAD AUDIO, HEAD DATA_0, 5, "the offer has application in this place (RFC 3264 6)"},
    {HEAD DATA "a=mid:1\r\n", HEAD DATA_0, 7, "the offer has the mid \"0\" in this place"},
    {HEAD DATA_0, HEAD DATA, 7, "the offer has the mid \"\" in this place"},
    {HEAD AUDIO, HEAD REJECTED, 5, "what the offer has rejected cannot be accepted (RFC 3264 6)"},
    {HEAD "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\r\n", HEAD DATA, 5,
     "the offer has UDP/DTLS/SCTP in this place (RFC 3264 6)"},
    {HEAD "m=application 9 UDP/DTLS/SCTP other\r\n", HEAD DATA, 5, "the offer has data channels in this place"},
    {HEAD "a=group:BUNDLE 0\r\n" DATA_0 SETUP("active"), HEAD DATA_0 DTLS, 5,
     "the offer does not bundle \"0\" so (RFC 9143 7.3)"},
    {HEAD "a=group:BUNDLE 0 1\r\n" DATA_0 SETUP("active") AUDIO "a=mid:1\r\n",
     HEAD "a=group:BUNDLE 0\r\na=group:BUNDLE 1\r\n" DATA_0 DTLS AUDIO "a=mid:1\r\n", 5,
     "the offer does not bundle \"1\" so (RFC 9143 7.3)"},
    {HEAD "a=group:LS 0\r\n" DATA_0 SETUP("active"), HEAD DATA_0 DTLS, 0, NULL},
    {HEAD DATA_0 SETUP("active"), HEAD DATA_0 SETUP("active"), 9, "both sides have the same a=setup (RFC 4145 4.1)"},
    {HEAD DATA_0 DTLS, HEAD DATA_0 SETUP("active"), 9,
     "an answer chooses: a=setup:active or passive, not actpass (RFC 8842 5.3)"},
};

typedef floe_status check_fn(const floe__sdp *now, const floe__sdp *before, floe_error *why);

static void check_pairs(const bed *b, check_fn *check, const pair_row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    floe__sdp *now = parse_ok(b, rows[i].now), *before = parse_ok(b, rows[i].before);
    floe_error why;
    floe_status st = check(now, before, &why);
    if (rows[i].message == NULL)
      assert_int_equal(st, FLOE_OK);
    else
      assert_refused(st, &why, FLOE_E_ACCESS, rows[i].line, rows[i].message);
    assert_int_equal(check(now, before, NULL), st);
    floe__sdp_free(now);
    floe__sdp_free(before);
  }
}

static void checks_later_offers(void **state) {
  check_pairs(*state, floe__jsep_check_reoffer, reoffer_rows, sizeof reoffer_rows / sizeof reoffer_rows[0]);
}

static void checks_answers(void **state) {
  check_pairs(*state, floe__jsep_check_answer, answer_rows, sizeof answer_rows / sizeof answer_rows[0]);
}

static void assert_restart(const bed *b, const char *now_text, const char *before_text, bool expected) {
  floe__sdp *now = parse_ok(b, now_text), *before = parse_ok(b, before_text);
  assert_int_equal(floe__jsep_is_restart(now, before), expected);
  floe__sdp_free(now);
  floe__sdp_free(before);
}

/* RFC 8839 4.4.1.1.1: either of the two has changed. */
static void other_credentials_are_a_restart(void **state) {
  bed *b = *state;
  assert_restart(b, HEAD DATA ICE, HEAD DATA ICE, false);
  assert_restart(b, HEAD DATA "a=ice-ufrag:abce\r\na=ice-pwd:" PWD "\r\n", HEAD DATA ICE, true);
  assert_restart(b, HEAD DATA "a=ice-ufrag:abcd\r\na=ice-pwd:" PWD "x\r\n", HEAD DATA ICE, true);
  assert_restart(b, HEAD ICE DATA, HEAD DATA ICE, false);
  assert_restart(b, HEAD AUDIO, HEAD DATA ICE, false);
  assert_restart(b, HEAD DATA ICE, HEAD AUDIO, false);
  assert_restart(b, HEAD DATA, HEAD DATA ICE, false);
  assert_restart(b, HEAD DATA ICE, HEAD DATA, false);
  assert_restart(b, HEAD "a=group:BUNDLE 0 1\r\n" AUDIO "a=mid:0\r\n" ICE ONLY, HEAD DATA ICE, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(checks_one_description),
      SDP_TEST(checks_later_offers),
      SDP_TEST(checks_answers),
      SDP_TEST(other_credentials_are_a_restart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
