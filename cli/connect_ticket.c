/* The ticket's payload: a session description without what both sides know anyway. */
#include "connect_ticket.h"

#include <string.h>
#include <zlib.h>

#include "base/reader.h"
#include "base/writer.h"

/* Payload: flags (1), mode (1), in an answer the offer's tag (2), ufrag and pwd (length 1, six bits a character), hash
 * (1), fingerprint, then with HAS_MID its length (1) and text, with HAS_SCTP port (2) and max-message-size (8), the
 * number of candidates (1), and for each: kind (1), foundation (1), priority (4), address (4, 16, or length 1 and
 * name), port (2). */
enum { IS_ANSWER = 1, SETUP_SHIFT = 1, IS_LITE = 8, HAS_MID = 16, HAS_SCTP = 32 };
enum { KIND_TCP_SHIFT = 2, KIND_HOST_SHIFT = 4, HOST_IPV4 = 0, HOST_IPV6 = 1, HOST_NAME = 2 };
enum { UFRAG_MIN = 4, PWD_MIN = 22, PARAMETER_MAX = 256 };

#define DEFAULT_MAX_MESSAGE ((uint64_t)262144)
enum { DEFAULT_SCTP_PORT = 5000 };

static const struct {
  const char *name;
  size_t len;
} hashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}, {"sha-1", 20}, {"sha-224", 28}};

enum { N_HASHES = sizeof hashes / sizeof hashes[0] };

const char *floe__ticket_hash_name(uint8_t hash) {
  return hash < N_HASHES ? hashes[hash].name : NULL;
}

size_t floe__ticket_hash_len(uint8_t hash) {
  return hash < N_HASHES ? hashes[hash].len : 0;
}

/* --- ice-chars, six bits each (RFC 8839 5.4: they are the alphabet of base64) ------------------------------------- */

static const char ice_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void pack_chars(floe__writer *w, const char *text) {
  uint32_t bits = 0;
  unsigned n_bits = 0;
  floe__wr_u8(w, (uint8_t)(strlen(text) - 1)); /* 1 to 256 */
  for (; *text != '\0'; text++) {
    const char *at = strchr(ice_chars, *text);
    bits = bits << 6 | (uint32_t)(at == NULL ? 0 : at - ice_chars);
    for (n_bits += 6; n_bits >= 8; n_bits -= 8) floe__wr_u8(w, (uint8_t)(bits >> (n_bits - 8)));
  }
  if (n_bits > 0) floe__wr_u8(w, (uint8_t)(bits << (8 - n_bits)));
}

static void unpack_chars(floe__reader *r, char *out) {
  uint32_t bits = 0;
  unsigned n_bits = 0;
  size_t len = (size_t)floe__rd_u8(r) + 1;
  for (size_t i = 0; i < len; i++) {
    if (n_bits < 6) {
      bits = bits << 8 | floe__rd_u8(r);
      n_bits += 8;
    }
    n_bits -= 6;
    out[i] = ice_chars[bits >> n_bits & 63];
  }
  out[len] = '\0';
}

static bool chars_fit(const char *text, size_t min) {
  size_t len = strlen(text);
  return len >= min && len <= PARAMETER_MAX && strspn(text, ice_chars) == len;
}

/* --- names: what is allowed in one cannot end a line of the description ------------------------------------------- */

static bool is_name(const char *text, size_t cap) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
  size_t len = strlen(text);
  return len > 0 && len < cap && strspn(text, allowed) == len;
}

static void pack_text(floe__writer *w, const char *text) {
  floe__wr_u8(w, (uint8_t)strlen(text));
  floe__wr_bytes(w, text, strlen(text));
}

static bool unpack_text(floe__reader *r, char *out, size_t cap) {
  floe_bytes text = floe__rd_take(r, floe__rd_u8(r));
  if (text.len == 0 || text.len >= cap || memchr(text.ptr, '\0', text.len) != NULL) return false;
  memcpy(out, text.ptr, text.len);
  out[text.len] = '\0';
  return is_name(out, cap);
}

/* --- candidates --------------------------------------------------------------------------------------------------- */

static void pack_candidate(floe__writer *w, const floe__ticket_candidate *c) {
  unsigned host = c->address.family == FLOE_FAMILY_NONE   ? HOST_NAME
                  : c->address.family == FLOE_FAMILY_IPV6 ? HOST_IPV6
                                                          : HOST_IPV4;
  unsigned kind = (unsigned)c->type | (unsigned)c->tcp_type << KIND_TCP_SHIFT | host << KIND_HOST_SHIFT;
  floe__wr_u8(w, (uint8_t)kind);
  floe__wr_u8(w, c->foundation);
  floe__wr_u32(w, c->priority);
  if (host == HOST_NAME) {
    pack_text(w, c->name);
  } else {
    floe__wr_bytes(w, c->address.ip, host == HOST_IPV6 ? 16 : 4);
  }
  floe__wr_u16(w, c->port);
}

static bool unpack_host(floe__reader *r, unsigned host, floe__ticket_candidate *c) {
  if (host == HOST_NAME) return unpack_text(r, c->name, sizeof c->name);
  floe_bytes ip = floe__rd_take(r, host == HOST_IPV6 ? 16 : 4);
  if (ip.len == 0) return false;
  c->address.family = host == HOST_IPV6 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4;
  memcpy(c->address.ip, ip.ptr, ip.len);
  return true;
}

static bool unpack_candidate(floe__reader *r, floe__ticket_candidate *c) {
  unsigned kind = floe__rd_u8(r);
  c->type = (floe_candidate_type)(kind & 3);
  c->tcp_type = (floe_tcp_type)(kind >> KIND_TCP_SHIFT & 3);
  c->foundation = floe__rd_u8(r);
  c->priority = floe__rd_u32(r);
  if (kind >> KIND_HOST_SHIFT > HOST_NAME || !unpack_host(r, kind >> KIND_HOST_SHIFT, c)) return false;
  c->port = floe__rd_u16(r);
  c->address.port = c->address.family == FLOE_FAMILY_NONE ? 0 : c->port;
  return c->priority != 0 && c->priority <= INT32_MAX;
}

uint16_t floe__ticket_tag(const floe__ticket *offer) {
  uLong crc = crc32(0, (const uint8_t *)offer->pwd, (uInt)strlen(offer->pwd));
  return (uint16_t)crc32(crc, offer->fingerprint, (uInt)floe__ticket_hash_len(offer->hash));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool is_default_sctp(const floe__ticket *t) {
  return t->sctp_port == DEFAULT_SCTP_PORT && t->max_message_size == DEFAULT_MAX_MESSAGE;
}

size_t floe__ticket_pack(const floe__ticket *t, uint8_t *out, size_t cap) {
  floe__writer w = floe__writer_of(out, cap);
  bool has_mid = strcmp(t->mid, "0") != 0, has_sctp = !is_default_sctp(t);
  if (!chars_fit(t->ufrag, UFRAG_MIN) || !chars_fit(t->pwd, PWD_MIN) || (has_mid && !is_name(t->mid, sizeof t->mid))) {
    return 0;
  }
  unsigned flags = (t->is_answer ? IS_ANSWER : 0U) | (unsigned)t->setup << SETUP_SHIFT | (t->is_lite ? IS_LITE : 0U) |
                   (has_mid ? HAS_MID : 0U) | (has_sctp ? HAS_SCTP : 0U);
  floe__wr_u8(&w, (uint8_t)flags);
  floe__wr_u8(&w, (uint8_t)t->mode);
  if (t->is_answer) floe__wr_u16(&w, t->answers);
  pack_chars(&w, t->ufrag);
  pack_chars(&w, t->pwd);
  floe__wr_u8(&w, t->hash);
  floe__wr_bytes(&w, t->fingerprint, floe__ticket_hash_len(t->hash));
  if (has_mid) pack_text(&w, t->mid);
  if (has_sctp) {
    floe__wr_u16(&w, t->sctp_port);
    floe__wr_u64(&w, t->max_message_size);
  }
  floe__wr_u8(&w, (uint8_t)t->n_candidates);
  for (size_t i = 0; i < t->n_candidates; i++) pack_candidate(&w, &t->candidates[i]);
  return floe__wr_done(&w).len;
}

static bool unpack_head(floe__reader *r, floe__ticket *out, unsigned *flags) {
  *flags = floe__rd_u8(r);
  unsigned mode = floe__rd_u8(r), setup = *flags >> SETUP_SHIFT & 3;
  if (*flags >= 64 || setup > FLOE__TICKET_PASSIVE || mode >= FLOE__CONNECT_MODES) return false;
  out->is_answer = (*flags & IS_ANSWER) != 0;
  out->is_lite = (*flags & IS_LITE) != 0;
  out->setup = (floe__ticket_setup)setup;
  out->mode = (floe__connect_mode)mode;
  if (out->is_answer) out->answers = floe__rd_u16(r);
  unpack_chars(r, out->ufrag);
  unpack_chars(r, out->pwd);
  out->hash = floe__rd_u8(r);
  floe_bytes fingerprint = floe__rd_take(r, floe__ticket_hash_len(out->hash));
  if (fingerprint.len == 0) return false;
  memcpy(out->fingerprint, fingerprint.ptr, fingerprint.len);
  return chars_fit(out->ufrag, UFRAG_MIN) && chars_fit(out->pwd, PWD_MIN);
}

bool floe__ticket_unpack(floe__ticket *out, floe_bytes payload) {
  floe__reader r = floe__reader_of(payload);
  unsigned flags;
  memset(out, 0, sizeof *out);
  if (!unpack_head(&r, out, &flags)) return false;
  memcpy(out->mid, "0", 2);
  out->sctp_port = DEFAULT_SCTP_PORT;
  out->max_message_size = DEFAULT_MAX_MESSAGE;
  if ((flags & HAS_MID) != 0 && !unpack_text(&r, out->mid, sizeof out->mid)) return false;
  if ((flags & HAS_SCTP) != 0) {
    out->sctp_port = floe__rd_u16(&r);
    out->max_message_size = floe__rd_u64(&r);
  }
  out->n_candidates = floe__rd_u8(&r);
  if (out->n_candidates > FLOE__TICKET_CANDIDATES) return false;
  for (size_t i = 0; i < out->n_candidates; i++) {
    if (!unpack_candidate(&r, &out->candidates[i])) return false;
  }
  return !r.bad && floe__rd_left(&r) == 0;
}
