/* getStats (webrtc-stats): what is known, under W3C's names; what is not known has no member. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "pc/pc_internal.h"
#include "tls/certificate.h"

#define CHUNK 4096

typedef struct chunk chunk;
struct chunk {
  chunk *next;
  size_t used, cap;
};

typedef struct floe__pc_stats {
  floe_env *env;
  floe_stats_report report;
  chunk *chunks;
  floe_stats_object *objects;
  size_t n_objects, cap_objects;
  floe_stats_member *members; /* of the object in the making */
  size_t n_members, cap_members;
  double timestamp;
  bool failed; /* sticky: no memory */
} floe__pc_stats;

/* --- memory
 * ------------------------------------------------------------------------------------------------------------ */

static void *take(floe__pc_stats *s, size_t size) {
  size = (size + 15) & ~(size_t)15;
  chunk *c = s->chunks;
  if (c == NULL || c->cap - c->used < size) {
    size_t cap = size > CHUNK ? size : CHUNK;
    c = floe__alloc(s->env, sizeof *c + 16 + cap);
    if (c == NULL) {
      s->failed = true;
      return NULL;
    }
    *c = (chunk){s->chunks, 0, cap};
    s->chunks = c;
  }
  uint8_t *base = (uint8_t *)c + ((sizeof *c + 15) & ~(size_t)15);
  void *p = base + c->used;
  c->used += size;
  return p;
}

static const char *copy(floe__pc_stats *s, const char *text) {
  size_t n = strlen(text) + 1;
  char *p = take(s, n);
  if (p != NULL) memcpy(p, text, n);
  return p == NULL ? "" : p;
}

static void clear(floe__pc_stats *s) {
  while (s->chunks != NULL) {
    chunk *next = s->chunks->next;
    floe__free(s->env, s->chunks);
    s->chunks = next;
  }
  s->n_objects = s->n_members = 0;
  s->failed = false;
}

void floe__pc_stats_free(floe_pc *pc) {
  floe__pc_stats *s = pc->stats;
  if (s == NULL) return;
  clear(s);
  floe__free(pc->env, s->objects);
  floe__free(pc->env, s->members);
  floe__free(pc->env, s);
  pc->stats = NULL;
}

/* --- members
 * ----------------------------------------------------------------------------------------------------------- */

static floe_stats_member *add(floe__pc_stats *s, const char *name, floe_stats_kind kind) {
  void *list = s->members;
  if (!floe__reserve(s->env, &list, &s->cap_members, sizeof *s->members, s->n_members + 1)) {
    s->failed = true;
    return NULL;
  }
  s->members = list;
  floe_stats_member *m = &s->members[s->n_members++];
  m->name = name;
  m->kind = kind;
  return m;
}

static void number(floe__pc_stats *s, const char *name, uint64_t value) {
  floe_stats_member *m = add(s, name, FLOE_STATS_UNSIGNED);
  if (m != NULL) m->u.number = value;
}

static void real(floe__pc_stats *s, const char *name, double value) {
  floe_stats_member *m = add(s, name, FLOE_STATS_DOUBLE);
  if (m != NULL) m->u.real = value;
}

static void boolean(floe__pc_stats *s, const char *name, bool value) {
  floe_stats_member *m = add(s, name, FLOE_STATS_BOOLEAN);
  if (m != NULL) m->u.boolean = value;
}

static void text(floe__pc_stats *s, const char *name, const char *value) {
  if (value == NULL) return;
  const char *kept = copy(s, value);
  floe_stats_member *m = add(s, name, FLOE_STATS_TEXT);
  if (m != NULL) m->u.text = kept;
}

/* Ids: a letter for the kind, and a number that names the same thing in later reports. */
static void reference(floe__pc_stats *s, const char *name, const char *prefix, uint32_t id) {
  char buf[24];
  (void)snprintf(buf, sizeof buf, "%s%" PRIu32, prefix, id);
  text(s, name, buf);
}

static void finish(floe__pc_stats *s, floe_stats_type type, const char *prefix, uint32_t id) {
  void *list = s->objects;
  char buf[24];
  (void)snprintf(buf, sizeof buf, "%s%" PRIu32, prefix, id);
  floe_stats_member *members = take(s, s->n_members * sizeof *members + 1);
  const char *name = copy(s, buf);
  if (!floe__reserve(s->env, &list, &s->cap_objects, sizeof *s->objects, s->n_objects + 1)) s->failed = true;
  s->objects = list;
  if (s->failed) return;
  memcpy(members, s->members, s->n_members * sizeof *members);
  s->objects[s->n_objects++] = (floe_stats_object){name, type, s->timestamp, members, s->n_members};
  s->n_members = 0;
}

/* --- time
 * -------------------------------------------------------------------------------------------------------------- */

static double unix_ms(const floe_pc *pc, floe_time at) {
  int64_t now;
  if (!floe__env_unix_ms(pc->env, pc->now, &now)) return (double)at / (double)FLOE_MS;
  return (double)now - (double)(pc->now - at) / (double)FLOE_MS;
}

/* --- the objects
 * --------------------------------------------------------------------------------------------------------- */

static void add_connection(floe_pc *pc, floe__pc_stats *s) {
  number(s, "dataChannelsOpened", pc->channels.n_opened);
  number(s, "dataChannelsClosed", pc->channels.n_closed);
  finish(s, FLOE_STATS_PEER_CONNECTION, "P", 0);
}

static void add_channels(floe_pc *pc, floe__pc_stats *s) {
  for (size_t i = 0; i < pc->channels.n; i++) {
    const floe_data_channel *c = pc->channels.list[i];
    text(s, "label", c->label);
    text(s, "protocol", c->protocol);
    if (c->has_id) number(s, "dataChannelIdentifier", c->id);
    text(s, "state", floe_data_channel_state_name(c->state));
    number(s, "messagesSent", c->messages_sent);
    number(s, "bytesSent", c->bytes_sent);
    number(s, "messagesReceived", c->messages_received);
    number(s, "bytesReceived", c->bytes_received);
    finish(s, FLOE_STATS_DATA_CHANNEL, "D", c->number);
  }
}

static void add_transport(floe_pc *pc, floe__pc_stats *s, const floe_stats *ice) {
  const floe__transport *t = &pc->transport;
  const floe_transport_stats *x = &ice->transport;
  number(s, "packetsSent", x->packets_sent);
  number(s, "packetsReceived", x->packets_received);
  number(s, "bytesSent", x->bytes_sent);
  number(s, "bytesReceived", x->bytes_received);
  text(s, "iceRole", floe_ice_role_name(x->ice_role));
  text(s, "iceLocalUsernameFragment", x->ice_local_username_fragment);
  text(s, "iceState", floe_ice_connection_state_name(t->ice));
  text(s, "dtlsState", floe_dtls_transport_state_name(t->dtls_state));
  if (x->selected_candidate_pair_id != 0) reference(s, "selectedCandidatePairId", "CP", x->selected_candidate_pair_id);
  number(s, "selectedCandidatePairChanges", x->selected_candidate_pair_changes);
  if (pc->settings.cfg.n_certificates > 0) reference(s, "localCertificateId", "CF", 0);
  const floe__dtls_info *info = t->dtls == NULL ? NULL : floe__dtls_info_of(t->dtls);
  if (info != NULL && info->peer != NULL) reference(s, "remoteCertificateId", "CF", 1);
  if (info != NULL && info->version != NULL) {
    /* webrtc-stats: four hexadecimal digits, FEFD for DTLS 1.2. */
    text(s, "tlsVersion", strcmp(info->version, "DTLSv1.3") == 0 ? "FEFC" : "FEFD");
    text(s, "dtlsCipher", info->cipher);
    text(s, "dtlsRole", t->is_client ? "client" : "server");
  }
  finish(s, FLOE_STATS_TRANSPORT, "T", 0);
}

static void add_pair(floe_pc *pc, floe__pc_stats *s, const floe_pair_stats *p) {
  text(s, "transportId", "T0");
  reference(s, "localCandidateId", "L", p->local_candidate_id);
  reference(s, "remoteCandidateId", "R", p->remote_candidate_id);
  text(s, "state", floe_pair_state_name(p->state));
  boolean(s, "nominated", p->nominated);
  number(s, "packetsSent", p->packets_sent);
  number(s, "packetsReceived", p->packets_received);
  number(s, "bytesSent", p->bytes_sent);
  number(s, "bytesReceived", p->bytes_received);
  if (p->has_last_packet_sent) real(s, "lastPacketSentTimestamp", unix_ms(pc, p->last_packet_sent));
  if (p->has_last_packet_received) real(s, "lastPacketReceivedTimestamp", unix_ms(pc, p->last_packet_received));
  real(s, "totalRoundTripTime", p->total_round_trip_time);
  if (p->has_current_round_trip_time) real(s, "currentRoundTripTime", p->current_round_trip_time);
  number(s, "requestsReceived", p->requests_received);
  number(s, "requestsSent", p->requests_sent);
  number(s, "responsesReceived", p->responses_received);
  number(s, "responsesSent", p->responses_sent);
  number(s, "consentRequestsSent", p->consent_requests_sent);
  number(s, "packetsDiscardedOnSend", p->packets_discarded_on_send);
  number(s, "bytesDiscardedOnSend", p->bytes_discarded_on_send);
  finish(s, FLOE_STATS_CANDIDATE_PAIR, "CP", p->id);
}

/* A name stands for the address that it hides; what was learnt from a check is hidden when its host is (mDNS draft). */
static void add_address(floe__pc_stats *s, const floe_ice_candidate *c) {
  char buf[FLOE_ADDR_TEXT];
  if (c->mdns_name != NULL) {
    text(s, "address", c->mdns_name);
  } else if (c->address.family != FLOE_FAMILY_NONE) {
    text(s, "address", floe_addr_format_ip(&c->address, buf));
  }
  number(s, "port", c->address.port);
}

static void add_candidate(floe__pc_stats *s, const floe_ice_candidate *c, bool local) {
  char buf[FLOE_ADDR_TEXT];
  text(s, "transportId", "T0");
  add_address(s, c);
  text(s, "protocol", c->transport == FLOE_TRANSPORT_UDP ? "udp" : "tcp");
  text(s, "candidateType", floe_candidate_type_name(c->type));
  number(s, "priority", c->priority);
  text(s, "foundation", c->foundation);
  if (c->url != NULL && local) text(s, "url", c->url);
  if (c->has_relay_protocol && local) text(s, "relayProtocol", floe_transport_name(c->relay_protocol));
  if (c->related.family != FLOE_FAMILY_NONE) {
    text(s, "relatedAddress", floe_addr_format_ip(&c->related, buf));
    number(s, "relatedPort", c->related.port);
  }
  if (c->tcp_type != FLOE_TCP_TYPE_NONE) text(s, "tcpType", floe_tcp_type_name(c->tcp_type));
  finish(s, local ? FLOE_STATS_LOCAL_CANDIDATE : FLOE_STATS_REMOTE_CANDIDATE, local ? "L" : "R", c->id);
}

static void add_base64(floe__pc_stats *s, X509 *x509) {
  int len = i2d_X509(x509, NULL);
  if (len <= 0) return;
  uint8_t *der = take(s, (size_t)len), *at = der;
  char *base64 = take(s, (size_t)len * 4 / 3 + 8);
  if (der == NULL || base64 == NULL) return;
  (void)i2d_X509(x509, &at);
  (void)EVP_EncodeBlock((unsigned char *)base64, der, len);
  floe_stats_member *m = add(s, "base64Certificate", FLOE_STATS_TEXT);
  if (m != NULL) m->u.text = base64;
}

static void add_certificate(floe__pc_stats *s, const floe_certificate *cert, uint32_t id) {
  char value[FLOE_FINGERPRINT_TEXT];
  if (!floe_certificate_fingerprint(cert, "sha-256", value)) return;
  text(s, "fingerprint", value);
  text(s, "fingerprintAlgorithm", "sha-256");
  add_base64(s, cert->x509);
  finish(s, FLOE_STATS_CERTIFICATE, "CF", id);
}

static void add_certificates(floe_pc *pc, floe__pc_stats *s) {
  if (pc->settings.cfg.n_certificates > 0) add_certificate(s, pc->settings.certificates[0], 0);
  const floe__dtls_info *info = pc->transport.dtls == NULL ? NULL : floe__dtls_info_of(pc->transport.dtls);
  if (info == NULL || info->peer == NULL) return;
  floe_certificate peer = {.env = pc->env, .x509 = info->peer};
  add_certificate(s, &peer, 1);
}

static void add_ice(floe_pc *pc, floe__pc_stats *s) {
  const floe_stats *ice = floe_ice_agent_stats(pc->transport.agent, pc->now);
  if (ice == NULL) {
    s->failed = true;
    return;
  }
  add_transport(pc, s, ice);
  for (size_t i = 0; i < ice->n_pairs; i++) add_pair(pc, s, &ice->pairs[i]);
  for (size_t i = 0; i < ice->n_local_candidates; i++) add_candidate(s, ice->local_candidates[i], true);
  for (size_t i = 0; i < ice->n_remote_candidates; i++) add_candidate(s, ice->remote_candidates[i].candidate, false);
}

const floe_stats_report *floe_pc_get_stats(floe_pc *pc, floe_time now) {
  floe__pc_advance(pc, now);
  if (pc->stats == NULL) pc->stats = floe__zalloc(pc->env, sizeof *pc->stats);
  floe__pc_stats *s = pc->stats;
  if (s == NULL) return NULL;
  s->env = pc->env;
  clear(s);
  s->timestamp = unix_ms(pc, pc->now);
  add_connection(pc, s);
  if (pc->transport.is_used) add_ice(pc, s);
  add_certificates(pc, s);
  add_channels(pc, s);
  if (s->failed) return NULL;
  s->report = (floe_stats_report){s->objects, s->n_objects};
  return &s->report;
}

const floe_stats_member *floe_stats_object_member(const floe_stats_object *object, const char *name) {
  for (size_t i = 0; i < object->n_members; i++) {
    if (strcmp(object->members[i].name, name) == 0) return &object->members[i];
  }
  return NULL;
}
