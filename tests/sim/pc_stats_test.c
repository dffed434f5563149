/* getStats (webrtc-stats): names and values against what happened. */
#include "support/pc_peers.h"

static const floe_stats_report *report_of(pc_peer *y) {
  const floe_stats_report *r = floe_pc_get_stats(y->x->core, sim_pc_now(y->x));
  assert_non_null(r);
  return r;
}

static const floe_stats_object *find(const floe_stats_report *r, floe_stats_type type, size_t nth) {
  for (size_t i = 0; i < r->n_objects; i++) {
    if (r->objects[i].type == type && nth-- == 0) return &r->objects[i];
  }
  fail_msg("no %s", floe_stats_type_name(type));
  abort();
}

static const floe_stats_object *by_id(const floe_stats_report *r, const char *id) {
  for (size_t i = 0; i < r->n_objects; i++) {
    if (strcmp(r->objects[i].id, id) == 0) return &r->objects[i];
  }
  fail_msg("no object %s", id);
  abort();
}

static size_t count(const floe_stats_report *r, floe_stats_type type) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_objects; i++) n += r->objects[i].type == type ? 1 : 0;
  return n;
}

static const floe_stats_member *member(const floe_stats_object *o, const char *name, floe_stats_kind kind) {
  const floe_stats_member *m = floe_stats_object_member(o, name);
  if (m == NULL) fail_msg("%s has no %s", o->id, name);
  if (m->kind != kind) fail_msg("%s.%s is of kind %d", o->id, name, (int)m->kind);
  return m;
}

static uint64_t number(const floe_stats_object *o, const char *name) {
  return member(o, name, FLOE_STATS_UNSIGNED)->u.number;
}

static const char *text(const floe_stats_object *o, const char *name) {
  return member(o, name, FLOE_STATS_TEXT)->u.text;
}

static void a_new_connection_has_little_to_tell(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  const floe_stats_report *r = report_of(&p->alice);
  assert_int_equal(r->objects[0].type, FLOE_STATS_PEER_CONNECTION);
  assert_int_equal(number(&r->objects[0], "dataChannelsOpened"), 0);
  assert_int_equal(number(&r->objects[0], "dataChannelsClosed"), 0);
  assert_int_equal(count(r, FLOE_STATS_TRANSPORT), 0);
  assert_int_equal(count(r, FLOE_STATS_CANDIDATE_PAIR), 0);
  assert_int_equal(count(r, FLOE_STATS_DATA_CHANNEL), 0);
  assert_true(r->objects[0].timestamp == (double)SIM_UNIX_MS);
  pc_peers_free(p);
}

static void channels_count_messages_and_bytes(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.protocol = "proto";
  sim_channel *a = sim_pc_channel(p->alice.x, "counted", &init);
  const floe_stats_object *c = find(report_of(&p->alice), FLOE_STATS_DATA_CHANNEL, 0);
  assert_null(floe_stats_object_member(c, "dataChannelIdentifier")); /* not known: absent */
  assert_string_equal(text(c, "state"), "connecting");
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *b = pc_channel_other(a);
  uint64_t hash;
  pc_status(p, FLOE_OK, sim_channel_text(a, "hello"));
  pc_status(p, FLOE_OK, sim_channel_blob(a, 10000, 1, false, &hash));
  pc_status(p, FLOE_OK, sim_channel_text(a, ""));
  pc_status(p, FLOE_OK, sim_channel_text(b, "four"));
  sim_run_for(p->s, 500);
  c = find(report_of(&p->alice), FLOE_STATS_DATA_CHANNEL, 0);
  assert_string_equal(text(c, "label"), "counted");
  assert_string_equal(text(c, "protocol"), "proto");
  assert_string_equal(text(c, "state"), "open");
  assert_int_equal(number(c, "dataChannelIdentifier"), 1);
  assert_int_equal(number(c, "messagesSent"), 3);
  assert_int_equal(number(c, "bytesSent"), 10005);
  assert_int_equal(number(c, "messagesReceived"), 1);
  assert_int_equal(number(c, "bytesReceived"), 4);
  c = find(report_of(&p->bob), FLOE_STATS_DATA_CHANNEL, 0);
  assert_int_equal(number(c, "messagesSent"), 1);
  assert_int_equal(number(c, "bytesSent"), 4);
  assert_int_equal(number(c, "messagesReceived"), 3);
  assert_int_equal(number(c, "bytesReceived"), 10005);
  /* what was refused was not sent */
  pc_status(p, FLOE_E_TOO_LARGE, sim_channel_blob(a, 300000, 1, false, &hash));
  assert_int_equal(number(find(report_of(&p->alice), FLOE_STATS_DATA_CHANNEL, 0), "messagesSent"), 3);
  assert_int_equal(number(&report_of(&p->alice)->objects[0], "dataChannelsOpened"), 1);
  assert_int_equal(number(&report_of(&p->alice)->objects[0], "dataChannelsClosed"), 0);
  sim_channel_close(a);
  sim_run_for(p->s, 500);
  for (int side = 0; side < 2; side++) {
    const floe_stats_report *r = report_of(side == 0 ? &p->alice : &p->bob);
    assert_int_equal(number(&r->objects[0], "dataChannelsOpened"), 1);
    assert_int_equal(number(&r->objects[0], "dataChannelsClosed"), 1);
    assert_string_equal(text(find(r, FLOE_STATS_DATA_CHANNEL, 0), "state"), "closed");
  }
  pc_peers_free(p);
}

static void the_transport_and_what_it_refers_to(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  sim_run_for(p->s, 100);
  const floe_stats_report *r = report_of(&p->alice);
  assert_int_equal(count(r, FLOE_STATS_TRANSPORT), 1);
  const floe_stats_object *t = find(r, FLOE_STATS_TRANSPORT, 0);
  assert_string_equal(text(t, "dtlsState"), "connected");
  assert_string_equal(text(t, "iceState"), "completed");
  assert_string_equal(text(t, "iceRole"), "controlling");
  assert_string_equal(text(t, "dtlsRole"), "server");
  assert_string_equal(text(t, "tlsVersion"), "FEFD");
  assert_true(strncmp(text(t, "dtlsCipher"), "TLS_", 4) == 0 || strncmp(text(t, "dtlsCipher"), "ECDHE-", 6) == 0);
  assert_int_equal(number(t, "selectedCandidatePairChanges"), 1);
  assert_true(number(t, "bytesSent") > 1000 && number(t, "bytesReceived") > 1000);
  assert_true(number(t, "packetsSent") > 5 && number(t, "packetsReceived") > 5);

  const floe_stats_object *pair = by_id(r, text(t, "selectedCandidatePairId"));
  assert_int_equal(pair->type, FLOE_STATS_CANDIDATE_PAIR);
  assert_string_equal(text(pair, "state"), "succeeded");
  assert_true(member(pair, "nominated", FLOE_STATS_BOOLEAN)->u.boolean);
  assert_string_equal(text(pair, "transportId"), t->id);
  double rtt = member(pair, "currentRoundTripTime", FLOE_STATS_DOUBLE)->u.real;
  assert_true(rtt > 0.0099 && rtt < 0.0101); /* seconds */
  const floe_stats_object *local = by_id(r, text(pair, "localCandidateId"));
  assert_int_equal(local->type, FLOE_STATS_LOCAL_CANDIDATE);
  assert_string_equal(text(local, "address"), "10.0.0.1");
  assert_int_equal(number(local, "port"), 50000);
  assert_string_equal(text(local, "protocol"), "udp");
  assert_string_equal(text(local, "candidateType"), "host");
  const floe_stats_object *remote = by_id(r, text(pair, "remoteCandidateId"));
  assert_int_equal(remote->type, FLOE_STATS_REMOTE_CANDIDATE);
  assert_string_equal(text(remote, "address"), "10.0.1.1");

  /* each knows the other's certificate */
  const floe_stats_object *own = by_id(r, text(t, "localCertificateId"));
  const floe_stats_object *others = by_id(r, text(t, "remoteCertificateId"));
  assert_int_equal(own->type, FLOE_STATS_CERTIFICATE);
  assert_string_equal(text(own, "fingerprintAlgorithm"), "sha-256");
  assert_true(strlen(text(own, "base64Certificate")) > 100);
  char mine[200], theirs[200];
  (void)snprintf(mine, sizeof mine, "%s", text(own, "fingerprint"));
  (void)snprintf(theirs, sizeof theirs, "%s", text(others, "fingerprint"));
  assert_string_not_equal(mine, theirs);
  r = report_of(&p->bob);
  t = find(r, FLOE_STATS_TRANSPORT, 0);
  assert_string_equal(text(by_id(r, text(t, "localCertificateId")), "fingerprint"), theirs);
  assert_string_equal(text(by_id(r, text(t, "remoteCertificateId")), "fingerprint"), mine);
  assert_string_equal(text(t, "dtlsRole"), "client");
  pc_peers_free(p);
}

static void ids_are_constant_and_numbers_grow(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  char id[64];
  const floe_stats_report *r = report_of(&p->alice);
  const floe_stats_object *pair = find(r, FLOE_STATS_CANDIDATE_PAIR, 0);
  (void)snprintf(id, sizeof id, "%s", pair->id);
  uint64_t bytes = number(pair, "bytesSent");
  double at = pair->timestamp;
  for (int i = 0; i < 10; i++) pc_peers_exchange(p);
  sim_run_for(p->s, 1000);
  r = report_of(&p->alice);
  pair = by_id(r, id);
  assert_int_equal(pair->type, FLOE_STATS_CANDIDATE_PAIR);
  assert_true(number(pair, "bytesSent") > bytes);
  assert_true(pair->timestamp >= at + 1000.0);
  double last = member(pair, "lastPacketSentTimestamp", FLOE_STATS_DOUBLE)->u.real;
  assert_true(last > (double)SIM_UNIX_MS && last <= pair->timestamp);
  pc_peers_free(p);
}

/* Every id occurs once, and what refers to an object refers to one that is there. */
static void ids_are_unique(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  pc_peers_add(p, "turn:192.0.2.1");
  pc_true(p, pc_peers_connect(p, 5000));
  for (int i = 0; i < 5; i++) (void)sim_pc_channel(p->alice.x, "more", NULL);
  sim_run_for(p->s, 500);
  static const char *const references[] = {"transportId",        "localCandidateId",        "remoteCandidateId",
                                           "localCertificateId", "selectedCandidatePairId", "remoteCertificateId"};
  for (int side = 0; side < 2; side++) {
    const floe_stats_report *r = report_of(side == 0 ? &p->alice : &p->bob);
    for (size_t i = 0; i < r->n_objects; i++) {
      for (size_t k = i + 1; k < r->n_objects; k++) assert_string_not_equal(r->objects[i].id, r->objects[k].id);
      for (size_t k = 0; k < sizeof references / sizeof references[0]; k++) {
        const floe_stats_member *m = floe_stats_object_member(&r->objects[i], references[k]);
        if (m != NULL) (void)by_id(r, m->u.text);
      }
    }
    assert_true(count(r, FLOE_STATS_CANDIDATE_PAIR) > 1);
    assert_int_equal(count(r, FLOE_STATS_DATA_CHANNEL), 6);
    const floe_stats_object *relay = find(r, FLOE_STATS_LOCAL_CANDIDATE, 1);
    assert_string_equal(text(relay, "candidateType"), "relay");
    assert_string_equal(text(relay, "url"), "turn:192.0.2.1");
    assert_string_equal(text(relay, "relayProtocol"), "udp");
    assert_null(floe_stats_object_member(find(r, FLOE_STATS_LOCAL_CANDIDATE, 0), "url"));
  }
  pc_peers_free(p);
}

static void names_of_types(void **state) {
  (void)state;
  static const char *const names[] = {"peer-connection",  "transport",   "candidate-pair", "local-candidate",
                                      "remote-candidate", "certificate", "data-channel"};
  for (int i = 0; i < 7; i++) assert_string_equal(floe_stats_type_name((floe_stats_type)i), names[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_connection_has_little_to_tell),
      cmocka_unit_test(channels_count_messages_and_bytes),
      cmocka_unit_test(the_transport_and_what_it_refers_to),
      cmocka_unit_test(ids_are_constant_and_numbers_grow),
      cmocka_unit_test(ids_are_unique),
      cmocka_unit_test(names_of_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
