/* An agent without any driver: the program is the network. Here it plays one in which a STUN server is refused with
 * ICMP, which needs no socket, no clock and no waiting; a program with sockets answers the same outputs for real. */
#include <floe/floe.h>
#include <stdio.h>
#include <string.h>

static floe_time now; /* nanoseconds on a clock of our own */

static void answer_interfaces(floe_ice_agent *agent) {
  floe_interface eth0 = {.name = "eth0", .index = 2};
  if (!floe_addr_parse(&eth0.addr, "192.0.2.1")) return;
  floe_input in = {.type = FLOE_INPUT_INTERFACES, .interfaces = &eth0, .n_interfaces = 1};
  floe_ice_agent_input(agent, now, &in);
}

static void answer_open(floe_ice_agent *agent, floe_sock_id sock, floe_addr local) {
  local.port = 50000; /* what bind() and getsockname() would have told */
  floe_input in = {.type = FLOE_INPUT_SOCKET_OPENED, .sock = sock, .addr = local};
  floe_ice_agent_input(agent, now, &in);
}

static void answer_datagram(floe_ice_agent *agent, floe_sock_id sock, floe_addr to) {
  now += 20 * FLOE_MS; /* a round trip later: destination unreachable, port unreachable */
  floe_input in = {.type = FLOE_INPUT_ICMP, .sock = sock, .addr = to, .icmp_type = 3, .icmp_code = 3};
  floe_ice_agent_input(agent, now, &in);
}

static void tell(const floe_event *e) {
  switch ((int)e->type) {
    case FLOE_EVENT_ICEGATHERINGSTATECHANGE:
      printf("%5.1f ms  %s\n", e->t_ms, floe_ice_gathering_state_name(e->u.gathering_state));
      break;
    case FLOE_EVENT_ICECANDIDATE:
      printf("%5.1f ms  %s\n", e->t_ms, e->u.candidate == NULL ? "end of candidates" : e->u.candidate->text);
      break;
    case FLOE_EVENT_ICECANDIDATEERROR:
    case FLOE_EVENT_ICESERVERERROR:
      printf("%5.1f ms  %u %s\n", e->t_ms, e->u.error.error_code, e->u.error.error_text);
      break;
    case FLOE_EVENT_ICECONNECTIONSTATECHANGE: /* only after a peer was told of */
    case FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE:
    default: break;
  }
}

/* Returns when to call again at the latest. */
static floe_time drain(floe_ice_agent *agent) {
  for (;;) {
    floe_output out;
    floe_ice_agent_poll(agent, &out);
    switch (out.type) {
      case FLOE_OUTPUT_INTERFACES: answer_interfaces(agent); break;
      case FLOE_OUTPUT_OPEN: answer_open(agent, out.u.open.sock, out.u.open.local); break;
      case FLOE_OUTPUT_TRANSMIT: answer_datagram(agent, out.u.transmit.sock, out.u.transmit.to); break;
      case FLOE_OUTPUT_EVENT: tell(out.u.event); break;
      case FLOE_OUTPUT_CLOSE:      /* close(fd) */
      case FLOE_OUTPUT_RESOLVE:    /* look the name up, answer with RESOLVED */
      case FLOE_OUTPUT_DATA:       /* only after floe_ice_agent_permit */
      case FLOE_OUTPUT_PERMISSION: /* likewise */
      case FLOE_OUTPUT_PUBLISH: /* only with mdns_hide_hosts */ break;
      case FLOE_OUTPUT_WAIT: return out.u.wait.until;
    }
  }
}

int main(void) {
  const char *urls[] = {"stun:198.51.100.9"};
  floe_ice_server server = {.urls = urls, .n_urls = 1};
  floe_ice_config cfg;
  floe_env *env;
  floe_ice_agent *agent;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  if (floe_env_new(&env, NULL) != FLOE_OK) return 1;
  if (floe_ice_agent_new(&agent, env, &cfg, NULL) != FLOE_OK) return 1;
  if (floe_ice_agent_gather(agent, now) != FLOE_OK) return 1;

  while (floe_ice_agent_gathering_state(agent) != FLOE_ICE_GATHERING_COMPLETE) {
    floe_time until = drain(agent);
    if (until == FLOE_TIME_NEVER) break;
    now = until; /* a program would sleep, or wait for a socket */
    floe_ice_agent_input(agent, now, &(floe_input){.type = FLOE_INPUT_TIMER});
  }
  floe_ice_agent_free(agent);
  floe_env_free(env);
  return 0;
}
