/* Descriptions for the tests of src/sdp: an env, texts and what is expected of them. */
#ifndef FLOE_TESTS_UNIT_SDP_FIXTURE_H
#define FLOE_TESTS_UNIT_SDP_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "sdp/jsep.h"
#include "support/cmocka.h"
#include "support/sim_alloc.h"

#define HEAD  "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define PWD   "0123456789abcdefghijkl"
#define PRINT "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"
#define ICE   "a=ice-ufrag:abcd\r\na=ice-pwd:" PWD "\r\n"
#define DTLS  "a=fingerprint:sha-256 " PRINT "\r\na=setup:actpass\r\n"
#define DATA  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\n"

typedef struct bed {
  floe_env *env;
  sim_alloc memory;
} bed;

static inline int setup_bed(void **state) {
  static bed b;
  sim_alloc_init(&b.memory);
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &b.memory;
  cfg.reallocate = sim_alloc_reallocate;
  assert_int_equal(floe_env_new(&b.env, &cfg), FLOE_OK);
  *state = &b;
  return 0;
}

static inline int teardown_bed(void **state) {
  bed *b = *state;
  floe_env_free(b->env);
  assert_int_equal(sim_alloc_report_leaks(&b->memory), 0);
  return 0;
}

#define SDP_TEST(f) cmocka_unit_test_setup_teardown(f, setup_bed, teardown_bed)

static inline floe__sdp *parse_ok(const bed *b, const char *text) {
  floe__sdp *sdp;
  floe_error why = {0};
  floe_status st = floe__sdp_parse(&sdp, b->env, text, &why);
  if (st != FLOE_OK) print_message("%u:%u %s\n%s\n", why.line, why.column, why.message, text);
  assert_int_equal(st, FLOE_OK);
  return sdp;
}

static inline const floe__jsep_local *sample_local(void) {
  static const floe__sdp_fingerprint print = {"sha-256", PRINT};
  static const floe__jsep_local local = {.session_id = "4611731400430051336",
                                         .session_version = 2,
                                         .ufrag = "floe",
                                         .pwd = PWD,
                                         .fingerprints = &print,
                                         .n_fingerprints = 1,
                                         .setup = FLOE__SETUP_ACTPASS,
                                         .sctp_port = 5000,
                                         .max_message_size = 262144,
                                         .wants_data = true};
  return &local;
}

#define LOCAL_HEAD(group)                               \
  "v=0\r\no=- 4611731400430051336 2 IN IP4 0.0.0.0\r\n" \
  "s=-\r\nt=0 0\r\n" group "a=ice-options:trickle ice2\r\n"
#define LOCAL_TRANSPORT(setup) \
  "a=ice-ufrag:floe\r\na=ice-pwd:" PWD "\r\na=fingerprint:sha-256 " PRINT "\r\na=setup:" setup "\r\n"
#define LOCAL_SCTP "a=sctp-port:5000\r\na=max-message-size:262144\r\n"

/* A refusal: its status, line and a word of its text. */
static inline void assert_refused(floe_status st, const floe_error *why, floe_status expected, uint32_t line,
                                  const char *message) {
  if (st != expected || why->line != line || strcmp(why->message, message) != 0) {
    print_message("line %u: %s\n", why->line, why->message);
  }
  assert_int_equal(st, expected);
  assert_int_equal(why->status, expected);
  assert_string_equal(why->path, "sdp");
  assert_int_equal(why->line, line);
  assert_string_equal(why->message, message);
}

#endif
