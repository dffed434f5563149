/* Questions to a description. */
#include "fixture.h"

static void finds_the_data_section(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_ok(b, HEAD AUDIO "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n" DATA DATA);
  assert_ptr_equal(floe__sdp_data(sdp), &sdp->media[2]);
  floe__sdp_free(sdp);
  sdp = parse_ok(b, HEAD AUDIO);
  assert_null(floe__sdp_data(sdp));
  floe__sdp_free(sdp);
}

static void finds_sections_and_bundles(void **state) {
  bed *b = *state;
  floe__sdp *sdp =
      parse_ok(b, HEAD "a=group:LS x\na=group:BUNDLE x y\na=group:bundle z\n" AUDIO "a=mid:x\n" DATA DATA "a=mid:z\n");
  assert_ptr_equal(floe__sdp_by_mid(sdp, "x"), &sdp->media[0]);
  assert_ptr_equal(floe__sdp_by_mid(sdp, "z"), &sdp->media[2]);
  assert_null(floe__sdp_by_mid(sdp, "y"));
  assert_null(floe__sdp_by_mid(sdp, ""));
  assert_ptr_equal(floe__sdp_bundle_of(sdp, "x"), &sdp->groups[1]);
  assert_ptr_equal(floe__sdp_bundle_of(sdp, "y"), &sdp->groups[1]);
  assert_ptr_equal(floe__sdp_bundle_of(sdp, "z"), &sdp->groups[2]);
  assert_null(floe__sdp_bundle_of(sdp, "w"));
  floe__sdp_free(sdp);
}

static void assert_transport(const bed *b, const char *text, size_t of, size_t expected) {
  floe__sdp *sdp = parse_ok(b, text);
  assert_ptr_equal(floe__sdp_transport_of(sdp, &sdp->media[of]), &sdp->media[expected]);
  floe__sdp_free(sdp);
}

#define BUNDLE_012 HEAD "a=group:BUNDLE 0 1 2\n"
#define BUNDLE_ONLY                                                     \
  "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\na=bundle-only\na=" \
  "mid:2\n"

/* Its own attributes come first: our answer may reject the section that the group begins with. */
static void a_section_with_its_own_transport_has_it(void **state) {
  bed *b = *state;
  assert_transport(b, BUNDLE_012 AUDIO "a=mid:0\n" ICE AUDIO "a=mid:1\n" ICE DATA "a=mid:2\n" ICE, 2, 2);
  assert_transport(b, HEAD DATA ICE, 0, 0);
}

static void the_first_of_the_bundle_stands_in(void **state) {
  bed *b = *state;
  assert_transport(b, BUNDLE_012 AUDIO "a=mid:0\n" ICE AUDIO "a=mid:1\n" ICE BUNDLE_ONLY, 2, 0);
  /* the order is that of the group */
  assert_transport(b, HEAD "a=group:BUNDLE 1 0 2\n" AUDIO "a=mid:0\n" ICE AUDIO "a=mid:1\n" ICE BUNDLE_ONLY, 2, 1);
  /* a rejected section and one without attributes are passed over */
  assert_transport(b, BUNDLE_012 "m=audio 0 RTP/AVP 0\na=mid:0\n" ICE AUDIO "a=mid:1\n" ICE BUNDLE_ONLY, 2, 1);
  assert_transport(b, BUNDLE_012 AUDIO "a=mid:0\n" AUDIO "a=mid:1\n" ICE BUNDLE_ONLY, 2, 1);
  /* half a pair of credentials is none */
  assert_transport(b, BUNDLE_012 AUDIO "a=mid:0\na=ice-ufrag:abcd\n" AUDIO "a=mid:1\n" ICE BUNDLE_ONLY, 2, 1);
}

static void without_a_transport_it_is_the_section(void **state) {
  bed *b = *state;
  assert_transport(b, HEAD AUDIO "a=mid:0\n" ICE BUNDLE_ONLY, 1, 1);
  assert_transport(b, HEAD "a=group:BUNDLE 0 2 9\n" AUDIO "a=mid:0\n" BUNDLE_ONLY, 1, 1);
  assert_transport(b, HEAD "a=group:BUNDLE 0\n" AUDIO "a=mid:0\n" ICE DATA, 1, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(finds_the_data_section),
      SDP_TEST(finds_sections_and_bundles),
      SDP_TEST(a_section_with_its_own_transport_has_it),
      SDP_TEST(the_first_of_the_bundle_stands_in),
      SDP_TEST(without_a_transport_it_is_the_section),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
