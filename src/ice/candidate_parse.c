/* The candidate-attribute, read (RFC 8839 5.1):
 *   "candidate" ":" foundation SP component-id SP transport SP priority SP connection-address SP port SP cand-type
 *   [SP rel-addr] [SP rel-port] *(SP cand-extension) */
#include <string.h>

#include "base/addr.h"
#include "base/status_internal.h"
#include "floe/candidate.h"

typedef struct cursor {
  const char *text;
  size_t at;
  floe_error *why;
} cursor;

static floe_status refuse(const cursor *c, size_t offset, const char *message) {
  return floe__error_set(c->why, FLOE_E_SYNTAX, "", offset, "%s", message);
}

static bool equals(floe_bytes word, const char *text) {
  return word.len == strlen(text) && memcmp(word.ptr, text, word.len) == 0;
}

/* RFC 8839 5.1 takes transport and type from SDP tokens, which ABNF compares without regard to case (RFC 5234 2.3). */
static bool equals_ignoring_case(floe_bytes word, const char *text) {
  if (word.len != strlen(text)) return false;
  for (size_t i = 0; i < word.len; i++) {
    uint8_t ch = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (uint8_t)(word.ptr[i] - 'A' + 'a') : word.ptr[i];
    if (ch != (uint8_t)text[i]) return false;
  }
  return true;
}

/* The next word: visible characters up to a space or the end. Empty at the end or at a second space. */
static floe_bytes peek_word(const cursor *c) {
  size_t len = 0;
  while ((unsigned char)c->text[c->at + len] > ' ' && (unsigned char)c->text[c->at + len] != 0x7f) len++;
  return (floe_bytes){(const uint8_t *)c->text + c->at, len};
}

/* One word and the single space behind it, if more follows. */
static floe_status take_word(cursor *c, floe_bytes *out, const char *missing) {
  *out = peek_word(c);
  if (out->len == 0) return refuse(c, c->at, missing);
  c->at += out->len;
  if (c->text[c->at] == '\0') return FLOE_OK;
  if (c->text[c->at] != ' ') return refuse(c, c->at, "only single spaces may stand between the parts");
  c->at++;
  if (c->text[c->at] == '\0') return refuse(c, c->at - 1, "a space at the end");
  return FLOE_OK;
}

static bool is_at_end(const cursor *c) {
  return c->text[c->at] == '\0';
}

static bool is_ice_char(uint8_t ch) {
  bool alnum = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
  return alnum || ch == '+' || ch == '/';
}

static size_t offset_of(const cursor *c, floe_bytes word) {
  return (size_t)((const char *)word.ptr - c->text);
}

/* Decimal digits without a sign, min to max. */
static bool parse_number(floe_bytes word, uint32_t min, uint32_t max, uint32_t *out) {
  uint64_t value = 0;
  if (word.len == 0 || word.len > 10) return false;
  for (size_t i = 0; i < word.len; i++) {
    if (word.ptr[i] < '0' || word.ptr[i] > '9') return false;
    value = value * 10 + (uint64_t)(word.ptr[i] - '0');
  }
  *out = (uint32_t)value;
  return value >= min && value <= max;
}

static floe_status take_number(cursor *c, uint32_t min, uint32_t max, uint32_t *out, const char *expected) {
  floe_bytes word;
  floe_status st = take_word(c, &word, expected);
  if (st != FLOE_OK) return st;
  return parse_number(word, min, max, out) ? FLOE_OK : refuse(c, offset_of(c, word), expected);
}

static floe_status take_foundation(cursor *c, floe_candidate_line *out) {
  floe_bytes word;
  if (strncmp(c->text, "a=", 2) == 0) c->at = 2;
  if (strncmp(c->text + c->at, "candidate:", 10) == 0) c->at += 10;
  floe_status st = take_word(c, &word, "the foundation is missing");
  if (st != FLOE_OK) return st;
  if (word.len > 32) return refuse(c, offset_of(c, word) + 32, "the foundation is longer than 32 characters");
  for (size_t i = 0; i < word.len; i++) {
    if (!is_ice_char(word.ptr[i])) {
      return refuse(c, offset_of(c, word) + i, "a foundation has only letters, digits, + and /");
    }
  }
  memcpy(out->foundation, word.ptr, word.len);
  return FLOE_OK;
}

static floe_status take_transport(cursor *c, floe_candidate_line *out) {
  floe_bytes word;
  floe_status st = take_word(c, &word, "the transport is missing");
  if (st != FLOE_OK) return st;
  if (equals_ignoring_case(word, "udp")) {
    out->transport = FLOE_TRANSPORT_UDP;
    return FLOE_OK;
  }
  if (equals_ignoring_case(word, "tcp")) {
    out->transport = FLOE_TRANSPORT_TCP;
    return FLOE_OK;
  }
  return floe__error_set(c->why, FLOE_E_UNSUPPORTED, "", offset_of(c, word), "a transport other than udp and tcp");
}

static bool is_name(floe_bytes word) {
  for (size_t i = 0; i < word.len; i++) {
    uint8_t ch = word.ptr[i];
    bool alnum = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
    if (!alnum && ch != '-' && ch != '.' && ch != '_') return false;
  }
  return word.len > 0 && word.len <= 253;
}

static floe_status take_address(cursor *c, floe_bytes *host, floe_addr *addr) {
  floe_status st = take_word(c, host, "the address is missing");
  if (st != FLOE_OK) return st;
  if (floe__addr_parse_ip(addr, (const char *)host->ptr, host->len) || is_name(*host)) return FLOE_OK;
  return refuse(c, offset_of(c, *host), "neither an IP address nor a host name");
}

static floe_status take_type(cursor *c, floe_candidate_line *out) {
  floe_bytes word;
  floe_status st = take_word(c, &word, "\"typ\" is missing");
  if (st != FLOE_OK) return st;
  if (!equals(word, "typ")) return refuse(c, offset_of(c, word), "\"typ\" expected");
  if (is_at_end(c)) return refuse(c, c->at, "the candidate type is missing");
  st = take_word(c, &word, "the candidate type is missing");
  if (st != FLOE_OK) return st;
  for (int t = FLOE_CANDIDATE_HOST; t <= FLOE_CANDIDATE_RELAY; t++) {
    out->type = (floe_candidate_type)t;
    if (equals_ignoring_case(word, floe_candidate_type_name(out->type))) return FLOE_OK;
  }
  return floe__error_set(c->why, FLOE_E_UNSUPPORTED, "", offset_of(c, word), "an unknown candidate type");
}

/* [SP "raddr" SP connection-address] [SP "rport" SP port] */
static floe_status take_related(cursor *c, floe_candidate_line *out) {
  floe_bytes word;
  floe_status st;
  if (equals(peek_word(c), "raddr")) {
    (void)take_word(c, &word, "");
    if (is_at_end(c)) return refuse(c, c->at, "the related address is missing");
    st = take_address(c, &word, &out->related);
    if (st != FLOE_OK) return st;
    out->has_related = true;
  }
  if (!equals(peek_word(c), "rport")) return FLOE_OK;
  (void)take_word(c, &word, "");
  uint32_t port;
  st = take_number(c, 0, UINT16_MAX, &port, "a related port from 0 to 65535 expected");
  if (st == FLOE_OK) out->related.port = (uint16_t)port;
  return st;
}

static bool set_tcp_type(floe_candidate_line *out, floe_bytes value) {
  if (equals(value, "active")) out->tcp_type = FLOE_TCP_TYPE_ACTIVE;
  if (equals(value, "passive")) out->tcp_type = FLOE_TCP_TYPE_PASSIVE;
  if (equals(value, "so")) out->tcp_type = FLOE_TCP_TYPE_SO;
  return out->tcp_type != FLOE_TCP_TYPE_NONE;
}

static floe_status take_extensions(cursor *c, floe_candidate_line *out) {
  out->extensions = (floe_bytes){(const uint8_t *)c->text + c->at, strlen(c->text + c->at)};
  while (!is_at_end(c)) {
    floe_bytes name, value;
    floe_status st = take_word(c, &name, "an extension name expected");
    if (st != FLOE_OK) return st;
    if (is_at_end(c)) return refuse(c, offset_of(c, name), "an extension without a value");
    st = take_word(c, &value, "an extension value expected");
    if (st != FLOE_OK) return st;
    if (equals(name, "ufrag")) out->ufrag = value;
    if (equals(name, "tcptype") && !set_tcp_type(out, value)) {
      return refuse(c, offset_of(c, value), "tcptype is active, passive or so");
    }
  }
  return FLOE_OK;
}

/* RFC 6544 4.5: a TCP candidate says how it connects. */
static floe_status check_tcp(const cursor *c, const floe_candidate_line *out) {
  if (out->transport != FLOE_TRANSPORT_TCP || out->tcp_type != FLOE_TCP_TYPE_NONE) return FLOE_OK;
  return refuse(c, c->at, "a TCP candidate without tcptype");
}

floe_status floe_candidate_line_parse(floe_candidate_line *out, const char *text, floe_error *why) {
  cursor c = {.text = text, .at = 0, .why = why};
  uint32_t component = 0;
  uint32_t port = 0;
  memset(out, 0, sizeof *out);
  floe_status st = take_foundation(&c, out);
  if (st == FLOE_OK) st = take_number(&c, 1, 256, &component, "a component from 1 to 256 expected");
  if (st == FLOE_OK) st = take_transport(&c, out);
  if (st == FLOE_OK) st = take_number(&c, 1, INT32_MAX, &out->priority, "a priority from 1 to 2147483647 expected");
  if (st == FLOE_OK) st = take_address(&c, &out->host, &out->address);
  if (st == FLOE_OK) st = take_number(&c, 0, UINT16_MAX, &port, "a port from 0 to 65535 expected");
  if (st == FLOE_OK) st = take_type(&c, out);
  if (st == FLOE_OK) st = take_related(&c, out);
  if (st == FLOE_OK) st = take_extensions(&c, out);
  if (st == FLOE_OK) st = check_tcp(&c, out);
  if (st != FLOE_OK) return st;
  out->component = (uint16_t)component;
  out->port = (uint16_t)port;
  if (out->address.family != FLOE_FAMILY_NONE) out->address.port = out->port;
  return FLOE_OK;
}

floe_bytes floe_candidate_line_extension(const floe_candidate_line *line, const char *name) {
  /* The line was read whole: its extensions are pairs of words, one space apart. */
  floe_bytes rest = line->extensions;
  while (rest.len > 0) {
    floe_bytes pair[2];
    for (int i = 0; i < 2; i++) {
      const uint8_t *space = memchr(rest.ptr, ' ', rest.len);
      size_t len = space == NULL ? rest.len : (size_t)(space - rest.ptr);
      pair[i] = (floe_bytes){rest.ptr, len};
      size_t skip = space == NULL ? len : len + 1;
      rest = (floe_bytes){rest.ptr + skip, rest.len - skip};
    }
    if (equals(pair[0], name)) return pair[1];
  }
  return (floe_bytes){0};
}
