/* Peers that lie, flood and torture: each gets its error, its cause, or nothing. */
#include "pc/pc_internal.h"
#include "support/pc_peers.h"

/* --- descriptions that are changed on their way --------------------------------------------------------------------
 */

/* All of `from` becomes `to`; the caller frees. */
static char *with(const char *text, const char *from, const char *to) {
  size_t n = 0;
  for (const char *at = strstr(text, from); at != NULL; at = strstr(at + strlen(from), from)) n++;
  char *out = sim_must(calloc(1, strlen(text) + n * strlen(to) + 1)), *end = out;
  while (*text != '\0') {
    if (strncmp(text, from, strlen(from)) == 0) {
      end += sprintf(end, "%s", to);
      text += strlen(from);
    } else {
      *end++ = *text++;
    }
  }
  return out;
}

static char *copy_of(const char *text) {
  return with(text, "\n", "\n");
}

/* Without the lines that begin so. */
static char *without(const char *text, const char *line) {
  char *out = sim_must(calloc(1, strlen(text) + 1)), *end = out;
  while (*text != '\0') {
    size_t len = strcspn(text, "\n") + 1;
    if (strncmp(text, line, strlen(line)) != 0) end += sprintf(end, "%.*s", (int)len, text);
    text += len;
  }
  return out;
}

static char *with_wrong_fingerprint(const char *text) {
  char *out = copy_of(text);
  char *at = strstr(out, "a=fingerprint:sha-256 ") + strlen("a=fingerprint:sha-256 ");
  at[0] = at[0] == '0' ? '1' : '0';
  return out;
}

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  return p;
}

static char *gathered_sdp(pc_peer *y) {
  assert_true(pc_peer_run_to_gathered(y, 1000));
  return sim_pc_local_sdp(y->x);
}

/* The exchange, with what `change` (nullable) makes of the answer. */
static void exchange(pc_peers *p, char *(*change_offer)(const char *), char *(*change_answer)(const char *)) {
  assert_int_equal(sim_pc_set_local_implicit(p->alice.x), FLOE_OK);
  char *offer = gathered_sdp(&p->alice);
  char *given = change_offer == NULL ? copy_of(offer) : change_offer(offer);
  assert_int_equal(sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, given), FLOE_OK);
  free(given);
  free(offer);
  assert_int_equal(sim_pc_set_local_implicit(p->bob.x), FLOE_OK);
  char *answer = gathered_sdp(&p->bob);
  given = change_answer == NULL ? copy_of(answer) : change_answer(answer);
  assert_int_equal(sim_pc_set_remote(p->alice.x, FLOE_SDP_ANSWER, given), FLOE_OK);
  free(given);
  free(answer);
}

/* --- DTLS ----------------------------------------------------------------------------------------------------------
 */

/* It is DTLS that fails, not ICE; the one who was lied to knows the cause, the other one has an alert. */
static void a_wrong_fingerprint(void **state) {
  (void)state;
  for (int lied_to_bob = 0; lied_to_bob < 2; lied_to_bob++) {
    pc_peers *p = by_hand();
    exchange(p, lied_to_bob == 1 ? with_wrong_fingerprint : NULL, lied_to_bob == 1 ? NULL : with_wrong_fingerprint);
    pc_true(p, pc_peers_run_to_failed(p, 5000));
    const pc_peer *lied_to = lied_to_bob == 1 ? &p->bob : &p->alice, *other = lied_to->other;
    expect_text(p->s, "dtls", sim_pc_events_with(lied_to->x, "dtls_"),
                lied_to_bob == 1 ? "dtls error dtls_fingerprint fingerprint-failure\n"
                                   "connectionstatechange failed dtls_fingerprint\n"
                                 : "data error dtls_fingerprint fingerprint-failure\n"
                                   "dtls error dtls_fingerprint fingerprint-failure\n"
                                   "connectionstatechange failed dtls_fingerprint\n");
    expect_text(p->s, "dtls", sim_pc_events_with(other->x, "dtls_"),
                lied_to_bob == 1 ? "data error dtls_alert dtls-failure\n"
                                   "dtls error dtls_alert dtls-failure\n"
                                   "connectionstatechange failed dtls_alert\n"
                                 : "dtls error dtls_alert dtls-failure\n"
                                   "connectionstatechange failed dtls_alert\n");
    assert_string_equal(sim_pc_events_with(lied_to->x, "iceconnectionstatechange failed"), "");
    const floe_dtls_transport *dtls = floe_pc_dtls_transport(lied_to->x->core);
    assert_int_equal(dtls->state, FLOE_DTLS_TRANSPORT_FAILED);
    assert_int_equal(dtls->cause, FLOE_CAUSE_DTLS_FINGERPRINT);
    assert_true(dtls->has_sent_alert);
    assert_non_null(dtls->error_text);
    dtls = floe_pc_dtls_transport(other->x->core);
    assert_int_equal(dtls->cause, FLOE_CAUSE_DTLS_ALERT);
    assert_true(dtls->has_received_alert);
    assert_int_equal(floe_pc_failure_report(lied_to->x->core, sim_pc_now(lied_to->x))->verdict,
                     FLOE_CAUSE_DTLS_FINGERPRINT);
    assert_int_equal(floe_pc_failure_report(other->x->core, sim_pc_now(other->x))->verdict, FLOE_CAUSE_DTLS_ALERT);
    pc_peers_free(p);
  }
}

static char *with_an_unknown_hash(const char *text) {
  return with(text, "a=fingerprint:", "a=fingerprint:sha-999 00:11:22\r\na=fingerprint:");
}

/* RFC 8122 5: several may be given, and those of unknown hashes say nothing. */
static void one_fingerprint_of_several_is_enough(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  exchange(p, with_an_unknown_hash, with_an_unknown_hash);
  pc_true(p, pc_peers_connect(p, 3000));
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void descriptions_that_cannot_be_applied(void **state) {
  (void)state;
  static const struct {
    const char *line; /* is left out */
    const char *from, *to;
  } rows[] = {{"a=fingerprint:", NULL, NULL},
              {"a=ice-ufrag:", NULL, NULL},
              {"a=ice-pwd:", NULL, NULL},
              {NULL, "a=ice-pwd:", "a=ice-pwd:short\r\na=x:"},
              {NULL, "a=setup:actpass", "a=setup:holdconn"},
              {NULL, "a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz:"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    pc_peers *p = by_hand();
    char *offer = sim_pc_create_offer(p->alice.x, NULL);
    char *bad = rows[i].line != NULL ? without(offer, rows[i].line) : with(offer, rows[i].from, rows[i].to);
    assert_string_not_equal(offer, bad);
    floe_status st = sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, bad);
    if (st != FLOE_E_ACCESS && st != FLOE_E_SYNTAX) sim_fail(p->s, "row %zu: %s", i, floe_status_name(st));
    assert_string_equal(p->bob.x->why.path, "sdp");
    assert_true(p->bob.x->why.line > 0);
    pc_expect(&p->bob, "");
    pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
    free(offer);
    free(bad);
    pc_peers_free(p);
  }
}

/* Checks get through, the flights of the handshake do not: a narrow path. */
static void a_handshake_that_times_out(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .mtu = 150});
  p->alice.cfg.dtls_timeout_ms = 20000;
  p->bob.cfg.dtls_timeout_ms = 20000;
  pc_true(p, pc_peers_run_to_failed(p, 40000));
  assert_int_equal(p->alice.x->cause, FLOE_CAUSE_DTLS_TIMEOUT);
  assert_int_equal(p->bob.x->cause, FLOE_CAUSE_DTLS_TIMEOUT);
  double ms = (double)sim_now(p->s) / (double)FLOE_MS;
  if (ms < 20000.0 || ms > 20100.0) sim_fail(p->s, "it took %.1f ms", ms);
  pc_expect_with(&p->alice, "dtls",
                 "dtls statechange connecting\n"
                 "data error dtls_timeout dtls-failure\n"
                 "dtls error dtls_timeout dtls-failure\n"
                 "dtls statechange failed\n"
                 "connectionstatechange failed dtls_timeout\n");
  assert_string_equal(sim_pc_events_with(p->alice.x, "iceconnectionstatechange failed"), "");
  pc_peers_free(p);
}

/* --- SCTP ----------------------------------------------------------------------------------------------------------
 */

static void an_association_that_times_out(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 500);
  pc_peers_clear_logs(p);
  sim_path_default(p->s, &(sim_path){.delay_us = 5000, .mtu = 150}); /* checks pass */
  sim_channel *a = pc_peer_channel(&p->alice, 0);
  uint64_t hash;
  pc_status(p, FLOE_OK, sim_channel_blob(a, 1000, 1, false, &hash));
  pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 600000));
  sim_run_for(p->s, 100);
  pc_expect(&p->alice,
            "data bufferedamountlow\n"
            "data error sctp_timeout sctp-failure\n"
            "data close\n"
            "sctp statechange closed\n");
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
  const floe_sctp_transport *sctp = floe_pc_sctp_transport(p->alice.x->core);
  assert_int_equal(sctp->state, FLOE_SCTP_TRANSPORT_CLOSED);
  assert_int_equal(sctp->cause, FLOE_CAUSE_SCTP_TIMEOUT);
  pc_peers_free(p);
}

static char *with_a_large_limit(const char *text) {
  return with(text, "a=max-message-size:1000", "a=max-message-size:400000");
}

/* More than bob has said: he ends the association, as the one thing that can be done. */
static void a_message_over_the_limit(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  p->bob.cfg.max_message_size = 1000;
  pc_peers_start(p);
  assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
  exchange(p, NULL, with_a_large_limit);
  pc_true(p, pc_peers_connect(p, 3000));
  assert_int_equal(floe_pc_sctp_transport(p->alice.x->core)->max_message_size, 400000);
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  uint64_t hash;
  pc_status(p, FLOE_OK, sim_channel_blob(a, 1000, 1, false, &hash));
  pc_true(p, pc_channel_run_to_messages(b, 1, 1000));
  pc_status(p, FLOE_OK, sim_channel_blob(a, 400000, 1, false, &hash));
  pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 10000));
  pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 10000));
  assert_int_equal(b->n_binaries, 1);
  assert_int_equal(a->error_cause, FLOE_CAUSE_SCTP_ABORT);
  assert_int_equal(b->error_cause, FLOE_CAUSE_SCTP_ABORT);
  assert_int_equal(p->bob.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_free(p);
}

/* --- what SCTP carries, by hand ------------------------------------------------------------------------------------
 */

static void send_raw(pc_peer *y, uint16_t stream, uint32_t ppid, const void *data, size_t len) {
  floe_pc *pc = y->x->core;
  floe_status st = floe__sctp_send(pc->transport.sctp, stream, ppid, (floe_bytes){data, len}, NULL, sim_pc_now(y->x));
  assert_int_equal(st, FLOE_OK);
  floe__transport_pump(pc);
  sim_pc_drain(y->x);
}

static void dcep_garbage(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
  } rows[] = {{"\x00", 1},
              {"\x02", 1}, /* an ACK of nothing */
              {"\x03", 1},
              {"\x03\x00\x00", 3},
              {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12},
              {"\x03\x00\x00\x00\x00\x00\x00\x00\xFF\xFF\x00\x00short", 17},    /* a label that is not there */
              {"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x01\xFF\xFFx", 13},        /* nor the protocol */
              {"\x03\x77\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00x", 13},        /* a type of no meaning */
              {"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\xC3\x28", 14}, /* a label that is not UTF-8 */
              {"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00xtrailing bytes", 27}};
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_peers_clear_logs(p);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    send_raw(&p->alice, (uint16_t)(101 + 2 * i), FLOE__PPID_DCEP, rows[i].bytes, rows[i].len);
    send_raw(&p->alice, 1, FLOE__PPID_DCEP, rows[i].bytes, rows[i].len); /* on the open channel */
    sim_run_for(p->s, 200);
  }
  /* nobody was told of a channel that cannot be used, and the open one stays */
  assert_string_equal(sim_pc_events_with(p->bob.x, "data close"), "");
  assert_int_equal(p->bob.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

static void strange_messages(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_peers_clear_logs(p);
  send_raw(&p->alice, 1, 0, "no PPID", 7);
  send_raw(&p->alice, 1, 52, "half a binary", 13);
  send_raw(&p->alice, 1, 54, "half a text", 11);
  send_raw(&p->alice, 1, 0xFFFFFFFF, "unknown", 7);
  uint16_t last = (uint16_t)(floe_pc_sctp_transport(p->alice.x->core)->max_channels - 1);
  send_raw(&p->alice, last, FLOE__PPID_BINARY, "a stream of nobody", 18);
  send_raw(&p->alice, 1, FLOE__PPID_STRING_EMPTY, "more than nothing", 17);
  sim_run_for(p->s, 500);
  pc_expect(&p->bob, "data text \"\"\n");
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* webrtc-pc 6.2: decoded, that is each byte that belongs to no sequence is U+FFFD. */
static void a_text_that_is_not_utf8(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"\xC3(", "\xEF\xBF\xBD("},
                                        {"a\xFF\xFE", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
                                        {"\x80", "\xEF\xBF\xBD"},
                                        {"ends with \xE2\x82", "ends with \xEF\xBF\xBD\xEF\xBF\xBD"},
                                        {"\xE2\x82\xAC stays", "\xE2\x82\xAC stays"}};
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char expected[80];
    pc_peers_clear_logs(p);
    send_raw(&p->alice, 1, FLOE__PPID_STRING, rows[i][0], strlen(rows[i][0]));
    sim_run_for(p->s, 500);
    (void)snprintf(expected, sizeof expected, "data text \"%s\"\n", rows[i][1]);
    pc_expect(&p->bob, expected);
  }
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* OPEN on every stream there is. */
static void a_flood_of_streams(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->bob.cfg.max_channels = 50;
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  pc_true(p, pc_peers_connect(p, 2000));
  const char open[] = "\x03\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00x";
  uint16_t streams = floe_pc_sctp_transport(p->alice.x->core)->max_channels;
  assert_int_equal(streams, 50);
  for (uint16_t round = 0; round < 5; round++) {
    for (uint16_t id = 0; id < streams; id++) {
      if (id != 1) send_raw(&p->alice, id, FLOE__PPID_DCEP, open, 13);
    }
    sim_run_for(p->s, 500);
  }
  assert_int_equal(sim_pc_n_channels(p->bob.x), 50);
  pc_peers_exchange(p);
  pc_peers_free(p);
}

/* --- datagrams of strangers ----------------------------------------------------------------------------------------
 */

static void ignore_datagram(void *user, const floe_addr *from, floe_bytes data) {
  (void)user;
  (void)from;
  (void)data;
}

static void strangers_send_garbage(void **state) {
  (void)state;
  static const sim_udp_ops ops = {.on_datagram = ignore_datagram};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    pc_peers *p = pc_peers_new(seed);
    sim_host *h = sim_host_new(p->s, "stranger", "eth0", "10.0.9.1", NULL);
    floe_addr any = sim_addr("10.0.9.1:0"), to[2] = {sim_addr("10.0.0.1:50000"), sim_addr("10.0.1.1:50000")};
    sim_udp *u = sim_udp_open(h, &any, &ops, NULL, NULL);
    pc_peers_begin(p);
    for (int i = 0; i < 400; i++) {
      uint8_t bytes[300];
      size_t len = 1 + sim_random_below(p->s, sizeof bytes);
      for (size_t k = 0; k < len; k++) bytes[k] = (uint8_t)sim_random(p->s);
      if (sim_chance(p->s, 500)) bytes[0] = (uint8_t)(20 + sim_random_below(p->s, 44)); /* as if it were DTLS */
      if (sim_chance(p->s, 500) && len > 3) memcpy(bytes + 1, "\xFE\xFD", 2);
      sim_udp_send(u, &to[sim_random_below(p->s, 2)], (floe_bytes){bytes, len});
      sim_run_for(p->s, 1);
    }
    pc_true(p, pc_peers_connect(p, 2000));
    pc_peers_exchange(p);
    pc_peers_free(p);
  }
}

/* --- SDP torture ---------------------------------------------------------------------------------------------------
 */

static void mutate(sim *s, char *text, size_t *len, size_t cap) {
  size_t at = sim_random_below(s, (uint32_t)*len), n = 1 + sim_random_below(s, 40);
  switch (sim_random_below(s, 5)) {
    case 0: /* a byte */ text[at] = (char)(1 + sim_random_below(s, 255)); return;
    case 1: /* something is gone */
      if (at + n > *len) n = *len - at;
      memmove(text + at, text + at + n, *len - at - n + 1);
      *len -= n;
      return;
    case 2: /* something comes twice */
      if (at + n > *len) n = *len - at;
      if (*len + n + 1 > cap) return;
      memmove(text + at + n, text + at, *len - at + 1);
      *len += n;
      return;
    case 3: /* a digit */
      for (size_t i = at; i < *len; i++) {
        if (text[i] < '0' || text[i] > '9') continue;
        text[i] = (char)('0' + sim_random_below(s, 10));
        return;
      }
      return;
    default: /* the end is missing */
      if (!sim_chance(s, 100) || at < 20) return;
      text[at] = '\0';
      *len = at;
      return;
  }
}

static void sdp_torture(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    pc_peers *p = pc_peers_new(seed);
    pc_peers_set_mode(p, PC_MANUAL);
    pc_peers_start(p);
    assert_non_null(sim_pc_channel(p->alice.x, "data", NULL));
    pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
    char *offer = gathered_sdp(&p->alice);
    size_t cap = 2 * strlen(offer) + 200;
    char *text = sim_must(malloc(cap));
    for (int i = 0; i < 60; i++) {
      size_t len = strlen(offer);
      memcpy(text, offer, len + 1);
      for (uint32_t k = 1 + sim_random_below(p->s, 6); k > 0; k--) mutate(p->s, text, &len, cap);
      floe_status st = floe_pc_set_remote_description(
          p->bob.x->core, sim_pc_now(p->bob.x), &(floe_session_description){FLOE_SDP_OFFER, text}, &p->bob.x->why);
      sim_pc_drain(p->bob.x);
      if (st == FLOE_OK) continue;
      if (st != FLOE_E_SYNTAX && st != FLOE_E_ACCESS && st != FLOE_E_TOO_LARGE) {
        sim_fail(p->s, "%s for\n%s", floe_status_name(st), text);
      }
      assert_true(p->bob.x->why.message[0] != '\0');
    }
    pc_status(p, FLOE_OK, sim_pc_set_remote(p->bob.x, FLOE_SDP_OFFER, offer));
    pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
    char *answer = gathered_sdp(&p->bob);
    for (int i = 0; i < 60; i++) {
      size_t len = strlen(answer);
      memcpy(text, answer, len + 1);
      for (uint32_t k = 1 + sim_random_below(p->s, 6); k > 0; k--) mutate(p->s, text, &len, cap);
      floe_session_description d = {FLOE_SDP_ANSWER, text};
      floe_status st = floe_pc_set_remote_description(p->alice.x->core, sim_pc_now(p->alice.x), &d, &p->alice.x->why);
      sim_pc_drain(p->alice.x);
      if (st == FLOE_OK) break; /* near enough: what comes of it is for checks and DTLS to find out */
    }
    sim_run_for(p->s, 3000);
    free(answer);
    free(offer);
    free(text);
    pc_peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_fingerprint),
      cmocka_unit_test(one_fingerprint_of_several_is_enough),
      cmocka_unit_test(descriptions_that_cannot_be_applied),
      cmocka_unit_test(a_handshake_that_times_out),
      cmocka_unit_test(an_association_that_times_out),
      cmocka_unit_test(a_message_over_the_limit),
      cmocka_unit_test(dcep_garbage),
      cmocka_unit_test(strange_messages),
      cmocka_unit_test(a_text_that_is_not_utf8),
      cmocka_unit_test(a_flood_of_streams),
      cmocka_unit_test(strangers_send_garbage),
      cmocka_unit_test(sdp_torture),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
