#include "uv/dscp.h"

#include <netinet/in.h>
#include <sys/socket.h>

void floe__uv_set_dscp(int fd, int family, uint8_t dscp) {
  int tos = floe__uv_tos_of(dscp);
  if (family == AF_INET6) {
#ifdef IPV6_TCLASS
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
#endif
  } else {
#ifdef IP_TOS
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
#endif
  }
  (void)tos;
  (void)fd;
}
