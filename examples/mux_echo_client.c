/* Peers of mux_echo: each connects with a ticket of its own, says who it is and waits until it hears that again. Ends
 * with 0 when all of them did, with 1 when one could not connect.
 *
 *     mux_echo_client ADDRESS:PORT SECRET [PEERS] */
#include <floe/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "mux_ticket.h"

#define MAX_PEERS 1000

typedef struct peer {
  floe_uv_ice_agent *agent;
  char name[40]; /* its ticket: one for each session */
  bool is_connected, is_echoed;
} peer;

static peer peers[MAX_PEERS];
static size_t n_peers, n_echoed;
static int status;
static floe_uv *uv;
static uv_timer_t timer;

static void leave(int with) {
  if (uv == NULL) return;
  status = with;
  floe_uv_close(uv);
  uv = NULL;
  uv_close((uv_handle_t *)&timer, NULL);
}

/* A datagram may be lost: again, until the echo comes. */
static void on_timer(uv_timer_t *handle) {
  (void)handle;
  for (peer *p = peers; p < peers + n_peers; p++) {
    if (!p->is_connected || p->is_echoed) continue;
    floe_bytes data = {.ptr = (const uint8_t *)p->name, .len = strlen(p->name)};
    floe_status st = floe_uv_ice_agent_send(p->agent, data, 0);
    if (st != FLOE_OK) fprintf(stderr, "%s: not sent: %s\n", p->name, floe_status_text(st));
  }
}

static void on_connection(const floe_event *event, void *user) {
  peer *p = user;
  floe_ice_connection_state state = event->u.connection.state;
  if (state == FLOE_ICE_CONNECTION_CONNECTED) p->is_connected = true;
  if (state != FLOE_ICE_CONNECTION_FAILED) return;
  fprintf(stderr, "%s: %s\n", p->name, floe_cause_sentence(event->u.connection.cause));
  leave(1);
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  peer *p = user;
  (void)candidate;
  (void)from;
  bool is_mine = data.len == strlen(p->name) && memcmp(data.ptr, p->name, data.len) == 0;
  if (!is_mine) {
    fprintf(stderr, "%s heard \"%.*s\"\n", p->name, (int)data.len, (const char *)data.ptr);
    leave(1);
  } else if (!p->is_echoed) {
    p->is_echoed = true;
    if (++n_echoed < n_peers) return;
    printf("%zu peers were heard\n", n_echoed);
    leave(0);
  }
}

static floe_status connect_to(peer *p, const floe_addr *server) {
  char addr[FLOE_ADDR_TEXT];
  char line[FLOE_ADDR_TEXT + 64];
  (void)snprintf(line, sizeof line, "candidate:1 1 UDP 2130706431 %s %u typ host", floe_addr_format_ip(server, addr),
                 server->port);
  /* The ticket is both sides' user name and password. */
  const floe_ice_parameters *mine = floe_uv_ice_agent_local_parameters(p->agent);
  floe_ice_parameters theirs = {.ufrag = mine->ufrag, .pwd = mine->pwd};
  floe_status st = floe_uv_ice_agent_set_role(p->agent, FLOE_ICE_ROLE_CONTROLLING);
  if (st == FLOE_OK) st = floe_uv_ice_agent_gather(p->agent);
  if (st == FLOE_OK) st = floe_uv_ice_agent_set_remote_parameters(p->agent, &theirs, NULL);
  if (st == FLOE_OK) st = floe_uv_ice_agent_add_remote_candidate(p->agent, line, NULL);
  if (st == FLOE_OK) floe_uv_ice_agent_end_of_remote_candidates(p->agent);
  return st;
}

static floe_status start(peer *p, const floe_addr *server, const char *secret) {
  char pwd[TICKET_PASSWORD + 1];
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  (void)snprintf(p->name, sizeof p->name, "guest%ldx%zu", (long)getpid(), (size_t)(p - peers));
  ticket_password(pwd, secret, p->name);
  cfg.include_loopback = floe_addr_is_loopback(server);
  cfg.no_tcp = true;
  cfg.local_ufrag = p->name;
  cfg.local_pwd = pwd;
  floe_status st = floe_uv_ice_agent_new(&p->agent, uv, &cfg, NULL);
  if (st != FLOE_OK) return st;
  floe_uv_ice_agent_on_data(p->agent, on_data, p);
  st = floe_uv_ice_agent_on_iceconnectionstatechange(p->agent, on_connection, p);
  return st == FLOE_OK ? connect_to(p, server) : st;
}

int main(int argc, char **argv) {
  floe_addr server;
  n_peers = argc == 4 ? strtoul(argv[3], NULL, 10) : 1;
  if (argc < 3 || argc > 4 || n_peers == 0 || n_peers > MAX_PEERS || !floe_addr_parse(&server, argv[1])) {
    fprintf(stderr, "usage: %s ADDRESS:PORT SECRET [PEERS]\n", argv[0]);
    return 2;
  }
  uv_loop_t *loop = uv_default_loop();
  floe_status st = floe_uv_new(&uv, loop, NULL, NULL);
  if (st != FLOE_OK) return 2;
  (void)uv_timer_init(loop, &timer);
  (void)uv_timer_start(&timer, on_timer, 20, 200);
  for (size_t i = 0; i < n_peers && st == FLOE_OK; i++) st = start(&peers[i], &server, argv[2]);
  if (st != FLOE_OK) {
    fprintf(stderr, "%s\n", floe_status_text(st));
    leave(2);
  }
  (void)uv_run(loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(loop);
  return status;
}
