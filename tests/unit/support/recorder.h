/* Fake endpoints for the simulator's own tests: sockets that write down what they are told. */
#ifndef FLOE_TESTS_RECORDER_H
#define FLOE_TESTS_RECORDER_H

#include <stdio.h>

#include "support/cmocka.h"
#include "support/sim_net.h"
#include "support/sim_text.h"

typedef struct recorder {
  sim *s;
  const char *name;
  sim_text *log;
  sim_tcp *conn; /* the accepted connection */
} recorder;

static inline void record(recorder *r, const char *what, const floe_addr *addr) {
  char text[FLOE_ADDR_TEXT] = "";
  if (addr != NULL) (void)floe_addr_format(addr, text);
  sim_text_add(r->log, "%.2f %s %s%s%s\n", (double)sim_now(r->s) / (double)FLOE_MS, r->name, what,
               text[0] == '\0' ? "" : " ", text);
}

static inline void record_datagram(void *user, const floe_addr *from, floe_bytes data) {
  char what[64];
  (void)snprintf(what, sizeof what, "got '%.*s' from", (int)data.len, (const char *)data.ptr);
  record(user, what, from);
}

static inline void record_icmp(void *user, const floe_addr *to, uint8_t type, uint8_t code) {
  char what[64];
  (void)snprintf(what, sizeof what, "icmp %u/%u for", (unsigned)type, (unsigned)code);
  record(user, what, to);
}

static inline void record_send_failed(void *user, const floe_addr *to, floe_net_error error) {
  char what[64];
  (void)snprintf(what, sizeof what, "send failed %d for", (int)error);
  record(user, what, to);
}

static inline void record_connected(void *user, const floe_addr *local) {
  record(user, "connected", local);
}

static inline void record_failed(void *user, floe_net_error error) {
  char what[64];
  (void)snprintf(what, sizeof what, "failed %d", (int)error);
  record(user, what, NULL);
}

static inline void record_bytes(void *user, floe_bytes data) {
  char what[128];
  (void)snprintf(what, sizeof what, "bytes '%.*s'", (int)data.len, (const char *)data.ptr);
  record(user, what, NULL);
}

static inline void record_end(void *user) {
  record(user, "end", NULL);
}

static const sim_udp_ops recording_udp = {record_datagram, record_icmp, record_send_failed};
static const sim_tcp_ops recording_tcp = {record_connected, record_failed, record_bytes, record_end};

static inline void record_accept(void *user, sim_tcp *conn, const floe_addr *from) {
  recorder *r = user;
  r->conn = conn;
  record(r, "accepted", from);
  sim_tcp_set(conn, &recording_tcp, r);
}

static inline sim_udp *open_udp(sim_host *h, const char *local, recorder *r) {
  floe_net_error why;
  floe_addr addr = sim_addr(local);
  sim_udp *u = sim_udp_open(h, &addr, &recording_udp, r, &why);
  assert_non_null(u);
  return u;
}

static inline void send_text(sim_udp *u, const char *to, const char *text) {
  floe_addr addr = sim_addr(to);
  size_t len = 0;
  while (text[len] != '\0') len++;
  sim_udp_send(u, &addr, (floe_bytes){(const uint8_t *)text, len});
}

#endif
