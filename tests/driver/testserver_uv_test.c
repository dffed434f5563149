/* The test server on real sockets of the loopback interface. */
#include "testserver_uv/testserver_uv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stun/error_code.h"
#include "stun/msg.h"
#include "support/cmocka.h"
#include "tls/tls_stream.h"
#include "turn/frame.h"

#define DEADLINE_MS 10000

static uv_loop_t loop;
static floe_env *env;
static floe__testserver_uv *server;
static uv_timer_t deadline;
static bool too_late;
static unsigned closed;

/* --- the loop --------------------------------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer) {
  (void)timer;
  too_late = true;
}

/* Runs the loop until *flag; fails when that takes too long. */
static void run_until(const bool *flag) {
  too_late = false;
  assert_int_equal(uv_timer_start(&deadline, on_deadline, DEADLINE_MS, 0), 0);
  while (!*flag && !too_late) (void)uv_run(&loop, UV_RUN_ONCE);
  (void)uv_timer_stop(&deadline);
  assert_false(too_late);
}

static floe_addr loopback(void) {
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, "127.0.0.1"));
  return addr;
}

static floe__ts_config open_config(void) {
  return (floe__ts_config){.relay_ipv4 = loopback()};
}

static void begin(const floe__ts_config *cfg) {
  closed = 0;
  assert_int_equal(uv_loop_init(&loop), 0);
  assert_int_equal(uv_timer_init(&loop, &deadline), 0);
  assert_int_equal(floe_env_new(&env, NULL), FLOE_OK);
  assert_int_equal(floe__testserver_uv_new(&server, &loop, env, cfg), 0);
}

static void on_closed(void *user) {
  assert_ptr_equal(user, &closed);
  closed++;
}

/* Closes everything; nothing may be left in the loop. */
static void end(void) {
  floe__testserver_uv_close(server, on_closed, &closed);
  uv_close((uv_handle_t *)&deadline, NULL);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(closed, 1);
  assert_int_equal(uv_loop_close(&loop), 0);
  floe_env_free(env);
}

static floe_addr listen_at(floe_transport transport, const char *script) {
  floe__ts_script parsed;
  char why[200];
  size_t offset;
  floe_addr addr = loopback(), bound;
  assert_true(floe__ts_script_parse(&parsed, script, why, sizeof why, &offset));
  assert_int_equal(floe__testserver_uv_listen(server, transport, &addr, &parsed, &bound), 0);
  assert_int_not_equal(bound.port, 0);
  assert_true(floe_addr_equal_ip(&bound, &addr));
  return bound;
}

static floe__ts_counters counters(void) {
  return floe__testserver_counters(floe__testserver_uv_core(server));
}

/* --- clients ---------------------------------------------------------------------------------------------------- */

/* One socket of a client, UDP or TCP, and what came. */
typedef struct client {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_udp_t udp;
  } uv;
  struct sockaddr_in to;
  uv_connect_t connect;
  bool connected, got, ended, is_closed;
  int status; /* of the end: UV_EOF, UV_ECONNRESET */
  char buffer[65536];
  uint8_t data[1 << 17]; /* the last datagram, or all bytes of the stream */
  size_t len;
  unsigned reads;
  uint8_t request[1024];
  struct sockaddr_in from; /* of the last datagram */
} client;

static struct sockaddr_in sockaddr_of(const floe_addr *addr) {
  struct sockaddr_in sa;
  char ip[FLOE_ADDR_TEXT];
  assert_int_equal(uv_ip4_addr(floe_addr_format_ip(addr, ip), addr->port, &sa), 0);
  return sa;
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  client *c = handle->data;
  *buf = uv_buf_init(c->buffer, sizeof c->buffer);
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  (void)flags;
  client *c = udp->data;
  if (from == NULL) return;
  assert_true(n >= 0);
  memcpy(c->data, buf->base, (size_t)n);
  memcpy(&c->from, from, sizeof c->from);
  c->len = (size_t)n;
  c->got = true;
}

/* libuv tells EOF when data and a reset are there at once; the socket still has the error. */
static int end_status(uv_handle_t *handle, int status) {
  uv_os_fd_t fd;
  int error = 0;
  socklen_t len = sizeof error;
  assert_int_equal(uv_fileno(handle, &fd), 0);
  assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
  return error != 0 ? uv_translate_sys_error(error) : status;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  client *c = stream->data;
  if (n < 0) {
    c->status = end_status((uv_handle_t *)stream, (int)n);
    c->ended = true;
    (void)uv_read_stop(stream);
    return;
  }
  assert_true(c->len + (size_t)n <= sizeof c->data);
  memcpy(c->data + c->len, buf->base, (size_t)n);
  c->len += (size_t)n;
  c->reads++;
  c->got = true;
}

static void on_connected(uv_connect_t *req, int status) {
  client *c = req->data;
  c->connected = true;
  c->status = status;
  c->ended = status != 0; /* a reset may come before libuv has looked at the connection */
  if (!c->ended) assert_int_equal(uv_read_start(&c->uv.stream, lend, on_read), 0);
}

static client *udp_client(const floe_addr *to) {
  struct sockaddr_in any;
  client *c = calloc(1, sizeof *c);
  assert_non_null(c);
  c->to = sockaddr_of(to);
  assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &any), 0);
  assert_int_equal(uv_udp_init(&loop, &c->uv.udp), 0);
  c->uv.handle.data = c;
  assert_int_equal(uv_udp_bind(&c->uv.udp, (const struct sockaddr *)&any, 0), 0);
  assert_int_equal(uv_udp_recv_start(&c->uv.udp, lend, on_datagram), 0);
  return c;
}

static client *tcp_client(const floe_addr *to) {
  client *c = calloc(1, sizeof *c);
  assert_non_null(c);
  c->to = sockaddr_of(to);
  assert_int_equal(uv_tcp_init(&loop, &c->uv.tcp), 0);
  c->uv.handle.data = c;
  c->connect.data = c;
  assert_int_equal(uv_tcp_connect(&c->connect, &c->uv.tcp, (const struct sockaddr *)&c->to, on_connected), 0);
  run_until(&c->connected);
  return c;
}

static void on_client_closed(uv_handle_t *handle) {
  client *c = handle->data;
  c->is_closed = true;
}

static void close_client(client *c) {
  uv_close(&c->uv.handle, on_client_closed);
  run_until(&c->is_closed);
  free(c);
}

static floe_addr local_addr(client *c) {
  struct sockaddr_in sa;
  int len = sizeof sa;
  floe_addr addr = loopback();
  if (c->connected) {
    assert_int_equal(uv_tcp_getsockname(&c->uv.tcp, (struct sockaddr *)&sa, &len), 0);
  } else {
    assert_int_equal(uv_udp_getsockname(&c->uv.udp, (struct sockaddr *)&sa, &len), 0);
  }
  addr.port = ntohs(sa.sin_port);
  return addr;
}

static void send_bytes(client *c, const void *bytes, size_t len) {
  uv_buf_t buf = uv_buf_init(NULL, (unsigned)len);
  memcpy(&buf.base, &bytes, sizeof buf.base);
  c->got = false;
  if (c->connected) {
    assert_int_equal(uv_try_write(&c->uv.stream, &buf, 1), (int)len);
  } else {
    assert_int_equal(uv_udp_try_send(&c->uv.udp, &buf, 1, (const struct sockaddr *)&c->to), (int)len);
  }
}

/* A request with one attribute of four bytes (none when `attr` is FLOE__STUN_ATTR_COUNT), and a peer when not NULL. */
static floe_bytes make_request(client *c, uint16_t method, floe__stun_attr attr, uint32_t value,
                               const floe_addr *peer) {
  static uint8_t count;
  uint8_t id[FLOE__STUN_TXN_ID] = {++count};
  floe__stun_builder b;
  floe__stun_begin(&b, c->request, sizeof c->request, FLOE__STUN_REQUEST, method, id);
  if (attr != FLOE__STUN_ATTR_COUNT) floe__stun_put_u32(&b, attr, value);
  if (peer != NULL) floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  return floe__stun_end(&b);
}

static void send_binding(client *c) {
  floe_bytes request = make_request(c, FLOE__STUN_BINDING, FLOE__STUN_ATTR_COUNT, 0, NULL);
  send_bytes(c, request.ptr, request.len);
}

/* Parses what came as one message. */
static floe__stun_msg parse(const client *c) {
  floe__stun_msg m;
  assert_int_equal(floe__stun_msg_parse(&m, (floe_bytes){c->data, c->len}), FLOE__STUN_OK);
  return m;
}

static floe__stun_msg exchange(client *c, uint16_t method, floe__stun_attr attr, uint32_t value,
                               const floe_addr *peer) {
  floe_bytes request = make_request(c, method, attr, value, peer);
  c->len = 0;
  send_bytes(c, request.ptr, request.len);
  run_until(&c->got);
  return parse(c);
}

static floe_addr allocate(client *c) {
  floe_addr relayed;
  floe__stun_msg m = exchange(c, FLOE__STUN_ALLOCATE, FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000, NULL);
  assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_RELAYED_ADDRESS, &relayed));
  return relayed;
}

static void is_mapped(client *c) {
  floe_addr mapped, local = local_addr(c);
  floe__stun_msg m = parse(c);
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal(&mapped, &local));
}

/* --- tests: ports ----------------------------------------------------------------------------------------------- */

static void a_server_that_listens_nowhere(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  end();
  floe__testserver_uv_close(NULL, on_closed, &closed);
  assert_int_equal(closed, 1);
}

static void bad_addresses(void **state) {
  (void)state;
  static const floe_transport transports[] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP, FLOE_TRANSPORT_TLS};
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr foreign;
  assert_true(floe_addr_parse(&foreign, "192.0.2.1:0"));
  for (size_t i = 0; i < 3; i++) {
    floe_addr taken = listen_at(transports[i], "correct");
    assert_int_equal(floe__testserver_uv_listen(server, transports[i], &taken, NULL, NULL), UV_EADDRINUSE);
    assert_int_equal(floe__testserver_uv_listen(server, transports[i], &foreign, NULL, NULL), UV_EADDRNOTAVAIL);
  }
  end();
}

static void binding_over_udp(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_UDP, "correct");
  client *c = udp_client(&at);
  send_binding(c);
  run_until(&c->got);
  is_mapped(c);
  send_bytes(c, "garbage", 7);
  send_bytes(c, "", 0);
  send_binding(c); /* still there */
  run_until(&c->got);
  is_mapped(c);
  assert_int_equal(counters().requests, 2);
  close_client(c);
  end();
}

static void parse_pair(floe_addr ends[2], const char *primary, const char *alternate) {
  assert_true(floe_addr_parse(&ends[0], primary));
  assert_true(floe_addr_parse(&ends[1], alternate));
}

/* RFC 5780: each answer comes from the address and port that CHANGE-REQUEST wants. */
static void a_square_of_ports(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  floe_addr ends[2], bound[4], other;
  begin(&cfg);
  parse_pair(ends, "127.0.0.1:0", "127.0.0.2:0");
  assert_int_equal(floe__testserver_uv_listen_square(server, &ends[0], &ends[1], NULL, bound), 0);
  for (unsigned i = 0; i < 4; i++) {
    assert_true(floe_addr_equal_ip(&bound[i], &ends[i >> 1]));
    assert_int_equal(bound[i].port, bound[i & 1].port);
  }
  assert_int_not_equal(bound[0].port, bound[1].port);
  client *c = udp_client(&bound[0]);
  for (unsigned i = 0; i < 4; i++) { /* bit 1: another address; bit 0: another port */
    uint32_t change = (i >> 1) << 2 | (i & 1) << 1;
    c->got = false;
    floe__stun_msg m = exchange(c, FLOE__STUN_BINDING, FLOE__STUN_CHANGE_REQUEST, change, NULL);
    struct sockaddr_in want = sockaddr_of(&bound[i]);
    assert_memory_equal(&c->from.sin_addr, &want.sin_addr, sizeof want.sin_addr);
    assert_int_equal(c->from.sin_port, want.sin_port);
    is_mapped(c);
    assert_true(floe__stun_get_addr(&m, FLOE__STUN_OTHER_ADDRESS, &other));
    assert_true(floe_addr_equal(&other, &bound[3]));
  }
  close_client(c);
  end();
}

/* Nothing is left listening when one of the four cannot be had. */
static void a_square_that_does_not_fit(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  floe_addr ends[2], bound[4], again;
  begin(&cfg);
  parse_pair(ends, "127.0.0.1:0", "192.0.2.1:0");
  assert_int_equal(floe__testserver_uv_listen_square(server, &ends[0], &ends[1], NULL, bound), UV_EADDRNOTAVAIL);
  floe_addr taken = listen_at(FLOE_TRANSPORT_UDP, "correct");
  parse_pair(ends, "127.0.0.2:0", "127.0.0.1:0");
  ends[1].port = taken.port;
  assert_int_equal(floe__testserver_uv_listen_square(server, &ends[0], &ends[1], NULL, bound), UV_EADDRINUSE);
  ends[0].port = taken.port; /* was bound at the first address meanwhile */
  assert_int_equal(floe__testserver_uv_listen(server, FLOE_TRANSPORT_UDP, &ends[0], NULL, &again), 0);
  end();
}

static void binding_over_ipv6(void **state) {
  (void)state;
  floe_addr addr, bound;
  struct sockaddr_in6 to;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  assert_true(floe_addr_parse(&addr, "::1"));
  if (floe__testserver_uv_listen(server, FLOE_TRANSPORT_UDP, &addr, NULL, &bound) != 0) { /* a host without IPv6 */
    end();
    skip();
  }
  client *c = calloc(1, sizeof *c);
  assert_non_null(c);
  assert_int_equal(uv_ip6_addr("::1", bound.port, &to), 0);
  assert_int_equal(uv_udp_init(&loop, &c->uv.udp), 0);
  c->uv.handle.data = c;
  floe_bytes request = make_request(c, FLOE__STUN_BINDING, FLOE__STUN_ATTR_COUNT, 0, NULL);
  uv_buf_t buf = uv_buf_init((char *)c->request, (unsigned)request.len);
  assert_int_equal(uv_udp_try_send(&c->uv.udp, &buf, 1, (const struct sockaddr *)&to), (int)request.len);
  assert_int_equal(uv_udp_recv_start(&c->uv.udp, lend, on_datagram), 0);
  run_until(&c->got);
  floe__stun_msg m = parse(c);
  floe_addr mapped;
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_true(floe_addr_equal_ip(&mapped, &addr));
  close_client(c);
  end();
}

static void late_by_the_timer(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_UDP, "late=30");
  client *c = udp_client(&at);
  uint64_t before = uv_hrtime();
  send_binding(c);
  run_until(&c->got);
  assert_true(uv_hrtime() - before >= 30 * FLOE_MS);
  is_mapped(c);
  close_client(c);
  end();
}

/* --- tests: TCP ------------------------------------------------------------------------------------------------- */

static void binding_over_tcp(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TCP, "correct");
  client *c = tcp_client(&at);
  for (int i = 0; i < 2; i++) {
    c->len = 0;
    send_binding(c);
    run_until(&c->got);
    is_mapped(c);
  }
  assert_false(c->ended);
  close_client(c);
  end();
}

static void bytes_one_by_one(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TCP, "bytewise");
  client *c = tcp_client(&at);
  send_binding(c);
  while (c->len < 52) {
    c->got = false;
    run_until(&c->got);
  }
  is_mapped(c);
  close_client(c);
  end();
}

static void ends_as_told(void **state) {
  (void)state;
  static const struct {
    const char *script;
    bool asks;
    int status;
    size_t len; /* at least */
  } rows[] = {{"close-after-accept", false, UV_EOF, 0},
              {"reset-after-accept", false, UV_ECONNRESET, 0},
              {"close-after-401", true, UV_EOF, 40},
              {"reset-after-401", true, UV_ECONNRESET, 40}};
  floe__ts_config cfg = open_config();
  cfg.username = "user";
  cfg.credential = "secret";
  begin(&cfg);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_addr at = listen_at(FLOE_TRANSPORT_TCP, rows[i].script);
    client *c = tcp_client(&at);
    if (rows[i].asks) {
      floe_bytes request = make_request(c, FLOE__STUN_ALLOCATE, FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000, NULL);
      send_bytes(c, request.ptr, request.len);
    }
    run_until(&c->ended);
    assert_int_equal(c->status, rows[i].status);
    assert_true(c->len >= rows[i].len);
    if (rows[i].asks) assert_int_equal(parse(c).cls, FLOE__STUN_ERROR);
    close_client(c);
  }
  end();
}

/* A FIN is a FIN, even when the client has sent more than the server wanted to read. */
static void closes_without_reset_though_bytes_come(void **state) {
  (void)state;
  static char bytes[30000];
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TCP, "close-after-accept");
  for (int i = 0; i < 20; i++) {
    client *c = tcp_client(&at);
    uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
    (void)uv_try_write(&c->uv.stream, &buf, 1);
    run_until(&c->ended);
    assert_int_equal(c->status, UV_EOF);
    close_client(c);
  }
  end();
}

static void a_client_that_leaves(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TCP, "correct");
  floe_addr udp_at = listen_at(FLOE_TRANSPORT_UDP, "correct");
  client *c = tcp_client(&at), *witness = udp_client(&udp_at);
  (void)allocate(c);
  assert_int_equal(counters().allocations, 1);
  close_client(c);
  for (int i = 0; i < 100 && counters().allocations > 0; i++) { /* each round trip gives the server a turn */
    send_binding(witness);
    run_until(&witness->got);
  }
  assert_int_equal(counters().allocations, 0);
  close_client(witness);
  end();
}

/* --- tests: relays ---------------------------------------------------------------------------------------------- */

static void send_through(client *c, const floe_addr *peer, const char *text) {
  uint8_t id[FLOE__STUN_TXN_ID] = {9};
  floe__stun_builder b;
  floe__stun_begin(&b, c->request, sizeof c->request, FLOE__STUN_INDICATION, FLOE__STUN_SEND, id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_PEER_ADDRESS, peer);
  floe__stun_put_text(&b, FLOE__STUN_DATA, text);
  floe_bytes message = floe__stun_end(&b);
  send_bytes(c, message.ptr, message.len);
}

static void is_data(const client *c, const floe_addr *peer, const char *text) {
  floe_addr from;
  floe__stun_msg m = parse(c);
  assert_int_equal(m.method, FLOE__STUN_DATA_METHOD);
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_PEER_ADDRESS, &from));
  assert_true(floe_addr_equal(&from, peer));
  floe_bytes data = floe__stun_get(&m, FLOE__STUN_DATA);
  assert_int_equal(data.len, strlen(text));
  assert_memory_equal(data.ptr, text, data.len);
}

static void permit(client *c, const floe_addr *peer) {
  floe__stun_msg m = exchange(c, FLOE__STUN_CREATE_PERMISSION, FLOE__STUN_ATTR_COUNT, 0, peer);
  assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
}

static void relays_between_allocations(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr udp_at = listen_at(FLOE_TRANSPORT_UDP, "correct"), tcp_at = listen_at(FLOE_TRANSPORT_TCP, "correct");
  client *a = udp_client(&udp_at), *b = tcp_client(&tcp_at);
  floe_addr a_relayed = allocate(a), b_relayed = allocate(b);
  permit(a, &b_relayed);
  permit(b, &a_relayed);
  b->len = 0;
  b->got = false;
  send_through(a, &b_relayed, "from a");
  run_until(&b->got);
  is_data(b, &a_relayed, "from a");
  a->got = false;
  send_through(b, &a_relayed, "from b");
  run_until(&a->got);
  is_data(a, &b_relayed, "from b");
  assert_int_equal(counters().relayed_out, 2);
  assert_int_equal(counters().relayed_in, 2);
  close_client(a);
  close_client(b);
  end();
}

static void relays_to_a_peer(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_UDP, "correct");
  client *a = udp_client(&at);
  floe_addr relayed = allocate(a);
  client *peer = udp_client(&relayed);
  floe_addr peer_addr = local_addr(peer);
  floe__stun_msg m = exchange(a, FLOE__STUN_CHANNEL_BIND, FLOE__STUN_CHANNEL_NUMBER, 0x40000000, &peer_addr);
  assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
  send_bytes(a, "\x40\x00\x00\x04ping", 8);
  run_until(&peer->got);
  assert_int_equal(peer->len, 4);
  assert_memory_equal(peer->data, "ping", 4);
  a->got = false;
  send_bytes(peer, "pong", 4);
  run_until(&a->got);
  assert_int_equal(a->len, 8);
  assert_memory_equal(a->data, "\x40\x00\x00\x04pong", 8);
  close_client(a);
  close_client(peer);
  end();
}

/* After a deletion the relayed port is free again. */
static void deleting_frees_the_port(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_UDP, "correct"), bound;
  client *c = udp_client(&at);
  floe_addr relayed = allocate(c);
  assert_int_equal(floe__testserver_uv_listen(server, FLOE_TRANSPORT_UDP, &relayed, NULL, &bound), UV_EADDRINUSE);
  floe__stun_msg m = exchange(c, FLOE__STUN_REFRESH, FLOE__STUN_LIFETIME, 0, NULL);
  assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
  assert_int_equal(counters().deletions, 1);
  assert_int_equal(floe__testserver_uv_listen(server, FLOE_TRANSPORT_UDP, &relayed, NULL, &bound), 0);
  close_client(c);
  end();
}

static void no_such_relay_address(void **state) {
  (void)state;
  floe__stun_error error;
  floe__ts_config cfg = open_config();
  assert_true(floe_addr_parse(&cfg.relay_ipv4, "192.0.2.1"));
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_UDP, "correct");
  client *c = udp_client(&at);
  floe__stun_msg m = exchange(c, FLOE__STUN_ALLOCATE, FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000, NULL);
  assert_true(floe__stun_get_error(&m, &error));
  assert_int_equal(error.code, 508);
  close_client(c);
  end();
}

/* A client that stops reading is cut off before the server's memory fills. */
static void a_client_that_does_not_read(void **state) {
  (void)state;
  static char bytes[60000];
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TCP, "correct");
  client *a = tcp_client(&at);
  floe_addr relayed = allocate(a);
  client *peer = udp_client(&relayed);
  floe_addr peer_addr = local_addr(peer);
  floe__stun_msg m = exchange(a, FLOE__STUN_CHANNEL_BIND, FLOE__STUN_CHANNEL_NUMBER, 0x40000000, &peer_addr);
  assert_int_equal(m.cls, FLOE__STUN_SUCCESS);
  (void)uv_read_stop(&a->uv.stream);
  for (int i = 0; i < 5000 && counters().allocations > 0; i++) {
    uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
    (void)uv_udp_try_send(&peer->uv.udp, &buf, 1, (const struct sockaddr *)&peer->to);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
  }
  assert_int_equal(counters().allocations, 0);
  close_client(a);
  close_client(peer);
  end();
}

/* --- tests: TLS ------------------------------------------------------------------------------------------------- */

static void flush_tls(client *c, floe__tls *tls) {
  floe_bytes out = floe__tls_output(tls);
  if (out.len == 0) return;
  send_bytes(c, out.ptr, out.len);
  floe__tls_sent(tls, out.len);
}

/* Feeds what came, until the handshake is over. */
static void shake_hands(client *c, floe__tls *tls) {
  floe__tls_start(tls, uv_hrtime());
  flush_tls(c, tls);
  while (floe__tls_state_of(tls) == FLOE__TLS_HANDSHAKE && !c->ended) {
    run_until(c->ended ? &c->ended : &c->got);
    floe__tls_on_bytes(tls, (floe_bytes){c->data, c->len}, uv_hrtime());
    c->len = 0;
    c->got = false;
    flush_tls(c, tls);
  }
}

static floe__tls *tls_client(void) {
  const char *ca = floe__testserver_ca_pem(floe__testserver_uv_core(server));
  const floe__tls_client_config cfg = {.server_name = "localhost", .ca_pem = {(const uint8_t *)ca, strlen(ca)}};
  floe__tls *tls = floe__tls_client_new(env, &cfg, uv_hrtime());
  assert_non_null(tls);
  return tls;
}

static void binding_over_tls(void **state) {
  (void)state;
  uint8_t answer[256];
  size_t len = 0;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr at = listen_at(FLOE_TRANSPORT_TLS, "correct");
  client *c = tcp_client(&at);
  floe__tls *tls = tls_client();
  shake_hands(c, tls);
  assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_OPEN); /* so the certificate's dates are right too */
  assert_true(floe__tls_write(tls, make_request(c, FLOE__STUN_BINDING, FLOE__STUN_ATTR_COUNT, 0, NULL)));
  flush_tls(c, tls);
  while (len == 0) {
    run_until(&c->got);
    floe__tls_on_bytes(tls, (floe_bytes){c->data, c->len}, uv_hrtime());
    c->len = 0;
    c->got = false;
    len = floe__tls_read(tls, answer, sizeof answer);
  }
  memcpy(c->data, answer, len);
  c->len = len;
  is_mapped(c);
  floe__tls_free(tls);
  close_client(c);
  end();
}

static void tls_faults(void **state) {
  (void)state;
  static const struct {
    const char *script;
    floe_cause cause;
  } rows[] = {{"tls-expired", FLOE_CAUSE_TLS_EXPIRED},
              {"tls-self-signed", FLOE_CAUSE_TLS_UNTRUSTED},
              {"tls-other-name", FLOE_CAUSE_TLS_NAME_MISMATCH},
              {"tls-plain-text", FLOE_CAUSE_TLS_NOT_TLS},
              {"tls-alert", FLOE_CAUSE_TLS_ALERT}};
  floe__ts_config cfg = open_config();
  begin(&cfg);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_addr at = listen_at(FLOE_TRANSPORT_TLS, rows[i].script);
    client *c = tcp_client(&at);
    floe__tls *tls = tls_client();
    shake_hands(c, tls);
    assert_int_equal(floe__tls_state_of(tls), FLOE__TLS_FAILED);
    assert_int_equal(floe__tls_cause(tls), rows[i].cause);
    run_until(&c->ended);
    assert_int_equal(c->status, UV_EOF); /* ended in good order, so that the cause is the one that is meant */
    floe__tls_free(tls);
    close_client(c);
  }
  end();
}

/* --- tests: closing --------------------------------------------------------------------------------------------- */

static void closing_in_the_middle(void **state) {
  (void)state;
  floe__ts_config cfg = open_config();
  begin(&cfg);
  floe_addr udp_at = listen_at(FLOE_TRANSPORT_UDP, "late=60000"), tcp_at = listen_at(FLOE_TRANSPORT_TCP, "correct");
  floe_addr tls_at = listen_at(FLOE_TRANSPORT_TLS, "tls-hangs");
  client *u = udp_client(&udp_at), *t = tcp_client(&tcp_at), *s = tcp_client(&tls_at);
  (void)allocate(t);
  send_binding(u); /* its answer is held back */
  send_bytes(s, "\x16\x03\x01", 3);
  send_binding(t);
  floe__testserver_uv_close(server, on_closed, &closed);
  run_until(&t->ended);
  run_until(&s->ended);
  assert_int_equal(closed, 1);
  close_client(u);
  close_client(t);
  close_client(s);
  uv_close((uv_handle_t *)&deadline, NULL);
  assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
  assert_int_equal(uv_loop_close(&loop), 0);
  floe_env_free(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_that_listens_nowhere),
      cmocka_unit_test(bad_addresses),
      cmocka_unit_test(binding_over_udp),
      cmocka_unit_test(a_square_of_ports),
      cmocka_unit_test(a_square_that_does_not_fit),
      cmocka_unit_test(binding_over_ipv6),
      cmocka_unit_test(late_by_the_timer),
      cmocka_unit_test(binding_over_tcp),
      cmocka_unit_test(bytes_one_by_one),
      cmocka_unit_test(ends_as_told),
      cmocka_unit_test(closes_without_reset_though_bytes_come),
      cmocka_unit_test(a_client_that_leaves),
      cmocka_unit_test(relays_between_allocations),
      cmocka_unit_test(relays_to_a_peer),
      cmocka_unit_test(deleting_frees_the_port),
      cmocka_unit_test(no_such_relay_address),
      cmocka_unit_test(a_client_that_does_not_read),
      cmocka_unit_test(binding_over_tls),
      cmocka_unit_test(tls_faults),
      cmocka_unit_test(closing_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
