/* Descriptions: the lines of RFC 8839 that ICE needs, for programs that have no session description around them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status_internal.h"
#include "ice/agent_internal.h"
#include "ice/parameters.h"

/* --- writing ----------------------------------------------------------------------------------------------------- */

typedef struct lines {
  char *out;
  size_t cap, len; /* len: of the whole, whether it fits or not */
  bool is_cut;
} lines;

static void add_line(lines *l, const char *name, const char *value) {
  char line[700];
  int n = snprintf(line, sizeof line, "a=%s%s\r\n", name, value);
  size_t len = n < 0 ? 0 : (size_t)n;
  if (!l->is_cut && l->len + len < l->cap) {
    memcpy(l->out + l->len, line, len + 1);
  } else {
    l->is_cut = true;
  }
  l->len += len;
}

size_t floe__description_write(const floe__session *s, bool told, bool ended, char *out, size_t cap) {
  lines l = {.out = out, .cap = cap};
  if (cap > 0) out[0] = '\0';
  add_line(&l, "ice-ufrag:", s->ufrag);
  add_line(&l, "ice-pwd:", s->pwd);
  add_line(&l, "ice-options:", "trickle ice2");
  if (s->local.lite) add_line(&l, "ice-lite", "");
  for (size_t i = 0; told && i < s->candidates.n_told; i++) add_line(&l, s->candidates.told[i]->text, "");
  if (ended) add_line(&l, "end-of-candidates", "");
  return l.len;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

typedef struct description {
  char ufrag[FLOE__ICE_PARAMETERS_MAX + 1], pwd[FLOE__ICE_PARAMETERS_MAX + 1];
  bool lite, ended;
  size_t n_candidates;
} description;

/* One line of the text, without its end. */
typedef struct line {
  const char *ptr;
  size_t len, offset;
} line;

static bool next_line(const char **at, const char *text, line *out) {
  if (**at == '\0') return false;
  size_t len = strcspn(*at, "\r\n");
  *out = (line){*at, len, (size_t)(*at - text)};
  *at += len;
  *at += strspn(*at, "\r\n");
  return true;
}

/* The value of "a=name:value" or of "a=name". */
static bool has_name(const line *l, const char *name, line *value) {
  size_t n = strlen(name);
  if (l->len < 2 + n || memcmp(l->ptr, "a=", 2) != 0 || memcmp(l->ptr + 2, name, n) != 0) return false;
  bool bare = l->len == 2 + n;
  if (!bare && l->ptr[2 + n] != ':') return false;
  size_t skip = bare ? 2 + n : 3 + n;
  *value = (line){l->ptr + skip, l->len - skip, l->offset + skip};
  return true;
}

static floe_status fail(floe_error *why, floe_status st, size_t offset, const char *message) {
  return floe__error_set(why, st, "description", offset, "%s", message);
}

static floe_status take_text(char *out, const line *value, size_t min, floe_error *why) {
  size_t bad = FLOE_NO_OFFSET;
  if (value->len > FLOE__ICE_PARAMETERS_MAX) return fail(why, FLOE_E_SYNTAX, value->offset, "is longer than 256 bytes");
  memcpy(out, value->ptr, value->len);
  out[value->len] = '\0';
  if (strlen(out) == value->len && floe__ice_chars_fit(out, min, &bad)) return FLOE_OK;
  size_t at = bad == FLOE_NO_OFFSET ? value->offset : value->offset + bad;
  return floe__error_set(why, FLOE_E_SYNTAX, "description", at, "is not %zu to 256 ice-chars (RFC 8839 5.4)", min);
}

/* A candidate line as a text of its own. */
static floe_status copy_candidate(const line *l, char *out, size_t cap, floe_error *why) {
  if (l->len >= cap) return fail(why, FLOE_E_SYNTAX, l->offset, "the candidate is too long");
  memcpy(out, l->ptr, l->len);
  out[l->len] = '\0';
  return FLOE_OK;
}

static floe_status check_candidate(const line *l, floe_error *why) {
  char text[1024];
  floe_candidate_line parsed;
  floe_status st = copy_candidate(l, text, sizeof text, why);
  if (st != FLOE_OK) return st;
  st = floe_candidate_line_parse(&parsed, text, why);
  if (st == FLOE_E_UNSUPPORTED) return FLOE_OK;
  if (st != FLOE_OK && why != NULL) {
    (void)snprintf(why->path, sizeof why->path, "description");
    if (why->offset != FLOE_NO_OFFSET) why->offset += l->offset;
  }
  return st;
}

static floe_status read_line(description *d, const line *l, floe_error *why) {
  line value;
  if (has_name(l, "ice-ufrag", &value)) return take_text(d->ufrag, &value, FLOE__UFRAG_MIN, why);
  if (has_name(l, "ice-pwd", &value)) return take_text(d->pwd, &value, FLOE__PWD_MIN, why);
  if (has_name(l, "ice-lite", &value)) d->lite = true;
  if (has_name(l, "end-of-candidates", &value)) d->ended = true;
  if (!has_name(l, "candidate", &value)) return FLOE_OK;
  d->n_candidates++;
  return check_candidate(l, why);
}

static floe_status read_all(description *d, const char *text, floe_error *why) {
  memset(d, 0, sizeof *d);
  const char *at = text;
  line l;
  while (next_line(&at, text, &l)) {
    floe_status st = read_line(d, &l, why);
    if (st != FLOE_OK) return st;
  }
  if (d->ufrag[0] == '\0') return fail(why, FLOE_E_SYNTAX, FLOE_NO_OFFSET, "a=ice-ufrag is missing");
  if (d->pwd[0] == '\0') return fail(why, FLOE_E_SYNTAX, FLOE_NO_OFFSET, "a=ice-pwd is missing");
  return FLOE_OK;
}

/* Each candidate is of these parameters; all were read once. */
static floe_status check_ufrags(const description *d, const char *text, floe_error *why) {
  const char *at = text;
  line l, value;
  while (next_line(&at, text, &l)) {
    char one[1024];
    floe_candidate_line parsed;
    if (!has_name(&l, "candidate", &value) || copy_candidate(&l, one, sizeof one, why) != FLOE_OK) continue;
    if (floe_candidate_line_parse(&parsed, one, NULL) != FLOE_OK || parsed.ufrag.len == 0) continue;
    if (strlen(d->ufrag) == parsed.ufrag.len && memcmp(d->ufrag, parsed.ufrag.ptr, parsed.ufrag.len) == 0) continue;
    return fail(why, FLOE_E_NOT_FOUND, l.offset, "the ufrag of a candidate is not that of a=ice-ufrag");
  }
  return FLOE_OK;
}

static floe_status add_candidates(floe_ice_agent *agent, floe_time now, const char *text, floe_error *why) {
  const char *at = text;
  line l, value;
  while (next_line(&at, text, &l)) {
    char one[1024];
    if (!has_name(&l, "candidate", &value)) continue;
    floe_status st = copy_candidate(&l, one, sizeof one, why);
    if (st == FLOE_OK) st = floe_ice_agent_add_remote_candidate(agent, now, one, why);
    if (st == FLOE_OK) continue;
    if (why != NULL) {
      (void)snprintf(why->path, sizeof why->path, "description");
      why->offset = l.offset;
    }
    return st;
  }
  return FLOE_OK;
}

static floe_status take_parameters(floe_ice_agent *agent, floe_time now, const description *d, floe_error *why) {
  floe_ice_parameters params = {d->ufrag, d->pwd, d->lite};
  floe_status st = floe_ice_agent_set_remote_parameters(agent, now, &params, why);
  if (st != FLOE_OK && why != NULL) (void)snprintf(why->path, sizeof why->path, "description");
  return st;
}

floe_status floe_ice_agent_set_remote_description(floe_ice_agent *agent, floe_time now, const char *text,
                                                  floe_error *why) {
  description d;
  floe__agent_advance(agent, now);
  floe_status st = read_all(&d, text, why);
  if (st == FLOE_OK) st = check_ufrags(&d, text, why);
  if (st == FLOE_OK) st = take_parameters(agent, now, &d, why);
  if (st == FLOE_OK && !agent->session->remote_ended) st = add_candidates(agent, now, text, why);
  if (st == FLOE_OK && d.ended) floe_ice_agent_end_of_remote_candidates(agent, now);
  floe__wipe(&d, sizeof d);
  return st;
}
