/* Attributes: what is read, and where errors point. */
#include <stdlib.h>

#include "fixture.h"

static floe__sdp *parse_section(const bed *b, const char *attributes) {
  char text[4096];
  (void)snprintf(text, sizeof text, HEAD DATA "%s", attributes);
  return parse_ok(b, text);
}

static void reads_all_of_a_data_section(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_section(
      b, "a=ice-ufrag:ab+/\r\na=ice-pwd:" PWD
         "\r\na=ice-options:renomination  trickle\r\n"
         "a=fingerprint:SHA-256 "
         "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f\r\n"
         "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"
         "a=fingerprint:new AB\r\na=setup:ActPass\r\na=mid:data\r\na=tls-id:abcdefghij+/-_012345\r\n"
         "a=candidate:1 1 UDP 2113937151 192.0.2.1 54220 typ host\r\na=unknown:1\r\n"
         "a=candidate:2 1 UDP 2113937150 192.0.2.2 54220 typ host\r\na=end-of-candidates\r\n"
         "a=sctp-port:5001\r\na=max-message-size:262144\r\na=sendrecv\r\n");
  const floe__sdp_media *m = sdp->media;
  assert_string_equal(m->ufrag, "ab+/");
  assert_string_equal(m->pwd, PWD);
  assert_true(m->ice_trickle && m->ice_renomination && !m->ice_lite);
  assert_int_equal(m->n_fingerprints, 3);
  assert_string_equal(m->fingerprints[0].hash, "sha-256");
  assert_string_equal(m->fingerprints[0].value, PRINT);
  assert_string_equal(m->fingerprints[1].hash, "sha-1");
  assert_string_equal(m->fingerprints[2].hash, "new");
  assert_string_equal(m->fingerprints[2].value, "AB");
  assert_int_equal(m->setup, FLOE__SETUP_ACTPASS);
  assert_string_equal(m->mid, "data");
  assert_string_equal(m->tls_id, "abcdefghij+/-_012345");
  assert_int_equal(m->n_candidates, 2);
  assert_string_equal(m->candidates[0], "candidate:1 1 UDP 2113937151 192.0.2.1 54220 typ host");
  assert_string_equal(m->candidates[1], "candidate:2 1 UDP 2113937150 192.0.2.2 54220 typ host");
  assert_int_equal(m->candidate_lines[0], 16);
  assert_int_equal(m->candidate_lines[1], 18);
  assert_true(m->end_of_candidates);
  assert_true(m->has_sctp_port && m->has_max_message_size);
  assert_int_equal(m->sctp_port, 5001);
  assert_int_equal(m->max_message_size, 262144);
  assert_int_equal(m->direction, FLOE__DIRECTION_SENDRECV);
  assert_int_equal(m->n_attributes, 16);
  floe__sdp_free(sdp);
}

static void reads_setups_and_directions(void **state) {
  bed *b = *state;
  static const struct {
    const char *text;
    floe__sdp_setup setup;
    floe__sdp_direction direction;
  } rows[] = {
      {"", FLOE__SETUP_NONE, FLOE__DIRECTION_SENDRECV},
      {"a=setup:active\na=sendonly\n", FLOE__SETUP_ACTIVE, FLOE__DIRECTION_SENDONLY},
      {"a=setup:passive\na=recvonly\n", FLOE__SETUP_PASSIVE, FLOE__DIRECTION_RECVONLY},
      {"a=setup:actpass\na=inactive\n", FLOE__SETUP_ACTPASS, FLOE__DIRECTION_INACTIVE},
      {"a=setup:holdconn\na=sendrecv\n", FLOE__SETUP_HOLDCONN, FLOE__DIRECTION_SENDRECV},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__sdp *sdp = parse_section(b, rows[i].text);
    assert_int_equal(sdp->media[0].setup, rows[i].setup);
    assert_int_equal(sdp->media[0].direction, rows[i].direction);
    floe__sdp_free(sdp);
  }
}

static void reads_groups(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_ok(b, HEAD "a=group:BUNDLE a b \na=group:LS a\na=group:BUNDLE\n" DATA "a=group:BUNDLE x\n");
  assert_int_equal(sdp->n_groups, 3);
  assert_string_equal(sdp->groups[0].semantics, "BUNDLE");
  assert_int_equal(sdp->groups[0].n_mids, 2);
  assert_string_equal(sdp->groups[0].mids[0], "a");
  assert_string_equal(sdp->groups[0].mids[1], "b");
  assert_string_equal(sdp->groups[1].semantics, "LS");
  assert_int_equal(sdp->groups[2].n_mids, 0);
  floe__sdp_free(sdp);
}

/* What does not stand at the level where it counts is an attribute like any other. */
static void levels_matter(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_ok(b, HEAD "a=mid:(\na=sctp-port:x\na=max-message-size:x\na=candidate\na=bundle-only:x\n" DATA
                                    "a=ice-lite\na=group\n");
  assert_int_equal(sdp->n_attributes, 5);
  assert_int_equal(sdp->media[0].n_attributes, 2);
  assert_false(sdp->ice_lite);
  assert_false(sdp->media[0].ice_lite);
  floe__sdp_free(sdp);
}

static void reads_sizes_and_ports_to_their_bounds(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_section(b, "a=max-message-size:0\na=sctp-port:65535\n");
  assert_true(sdp->media[0].has_max_message_size);
  assert_int_equal(sdp->media[0].max_message_size, 0);
  assert_int_equal(sdp->media[0].sctp_port, 65535);
  floe__sdp_free(sdp);
  sdp = parse_section(b, "a=max-message-size:18446744073709551615\na=sctp-port:0\n");
  assert_true(sdp->media[0].max_message_size == UINT64_MAX);
  assert_true(sdp->media[0].has_sctp_port);
  assert_int_equal(sdp->media[0].sctp_port, 0);
  floe__sdp_free(sdp);
}

typedef struct bad_attribute {
  const char *text; /* line 7 of a description */
  uint32_t column;
  const char *message;
} bad_attribute;

#define TLS_ID "expected 20 to 255 letters, digits, '+', '/', '-' or '_', found "

static const bad_attribute bad_attributes[] = {
    {"a=mid\n", 6, "expected ':' and a value, found the end of the line"},
    {"a=mid:\n", 7, "expected an identification tag, found the end of the line"},
    {"a=mid:a/b\n", 8, "expected an identification tag (a token), found \"/b\""},
    {"a=mid:a b\n", 9, "expected the end of the line, found \"b\""},
    {"a=bundle-only:1\n", 14, "expected the end of the line, found \":1\""},
    {"a=end-of-candidates:\n", 20, "expected the end of the line, found \":\""},
    {"a=sendrecv:x\n", 11, "expected the end of the line, found \":x\""},
    {"a=ice-ufrag:\n", 13, "expected 4 to 256 letters, digits, '+' or '/', found the end of the line"},
    {"a=ice-ufrag:abc\n", 16, "expected 4 to 256 letters, digits, '+' or '/', found the end of the line"},
    {"a=ice-ufrag:abc-\n", 16, "expected a letter, a digit, '+' or '/', found \"-\""},
    {"a=ice-ufrag:abcd efgh\n", 17, "expected a letter, a digit, '+' or '/', found a space"},
    {"a=ice-pwd:0123456789abcdefghijk\n", 32,
     "expected 22 to 256 letters, digits, '+' or '/', found the end of the line"},
    {"a=fingerprint\n", 14, "expected ':' and a value, found the end of the line"},
    {"a=fingerprint:\n", 15, "expected the name of a hash, found the end of the line"},
    {"a=fingerprint:sha-256\n", 22, "expected a hexadecimal digit, found the end of the line"},
    {"a=fingerprint:x 0\n", 18, "expected a hexadecimal digit, found the end of the line"},
    {"a=fingerprint:x 0G\n", 18, "expected a hexadecimal digit, found \"G\""},
    {"a=fingerprint:x 000\n", 19, "expected ':', found \"0\""},
    {"a=fingerprint:x 00:\n", 20, "expected a hexadecimal digit, found the end of the line"},
    {"a=fingerprint:x 00 11\n", 20, "expected the end of the line, found \"11\""},
    {"a=fingerprint:sha-1 00:01\n", 21, "expected 20 bytes of this hash, found \"00:01\""},
    {"a=fingerprint:SHA-512 00\n", 23, "expected 64 bytes of this hash, found \"00\""},
    {"a=setup:\n", 9, "expected active, passive, actpass or holdconn, found the end of the line"},
    {"a=setup:client\n", 9, "expected active, passive, actpass or holdconn, found \"client\""},
    {"a=setup:active x\n", 16, "expected the end of the line, found \"x\""},
    {"a=tls-id:short\n", 15, TLS_ID "the end of the line"},
    {"a=tls-id:abcdefghijklmnopqrst=\n", 30, TLS_ID "\"=\""},
    {"a=sctp-port:65536\n", 13, "expected a port up to 65535, found \"65536\""},
    {"a=sctp-port:\n", 13, "expected a port, found the end of the line"},
    {"a=sctp-port:1 2\n", 15, "expected the end of the line, found \"2\""},
    {"a=max-message-size:-1\n", 20, "expected a number of bytes, found \"-1\""},
    {"a=max-message-size:1k\n", 21, "expected a digit of a number of bytes, found \"k\""},
    {"a=max-message-size:1 2\n", 22, "expected the end of the line, found \"2\""},
    {"a=sctpmap:x\n", 11, "expected a port, found \"x\""},
    {"a=candidate\n", 12, "expected ':' and a value, found the end of the line"},
};

static void errors_name_line_and_column(void **state) {
  bed *b = *state;
  for (size_t i = 0; i < sizeof bad_attributes / sizeof bad_attributes[0]; i++) {
    char text[512];
    (void)snprintf(text, sizeof text, HEAD DATA "%s", bad_attributes[i].text);
    floe__sdp *sdp;
    floe_error why;
    floe_status st = floe__sdp_parse(&sdp, b->env, text, &why);
    if (why.column != bad_attributes[i].column) print_message("column %u: %s", why.column, bad_attributes[i].text);
    assert_refused(st, &why, FLOE_E_SYNTAX, 7, bad_attributes[i].message);
    assert_int_equal(why.column, bad_attributes[i].column);
    assert_int_equal(why.offset, strlen(HEAD DATA) + why.column - 1);
  }
}

static void groups_have_semantics_and_tags(void **state) {
  bed *b = *state;
  floe__sdp *sdp;
  floe_error why;
  floe_status st = floe__sdp_parse(&sdp, b->env, HEAD "a=group\n", &why);
  assert_refused(st, &why, FLOE_E_SYNTAX, 5, "expected ':' and a value, found the end of the line");
  st = floe__sdp_parse(&sdp, b->env, HEAD "a=group:\n", &why);
  assert_refused(st, &why, FLOE_E_SYNTAX, 5, "expected the semantics of a group, found the end of the line");
  st = floe__sdp_parse(&sdp, b->env, HEAD "a=group:BUNDLE a b?\n", &why);
  assert_refused(st, &why, FLOE_E_SYNTAX, 5, "expected an identification tag (a token), found \"?\"");
  assert_int_equal(why.column, 19);
}

static void some_stand_once(void **state) {
  static const char *const names[] = {"mid:0",
                                      "ice-ufrag:abcd",
                                      ("ice-pwd:" PWD),
                                      "setup:active",
                                      "sctp-port:5000",
                                      "tls-id:abcdefghijklmnopqrst",
                                      "max-message-size:1"};
  bed *b = *state;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char text[512], message[128];
    (void)snprintf(text, sizeof text, HEAD DATA "a=%s\na=%s\n", names[i], names[i]);
    size_t len = strcspn(names[i], ":");
    size_t shown = strlen(names[i]) > 32 ? 32 : strlen(names[i]);
    (void)snprintf(message, sizeof message, "expected a=%.*s once, found \"%.*s\"%s", (int)len, names[i], (int)shown,
                   names[i], shown == 32 ? "..." : "");
    floe__sdp *sdp;
    floe_error why;
    assert_refused(floe__sdp_parse(&sdp, b->env, text, &why), &why, FLOE_E_SYNTAX, 8, message);
    assert_int_equal(why.column, 3);
  }
}

/* RFC 8839 5.4, RFC 8842 4: the longest that is allowed, and one byte more. */
static void bounds_the_length_of_credentials(void **state) {
  static const struct {
    const char *name;
    size_t max;
    const char *message;
  } rows[] = {{"ice-ufrag", 256, "expected 4 to 256 letters, digits, '+' or '/', found \"A\""},
              {"ice-pwd", 256, "expected 22 to 256 letters, digits, '+' or '/', found \"A\""},
              {"tls-id", 255, TLS_ID "the end of the line"}};
  bed *b = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[512], value[300] = "";
    memset(value, 'A', rows[i].max);
    (void)snprintf(text, sizeof text, HEAD DATA "a=%s:%s\n", rows[i].name, value);
    floe__sdp_free(parse_ok(b, text));
    value[rows[i].max] = 'A';
    (void)snprintf(text, sizeof text, HEAD DATA "a=%s:%s\n", rows[i].name, value);
    floe__sdp *sdp;
    floe_error why;
    assert_refused(floe__sdp_parse(&sdp, b->env, text, &why), &why, FLOE_E_SYNTAX, 7, rows[i].message);
  }
}

/* RFC 8839 5.6 asks for spaces; libdatachannel writes commas. */
static void options_may_have_commas(void **state) {
  bed *b = *state;
  floe__sdp *sdp = parse_section(b, "a=ice-options:ice2,trickle\n");
  assert_true(sdp->media[0].ice_trickle);
  floe__sdp_free(sdp);
  sdp = parse_section(b, "a=ice-options:trickles notrickle renomination,\n");
  assert_false(sdp->media[0].ice_trickle);
  assert_true(sdp->media[0].ice_renomination);
  floe__sdp_free(sdp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(reads_all_of_a_data_section),
      SDP_TEST(reads_setups_and_directions),
      SDP_TEST(reads_groups),
      SDP_TEST(levels_matter),
      SDP_TEST(reads_sizes_and_ports_to_their_bounds),
      SDP_TEST(errors_name_line_and_column),
      SDP_TEST(groups_have_semantics_and_tags),
      SDP_TEST(some_stand_once),
      SDP_TEST(bounds_the_length_of_credentials),
      SDP_TEST(options_may_have_commas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
