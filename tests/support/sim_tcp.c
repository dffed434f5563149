#include <stdlib.h>
#include <string.h>

#include "support/sim_net_internal.h"

/* A SYN or a segment that is lost comes again: 1, 3, 7 s for a SYN as Linux does it, 200 ms and doubling for data. */
#define SYN_AGAIN     (1 * FLOE_SECOND)
#define SEGMENT_AGAIN (200 * FLOE_MS)
#define MAX_SYNS      7

typedef enum tcp_state {
  TCP_CONNECTING = 0,
  TCP_HALF_OPEN, /* a SYN has come to a listener: the program knows nothing of it yet */
  TCP_OPEN,
  TCP_ENDED, /* closed here: nothing is told any more */
} tcp_state;

struct sim_tcp {
  sim_host *host;
  tcp_state state;
  floe_addr local, remote; /* remote as this side wrote it */
  const sim_tcp_ops *ops;  /* NULL between accept and sim_tcp_set */
  void *user;
  sim_tcp *peer;          /* NULL until the handshake */
  floe_time last_arrival; /* of what was sent so far: bytes keep their order */
  bool sent_fin;
  uint32_t syns;
  sim_tcp *next;
};

typedef enum segment_type { SEGMENT_BYTES, SEGMENT_FIN, SEGMENT_RESET } segment_type;

typedef struct segment {
  segment_type type;
  size_t len;
  uint8_t bytes[];
} segment;

/* What a half-open connection learns. */
typedef struct answer {
  sim_host *to_host;
  floe_addr src, dst; /* as the server sees them */
  sim_tcp *met;       /* nullable: the other one connects to this one at the same time */
  sim_tcp *half_open; /* nullable: the other end */
  bool failed;
  floe_net_error error;
} answer;

static sim_tcp *new_conn(sim_host *h, const floe_addr *local, const floe_addr *remote) {
  sim_tcp *t = sim_keep(h->s, sizeof *t);
  *t = (sim_tcp){.host = h, .local = *local, .remote = *remote, .next = h->tcp};
  h->tcp = t;
  return t;
}

static sim_listener *find_listener(const sim_host *h, const floe_addr *local) {
  for (sim_listener *l = h->listeners; l != NULL; l = l->next) {
    if (l->closed || l->local.port != local->port || l->local.family != local->family) continue;
    if (floe_addr_is_any(&l->local) || sim_same_ip(&l->local, local)) return l;
  }
  return NULL;
}

static bool is_used(const sim_host *h, const floe_addr *local) {
  for (const sim_tcp *t = h->tcp; t != NULL; t = t->next) {
    if (t->state != TCP_ENDED && t->local.port == local->port && sim_same_ip(&t->local, local)) return true;
  }
  return find_listener(h, local) != NULL;
}

static bool is_never_used(const sim_host *h, const floe_addr *local) {
  (void)h;
  (void)local;
  return false;
}

sim_listener *sim_tcp_listen_at(sim_host *h, floe_addr *local, bool shared, sim_accept_fn on_accept, void *user,
                                floe_net_error *why) {
  bool may_share = shared && local->port != 0 && find_listener(h, local) == NULL;
  if (!sim_net_bind(h, local, may_share ? is_never_used : is_used, why)) return NULL;
  sim_listener *l = sim_keep(h->s, sizeof *l);
  *l = (sim_listener){.local = *local, .on_accept = on_accept, .user = user, .next = h->listeners};
  h->listeners = l;
  return l;
}

bool sim_tcp_listen(sim_host *h, const floe_addr *local, sim_accept_fn on_accept, void *user) {
  if (find_listener(h, local) != NULL) return false;
  sim_listener *l = sim_keep(h->s, sizeof *l);
  *l = (sim_listener){.local = *local, .on_accept = on_accept, .user = user, .next = h->listeners};
  h->listeners = l;
  return true;
}

void sim_tcp_unlisten(sim_listener *l) {
  l->closed = true;
}

void sim_tcp_set(sim_tcp *t, const sim_tcp_ops *ops, void *user) {
  t->ops = ops;
  t->user = user;
}

size_t sim_host_open_sockets(const sim_host *h) {
  size_t n = 0;
  for (const sim_udp *u = h->udp; u != NULL; u = u->next) n += u->closed ? 0 : 1;
  for (const sim_tcp *t = h->tcp; t != NULL; t = t->next) {
    n += t->state == TCP_ENDED || t->state == TCP_HALF_OPEN ? 0 : 1;
  }
  return n;
}

uint64_t sim_packets(sim *s) {
  return sim_net_of(s)->packets;
}

/* --- the handshake --------------------------------------------------------------------------------------------- */

static void fail_conn(sim_tcp *t, floe_net_error error) {
  if (t->state == TCP_ENDED) return;
  t->state = TCP_ENDED;
  if (t->ops != NULL) t->ops->on_failed(t->user, error);
}

/* What Linux makes of an ICMP error during connect (net/ipv4/icmp.c, net/ipv6/icmp.c). */
static floe_net_error meaning_of_icmp(uint8_t family, uint8_t type, uint8_t code) {
  if (family == FLOE_FAMILY_IPV4 && type == 3) {
    switch (code) {
      case 0:
      case 6:
      case 9:
      case 11: return FLOE_NET_NET_UNREACHABLE;
      case 3: return FLOE_NET_REFUSED;
      case 2:
      case 4:
      case 5: return FLOE_NET_OTHER;
      default: return FLOE_NET_HOST_UNREACHABLE;
    }
  }
  if (family == FLOE_FAMILY_IPV6 && type == 1) {
    switch (code) {
      case 0: return FLOE_NET_NET_UNREACHABLE;
      case 1:
      case 5:
      case 6: return FLOE_NET_DENIED;
      case 4: return FLOE_NET_REFUSED;
      default: return FLOE_NET_HOST_UNREACHABLE;
    }
  }
  return FLOE_NET_OTHER;
}

/* The third step: the server's application learns of the connection when the client's ACK arrives. */
static void accept_conn(void *user, void *payload) {
  (void)payload;
  sim_tcp *server = user;
  const sim_listener *l = find_listener(server->host, &server->local);
  if (l == NULL) {
    sim_tcp_reset(server);
    return;
  }
  l->on_accept(l->user, server, &server->remote);
}

static void connected(sim_tcp *t) {
  t->state = TCP_OPEN;
  if (t->ops != NULL && t->ops->on_connected != NULL) t->ops->on_connected(t->user, &t->local);
}

/* The ACK of the one that was first to know. */
static void on_met(void *user, void *payload) {
  (void)payload;
  sim_tcp *t = user;
  if (t->state == TCP_CONNECTING) connected(t);
}

static void meet(sim_tcp *a, sim_tcp *b) {
  bool is_taken = (a->peer != NULL && a->peer != b) || (b->peer != NULL && b->peer != a) || b->state == TCP_ENDED;
  if (is_taken) return;
  a->peer = b;
  b->peer = a;
  a->last_arrival = sim_now(a->host->s) + sim_net_delay(a->host, b->host);
  if (b->state == TCP_CONNECTING) sim_at(a->host->s, a->last_arrival, on_met, b, NULL);
  connected(a);
}

static void on_answer(void *user, void *payload) {
  sim_tcp *client = user;
  const answer *a = payload;
  if (client->state != TCP_CONNECTING) {
    if (a->half_open != NULL) a->half_open->state = TCP_ENDED;
    return;
  }
  if (a->failed) {
    fail_conn(client, a->error);
    return;
  }
  if (a->met != NULL) {
    meet(client, a->met);
    return;
  }
  sim_tcp *server = a->half_open;
  server->state = TCP_OPEN;
  server->peer = client;
  client->peer = server;
  client->last_arrival = sim_now(client->host->s) + sim_net_delay(client->host, server->host);
  sim_at(client->host->s, client->last_arrival, accept_conn, server, NULL);
  connected(client);
}

static void answer_later(sim_tcp *client, floe_time delay, answer a) {
  answer *copy = sim_must(malloc(sizeof *copy));
  *copy = a;
  sim_after(client->host->s, delay, on_answer, client, copy);
}

/* A port may be shared, a connection not. */
static bool is_connected(const sim_host *h, const floe_addr *local, const floe_addr *remote) {
  for (const sim_tcp *t = h->tcp; t != NULL; t = t->next) {
    if (t->state != TCP_ENDED && floe_addr_equal(&t->local, local) && floe_addr_equal(&t->remote, remote)) return true;
  }
  return false;
}

/* Somebody there connects from where the SYN goes to, to where it comes from. */
static sim_tcp *find_connecting(const answer *a) {
  for (sim_tcp *t = a->to_host->tcp; t != NULL; t = t->next) {
    bool is_same = t->local.port == a->dst.port && sim_same_ip(&t->local, &a->dst) && t->remote.port == a->src.port &&
                   sim_same_ip(&t->remote, &a->src);
    if (is_same && t->state == TCP_CONNECTING) return t;
  }
  return NULL;
}

/* The SYN has arrived. */
static void on_syn(void *user, void *payload) {
  sim_tcp *client = user;
  answer a = *(const answer *)payload;
  if (client->state != TCP_CONNECTING) return;
  if (a.to_host->deaf) return;
  a.met = find_connecting(&a);
  bool is_taken = a.met == NULL && is_connected(a.to_host, &a.dst, &a.src);
  if (is_taken) return;
  if (a.met == NULL && find_listener(a.to_host, &a.dst) == NULL) {
    if (a.to_host->stealth) return;
    a.failed = true;
    a.error = FLOE_NET_REFUSED;
  } else if (a.met == NULL) {
    a.half_open = new_conn(a.to_host, &a.dst, &a.src);
    a.half_open->state = TCP_HALF_OPEN;
  }
  answer_later(client, sim_net_delay(a.to_host, client->host), a);
}

static void send_syn(void *user, void *payload);

static void send_syn_again(sim_tcp *t) {
  if (t->syns < MAX_SYNS) sim_after(t->host->s, SYN_AGAIN << (t->syns - 1), send_syn, t, NULL);
}

static bool is_syn_stopped(sim_tcp *t) {
  const sim_rule *rule = sim_net_rule(t->host, SIM_TCP, &t->local, &t->remote);
  if (rule == NULL) return false;
  switch (rule->action) {
    case SIM_DROP: send_syn_again(t); break;
    case SIM_REJECT:
      answer_later(
          t, 2 * sim_net_delay(t->host, NULL),
          (answer){.failed = true, .error = meaning_of_icmp(t->remote.family, rule->icmp_type, rule->icmp_code)});
      break;
    case SIM_FAIL_SEND: answer_later(t, 0, (answer){.failed = true, .error = rule->error}); break;
  }
  return true;
}

static void send_syn(void *user, void *payload) {
  (void)payload;
  sim_tcp *t = user;
  if (t->state != TCP_CONNECTING) return;
  t->syns++;
  sim_net_of(t->host->s)->packets++;
  if (is_syn_stopped(t)) return;
  sim_route route = sim_net_route(t->host, SIM_TCP, &t->local, &t->remote);
  if (route.to == NULL || sim_chance(t->host->s, sim_net_path(t->host, route.to)->loss)) {
    send_syn_again(t);
    return;
  }
  answer *a = sim_must(calloc(1, sizeof *a));
  *a = (answer){.to_host = route.to, .src = route.src, .dst = route.dst};
  sim_after(t->host->s, sim_net_delay(t->host, route.to), on_syn, t, a);
}

sim_tcp *sim_tcp_connect(sim_host *h, const floe_addr *local, const floe_addr *remote, const sim_tcp_ops *ops,
                         void *user, floe_net_error *why) {
  floe_addr bound = *local;
  if (!sim_net_bind(h, &bound, is_used, why)) return NULL;
  sim_tcp *t = new_conn(h, &bound, remote);
  t->ops = ops;
  t->user = user;
  sim_after(h->s, 0, send_syn, t, NULL);
  return t;
}

sim_tcp *sim_tcp_connect_shared(sim_host *h, const floe_addr *local, const floe_addr *remote, const sim_tcp_ops *ops,
                                void *user, floe_net_error *why) {
  floe_addr bound = *local;
  if (local->port != 0 && is_connected(h, local, remote)) {
    *why = FLOE_NET_ADDRESS_NOT_AVAILABLE;
    return NULL;
  }
  if (!sim_net_bind(h, &bound, local->port == 0 ? is_used : is_never_used, why)) return NULL;
  sim_tcp *t = new_conn(h, &bound, remote);
  t->ops = ops;
  t->user = user;
  sim_after(h->s, 0, send_syn, t, NULL);
  return t;
}

floe_addr sim_tcp_local(const sim_tcp *t) {
  return t->local;
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

static void arrive(void *user, void *payload) {
  sim_tcp *to = user;
  const segment *seg = payload;
  if (to->state != TCP_OPEN || to->ops == NULL || to->host->deaf) return;
  switch (seg->type) {
    case SEGMENT_BYTES: to->ops->on_bytes(to->user, (floe_bytes){seg->bytes, seg->len}); return;
    case SEGMENT_FIN: to->ops->on_end(to->user); return;
    case SEGMENT_RESET: fail_conn(to, FLOE_NET_RESET); return;
  }
}

/* When the next segment arrives: never before the last one, later for each time it is lost. */
static floe_time next_arrival(sim_tcp *t) {
  sim *s = t->host->s;
  const sim_path *path = sim_net_path(t->host, t->peer->host);
  floe_time at = sim_now(s) + sim_net_delay(t->host, t->peer->host);
  for (floe_time again = SEGMENT_AGAIN; again < 60 * FLOE_SECOND && sim_chance(s, path->loss); again *= 2) at += again;
  if (at < t->last_arrival) at = t->last_arrival;
  t->last_arrival = at;
  return at;
}

static void send_segment(sim_tcp *t, segment_type type, floe_bytes data) {
  sim_net_of(t->host->s)->packets++;
  const sim_rule *rule = sim_net_rule(t->host, SIM_TCP, &t->local, &t->remote);
  if (rule != NULL && rule->action == SIM_DROP) return;
  segment *seg = sim_must(malloc(sizeof *seg + data.len));
  *seg = (segment){.type = type, .len = data.len};
  if (data.len > 0) memcpy(seg->bytes, data.ptr, data.len);
  sim_at(t->host->s, next_arrival(t), arrive, t->peer, seg);
}

/* The number of pieces does not depend on the length: TLS records differ in length from run to run (ECDSA signatures
 * in DER), and the times of a run must not. */
static void send_in_chunks(sim_tcp *t, floe_bytes data) {
  const sim_path *path = sim_net_path(t->host, t->peer->host);
  uint32_t chunks = path->tcp_chunks > 1 ? 1 + sim_random_below(t->host->s, path->tcp_chunks) : 1;
  for (uint32_t left = chunks; left > 0; left--) {
    size_t most = data.len / left;
    size_t len = left == 1 ? data.len : (most == 0 ? 0 : 1 + sim_random_below(t->host->s, (uint32_t)most));
    if (len > 0) send_segment(t, SEGMENT_BYTES, (floe_bytes){data.ptr, len});
    data = (floe_bytes){data.ptr + len, data.len - len};
  }
}

void sim_tcp_send(sim_tcp *t, floe_bytes data) {
  if (t->state != TCP_OPEN || t->sent_fin || data.len == 0) return;
  send_in_chunks(t, data);
}

void sim_tcp_close(sim_tcp *t) {
  if (t->state == TCP_ENDED) return;
  if (t->state == TCP_OPEN && !t->sent_fin) send_segment(t, SEGMENT_FIN, (floe_bytes){0});
  t->sent_fin = true;
  t->state = TCP_ENDED;
}

void sim_tcp_reset(sim_tcp *t) {
  if (t->state == TCP_OPEN) send_segment(t, SEGMENT_RESET, (floe_bytes){0});
  t->state = TCP_ENDED;
}

void sim_host_reset_connections(sim_host *h) {
  for (sim_tcp *t = h->tcp; t != NULL; t = t->next) {
    if (t->state != TCP_OPEN) continue;
    send_segment(t, SEGMENT_RESET, (floe_bytes){0});
    fail_conn(t, FLOE_NET_RESET);
  }
}
