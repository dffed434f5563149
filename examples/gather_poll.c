/* Gathers ICE candidates from one STUN or TURN server, in a program whose loop is poll(2).
 *
 *     gather_poll stun:stun.example.org
 *     gather_poll turn:turn.example.org user secret
 *
 * The program watches its standard input beside the driver: a line ends it. */
#include <floe/uv.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void on_event(const floe_event *event, void *user) {
  bool *is_complete = user;
  switch ((int)event->type) {
    case FLOE_EVENT_ICECANDIDATE:
      if (event->u.candidate != NULL) printf("%s\n", event->u.candidate->text);
      break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR:
      printf("%s %s: %u %s\n", event->name, event->u.error.url, event->u.error.error_code, event->u.error.error_text);
      break;
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
      if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) *is_complete = true;
      break;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: /* only after a peer was told of */
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
    default: break;
  }
}

static void on_closed(void *user) {
  *(bool *)user = true;
}

/* One turn of the program's loop. Returns false once a line was typed. */
static bool turn(floe_uv *uv, int *input) {
  struct pollfd fds[] = {{.fd = floe_uv_backend_fd(uv), .events = POLLIN}, {.fd = *input, .events = POLLIN}};
  (void)poll(fds, 2, floe_uv_backend_timeout(uv));
  (void)floe_uv_dispatch(uv); /* harmless when nothing is due; the callbacks run in here */
  if (fds[1].revents == 0) return true;
  char line[256];
  if (read(*input, line, sizeof line) > 0) return false;
  *input = -1; /* the end of it: poll leaves out what is negative */
  return true;
}

static floe_status start(floe_uv_ice_agent **out, floe_uv *uv, const floe_ice_config *cfg, bool *is_complete) {
  floe_error why;
  floe_status st = floe_uv_ice_agent_new(out, uv, cfg, &why);
  if (st != FLOE_OK) {
    fprintf(stderr, "%s: %s: %s\n", floe_status_name(st), why.path, why.message);
    return st;
  }
  for (int type = 0; st == FLOE_OK && type < (int)FLOE_EVENT_COUNT; type++) {
    st = floe_uv_ice_agent_add_event_listener(*out, (floe_event_type)type, on_event, is_complete);
  }
  return st == FLOE_OK ? floe_uv_ice_agent_gather(*out) : st;
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 4) {
    fprintf(stderr, "usage: %s URL [USER PASSWORD]\n", argv[0]);
    return 2;
  }
  const char *url = argv[1];
  floe_ice_server server = {.urls = &url, .n_urls = 1};
  if (argc == 4) {
    server.username = argv[2];
    server.credential = argv[3];
  }
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;

  floe_uv *uv;
  if (floe_uv_new(&uv, NULL, NULL, NULL) != FLOE_OK) return 2; /* no loop given: it makes its own */
  floe_uv_ice_agent *agent;
  bool is_complete = false;
  if (start(&agent, uv, &cfg, &is_complete) != FLOE_OK) {
    floe_uv_close(uv);
    return 2;
  }
  int input = STDIN_FILENO;
  while (!is_complete && turn(uv, &input)) continue;

  /* Allocations are deleted at their servers while the loop goes on; this ends within close_timeout_ms. */
  bool is_closed = false;
  floe_uv_ice_agent_close(agent, on_closed, &is_closed);
  while (!is_closed) (void)turn(uv, &input);
  floe_uv_close(uv);
  return 0;
}
