/* How long gathering takes on loopback, beside the floor of the same packets exchanged by plain sockets:
 *
 *   bench_gathering time      from start to `complete`: STUN and TURN at 0 and 20 ms round trip
 *   bench_gathering errors    until a refused, a reset and a NXDOMAIN server is reported
 *   bench_gathering side      64 servers, half of them dead, side by side
 *
 * The servers run in a process of their own. A round trip of 20 ms is the server answering 20 ms late, which the floor
 * meets as well. Prints medians of ROUNDS rounds; the machine is noisy, so compare columns, not runs. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "floe/floe.h"
#include "floe/uv.h"
#include "testserver_uv/testserver_uv.h"

#define ROUNDS 31
#define MANY   64

static void die(const char *what) {
  fprintf(stderr, "bench_gathering: %s\n", what);
  exit(1);
}

static double now_ms(void) {
  return (double)uv_hrtime() / 1e6;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, compare);
  return values[n / 2];
}

/* --- the servers, in a child ----------------------------------------------------------------------------------- */

typedef struct ports {
  uint16_t good, late, tcp, tls, reset, dns;
  uint16_t many[MANY];   /* good servers */
  uint16_t silent[MANY]; /* that never answer */
  char ca[4096];
} ports;

static uint16_t listen_at(floe__testserver_uv *server, floe_transport transport, const char *script) {
  floe__ts_script s;
  char why[200];
  size_t offset;
  floe_addr addr;
  floe_addr bound;
  if (!floe__ts_script_parse(&s, script, why, sizeof why, &offset)) die(why);
  if (!floe_addr_parse(&addr, "127.0.0.1")) die("address");
  if (floe__testserver_uv_listen(server, transport, &addr, &s, &bound) != 0) die("cannot listen");
  return bound.port;
}

/* A DNS server that knows no name. */
static void on_question(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  (void)flags;
  if (n < 12 || from == NULL) return;
  uint8_t *p = (uint8_t *)buf->base;
  p[2] = (uint8_t)(0x80 | (p[2] & 1)); /* a response */
  p[3] = 0x83;                         /* recursion available, NXDOMAIN */
  memset(p + 6, 0, 6);                 /* no answer, authority, additional */
  size_t end = 12;
  while (end < (size_t)n && p[end] != 0) end += (size_t)p[end] + 1;
  uv_buf_t answer = uv_buf_init(buf->base, (unsigned)(end + 5));
  (void)uv_udp_try_send(udp, &answer, 1, from);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static char bytes[2048];
  (void)handle, (void)suggested;
  *buf = uv_buf_init(bytes, sizeof bytes);
}

static uint16_t serve_dns(uv_loop_t *loop, uv_udp_t *udp) {
  struct sockaddr_in addr = {.sin_family = AF_INET};
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int len = sizeof addr;
  if (uv_udp_init(loop, udp) != 0 || uv_udp_bind(udp, (const struct sockaddr *)&addr, 0) != 0) die("cannot bind");
  if (uv_udp_recv_start(udp, on_alloc, on_question) != 0) die("cannot receive");
  if (uv_udp_getsockname(udp, (struct sockaddr *)&addr, &len) != 0) die("no name");
  return ntohs(addr.sin_port);
}

static void serve(int fd) {
  uv_loop_t loop;
  floe_env *env;
  floe__testserver_uv *server;
  uv_udp_t dns;
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  floe__ts_config cfg = {.username = "user", .credential = "secret"};
  if (!floe_addr_parse(&cfg.relay_ipv4, "127.0.0.1")) die("address");
  if (uv_loop_init(&loop) != 0 || floe_env_new(&env, NULL) != FLOE_OK) die("no memory");
  if (floe__testserver_uv_new(&server, &loop, env, &cfg) != 0) die("no server");
  ports p = {0};
  p.good = listen_at(server, FLOE_TRANSPORT_UDP, "correct");
  p.late = listen_at(server, FLOE_TRANSPORT_UDP, "late=20");
  p.tcp = listen_at(server, FLOE_TRANSPORT_TCP, "correct");
  p.tls = listen_at(server, FLOE_TRANSPORT_TLS, "correct");
  p.reset = listen_at(server, FLOE_TRANSPORT_TCP, "reset-after-accept");
  for (size_t i = 0; i < MANY; i++) {
    p.many[i] = listen_at(server, FLOE_TRANSPORT_UDP, "correct");
    p.silent[i] = listen_at(server, FLOE_TRANSPORT_UDP, "silent");
  }
  p.dns = serve_dns(&loop, &dns);
  (void)snprintf(p.ca, sizeof p.ca, "%s", floe__testserver_ca_pem(floe__testserver_uv_core(server)));
  if (write(fd, &p, sizeof p) != (ssize_t)sizeof p) die("cannot tell the ports");
  (void)uv_run(&loop, UV_RUN_DEFAULT);
}

static ports start_servers(pid_t *child) {
  int fds[2];
  ports p;
  if (pipe(fds) != 0) die("pipe");
  *child = fork();
  if (*child < 0) die("fork");
  if (*child == 0) {
    close(fds[0]);
    serve(fds[1]);
    _exit(0);
  }
  close(fds[1]);
  if (read(fds[0], &p, sizeof p) != (ssize_t)sizeof p) die("the servers did not start");
  close(fds[0]);
  return p;
}

/* A port on which nothing listens. */
static uint16_t closed_port(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in addr = {.sin_family = AF_INET};
  socklen_t len = sizeof addr;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (const struct sockaddr *)&addr, len) != 0) die("bind");
  if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) die("getsockname");
  close(fd);
  return ntohs(addr.sin_port);
}

/* --- the floor: the same number of round trips with a plain socket ---------------------------------------------- */

static double floor_round(uint16_t port, int trips) {
  static const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
  uint8_t answer[1500];
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  double start = now_ms();
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) != 0) die("connect");
  for (int i = 0; i < trips; i++) {
    if (send(fd, request, sizeof request, 0) < 0 || recv(fd, answer, sizeof answer, 0) < 0) die("no answer");
  }
  double elapsed = now_ms() - start;
  close(fd);
  return elapsed;
}

static double floor_median(uint16_t port, int trips) {
  double times[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) times[i] = floor_round(port, trips);
  return median(times, ROUNDS);
}

/* --- one gathering ---------------------------------------------------------------------------------------------- */

typedef struct run {
  double started, first_error, completed;
  size_t errors, candidates;
} run;

static void on_event(const floe_event *event, void *user) {
  run *r = user;
  if (event->type == FLOE_EVENT_ICECANDIDATE && event->u.candidate != NULL) r->candidates++;
  if (event->type == FLOE_EVENT_ICECANDIDATEERROR && r->errors++ == 0) r->first_error = now_ms() - r->started;
  if (event->type == FLOE_EVENT_ICEGATHERINGSTATECHANGE && event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) {
    r->completed = now_ms() - r->started;
  }
}

static run gather_once(const floe_ice_config *cfg, uint16_t dns_port) {
  uv_loop_t loop;
  floe_uv *uv;
  floe_uv_ice_agent *agent;
  floe_uv_config uv_cfg;
  char dns[40];
  const char *dns_servers[] = {dns};
  run r = {0};
  floe_uv_config_init(&uv_cfg, sizeof uv_cfg);
  if (dns_port != 0) {
    (void)snprintf(dns, sizeof dns, "127.0.0.1:%u", dns_port);
    uv_cfg.dns_servers = dns_servers;
    uv_cfg.n_dns_servers = 1;
  }
  if (uv_loop_init(&loop) != 0 || floe_uv_new(&uv, &loop, &uv_cfg, NULL) != FLOE_OK) die("no driver");
  r.started = now_ms();
  if (floe_uv_ice_agent_new(&agent, uv, cfg, NULL) != FLOE_OK) die("no agent");
  for (int type = 0; type < FLOE_EVENT_COUNT; type++) {
    if (floe_uv_ice_agent_add_event_listener(agent, (floe_event_type)type, on_event, &r) != FLOE_OK) die("listener");
  }
  if (floe_uv_ice_agent_gather(agent) != FLOE_OK) die("cannot gather");
  while (r.completed == 0 && uv_run(&loop, UV_RUN_ONCE) != 0) {
  }
  floe_uv_ice_agent_close(agent, NULL, NULL);
  floe_uv_close(uv);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop) != 0) die("the loop is not empty");
  return r;
}

static floe_ice_config config_of(const floe_ice_server *servers, size_t n) {
  static const char *const interfaces[] = {"lo"};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = servers;
  cfg.n_ice_servers = n;
  cfg.max_ice_servers = 256;
  cfg.interfaces = interfaces;
  cfg.n_interfaces = 1;
  cfg.no_ipv6 = true;
  cfg.include_loopback = true;
  return cfg;
}

static run median_run(const char *url, uint16_t dns_port, const char *ca) {
  const char *urls[] = {url};
  floe_ice_server server = {.urls = urls, .n_urls = 1, .username = "user", .credential = "secret"};
  floe_ice_config cfg = config_of(&server, 1);
  cfg.ca_pem = (floe_bytes){(const uint8_t *)ca, strlen(ca)};
  double complete[ROUNDS];
  double error[ROUNDS];
  run r = {0};
  for (int i = 0; i < ROUNDS; i++) {
    r = gather_once(&cfg, dns_port);
    complete[i] = r.completed;
    error[i] = r.first_error;
  }
  r.completed = median(complete, ROUNDS);
  r.first_error = median(error, ROUNDS);
  return r;
}

/* --- the benchmarks --------------------------------------------------------------------------------------------- */

static void print_row(const char *what, double ours, double floor_ms, const char *floor_name) {
  printf("%-34s %9.2f ms   floor %8.2f ms (%s)   + %.2f ms\n", what, ours, floor_ms, floor_name, ours - floor_ms);
}

static void bench_time(const ports *p) {
  static const struct {
    const char *what, *scheme;
    bool late;
    int trips;
    const char *floor_name;
  } rows[] = {
      {"STUN, 0 ms", "stun", false, 1, "1 round trip"},
      {"TURN over UDP, 0 ms", "turn", false, 2, "2 round trips"},
      {"STUN, 20 ms", "stun", true, 1, "1 round trip"},
      {"TURN over UDP, 20 ms", "turn", true, 2, "2 round trips"},
  };
  printf("From start to complete, median of %d\n", ROUNDS);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char url[64];
    uint16_t port = rows[i].late ? p->late : p->good;
    (void)snprintf(url, sizeof url, "%s:127.0.0.1:%u", rows[i].scheme, port);
    run r = median_run(url, 0, "");
    if (r.errors != 0) die("a good server was reported");
    print_row(rows[i].what, r.completed, floor_median(port, rows[i].trips), rows[i].floor_name);
  }
  char url[80];
  (void)snprintf(url, sizeof url, "turn:127.0.0.1:%u?transport=tcp", p->tcp);
  printf("%-34s %9.2f ms\n", "TURN over TCP, 0 ms", median_run(url, 0, "").completed);
  (void)snprintf(url, sizeof url, "turns:127.0.0.1:%u", p->tls);
  printf("%-34s %9.2f ms\n", "TURN over TLS, 0 ms", median_run(url, 0, p->ca).completed);
}

static void bench_errors(const ports *p) {
  char url[80];
  double trip = floor_median(p->good, 1);
  printf("From start to the event, median of %d\n", ROUNDS);
  (void)snprintf(url, sizeof url, "stun:127.0.0.1:%u", closed_port());
  print_row("refused over UDP", median_run(url, 0, "").first_error, trip, "1 round trip");
  (void)snprintf(url, sizeof url, "turn:127.0.0.1:%u?transport=tcp", closed_port());
  print_row("refused over TCP", median_run(url, 0, "").first_error, trip, "1 round trip");
  (void)snprintf(url, sizeof url, "turn:127.0.0.1:%u?transport=tcp", p->reset);
  print_row("reset after accept", median_run(url, 0, "").first_error, trip, "1 round trip");
  print_row("NXDOMAIN", median_run("stun:nowhere.example", p->dns, "").first_error, trip, "1 round trip");
}

/* `n` servers: the first `silent` of them never answer, the next `refused` have a closed port. */
static double gather_many(const ports *p, size_t n, size_t silent, size_t refused) {
  static char texts[MANY][40];
  static const char *urls[MANY];
  for (size_t i = 0; i < n; i++) {
    uint16_t port = i < silent ? p->silent[i] : i < silent + refused ? closed_port() : p->many[i];
    (void)snprintf(texts[i], sizeof texts[i], "stun:127.0.0.1:%u", port);
    urls[i] = texts[i];
  }
  floe_ice_server server = {.urls = urls, .n_urls = n};
  floe_ice_config cfg = config_of(&server, 1);
  return gather_once(&cfg, 0).completed;
}

static void bench_side(const ports *p) {
  const double starts = (MANY - 1) * 5.0; /* Ta = 5 ms between the starts of two attempts */
  printf("Side by side, start to complete\n");
  printf("%-34s %9.2f ms\n", "1 good server", gather_many(p, 1, 0, 0));
  printf("%-34s %9.2f ms\n", "1 silent server", gather_many(p, 1, 1, 0));
  print_row("64 good servers", gather_many(p, MANY, 0, 0), starts, "63 x Ta");
  print_row("64 servers, 32 refused", gather_many(p, MANY, 0, MANY / 2), starts, "63 x Ta");
  print_row("64 servers, 32 silent", gather_many(p, MANY, MANY / 2, 0), 5000 + (MANY / 2 - 1) * 5.0,
            "31 x Ta + 5 s of silence");
}

int main(int argc, char **argv) {
  pid_t child;
  ports p = start_servers(&child);
  const char *which = argc > 1 ? argv[1] : "all";
  bool all = strcmp(which, "all") == 0;
  if (all || strcmp(which, "time") == 0) bench_time(&p);
  if (all || strcmp(which, "errors") == 0) bench_errors(&p);
  if (all || strcmp(which, "side") == 0) bench_side(&p);
  (void)kill(child, SIGTERM);
  (void)waitpid(child, NULL, 0);
  return 0;
}
