#include "uv/dns_channel.h"

#include <string.h>
#include <sys/time.h>

#include "uv/sockaddr.h"

#define DNS_PORT 53

typedef struct floe__uv_dns_poll floe__uv_dns_poll;
struct floe__uv_dns_poll {
  uv_poll_t poll;
  floe_uv *uv;
  floe__uv_dns_channel *channel; /* NULL when it is closing */
  floe__uv_dns_poll *next;
  ares_socket_t fd;
  int events;
};

static uv_once_t library_once = UV_ONCE_INIT;

/* c-ares counts its initialisations without a lock, so once per process it is, and never undone. */
static void init_library(void) {
  (void)ares_library_init(ARES_LIB_INIT_ALL);
}

/* ---- sockets of c-ares ---- */

static void on_closed(uv_handle_t *handle) {
  floe__uv_dns_poll *p = handle->data;
  floe_uv *uv = p->uv;
  floe__uv_free(&uv->mem, p);
  floe__uv_handle_closed(uv);
}

static void close_poll(floe__uv_dns_poll *p) {
  for (floe__uv_dns_poll **at = &p->channel->polls; *at != NULL; at = &(*at)->next) {
    if (*at != p) continue;
    *at = p->next;
    break;
  }
  p->channel = NULL;
  uv_close((uv_handle_t *)&p->poll, on_closed);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  floe__uv_dns_poll *p = poll->data;
  floe_uv *uv = p->uv;
  /* libuv stops a handle whose descriptor has an error; reading it makes c-ares see that. */
  bool is_readable = status < 0 || (events & UV_READABLE) != 0;
  bool is_writable = status < 0 || (events & UV_WRITABLE) != 0;
  ares_process_fd(p->channel->ares, is_readable ? p->fd : ARES_SOCKET_BAD, is_writable ? p->fd : ARES_SOCKET_BAD);
  if (status < 0 && p->channel != NULL) (void)uv_poll_start(&p->poll, p->events, on_ready);
  floe__uv_wake(uv);
}

static floe__uv_dns_poll *open_poll(floe__uv_dns_channel *channel, ares_socket_t fd) {
  floe__uv_dns_poll *p = floe__uv_zalloc(&channel->uv->mem, sizeof *p);
  if (p == NULL) return NULL;
  if (uv_poll_init_socket(channel->uv->loop, &p->poll, fd) != 0) {
    floe__uv_free(&channel->uv->mem, p);
    return NULL;
  }
  p->poll.data = p;
  p->uv = channel->uv;
  p->channel = channel;
  p->fd = fd;
  p->next = channel->polls;
  channel->polls = p;
  floe__uv_handle_opened(channel->uv);
  return p;
}

static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable) {
  floe__uv_dns_channel *channel = data;
  floe__uv_dns_poll *p = channel->polls;
  while (p != NULL && p->fd != fd) p = p->next;
  int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
  if (p == NULL && events != 0) p = open_poll(channel, fd);
  if (p == NULL) return; /* no memory: the query will time out */
  if (events == 0) {
    close_poll(p);
  } else if (events != p->events) {
    p->events = events;
    (void)uv_poll_start(&p->poll, events, on_ready);
  }
}

/* ---- channels ---- */

static void read_server(floe_addr *out, const struct ares_addr_port_node *node) {
  memset(out, 0, sizeof *out);
  out->family = node->family == AF_INET ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
  out->port = (uint16_t)(node->udp_port == 0 ? DNS_PORT : node->udp_port);
  if (node->family == AF_INET) {
    memcpy(out->ip, &node->addr.addr4, sizeof node->addr.addr4);
  } else {
    memcpy(out->ip, &node->addr.addr6, sizeof node->addr.addr6);
  }
}

static void write_server(struct ares_addr_port_node *out, const floe_addr *server) {
  memset(out, 0, sizeof *out);
  out->family = floe__uv_sockaddr_family(server);
  out->udp_port = out->tcp_port = server->port == 0 ? DNS_PORT : server->port;
  if (out->family == AF_INET) {
    memcpy(&out->addr.addr4, server->ip, sizeof out->addr.addr4);
  } else {
    memcpy(&out->addr.addr6, server->ip, sizeof out->addr.addr6);
  }
}

size_t floe__uv_dns_system_servers(const floe__uv_mem *mem, floe_addr **out) {
  *out = NULL;
  uv_once(&library_once, init_library);
  ares_channel channel;
  if (ares_init(&channel) != ARES_SUCCESS) return 0;
  struct ares_addr_port_node *nodes = NULL;
  size_t n = 0;
  size_t cap = 0;
  if (ares_get_servers_ports(channel, &nodes) != ARES_SUCCESS) nodes = NULL;
  for (const struct ares_addr_port_node *node = nodes; node != NULL; node = node->next) {
    void *list = *out;
    if (!floe__uv_reserve(mem, &list, &cap, sizeof(floe_addr), n + 1)) break;
    *out = list;
    read_server(&(*out)[n++], node);
  }
  if (nodes != NULL) ares_free_data(nodes);
  ares_destroy(channel);
  return n;
}

bool floe__uv_dns_channel_open(floe__uv_dns_channel *channel, floe_uv *uv, const floe_addr *server) {
  memset(channel, 0, sizeof *channel);
  uv_once(&library_once, init_library);
  char lookups[] = "fb";
  struct ares_options options = {.flags = ARES_FLAG_NOCHECKRESP,
                                 .timeout = FLOE__UV_DNS_TIMEOUT_MS,
                                 .tries = FLOE__UV_DNS_TRIES,
                                 .lookups = lookups,
                                 .sock_state_cb = on_socket_state,
                                 .sock_state_cb_data = channel};
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&channel->ares, &options, mask) != ARES_SUCCESS) return false;
  struct ares_addr_port_node node;
  write_server(&node, server);
  if (ares_set_servers_ports(channel->ares, &node) != ARES_SUCCESS) {
    ares_destroy(channel->ares);
    return false;
  }
  channel->uv = uv;
  return true;
}

void floe__uv_dns_channel_close(floe__uv_dns_channel *channel) {
  ares_destroy(channel->ares);
  while (channel->polls != NULL) close_poll(channel->polls);
}

int floe__uv_dns_channel_on_time(floe__uv_dns_channel *channel) {
  ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  struct timeval tv;
  if (ares_timeout(channel->ares, NULL, &tv) == NULL) return -1;
  return (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
}
