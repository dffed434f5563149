/* The lines of a description, their order, and where errors point. */
#include <stdlib.h>

#include "fixture.h"

static void reads_the_session(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_ok(b,
                            "v=0\no=jdoe 37724707442877189 18446744073709551615 IN IP6 ::1\ns= \n"
                            "i=info\nu=http://example.org\ne=a@example.org\ne=b@example.org\np=+1\nc=IN IP4 192.0.2.1\n"
                            "b=AS:1\nb=CT:2\nt=0 0\nr=7d 1h 0\nz=0 0\nt=1 2\nk=prompt\na=tool:x\na=recvonly\n");
  assert_string_equal(sdp->username, "jdoe");
  assert_string_equal(sdp->session_id, "37724707442877189");
  assert_true(sdp->session_version == UINT64_MAX);
  assert_int_equal(sdp->n_media, 0);
  assert_null(sdp->media);
  assert_int_equal(sdp->n_attributes, 2);
  assert_string_equal(sdp->attributes[0].name, "tool");
  assert_string_equal(sdp->attributes[0].value, "x");
  assert_int_equal(sdp->attributes[0].line, 17);
  assert_string_equal(sdp->attributes[1].name, "recvonly");
  assert_null(sdp->attributes[1].value);
  floe__sdp_free(sdp);
}

static void reads_media_lines(void **state) {
  bed *b = *state;
  floe__sdp *sdp =
      parse_ok(b, HEAD
               "m=audio 49170/2 RTP/AVP 0 8 97\r\ni=x\r\nc=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\nb=AS:1\r\n"
               "k=prompt\r\na=x:y:z\r\na=\xc3\xa9\r\na=e:\r\nm=x-new 0 TCP t\r\n");
  assert_int_equal(sdp->n_media, 2);
  const floe__sdp_media *m = &sdp->media[0];
  assert_int_equal(m->line, 5);
  assert_string_equal(m->kind, "audio");
  assert_int_equal(m->port, 49170);
  assert_string_equal(m->proto, "RTP/AVP");
  assert_int_equal(m->n_fmts, 3);
  assert_string_equal(m->fmts[0], "0");
  assert_string_equal(m->fmts[1], "8");
  assert_string_equal(m->fmts[2], "97");
  assert_false(m->is_rejected);
  assert_int_equal(m->n_attributes, 3);
  assert_string_equal(m->attributes[0].name, "x");
  assert_string_equal(m->attributes[0].value, "y:z");
  assert_int_equal(m->attributes[0].line, 11);
  assert_string_equal(m->attributes[1].name, "\xc3\xa9");
  assert_string_equal(m->attributes[2].value, "");
  assert_int_equal(sdp->media[1].line, 14);
  assert_true(sdp->media[1].is_rejected);
  assert_false(sdp->media[1].is_data);
  floe__sdp_free(sdp);
}

static void the_session_counts_for_each_section(void **state) {
  bed *b = *state;
  floe__sdp *sdp =
      parse_ok(b, HEAD "a=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:sess\r\na=ice-pwd:" PWD
                       "\r\n"
                       "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"
                       "a=setup:passive\r\na=tls-id:abcdefghijklmnopqrst\r\na=sendonly\r\na=end-of-candidates\r\n" DATA
                       "a=mid:0\r\n" DATA "a=ice-ufrag:abcd\r\na=ice-pwd:" PWD "x\r\n" DTLS
                       "a=ice-options:renomination\r\na=tls-id:ABCDEFGHIJKLMNOPQRST\r\na=inactive\r\n" DATA
                       "a=ice-ufrag:only\r\n");
  const floe__sdp_media *m = sdp->media;
  assert_true(sdp->ice_lite);
  assert_string_equal(m[0].ufrag, "sess");
  assert_string_equal(m[0].pwd, PWD);
  assert_int_equal(m[0].n_fingerprints, 1);
  assert_string_equal(m[0].fingerprints[0].hash, "sha-1");
  assert_int_equal(m[0].setup, FLOE__SETUP_PASSIVE);
  assert_string_equal(m[0].tls_id, "abcdefghijklmnopqrst");
  assert_int_equal(m[0].direction, FLOE__DIRECTION_SENDONLY);
  assert_true(m[0].ice_lite && m[0].ice_trickle && m[0].end_of_candidates);
  assert_false(m[0].ice_renomination);
  assert_string_equal(m[1].ufrag, "abcd");
  assert_string_equal(m[1].pwd, PWD "x");
  assert_string_equal(m[1].fingerprints[0].hash, "sha-256");
  assert_int_equal(m[1].setup, FLOE__SETUP_ACTPASS);
  assert_string_equal(m[1].tls_id, "ABCDEFGHIJKLMNOPQRST");
  assert_int_equal(m[1].direction, FLOE__DIRECTION_INACTIVE);
  assert_true(m[1].ice_renomination && m[1].ice_trickle);
  assert_string_equal(m[2].ufrag, "only");
  assert_null(m[2].pwd); /* the session's belongs to the session's fragment */
  floe__sdp_free(sdp);
}

static void recognises_data_sections(void **state) {
  static const struct {
    const char *section;
    bool is_data, has_port;
    uint16_t port;
  } rows[] = {
      {"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n", true, false, 5000},
      {"m=application 9 TCP/DTLS/SCTP webrtc-datachannel\na=sctp-port:6000\n", true, true, 6000},
      {"m=APPLICATION 9 udp/dtls/sctp x WebRTC-DataChannel\n", true, false, 5000},
      {"m=application 9 UDP/DTLS/SCTP other\n", false, false, 5000},
      {"m=application 9 UDP/TLS/RTP/SAVPF webrtc-datachannel\n", false, false, 5000},
      {"m=audio 9 UDP/DTLS/SCTP webrtc-datachannel\n", false, false, 5000},
      {"m=application 9 DTLS/SCTP 5001\na=sctpmap:5001 webrtc-datachannel 1024\n", true, true, 5001},
      {"m=application 9 DTLS/SCTP 5001\na=sctpmap:5001 webrtc-datachannel\n", true, true, 5001},
      {"m=application 9 DTLS/SCTP 5001\na=sctpmap:5000 webrtc-datachannel 1024\n", false, false, 5000},
      {"m=application 9 DTLS/SCTP 70536\na=sctpmap:5000 webrtc-datachannel 1024\n", false, false, 5000},
      {"m=application 9 DTLS/SCTP 5001\na=sctpmap:5001 bfcp 2\n", false, false, 5000},
      {"m=application 9 DTLS/SCTP 5001\na=sctpmap:5000 bfcp 2\na=sctpmap:5001 webrtc-datachannel 2\n", true, true,
       5001},
      {"m=application 9 DTLS/SCTP webrtc-datachannel\n", false, false, 5000},
  };
  bed *b = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[512];
    (void)snprintf(text, sizeof text, HEAD "%s", rows[i].section);
    floe__sdp *sdp = parse_ok(b, text);
    assert_int_equal(sdp->media[0].is_data, rows[i].is_data);
    assert_int_equal(sdp->media[0].has_sctp_port, rows[i].has_port);
    assert_int_equal(sdp->media[0].sctp_port, rows[i].port);
    assert_int_equal(sdp->media[0].max_message_size, 65536);
    assert_false(sdp->media[0].has_max_message_size);
    floe__sdp_free(sdp);
  }
}

static void bundle_only_is_no_rejection(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_ok(b, HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\na=bundle-only\n");
  assert_true(sdp->media[0].is_bundle_only);
  assert_false(sdp->media[0].is_rejected);
  assert_ptr_equal(floe__sdp_data(sdp), &sdp->media[0]);
  floe__sdp_free(sdp);
}

typedef struct bad_text {
  const char *text;
  uint32_t line, column;
  const char *message;
} bad_text;

#define O "o=- 1 2 IN IP4 0.0.0.0\n"

static const bad_text bad_texts[] = {
    {"", 1, 1, "expected v=, found the end of the description"},
    {"\r\n", 1, 1, "expected v=, found the end of the line"},
    {"o=x", 1, 1, "expected v=, found \"o=x\""},
    {"v=1\n", 1, 3, "expected version 0, found \"1\""},
    {"v=\n", 1, 3, "expected version 0, found the end of the line"},
    {"v=0 1\n", 1, 5, "expected the end of the line, found \"1\""},
    {"v=0\n", 2, 1, "expected o=, found the end of the description"},
    {"v=0\ns=-\n", 2, 1, "expected o=, found \"s=-\""},
    {"v=0\no=\n", 2, 3, "expected a user name, found the end of the line"},
    {"v=0\no=- x", 2, 5, "expected a digit of the session id, found \"x\""},
    {"v=0\no=- 12x4 1", 2, 7, "expected a digit of the session id, found \"x4\""},
    {"v=0\no=- 1", 2, 6, "expected a session version, found the end of the description"},
    {"v=0\no=- 1 18446744073709551616 IN IP4 x", 2, 7,
     "expected a session version up to 18446744073709551615, found \"18446744073709551616\""},
    {"v=0\no=- 1 2 ON IP4 x", 2, 9, "expected IN, found \"ON\""},
    {"v=0\no=- 1 2 IN IP5 x", 2, 12, "expected IP4 or IP6, found \"IP5\""},
    {"v=0\no=- 1 2 IN IP4\n", 2, 15, "expected an address, found the end of the line"},
    {"v=0\no=- 1 2 IN IP4 x y\n", 2, 18, "expected the end of the line, found \"y\""},
    {"v=0\n" O "t=0 0\n", 3, 1, "expected s=, found \"t=0\""},
    {"v=0\n" O "s=-\n", 4, 1, "expected t=, found the end of the description"},
    {"v=0\n" O "s=-\na=x\n", 4, 1, "expected t=, found \"a=x\""},
    {"v=0\n" O "s=-\nm=audio 9 RTP/AVP 0\n", 4, 1, "expected t=, found \"m=audio\""},
    {"v=0\n" O "s=-\nt=0 0\ni=x\n", 5, 1, "expected a line of type tka, or m, found \"i=x\""},
    {"v=0\n" O "s=-\ni=x\ni=y\n", 5, 1, "expected a line of type uepcbtka, or m, found \"i=y\""},
    {"v=0\n" O "s=-\nr=x\n", 4, 1, "expected a line of type iuepcbtka, or m, found \"r=x\""},
    {"v=0\n" O "s=-\nt=0 0\na=x\nt=0 0\n", 6, 1, "expected a line of type a or m, found \"t=0\""},
    {"v=0\n" O "s=-\nt=0 0\na=x\nr=1\n", 6, 1, "expected a line of type a or m, found \"r=1\""},
    {"v=0\n" O "s=-\nt=0 0\nq=x\n", 5, 1, "expected a line of type tka, or m, found \"q=x\""},
    {"v=0\n" O "s=-\nt=0 0\nv=0\n", 5, 1, "expected a line of type tka, or m, found \"v=0\""},
    {HEAD "m=\r\n", 5, 3, "expected a kind of media, found the end of the line"},
    {HEAD "m=au/dio 9 RTP/AVP 0\r\n", 5, 5, "expected a kind of media (a token), found \"/dio\""},
    {HEAD "m=audio\r\n", 5, 8, "expected a port, found the end of the line"},
    {HEAD "m=audio x RTP/AVP 0\r\n", 5, 9, "expected a port, found \"x\""},
    {HEAD "m=audio 65536 RTP/AVP 0\r\n", 5, 9, "expected a port up to 65535, found \"65536\""},
    {HEAD "m=audio 9/ RTP/AVP 0\r\n", 5, 11, "expected a number of ports, found a space"},
    {HEAD "m=audio /2 RTP/AVP 0\r\n", 5, 9, "expected a port, found \"/2\""},
    {HEAD "m=audio 9\r\n", 5, 10, "expected a protocol, found the end of the line"},
    {HEAD "m=audio 9 RTP:AVP 0\r\n", 5, 14, "expected a protocol (tokens between slashes), found \":AVP\""},
    {HEAD "m=audio 9 RTP/AVP\r\n", 5, 18, "expected a format, found the end of the line"},
    {HEAD "m=audio 9 RTP/AVP 0 (\r\n", 5, 21, "expected a format, found \"(\""},
    {HEAD AUDIO "a=x\r\nc=IN IP4 x\r\n", 8, 1, "expected a line of type a or m, found \"c=IN\""},
    {HEAD AUDIO "t=0 0\r\n", 7, 1, "expected a line of type cbka, or m, found \"t=0\""},
    {HEAD AUDIO "a=x\r\n\r\na=y\r\n", 8, 1, "expected a line, found the end of the line"},
    {HEAD AUDIO "a=\r\n", 7, 3, "expected the name of an attribute, found the end of the line"},
    {HEAD AUDIO "a=:x\r\n", 7, 3, "expected the name of an attribute, found \":x\""},
};

static void errors_name_line_and_column(void **state) {
  bed *b = *state;
  for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
    const bad_text *row = &bad_texts[i];
    floe__sdp *sdp = (floe__sdp *)1;
    floe_error why;
    floe_status st = floe__sdp_parse(&sdp, b->env, row->text, &why);
    assert_refused(st, &why, FLOE_E_SYNTAX, row->line, row->message);
    if (why.column != row->column) print_message("column %u: %s\n", why.column, row->text);
    assert_int_equal(why.column, row->column);
    assert_null(sdp);
    size_t offset = 0;
    for (uint32_t line = 1; line < row->line; line++) offset += strcspn(row->text + offset, "\n") + 1;
    assert_int_equal(why.offset, offset + row->column - 1);
    assert_int_equal(floe__sdp_parse(&sdp, b->env, row->text, NULL), FLOE_E_SYNTAX);
  }
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static char *repeat(const char *head, const char *piece, size_t n) {
  size_t head_len = strlen(head), len = strlen(piece);
  char *text = malloc(head_len + n * len + 1);
  assert_non_null(text);
  memcpy(text, head, head_len);
  for (size_t i = 0; i < n; i++) memcpy(text + head_len + i * len, piece, len);
  text[head_len + n * len] = '\0';
  return text;
}

static void assert_too_large(const bed *b, char *text, uint32_t line, size_t offset, const char *message) {
  floe__sdp *sdp;
  floe_error why;
  floe_status st = floe__sdp_parse(&sdp, b->env, text, &why);
  assert_refused(st, &why, FLOE_E_TOO_LARGE, line, message);
  assert_int_equal(why.offset, offset);
  assert_null(sdp);
  free(text);
}

static void bounds_what_it_reads(void **state) {
  bed *b = *state;
  size_t head = strlen(HEAD);
  char *text = repeat(HEAD, "m=audio 9 x 0\n", 256);
  floe__sdp *sdp = parse_ok(b, text);
  assert_int_equal(sdp->n_media, 256);
  floe__sdp_free(sdp);
  free(text);
  assert_too_large(b, repeat(HEAD, "m=audio 9 x 0\n", 257), 261, head + 256 * 14, "more than 256 media sections");
  assert_too_large(b, repeat(HEAD, "a=group:LS 0\n", 257), 261, head + 256 * 13, "more than 256 groups");
  assert_too_large(b, repeat(HEAD "a=group:BUNDLE", " 0", 257), 5, head, "more than 256 sections in a group");
  assert_too_large(b, repeat(HEAD "a=", "x", 1024 * 1024), 0, 1024 * 1024, "more than 1048576 bytes");
}

static void reads_a_megabyte(void **state) {
  bed *b = *state;
  static const char *const pieces[] = {"a=x\n", "a=candidate:x\n", "a=ice-options:trickle\n", "b=x\n",
                                       "a=sctpmap:1 y\n"};
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    const char *head = HEAD "m=audio 9 x 0\r\n";
    char *text = repeat(head, pieces[i], (FLOE__SDP_MAX_BYTES - strlen(head)) / strlen(pieces[i]));
    floe__sdp *sdp = parse_ok(b, text);
    if (i == 0) assert_int_equal(sdp->media[0].n_attributes, (FLOE__SDP_MAX_BYTES - strlen(head)) / 4);
    if (i == 1) assert_int_equal(sdp->media[0].n_candidates, (FLOE__SDP_MAX_BYTES - strlen(head)) / 14);
    floe__sdp_free(sdp);
    free(text);
  }
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

#define RICH                                                                                         \
  HEAD "a=group:BUNDLE 0 1\na=group:LS 0\n" AUDIO "a=mid:0\n" ICE DTLS DATA "a=mid:1\n" ICE DTLS     \
       "a=tls-id:abcdefghijklmnopqrst\na=candidate:1\na=candidate:2\na=candidate:3\na=candidate:4\n" \
       "a=candidate:5\na=candidate:6\na=x:y\n"

/* Each allocation fails once, of a text that needs many chunks. */
static void the_end_of_memory_is_told(void **state) {
  bed *b = *state;
  char *text =
      repeat(RICH, AUDIO ICE DTLS "a=rtpmap:111 opus/48000/2\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\n", 100);
  uint64_t n_failed = 0;
  for (uint64_t n = 1;; n++) {
    floe__sdp *sdp = (floe__sdp *)1;
    floe_error why = {0};
    b->memory.fail_at = b->memory.calls + n;
    floe_status st = floe__sdp_parse(&sdp, b->env, text, &why);
    b->memory.fail_at = 0;
    if (st == FLOE_OK) {
      assert_int_equal(sdp->n_media, 102);
      floe__sdp_free(sdp);
      break;
    }
    assert_refused(st, &why, FLOE_E_NOMEM, 0, "out of memory");
    assert_null(sdp);
    n_failed++;
  }
  assert_true(n_failed >= 6);
  free(text);
}

/* With memory that ends in the middle of a chunk: whichever list or copy it is that needs the next one. */
static void any_piece_may_be_the_one_without_memory(void **state) {
  bed *b = *state;
  for (size_t pad = 0; pad < 4096; pad += 16) {
    char value[4100] = "";
    memset(value, 'x', pad);
    char text[8192];
    (void)snprintf(text, sizeof text, "v=0\no=%s- 1 2 IN IP4 0.0.0.0\ns=-\nt=0 0\n%s", value, &RICH[strlen(HEAD)]);
    for (uint64_t n = 2; n <= 3; n++) {
      floe__sdp *sdp;
      b->memory.fail_from = b->memory.calls + n + 1;
      floe_status st = floe__sdp_parse(&sdp, b->env, text, NULL);
      b->memory.fail_from = 0;
      assert_true(st == FLOE_E_NOMEM || st == FLOE_OK);
      assert_int_equal(sdp != NULL, st == FLOE_OK);
      floe__sdp_free(sdp);
    }
  }
}

static void freeing_nothing_is_fine(void **state) {
  (void)state;
  floe__sdp_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(reads_the_session),
      SDP_TEST(reads_media_lines),
      SDP_TEST(the_session_counts_for_each_section),
      SDP_TEST(recognises_data_sections),
      SDP_TEST(bundle_only_is_no_rejection),
      SDP_TEST(errors_name_line_and_column),
      SDP_TEST(bounds_what_it_reads),
      SDP_TEST(reads_a_megabyte),
      SDP_TEST(the_end_of_memory_is_told),
      SDP_TEST(any_piece_may_be_the_one_without_memory),
      SDP_TEST(freeing_nothing_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
