/* A server on one UDP port that takes any number of ICE peers and sends back what they send. There is no signalling: a
 * peer has a ticket (mux_ticket.h) and knows the server's address, and its first check is the first that the server
 * hears of it.
 *
 *     mux_echo [-l] [-p PORT] SECRET
 *
 *     -l   loopback addresses too
 *     -p   the port; without it any one that is free
 *
 * mux_echo_client is its counterpart. */
#include <floe/uv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "mux_ticket.h"

typedef struct server {
  floe_uv *uv;
  floe_uv_ice_mux *mux;
  const char *secret;
  bool has_loopback;
  struct guest *guests;
  uv_signal_t signals[2];
} server;

typedef struct guest {
  server *server;
  floe_uv_ice_agent *agent;
  struct guest *prev, *next;
} guest;

/* ---- guests ---- */

static void on_gone(void *user) {
  guest *g = user;
  if (g->prev != NULL) g->prev->next = g->next;
  if (g->next != NULL) g->next->prev = g->prev;
  if (g->server->guests == g) g->server->guests = g->next;
  free(g);
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  guest *g = user;
  (void)candidate;
  (void)from;
  floe_status st = floe_uv_ice_agent_send(g->agent, data, 0);
  if (st != FLOE_OK) fprintf(stderr, "an echo is lost: %s\n", floe_status_text(st));
}

/* One that never connects fails too: 40 seconds after its first check. */
static void on_connection(const floe_event *event, void *user) {
  guest *g = user;
  if (event->u.connection.state == FLOE_ICE_CONNECTION_FAILED) floe_uv_ice_agent_close(g->agent, on_gone, g);
}

static floe_status start_guest(guest *g, const floe_uv_ice_mux_request *request, const char *pwd) {
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = g->server->has_loopback;
  cfg.no_tcp = true;
  cfg.local_ufrag = request->local_ufrag;
  cfg.local_pwd = pwd;
  floe_status st = floe_uv_ice_agent_new_on_mux(&g->agent, g->server->mux, &cfg, NULL);
  if (st != FLOE_OK) return st;
  /* A ticket holds one password, for both directions. */
  floe_ice_parameters theirs = {.ufrag = request->remote_ufrag, .pwd = pwd};
  floe_uv_ice_agent_on_data(g->agent, on_data, g);
  st = floe_uv_ice_agent_on_iceconnectionstatechange(g->agent, on_connection, g);
  if (st == FLOE_OK) st = floe_uv_ice_agent_set_remote_parameters(g->agent, &theirs, NULL);
  if (st == FLOE_OK) st = floe_uv_ice_agent_gather(g->agent);
  return st;
}

/* Anyone can send a check: what is not signed with the ticket's password costs one HMAC and is forgotten. */
static void on_unknown_ufrag(floe_uv_ice_mux *mux, const floe_uv_ice_mux_request *request, void *user) {
  server *s = user;
  char pwd[TICKET_PASSWORD + 1];
  (void)mux;
  ticket_password(pwd, s->secret, request->local_ufrag);
  if (!floe_ice_mux_check_is_signed(request->check, pwd)) return;
  guest *g = calloc(1, sizeof *g);
  if (g == NULL) return;
  g->server = s;
  g->next = s->guests;
  if (g->next != NULL) g->next->prev = g;
  s->guests = g;
  if (start_guest(g, request, pwd) == FLOE_OK) return;
  if (g->agent != NULL) floe_uv_ice_agent_close(g->agent, on_gone, g);
  if (g->agent == NULL) on_gone(g);
}

/* ---- the server ---- */

static void on_signal(uv_signal_t *handle, int number) {
  server *s = handle->data;
  (void)number;
  for (guest *g = s->guests; g != NULL; g = g->next) floe_uv_ice_agent_close(g->agent, on_gone, g);
  floe_uv_ice_mux_close(s->mux);
  floe_uv_close(s->uv);
  uv_close((uv_handle_t *)&s->signals[0], NULL);
  uv_close((uv_handle_t *)&s->signals[1], NULL);
}

static void watch_signals(server *s, uv_loop_t *loop) {
  static const int numbers[] = {SIGINT, SIGTERM};
  for (int i = 0; i < 2; i++) {
    (void)uv_signal_init(loop, &s->signals[i]);
    (void)uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    s->signals[i].data = s;
  }
}

static floe_status start(server *s, uint16_t port, floe_error *why) {
  floe_uv_ice_mux_config cfg;
  floe_uv_ice_mux_config_init(&cfg, sizeof cfg);
  cfg.port = port;
  cfg.on_unknown_ufrag = on_unknown_ufrag;
  cfg.user = s;
  return floe_uv_ice_mux_new(&s->mux, s->uv, &cfg, why);
}

int main(int argc, char **argv) {
  static server s;
  unsigned long port = 0;
  for (int option; (option = getopt(argc, argv, "lp:")) != -1;) {
    if (option == 'l') s.has_loopback = true;
    if (option == 'p') port = strtoul(optarg, NULL, 10);
    if (option == '?') return 2;
  }
  if (optind + 1 != argc || port > 65535) {
    fprintf(stderr, "usage: %s [-l] [-p PORT] SECRET\n", argv[0]);
    return 2;
  }
  s.secret = argv[optind];
  uv_loop_t *loop = uv_default_loop();
  floe_error why = {.message = "it did not start"};
  floe_status st = floe_uv_new(&s.uv, loop, NULL, &why);
  if (st == FLOE_OK) st = start(&s, (uint16_t)port, &why);
  if (st == FLOE_OK) {
    printf("port %u\n", floe_uv_ice_mux_port(s.mux));
    (void)fflush(stdout);
    watch_signals(&s, loop);
  } else {
    fprintf(stderr, "%s: %s: %s\n", floe_status_name(st), why.path, why.message);
    floe_uv_close(s.uv);
  }
  (void)uv_run(loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(loop);
  return st == FLOE_OK ? 0 : 2;
}
