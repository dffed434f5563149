/* A program with a loop of its own that speaks multicast DNS by floe/mdns.h: no driver, one poll().
 *
 *     mdns_peer publish NAME ADDRESS ... resolve NAME 4|6 ...
 *
 * Prints "ready" once its names have been announced twice, and a line for each name that is resolved:
 * "NAME 4 OK 192.0.2.1". Ends when all are, or, when it has published, at the end of its standard input, with goodbyes.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "floe/mdns.h"

#define MAX_SOCKS     32
#define MAX_QUESTIONS 16
#define MAX_IFACES    64

typedef struct peer {
  floe_mdns *mdns;
  struct pollfd fds[MAX_SOCKS + 1]; /* the first is standard input */
  floe_sock_id ids[MAX_SOCKS + 1];
  nfds_t n_fds;
  const char *names[MAX_QUESTIONS];
  int families[MAX_QUESTIONS];
  uint32_t queries[MAX_QUESTIONS];
  size_t n_questions, n_answered;
  floe_time until;
} peer;

static floe_time now(void) {
  struct timespec ts;
  (void)clock_gettime(CLOCK_MONOTONIC, &ts);
  return (floe_time)ts.tv_sec * FLOE_SECOND + (floe_time)ts.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(2);
}

/* ---- socket addresses ---- */

static floe_addr read_sockaddr(const struct sockaddr_storage *sa) {
  floe_addr addr = {0};
  if (sa->ss_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, sa, sizeof in);
    addr.family = FLOE_FAMILY_IPV4;
    addr.port = ntohs(in.sin_port);
    memcpy(addr.ip, &in.sin_addr, 4);
  } else if (sa->ss_family == AF_INET6) {
    struct sockaddr_in6 in6;
    memcpy(&in6, sa, sizeof in6);
    addr.family = FLOE_FAMILY_IPV6;
    addr.port = ntohs(in6.sin6_port);
    memcpy(addr.ip, &in6.sin6_addr, 16);
    if (floe_addr_is_link_local(&addr)) addr.scope_id = in6.sin6_scope_id;
  }
  return addr;
}

static socklen_t write_sockaddr(struct sockaddr_storage *out, const floe_addr *addr) {
  memset(out, 0, sizeof *out);
  if (addr->family == FLOE_FAMILY_IPV4) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&in.sin_addr, addr->ip, 4);
    memcpy(out, &in, sizeof in);
    return sizeof in;
  }
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port), .sin6_scope_id = addr->scope_id};
  memcpy(&in6.sin6_addr, addr->ip, 16);
  memcpy(out, &in6, sizeof in6);
  return sizeof in6;
}

static void tell_interfaces(const peer *p) {
  static floe_interface list[MAX_IFACES];
  struct ifaddrs *all;
  size_t n = 0;
  if (getifaddrs(&all) != 0) die("getifaddrs");
  for (const struct ifaddrs *i = all; i != NULL && n < MAX_IFACES; i = i->ifa_next) {
    if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0) continue;
    struct sockaddr_storage sa = {0};
    bool is_ipv6 = i->ifa_addr->sa_family == AF_INET6;
    if (!is_ipv6 && i->ifa_addr->sa_family != AF_INET) continue;
    memcpy(&sa, i->ifa_addr, is_ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    list[n] = (floe_interface){.index = if_nametoindex(i->ifa_name),
                               .addr = read_sockaddr(&sa),
                               .is_loopback = (i->ifa_flags & IFF_LOOPBACK) != 0};
    n++;
  }
  freeifaddrs(all);
  if (floe_mdns_set_interfaces(p->mdns, now(), list, n) != FLOE_OK) die("floe_mdns_set_interfaces");
}

/* ---- what the core asks for ---- */

static int open_socket(const floe_mdns_output *out) {
  int family = out->u.open.group.family == FLOE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
  int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  int on = 1, ttl = 255, index = (int)out->u.open.interface;
  struct group_req group = {.gr_interface = out->u.open.interface};
  struct ip_mreqn from = {.imr_ifindex = index};
  socklen_t len = write_sockaddr(&group.gr_group, &out->u.open.group);
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  bool is_ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
               setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
               bind(fd, (const struct sockaddr *)&group.gr_group, len) == 0 &&
               setsockopt(fd, level, MCAST_JOIN_GROUP, &group, sizeof group) == 0;
  if (is_ok && family == AF_INET6) {
    is_ok = setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index) == 0 &&
            setsockopt(fd, level, IPV6_MULTICAST_HOPS, &ttl, sizeof ttl) == 0;
  } else if (is_ok) {
    is_ok = setsockopt(fd, level, IP_MULTICAST_ALL, &(int){0}, sizeof on) == 0 &&
            setsockopt(fd, level, IP_MULTICAST_IF, &from, sizeof from) == 0 &&
            setsockopt(fd, level, IP_MULTICAST_TTL, &ttl, sizeof ttl) == 0;
  }
  if (is_ok) return fd;
  if (fd >= 0) (void)close(fd);
  return -1;
}

static nfds_t place_of(const peer *p, floe_sock_id id) {
  nfds_t i = 1;
  while (i < p->n_fds && p->ids[i] != id) i++;
  return i;
}

static void on_open(peer *p, const floe_mdns_output *out) {
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .sock = out->u.open.sock};
  int fd = p->n_fds <= MAX_SOCKS ? open_socket(out) : -1;
  if (fd >= 0) {
    p->fds[p->n_fds] = (struct pollfd){.fd = fd, .events = POLLIN};
    p->ids[p->n_fds++] = out->u.open.sock;
    in.type = FLOE_INPUT_SOCKET_OPENED;
  }
  floe_mdns_input(p->mdns, now(), &in);
}

static void on_close(peer *p, floe_sock_id id) {
  nfds_t i = place_of(p, id);
  if (i == p->n_fds) return;
  (void)close(p->fds[i].fd);
  p->fds[i] = p->fds[--p->n_fds];
  p->ids[i] = p->ids[p->n_fds];
}

static void on_transmit(const peer *p, const floe_mdns_output *out) {
  struct sockaddr_storage to;
  socklen_t len = write_sockaddr(&to, &out->u.transmit.to);
  nfds_t i = place_of(p, out->u.transmit.sock);
  if (i == p->n_fds) return;
  (void)sendto(p->fds[i].fd, out->u.transmit.data.ptr, out->u.transmit.data.len, 0, (const struct sockaddr *)&to, len);
}

static void on_resolved(peer *p, const floe_mdns_output *out) {
  char text[FLOE_ADDR_TEXT];
  size_t i = 0;
  while (p->queries[i] != out->u.resolved.query) i++;
  (void)printf("%s %d %s %s\n", p->names[i], p->families[i], floe_dns_status_name(out->u.resolved.status),
               floe_addr_format_ip(&out->u.resolved.address, text));
  (void)fflush(stdout);
  p->n_answered++;
}

static void drain(peer *p) {
  floe_mdns_output out;
  do {
    floe_mdns_poll(p->mdns, &out);
    switch (out.type) {
      case FLOE_MDNS_OUTPUT_WAIT: p->until = out.u.wait.until; break;
      case FLOE_MDNS_OUTPUT_OPEN: on_open(p, &out); break;
      case FLOE_MDNS_OUTPUT_CLOSE: on_close(p, out.u.close.sock); break;
      case FLOE_MDNS_OUTPUT_TRANSMIT: on_transmit(p, &out); break;
      case FLOE_MDNS_OUTPUT_RESOLVED: on_resolved(p, &out); break;
    }
  } while (out.type != FLOE_MDNS_OUTPUT_WAIT);
}

/* ---- the loop ---- */

static void receive(const peer *p, nfds_t i) {
  uint8_t bytes[9001];
  struct sockaddr_storage from = {0};
  socklen_t len = sizeof from;
  ssize_t n = recvfrom(p->fds[i].fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len);
  if (n < 0) return;
  floe_input in = {
      .type = FLOE_INPUT_DATAGRAM, .sock = p->ids[i], .addr = read_sockaddr(&from), .data = {bytes, (size_t)n}};
  floe_mdns_input(p->mdns, now(), &in);
}

/* False at the end of standard input. */
static bool turn(peer *p) {
  floe_time at = now();
  floe_time wait = p->until <= at ? 0 : p->until - at;
  int ms = p->until == FLOE_TIME_NEVER || wait > 10 * FLOE_SECOND ? 10000 : (int)(wait / FLOE_MS) + 1;
  if (poll(p->fds, p->n_fds, ms) < 0 && errno != EINTR) die("poll");
  for (nfds_t i = 1; i < p->n_fds; i++) {
    if (p->fds[i].revents != 0) receive(p, i);
  }
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe_mdns_input(p->mdns, now(), &in);
  bool is_over = p->fds[0].revents != 0;
  drain(p);
  return !is_over;
}

static void publish(const peer *p, const char *name, const char *ip) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, ip) || floe_mdns_register(p->mdns, now(), name, &addr) != FLOE_OK) die(name);
}

static void resolve(peer *p, const char *name, const char *family) {
  size_t i = p->n_questions++;
  if (i >= MAX_QUESTIONS) die("too many questions");
  p->names[i] = name;
  p->families[i] = atoi(family);
  if (floe_mdns_resolve(p->mdns, now(), name, (floe_family)p->families[i], &p->queries[i]) != FLOE_OK) die(name);
}

static void withdraw_all(peer *p, int argc, char **argv) {
  for (int i = 1; i + 2 < argc; i += 3) {
    if (strcmp(argv[i], "publish") == 0) floe_mdns_unregister(p->mdns, now(), argv[i + 1]);
  }
  drain(p);
}

int main(int argc, char **argv) {
  static peer p = {.fds = {{.fd = STDIN_FILENO, .events = POLLIN}}, .n_fds = 1};
  floe_env *env;
  bool has_published = false;
  if (floe_env_new(&env, NULL) != FLOE_OK || floe_mdns_new(&p.mdns, env, NULL) != FLOE_OK) die("floe_mdns_new");
  tell_interfaces(&p);
  for (int i = 1; i + 2 < argc; i += 3) {
    bool is_own = strcmp(argv[i], "publish") == 0;
    has_published = has_published || is_own;
    if (is_own) {
      publish(&p, argv[i + 1], argv[i + 2]);
    } else {
      resolve(&p, argv[i + 1], argv[i + 2]);
    }
  }
  drain(&p);
  if (!has_published) p.fds[0].fd = -1; /* not looked at */
  floe_time ready_at = now() + 1500 * FLOE_MS;
  bool is_told = !has_published;
  while (has_published || p.n_answered < p.n_questions) {
    if (p.until > ready_at && !is_told) p.until = ready_at;
    if (!turn(&p)) break;
    if (is_told || now() < ready_at) continue;
    is_told = true;
    (void)puts("ready");
    (void)fflush(stdout);
  }
  withdraw_all(&p, argc, argv);
  floe_mdns_free(p.mdns);
  floe_env_free(env);
  return 0;
}
