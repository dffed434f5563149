/* Two connections in one environment: each event names the connection whose doing it is, and tells what an operator
 * needs and nothing that is private. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/pc.h"
#include "support/cmocka.h"
#include "support/virtual_time.h"

enum { QUEUE = 256, LOG = 1 << 16, AGENTS = 2 };

typedef struct datagram {
  int to;
  floe_addr from;
  uint8_t bytes[1500];
  size_t len;
} datagram;

typedef struct pair {
  floe_env *env;
  floe_time now;
  double last_ms; /* of the trace */
  floe_pc *pc[AGENTS];
  floe_sock_id sock[AGENTS];
  datagram queue[QUEUE];
  size_t first, n;
  floe_data_channel *told[AGENTS]; /* by the peer */
  char log[AGENTS + 1][LOG];       /* lines of the layers above ICE, by the agent they name */
  char all[16 * LOG];
} pair;

/* --- the trace ---------------------------------------------------------------------------------------------------- */

static void append(char *log, size_t cap, const char *text, size_t len) {
  size_t at = strlen(log);
  assert_true(at + len + 2 < cap);
  memcpy(log + at, text, len);
  memcpy(log + at + len, "\n", 2);
}

/* Without the time, the agent's number and quotation marks. */
static void on_trace(void *user, const char *json, size_t len) {
  pair *p = user;
  char line[1100], agent[24];
  size_t n = 0;
  unsigned number = 0;
  append(p->all, sizeof p->all, json, len);
  (void)snprintf(line, sizeof line, "%.*s", (int)len, json);
  const char *event = strstr(line, "\"event\":\""), *named = strstr(line, ",\"agent\":");
  assert_non_null(event);
  if (named != NULL) number = (unsigned)strtoul(named + strlen(",\"agent\":"), NULL, 10);
  assert_in_range(number, 0, AGENTS);
  double t_ms = strtod(line + strlen("{\"t_ms\":"), NULL);
  assert_true(t_ms >= p->last_ms); /* whichever layer tells it */
  p->last_ms = t_ms;
  event += strlen("\"event\":\"");
  bool is_above = strncmp(event, "pc.", 3) == 0 || strncmp(event, "dtls.", 5) == 0 || strncmp(event, "sctp.", 5) == 0;
  if (!is_above) return;
  (void)snprintf(agent, sizeof agent, ",\"agent\":%u", number);
  char *out = line;
  for (const char *in = event; *in != '\0'; in++) {
    if (named != NULL && in == named) in += strlen(agent);
    if (*in != '"' && *in != '}') out[n++] = *in == ',' ? ' ' : *in;
  }
  append(p->log[number], LOG, out, n);
}

/* --- the network: what one sends arrives at the other a millisecond later ------------------------------------------
 */

static floe_addr address_of(int side) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, side == 0 ? "10.0.0.1:5000" : "10.0.1.1:5000"));
  return addr;
}

static void pass_on(pair *p, int from, const floe_output *out) {
  assert_true(p->n < QUEUE && out->u.transmit.data.len <= sizeof p->queue[0].bytes);
  datagram *d = &p->queue[(p->first + p->n++) % QUEUE];
  floe_addr other = address_of(1 - from);
  d->to = floe_addr_equal(&out->u.transmit.to, &other) ? 1 - from : -1;
  d->from = address_of(from);
  d->len = out->u.transmit.data.len;
  memcpy(d->bytes, out->u.transmit.data.ptr, d->len);
}

static void list_interfaces(pair *p, int side) {
  floe_interface interface = {.name = "eth0", .index = 1, .addr = address_of(side)};
  interface.addr.port = 0;
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = &interface, .n_interfaces = 1};
  floe_pc_input(p->pc[side], p->now, &in);
}

static void open_socket(pair *p, int side, const floe_output *out) {
  p->sock[side] = out->u.open.sock;
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = out->u.open.sock, .addr = address_of(side)};
  floe_pc_input(p->pc[side], p->now, &in);
}

static void poll_side(pair *p, int side) {
  floe_output out;
  for (int i = 0; i < 10000; i++) {
    floe_pc_poll(p->pc[side], &out);
    if (out.type == FLOE_OUTPUT_WAIT) return;
    if (out.type == FLOE_OUTPUT_TRANSMIT) pass_on(p, side, &out);
    if (out.type == FLOE_OUTPUT_OPEN) open_socket(p, side, &out);
    if (out.type == FLOE_OUTPUT_INTERFACES) list_interfaces(p, side);
    if (out.type == FLOE_OUTPUT_EVENT && out.u.event->type == FLOE_EVENT_DATACHANNEL) {
      p->told[side] = out.u.event->u.channel;
    }
  }
  fail_msg("side %d has no end of outputs", side);
}

/* One millisecond. */
static void step(pair *p) {
  p->now += FLOE_MS;
  floe__test_clock_set(p->now);
  for (size_t n = p->n; n > 0; n--, p->n--, p->first++) {
    datagram *d = &p->queue[p->first % QUEUE];
    if (d->to < 0) continue;
    floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = p->sock[d->to], .addr = d->from, .data = {d->bytes, d->len}};
    floe_pc_input(p->pc[d->to], p->now, &in);
    poll_side(p, d->to);
  }
  floe_input timer = {.type = FLOE_INPUT_TIMER};
  for (int side = 0; side < AGENTS; side++) {
    if (p->pc[side] == NULL) continue;
    floe_pc_input(p->pc[side], p->now, &timer);
    poll_side(p, side);
  }
}

static void run(pair *p, int ms) {
  for (int i = 0; i < ms; i++) step(p);
}

/* --- the life ----------------------------------------------------------------------------------------------------- */

static pair *new_pair(void) {
  pair *p = test_calloc(1, sizeof *p);
  floe_env_config cfg;
  p->now = 10 * FLOE_SECOND;
  p->last_ms = 10000;
  floe__test_clock_set(p->now);
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = p;
  cfg.trace = on_trace;
  assert_int_equal(floe_env_new(&p->env, &cfg), FLOE_OK);
  floe_env_set_unix_time(p->env, p->now, FLOE__TEST_CLOCK_ORIGIN_S * INT64_C(1000));
  for (int side = 0; side < AGENTS; side++) {
    assert_int_equal(floe_pc_new(&p->pc[side], p->env, p->now, NULL, NULL), FLOE_OK);
  }
  return p;
}

static void free_pair(pair *p) {
  for (int side = 0; side < AGENTS; side++) floe_pc_free(p->pc[side]);
  floe_env_free(p->env);
  test_free(p);
}

static void hand_over(pair *p, int from, floe_sdp_type type) {
  const floe_session_description *d = floe_pc_local_description(p->pc[from]);
  assert_non_null(d);
  assert_int_equal(d->type, type);
  assert_int_equal(floe_pc_set_remote_description(p->pc[1 - from], p->now, d, NULL), FLOE_OK);
}

/* Whole descriptions, candidates included. */
static void negotiate(pair *p) {
  assert_int_equal(floe_pc_set_local_description(p->pc[0], p->now, NULL, NULL), FLOE_OK);
  run(p, 100);
  hand_over(p, 0, FLOE_SDP_OFFER);
  assert_int_equal(floe_pc_set_local_description(p->pc[1], p->now, NULL, NULL), FLOE_OK);
  run(p, 100);
  hand_over(p, 1, FLOE_SDP_ANSWER);
}

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){(const uint8_t *)text, strlen(text)};
}

/* cmocka cuts long texts off. */
static void expect_log(const pair *p, int agent, const char *expected) {
  if (strcmp(p->log[agent], expected) == 0) return;
  fprintf(stderr, "agent %d:\n%s\nand not:\n%s\n", agent, p->log[agent], expected);
  fail();
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

#define SECRET "a label that is nobody's business"

static floe_data_channel *make_channel(pair *p, int side) {
  floe_data_channel_init init;
  floe_data_channel *c;
  floe_data_channel_init_init(&init, sizeof init);
  init.unordered = true;
  init.has_max_retransmits = true;
  init.max_retransmits = 3;
  init.protocol = "p1";
  assert_int_equal(floe_pc_create_data_channel(p->pc[side], p->now, SECRET, &init, &c, NULL), FLOE_OK);
  return c;
}

static void each_event_names_its_connection(void **state) {
  (void)state;
  pair *p = new_pair();
  floe_data_channel *c = make_channel(p, 0);
  negotiate(p);
  run(p, 500);
  assert_int_equal(floe_pc_connection_state(p->pc[0]), FLOE_PC_CONNECTED);
  assert_non_null(p->told[1]);
  /* Calls of one connection after the other one ran last. */
  assert_int_equal(floe_data_channel_send_text(c, p->now, bytes_of(SECRET)), FLOE_OK);
  run(p, 20);
  assert_int_equal(floe_data_channel_send(p->told[1], p->now, bytes_of("four")), FLOE_OK);
  run(p, 20);
  floe_data_channel_close(c, p->now);
  run(p, 500);
  floe_pc_close(p->pc[0], p->now);
  run(p, 500);
  expect_log(p, 0, "");
  expect_log(
      p, 1,
      "pc.channel.made channel:1 by:us negotiated:0 ordered:0 max_retransmits:3 label_bytes:33 protocol_bytes:2\n"
      "pc.description side:local type:offer sections:1 data:1 restart:0 setup:actpass candidates:0\n"
      "pc.signaling from:stable to:have-local-offer\n"
      "pc.description side:remote type:answer sections:1 data:1 restart:0 setup:active candidates:1\n"
      "pc.signaling from:have-local-offer to:stable\n"
      "pc.state from:new to:connecting\n"
      "dtls.state from:new to:handshake role:server\n"
      "pc.dtls from:new to:connecting\n"
      "dtls.state from:handshake to:open role:server version:DTLSv1.2 cipher:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
      "group:x25519 fingerprint:sha-256\n"
      "pc.dtls from:connecting to:connected\n"
      "pc.state from:connecting to:connected\n"
      "sctp.state from:new to:connecting\n"
      "sctp.state from:connecting to:connected streams_in:256 streams_out:256 interleaving:1\n"
      "pc.channel channel:1 stream:1 from:connecting to:open\n"
      "pc.channel.message channel:1 first:sent bytes:33\n"
      "pc.channel.message channel:1 first:received bytes:4\n"
      "pc.channel channel:1 stream:1 from:open to:closing\n"
      "pc.channel channel:1 stream:1 from:closing to:closed\n"
      "sctp.state from:connected to:closed cause:sctp_abort by:us code:12 text:the connection was closed\n"
      "dtls.state from:open to:closed role:server alert_sent:0\n"
      "pc.signaling from:stable to:closed\n"
      "pc.state from:connected to:closed\n");
  expect_log(
      p, 2,
      "pc.description side:remote type:offer sections:1 data:1 restart:0 setup:actpass candidates:1\n"
      "pc.signaling from:stable to:have-remote-offer\n"
      "pc.description side:local type:answer sections:1 data:1 restart:0 setup:active candidates:0\n"
      "pc.signaling from:have-remote-offer to:stable\n"
      "pc.state from:new to:connecting\n"
      "dtls.state from:new to:handshake role:client\n"
      "pc.dtls from:new to:connecting\n"
      "dtls.state from:handshake to:open role:client version:DTLSv1.2 cipher:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
      "group:x25519 fingerprint:sha-256\n"
      "pc.dtls from:connecting to:connected\n"
      "pc.state from:connecting to:connected\n"
      "sctp.state from:new to:connecting\n"
      "sctp.state from:connecting to:connected streams_in:256 streams_out:256 interleaving:1\n"
      "pc.channel.made channel:1 stream:1 by:peer negotiated:0 ordered:0 max_retransmits:3 label_bytes:33 "
      "protocol_bytes:2\n"
      "pc.channel channel:1 stream:1 from:connecting to:open\n"
      "pc.channel.message channel:1 first:received bytes:33\n"
      "pc.channel.message channel:1 first:sent bytes:4\n"
      "pc.channel channel:1 stream:1 from:open to:closing\n"
      "pc.channel channel:1 stream:1 from:closing to:closed\n"
      "sctp.state from:connected to:closed cause:sctp_abort by:peer code:12 text:User-Initiated Abort: the connection "
      "was closed\n"
      "dtls.state from:open to:closed role:client alert_received:0 alert_sent:0\n"
      "pc.dtls from:connected to:closed\n");
  assert_null(strstr(p->all, SECRET));
  assert_null(strstr(p->all, "10.0."));
  free_pair(p);
}

static void descriptions_and_what_is_refused(void **state) {
  (void)state;
  pair *p = new_pair();
  (void)make_channel(p, 1);
  p->log[2][0] = '\0';
  const floe_session_description broken = {FLOE_SDP_OFFER, "nonsense"}, early = {FLOE_SDP_ANSWER, "v=0"},
                                 none = {FLOE_SDP_ROLLBACK, NULL};
  assert_int_equal(floe_pc_set_remote_description(p->pc[0], p->now, &broken, NULL), FLOE_E_SYNTAX);
  assert_int_equal(floe_pc_set_remote_description(p->pc[1], p->now, &early, NULL), FLOE_E_STATE);
  assert_int_equal(floe_pc_set_local_description(p->pc[0], p->now, &broken, NULL), FLOE_E_MODIFICATION);
  assert_int_equal(floe_pc_set_local_description(p->pc[1], p->now, NULL, NULL), FLOE_OK);
  assert_int_equal(floe_pc_set_local_description(p->pc[1], p->now, &none, NULL), FLOE_OK);
  expect_log(p, 1,
             "pc.description.refused side:remote type:offer status:FLOE_E_SYNTAX\n"
             "pc.description.refused side:local type:offer status:FLOE_E_MODIFICATION\n");
  expect_log(p, 2,
             "pc.description.refused side:remote type:answer status:FLOE_E_STATE\n"
             "pc.description side:local type:offer sections:1 data:1 restart:0 setup:actpass candidates:0\n"
             "pc.signaling from:stable to:have-local-offer\n"
             "pc.description side:local type:rollback\n"
             "pc.signaling from:have-local-offer to:stable\n");
  free_pair(p);
}

static void a_restart_is_said(void **state) {
  (void)state;
  pair *p = new_pair();
  (void)make_channel(p, 0);
  negotiate(p);
  run(p, 500);
  floe_pc_restart_ice(p->pc[0], p->now);
  p->log[1][0] = p->log[2][0] = '\0';
  negotiate(p);
  assert_non_null(strstr(p->log[1], "side:local type:offer sections:1 data:1 restart:1 setup:actpass"));
  assert_non_null(strstr(p->log[1], "side:remote type:answer sections:1 data:1 restart:1 setup:active"));
  assert_non_null(strstr(p->log[2], "side:remote type:offer sections:1 data:1 restart:1 setup:actpass"));
  assert_non_null(strstr(p->log[2], "side:local type:answer sections:1 data:1 restart:1 setup:active"));
  assert_null(strstr(p->log[1], "dtls.state"));
  free_pair(p);
}

static void a_failed_handshake_has_its_cause_and_alert(void **state) {
  (void)state;
  pair *p = new_pair();
  (void)make_channel(p, 0);
  assert_int_equal(floe_pc_set_local_description(p->pc[0], p->now, NULL, NULL), FLOE_OK);
  run(p, 100);
  /* Somebody between them puts another certificate's fingerprint in. */
  char *forged = test_malloc(8192);
  (void)snprintf(forged, 8192, "%s", floe_pc_local_description(p->pc[0])->sdp);
  char *digit = strstr(forged, "a=fingerprint:sha-256 ");
  assert_non_null(digit);
  digit += strlen("a=fingerprint:sha-256 ");
  *digit = *digit == '0' ? '1' : '0';
  const floe_session_description d = {FLOE_SDP_OFFER, forged};
  assert_int_equal(floe_pc_set_remote_description(p->pc[1], p->now, &d, NULL), FLOE_OK);
  test_free(forged);
  assert_int_equal(floe_pc_set_local_description(p->pc[1], p->now, NULL, NULL), FLOE_OK);
  run(p, 100);
  hand_over(p, 1, FLOE_SDP_ANSWER);
  run(p, 500);
  assert_non_null(strstr(p->log[2],
                         "dtls.state from:handshake to:failed role:client cause:dtls_fingerprint certificate:1 "
                         "alert_sent:42\n"));
  assert_non_null(strstr(p->log[2], "pc.state from:connecting to:failed cause:dtls_fingerprint\n"));
  assert_non_null(strstr(p->log[1],
                         "dtls.state from:handshake to:failed role:server cause:dtls_alert certificate:0 "
                         "alert_received:42\n"));
  free_pair(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_event_names_its_connection),
      cmocka_unit_test(descriptions_and_what_is_refused),
      cmocka_unit_test(a_restart_is_said),
      cmocka_unit_test(a_failed_handshake_has_its_cause_and_alert),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
