#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exit_status.h"
#include "human.h"
#include "progress.h"
#include "round.h"
#include "testserver_uv/testserver_uv.h"

#define DEMO_USER     "demo"
#define DEMO_PASSWORD "demo-password"

/* Enough to see that nothing comes; a real check waits longer. */
enum { SILENCE_MS = 2000, CLOSE_LIMIT_MS = 2000 };

/* One thing to show, and what must come out of it. */
typedef struct demo_case {
  const char *title;
  const char *text;
  const char *scheme;
  const char *query;
  floe_transport listen_on;
  const char *script; /* nullable: correct; "closed": nothing listens */
  bool wrong_password;
  floe_verdict verdict;
  floe_cause cause;
} demo_case;

static const demo_case cases[] = {
    {"A good STUN server", "It tells the address that it sees us under.", "stun", "", FLOE_TRANSPORT_UDP, NULL, false,
     FLOE_VERDICT_OK, FLOE_CAUSE_NONE},
    {"A good TURN server over UDP", "It gives a relay address, and what we send through it arrives.", "turn", "",
     FLOE_TRANSPORT_UDP, NULL, false, FLOE_VERDICT_OK, FLOE_CAUSE_NONE},
    {"A good TURN server over TCP", "For networks that let no UDP through.", "turn", "?transport=tcp",
     FLOE_TRANSPORT_TCP, NULL, false, FLOE_VERDICT_OK, FLOE_CAUSE_NONE},
    {"A good TURN server over TLS", "Its certificate is looked at, and how long it still lasts.", "turns", "",
     FLOE_TRANSPORT_TLS, NULL, false, FLOE_VERDICT_OK, FLOE_CAUSE_NONE},
    {"A wrong password", "The server answers, and these are its words.", "turn", "", FLOE_TRANSPORT_UDP, NULL, true,
     FLOE_VERDICT_FAILED, FLOE_CAUSE_AUTH_REJECTED},
    {"A port on which nothing listens", "The host says so with ICMP: there is nothing to wait for.", "turn", "",
     FLOE_TRANSPORT_UDP, "closed", false, FLOE_VERDICT_FAILED, FLOE_CAUSE_PORT_UNREACHABLE},
    {"A server that never answers", "As behind a firewall that drops. The demo waits 2 s, a check 5 s.", "turn", "",
     FLOE_TRANSPORT_UDP, "silent", false, FLOE_VERDICT_FAILED, FLOE_CAUSE_UDP_TIMEOUT},
    {"An expired certificate", "Browsers say 701 and nothing else.", "turns", "", FLOE_TRANSPORT_TLS, "tls-expired",
     false, FLOE_VERDICT_FAILED, FLOE_CAUSE_TLS_EXPIRED},
    {"A dead relay", "The allocation succeeds, but no data gets through: only sending some shows that.", "turn", "",
     FLOE_TRANSPORT_UDP, "relay-nothing", false, FLOE_VERDICT_FAILED, FLOE_CAUSE_RELAY_NO_DATA},
};

enum { N_CASES = sizeof cases / sizeof cases[0] };

typedef struct demo {
  const floe__check_options *options;
  floe__session session;
  floe__testserver_uv *server;
  floe__progress progress;
  unsigned shown_right;
} demo;

/* --- the servers ------------------------------------------------------------------------------------------------ */

static bool start_server(demo *d) {
  floe__ts_config cfg;
  memset(&cfg, 0, sizeof cfg);
  cfg.realm = "demo.floe.test";
  cfg.username = DEMO_USER;
  cfg.credential = DEMO_PASSWORD;
  cfg.fingerprint = true;
  if (!floe_addr_parse(&cfg.relay_ipv4, "127.0.0.1")) return false;
  return floe__testserver_uv_new(&d->server, &d->session.loop, floe_uv_env(d->session.uv), &cfg) == 0;
}

/* A port that was free a moment ago. */
static bool find_closed_port(demo *d, floe_addr *bound) {
  uv_udp_t probe;
  struct sockaddr_in in;
  int len = sizeof in;
  bool closed = false;
  if (uv_ip4_addr("127.0.0.1", 0, &in) != 0 || uv_udp_init(&d->session.loop, &probe) != 0) return false;
  bool found = uv_udp_bind(&probe, (const struct sockaddr *)&in, 0) == 0 &&
               uv_udp_getsockname(&probe, (struct sockaddr *)&in, &len) == 0;
  bound->port = ntohs(in.sin_port);
  uv_close((uv_handle_t *)&probe, NULL);
  (void)floe__session_wait_cleanup(&d->session, &closed, 1);
  return found;
}

static bool start_case(demo *d, const demo_case *c, floe_addr *bound) {
  floe__ts_script script;
  char why[160];
  size_t offset;
  if (!floe_addr_parse(bound, "127.0.0.1")) return false;
  if (c->script != NULL && strcmp(c->script, "closed") == 0) return find_closed_port(d, bound);
  if (!floe__ts_script_parse(&script, c->script == NULL ? "correct" : c->script, why, sizeof why, &offset))
    return false;
  const floe_addr any_port = *bound;
  return floe__testserver_uv_listen(d->server, c->listen_on, &any_port, &script, bound) == 0;
}

static void set_true(void *user) {
  *(bool *)user = true;
}

static void stop_server(demo *d) {
  bool closed = false;
  if (d->server == NULL) return;
  floe__testserver_uv_close(d->server, set_true, &closed);
  (void)floe__session_wait_cleanup(&d->session, &closed, CLOSE_LIMIT_MS);
}

/* --- showing ---------------------------------------------------------------------------------------------------- */

static void on_tick(void *user) {
  demo *d = user;
  floe__progress_draw(&d->progress, floe_uv_now(d->session.uv) / FLOE_MS);
}

static void on_event(const floe_event *event, void *user) {
  floe__progress_event(&((demo *)user)->progress, event);
}

static void on_step(const char *step, void *user) {
  floe__progress_step(&((demo *)user)->progress, step);
}

static void print_heading(const floe__human *h, size_t number, const demo_case *c, const char *url) {
  const char *on = h->colour ? "\033[1m" : "", *off = h->colour ? "\033[0m" : "";
  bool turn = c->scheme[0] == 't';
  const char *quote = c->query[0] == '\0' ? "" : "'";
  (void)fprintf(h->out, "%s%zu. %s%s\n   %s\n\n", on, number, c->title, off, c->text);
  (void)fprintf(h->out, "$ floe check %s%s%s%s\n", turn ? "--user " DEMO_USER " " : "", quote, url, quote);
}

static void print_outcome(demo *d, const floe__human *h, const demo_case *c, const floe__check_result *result) {
  const floe__check_server *s = &result->servers[0];
  floe__human_print_server(h, s);
  (void)fprintf(h->out, "exit status %d\n", floe__exit_of_result(result));
  if (s->verdict == c->verdict && s->cause == c->cause) {
    d->shown_right++;
  } else {
    (void)fprintf(h->out, "THE DEMO IS WRONG HERE: %s, %s was to be shown\n", floe_verdict_name(c->verdict),
                  floe_cause_id(c->cause));
  }
  (void)fputc('\n', h->out);
}

static void show_url(demo *d, const floe__human *h, const demo_case *c, const char *url) {
  bool turn = c->scheme[0] == 't';
  const floe_ice_server server = {.urls = &url,
                                  .n_urls = 1,
                                  .username = turn ? DEMO_USER : NULL,
                                  .credential = !turn               ? NULL
                                                : c->wrong_password ? "not-the-password"
                                                                    : DEMO_PASSWORD};
  const char *ca = floe__testserver_ca_pem(floe__testserver_uv_core(d->server));
  floe_ice_config cfg;
  floe_error why;
  floe__round round;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  cfg.no_ipv6 = true;
  if (c->listen_on == FLOE_TRANSPORT_TLS && ca != NULL) cfg.ca_pem = (floe_bytes){(const uint8_t *)ca, strlen(ca)};
  if (c->cause == FLOE_CAUSE_UDP_TIMEOUT) cfg.timing.server_timeout_ms = SILENCE_MS;
  const floe__round_plan plan = {
      .cfg = &cfg, .n_asked = 1, .relay_test = true, .on_event = on_event, .on_step = on_step, .user = d};
  floe__progress_init(&d->progress, stderr, floe_uv_now(d->session.uv) / FLOE_MS);
  floe__round_end end = floe__round_run(&round, &d->session, &plan, &why);
  floe__progress_erase(&d->progress);
  if (end == FLOE__ROUND_DONE) print_outcome(d, h, c, &round.result);
  if (end == FLOE__ROUND_REFUSED) (void)fprintf(h->out, "THE DEMO IS WRONG HERE: %s\n\n", why.message);
  floe__round_close(&round, &d->session);
}

static void show_case(demo *d, size_t number) {
  const demo_case *c = &cases[number];
  floe__human h;
  floe_addr bound;
  char url[FLOE_ADDR_TEXT + 32], address[FLOE_ADDR_TEXT];
  floe__human_init(&h, stdout, d->options->verbose, (int64_t)time(NULL));
  if (!start_case(d, c, &bound)) {
    (void)fprintf(h.out, "%zu. %s\n\nTHE DEMO IS WRONG HERE: cannot listen on 127.0.0.1\n\n", number + 1, c->title);
    return;
  }
  (void)snprintf(url, sizeof url, "%s:%s%s", c->scheme, floe_addr_format(&bound, address), c->query);
  print_heading(&h, number + 1, c, url);
  show_url(d, &h, c, url);
  floe__session_check_output(&d->session);
}

static int run(demo *d) {
  (void)printf(
      "floe check --demo: servers of our own on this host, good ones and bad ones, and what floe check says of\n"
      "each. Nothing leaves this host.\n\n");
  for (size_t i = 0; i < N_CASES && !floe__session_is_stopping(&d->session); i++) show_case(d, i);
  if (d->session.output_lost) return floe__exit_of_lost_output(d->session.output_error);
  if (d->session.stop_signal != 0) return 128 + d->session.stop_signal;
  (void)printf("%u of %d cases showed what they should.\n", d->shown_right, (int)N_CASES);
  if (d->shown_right == N_CASES) {
    (void)printf("Now with a server of yours: floe check --user NAME turn:HOST     (floe check --help)\n");
  }
  return d->shown_right == N_CASES ? FLOE__EXIT_OK : FLOE__EXIT_OTHER;
}

int floe__demo_run(const floe__check_options *o, const floe_env_config *env) {
  demo d = {.options = o};
  floe_error why;
  if (floe__session_open_env(&d.session, NULL, 0, env, &why) != FLOE_OK) {
    (void)fprintf(stderr, "floe check: %s\n", why.message);
    return FLOE__EXIT_OTHER;
  }
  d.session.on_tick = on_tick;
  d.session.tick_user = &d;
  int status = FLOE__EXIT_OTHER;
  if (start_server(&d)) {
    status = run(&d);
  } else {
    (void)fputs("floe check: cannot start the demo's server\n", stderr);
  }
  stop_server(&d);
  floe__session_close(&d.session);
  return status;
}
