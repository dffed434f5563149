/* A NAT probe in a hostile world: the first bytes choose its configuration, then each byte chooses what comes next:
 * answers to what it has asked, from where it asked or from elsewhere, its own requests back again, garbage, ICMP
 * errors, names, sockets that open or fail, time, and memory that runs out. Checked all the while: each drain ends,
 * WAIT lies in the future, sockets are named once and closed at the end, there is one result, it fits together, and
 * nothing leaks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "floe/nat.h"
#include "stun/integrity.h"
#include "stun/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SOCKS   64
#define MAX_REQS    16
#define MAX_SENT    32
#define MAX_OUTPUTS 20000 /* of one drain */

typedef struct sent {
  floe_sock_id sock;
  floe_addr to;
  size_t len;
  uint8_t bytes[128];
} sent;

typedef struct world {
  floe__reader in;
  floe_env *env;
  floe_nat_probe *probe;
  floe_family family;
  floe_time now;
  size_t live;      /* blocks */
  uint32_t fail_in; /* this many calls for memory from now one fails; 0 = none */
  uint64_t random;
  bool open[MAX_SOCKS]; /* by id */
  floe_addr local[MAX_SOCKS];
  floe_sock_id last_sock;
  struct {
    floe_req_id id;
    floe_family family;
  } reqs[MAX_REQS];
  size_t n_reqs;
  sent sent[MAX_SENT]; /* the last ones */
  size_t n_sent;
} world;

static void *reallocate(void *user, void *ptr, size_t size) {
  world *w = user;
  if (size == 0) {
    if (ptr != NULL) w->live--;
    free(ptr);
    return NULL;
  }
  if (w->fail_in > 0 && --w->fail_in == 0) return NULL;
  void *p = realloc(ptr, size);
  FLOE__ASSERT(p != NULL);
  if (ptr == NULL) w->live++;
  return p;
}

static void fill_random(void *user, uint8_t *out, size_t len) {
  world *w = user;
  for (size_t i = 0; i < len; i++) {
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    out[i] = (uint8_t)(w->random >> 56);
  }
}

/* Few addresses, so that the same come again. */
static floe_addr read_addr(world *w) {
  uint8_t choice = floe__rd_u8(&w->in);
  bool other_family = (choice & 0x80) != 0;
  floe_addr a = {.family = (uint8_t)(other_family ? 10 - (int)w->family : (int)w->family)};
  a.ip[0] = (choice & 1) != 0 ? 10 : 192;
  a.ip[3] = choice >> 1 & 3;
  a.port = (uint16_t)(3478 + (choice >> 3 & 3));
  return a;
}

/* --- what comes out ----------------------------------------------------------------------------------------------- */

static void check_result(const world *w, const floe_nat_result *r) {
  for (size_t i = 1; i < MAX_SOCKS; i++) FLOE__ASSERT(!w->open[i]);
  FLOE__ASSERT(r->n_servers >= 1 && r->mapping <= FLOE_NAT_DEPENDENT && r->filtering != FLOE_NAT_NONE);
  bool any = false, any_examined = false;
  for (size_t i = 0; i < r->n_servers; i++) {
    const floe_nat_server_result *s = &r->servers[i];
    bool has_answered = s->mapped.family != FLOE_FAMILY_NONE;
    FLOE__ASSERT(has_answered == (s->cause == FLOE_CAUSE_NONE));
    FLOE__ASSERT(!s->is_examined || s->other.family != FLOE_FAMILY_NONE);
    any = any || has_answered;
    any_examined = any_examined || s->is_examined;
  }
  FLOE__ASSERT(any == (r->mapped.family != FLOE_FAMILY_NONE));
  if (!any) FLOE__ASSERT(r->mapping == FLOE_NAT_UNKNOWN && !r->has_hairpin);
  if (r->mapping_certainty == FLOE_NAT_CERTAIN || r->filtering != FLOE_NAT_UNKNOWN) FLOE__ASSERT(any_examined);
  if (r->mapping == FLOE_NAT_UNKNOWN) FLOE__ASSERT(r->mapping_certainty == FLOE_NAT_GUESS);
}

static void on_transmit(world *w, const floe_output *out) {
  FLOE__ASSERT(out->u.transmit.sock < MAX_SOCKS && w->open[out->u.transmit.sock]);
  FLOE__ASSERT(out->u.transmit.data.len > 0 && out->u.transmit.data.len <= sizeof w->sent[0].bytes);
  sent *s = &w->sent[w->n_sent++ % MAX_SENT];
  *s = (sent){.sock = out->u.transmit.sock, .to = out->u.transmit.to, .len = out->u.transmit.data.len};
  memcpy(s->bytes, out->u.transmit.data.ptr, s->len);
}

static void on_open(world *w, const floe_output *out) {
  floe_sock_id id = out->u.open.sock;
  FLOE__ASSERT(id > w->last_sock && id < MAX_SOCKS && out->u.open.transport == FLOE_TRANSPORT_UDP);
  w->last_sock = id;
  w->local[id] = out->u.open.local;
}

static void handle(world *w, const floe_output *out) {
  switch (out->type) {
    case FLOE_OUTPUT_WAIT: FLOE__ASSERT(out->u.wait.until > w->now); return;
    case FLOE_OUTPUT_TRANSMIT: on_transmit(w, out); return;
    case FLOE_OUTPUT_OPEN: on_open(w, out); return;
    case FLOE_OUTPUT_CLOSE:
      FLOE__ASSERT(out->u.close.sock <= w->last_sock);
      w->open[out->u.close.sock] = false;
      return;
    case FLOE_OUTPUT_RESOLVE:
      if (w->n_reqs == MAX_REQS) return;
      w->reqs[w->n_reqs].id = out->u.resolve.req;
      w->reqs[w->n_reqs++].family = out->u.resolve.family;
      return;
    case FLOE_OUTPUT_INTERFACES: return;
    case FLOE_OUTPUT_EVENT:
    case FLOE_OUTPUT_DATA:
    case FLOE_OUTPUT_PERMISSION:
    case FLOE_OUTPUT_PUBLISH: abort();
  }
}

static void drain(world *w) {
  floe_output out;
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe_nat_probe_poll(w->probe, &out);
    handle(w, &out);
    if (out.type == FLOE_OUTPUT_WAIT) return;
  }
  abort();
}

static void feed(world *w, const floe_input *in) {
  floe_nat_probe_input(w->probe, w->now, in);
  drain(w);
}

/* --- what goes in ------------------------------------------------------------------------------------------------- */

/* One of the requests of late. */
static const sent *pick_sent(world *w) {
  size_t n = w->n_sent < MAX_SENT ? w->n_sent : MAX_SENT;
  uint8_t choice = floe__rd_u8(&w->in);
  return n == 0 ? NULL : &w->sent[(w->n_sent - 1 - choice % n) % MAX_SENT];
}

static void feed_datagram(world *w, floe_sock_id sock, const floe_addr *from, floe_bytes data) {
  feed(w, &(floe_input){.type = FLOE_INPUT_DATAGRAM, .sock = sock, .addr = *from, .data = data});
}

static void answer(world *w) {
  uint8_t buf[256];
  floe__stun_builder b;
  const sent *s = pick_sent(w);
  uint8_t how = floe__rd_u8(&w->in);
  if (s == NULL) return;
  bool is_error = (how & 1) != 0;
  floe_addr from = (how & 2) != 0 ? read_addr(w) : s->to, addr;
  floe__stun_begin(&b, buf, sizeof buf, is_error ? FLOE__STUN_ERROR : FLOE__STUN_SUCCESS, FLOE__STUN_BINDING,
                   s->bytes + FLOE__STUN_HEADER - FLOE__STUN_TXN_ID);
  if (is_error) floe__stun_put_error(&b, 300u + floe__rd_u8(&w->in) % 200u, "no");
  if ((how & 4) == 0) {
    addr = (how & 8) != 0 ? read_addr(w) : w->local[s->sock];
    floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
  }
  if ((how & 16) != 0) {
    addr = read_addr(w);
    floe__stun_put_addr(&b, FLOE__STUN_OTHER_ADDRESS, &addr);
  }
  if ((how & 32) != 0) floe__stun_put_fingerprint(&b);
  floe_bytes message = floe__stun_end(&b);
  if ((how & 64) != 0) buf[floe__rd_u8(&w->in) % message.len] ^= 1;
  feed_datagram(w, (how & 128) != 0 ? s->sock ^ 1 : s->sock, &from, message);
}

/* What a NAT that hairpins does, and one that reflects. */
static void send_back(world *w) {
  const sent *s = pick_sent(w);
  uint8_t how = floe__rd_u8(&w->in);
  if (s == NULL) return;
  sent copy = *s;
  feed_datagram(w, how % (w->last_sock + 1), &copy.to, (floe_bytes){copy.bytes, copy.len});
}

static void feed_error(world *w) {
  uint8_t how = floe__rd_u8(&w->in);
  const sent *s = pick_sent(w);
  if (s == NULL) return;
  floe_input in = {.type = (how & 1) != 0 ? FLOE_INPUT_ICMP : FLOE_INPUT_SEND_FAILED, .sock = s->sock, .addr = s->to};
  in.icmp_type = (how & 2) != 0 ? 3 : 1;
  in.icmp_code = how >> 2 & 15;
  in.net_error = (floe_net_error)(how % (FLOE_NET_NO_RESOURCES + 1));
  feed(w, &in);
}

static void feed_socket(world *w) {
  uint8_t how = floe__rd_u8(&w->in);
  floe_sock_id id = (how & 1) != 0 ? w->last_sock : (floe_sock_id)(how >> 1) % MAX_SOCKS;
  if (id == 0 || id > w->last_sock || w->open[id]) return;
  floe_input in = {.type = (how & 0x80) != 0 ? FLOE_INPUT_SOCKET_FAILED : FLOE_INPUT_SOCKET_OPENED, .sock = id};
  if (w->local[id].port != 0) return; /* was told before */
  w->local[id].port = (uint16_t)(50000 + id);
  w->open[id] = in.type == FLOE_INPUT_SOCKET_OPENED;
  in.addr = w->local[id];
  in.net_error = FLOE_NET_ADDRESS_IN_USE;
  feed(w, &in);
}

static void feed_resolved(world *w) {
  uint8_t how = floe__rd_u8(&w->in);
  floe_addr addrs[4];
  if (w->n_reqs == 0) return;
  floe_input in = {.type = FLOE_INPUT_RESOLVED, .req = w->reqs[how % w->n_reqs].id};
  in.family = w->reqs[how % w->n_reqs].family;
  in.dns_status = (how & 64) != 0 ? (floe_dns_status)(how % 7) : FLOE_DNS_OK;
  in.n_addrs = how >> 3 & 3;
  for (size_t i = 0; i < in.n_addrs; i++) addrs[i] = read_addr(w);
  in.addrs = addrs;
  feed(w, &in);
}

static void feed_interfaces(world *w) {
  floe_interface list[3];
  memset(list, 0, sizeof list);
  size_t n = floe__rd_u8(&w->in) & 3;
  for (size_t i = 0; i < n; i++) {
    list[i].index = (uint32_t)i + 1;
    memcpy(list[i].name, "eth0", 5);
    list[i].addr = read_addr(w);
    list[i].addr.port = 0;
  }
  feed(w, &(floe_input){.type = FLOE_INPUT_INTERFACES, .interfaces = list, .n_interfaces = n});
}

static void feed_garbage(world *w) {
  floe_addr from = read_addr(w);
  size_t len = floe__rd_u8(&w->in);
  if (len > floe__rd_left(&w->in)) len = floe__rd_left(&w->in);
  feed_datagram(w, w->last_sock, &from, floe__rd_take(&w->in, len));
}

static void step(world *w) {
  switch (floe__rd_u8(&w->in) & 7) {
    case 0:
    case 1: answer(w); break;
    case 2: send_back(w); break;
    case 3: feed_error(w); break;
    case 4: feed_socket(w); break;
    case 5: feed_resolved(w); break;
    case 6:
      if ((floe__rd_u8(&w->in) & 1) != 0) {
        feed_interfaces(w);
      } else {
        feed_garbage(w);
      }
      break;
    default:
      w->now += (floe_time)floe__rd_u8(&w->in) * 20 * FLOE_MS;
      feed(w, &(floe_input){.type = FLOE_INPUT_TIMER});
      break;
  }
}

/* Whatever came: when nothing more does, there is a result. Sockets and names are answered by nobody, so they are
 * failed. */
static void finish(world *w) {
  w->fail_in = 0;
  feed(w, &(floe_input){.type = FLOE_INPUT_INTERFACES});
  for (int i = 0; i < 200 && floe_nat_probe_result(w->probe) == NULL; i++) {
    for (floe_sock_id id = 1; id <= w->last_sock; id++) {
      if (w->open[id] || w->local[id].port != 0) continue;
      w->local[id].port = 1;
      feed(w, &(floe_input){.type = FLOE_INPUT_SOCKET_FAILED, .sock = id, .net_error = FLOE_NET_OTHER});
    }
    w->now += FLOE_SECOND;
    feed(w, &(floe_input){.type = FLOE_INPUT_TIMER});
  }
  FLOE__ASSERT(floe_nat_probe_result(w->probe) != NULL);
}

static void run(world *w) {
  static const char *const all[2][4] = {
      {"stun:10.0.0.1", "stun:192.0.0.2:3479", "stun:a.example.org", "stun:b.example.org"},
      {"stun:[a00::]", "stun:[c000::1]", "stun:a.example.org", "stun:b.example.org"}};
  floe_nat_config cfg;
  uint8_t flags = floe__rd_u8(&w->in);
  floe_nat_config_init(&cfg, sizeof cfg);
  w->family = (flags & 1) != 0 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4;
  cfg.family = w->family;
  cfg.urls = all[flags & 1] + (flags >> 1 & 1);
  cfg.n_urls = 1 + (flags >> 2 & 1) + (flags >> 3 & 1);
  cfg.transmissions = (flags >> 4 & 3) == 3 ? 1 : 0;
  if ((flags & 64) != 0) cfg.interface = "eth0";
  if ((flags & 128) != 0) w->fail_in = 1 + floe__rd_u8(&w->in);
  if (floe_nat_probe_new(&w->probe, w->env, &cfg, NULL) != FLOE_OK) return;
  floe_nat_probe_start(w->probe, w->now);
  drain(w);
  while (floe__rd_left(&w->in) > 0) step(w);
  finish(w);
  check_result(w, floe_nat_probe_result(w->probe));
  floe_nat_probe_free(w->probe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world w = {.in = floe__reader_of((floe_bytes){data, size}), .now = FLOE_SECOND};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.user = &w;
  cfg.reallocate = reallocate;
  cfg.random = fill_random;
  if (floe_env_new(&w.env, &cfg) != FLOE_OK) abort();
  run(&w);
  FLOE__ASSERT(w.live == 1);
  floe_env_free(w.env);
  return 0;
}
