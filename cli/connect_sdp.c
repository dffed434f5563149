#include "connect_sdp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/candidate.h"
#include "mem.h"

/* --- reading: lines of our own description ------------------------------------------------------------------------ */

typedef struct foundations {
  char texts[FLOE__TICKET_CANDIDATES][33];
  size_t n;
} foundations;

/* What follows `prefix` in the line, NULL when it begins otherwise. */
static const char *after(const char *line, const char *prefix) {
  size_t len = strlen(prefix);
  return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

static void copy_value(char *out, size_t cap, const char *value) {
  size_t len = strnlen(value, cap - 1);
  memcpy(out, value, len);
  out[len] = '\0';
}

static int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* RFC 8122 5: "sha-256 AB:CD:...". The first one with a hash that tickets know counts. */
static void read_fingerprint(floe__ticket *t, const char *value, bool *has) {
  for (uint8_t hash = 0; !*has && floe__ticket_hash_name(hash) != NULL; hash++) {
    const char *at = after(value, floe__ticket_hash_name(hash));
    size_t len = floe__ticket_hash_len(hash), i = 0;
    if (at == NULL || *at++ != ' ' || strlen(at) != 3 * len - 1) continue;
    for (; i < len && hex_of(at[3 * i]) >= 0 && hex_of(at[3 * i + 1]) >= 0; i++) {
      t->fingerprint[i] = (uint8_t)(hex_of(at[3 * i]) << 4 | hex_of(at[3 * i + 1]));
    }
    t->hash = hash;
    *has = i == len;
  }
}

static void read_setup(floe__ticket *t, const char *value) {
  t->setup = strcmp(value, "active") == 0    ? FLOE__TICKET_ACTIVE
             : strcmp(value, "passive") == 0 ? FLOE__TICKET_PASSIVE
                                             : FLOE__TICKET_ACTPASS;
}

/* Where it stands, or the place of the one with the lowest priority when all are taken; NULL: this is lower. */
static floe__ticket_candidate *make_room(floe__ticket *t, uint32_t priority) {
  if (t->n_candidates < FLOE__TICKET_CANDIDATES) return &t->candidates[t->n_candidates++];
  floe__ticket_candidate *lowest = t->candidates;
  for (size_t i = 1; i < t->n_candidates; i++) {
    if (t->candidates[i].priority < lowest->priority) lowest = &t->candidates[i];
  }
  return lowest->priority < priority ? lowest : NULL;
}

static uint8_t number_of(foundations *f, const char *text) {
  size_t i = 0;
  while (i < f->n && strcmp(f->texts[i], text) != 0) i++;
  if (i == f->n && f->n < FLOE__TICKET_CANDIDATES) copy_value(f->texts[f->n++], sizeof f->texts[0], text);
  return (
      uint8_t)i; /* more foundations than places share the last number: they only thaw together (RFC 8445 6.1.2.6) */
}

static void read_candidate(floe__ticket *t, foundations *f, const char *line) {
  floe_candidate_line c;
  if (floe_candidate_line_parse(&c, line, NULL) != FLOE_OK || c.component != 1) return;
  if (c.address.family == FLOE_FAMILY_NONE && c.host.len >= sizeof t->candidates[0].name) return;
  floe__ticket_candidate *to = make_room(t, c.priority);
  if (to == NULL) return;
  memset(to, 0, sizeof *to);
  to->type = c.type;
  to->tcp_type = c.tcp_type;
  to->foundation = number_of(f, c.foundation);
  to->priority = c.priority;
  to->address = c.address;
  to->address.scope_id = 0; /* of this host only */
  to->port = c.port;
  if (c.address.family == FLOE_FAMILY_NONE) memcpy(to->name, c.host.ptr, c.host.len);
}

static void read_line(floe__ticket *t, foundations *f, const char *line, bool *has_fingerprint) {
  const char *v;
  if ((v = after(line, "a=ice-ufrag:")) != NULL) copy_value(t->ufrag, sizeof t->ufrag, v);
  if ((v = after(line, "a=ice-pwd:")) != NULL) copy_value(t->pwd, sizeof t->pwd, v);
  if ((v = after(line, "a=mid:")) != NULL) copy_value(t->mid, sizeof t->mid, v);
  if ((v = after(line, "a=setup:")) != NULL) read_setup(t, v);
  if ((v = after(line, "a=fingerprint:")) != NULL) read_fingerprint(t, v, has_fingerprint);
  if ((v = after(line, "a=sctp-port:")) != NULL) t->sctp_port = (uint16_t)strtoul(v, NULL, 10);
  if ((v = after(line, "a=max-message-size:")) != NULL) t->max_message_size = strtoull(v, NULL, 10);
  if (strcmp(line, "a=ice-lite") == 0) t->is_lite = true;
  if (after(line, "a=candidate:") != NULL) read_candidate(t, f, line);
}

bool floe__ticket_from_sdp(floe__ticket *out, const char *sdp, char *why, size_t cap) {
  foundations f = {.n = 0};
  char line[1024];
  bool has_fingerprint = false;
  memset(out, 0, sizeof *out);
  out->sctp_port = 5000;
  out->max_message_size = 65536; /* RFC 8841 6.1: when it is not told */
  while (*sdp != '\0') {
    size_t len = strcspn(sdp, "\r\n");
    if (len < sizeof line) {
      memcpy(line, sdp, len);
      line[len] = '\0';
      read_line(out, &f, line, &has_fingerprint);
    }
    sdp += len;
    sdp += strspn(sdp, "\r\n");
  }
  floe__cli_wipe(line, sizeof line);
  const char *missing = out->ufrag[0] == '\0' || out->pwd[0] == '\0' ? "ICE parameters"
                        : !has_fingerprint                           ? "a fingerprint that a ticket can hold"
                        : out->mid[0] == '\0'                        ? "a data section"
                                                                     : NULL;
  if (missing != NULL) (void)snprintf(why, cap, "the session description lacks %s", missing);
  return missing == NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

enum { SDP_MAX = 1024 + FLOE__TICKET_CANDIDATES * 256 };

typedef struct text {
  char *buf;
  size_t len;
} text;

static void FLOE_PRINTF(2, 3) add(text *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->buf + t->len, SDP_MAX - t->len, format, args);
  va_end(args);
  if (n > 0) t->len += (size_t)n < SDP_MAX - t->len ? (size_t)n : SDP_MAX - 1 - t->len;
}

static void add_fingerprint(text *out, const floe__ticket *t) {
  add(out, "a=fingerprint:%s ", floe__ticket_hash_name(t->hash));
  for (size_t i = 0; i < floe__ticket_hash_len(t->hash); i++) {
    add(out, "%s%02X", i == 0 ? "" : ":", t->fingerprint[i]);
  }
  add(out, "\r\n");
}

/* The related address is for diagnosis only (RFC 8839 5.1) and not in the ticket; the grammar asks for one. */
static void add_candidate(text *out, const floe__ticket_candidate *c) {
  char line[700], foundation[8];
  floe_ice_candidate full = {.component = 1, .priority = c->priority, .type = c->type, .tcp_type = c->tcp_type};
  (void)snprintf(foundation, sizeof foundation, "%u", c->foundation + 1U);
  memcpy(full.foundation, foundation, sizeof foundation);
  full.transport = c->tcp_type == FLOE_TCP_TYPE_NONE ? FLOE_TRANSPORT_UDP : FLOE_TRANSPORT_TCP;
  full.address = c->address;
  full.address.port = c->port;
  if (c->address.family == FLOE_FAMILY_NONE) full.mdns_name = c->name;
  if (c->type != FLOE_CANDIDATE_HOST) {
    full.related.family = c->address.family == FLOE_FAMILY_IPV6 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4;
    full.related.port = 9;
  }
  if (floe_candidate_write(&full, NULL, line, sizeof line) > 0) add(out, "a=%s\r\n", line);
}

static const char *setup_word(floe__ticket_setup setup) {
  switch (setup) {
    case FLOE__TICKET_ACTPASS: return "actpass";
    case FLOE__TICKET_ACTIVE: return "active";
    case FLOE__TICKET_PASSIVE: return "passive";
  }
  return "actpass";
}

char *floe__ticket_to_sdp(const floe__ticket *t) {
  text out = {floe__cli_alloc(SDP_MAX), 0};
  add(&out, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %s\r\n", t->mid);
  if (t->is_lite) add(&out, "a=ice-lite\r\n");
  add(&out, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\n", t->mid);
  add(&out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:ice2\r\n", t->ufrag, t->pwd);
  add_fingerprint(&out, t);
  add(&out, "a=setup:%s\r\na=sctp-port:%u\r\n", setup_word(t->setup), t->sctp_port);
  add(&out, "a=max-message-size:%" PRIu64 "\r\n", t->max_message_size);
  for (size_t i = 0; i < t->n_candidates; i++) add_candidate(&out, &t->candidates[i]);
  add(&out, "a=end-of-candidates\r\n");
  return out.buf;
}
