/* The candidate-attribute of RFC 8839 5.1, written. */
#include <stdio.h>

#include "ice/candidate.h"

size_t floe__candidate_write(const floe_ice_candidate *c, char *out, size_t cap) {
  char address[FLOE_ADDR_TEXT];
  char related[FLOE_ADDR_TEXT];
  int n = snprintf(out, cap, "candidate:%s %u %s %u %s %u typ %s", c->foundation, c->component,
                   floe_transport_name(c->transport), (unsigned)c->priority, floe_addr_format_ip(&c->address, address),
                   c->address.port, floe_candidate_type_name(c->type));
  if (n < 0 || (size_t)n >= cap || c->related.family == FLOE_FAMILY_NONE) return (size_t)n;
  int m = snprintf(out + n, cap - (size_t)n, " raddr %s rport %u", floe_addr_format_ip(&c->related, related),
                   c->related.port);
  return (size_t)n + (size_t)m;
}
