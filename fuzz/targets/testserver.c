/* A test server that is sent anything: the first bytes of the input choose its configuration and scripts, and then each
 * byte chooses what comes next: datagrams, bytes of connections, datagrams to relays, time. Requests can be given a
 * good header, and the server then needs no credentials, so that what lies behind the parser is reached. */
#include "testserver/testserver.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"
#include "stun/msg.h"

#define MAX_OUTPUTS 200000
#define PORTS       3

typedef struct world {
  floe_env *env;
  floe__testserver *ts;
  floe__reader in;
  floe_time now;
  floe__ts_listener ports[PORTS]; /* UDP, TCP, TLS */
  size_t live;                    /* blocks */
  uint32_t fail_in;               /* this many calls for memory from now one fails; 0 = none */
  uint64_t random;
  uint64_t relays_open;
  uint16_t next_port;
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

/* Few addresses, so that the same client and the same peer come again. */
static floe_addr read_addr(world *w) {
  uint8_t choice = floe__rd_u8(&w->in);
  floe_addr a = {.family = choice & 1 ? FLOE_FAMILY_IPV6 : FLOE_FAMILY_IPV4, .port = (uint16_t)(1 + (choice >> 4))};
  a.ip[0] = 10;
  a.ip[3] = choice >> 1 & 7;
  return a;
}

static floe_bytes read_bytes(world *w) {
  size_t len = floe__rd_u8(&w->in);
  if (len > floe__rd_left(&w->in)) len = floe__rd_left(&w->in);
  return floe__rd_take(&w->in, len);
}

static void open_relay(world *w, const floe__ts_output *out) {
  FLOE__ASSERT(out->relay != 0 && out->local.family != FLOE_FAMILY_NONE);
  floe_addr local = out->local;
  local.port = w->next_port++;
  bool ok = local.port % 7 != 0;
  if (ok) w->relays_open++;
  floe__testserver_on_relay_opened(w->ts, w->now, out->relay, ok, &local);
}

static void drain(world *w) {
  floe__ts_output out;
  for (int i = 0; i < MAX_OUTPUTS; i++) {
    floe__testserver_poll(w->ts, &out);
    if (out.type == FLOE__TS_WAIT) {
      FLOE__ASSERT(out.wait.at > w->now);
      return;
    }
    if (out.type == FLOE__TS_OPEN_RELAY) open_relay(w, &out);
    if (out.type == FLOE__TS_CLOSE_RELAY) FLOE__ASSERT(w->relays_open-- > 0);
    if (out.type == FLOE__TS_SEND_CONN) FLOE__ASSERT(out.conn != 0 && out.data.len > 0);
  }
  abort();
}

/* A STUN message whose header is good and whose attributes are the input's. */
static floe_bytes make_message(world *w, uint8_t *buf, size_t cap) {
  static const uint16_t types[] = {0x0001, 0x0003, 0x0004, 0x0008, 0x0009, 0x0016, 0x0011, 0x0101};
  floe__writer out = floe__writer_of(buf, cap);
  uint8_t choice = floe__rd_u8(&w->in);
  floe_bytes attributes = read_bytes(w);
  attributes.len &= ~(size_t)3;
  floe__wr_u16(&out, types[choice & 7]);
  floe__wr_u16(&out, (uint16_t)attributes.len);
  floe__wr_u32(&out, FLOE__STUN_COOKIE);
  floe__wr_zeros(&out, FLOE__STUN_TXN_ID - 1);
  floe__wr_u8(&out, choice >> 3);
  floe__wr_bytes(&out, attributes.ptr, attributes.len);
  return floe__wr_done(&out);
}

static void step(world *w) {
  uint8_t buf[400];
  floe_addr addr;
  floe__ts_conn conn;
  switch (floe__rd_u8(&w->in) & 7) {
    case 0:
      addr = read_addr(w);
      floe__testserver_on_datagram(w->ts, w->now, w->ports[0], &addr, read_bytes(w));
      break;
    case 1:
      addr = read_addr(w);
      floe__testserver_on_datagram(w->ts, w->now, w->ports[0], &addr, make_message(w, buf, sizeof buf));
      break;
    case 2:
      conn = floe__rd_u8(&w->in);
      floe__testserver_on_bytes(w->ts, w->now, conn, read_bytes(w));
      break;
    case 3:
      conn = floe__rd_u8(&w->in);
      floe__testserver_on_bytes(w->ts, w->now, conn, make_message(w, buf, sizeof buf));
      break;
    case 4:
      conn = floe__rd_u8(&w->in);
      addr = read_addr(w);
      if (conn != 0) floe__testserver_on_accept(w->ts, w->now, w->ports[1 + (conn & 1)], conn, &addr);
      break;
    case 5: floe__testserver_on_end(w->ts, w->now, floe__rd_u8(&w->in)); break;
    case 6:
      addr = read_addr(w);
      floe__testserver_on_relay_datagram(w->ts, w->now, floe__rd_u8(&w->in), &addr, read_bytes(w));
      break;
    default:
      w->now += (floe_time)floe__rd_u16(&w->in) * 20 * FLOE_MS;
      floe__testserver_on_timer(w->ts, w->now);
      break;
  }
}

/* The UDP port has alternates, so that CHANGE-REQUEST is honoured. */
static void make_square(world *w, const floe__ts_script *script) {
  floe__ts_square square = {.at = {{w->ports[0]}}};
  for (unsigned i = 1; i < 4; i++) {
    floe_addr local = {
        .family = FLOE_FAMILY_IPV4, .ip = {10, 0, 0, (uint8_t)(i >> 1)}, .port = (uint16_t)(3478 + (i & 1))};
    square.at[i >> 1][i & 1] = floe__testserver_listen(w->ts, FLOE_TRANSPORT_UDP, &local, script);
  }
  (void)floe__testserver_set_square(w->ts, &square);
}

static void listen_all(world *w) {
  static const floe_transport transports[PORTS] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP, FLOE_TRANSPORT_TLS};
  for (size_t i = 0; i < PORTS; i++) {
    floe__ts_script script = {.error_code = 486, .times = 1, .delay_ms = 50};
    floe_addr local = {.family = FLOE_FAMILY_IPV4, .port = 3478};
    script.fault = (floe__ts_fault)(floe__rd_u8(&w->in) % ((unsigned)FLOE__TS_FORGET_ALLOCATION + 1));
    script.alternate = local;
    /* Keys and certificates take long to make: of TLS only what needs none. */
    if (i == 2) script.tls = floe__rd_u8(&w->in) & 1 ? FLOE__TS_TLS_PLAIN_TEXT : FLOE__TS_TLS_ALERT;
    w->ports[i] = floe__testserver_listen(w->ts, transports[i], &local, &script);
    if (i == 0) make_square(w, &script);
  }
}

static void run(world *w) {
  uint8_t flags = floe__rd_u8(&w->in);
  floe__ts_config cfg = {.unix_s = 1750000000};
  if (flags & 1) {
    cfg.username = "user";
    cfg.credential = "secret";
  }
  if (flags & 2) cfg.secret = "north";
  cfg.use_sha256 = (flags & 4) != 0;
  cfg.anonymous = (flags & 8) != 0;
  cfg.fingerprint = (flags & 16) != 0;
  cfg.stun_needs_auth = (flags & 32) != 0;
  cfg.relay_ipv4 = (floe_addr){.family = FLOE_FAMILY_IPV4, .ip = {192, 0, 2, 1}};
  if (flags & 64) cfg.relay_ipv6 = (floe_addr){.family = FLOE_FAMILY_IPV6, .ip = {0xfd, [15] = 1}};
  w->ts = floe__testserver_new(w->env, &cfg);
  FLOE__ASSERT(w->ts != NULL);
  if (flags & 128) w->fail_in = 1 + floe__rd_u8(&w->in);
  listen_all(w);
  while (floe__rd_left(&w->in) > 0) {
    step(w);
    drain(w);
  }
  w->now += 4000 * FLOE_SECOND; /* longer than any allocation */
  floe__testserver_on_timer(w->ts, w->now);
  drain(w);
  FLOE__ASSERT(w->relays_open == 0 && floe__testserver_counters(w->ts).allocations == 0);
  floe__testserver_free(w->ts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world w = {.in = floe__reader_of((floe_bytes){data, size}), .now = FLOE_SECOND, .next_port = 50000};
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
