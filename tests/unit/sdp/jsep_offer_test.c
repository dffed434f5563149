/* Offers. */
#include "fixture.h"

typedef struct exchange {
  const char *local, *remote; /* nullable */
} exchange;

static void assert_offer(const bed *b, const floe__jsep_local *local, const exchange *e, const char *expected) {
  floe__sdp *mine = e->local == NULL ? NULL : parse_ok(b, e->local);
  floe__sdp *theirs = e->remote == NULL ? NULL : parse_ok(b, e->remote);
  char *out;
  assert_true(floe__jsep_write_offer(b->env, local, mine, theirs, &out));
  assert_string_equal(out, expected);
  floe__sdp *again = parse_ok(b, out);
  floe_error why;
  assert_int_equal(floe__jsep_check(again, true, &why), FLOE_OK);
  floe__sdp_free(again);
  floe__free(b->env, out);
  floe__sdp_free(mine);
  floe__sdp_free(theirs);
}

#define LOCAL_DATA(mid, setup) DATA "a=mid:" mid "\r\n" LOCAL_TRANSPORT(setup) LOCAL_SCTP
#define BUNDLE(mid)            "a=group:BUNDLE " mid "\r\n"
#define FIRST_OFFER            LOCAL_HEAD(BUNDLE("0")) LOCAL_DATA("0", "actpass")

static void the_first_has_one_data_section(void **state) {
  assert_offer(*state, sample_local(), &(exchange){NULL, NULL}, FIRST_OFFER);
}

static void without_data_it_has_no_section(void **state) {
  floe__jsep_local local = *sample_local();
  local.wants_data = false;
  assert_offer(*state, &local, &(exchange){NULL, NULL}, LOCAL_HEAD(""));
}

static void shows_all_that_this_side_is(void **state) {
  static const floe__sdp_fingerprint prints[] = {
      {"sha-256", PRINT}, {"sha-1", "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13"}};
  floe__jsep_local local = *sample_local();
  local.fingerprints = prints;
  local.n_fingerprints = 2;
  local.ice_lite = true;
  local.tls_id = "abcdefghijklmnopqrst";
  local.setup = FLOE__SETUP_PASSIVE;
  local.sctp_port = 65535;
  local.max_message_size = 0;
  assert_offer(*state, &local, &(exchange){NULL, NULL},
               "v=0\r\no=- 4611731400430051336 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n"
               "a=ice-options:trickle ice2\r\n" DATA "a=mid:0\r\na=ice-ufrag:floe\r\na=ice-pwd:" PWD
               "\r\na=fingerprint:sha-256 " PRINT
               "\r\na=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"
               "a=setup:passive\r\na=tls-id:abcdefghijklmnopqrst\r\na=sctp-port:65535\r\na=max-message-size:0\r\n");
}

static void a_later_one_keeps_the_section(void **state) {
  exchange e = {FIRST_OFFER, HEAD BUNDLE("0") DATA "a=mid:0\r\n" ICE DTLS};
  assert_offer(*state, sample_local(), &e, FIRST_OFFER);
  floe__jsep_local local = *sample_local();
  local.wants_data = false; /* what was negotiated stays */
  assert_offer(*state, &local, &e, FIRST_OFFER);
}

static void the_peers_mid_and_place_stay(void **state) {
  exchange e = {LOCAL_HEAD("") "m=audio 0 RTP/AVP 0 8\r\na=mid:a\r\n" LOCAL_DATA("application1", "active"),
                HEAD "m=audio 9 RTP/AVP 0 8\r\na=mid:a\r\n" DATA "a=mid:application1\r\n" ICE DTLS AUDIO "a=mid:b\r\n"};
  assert_offer(*state, sample_local(), &e,
               LOCAL_HEAD(BUNDLE("application1")) "m=audio 0 RTP/AVP 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=inactive\r\n"
               LOCAL_DATA("application1", "actpass")
               "m=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:b\r\na=inactive\r\n");
}

static void a_section_without_a_mid_stays_without(void **state) {
  exchange e = {LOCAL_HEAD("") DATA, HEAD DATA ICE DTLS};
  assert_offer(*state, sample_local(), &e, LOCAL_HEAD("") DATA LOCAL_TRANSPORT("actpass") LOCAL_SCTP);
}

/* The mid was ours, and stays when the answer has none. */
static void our_mid_stays_with_a_peer_that_has_none(void **state) {
  exchange e = {FIRST_OFFER, HEAD DATA ICE DTLS};
  assert_offer(*state, sample_local(), &e, FIRST_OFFER);
}

/* RFC 9429 5.2.2: a place that was rejected is used again, under another mid. */
static void a_rejected_place_is_used_again(void **state) {
  exchange e = {LOCAL_HEAD("") "m=video 0 RTP/AVP 99\r\na=mid:0\r\nm=audio 0 RTP/AVP 0\r\na=mid:2\r\n",
                HEAD "m=video 9 RTP/AVP 99\r\na=mid:0\r\nm=audio 9 RTP/AVP 0\r\na=mid:2\r\n"};
  assert_offer(*state, sample_local(), &e,
               LOCAL_HEAD(BUNDLE("1"))
                   LOCAL_DATA("1", "actpass") "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=inactive\r\n");
  floe__jsep_local local = *sample_local();
  local.wants_data = false;
  assert_offer(*state, &local, &e,
               LOCAL_HEAD("") "m=video 0 RTP/AVP 99\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\n"
               "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=inactive\r\n");
}

static void a_data_section_that_the_peer_rejected_is_offered_again(void **state) {
  exchange e = {FIRST_OFFER, HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n"};
  assert_offer(*state, sample_local(), &e, LOCAL_HEAD(BUNDLE("1")) LOCAL_DATA("1", "actpass"));
  floe__jsep_local local = *sample_local();
  local.wants_data = false;
  assert_offer(*state, &local, &e,
               LOCAL_HEAD("") "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n");
}

static void a_second_data_section_stays_rejected(void **state) {
  exchange e = {LOCAL_HEAD("")
                    LOCAL_DATA("x", "active") "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:y\r\n",
                HEAD DATA "a=mid:x\r\n" ICE DTLS DATA "a=mid:y\r\n" ICE DTLS};
  assert_offer(
      *state, sample_local(), &e,
      LOCAL_HEAD(BUNDLE("x")) LOCAL_DATA(
          "x", "actpass") "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:y\r\n");
}

static void new_mids_collide_with_none(void **state) {
  exchange e = {LOCAL_HEAD("") "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
                HEAD "m=audio 9 RTP/AVP 0\r\na=mid:0\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\n"};
  assert_offer(*state, sample_local(), &e,
               LOCAL_HEAD(BUNDLE("2")) "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\n"
               "m=audio 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n" LOCAL_DATA("2", "actpass"));
}

#define OLD_DATA "m=application 9 DTLS/SCTP 5000\r\nc=IN IP4 0.0.0.0\r\n"
#define OLD_MAP  "a=sctpmap:5000 webrtc-datachannel 65535\r\na=max-message-size:262144\r\n"

static void the_older_form_stays(void **state) {
  exchange e = {LOCAL_HEAD("") OLD_DATA "a=mid:d\r\na=sctpmap:5000 webrtc-datachannel 65535\r\n",
                HEAD OLD_DATA "a=mid:d\r\na=sctpmap:5000 webrtc-datachannel 256\r\n" ICE DTLS};
  assert_offer(*state, sample_local(), &e,
               LOCAL_HEAD(BUNDLE("d")) OLD_DATA "a=mid:d\r\n" LOCAL_TRANSPORT("actpass") OLD_MAP);
}

static void the_end_of_memory_is_told(void **state) {
  bed *b = *state;
  for (uint64_t n = 1;; n++) {
    char *out = NULL;
    b->memory.fail_at = b->memory.calls + n;
    uint64_t failed = b->memory.failed;
    bool is_written = floe__jsep_write_offer(b->env, sample_local(), NULL, NULL, &out);
    bool has_failed = b->memory.failed != failed;
    b->memory.fail_at = 0;
    assert_int_equal(is_written, !has_failed);
    if (is_written)
      assert_string_equal(out, FIRST_OFFER);
    else
      assert_null(out);
    floe__free(b->env, out);
    if (is_written) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(the_first_has_one_data_section),
      SDP_TEST(without_data_it_has_no_section),
      SDP_TEST(shows_all_that_this_side_is),
      SDP_TEST(a_later_one_keeps_the_section),
      SDP_TEST(the_peers_mid_and_place_stay),
      SDP_TEST(a_section_without_a_mid_stays_without),
      SDP_TEST(our_mid_stays_with_a_peer_that_has_none),
      SDP_TEST(a_rejected_place_is_used_again),
      SDP_TEST(a_data_section_that_the_peer_rejected_is_offered_again),
      SDP_TEST(a_second_data_section_stays_rejected),
      SDP_TEST(new_mids_collide_with_none),
      SDP_TEST(the_older_form_stays),
      SDP_TEST(the_end_of_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
