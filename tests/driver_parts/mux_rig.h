/* Peers with sockets of their own, agents on a multiplexer, and the messages between them. */
#ifndef TESTS_DRIVER_PARTS_MUX_RIG_H
#define TESTS_DRIVER_PARTS_MUX_RIG_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver_parts/fixture.h"
#include "floe/mux.h"
#include "stun/msg.h"
#include "uv/mux.h"

/* ---- peers, agents ---- */

/* A peer's socket on 127.0.0.1. */
typedef struct peer {
  int fd;
  floe_addr addr;
} peer;

static inline peer peer_open(void) {
  peer p = {.fd = socket(AF_INET, SOCK_DGRAM, 0)};
  struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof sa;
  assert_true(p.fd >= 0);
  assert_int_equal(bind(p.fd, (struct sockaddr *)&sa, len), 0);
  assert_int_equal(getsockname(p.fd, (struct sockaddr *)&sa, &len), 0);
  assert_true(floe_addr_parse(&p.addr, "127.0.0.1"));
  p.addr.port = ntohs(sa.sin_port);
  return p;
}

static inline void peer_send(const peer *p, uint16_t port, floe_bytes data) {
  struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(sendto(p->fd, data.ptr, data.len, 0, (struct sockaddr *)&sa, sizeof sa), (ssize_t)data.len);
}

/* Waits for a datagram; returns the port that it came from. */
static inline uint16_t peer_receive(fixture *f, const peer *p, char *out, size_t cap) {
  struct sockaddr_in sa;
  socklen_t len = sizeof sa;
  for (int i = 0; i < 1000; i++) {
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    struct pollfd ready = {.fd = p->fd, .events = POLLIN};
    if (poll(&ready, 1, 10) == 0) continue;
    ssize_t n = recvfrom(p->fd, out, cap - 1, 0, (struct sockaddr *)&sa, &len);
    assert_true(n >= 0);
    out[n] = '\0';
    return ntohs(sa.sin_port);
  }
  fail_msg("the peer got nothing");
  return 0;
}

static const floe_bytes hello = {(const uint8_t *)"hello", 5};
static uint8_t buf[600];

static inline floe_bytes message(floe__stun_class cls, const char *id, const char *username /* nullable */) {
  uint8_t txn[FLOE__STUN_TXN_ID] = {0};
  floe__stun_builder b;
  memcpy(txn, id, strlen(id));
  floe__stun_begin(&b, buf, sizeof buf, cls, FLOE__STUN_BINDING, txn);
  if (username != NULL) floe__stun_put_text(&b, FLOE__STUN_USERNAME, username);
  return floe__stun_end(&b);
}

static inline floe_bytes check(const char *username) {
  return message(FLOE__STUN_REQUEST, "check", username);
}

static inline floe_uv_ice_mux *mux_on(fixture *f, uint16_t port) {
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux *mux = NULL;
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.port = port;
  assert_int_equal(floe_uv_ice_mux_new(&mux, f->uv, &cfg, NULL), FLOE_OK);
  return mux;
}

static inline floe_uv_ice_agent *agent_on(floe_uv_ice_mux *mux, const char *ufrag) {
  floe_ice_config cfg;
  floe_uv_ice_agent *agent = NULL;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.local_ufrag = ufrag;
  assert_int_equal(floe_uv_ice_agent_new_on_mux(&agent, mux, &cfg, NULL), FLOE_OK);
  return agent;
}

static inline void poke(floe_uv_ice_agent *agent) {
  assert_int_equal(floe_uv_ice_agent_gather(agent), FLOE_OK);
}

static inline const fake_input *await(fixture *f, floe_uv_ice_agent *agent, floe_input_type type, uint32_t id,
                                      size_t n) {
  poke(agent);
  return fake_await(agent, &f->loop, type, id, n);
}

/* The agent asks for the shared socket on loopback, and gets it. */
static inline floe_addr share(fixture *f, floe_uv_ice_agent *agent, floe_sock_id sock) {
  fake_open_on_mux(fake_of(agent), sock, "127.0.0.1");
  return await(f, agent, FLOE_INPUT_SOCKET_OPENED, sock, 1)->in.addr;
}

static inline size_t count(floe_uv_ice_agent *agent, floe_input_type type) {
  return fake_count(fake_of(agent), type, 0);
}

static inline void turn(fixture *f) {
  for (int i = 0; i < 5; i++) (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static inline size_t descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  size_t n = 0;
  assert_non_null(dir);
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n;
}

/* Descriptors are counted: no socket of the monitor's. */
static inline void begin(fixture *f) {
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.no_network_monitor = true;
  fixture_init(f, &cfg);
}

static inline int setup_unmonitored(void **state) {
  static fixture f;
  begin(&f);
  *state = &f;
  return 0;
}

#endif
