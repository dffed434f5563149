/* Candidates, put into a description that was written here (RFC 9429 4.1.16, RFC 8839 4.3.1). */
#include <string.h>

#include "sdp/jsep_internal.h"

/* A section in the text, from its m= to the line of the next. */
typedef struct range {
  const char *from, *to;
} range;

static const char *next_line(const char *at) {
  const char *feed = strchr(at, '\n');
  return feed == NULL ? at + strlen(at) : feed + 1;
}

static size_t line_len(const char *line) {
  return strcspn(line, "\r\n");
}

static const char *next_section(const char *at) {
  while (*at != '\0' && strncmp(at, "m=", 2) != 0) at = next_line(at);
  return at;
}

static bool has_mid(const range *section, const char *mid) {
  size_t len = strlen(mid);
  for (const char *at = section->from; at < section->to; at = next_line(at)) {
    if (strncmp(at, "a=mid:", 6) == 0) return line_len(at) == 6 + len && memcmp(at + 6, mid, len) == 0;
  }
  return false;
}

/* Behind the kind: "m=application 9 ...". */
static const char *port_of(const char *line) {
  size_t kind = strcspn(line, " \r\n");
  return line[kind] == ' ' ? line + kind + 1 : line + kind;
}

/* Without a mid: the first section that is not rejected, the only one in a description without mids that has any. */
static bool is_meant(const range *section, const char *mid) {
  if (mid != NULL) return has_mid(section, mid);
  return strncmp(port_of(section->from), "0 ", 2) != 0;
}

static range find_section(const char *text, const char *mid) {
  const char *at = next_section(text);
  while (*at != '\0') {
    range section = {at, next_section(next_line(at))};
    if (is_meant(&section, mid)) return section;
    at = section.to;
  }
  return (range){at, at};
}

/* The m= line with the default candidate's port. */
static void put_media_line(floe__sdp_text *t, const char *line, uint16_t port) {
  const char *from = port_of(line), *behind = from + strspn(from, "0123456789");
  floe__sdp_digits digits = floe__sdp_digits_of(port);
  floe__sdp_put(t, line, (size_t)(from - line));
  floe__sdp_puts(t, digits.text);
  floe__sdp_put(t, behind, (size_t)(next_line(line) - behind));
}

static void put_connection_line(floe__sdp_text *t, const floe_addr *addr) {
  char ip[FLOE_ADDR_TEXT];
  bool is_v6 = addr->family == FLOE_FAMILY_IPV6;
  FLOE__SDP_LINE(t, is_v6 ? "c=IN IP6 " : "c=IN IP4 ", floe_addr_format_ip(addr, ip));
}

static void put_section(floe__sdp_text *t, const range *section, const floe_addr *addr) {
  for (const char *at = section->from; at < section->to; at = next_line(at)) {
    bool is_shown = addr->family != FLOE_FAMILY_NONE;
    if (is_shown && strncmp(at, "m=", 2) == 0) {
      put_media_line(t, at, addr->port);
    } else if (is_shown && strncmp(at, "c=", 2) == 0) {
      put_connection_line(t, addr);
    } else {
      floe__sdp_put(t, at, (size_t)(next_line(at) - at));
    }
  }
}

bool floe__jsep_append_candidates(floe_env *env, const char *text, const floe__jsep_candidates *c, char **out) {
  floe__sdp_text t = {.env = env};
  range section = find_section(text, c->mid);
  floe__sdp_put(&t, text, (size_t)(section.from - text));
  if (section.from < section.to) {
    put_section(&t, &section, &c->default_addr);
    if (section.to[-1] != '\n') floe__sdp_puts(&t, "\r\n");
    for (size_t i = 0; i < c->n_candidates; i++) FLOE__SDP_LINE(&t, "a=", c->candidates[i]);
    if (c->is_ended) FLOE__SDP_LINE(&t, "a=end-of-candidates");
  }
  floe__sdp_puts(&t, section.to);
  return floe__sdp_text_take(&t, out);
}
