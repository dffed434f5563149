/* Any bytes as multicast DNS. The whole input is read as one message; then, cut into packets by lengths that it holds
 * itself, it goes to a floe_mdns that has names and questions: nothing spins, and each question is decided once. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "floe/mdns.h"
#include "mdns/dns_msg.h"

#define N_QUESTIONS 4
#define MAX_PACKETS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- one message ---- */

static void check_name(const floe__dns_name *name) {
  FLOE__ASSERT(name->len <= FLOE__DNS_LABEL_MAX);
  FLOE__ASSERT(floe__dns_name_compare(name, name) == 0);
}

static void check_record(const floe__dns_record *r) {
  check_name(&r->name);
  FLOE__ASSERT(r->addr.family == 0 || (r->type == (r->addr.family == FLOE_FAMILY_IPV4 ? 1 : 28)));
  FLOE__ASSERT(r->type == 47 || (!r->denies_ipv4 && !r->denies_ipv6));
}

/* What was read is written and read again. */
static void round_trip(const floe__dns_record *r) {
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_answer answer = {.name = &r->name, .addr = r->addr, .ttl = r->ttl};
  floe__dns_msg again;
  floe__dns_record read;
  FLOE__ASSERT(floe__dns_msg_open(&again, floe__dns_write_answer(buf, &answer)));
  FLOE__ASSERT(again.is_response && floe__dns_next_record(&again, &read, true));
  FLOE__ASSERT(floe__dns_name_compare(&read.name, &r->name) == 0 && read.ttl == r->ttl);
  FLOE__ASSERT(floe_addr_equal(&read.addr, &r->addr) && read.is_cache_flush && read.is_internet);
  if (r->ttl == 0) return;
  FLOE__ASSERT(floe__dns_next_record(&again, &read, true));
  FLOE__ASSERT(read.denies_ipv4 == (r->addr.family == FLOE_FAMILY_IPV6) && read.denies_ipv4 != read.denies_ipv6);
}

static void read_message(floe_bytes packet) {
  floe__dns_msg m;
  floe__dns_question q;
  floe__dns_record r;
  if (!floe__dns_msg_open(&m, packet)) return;
  unsigned questions = m.n_questions, records = m.n_answers + m.n_others;
  while (floe__dns_next_question(&m, &q)) {
    check_name(&q.name);
    questions--;
  }
  while (floe__dns_next_record(&m, &r, true)) {
    check_record(&r);
    if (r.name.len > 0 && r.addr.family != 0) round_trip(&r);
    records--;
  }
  FLOE__ASSERT(questions == 0 && records == 0 && !m.r.bad); /* open had seen that all is there */
}

/* ---- a session ---- */

static floe_env *env; /* making one costs more than a run */

typedef struct session {
  floe_mdns *mdns;
  floe_time now;
  floe_sock_id socks[2]; /* IPv4, IPv6 */
  uint32_t queries[N_QUESTIONS];
  unsigned decided[N_QUESTIONS];
} session;

static void drain(session *s) {
  floe_mdns_output out;
  int n = 0;
  do {
    FLOE__ASSERT(++n < 1000);
    floe_mdns_poll(s->mdns, &out);
    floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = out.u.open.sock};
    switch (out.type) {
      case FLOE_MDNS_OUTPUT_WAIT: FLOE__ASSERT(out.u.wait.until > s->now); break;
      case FLOE_MDNS_OUTPUT_OPEN:
        s->socks[out.u.open.group.family == FLOE_FAMILY_IPV6] = out.u.open.sock;
        floe_mdns_input(s->mdns, s->now, &in);
        break;
      case FLOE_MDNS_OUTPUT_CLOSE: break;
      case FLOE_MDNS_OUTPUT_TRANSMIT: read_message(out.u.transmit.data); break;
      case FLOE_MDNS_OUTPUT_RESOLVED:
        for (size_t i = 0; i < N_QUESTIONS; i++) s->decided[i] += s->queries[i] == out.u.resolved.query;
        FLOE__ASSERT((out.u.resolved.status == FLOE_DNS_OK) == (out.u.resolved.address.family != 0));
        break;
    }
  } while (out.type != FLOE_MDNS_OUTPUT_WAIT);
}

static void start(session *s) {
  static const floe_interface ifaces[] = {
      {.index = 2, .addr = {.family = FLOE_FAMILY_IPV4, .ip = {192, 0, 2, 1}}},
      {.index = 2, .addr = {.family = FLOE_FAMILY_IPV6, .ip = {0xfe, 0x80, [15] = 1}, .scope_id = 2}}};
  static const char *const names[N_QUESTIONS] = {"p.local", "p.local", "peer.local", "peer.local"};
  FLOE__ASSERT(env != NULL || floe_env_new(&env, NULL) == FLOE_OK);
  FLOE__ASSERT(floe_mdns_new(&s->mdns, env, NULL) == FLOE_OK);
  FLOE__ASSERT(floe_mdns_set_interfaces(s->mdns, s->now, ifaces, 2) == FLOE_OK);
  FLOE__ASSERT(floe_mdns_register(s->mdns, s->now, "a.local", &ifaces[0].addr) == FLOE_OK);
  FLOE__ASSERT(floe_mdns_register(s->mdns, s->now, "me.local", &ifaces[1].addr) == FLOE_OK);
  for (size_t i = 0; i < N_QUESTIONS; i++) {
    floe_family family = i % 2 == 0 ? FLOE_FAMILY_IPV4 : FLOE_FAMILY_IPV6;
    FLOE__ASSERT(floe_mdns_resolve(s->mdns, s->now, names[i], family, &s->queries[i]) == FLOE_OK);
  }
  drain(s);
}

/* The first byte of a packet says who sends it and when, the next two how long it is. */
static void deliver(session *s, floe__reader *in) {
  uint8_t how = floe__rd_u8(in);
  uint16_t len = floe__rd_u16(in);
  size_t left = floe__rd_left(in);
  floe_bytes bytes = floe__rd_take(in, len < left ? len : left);
  bool is_ipv6 = (how & 1) != 0;
  floe_input packet = {.type = FLOE_INPUT_DATAGRAM, .sock = s->socks[is_ipv6], .data = bytes};
  packet.addr = (floe_addr){.family = FLOE_FAMILY_IPV4, .ip = {192, 0, 2, 2}, .port = (how & 2) != 0 ? 9 : 5353};
  if (is_ipv6) packet.addr = (floe_addr){.family = FLOE_FAMILY_IPV6, .ip = {0xfe, 0x80, [15] = 2}, .port = 5353};
  uint8_t *copy = malloc(bytes.len + 1); /* so that a read past its end is seen */
  FLOE__ASSERT(copy != NULL);
  if (bytes.len > 0) memcpy(copy, bytes.ptr, bytes.len);
  packet.data.ptr = copy;
  s->now += (floe_time)(how >> 2) * 10 * FLOE_MS;
  floe_mdns_input(s->mdns, s->now, &packet);
  free(copy);
  drain(s);
}

static void finish(session *s) {
  floe_input timer = {.type = FLOE_INPUT_TIMER};
  s->now += 10 * FLOE_SECOND;
  floe_mdns_input(s->mdns, s->now, &timer);
  drain(s);
  for (size_t i = 0; i < N_QUESTIONS; i++) FLOE__ASSERT(s->decided[i] == 1);
  floe_mdns_free(s->mdns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  session s = {.now = FLOE_SECOND};
  floe__reader in = floe__reader_of((floe_bytes){data, size});
  read_message((floe_bytes){data, size});
  start(&s);
  for (int i = 0; i < MAX_PACKETS && floe__rd_left(&in) > 0; i++) deliver(&s, &in);
  finish(&s);
  return 0;
}
