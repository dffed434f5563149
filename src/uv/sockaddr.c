#include "uv/sockaddr.h"

#include <string.h>

int floe__uv_sockaddr_family(const floe_addr *addr) {
  if (addr->family == FLOE_FAMILY_IPV4) return AF_INET;
  return addr->family == FLOE_FAMILY_IPV6 ? AF_INET6 : AF_UNSPEC;
}

socklen_t floe__uv_sockaddr_of(struct sockaddr_storage *out, const floe_addr *addr) {
  memset(out, 0, sizeof *out);
  if (addr->family == FLOE_FAMILY_IPV4) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&in.sin_addr, addr->ip, sizeof in.sin_addr);
    memcpy(out, &in, sizeof in);
    return sizeof in;
  }
  if (addr->family != FLOE_FAMILY_IPV6) return 0;
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port), .sin6_scope_id = addr->scope_id};
  memcpy(&in6.sin6_addr, addr->ip, sizeof in6.sin6_addr);
  memcpy(out, &in6, sizeof in6);
  return sizeof in6;
}

void floe__uv_sockaddr_read(floe_addr *out, const struct sockaddr *sa) {
  memset(out, 0, sizeof *out);
  if (sa->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, sa, sizeof in);
    out->family = FLOE_FAMILY_IPV4;
    out->port = ntohs(in.sin_port);
    memcpy(out->ip, &in.sin_addr, sizeof in.sin_addr);
  } else if (sa->sa_family == AF_INET6) {
    struct sockaddr_in6 in6;
    memcpy(&in6, sa, sizeof in6);
    out->family = FLOE_FAMILY_IPV6;
    out->port = ntohs(in6.sin6_port);
    memcpy(out->ip, &in6.sin6_addr, sizeof in6.sin6_addr);
    /* The scope of a global address says nothing, and would make equal addresses differ. */
    if (floe_addr_is_link_local(out)) out->scope_id = in6.sin6_scope_id;
  }
}
