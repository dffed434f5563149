/* Answers. */
#include "fixture.h"

static void assert_answer(const bed *b, const char *offer_text, const char *expected) {
  floe__jsep_local local = *sample_local();
  local.setup = FLOE__SETUP_ACTIVE;
  floe__sdp *offer = parse_ok(b, offer_text);
  floe_error why;
  char *out;
  assert_int_equal(floe__jsep_check(offer, true, &why), FLOE_OK);
  assert_true(floe__jsep_write_answer(b->env, &local, offer, &out));
  assert_string_equal(out, expected);
  floe__sdp *answer = parse_ok(b, out);
  assert_int_equal(floe__jsep_check(answer, false, &why), FLOE_OK);
  assert_int_equal(floe__jsep_check_answer(answer, offer, &why), FLOE_OK);
  floe__sdp_free(answer);
  floe__free(b->env, out);
  floe__sdp_free(offer);
}

#define ACTIVE LOCAL_TRANSPORT("active")

static void accepts_data(void **state) {
  assert_answer(*state, HEAD "a=group:BUNDLE x\r\n" DATA "a=mid:x\r\n" ICE DTLS,
                LOCAL_HEAD("a=group:BUNDLE x\r\n") DATA "a=mid:x\r\n" ACTIVE LOCAL_SCTP);
}

static void without_a_group_it_makes_none(void **state) {
  assert_answer(*state, HEAD DATA "a=mid:x\r\n" ICE DTLS, LOCAL_HEAD("") DATA "a=mid:x\r\n" ACTIVE LOCAL_SCTP);
  assert_answer(*state, HEAD "a=group:LS x\r\n" DATA "a=mid:x\r\n" ICE DTLS,
                LOCAL_HEAD("") DATA "a=mid:x\r\n" ACTIVE LOCAL_SCTP);
}

static void without_a_mid_it_has_none(void **state) {
  assert_answer(*state, HEAD DATA ICE DTLS, LOCAL_HEAD("") DATA ACTIVE LOCAL_SCTP);
}

#define REJECTED_AUDIO "m=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\n"
#define REJECTED_DATA  "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"

static void rejects_all_else(void **state) {
  assert_answer(*state,
                HEAD "a=group:BUNDLE 0 1 2 3\r\n" AUDIO "a=mid:0\r\n" ICE DTLS "m=x-new 9 TCP/a b c\r\na=mid:1\r\n" DATA
                     "a=mid:2\r\n" ICE DTLS DATA "a=mid:3\r\n" ICE DTLS "m=application 9 UDP/DTLS/SCTP other\r\n",
                LOCAL_HEAD("a=group:BUNDLE 2\r\n") REJECTED_AUDIO
                "a=mid:0\r\na=inactive\r\nm=x-new 0 TCP/a b c\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n" DATA
                "a=mid:2\r\n" ACTIVE LOCAL_SCTP REJECTED_DATA
                "a=mid:3\r\nm=application 0 UDP/DTLS/SCTP other\r\nc=IN IP4 0.0.0.0\r\n");
}

static void without_data_all_is_rejected(void **state) {
  assert_answer(*state, HEAD "a=group:BUNDLE 0\r\n" AUDIO "a=mid:0\r\n" ICE DTLS,
                LOCAL_HEAD("") REJECTED_AUDIO "a=mid:0\r\na=inactive\r\n");
  assert_answer(*state, HEAD, LOCAL_HEAD(""));
}

static void what_is_rejected_stays_so(void **state) {
  assert_answer(*state, HEAD REJECTED_DATA "a=mid:0\r\n" DATA "a=mid:1\r\n" ICE DTLS,
                LOCAL_HEAD("") REJECTED_DATA "a=mid:0\r\n" DATA "a=mid:1\r\n" ACTIVE LOCAL_SCTP);
}

/* RFC 9143 7.3.1: the tag moves from the section that is rejected; a bundle-only section gets a port. */
static void accepts_bundle_only_data(void **state) {
  assert_answer(*state,
                HEAD "a=group:BUNDLE a d\r\n" AUDIO "a=mid:a\r\n" ICE DTLS REJECTED_DATA "a=mid:d\r\na=bundle-only\r\n",
                LOCAL_HEAD("a=group:BUNDLE d\r\n") REJECTED_AUDIO "a=mid:a\r\na=inactive\r\n" DATA
                                                                  "a=mid:d\r\n" ACTIVE LOCAL_SCTP);
}

static void takes_the_group_that_has_the_data(void **state) {
  assert_answer(
      *state, HEAD "a=group:BUNDLE a\r\na=group:BUNDLE d\r\n" AUDIO "a=mid:a\r\n" ICE DTLS DATA "a=mid:d\r\n" ICE DTLS,
      LOCAL_HEAD("a=group:BUNDLE d\r\n") REJECTED_AUDIO "a=mid:a\r\na=inactive\r\n" DATA
                                                        "a=mid:d\r\n" ACTIVE LOCAL_SCTP);
}

/* RFC 3264 6: in the protocol of the offer. */
static void answers_in_the_form_of_the_offer(void **state) {
  assert_answer(*state,
                HEAD "m=application 9 DTLS/SCTP 5001\r\na=sctpmap:5001 webrtc-datachannel 1024\r\na=mid:d\r\n" ICE DTLS,
                LOCAL_HEAD("") "m=application 9 DTLS/SCTP 5000\r\nc=IN IP4 0.0.0.0\r\na=mid:d\r\n" ACTIVE
                               "a=sctpmap:5000 webrtc-datachannel 65535\r\na=max-message-size:262144\r\n");
  assert_answer(
      *state, HEAD "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n" ICE DTLS,
      LOCAL_HEAD(
          "") "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:d\r\n" ACTIVE LOCAL_SCTP);
}

static void the_end_of_memory_is_told(void **state) {
  bed *b = *state;
  floe__sdp *offer = parse_ok(b, HEAD AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO DATA ICE DTLS);
  size_t n_failed = 0;
  bool is_written = false;
  for (uint64_t n = 1; !is_written; n++) {
    char *out = NULL;
    b->memory.fail_at = b->memory.calls + n;
    is_written = floe__jsep_write_answer(b->env, sample_local(), offer, &out);
    b->memory.fail_at = 0;
    assert_int_equal(is_written, out != NULL);
    if (!is_written) n_failed++;
    floe__free(b->env, out);
  }
  assert_true(n_failed >= 2);
  floe__sdp_free(offer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(accepts_data),
      SDP_TEST(without_a_group_it_makes_none),
      SDP_TEST(without_a_mid_it_has_none),
      SDP_TEST(rejects_all_else),
      SDP_TEST(without_data_all_is_rejected),
      SDP_TEST(what_is_rejected_stays_so),
      SDP_TEST(accepts_bundle_only_data),
      SDP_TEST(takes_the_group_that_has_the_data),
      SDP_TEST(answers_in_the_form_of_the_offer),
      SDP_TEST(the_end_of_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
