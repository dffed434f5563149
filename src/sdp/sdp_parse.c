/* Session descriptions, read line by line in the order of RFC 8866 5. */
#include <string.h>

#include "base/status_internal.h"
#include "sdp/sdp_internal.h"

/* RFC 8841 6.1 and 5.1 (and RFC 8831): what counts where the peer says nothing. */
#define DEFAULT_MAX_MESSAGE_SIZE 65536
#define DEFAULT_SCTP_PORT        5000

/* --- what the files share ---------------------------------------------------------------------------------------- */

floe_status floe__sdp_no_memory(const floe__sdp_parser *p) {
  return floe__error_set(p->lex.why, FLOE_E_NOMEM, "sdp", FLOE_NO_OFFSET, "out of memory");
}

floe_status floe__sdp_too_many(const floe__sdp_parser *p, size_t max, const char *what) {
  const floe__sdp_lex *l = &p->lex;
  size_t offset = (size_t)(l->line - l->text);
  floe_status st = floe__error_set(l->why, FLOE_E_TOO_LARGE, "sdp", offset, "more than %zu %s", max, what);
  if (l->why != NULL) l->why->line = l->number;
  return st;
}

char *floe__sdp_copy(const floe__sdp_parser *p, floe__sdp_slice s) {
  return floe__arena_strndup(p->arena, s.ptr, s.len);
}

bool floe__sdp_is_sctp_proto(const char *proto) {
  return floe__sdp_equal_nocase(proto, "UDP/DTLS/SCTP") || floe__sdp_equal_nocase(proto, "TCP/DTLS/SCTP");
}

bool floe__sdp_is_old_sctp_proto(const char *proto) {
  return floe__sdp_equal_nocase(proto, "DTLS/SCTP");
}

/* --- v=, o= ------------------------------------------------------------------------------------------------------ */

static floe_status expect_line(floe__sdp_parser *p, char type) {
  floe_status st = floe__sdp_lex_next(&p->lex);
  if (st != FLOE_OK) return st;
  return p->lex.type == type ? FLOE_OK : floe__sdp_lex_fail(&p->lex, p->lex.line, "%c=", type);
}

static floe_status read_version(floe__sdp_parser *p) {
  const char *at = p->lex.value;
  floe__sdp_slice word = floe__sdp_lex_word(&p->lex, &at);
  if (!floe__sdp_slice_is(word, "0")) return floe__sdp_lex_fail(&p->lex, word.ptr, "version 0");
  return floe__sdp_lex_end(&p->lex, at);
}

static floe_status take_word(floe__sdp_parser *p, const char **at, const char *what, const char **out) {
  floe__sdp_slice word = floe__sdp_lex_word(&p->lex, at);
  if (word.len == 0) return floe__sdp_lex_fail(&p->lex, word.ptr, "%s", what);
  *out = floe__sdp_copy(p, word);
  return *out == NULL ? floe__sdp_no_memory(p) : FLOE_OK;
}

/* RFC 8866 5.2: of any number of digits. */
static floe_status read_session_id(floe__sdp_parser *p, const char **at) {
  floe_status st = take_word(p, at, "a session id", &p->sdp->session_id);
  if (st != FLOE_OK) return st;
  size_t len = strlen(p->sdp->session_id), digits = strspn(p->sdp->session_id, "0123456789");
  return digits == len ? FLOE_OK : floe__sdp_lex_fail(&p->lex, *at - len + digits, "a digit of the session id");
}

/* The address says nothing in WebRTC (RFC 9429 5.2.1), and is not judged. */
static floe_status read_origin_address(floe__sdp_parser *p, const char *at) {
  floe__sdp_slice net = floe__sdp_lex_word(&p->lex, &at);
  if (!floe__sdp_slice_is(net, "IN")) return floe__sdp_lex_fail(&p->lex, net.ptr, "IN");
  floe__sdp_slice family = floe__sdp_lex_word(&p->lex, &at);
  if (!floe__sdp_slice_is(family, "IP4") && !floe__sdp_slice_is(family, "IP6")) {
    return floe__sdp_lex_fail(&p->lex, family.ptr, "IP4 or IP6");
  }
  floe__sdp_slice address = floe__sdp_lex_word(&p->lex, &at);
  if (address.len == 0) return floe__sdp_lex_fail(&p->lex, at, "an address");
  return floe__sdp_lex_end(&p->lex, at);
}

static floe_status read_origin(floe__sdp_parser *p) {
  const char *at = p->lex.value;
  floe_status st = take_word(p, &at, "a user name", &p->sdp->username);
  if (st == FLOE_OK) st = read_session_id(p, &at);
  if (st == FLOE_OK) {
    st = floe__sdp_lex_number(&p->lex, &at, "a session version", UINT64_MAX, &p->sdp->session_version);
  }
  return st == FLOE_OK ? read_origin_address(p, at) : st;
}

/* --- the order of lines ------------------------------------------------------------------------------------------ */

/* RFC 8866 5: "when present, they MUST appear in exactly the order given here". r= and z= belong to t=. */
static const char session_order[] = "iuepcbtka";
static const char media_order[] = "icbka";

/* What may stand now: `rank` is the index of the first type in `order` that still may. False: another letter. */
static bool advance(const char *order, size_t *rank, char type) {
  const char *found = strchr(order + *rank, type);
  if (found == NULL) return false;
  bool stands_once = strchr("iuk", type) != NULL;
  *rank = (size_t)(found - order) + (stands_once ? 1 : 0);
  return true;
}

static floe_status fail_order(const floe__sdp_parser *p, const char *order, size_t rank) {
  const char *left = order + rank;
  return floe__sdp_lex_fail(&p->lex, p->lex.line,
                            left[1] == '\0' ? "a line of type %s or m" : "a line of type %s, or m", left);
}

/* The lines behind s=, up to the first m=, which is then the current one. */
static floe_status read_session(floe__sdp_parser *p) {
  size_t rank = 0;
  bool has_time = false;
  for (;;) {
    floe_status st = floe__sdp_lex_next(&p->lex);
    if (st != FLOE_OK) return st;
    char type = p->lex.type;
    bool is_past_time = type == '\0' || type == 'm' || type == 'k' || type == 'a';
    if (is_past_time && !has_time) return floe__sdp_lex_fail(&p->lex, p->lex.line, "t=");
    if (type == '\0' || type == 'm') return FLOE_OK;
    bool is_of_time = (type == 'r' || type == 'z') && session_order[rank] == 't' && has_time;
    if (!is_of_time && !advance(session_order, &rank, type)) return fail_order(p, session_order, rank);
    if (type == 't') has_time = true;
    if (type == 'a') st = floe__sdp_read_attribute(p);
    if (st != FLOE_OK) return st;
  }
}

/* --- m= ---------------------------------------------------------------------------------------------------------- */

/* "9" or "9/2" (RFC 8866 5.14): of how many, is not asked for. */
static floe_status read_port(floe__sdp_parser *p, const char **at, floe__sdp_media *m) {
  const floe__sdp_lex *l = &p->lex;
  floe__sdp_slice word = floe__sdp_lex_word(l, at);
  const char *slash = word.len == 0 ? NULL : memchr(word.ptr, '/', word.len);
  if (slash == word.ptr && word.len > 0) return floe__sdp_lex_fail(l, slash, "a port");
  if (slash != NULL && slash + 1 == *at) return floe__sdp_lex_fail(l, *at, "a number of ports");
  floe__sdp_lex part = *l;
  if (slash != NULL) part.line_end = slash;
  uint64_t port, n;
  const char *from = word.ptr;
  floe_status st = floe__sdp_lex_number(&part, &from, "a port", UINT16_MAX, &port);
  if (st != FLOE_OK) return st;
  m->port = (uint32_t)port;
  if (slash == NULL) return FLOE_OK;
  from = slash + 1;
  return floe__sdp_lex_number(l, &from, "a number of ports", UINT16_MAX, &n);
}

/* A proto is tokens between slashes (RFC 8866 9). */
static floe_status read_proto(floe__sdp_parser *p, const char **at, floe__sdp_media *m) {
  floe__sdp_slice word = floe__sdp_lex_word(&p->lex, at);
  if (word.len == 0) return floe__sdp_lex_fail(&p->lex, word.ptr, "a protocol");
  for (size_t i = 0; i < word.len; i++) {
    if (word.ptr[i] != '/' && !floe__sdp_is_token_char(word.ptr[i])) {
      return floe__sdp_lex_fail(&p->lex, word.ptr + i, "a protocol (tokens between slashes)");
    }
  }
  m->proto = floe__sdp_copy(p, word);
  return m->proto == NULL ? floe__sdp_no_memory(p) : FLOE_OK;
}

static floe_status read_formats(floe__sdp_parser *p, const char *at, floe__sdp_media *m) {
  floe__arena_list fmts = {0};
  const char *what = "a format";
  for (;;) {
    const char *from = at;
    if (fmts.n > 0 && floe__sdp_lex_word(&p->lex, &from).len == 0) break;
    floe__sdp_slice word;
    floe_status st = floe__sdp_lex_token(&p->lex, &at, what, &word);
    if (st != FLOE_OK) return st;
    const char **item = floe__arena_add(p->arena, &fmts, sizeof *item);
    if (item == NULL || (*item = floe__sdp_copy(p, word)) == NULL) return floe__sdp_no_memory(p);
  }
  m->fmts = fmts.items;
  m->n_fmts = fmts.n;
  return FLOE_OK;
}

static floe_status read_media_line(floe__sdp_parser *p) {
  const char *at = p->lex.value;
  floe__sdp_slice kind;
  if (p->sections.n == FLOE__SDP_MAX_MEDIA) return floe__sdp_too_many(p, FLOE__SDP_MAX_MEDIA, "media sections");
  floe__sdp_section *s = floe__arena_add(p->arena, &p->sections, sizeof *s);
  if (s == NULL) return floe__sdp_no_memory(p);
  *s = (floe__sdp_section){.m = {.line = p->lex.number}};
  floe_status st = floe__sdp_lex_token(&p->lex, &at, "a kind of media", &kind);
  if (st != FLOE_OK) return st;
  s->m.kind = floe__sdp_copy(p, kind);
  if (s->m.kind == NULL) return floe__sdp_no_memory(p);
  st = read_port(p, &at, &s->m);
  if (st == FLOE_OK) st = read_proto(p, &at, &s->m);
  return st == FLOE_OK ? read_formats(p, at, &s->m) : st;
}

/* The sections, from the m= that is the current line. */
static floe_status read_sections(floe__sdp_parser *p) {
  size_t rank = 0;
  while (p->lex.type != '\0') {
    floe_status st = FLOE_OK;
    if (p->lex.type == 'm') {
      rank = 0;
      st = read_media_line(p);
    } else if (!advance(media_order, &rank, p->lex.type)) {
      return fail_order(p, media_order, rank);
    } else if (p->lex.type == 'a') {
      st = floe__sdp_read_attribute(p);
    }
    if (st == FLOE_OK) st = floe__sdp_lex_next(&p->lex);
    if (st != FLOE_OK) return st;
  }
  return FLOE_OK;
}

/* --- the model --------------------------------------------------------------------------------------------------- */

static void put_lists(floe__sdp_section *s) {
  s->m.fingerprints = s->fingerprints.items;
  s->m.n_fingerprints = s->fingerprints.n;
  s->m.candidates = s->candidates.items;
  s->m.candidate_lines = s->candidate_lines.items;
  s->m.n_candidates = s->candidates.n;
  s->m.attributes = s->attributes.items;
  s->m.n_attributes = s->attributes.n;
}

/* RFC 8839 5.4, RFC 8122 5, RFC 4145 4: of the session, where the section says nothing. The fragment and the password
 * are a pair: the session's password does not belong to a section's fragment. */
static void inherit(floe__sdp_media *m, const floe__sdp_section *session) {
  const floe__sdp_media *from = &session->m;
  m->ice_lite = from->ice_lite;
  m->ice_trickle = m->ice_trickle || from->ice_trickle;
  m->ice_renomination = m->ice_renomination || from->ice_renomination;
  m->end_of_candidates = m->end_of_candidates || from->end_of_candidates;
  if (m->ufrag == NULL && m->pwd == NULL) {
    m->ufrag = from->ufrag;
    m->pwd = from->pwd;
  }
  if (m->n_fingerprints == 0) {
    m->fingerprints = from->fingerprints;
    m->n_fingerprints = from->n_fingerprints;
  }
  if (m->setup == FLOE__SETUP_NONE) m->setup = from->setup;
  if (m->tls_id == NULL) m->tls_id = from->tls_id;
}

static bool has_format(const floe__sdp_media *m, const char *name) {
  for (size_t i = 0; i < m->n_fmts; i++) {
    if (floe__sdp_equal_nocase(m->fmts[i], name)) return true;
  }
  return false;
}

/* The format of the older form is the port: a number that the map names too. */
static bool has_port_format(const floe__sdp_section *s) {
  uint32_t port = 0;
  const char *digit = s->m.fmts[0];
  for (; *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++) port = port * 10 + (uint32_t)(*digit - '0');
  return *digit == '\0' && port == s->map_port;
}

static void recognise_data(floe__sdp_section *s) {
  floe__sdp_media *m = &s->m;
  if (!m->has_sctp_port) m->sctp_port = DEFAULT_SCTP_PORT;
  if (!m->has_max_message_size) m->max_message_size = DEFAULT_MAX_MESSAGE_SIZE;
  if (!floe__sdp_equal_nocase(m->kind, "application")) return;
  if (floe__sdp_is_sctp_proto(m->proto)) m->is_data = has_format(m, "webrtc-datachannel");
  if (!floe__sdp_is_old_sctp_proto(m->proto) || !s->has_map || !has_port_format(s)) return;
  m->is_data = true;
  m->has_sctp_port = true;
  m->sctp_port = s->map_port;
}

static void complete(floe__sdp_section *s, const floe__sdp_section *session) {
  put_lists(s);
  inherit(&s->m, session);
  if (!s->has_direction) s->m.direction = session->m.direction;
  s->m.is_rejected = s->m.port == 0 && !s->m.is_bundle_only;
  recognise_data(s);
}

static floe_status build_model(floe__sdp_parser *p) {
  floe__sdp *sdp = p->sdp;
  floe__sdp_section *sections = p->sections.items;
  put_lists(&p->session);
  sdp->ice_lite = p->session.m.ice_lite;
  sdp->attributes = p->session.m.attributes;
  sdp->n_attributes = p->session.m.n_attributes;
  sdp->groups = p->groups.items;
  sdp->n_groups = p->groups.n;
  if (p->sections.n == 0) return FLOE_OK;
  floe__sdp_media *media = floe__arena_alloc(p->arena, p->sections.n * sizeof *media);
  if (media == NULL) return floe__sdp_no_memory(p);
  for (size_t i = 0; i < p->sections.n; i++) {
    complete(&sections[i], &p->session);
    media[i] = sections[i].m;
  }
  sdp->media = media;
  sdp->n_media = p->sections.n;
  return FLOE_OK;
}

static floe_status read_all(floe__sdp_parser *p) {
  floe_status st = expect_line(p, 'v');
  if (st == FLOE_OK) st = read_version(p);
  if (st == FLOE_OK) st = expect_line(p, 'o');
  if (st == FLOE_OK) st = read_origin(p);
  if (st == FLOE_OK) st = expect_line(p, 's');
  if (st == FLOE_OK) st = read_session(p);
  if (st == FLOE_OK) st = read_sections(p);
  return st == FLOE_OK ? build_model(p) : st;
}

typedef struct whole {
  floe__sdp sdp;
  floe__arena arena;
} whole;

floe_status floe__sdp_parse(floe__sdp **out, floe_env *env, const char *text, floe_error *why) {
  *out = NULL;
  size_t len = strlen(text);
  if (len > FLOE__SDP_MAX_BYTES) {
    return floe__error_set(why, FLOE_E_TOO_LARGE, "sdp", FLOE__SDP_MAX_BYTES, "more than %zu bytes",
                           FLOE__SDP_MAX_BYTES);
  }
  whole *w = floe__zalloc(env, sizeof *w);
  if (w == NULL) return floe__error_set(why, FLOE_E_NOMEM, "sdp", FLOE_NO_OFFSET, "out of memory");
  floe__arena_init(&w->arena, env);
  w->sdp.env = env;
  w->sdp.arena = &w->arena;
  floe__sdp_parser p = {.arena = &w->arena, .sdp = &w->sdp};
  floe__sdp_lex_init(&p.lex, text, len, why);
  floe_status st = read_all(&p);
  if (st == FLOE_OK) {
    *out = &w->sdp;
  } else {
    floe__sdp_free(&w->sdp);
  }
  return st;
}

void floe__sdp_free(floe__sdp *sdp) {
  if (sdp == NULL) return;
  floe_env *env = sdp->env;
  floe__arena_clear(sdp->arena);
  floe__free(env, sdp); /* the arena is a part of the same block */
}
