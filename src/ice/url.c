/* STUN and TURN server URLs: RFC 7064 3.1, RFC 7065 3.1, and the contract's section 6. */
#include <string.h>

#include "base/addr.h"
#include "base/status_internal.h"
#include "floe/config.h"

/* A place in the text, and what to do when it is wrong. */
typedef struct cursor {
  const char *text;
  size_t at;
  floe_error *why;
} cursor;

static floe_status refuse(const cursor *c, size_t offset, const char *message) {
  return floe__error_set(c->why, FLOE_E_SYNTAX, "", offset, "%s", message);
}

static char lower(char ch) {
  return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

static bool equals_ignoring_case(const char *a, const char *b, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (lower(a[i]) != b[i]) return false;
  }
  return b[len] == '\0';
}

static floe_status parse_scheme(cursor *c, floe_ice_url *out) {
  const char *colon = strchr(c->text, ':');
  size_t len = colon == NULL ? 0 : (size_t)(colon - c->text);
  if (colon == NULL) return refuse(c, 0, "no scheme: a URL begins with stun:, stuns:, turn: or turns:");
  out->is_turn = equals_ignoring_case(c->text, "turn", len) || equals_ignoring_case(c->text, "turns", len);
  bool is_stun = equals_ignoring_case(c->text, "stun", len) || equals_ignoring_case(c->text, "stuns", len);
  if (!out->is_turn && !is_stun) return refuse(c, 0, "unknown scheme: only stun, stuns, turn and turns");
  out->is_secure = len == 5;
  out->port = out->is_secure ? 5349 : 3478;
  out->transport = out->is_secure ? FLOE_TRANSPORT_TLS : FLOE_TRANSPORT_UDP;
  c->at = len + 1;
  return FLOE_OK;
}

/* "[" IPv6address "]"; RFC 6874 zone identifiers are not part of these grammars. */
static floe_status parse_bracketed(cursor *c, floe_ice_url *out) {
  size_t open = c->at;
  const char *close = strchr(c->text + open, ']');
  if (close == NULL) return refuse(c, open, "\"[\" without \"]\"");
  size_t len = (size_t)(close - c->text) - open - 1;
  const char *percent = memchr(c->text + open + 1, '%', len);
  if (percent != NULL)
    return refuse(c, (size_t)(percent - c->text), "a zone identifier is not allowed in a server URL");
  if (len >= sizeof out->host || !floe__addr_parse_ip(&out->addr, c->text + open + 1, len) ||
      out->addr.family != FLOE_FAMILY_IPV6) {
    memset(&out->addr, 0, sizeof out->addr);
    return refuse(c, open + 1, "no IPv6 address between the brackets");
  }
  memcpy(out->host, c->text + open + 1, len);
  out->host[len] = '\0';
  c->at = open + len + 2;
  return FLOE_OK;
}

static bool is_name_char(char ch) {
  char l = lower(ch);
  return (l >= 'a' && l <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == '.';
}

static const char *complain_about(char ch) {
  if (ch == '%') return "percent-encoding is not allowed in a host name";
  if (ch == '@') return "user information is not allowed: give user name and credential beside the URL";
  if (ch == '/') return "a path is not allowed, and a host is not preceded by //";
  if (ch == '#') return "a fragment is not allowed";
  if (ch == ' ' || ch == '\t') return "white space is not allowed";
  if ((unsigned char)ch >= 0x80) return "not ASCII: write an international name as its A-label (xn--...)";
  return "this character is not allowed in a host name";
}

/* RFC 1035 2.3.4: labels to 63 bytes, names to 253 without the final dot. */
static floe_status check_labels(cursor *c, size_t start, size_t len) {
  size_t label = 0;
  if (len > 253 && !(len == 254 && c->text[start + 253] == '.')) {
    return refuse(c, start + 253, "the host name is longer than 253 bytes");
  }
  for (size_t i = 0; i < len; i++) {
    if (c->text[start + i] != '.') {
      if (++label > 63) return refuse(c, start + i, "a label of the host name is longer than 63 bytes");
      continue;
    }
    if (label == 0) return refuse(c, start + i, "an empty label in the host name");
    label = 0;
  }
  return FLOE_OK;
}

/* A name whose last label is a number would be an IPv4 address in other notations: RFC 3986 3.2.2 knows only four
 * decimal numbers, and such a name cannot exist (WHATWG URL, "ends in a number"). */
static bool ends_in_a_number(const char *host, size_t len) {
  while (len > 0 && host[len - 1] == '.') len--;
  size_t i = len;
  while (i > 0 && host[i - 1] >= '0' && host[i - 1] <= '9') i--;
  return i < len && (i == 0 || host[i - 1] == '.');
}

static bool is_bare_ipv6(const char *text) {
  floe_addr ignored;
  return floe__addr_parse_ip(&ignored, text, strcspn(text, "?")) && ignored.family == FLOE_FAMILY_IPV6;
}

static floe_status parse_name_or_ipv4(cursor *c, floe_ice_url *out) {
  size_t start = c->at;
  size_t len = 0;
  if (is_bare_ipv6(c->text + start)) return refuse(c, start, "an IPv6 address needs brackets");
  while (c->text[start + len] != '\0' && c->text[start + len] != ':' && c->text[start + len] != '?') {
    if (!is_name_char(c->text[start + len])) return refuse(c, start + len, complain_about(c->text[start + len]));
    len++;
  }
  if (len == 0) return refuse(c, start, "the host is missing");
  floe_status st = check_labels(c, start, len);
  if (st != FLOE_OK) return st;
  memcpy(out->host, c->text + start, len);
  out->host[len] = '\0';
  c->at = start + len;
  if (floe__addr_parse_ip(&out->addr, out->host, len)) return FLOE_OK;
  if (ends_in_a_number(out->host, len)) return refuse(c, start, "neither a host name nor an IPv4 address");
  return FLOE_OK;
}

static floe_status parse_port(cursor *c, floe_ice_url *out) {
  if (c->text[c->at] != ':') return FLOE_OK;
  size_t start = ++c->at;
  uint32_t value = 0;
  while (c->text[c->at] >= '0' && c->text[c->at] <= '9') {
    value = value * 10 + (uint32_t)(c->text[c->at] - '0');
    if (value > UINT16_MAX) return refuse(c, start, "the port is above 65535");
    c->at++;
  }
  char end = c->text[c->at];
  if (end != '\0' && end != '?') {
    return refuse(c, c->at, end == ':' ? "a second colon" : "the port is not a number");
  }
  if (c->at == start) return refuse(c, start, "the port is empty");
  if (value == 0) return refuse(c, start, "port 0 is not allowed");
  out->has_port = true;
  out->port = (uint16_t)value;
  return FLOE_OK;
}

/* RFC 7065 3.1: [ "?transport=" transport ]; of the values only udp and tcp are defined. */
static floe_status parse_query(cursor *c, floe_ice_url *out) {
  if (c->text[c->at] == '\0') return FLOE_OK;
  if (c->text[c->at] != '?') return refuse(c, c->at, complain_about(c->text[c->at]));
  size_t start = c->at + 1;
  if (!out->is_turn) return refuse(c, c->at, "a query is allowed only in turn: and turns: URLs");
  if (strncmp(c->text + start, "transport=", 10) != 0) return refuse(c, start, "only ?transport=udp or ?transport=tcp");
  const char *value = c->text + start + 10;
  bool tcp = strlen(value) == 3 && equals_ignoring_case(value, "tcp", 3);
  bool udp = strlen(value) == 3 && equals_ignoring_case(value, "udp", 3);
  if (!tcp && !udp) return refuse(c, start + 10, "only ?transport=udp or ?transport=tcp");
  out->has_transport = true;
  if (out->is_secure) {
    out->transport = tcp ? FLOE_TRANSPORT_TLS : FLOE_TRANSPORT_DTLS;
  } else {
    out->transport = tcp ? FLOE_TRANSPORT_TCP : FLOE_TRANSPORT_UDP;
  }
  return FLOE_OK;
}

floe_status floe_ice_url_parse(floe_ice_url *out, const char *text, floe_error *why) {
  cursor c = {.text = text, .at = 0, .why = why};
  memset(out, 0, sizeof *out);
  floe_status st = parse_scheme(&c, out);
  if (st == FLOE_OK) st = text[c.at] == '[' ? parse_bracketed(&c, out) : parse_name_or_ipv4(&c, out);
  if (st == FLOE_OK && text[c.at] != '\0' && text[c.at] != ':' && text[c.at] != '?') {
    st = refuse(&c, c.at, complain_about(text[c.at]));
  }
  if (st == FLOE_OK) st = parse_port(&c, out);
  if (st == FLOE_OK) st = parse_query(&c, out);
  if (st == FLOE_OK && out->addr.family != FLOE_FAMILY_NONE) out->addr.port = out->port;
  return st;
}
