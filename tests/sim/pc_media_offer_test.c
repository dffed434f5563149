/* An offer with audio, video and data, as a browser makes it: media is rejected, the data channel comes to be (RFC 9429
 * 5.3.1, RFC 9143 7.3). */
#include "support/pc_peers.h"

/* The one value of an attribute; the caller frees nothing. */
static const char *value_of(const char *sdp, const char *name) {
  static char value[600];
  const char *at = strstr(sdp, name);
  assert_non_null(at);
  at += strlen(name);
  (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r\n"), at);
  return value;
}

static void add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsprintf(out + strlen(out), format, args);
  va_end(args);
}

static void add_transport(char *out, const char *offer) {
  add(out, "a=ice-ufrag:%s\r\n", value_of(offer, "a=ice-ufrag:"));
  add(out, "a=ice-pwd:%s\r\n", value_of(offer, "a=ice-pwd:"));
  add(out, "a=ice-options:%s\r\n", "trickle");
  add(out, "a=fingerprint:%s\r\n", value_of(offer, "a=fingerprint:"));
  add(out, "a=setup:%s\r\n", "actpass");
}

static void add_audio(char *out, const char *mid) {
  add(out, "a=mid:%s\r\n", mid);
  add(out,
      "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
      "a=%s\r\n",
      "sendrecv");
  add(out,
      "a=msid:stream %s\r\n"
      "a=rtcp-mux\r\n"
      "a=rtpmap:111 opus/48000/2\r\n"
      "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
      "a=rtpmap:0 PCMU/8000\r\n",
      "track-a");
}

static void add_video(char *out, const char *mid) {
  add(out, "a=mid:%s\r\n", mid);
  add(out,
      "a=sendonly\r\n"
      "a=rtcp-mux\r\n"
      "a=rtcp-rsize\r\n"
      "a=rtpmap:96 VP8/90000\r\n"
      "a=rtcp-fb:96 goog-remb\r\n"
      "a=rtpmap:97 rtx/90000\r\n"
      "a=fmtp:97 apt=96\r\n"
      "a=ssrc-group:FID 1234 5678\r\n"
      "a=ssrc:1234 cname:%s\r\n",
      "someone");
}

/* How the three sections share a transport. */
typedef enum shape { BALANCED, MAX_BUNDLE, DATA_FIRST } shape;

/* `offer` has data alone; the result has audio and video beside it. */
static char *with_media(const char *offer, shape kind) {
  char *out = sim_must(calloc(1, 20000));
  (void)sprintf(out,
                "v=0\r\no=- 4611732311 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %s\r\n"
                "a=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n",
                kind == DATA_FIRST ? "d a v" : "a v d");
  const char *port = kind == MAX_BUNDLE ? "0" : "9";
  for (int i = 0; i < 3; i++) {
    int which = kind == DATA_FIRST ? (i + 2) % 3 : i; /* audio, video, data */
    bool is_first = i == 0;
    static const char *const kinds[] = {"audio", "video", "application"};
    static const char *const formats[] = {"UDP/TLS/RTP/SAVPF 111 0", "UDP/TLS/RTP/SAVPF 96 97",
                                          "UDP/DTLS/SCTP webrtc-datachannel"};
    add(out, "m=%s %s %s\r\n", kinds[which], is_first ? "9" : port, formats[which]);
    add(out, "c=IN IP4 %s\r\n", "0.0.0.0");
    if (which < 2) add(out, "a=rtcp:9 IN IP4 %s\r\n", "0.0.0.0");
    if (is_first || kind != MAX_BUNDLE) add_transport(out, offer);
    if (!is_first && kind == MAX_BUNDLE) add(out, "a=bundle-only%s\r\n", "");
    if (which == 0) add_audio(out, "a");
    if (which == 1) add_video(out, "v");
    if (which != 2) continue;
    add(out, "a=mid:%s\r\n", "d");
    add(out, "a=sctp-port:%s\r\na=max-message-size:262144\r\n", "5000");
  }
  return out;
}

/* The answer for the one who made an offer of data alone: its section, under the mid that was offered. */
static char *data_alone(const char *answer, const char *offer) {
  char *out = sim_must(calloc(1, 20000));
  const char *section = strstr(answer, "m=application");
  assert_non_null(section);
  for (const char *line = answer; *line != '\0'; line += strcspn(line, "\n") + 1) {
    bool is_session = line < strstr(answer, "m=");
    const char *end = strstr(section + 1, "\r\nm=");
    bool is_data = line >= section && (end == NULL || line < end);
    if (!is_session && !is_data) continue;
    if (strncmp(line, "a=mid:", 6) == 0) {
      add(out, "a=mid:%s\r\n", value_of(offer, "a=mid:"));
    } else if (strncmp(line, "a=group:", 8) == 0) {
      add(out, "a=group:BUNDLE %s\r\n", value_of(offer, "a=mid:"));
    } else {
      (void)sprintf(out + strlen(out), "%.*s", (int)strcspn(line, "\n") + 1, line);
    }
  }
  return out;
}

static size_t count(const char *text, const char *part) {
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) n++;
  return n;
}

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  assert_int_equal(sim_pc_set_local_implicit(p->alice.x), FLOE_OK);
  assert_true(pc_peer_run_to_gathered(&p->alice, 1000));
  return p;
}

static void connects_beside_rejected_media(shape kind) {
  pc_peers *p = by_hand();
  char *offer = sim_pc_local_sdp(p->alice.x), *full = with_media(offer, kind);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, full));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  pc_true(p, pc_peer_run_to_gathered(&p->bob, 1000));
  char *answer = sim_pc_local_sdp(p->bob.x);
  /* as many sections, in the same order */
  assert_int_equal(count(answer, "\r\nm="), 3);
  assert_non_null(strstr(answer, "m=audio 0 UDP/TLS/RTP/SAVPF "));
  assert_non_null(strstr(answer, "m=video 0 UDP/TLS/RTP/SAVPF "));
  assert_null(strstr(answer, "m=application 0 "));
  assert_int_equal(count(answer, "a=inactive"), 2);
  assert_non_null(strstr(answer, "a=mid:a\r\n"));
  assert_non_null(strstr(answer, "a=mid:v\r\n"));
  assert_non_null(strstr(answer, "a=mid:d\r\n"));
  assert_non_null(strstr(answer, "a=group:BUNDLE d\r\n"));
  assert_int_equal(count(answer, "a=setup:active"), 1);
  bool data_is_first = strstr(answer, "m=application") < strstr(answer, "m=audio");
  assert_int_equal(data_is_first, kind == DATA_FIRST);

  char *alone = data_alone(answer, offer);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_ANSWER, alone));
  /* alice's candidates are told for the section that has the transport */
  char candidate[640];
  (void)snprintf(candidate, sizeof candidate, "candidate:%s", value_of(offer, "a=candidate:"));
  floe_ice_candidate_init init = {.candidate = candidate, .sdp_mid = kind == MAX_BUNDLE ? "a" : "d"};
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, &init));
  init = (floe_ice_candidate_init){.candidate = candidate, .sdp_mid = "v"};
  pc_status(p, FLOE_OK, sim_pc_add_candidate(p->bob.x, &init));
  pc_true(p, pc_peers_connect(p, 3000));
  pc_peers_exchange(p);

  /* A later offer of bob keeps the three places. */
  char *later = sim_pc_create_offer(p->bob.x, NULL);
  assert_non_null(later);
  assert_int_equal(count(later, "\r\nm="), 3);
  assert_non_null(strstr(later, "m=audio 0 "));
  assert_non_null(strstr(later, "m=video 0 "));
  free(later);
  free(alone);
  free(answer);
  free(full);
  free(offer);
  pc_peers_free(p);
}

static void with_a_transport_in_each_section(void **state) {
  (void)state;
  connects_beside_rejected_media(BALANCED);
}

static void with_bundle_only_sections(void **state) {
  (void)state;
  connects_beside_rejected_media(MAX_BUNDLE);
}

static void with_the_data_first(void **state) {
  (void)state;
  connects_beside_rejected_media(DATA_FIRST);
}

/* Nothing but media: all is rejected, and the connection stays usable for a later offer. */
static void media_alone_is_rejected(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  char *offer = sim_pc_local_sdp(p->alice.x), *full = with_media(offer, BALANCED);
  char *data = strstr(full, "m=application");
  *data = '\0';
  char *group = strstr(full, "a=group:BUNDLE a v d");
  group[strlen("a=group:BUNDLE a v")] = ' '; /* "d" is left to be cut */
  memmove(group + strlen("a=group:BUNDLE a v"), group + strlen("a=group:BUNDLE a v d"),
          strlen(group + strlen("a=group:BUNDLE a v d")) + 1);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, full));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  sim_run_for(p->s, 1000);
  const char *answer = floe_pc_current_local_description(p->bob.x->core)->sdp;
  assert_int_equal(count(answer, "\r\nm="), 2);
  assert_non_null(strstr(answer, "m=audio 0 "));
  assert_non_null(strstr(answer, "m=video 0 "));
  assert_int_equal(p->bob.x->told_state, FLOE_PC_NEW);
  assert_int_equal(p->bob.x->told_gathering, FLOE_ICE_GATHERING_NEW);
  assert_null(floe_pc_sctp_transport(p->bob.x->core));
  free(full);
  free(offer);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(with_a_transport_in_each_section),
      cmocka_unit_test(with_bundle_only_sections),
      cmocka_unit_test(with_the_data_first),
      cmocka_unit_test(media_alone_is_rejected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
