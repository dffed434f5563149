#include <stdlib.h>
#include <string.h>

#include "support/pair_world.h"
#include "support/signed.h"

#define MAX_PACKET 70000

uint8_t pw_byte(pw_world *w) {
  return floe__rd_left(&w->in) == 0 ? 0 : floe__rd_u8(&w->in);
}

floe_addr pw_ip(const char *text) {
  floe_addr a;
  FLOE__ASSERT(floe_addr_parse(&a, text));
  return a;
}

floe_addr pw_addr(pw_world *w) {
  static const char *const others[] = {"192.0.2.1:3478",        "203.0.113.1:50000",
                                       "203.0.113.2:50000",     "0.0.0.0:0",
                                       "255.255.255.255:65535", "224.0.0.251:5353",
                                       "127.0.0.1:40000",       "10.0.0.1:0",
                                       "198.51.100.7:7",        "[::]:1",
                                       "[ff02::fb]:5353",       "[fe80::9]:9",
                                       "[2001:db8:a::1]:40000", "[::1]:1",
                                       "198.51.100.8:8",        "10.0.1.1:9"};
  uint8_t which = pw_byte(w);
  if (which >= 128) {
    floe_addr a = pw_ip(others[which % 16]);
    if ((which & 64) != 0) a.port = (uint16_t)(a.port ^ pw_byte(w));
    return a;
  }
  const pw_sock *k = &w->hosts[which & 1].socks[(which >> 1) % PW_SOCKS];
  return k->id != 0 ? k->local : pw_ip(others[8]);
}

/* --- the queue ---------------------------------------------------------------------------------------------------- */

void pw_add(pw_world *w, pw_event e, floe_time delay, floe_bytes data) {
  if (w->n_events == PW_EVENTS || data.len > MAX_PACKET) return;
  e.at = w->now + delay;
  e.seq = w->seq++;
  e.data = malloc(data.len + 1);
  FLOE__ASSERT(e.data != NULL);
  if (data.len > 0) memcpy(e.data, data.ptr, data.len);
  e.data[data.len] = '\0';
  e.len = data.len;
  w->events[w->n_events++] = e;
}

static pw_event *next_event(pw_world *w) {
  pw_event *next = NULL;
  for (size_t i = 0; i < w->n_events; i++) {
    pw_event *e = &w->events[i];
    if (next == NULL || e->at < next->at || (e->at == next->at && e->seq < next->seq)) next = e;
  }
  return next;
}

void pw_keep_seen(pw_world *w, floe_bytes data) {
  if (data.len > sizeof w->seen[0].bytes) return;
  uint32_t i = w->n_seen++ % PW_SEEN;
  memcpy(w->seen[i].bytes, data.ptr, data.len);
  w->seen[i].len = data.len;
}

/* --- sockets and NATs --------------------------------------------------------------------------------------------- */

bool pw_is_same(const floe_addr *a, const floe_addr *b) {
  return floe_addr_equal_ip(a, b) && a->port == b->port;
}

bool pw_is_bound(const pw_world *w, const pw_host *h, bool is_tcp, const floe_addr *local) {
  (void)w;
  for (size_t i = 0; i < PW_SOCKS; i++) {
    const pw_sock *k = &h->socks[i];
    if (k->id != 0 && k->open && k->is_tcp == is_tcp && pw_is_same(&k->local, local)) return true;
  }
  return false;
}

static pw_sock *find_at(pw_world *w, const floe_addr *local, bool is_tcp, pw_host **host) {
  for (int h = 0; h < 2; h++) {
    for (size_t i = 0; i < PW_SOCKS; i++) {
      pw_sock *k = &w->hosts[h].socks[i];
      if (k->id == 0 || !k->open || k->is_tcp != is_tcp || (is_tcp && !k->listens)) continue;
      if (!pw_is_same(&k->local, local)) continue;
      *host = &w->hosts[h];
      return k;
    }
  }
  return NULL;
}

static bool is_inside(const pw_host *h, const floe_addr *a) {
  return a->family == FLOE_FAMILY_IPV4 && a->ip[0] == 10 && a->ip[1] == 0 && a->ip[2] == h->index;
}

/* What the world sees of a packet's source. */
static floe_addr translated(pw_world *w, const pw_host *h, const floe_addr *from, const floe_addr *to) {
  if (h->nat == PW_NAT_NONE || !is_inside(h, from) || is_inside(h, to)) return *from;
  bool symmetric = h->nat == PW_NAT_SYMMETRIC;
  for (size_t i = 0; i < w->n_mappings; i++) {
    pw_mapping *m = &w->mappings[i];
    if (m->host == h->index && pw_is_same(&m->inside, from) && (!symmetric || pw_is_same(&m->peer, to)))
      return m->outside;
  }
  if (w->n_mappings == PW_MAPPINGS) return *from;
  pw_mapping *m = &w->mappings[w->n_mappings++];
  *m = (pw_mapping){.host = h->index, .inside = *from};
  if (symmetric) m->peer = *to;
  m->outside = pw_ip(h->index == 0 ? "203.0.113.1:50000" : "203.0.113.2:50000");
  m->outside.port = (uint16_t)(m->outside.port + w->n_mappings);
  return m->outside;
}

/* False: nobody is there. */
static bool untranslated(const pw_world *w, const floe_addr *from, floe_addr *to) {
  if (to->family == FLOE_FAMILY_IPV4 && to->ip[0] == 203) {
    for (size_t i = 0; i < w->n_mappings; i++) {
      const pw_mapping *m = &w->mappings[i];
      bool passes = m->peer.family == FLOE_FAMILY_NONE || floe_addr_equal_ip(&m->peer, from);
      if (!pw_is_same(&m->outside, to) || !passes) continue;
      *to = m->inside;
      return true;
    }
    return false;
  }
  for (int h = 0; h < 2; h++) {
    const pw_host *host = &w->hosts[h];
    if (host->nat != PW_NAT_NONE && is_inside(host, to) && !is_inside(host, from)) return false;
  }
  return true;
}

/* --- what becomes of a packet ------------------------------------------------------------------------------------- */

/* With the password that whoever gets it will ask for. */
static void sign(pw_world *w, const pw_event *e) {
  uint8_t buf[700];
  floe__stun_msg m;
  floe_bytes packet = {e->data, e->len};
  const pw_host *signer = &w->hosts[e->host % 2];
  if (floe__stun_msg_parse(&m, packet) != FLOE__STUN_OK) return;
  if (m.cls == FLOE__STUN_REQUEST) signer = pw_other(signer);
  if (signer->agent == NULL) return;
  floe_bytes better = signed_anew(packet, floe_ice_agent_local_parameters(signer->agent)->pwd, buf, sizeof buf);
  if (better.len == e->len) memcpy(e->data, better.ptr, better.len);
}

static void fail_sender(pw_world *w, const pw_event *e, pw_kind how, uint32_t number) {
  pw_event back = {.kind = how, .host = e->host, .id = e->id, .number = number, .to = e->to};
  if (e->id != 0) pw_add(w, back, FLOE_MS, (floe_bytes){0});
}

static void flip(pw_world *w, const pw_event *e) {
  size_t at = pw_byte(w);
  uint8_t mask = pw_byte(w);
  if (at < e->len) e->data[at] ^= mask;
}

static void add_again(pw_world *w, const pw_event *e, floe_time delay) {
  pw_event copy = *e;
  pw_add(w, copy, delay, (floe_bytes){e->data, e->len});
}

static void overwrite(pw_world *w, pw_event *e) {
  size_t at = pw_byte(w);
  size_t n = pw_byte(w) % 32u;
  for (size_t i = 0; i < n && at + i < e->len; i++) e->data[at + i] = pw_byte(w);
}

static void replay(pw_world *w, const pw_event *e) {
  uint8_t which = pw_byte(w);
  size_t i = which % PW_SEEN;
  pw_event old = *e;
  if ((which & 64) != 0) old.from = pw_addr(w);
  if (w->seen[i].len > 0) pw_add(w, old, FLOE_MS, (floe_bytes){w->seen[i].bytes, w->seen[i].len});
}

/* True: the packet is lost. */
static bool ruin(pw_world *w, pw_event *e, floe_time *delay) {
  uint8_t fate = pw_byte(w);
  *delay += (floe_time)(fate & 15) * FLOE_MS;
  if (fate < 64) return false;
  switch (fate & 15) {
    case 0:
    case 1: return true;
    case 2: add_again(w, e, *delay + (floe_time)pw_byte(w) * FLOE_MS); break;
    case 3: *delay += (floe_time)pw_byte(w) * 20 * FLOE_MS; break;
    case 4: e->len = e->len * pw_byte(w) / 256; break;
    case 5: flip(w, e); break;
    case 6:
      flip(w, e);
      sign(w, e);
      break;
    case 7:
      overwrite(w, e);
      sign(w, e);
      break;
    case 8: e->from = pw_addr(w); break;
    case 9: e->from.port = (uint16_t)(e->from.port + pw_byte(w)); break;
    case 10: e->to = pw_addr(w); break;
    case 11: fail_sender(w, e, PW_ICMP, pw_byte(w)); return true;
    case 12: fail_sender(w, e, PW_SEND_FAILED, pw_byte(w)); return true;
    case 13: replay(w, e); break;
    case 14: overwrite(w, e); break;
    case 15: fail_sender(w, e, PW_ICMP, pw_byte(w)); break; /* an error, and it arrives all the same */
  }
  return false;
}

void pw_put_on_way(pw_world *w, pw_event e, floe_bytes data) {
  floe_time delay = FLOE_MS;
  e.data = malloc(data.len + 1);
  FLOE__ASSERT(e.data != NULL);
  memcpy(e.data, data.ptr, data.len);
  e.len = data.len;
  bool is_lost = false;
  if (w->hostile_left > 0) {
    w->hostile_left--;
    is_lost = ruin(w, &e, &delay);
  }
  if (!is_lost) add_again(w, &e, delay);
  free(e.data);
}

void pw_send(pw_world *w, pw_host *h, const pw_sock *k, const floe_addr *to, floe_bytes data) {
  pw_event e = {.kind = PW_PACKET, .host = h->index, .id = k->id, .to = *to};
  e.from = translated(w, h, &k->local, to);
  pw_put_on_way(w, e, data);
}

/* --- TCP ---------------------------------------------------------------------------------------------------------- */

static pw_conn *find_conn(pw_world *w, int host, uint32_t id, int *side) {
  for (size_t i = 0; i < w->n_conns; i++) {
    for (*side = 0; *side < 2; (*side)++) {
      const pw_end *end = &w->conns[i].ends[*side];
      if (end->host == host && end->id == id && !end->is_over) return &w->conns[i];
    }
  }
  return NULL;
}

static void add_stream_event(pw_world *w, pw_conn *c, int side, pw_kind kind, floe_bytes data, floe_time delay) {
  pw_end *to = &c->ends[side];
  pw_event e = {.kind = kind, .host = to->host, .id = (uint32_t)(c - w->conns), .side = side};
  floe_time at = w->now + delay;
  if (at < to->last_at) at = to->last_at;
  to->last_at = at;
  pw_add(w, e, at - w->now, data);
}

/* A stream can be late, cut into pieces, changed by whoever stands between, or end. */
static void ruin_stream(pw_world *w, pw_conn *c, int side, floe_bytes data) {
  uint8_t fate = pw_byte(w);
  uint8_t copy[256];
  size_t cut = data.len == 0 ? 0 : (size_t)pw_byte(w) % data.len;
  if (fate < 64) {
    add_stream_event(w, c, side, PW_STREAM, data, (floe_time)(fate + 1) * FLOE_MS);
    return;
  }
  switch (fate & 7) {
    case 0: return;
    case 1:
      for (size_t i = 0; i < data.len; i++) {
        if (i < 64 || i + 1 == data.len) {
          size_t n = i + 1 == data.len || i < 63 ? 1 : data.len - 1 - i;
          add_stream_event(w, c, side, PW_STREAM, (floe_bytes){data.ptr + i, n}, FLOE_MS);
          i += n - 1;
        }
      }
      return;
    case 2:
    case 3:
      add_stream_event(w, c, side, PW_STREAM, (floe_bytes){data.ptr, cut}, FLOE_MS);
      add_stream_event(w, c, side, PW_STREAM, (floe_bytes){data.ptr + cut, data.len - cut}, 20 * FLOE_MS);
      return;
    case 4: add_stream_event(w, c, side, PW_STREAM_END, (floe_bytes){0}, FLOE_MS); return;
    case 5: add_stream_event(w, c, side, PW_RESET, (floe_bytes){0}, FLOE_MS); return;
    default:
      if (data.len > sizeof copy) data.len = sizeof copy;
      if (data.len > 0) memcpy(copy, data.ptr, data.len);
      if (data.len > 0) copy[cut] ^= pw_byte(w);
      add_stream_event(w, c, side, PW_STREAM, (floe_bytes){copy, data.len}, FLOE_MS);
      return;
  }
}

void pw_send_stream(pw_world *w, int host, uint32_t id, floe_bytes data) {
  int side;
  pw_conn *c = find_conn(w, host, id, &side);
  if (c == NULL || c->ends[1 - side].is_over) return;
  if (w->hostile_left > 0) {
    w->hostile_left--;
    ruin_stream(w, c, 1 - side, data);
  } else {
    add_stream_event(w, c, 1 - side, PW_STREAM, data, FLOE_MS);
  }
}

void pw_close_stream(pw_world *w, int host, uint32_t id, pw_kind how) {
  int side;
  pw_conn *c = find_conn(w, host, id, &side);
  if (c == NULL) return;
  c->ends[side].is_over = true;
  add_stream_event(w, c, 1 - side, how, (floe_bytes){0}, FLOE_MS);
}

static void fail_connect(pw_world *w, const pw_event *e, floe_net_error error) {
  pw_event back = {.kind = PW_OPEN_FAILED, .host = e->host, .id = e->id, .number = error};
  pw_add(w, back, 0, (floe_bytes){0});
}

/* The other side of a connection comes to be. False: nobody listens. */
static bool accept_at(pw_world *w, const pw_event *e, pw_end *end) {
  if (pw_is_server(w, &e->to)) {
    *end = (pw_end){.host = PW_SERVER, .id = (uint32_t)w->n_conns};
    pw_server_accept(w, end->id, &e->from);
    return true;
  }
  floe_addr to = e->to;
  pw_host *host;
  const pw_sock *listener = untranslated(w, &e->from, &to) ? find_at(w, &to, true, &host) : NULL;
  pw_sock *k = listener == NULL ? NULL : pw_new_sock(host);
  if (k == NULL) return false;
  *k = (pw_sock){.id = host->last_accepted++, .is_tcp = true, .open = true, .local = to, .remote = e->from};
  *end = (pw_end){.host = host->index, .id = k->id};
  floe_input in = {.type = FLOE_INPUT_SOCKET_ACCEPTED, .sock = listener->id, .accepted = k->id, .addr = e->from};
  pw_input(host, &in);
  return true;
}

static void tell_opened(pw_host *h, pw_sock *k) {
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = k->id, .addr = k->local};
  k->open = true;
  pw_input(h, &in);
}

static void on_connect(pw_world *w, pw_event *e) {
  pw_host *h = &w->hosts[e->host];
  pw_sock *k = pw_find_sock(h, e->id);
  if (k == NULL) return;
  uint8_t fate = 0;
  if (w->hostile_left > 0) fate = pw_byte(w);
  if (fate >= 224) return; /* nobody answers */
  e->from = translated(w, h, &k->local, &e->to);
  floe_input bound = {.type = FLOE_INPUT_SOCKET_BOUND, .sock = k->id, .addr = k->local};
  if ((fate & 1) == 0) pw_input(h, &bound);
  if (pw_find_sock(h, e->id) != k) return; /* it is not wanted any more */
  if (fate >= 192 || w->n_conns == PW_CONNS) {
    fail_connect(w, e, (floe_net_error)(fate % (FLOE_NET_NO_RESOURCES + 1)));
    return;
  }
  pw_conn *c = &w->conns[w->n_conns++];
  *c = (pw_conn){.ends = {{.host = e->host, .id = e->id}}};
  if (accept_at(w, e, &c->ends[1])) {
    if (pw_find_sock(h, e->id) == k) tell_opened(h, k);
  } else {
    c->ends[0].is_over = true;
    fail_connect(w, e, FLOE_NET_REFUSED);
  }
}

static void on_stream(pw_world *w, const pw_event *e) {
  pw_end *end = &w->conns[e->id].ends[e->side];
  if (end->is_over) return;
  if (end->host == PW_SERVER) {
    pw_server_on_stream(w, e, end);
    return;
  }
  pw_host *h = &w->hosts[end->host];
  pw_sock *k = pw_find_sock(h, end->id);
  if (k == NULL || !k->open) return;
  floe_input in = {.type = FLOE_INPUT_STREAM, .sock = k->id, .data = {e->data, e->len}};
  if (e->kind == PW_STREAM_END) in.type = FLOE_INPUT_STREAM_END;
  if (e->kind == PW_RESET) {
    in.type = FLOE_INPUT_SOCKET_FAILED;
    in.net_error = FLOE_NET_RESET;
    end->is_over = true;
    memset(k, 0, sizeof *k);
  }
  pw_input(h, &in);
}

/* --- what happens ------------------------------------------------------------------------------------------------- */

static void give_datagram(pw_host *h, const pw_sock *k, const pw_event *e) {
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = k->id, .addr = e->from, .data = {e->data, e->len}};
  if (k->open && !k->is_tcp && e->from.family == k->local.family) pw_input(h, &in);
}

static void on_packet(pw_world *w, const pw_event *e) {
  if (pw_reach_server(w, e)) return;
  floe_addr to = e->to;
  pw_host *h;
  const pw_sock *k = untranslated(w, &e->from, &to) ? find_at(w, &to, false, &h) : NULL;
  if (k != NULL) {
    give_datagram(h, k, e);
  } else if (!w->no_icmp) {
    fail_sender(w, e, PW_ICMP, 6); /* nobody has that port */
  }
}

static void on_error(pw_host *h, const pw_event *e) {
  static const uint8_t icmp[][2] = {{3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}, {3, 13}, {3, 3}, {11, 0}};
  const pw_sock *k = pw_find_sock(h, e->id);
  if (k == NULL || !k->open) return;
  floe_input in = {.type = FLOE_INPUT_ICMP, .sock = k->id, .addr = e->to, .os_error = 111, .os_error_text = "refused"};
  in.icmp_type = icmp[e->number % 8][0];
  in.icmp_code = icmp[e->number % 8][1];
  if (e->to.family == FLOE_FAMILY_IPV6) in.icmp_type = 1;
  in.net_error = (floe_net_error)(e->number % (FLOE_NET_NO_RESOURCES + 1));
  if (e->kind == PW_SEND_FAILED) in.type = FLOE_INPUT_SEND_FAILED;
  pw_input(h, &in);
}

static void on_open_result(pw_host *h, const pw_event *e) {
  pw_sock *k = pw_find_sock(h, e->id);
  if (k != NULL && e->kind == PW_OPENED) {
    tell_opened(h, k);
    return;
  }
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .sock = e->id, .os_error = 98, .os_error_text = "no"};
  in.net_error = (floe_net_error)e->number;
  if (k != NULL) memset(k, 0, sizeof *k);
  pw_input(h, &in);
}

static void on_resolved(pw_host *h, const pw_event *e) {
  floe_addr found[3] = {{0}};
  size_t n = 0;
  for (size_t i = 0; i < PW_NAMES && n < 3; i++) {
    const pw_name *name = &h->w->names[i];
    bool is_it = strcmp(name->text, (const char *)e->data) == 0 && name->addr.family == e->family;
    if (is_it) found[n++] = name->addr;
  }
  if (h->fail_names > 0) {
    h->fail_names--;
    n = 0;
  }
  if ((e->number & 15) == 15) found[n++ % 3] = pw_addr(h->w);
  floe_input in = {.type = FLOE_INPUT_RESOLVED, .req = e->id, .family = e->family, .addrs = found, .n_addrs = n};
  in.dns_status = n > 0 ? FLOE_DNS_OK : (floe_dns_status)(1 + e->number % FLOE_DNS_FAILED);
  for (size_t i = 0; i < n; i++) {
    if (found[i].family != e->family) in.n_addrs = 0;
  }
  if (in.n_addrs == 0 && n > 0) in.dns_status = FLOE_DNS_NODATA;
  pw_input(h, &in);
}

static void happen(pw_world *w, pw_event *e) {
  pw_host *h = &w->hosts[e->host % 2];
  switch (e->kind) {
    case PW_PACKET: on_packet(w, e); return;
    case PW_DATAGRAM:
      if (pw_find_sock(h, e->id) != NULL && e->id != 0) give_datagram(h, pw_find_sock(h, e->id), e);
      return;
    case PW_CONNECT: on_connect(w, e); return;
    case PW_STREAM:
    case PW_STREAM_END:
    case PW_RESET: on_stream(w, e); return;
    case PW_OPENED:
    case PW_OPEN_FAILED: on_open_result(h, e); return;
    case PW_ICMP:
    case PW_SEND_FAILED: on_error(h, e); return;
    case PW_RESOLVED: on_resolved(h, e); return;
    case PW_INTERFACES: pw_input_interfaces(h); return;
    case PW_OFFER:
    case PW_ANSWER:
    case PW_CANDIDATE:
    case PW_END: pw_take_signal(h, e); return;
  }
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void run_event(pw_world *w, const pw_event *next) {
  pw_event e = *next;
  w->events[next - w->events] = w->events[--w->n_events];
  happen(w, &e);
  free(e.data);
}

/* False: nothing happens until then. */
static bool run_next(pw_world *w, floe_time until) {
  const pw_event *e = next_event(w);
  floe_time at = e == NULL ? FLOE_TIME_NEVER : e->at;
  pw_host *due = NULL;
  for (int i = 0; i < 2; i++) {
    pw_host *h = &w->hosts[i];
    if (h->agent == NULL || h->wait_until >= at) continue;
    at = h->wait_until;
    due = h;
  }
  floe_time server = pw_server_time(w);
  if (server < at) at = server;
  if (at > until) return false;
  if (at > w->now) w->now = at;
  if (at == server && w->ts != NULL && (e == NULL || e->at > at) && (due == NULL || due->wait_until > at)) {
    pw_server_on_timer(w);
  } else if (due != NULL) {
    pw_input(due, &(floe_input){.type = FLOE_INPUT_TIMER});
  } else if (e != NULL) {
    run_event(w, e);
  }
  return true;
}

void pw_run(pw_world *w, floe_time duration) {
  floe_time until = w->now + duration;
  while (w->steps_left > 0 && run_next(w, until)) w->steps_left--;
  if (w->now < until) w->now = until;
}

void pw_clear(pw_world *w) {
  for (size_t i = 0; i < w->n_events; i++) free(w->events[i].data);
  w->n_events = 0;
  pw_stop_server(w);
  floe_env_free(w->ts_env);
}
