/* The attributes that are read: their forms, and where they may stand. */
#include <string.h>

#include "base/status_internal.h"
#include "sdp/sdp_internal.h"

typedef floe_status read_fn(floe__sdp_parser *p, floe__sdp_section *s, const char *value);

enum { IN_SESSION = 1, IN_MEDIA = 2, ONCE = 4, BARE = 8 /* has no value */ };

typedef struct row {
  const char *name;
  unsigned flags;
  read_fn *read;
} row;

/* --- lists ------------------------------------------------------------------------------------------------------- */

static floe_status add_text(floe__sdp_parser *p, floe__arena_list *list, floe__sdp_slice text) {
  char *copy = floe__sdp_copy(p, text);
  const char **item = copy == NULL ? NULL : floe__arena_add(p->arena, list, sizeof *item);
  if (item == NULL) return floe__sdp_no_memory(p);
  *item = copy;
  return FLOE_OK;
}

static floe_status take_text(floe__sdp_parser *p, const char **out, floe__sdp_slice text) {
  *out = floe__sdp_copy(p, text);
  return *out == NULL ? floe__sdp_no_memory(p) : FLOE_OK;
}

/* A value that is one token. */
static floe_status take_token(floe__sdp_parser *p, const char **out, const char *at, const char *what) {
  floe__sdp_slice word;
  floe_status st = floe__sdp_lex_token(&p->lex, &at, what, &word);
  if (st == FLOE_OK) st = floe__sdp_lex_end(&p->lex, at);
  return st == FLOE_OK ? take_text(p, out, word) : st;
}

/* --- identification and groups (RFC 5888, RFC 9143) -------------------------------------------------------------- */

static floe_status read_mid(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  return take_token(p, &s->m.mid, at, "an identification tag");
}

static floe_status read_bundle_only(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)p, (void)at;
  s->m.is_bundle_only = true;
  return FLOE_OK;
}

static floe_status read_group_mids(floe__sdp_parser *p, floe__arena_list *mids, const char *at) {
  for (;;) {
    const char *from = at;
    floe__sdp_slice mid = floe__sdp_lex_word(&p->lex, &at);
    if (mid.len == 0) return FLOE_OK;
    if (mids->n == FLOE__SDP_MAX_MEDIA) return floe__sdp_too_many(p, FLOE__SDP_MAX_MEDIA, "sections in a group");
    floe_status st = floe__sdp_lex_token(&p->lex, &from, "an identification tag", &mid);
    if (st == FLOE_OK) st = add_text(p, mids, mid);
    if (st != FLOE_OK) return st;
  }
}

static floe_status read_group(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)s;
  floe__sdp_slice semantics;
  floe__arena_list mids = {0};
  floe__sdp_group group = {0};
  if (p->groups.n == FLOE__SDP_MAX_MEDIA) return floe__sdp_too_many(p, FLOE__SDP_MAX_MEDIA, "groups");
  floe_status st = floe__sdp_lex_token(&p->lex, &at, "the semantics of a group", &semantics);
  if (st == FLOE_OK) st = take_text(p, &group.semantics, semantics);
  if (st == FLOE_OK) st = read_group_mids(p, &mids, at);
  if (st != FLOE_OK) return st;
  group.mids = mids.items;
  group.n_mids = mids.n;
  floe__sdp_group *item = floe__arena_add(p->arena, &p->groups, sizeof *item);
  if (item == NULL) return floe__sdp_no_memory(p);
  *item = group;
  return FLOE_OK;
}

/* --- ICE (RFC 8839) ---------------------------------------------------------------------------------------------- */

static bool is_ice_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* RFC 8839 5.4: 4 to 256 ice-chars for the fragment, 22 to 256 for the password. */
static floe_status take_ice_chars(floe__sdp_parser *p, const char **out, const char *at, size_t min) {
  const floe__sdp_lex *l = &p->lex;
  const char *from = at;
  while (at < l->line_end && is_ice_char(*at)) at++;
  size_t len = (size_t)(at - from);
  if (at < l->line_end && len < 256) return floe__sdp_lex_fail(l, at, "a letter, a digit, '+' or '/'");
  if (len < min) return floe__sdp_lex_fail(l, at, "%zu to 256 letters, digits, '+' or '/'", min);
  if (len > 256) return floe__sdp_lex_fail(l, from + 256, "%zu to 256 letters, digits, '+' or '/'", min);
  if (at < l->line_end) return floe__sdp_lex_fail(l, at, "the end of the line");
  return take_text(p, out, (floe__sdp_slice){from, len});
}

static floe_status read_ufrag(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  return take_ice_chars(p, &s->m.ufrag, at, 4);
}

static floe_status read_pwd(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  return take_ice_chars(p, &s->m.pwd, at, 22);
}

static floe_status read_ice_lite(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)p, (void)at;
  s->m.ice_lite = true;
  return FLOE_OK;
}

/* RFC 8839 5.6 has spaces between the options; libdatachannel writes commas, which no option can have in it. */
static floe_status read_ice_options(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  while (at < p->lex.line_end) {
    const char *from = at;
    while (at < p->lex.line_end && *at != ' ' && *at != ',') at++;
    floe__sdp_slice option = {from, (size_t)(at - from)};
    if (floe__sdp_slice_is(option, "trickle")) s->m.ice_trickle = true;
    if (floe__sdp_slice_is(option, "renomination")) s->m.ice_renomination = true;
    if (at < p->lex.line_end) at++;
  }
  return FLOE_OK;
}

/* The whole "candidate:...": who has ICE reads it (RFC 8839 5.1). */
static floe_status read_candidate(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)at;
  uint32_t *line = floe__arena_add(p->arena, &s->candidate_lines, sizeof *line);
  if (line == NULL) return floe__sdp_no_memory(p);
  *line = p->lex.number;
  return add_text(p, &s->candidates, floe__sdp_lex_rest(&p->lex, p->lex.value));
}

static floe_status read_end_of_candidates(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)p, (void)at;
  s->m.end_of_candidates = true;
  return FLOE_OK;
}

/* --- DTLS (RFC 8122, RFC 4145, RFC 8842) ------------------------------------------------------------------------- */

typedef struct hash_row {
  const char *name;
  size_t bytes;
} hash_row;

/* RFC 8122 5, and what came after it. A value of another hash has some length. */
static const hash_row hash_rows[] = {{"sha-1", 20},    {"sha-224", 28},  {"sha-256", 32}, {"sha-384", 48},
                                     {"sha-512", 64},  {"md5", 16},      {"md2", 16},     {"sha3-224", 28},
                                     {"sha3-256", 32}, {"sha3-384", 48}, {"sha3-512", 64}};

static size_t hash_bytes(floe__sdp_slice name) {
  for (size_t i = 0; i < sizeof hash_rows / sizeof hash_rows[0]; i++) {
    if (floe__sdp_slice_is(name, hash_rows[i].name)) return hash_rows[i].bytes;
  }
  return 0;
}

static bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Pairs of digits between colons. RFC 8122 5 has them in upper case, and some write them in lower. */
static floe_status check_pairs(const floe__sdp_lex *l, floe__sdp_slice v, size_t bytes) {
  for (size_t i = 0; i < v.len; i++) {
    bool is_colon = i % 3 == 2;
    if (is_colon && v.ptr[i] != ':') return floe__sdp_lex_fail(l, v.ptr + i, "':'");
    if (!is_colon && !is_hex(v.ptr[i])) return floe__sdp_lex_fail(l, v.ptr + i, "a hexadecimal digit");
  }
  const char *end = v.ptr + v.len;
  if (v.len % 3 != 2) return floe__sdp_lex_fail(l, end, "a hexadecimal digit");
  if (bytes != 0 && v.len != bytes * 3 - 1) return floe__sdp_lex_fail(l, v.ptr, "%zu bytes of this hash", bytes);
  return FLOE_OK;
}

static void fold(char *text, char from, char to, char becomes) {
  for (; *text != '\0'; text++) {
    if (*text >= from && *text <= to) *text = (char)(*text - from + becomes);
  }
}

static floe_status add_fingerprint(floe__sdp_parser *p, floe__sdp_section *s, floe__sdp_slice hash,
                                   floe__sdp_slice value) {
  floe__sdp_fingerprint *item = floe__arena_add(p->arena, &s->fingerprints, sizeof *item);
  char *name = floe__sdp_copy(p, hash), *pairs = floe__sdp_copy(p, value);
  if (item == NULL || name == NULL || pairs == NULL) return floe__sdp_no_memory(p);
  fold(name, 'A', 'Z', 'a');
  fold(pairs, 'a', 'f', 'A');
  *item = (floe__sdp_fingerprint){.hash = name, .value = pairs};
  return FLOE_OK;
}

static floe_status read_fingerprint(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  floe__sdp_slice hash, value;
  floe_status st = floe__sdp_lex_token(&p->lex, &at, "the name of a hash", &hash);
  if (st != FLOE_OK) return st;
  value = floe__sdp_lex_word(&p->lex, &at);
  st = check_pairs(&p->lex, value, hash_bytes(hash));
  if (st == FLOE_OK) st = floe__sdp_lex_end(&p->lex, at);
  return st == FLOE_OK ? add_fingerprint(p, s, hash, value) : st;
}

static floe_status read_setup(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  static const char *const words[] = {"active", "passive", "actpass", "holdconn"};
  static const floe__sdp_setup setups[] = {FLOE__SETUP_ACTIVE, FLOE__SETUP_PASSIVE, FLOE__SETUP_ACTPASS,
                                           FLOE__SETUP_HOLDCONN};
  floe__sdp_slice word = floe__sdp_lex_word(&p->lex, &at);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!floe__sdp_slice_is(word, words[i])) continue;
    s->m.setup = setups[i];
    return floe__sdp_lex_end(&p->lex, at);
  }
  return floe__sdp_lex_fail(&p->lex, word.ptr, "active, passive, actpass or holdconn");
}

static bool is_tls_id_char(char c) {
  return is_ice_char(c) || c == '-' || c == '_';
}

/* RFC 8842 4: 20 to 255 of letters, digits and "+/-_". */
static floe_status read_tls_id(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  const char *from = at;
  while (at < p->lex.line_end && is_tls_id_char(*at)) at++;
  size_t len = (size_t)(at - from);
  if (at < p->lex.line_end || len < 20 || len > 255) {
    return floe__sdp_lex_fail(&p->lex, at, "20 to 255 letters, digits, '+', '/', '-' or '_'");
  }
  return take_text(p, &s->m.tls_id, (floe__sdp_slice){from, len});
}

/* --- SCTP (RFC 8841) --------------------------------------------------------------------------------------------- */

static floe_status read_sctp_port(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  uint64_t port;
  floe_status st = floe__sdp_lex_number(&p->lex, &at, "a port", UINT16_MAX, &port);
  if (st == FLOE_OK) st = floe__sdp_lex_end(&p->lex, at);
  if (st != FLOE_OK) return st;
  s->m.has_sctp_port = true;
  s->m.sctp_port = (uint16_t)port;
  return FLOE_OK;
}

static floe_status read_max_message_size(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  uint64_t size;
  floe_status st = floe__sdp_lex_number(&p->lex, &at, "a number of bytes", UINT64_MAX, &size);
  if (st == FLOE_OK) st = floe__sdp_lex_end(&p->lex, at);
  if (st != FLOE_OK) return st;
  s->m.has_max_message_size = true;
  s->m.max_message_size = size;
  return FLOE_OK;
}

/* "5000 webrtc-datachannel 1024", from before RFC 8841; what other uses there are is not ours to judge. */
static floe_status read_sctpmap(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  uint64_t port;
  floe_status st = floe__sdp_lex_number(&p->lex, &at, "a port", UINT16_MAX, &port);
  if (st != FLOE_OK) return st;
  if (s->has_map || !floe__sdp_slice_is(floe__sdp_lex_word(&p->lex, &at), "webrtc-datachannel")) return FLOE_OK;
  s->has_map = true;
  s->map_port = (uint16_t)port;
  return FLOE_OK;
}

/* --- direction (RFC 8866 6.7) ------------------------------------------------------------------------------------ */

static floe_status read_direction(floe__sdp_parser *p, floe__sdp_section *s, const char *at) {
  (void)at;
  floe__sdp_slice word = floe__sdp_lex_rest(&p->lex, p->lex.value);
  floe__sdp_direction d = FLOE__DIRECTION_SENDRECV;
  if (floe__sdp_slice_is(word, "sendonly")) d = FLOE__DIRECTION_SENDONLY;
  if (floe__sdp_slice_is(word, "recvonly")) d = FLOE__DIRECTION_RECVONLY;
  if (floe__sdp_slice_is(word, "inactive")) d = FLOE__DIRECTION_INACTIVE;
  s->m.direction = d;
  s->has_direction = true;
  return FLOE_OK;
}

/* --- the table --------------------------------------------------------------------------------------------------- */

static const row rows[] = {
    {"candidate", IN_MEDIA, read_candidate},
    {"mid", IN_MEDIA | ONCE, read_mid},
    {"bundle-only", IN_MEDIA | BARE, read_bundle_only},
    {"group", IN_SESSION, read_group},
    {"ice-ufrag", IN_SESSION | IN_MEDIA | ONCE, read_ufrag},
    {"ice-pwd", IN_SESSION | IN_MEDIA | ONCE, read_pwd},
    {"ice-lite", IN_SESSION | BARE, read_ice_lite},
    {"ice-options", IN_SESSION | IN_MEDIA, read_ice_options},
    {"end-of-candidates", IN_SESSION | IN_MEDIA | BARE, read_end_of_candidates},
    {"fingerprint", IN_SESSION | IN_MEDIA, read_fingerprint},
    {"setup", IN_SESSION | IN_MEDIA | ONCE, read_setup},
    {"tls-id", IN_SESSION | IN_MEDIA | ONCE, read_tls_id},
    {"sctp-port", IN_MEDIA | ONCE, read_sctp_port},
    {"max-message-size", IN_MEDIA | ONCE, read_max_message_size},
    {"sctpmap", IN_MEDIA, read_sctpmap},
    {"sendrecv", IN_SESSION | IN_MEDIA | BARE, read_direction},
    {"sendonly", IN_SESSION | IN_MEDIA | BARE, read_direction},
    {"recvonly", IN_SESSION | IN_MEDIA | BARE, read_direction},
    {"inactive", IN_SESSION | IN_MEDIA | BARE, read_direction},
};

static floe_status read_row(floe__sdp_parser *p, floe__sdp_section *s, size_t i, const char *name_end) {
  uint64_t bit = (uint64_t)1 << i;
  bool is_bare = (rows[i].flags & BARE) != 0;
  if (is_bare && name_end < p->lex.line_end) return floe__sdp_lex_fail(&p->lex, name_end, "the end of the line");
  if (!is_bare && name_end == p->lex.line_end) return floe__sdp_lex_fail(&p->lex, name_end, "':' and a value");
  if ((rows[i].flags & ONCE) != 0 && (s->seen & bit) != 0) {
    return floe__sdp_lex_fail(&p->lex, p->lex.value, "a=%s once", rows[i].name);
  }
  s->seen |= bit;
  return rows[i].read(p, s, is_bare ? name_end : name_end + 1);
}

/* Every attribute is kept, whether it is known or not. */
static floe_status keep(floe__sdp_parser *p, floe__sdp_section *s, const char *name_end) {
  const floe__sdp_lex *l = &p->lex;
  floe__sdp_attribute *item = floe__arena_add(p->arena, &s->attributes, sizeof *item);
  if (item == NULL) return floe__sdp_no_memory(p);
  *item = (floe__sdp_attribute){.line = l->number};
  floe_status st = take_text(p, &item->name, (floe__sdp_slice){l->value, (size_t)(name_end - l->value)});
  if (st != FLOE_OK || name_end == l->line_end) return st;
  return take_text(p, &item->value, floe__sdp_lex_rest(l, name_end + 1));
}

floe_status floe__sdp_read_attribute(floe__sdp_parser *p) {
  const floe__sdp_lex *l = &p->lex;
  bool in_media = p->sections.n > 0;
  floe__sdp_section *s = in_media ? (floe__sdp_section *)p->sections.items + p->sections.n - 1 : &p->session;
  const char *colon = memchr(l->value, ':', (size_t)(l->line_end - l->value));
  const char *name_end = colon != NULL ? colon : l->line_end;
  floe__sdp_slice name = {l->value, (size_t)(name_end - l->value)};
  if (name.len == 0) return floe__sdp_lex_fail(l, l->value, "the name of an attribute");
  floe_status st = keep(p, s, name_end);
  unsigned level = in_media ? IN_MEDIA : IN_SESSION;
  for (size_t i = 0; st == FLOE_OK && i < sizeof rows / sizeof rows[0]; i++) {
    if ((rows[i].flags & level) == 0 || !floe__sdp_slice_is(name, rows[i].name)) continue;
    return read_row(p, s, i, name_end);
  }
  return st;
}
