/* Floe's ICE agent as a peer of the tests: see README.md for the lines that it speaks.
 *
 *     floe_peer [--role controlling|controlled] [--server URL]... [--user NAME --credential WORD] [OPTIONS BELOW] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "exchange.h"
#include "floe/floe.h"
#include "floe/uv.h"

enum { MAX_URLS = 8, MAX_LINE = 4096 };

typedef struct options {
  floe_ice_config cfg;
  floe_ice_server server;
  const char *urls[MAX_URLS];
  floe_ice_role role;
  char *ca;
} options;

typedef struct peer {
  uv_loop_t loop;
  uv_pipe_t input;
  uv_timer_t tick;
  floe_uv *uv;
  floe_uv_ice_agent *agent;
  bool lite, remote_lite;
  bool has_connected, is_quitting;
  bool is_stale; /* this side has restarted: until the peer's new ufrag comes, what it tells is of the session before */
  char remote_ufrag[MAX_LINE];
  char line[MAX_LINE]; /* of the input, as far as it has come */
  size_t line_len;
  char chunk[MAX_LINE];
  exchange data;
} peer;

static void say(const char *word, const char *text) {
  printf("%s%s%s\n", word, text[0] == '\0' ? "" : " ", text);
  (void)fflush(stdout);
}

/* --- facts -------------------------------------------------------------------------------------------------------- */

static void say_group(const floe_pair_group *g) {
  printf("group %s %s %s ipv%d pairs=%u failed=%u sent=%llu answered=%llu received=%llu stun_error=%u icmp=%u\n",
         floe_candidate_type_name(g->local_type), floe_candidate_type_name(g->remote_type),
         floe_transport_name(g->transport), (int)g->family, g->n_pairs, g->n_by_state[FLOE_PAIR_FAILED],
         (unsigned long long)g->requests_sent, (unsigned long long)g->responses_received,
         (unsigned long long)g->requests_received, g->stun_error_code, g->icmp_errors);
}

static void say_report(peer *p) {
  const floe_connection_report *r = floe_uv_ice_agent_connection_report(p->agent);
  if (r == NULL) return;
  printf(
      "verdict %s received=%s requests=%u unknown_ufrag=%u bad_integrity=%u conflicts=%u local=%u remote=%u "
      "unresolved=%u relay_denied=%u ended=%s after=%.0f\n",
      floe_cause_id(r->verdict), r->received_anything ? "yes" : "no", r->requests_received, r->unknown_ufrag,
      r->bad_integrity, r->role_conflicts, r->n_local_candidates, r->n_remote_candidates, r->n_unresolved,
      r->n_relay_denied, r->remote_ended ? "yes" : "no", r->elapsed_ms);
  for (size_t i = 0; i < r->n_groups; i++) say_group(&r->groups[i]);
  (void)fflush(stdout);
}

static void on_state(const floe_event *event, void *user) {
  peer *p = user;
  const floe_connection_change *change = &event->u.connection;
  printf("state %s", floe_ice_connection_state_name(change->state));
  if (change->cause != FLOE_CAUSE_NONE) printf(" %s", floe_cause_id(change->cause));
  say("", "");
  if (change->state == FLOE_ICE_CONNECTION_CONNECTED) p->has_connected = true;
  if (change->state == FLOE_ICE_CONNECTION_FAILED) say_report(p);
}

static void on_pair(const floe_event *event, void *user) {
  peer *p = user;
  const floe_ice_candidate *local = event->u.pair.local, *remote = event->u.pair.remote;
  char from[FLOE_ADDR_TEXT], to[FLOE_ADDR_TEXT];
  if (local == NULL || remote == NULL) {
    say("pair", "none");
    return;
  }
  printf("pair %s%s%s %s %s %s %s\n", floe_candidate_type_name(local->type), local->has_relay_protocol ? ":" : "",
         local->has_relay_protocol ? floe_transport_name(local->relay_protocol) : "",
         floe_candidate_type_name(remote->type), floe_transport_name(local->transport),
         floe_addr_format(&local->address, from), floe_addr_format(&remote->address, to));
  say("role", floe_ice_role_name(floe_uv_ice_agent_role(p->agent)));
}

static void on_candidate(const floe_event *event, void *user) {
  const floe_ice_candidate *candidate = event->u.candidate;
  (void)user;
  say(candidate == NULL ? "end" : candidate->text, "");
}

static void on_error(const floe_event *event, void *user) {
  const floe_candidate_error *e = &event->u.error;
  (void)user;
  printf("%s %u %s %s %s\n", event->type == FLOE_EVENT_ICESERVERERROR ? "servererror" : "error", e->error_code,
         floe_cause_id(e->detail->cause), e->url, floe_phase_name(e->detail->phase));
  (void)fflush(stdout);
}

static void on_gathering(const floe_event *event, void *user) {
  (void)user;
  say("gathering", floe_ice_gathering_state_name(event->u.gathering_state));
}

/* --- data --------------------------------------------------------------------------------------------------------- */

static void send_data(const uint8_t *data, size_t len, void *user) {
  peer *p = user;
  floe_status ignored = floe_uv_ice_agent_send(p->agent, (floe_bytes){data, len}, 0);
  (void)ignored; /* it is sent again */
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  peer *p = user;
  (void)candidate;
  (void)from;
  uint32_t n = p->data.n_strangers;
  exchange_take(&p->data, data.ptr, data.len);
  if (n == 0 && p->data.n_strangers == 1) {
    printf("stranger %u\n", data.ptr[0]);
    (void)fflush(stdout);
  }
}

static void on_tick(uv_timer_t *timer) {
  peer *p = timer->data;
  char line[64];
  if (p->has_connected) exchange_tick(&p->data, uv_now(&p->loop));
  if (exchange_fact(&p->data, line, sizeof line)) say(line, "");
}

/* --- orders ------------------------------------------------------------------------------------------------------- */

static void complain(const char *what, const floe_error *why) {
  printf("refused %s: %s %s\n", what, why->path, why->message);
  (void)fflush(stdout);
}

/* Tells this side's parameters and gathers: at the start, and after each restart. */
static void begin_session(peer *p) {
  const floe_ice_parameters *mine = floe_uv_ice_agent_local_parameters(p->agent);
  if (mine->lite) say("lite", "");
  say("ufrag", mine->ufrag);
  say("pwd", mine->pwd);
  if (floe_uv_ice_agent_gather(p->agent) != FLOE_OK) say("refused", "to gather");
}

static void restart(peer *p) {
  if (floe_uv_ice_agent_restart(p->agent) == FLOE_OK) {
    begin_session(p);
  } else {
    say("refused", "to restart");
  }
}

/* Other parameters than those of this session: the peer has restarted (RFC 8445 9), and so do we. */
static void take_parameters(peer *p, const char *pwd) {
  const floe_ice_parameters *known = floe_uv_ice_agent_remote_parameters(p->agent);
  const floe_ice_parameters params = {.ufrag = p->remote_ufrag, .pwd = pwd, .lite = p->remote_lite};
  floe_error why;
  if (known != NULL && strcmp(known->ufrag, params.ufrag) != 0) restart(p);
  if (floe_uv_ice_agent_set_remote_parameters(p->agent, &params, &why) != FLOE_OK) complain("parameters", &why);
}

static void add_candidate(peer *p, const char *line) {
  floe_error why;
  if (floe_uv_ice_agent_add_remote_candidate(p->agent, line, &why) != FLOE_OK) complain(line, &why);
}

static void on_closed(void *user) {
  peer *p = user;
  floe_uv_close(p->uv);
  uv_close((uv_handle_t *)&p->input, NULL);
  uv_close((uv_handle_t *)&p->tick, NULL);
}

static void quit(peer *p) {
  if (p->is_quitting) return;
  p->is_quitting = true;
  (void)uv_timer_stop(&p->tick);
  floe_uv_ice_agent_close(p->agent, on_closed, p);
}

static const char *after(const char *line, const char *word) {
  size_t len = strlen(word);
  return strncmp(line, word, len) == 0 ? line + len : NULL;
}

static void take(peer *p, const char *line) {
  const char *rest;
  if (p->is_quitting) {
    return;
  } else if ((rest = after(line, "ufrag ")) != NULL) {
    (void)snprintf(p->remote_ufrag, sizeof p->remote_ufrag, "%s", rest);
    p->is_stale = false;
  } else if ((rest = after(line, "pwd ")) != NULL) {
    take_parameters(p, rest);
  } else if (after(line, "candidate:") != NULL) {
    if (!p->is_stale) add_candidate(p, line);
  } else if ((rest = after(line, "data ")) != NULL) {
    if (!exchange_begin(&p->data, strtoul(rest, NULL, 10))) say("refused", line);
  } else if (strcmp(line, "end") == 0) {
    if (!p->is_stale) floe_uv_ice_agent_end_of_remote_candidates(p->agent);
  } else if (strcmp(line, "lite") == 0) {
    p->remote_lite = true;
  } else if (strcmp(line, "restart") == 0) {
    p->is_stale = true;
    restart(p);
  } else if (strcmp(line, "report") == 0) {
    say_report(p);
  } else if (strcmp(line, "quit") == 0) {
    quit(p);
  } else {
    say("refused", line);
  }
}

static void take_byte(peer *p, char byte) {
  if (byte != '\n') {
    if (p->line_len + 1 < sizeof p->line) p->line[p->line_len++] = byte;
    return;
  }
  p->line[p->line_len] = '\0';
  p->line_len = 0;
  take(p, p->line);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  peer *p = handle->data;
  (void)suggested;
  *buf = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  peer *p = stream->data;
  for (ssize_t i = 0; i < n; i++) take_byte(p, buf->base[i]);
  if (n < 0) quit(p);
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *len) {
  enum { MAX_FILE = 65536 };
  char *text = malloc(MAX_FILE);
  FILE *file = fopen(path, "rb");
  *len = text == NULL || file == NULL ? 0 : fread(text, 1, MAX_FILE, file);
  if (file != NULL) (void)fclose(file);
  return text;
}

static const struct option names[] = {{"role", required_argument, NULL, 'r'},
                                      {"server", required_argument, NULL, 's'},
                                      {"user", required_argument, NULL, 'u'},
                                      {"credential", required_argument, NULL, 'c'},
                                      {"ca-file", required_argument, NULL, 'f'},
                                      {"relay-only", no_argument, NULL, 'R'},
                                      {"no-ipv4", no_argument, NULL, '4'},
                                      {"no-ipv6", no_argument, NULL, '6'},
                                      {"no-tcp", no_argument, NULL, 'T'},
                                      {"tcp-passive", no_argument, NULL, 'P'},
                                      {"tcp-so", no_argument, NULL, 'S'},
                                      {"lite", no_argument, NULL, 'l'},
                                      {"hide-hosts", no_argument, NULL, 'h'},
                                      {"no-mdns", no_argument, NULL, 'M'},
                                      {"continual", no_argument, NULL, 'C'},
                                      {"patience", required_argument, NULL, 'p'},
                                      {"consent-interval", required_argument, NULL, 'i'},
                                      {"consent-timeout", required_argument, NULL, 't'},
                                      {"disconnected", required_argument, NULL, 'd'},
                                      {"check-rto", required_argument, NULL, 'o'},
                                      {"check-transmissions", required_argument, NULL, 'n'},
                                      {0}};

static uint32_t number(const char *text) {
  return (uint32_t)strtoul(text, NULL, 10);
}

static bool set_time(floe_ice_timing *timing, int option, const char *text) {
  switch (option) {
    case 'p': timing->patience_ms = number(text); return true;
    case 'i': timing->consent_interval_ms = number(text); return true;
    case 't': timing->consent_timeout_ms = number(text); return true;
    case 'o': timing->check_rto_ms = number(text); return true;
    case 'n': timing->check_transmissions = number(text); return true;
    case 'd': timing->disconnected_ms = number(text); return true;
    default: return false;
  }
}

static bool set_flag(floe_ice_config *cfg, int option) {
  switch (option) {
    case 'R': cfg->ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY; return true;
    case '4': return cfg->no_ipv4 = true;
    case '6': return cfg->no_ipv6 = true;
    case 'T': return cfg->no_tcp = true;
    case 'P': return cfg->tcp_passive = true;
    case 'S': return cfg->tcp_so = true;
    case 'l': return cfg->lite = true;
    case 'h': return cfg->mdns_hide_hosts = true;
    case 'M': return cfg->no_mdns = true;
    case 'C': return cfg->continual_gathering = true;
    default: return false;
  }
}

static bool set_option(options *o, int option, char *text) {
  switch (option) {
    case 'r':
      o->role = strcmp(text, "controlling") == 0 ? FLOE_ICE_ROLE_CONTROLLING : FLOE_ICE_ROLE_CONTROLLED;
      return strncmp(text, "control", strlen("control")) == 0;
    case 's':
      if (o->server.n_urls == MAX_URLS) return false;
      o->urls[o->server.n_urls++] = text;
      return true;
    case 'u': o->server.username = text; return true;
    case 'c': o->server.credential = text; return true;
    case 'f':
      free(o->ca);
      o->ca = read_file(text, &o->cfg.ca_pem.len);
      o->cfg.ca_pem.ptr = (const uint8_t *)o->ca;
      return o->cfg.ca_pem.len > 0;
    default: return set_time(&o->cfg.timing, option, text) || set_flag(&o->cfg, option);
  }
}

static bool parse(options *o, int argc, char **argv) {
  floe_ice_config_init(&o->cfg, sizeof o->cfg);
  o->server.urls = o->urls;
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    if (!set_option(o, option, optarg)) return false;
  }
  o->cfg.ice_servers = &o->server;
  o->cfg.n_ice_servers = o->server.n_urls > 0 ? 1 : 0;
  return optind == argc;
}

static bool listen_to(floe_uv_ice_agent *agent, peer *p) {
  floe_uv_ice_agent_on_data(agent, on_data, p);
  return floe_uv_ice_agent_on_icegatheringstatechange(agent, on_gathering, p) == FLOE_OK &&
         floe_uv_ice_agent_on_icecandidate(agent, on_candidate, p) == FLOE_OK &&
         floe_uv_ice_agent_on_icecandidateerror(agent, on_error, p) == FLOE_OK &&
         floe_uv_ice_agent_on_iceservererror(agent, on_error, p) == FLOE_OK &&
         floe_uv_ice_agent_on_iceconnectionstatechange(agent, on_state, p) == FLOE_OK &&
         floe_uv_ice_agent_on_selectedcandidatepairchange(agent, on_pair, p) == FLOE_OK;
}

static void write_trace(void *user, const char *json, size_t len) {
  (void)user;
  (void)fprintf(stderr, "%.*s\n", (int)len, json);
}

/* With FLOE_TRACE in the environment, what the agent traces is on standard error. */
static floe_status make_driver(peer *p, floe_error *why) {
  floe_env_config env;
  floe_uv_config cfg;
  floe_env_config_init(&env, sizeof env);
  floe_uv_config_init(&cfg, sizeof cfg);
  env.trace = write_trace;
  env.trace_addresses = true;
  if (getenv("FLOE_TRACE") != NULL) cfg.env = &env;
  return floe_uv_new(&p->uv, &p->loop, &cfg, why);
}

static bool make_agent(peer *p, const options *o) {
  floe_error why;
  if (make_driver(p, &why) != FLOE_OK || floe_uv_ice_agent_new(&p->agent, p->uv, &o->cfg, &why) != FLOE_OK) {
    (void)fprintf(stderr, "floe_peer: %s: %s\n", why.path, why.message);
    return false;
  }
  if (o->role != FLOE_ICE_ROLE_UNKNOWN && floe_uv_ice_agent_set_role(p->agent, o->role) != FLOE_OK) return false;
  return listen_to(p->agent, p);
}

static int run(const options *o) {
  static peer p;
  if (uv_loop_init(&p.loop) != 0 || !make_agent(&p, o)) return 2;
  exchange_init(&p.data, send_data, &p);
  if (uv_pipe_init(&p.loop, &p.input, 0) != 0 || uv_pipe_open(&p.input, 0) != 0) return 2;
  if (uv_timer_init(&p.loop, &p.tick) != 0) return 2;
  p.input.data = p.tick.data = &p;
  if (uv_read_start((uv_stream_t *)&p.input, on_alloc, on_read) != 0) return 2;
  if (uv_timer_start(&p.tick, on_tick, EXCHANGE_TICK_MS, EXCHANGE_TICK_MS) != 0) return 2;
  begin_session(&p);
  (void)uv_run(&p.loop, UV_RUN_DEFAULT);
  return uv_loop_close(&p.loop) == 0 && p.has_connected && exchange_is_done(&p.data) ? 0 : 1;
}

int main(int argc, char **argv) {
  static options o;
  int status = 2;
  if (parse(&o, argc, argv)) {
    status = run(&o);
  } else {
    (void)fputs("floe_peer: wrong arguments\n", stderr);
  }
  free(o.ca);
  return status;
}
