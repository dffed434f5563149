/* The candidate-attribute of RFC 8839 5.1, written. */
#include <stdarg.h>
#include <stdio.h>

#include "ice/candidate.h"

typedef struct text {
  char *at;
  size_t left;
  size_t len;
  bool bad; /* sticky: it did not fit */
} text;

FLOE_PRINTF(2, 3) static void put(text *t, const char *format, ...) {
  if (t->bad) return;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(t->at, t->left, format, args);
  va_end(args);
  t->bad = n < 0 || (size_t)n >= t->left;
  if (t->bad) return;
  t->at += n;
  t->left -= (size_t)n;
  t->len += (size_t)n;
}

size_t floe_candidate_write(const floe_ice_candidate *c, const char *ufrag, char *out, size_t cap) {
  char address[FLOE_ADDR_TEXT];
  text t = {.at = out, .left = cap};
  if (cap == 0) return 0;
  put(&t, "candidate:%s %u %s %u %s %u typ %s", c->foundation, c->component, floe_transport_name(c->transport),
      (unsigned)c->priority, c->mdns_name != NULL ? c->mdns_name : floe_addr_format_ip(&c->address, address),
      c->address.port, floe_candidate_type_name(c->type));
  if (c->related.family != FLOE_FAMILY_NONE) {
    put(&t, " raddr %s rport %u", floe_addr_format_ip(&c->related, address), c->related.port);
  }
  if (c->tcp_type != FLOE_TCP_TYPE_NONE) put(&t, " tcptype %s", floe_tcp_type_name(c->tcp_type));
  if (ufrag != NULL) put(&t, " ufrag %s", ufrag);
  if (!t.bad) return t.len;
  *out = '\0';
  return 0;
}
