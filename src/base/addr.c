#include "base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *floe_transport_name(floe_transport transport) {
  switch (transport) {
    case FLOE_TRANSPORT_UDP: return "udp";
    case FLOE_TRANSPORT_TCP: return "tcp";
    case FLOE_TRANSPORT_TLS: return "tls";
    case FLOE_TRANSPORT_DTLS: return "dtls";
  }
  return "unknown";
}

/* --- reading --------------------------------------------------------------------------------------------------- */

/* Four decimal numbers without leading zeros (RFC 3986 3.2.2: "0177.0.0.1" is not an IPv4address). */
static bool parse_ipv4(const char *s, size_t len, uint8_t *ip) {
  size_t i = 0;
  for (int part = 0; part < 4; part++) {
    if (part > 0 && (i >= len || s[i++] != '.')) return false;
    unsigned value = 0;
    size_t digits = 0;
    while (i < len && s[i] >= '0' && s[i] <= '9' && digits < 4) {
      if (digits > 0 && value == 0) return false;
      value = value * 10 + (unsigned)(s[i++] - '0');
      digits++;
    }
    if (digits == 0 || value > 255) return false;
    ip[part] = (uint8_t)value;
  }
  return i == len;
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

typedef struct groups {
  uint8_t ip[16];
  size_t n;   /* bytes so far */
  size_t gap; /* where "::" stood; SIZE_MAX = nowhere */
} groups;

/* One group of one to four hexadecimal digits at *i; false when there is none. */
static bool parse_group(const char *s, size_t len, size_t *i, groups *g) {
  unsigned value = 0;
  size_t digits = 0;
  while (*i < len && digits < 4 && hex_value(s[*i]) >= 0) {
    value = value << 4 | (unsigned)hex_value(s[(*i)++]);
    digits++;
  }
  if (digits == 0 || g->n + 2 > 16) return false;
  g->ip[g->n++] = (uint8_t)(value >> 8);
  g->ip[g->n++] = (uint8_t)value;
  return true;
}

/* An IPv4 address in the last 32 bits ("::ffff:192.0.2.1"); true when there is one up to the end. */
static bool parse_tail_ipv4(const char *s, size_t len, size_t *i, groups *g) {
  if (g->n + 4 > 16 || !parse_ipv4(s + *i, len - *i, g->ip + g->n)) return false;
  g->n += 4;
  *i = len;
  return true;
}

static bool parse_groups(const char *s, size_t len, groups *g) {
  size_t i = 0;
  if (len >= 2 && s[0] == ':' && s[1] == ':') {
    g->gap = 0;
    i = 2;
    if (i == len) return true;
  }
  for (;;) {
    if (parse_tail_ipv4(s, len, &i, g)) return true;
    if (!parse_group(s, len, &i, g)) return false;
    if (i == len) return true;
    if (s[i++] != ':') return false;
    if (i < len && s[i] == ':') {
      if (g->gap != SIZE_MAX) return false;
      g->gap = g->n;
      if (++i == len) return true;
    }
  }
}

/* RFC 4291 2.2: groups of hexadecimal digits, one "::", an IPv4 address in the last 32 bits. */
static bool parse_ipv6(const char *s, size_t len, uint8_t *ip) {
  groups g = {.gap = SIZE_MAX};
  if (len < 2 || !parse_groups(s, len, &g)) return false;
  if (g.gap == SIZE_MAX) {
    if (g.n != 16) return false;
    memcpy(ip, g.ip, 16);
    return true;
  }
  if (g.n > 14) return false; /* "::" stands for at least one group */
  size_t tail = g.n - g.gap;
  memset(ip, 0, 16);
  memcpy(ip, g.ip, g.gap);
  memcpy(ip + 16 - tail, g.ip + g.gap, tail);
  return true;
}

bool floe__addr_parse_ip(floe_addr *out, const char *text, size_t len) {
  memset(out, 0, sizeof *out);
  if (parse_ipv4(text, len, out->ip)) {
    out->family = FLOE_FAMILY_IPV4;
    return true;
  }
  memset(out, 0, sizeof *out);
  if (parse_ipv6(text, len, out->ip)) {
    out->family = FLOE_FAMILY_IPV6;
    return true;
  }
  memset(out, 0, sizeof *out);
  return false;
}

static bool parse_port(const char *s, uint16_t *port) {
  unsigned value = 0;
  size_t n = 0;
  for (; s[n] != '\0'; n++) {
    if (s[n] < '0' || s[n] > '9' || n > 4) return false;
    value = value * 10 + (unsigned)(s[n] - '0');
  }
  if (n == 0 || value > UINT16_MAX) return false;
  *port = (uint16_t)value;
  return true;
}

static bool parse_with_port(floe_addr *out, const char *text) {
  if (text[0] == '[') {
    const char *close = strchr(text, ']');
    if (close == NULL || !floe__addr_parse_ip(out, text + 1, (size_t)(close - text - 1))) return false;
    if (out->family != FLOE_FAMILY_IPV6) return false;
    return close[1] == '\0' || (close[1] == ':' && parse_port(close + 2, &out->port));
  }
  const char *colon = strchr(text, ':');
  if (colon != NULL && strchr(colon + 1, ':') == NULL) {
    return floe__addr_parse_ip(out, text, (size_t)(colon - text)) && parse_port(colon + 1, &out->port);
  }
  return floe__addr_parse_ip(out, text, strlen(text));
}

bool floe_addr_parse(floe_addr *out, const char *text) {
  if (parse_with_port(out, text)) return true;
  memset(out, 0, sizeof *out);
  return false;
}

/* --- writing --------------------------------------------------------------------------------------------------- */

/* RFC 5952 4.2.3: the longest run of zero groups, the first of equals, never a single group. */
static void longest_zero_run(const floe_addr *addr, int *start, int *len) {
  *start = -1;
  *len = 0;
  for (int i = 0; i < 8;) {
    int j = i;
    while (j < 8 && addr->ip[2 * j] == 0 && addr->ip[2 * j + 1] == 0) j++;
    if (j - i > *len && j - i > 1) {
      *start = i;
      *len = j - i;
    }
    i = j == i ? i + 1 : j;
  }
}

static void format_ipv6(const floe_addr *addr, char *buf) {
  if (floe__addr_is_v4_mapped(addr)) { /* RFC 5952 5 */
    (void)snprintf(buf, FLOE_ADDR_TEXT, "::ffff:%u.%u.%u.%u", addr->ip[12], addr->ip[13], addr->ip[14], addr->ip[15]);
    return;
  }
  int start, len;
  longest_zero_run(addr, &start, &len);
  size_t n = 0;
  for (int i = 0; i < 8; i++) {
    if (i == start) {
      n += (size_t)snprintf(buf + n, FLOE_ADDR_TEXT - n, "::");
      i += len - 1;
      continue;
    }
    unsigned group = (unsigned)(addr->ip[2 * i] << 8 | addr->ip[2 * i + 1]);
    const char *colon = i == 0 || i == start + len ? "" : ":";
    n += (size_t)snprintf(buf + n, FLOE_ADDR_TEXT - n, "%s%x", start >= 0 && i == start + len ? "" : colon, group);
  }
}

const char *floe_addr_format_ip(const floe_addr *addr, char *buf) {
  buf[0] = '\0';
  if (addr->family == FLOE_FAMILY_IPV4) {
    (void)snprintf(buf, FLOE_ADDR_TEXT, "%u.%u.%u.%u", addr->ip[0], addr->ip[1], addr->ip[2], addr->ip[3]);
  } else if (addr->family == FLOE_FAMILY_IPV6) {
    format_ipv6(addr, buf);
  }
  return buf;
}

const char *floe_addr_format(const floe_addr *addr, char *buf) {
  char ip[FLOE_ADDR_TEXT];
  (void)floe_addr_format_ip(addr, ip);
  char scope[16] = "";
  if (addr->scope_id != 0) (void)snprintf(scope, sizeof scope, "%%%u", (unsigned)addr->scope_id);
  if (addr->port == 0) {
    (void)snprintf(buf, FLOE_ADDR_TEXT, "%.48s%s", ip, scope);
  } else if (addr->family == FLOE_FAMILY_IPV6) {
    (void)snprintf(buf, FLOE_ADDR_TEXT, "[%.48s%s]:%u", ip, scope, addr->port);
  } else {
    (void)snprintf(buf, FLOE_ADDR_TEXT, "%.48s:%u", ip, addr->port);
  }
  return buf;
}

/* --- comparing and classing ------------------------------------------------------------------------------------ */

size_t floe__addr_ip_len(const floe_addr *addr) {
  return addr->family == FLOE_FAMILY_IPV4 ? 4 : addr->family == FLOE_FAMILY_IPV6 ? 16 : 0;
}

bool floe_addr_equal_ip(const floe_addr *a, const floe_addr *b) {
  return a->family == b->family && a->scope_id == b->scope_id && memcmp(a->ip, b->ip, floe__addr_ip_len(a)) == 0;
}

bool floe_addr_equal(const floe_addr *a, const floe_addr *b) {
  return a->port == b->port && floe_addr_equal_ip(a, b);
}

bool floe__addr_is_v4_mapped(const floe_addr *addr) {
  static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return addr->family == FLOE_FAMILY_IPV6 && memcmp(addr->ip, prefix, sizeof prefix) == 0;
}

bool floe_addr_is_loopback(const floe_addr *addr) {
  static const uint8_t v6[16] = {[15] = 1};
  if (addr->family == FLOE_FAMILY_IPV4) return addr->ip[0] == 127;
  return addr->family == FLOE_FAMILY_IPV6 && memcmp(addr->ip, v6, 16) == 0;
}

bool floe_addr_is_link_local(const floe_addr *addr) {
  if (addr->family == FLOE_FAMILY_IPV4) return addr->ip[0] == 169 && addr->ip[1] == 254;
  return addr->family == FLOE_FAMILY_IPV6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

bool floe_addr_is_any(const floe_addr *addr) {
  static const uint8_t zero[16] = {0};
  return addr->family != FLOE_FAMILY_NONE && memcmp(addr->ip, zero, floe__addr_ip_len(addr)) == 0;
}

bool floe_addr_is_private(const floe_addr *addr) {
  if (floe__addr_is_v4_mapped(addr)) {
    floe_addr inner = {.family = FLOE_FAMILY_IPV4};
    memcpy(inner.ip, addr->ip + 12, 4);
    return floe_addr_is_private(&inner);
  }
  if (floe_addr_is_loopback(addr) || floe_addr_is_link_local(addr)) return true;
  if (addr->family == FLOE_FAMILY_IPV6) return (addr->ip[0] & 0xfe) == 0xfc; /* RFC 4193 */
  if (addr->family != FLOE_FAMILY_IPV4) return false;
  uint8_t a = addr->ip[0], b = addr->ip[1];
  if (a == 10 || (a == 172 && (b & 0xf0) == 16) || (a == 192 && b == 168)) return true; /* RFC 1918 */
  return a == 100 && (b & 0xc0) == 64;                                                  /* RFC 6598 */
}
