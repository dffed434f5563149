/* How long two agents take from exchanged descriptions to `connected`, how many connect in a second on one core, and
 * what a connected one holds in memory: on sockets of their own and on one socket for all (floe/mux.h).
 *
 *   bench_connecting time [PAIRS [MS]]   one pair after the other, over a path of so many milliseconds one way, beside
 * the floor: two round trips over the same path bench_connecting many [AGENTS...]    all at once, in one process and
 * one thread
 *
 * bench/connecting.sh runs it over paths of 0, 20 and 100 ms, beside libnice where that is installed. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "floe/floe.h"
#include "floe/uv.h"
#include "support/delay.h"

static void die(const char *what) {
  fprintf(stderr, "bench_connecting: %s\n", what);
  exit(1);
}

static double now_ms(void) {
  return (double)uv_hrtime() / 1e6;
}

static double cpu_ms(void) {
  struct rusage u;
  (void)getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* --- the floor --------------------------------------------------------------------------------------------------- */

static int open_udp(struct sockaddr_in *addr) {
  socklen_t len = sizeof *addr;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(addr, 0, sizeof *addr);
  addr->sin_family = AF_INET;
  addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)addr, sizeof *addr) != 0) die("bind");
  if (getsockname(fd, (struct sockaddr *)addr, &len) != 0) die("getsockname");
  return fd;
}

static void pass(int from, int to, const struct sockaddr_in *addr) {
  char buf[100] = {0};
  struct pollfd p = {.fd = to, .events = POLLIN};
  if (sendto(from, buf, sizeof buf, 0, (const struct sockaddr *)addr, sizeof *addr) < 0) die("sendto");
  if (poll(&p, 1, 5000) != 1 || recv(to, buf, sizeof buf, 0) < 0) die("the path loses packets");
}

static void put_between(delay *path, struct sockaddr_in *a, struct sockaddr_in *b) {
  uint16_t via_a, via_b;
  if (path == NULL) return;
  if (!delay_between(path, ntohs(a->sin_port), ntohs(b->sin_port), &via_a, &via_b)) die("no path");
  a->sin_port = htons(via_a);
  b->sin_port = htons(via_b);
}

/* One round trip of checks, one of nomination, of bare datagrams. */
static double floor_ms(delay *path) {
  struct sockaddr_in a_addr, b_addr;
  int a = open_udp(&a_addr);
  int b = open_udp(&b_addr);
  put_between(path, &a_addr, &b_addr);
  double best = 1e9;
  for (int i = 0; i < 10; i++) {
    double start = now_ms();
    for (int k = 0; k < 2; k++) {
      pass(a, b, &b_addr);
      pass(b, a, &a_addr);
    }
    double took = now_ms() - start;
    if (took < best) best = took;
  }
  close(a);
  close(b);
  return best;
}

/* --- counting ---------------------------------------------------------------------------------------------------- */

static void *count(void *user, void *ptr, size_t size) {
  size_t *live = user;
  size_t *block = ptr == NULL ? NULL : (size_t *)ptr - 2;
  if (block != NULL) *live -= block[0];
  if (size == 0) {
    free(block);
    return NULL;
  }
  block = realloc(block, size + 2 * sizeof(size_t));
  if (block == NULL) die("no memory");
  block[0] = size;
  *live += size;
  return block + 2;
}

/* --- sides ------------------------------------------------------------------------------------------------------- */

typedef struct side {
  size_t live;
  floe_uv *uv;
  floe_uv_ice_mux *mux; /* nullable */
  floe_uv_ice_agent **agents;
  size_t gathered, connected;
} side;

static void on_gathering(const floe_event *event, void *user) {
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) ((side *)user)->gathered++;
}

static void on_connection(const floe_event *event, void *user) {
  if (event->u.connection.state == FLOE_ICE_CONNECTION_CONNECTED) ((side *)user)->connected++;
  if (event->u.connection.state == FLOE_ICE_CONNECTION_FAILED) die(floe_cause_id(event->u.connection.cause));
}

static void configure(floe_ice_config *cfg) {
  static const char *const interfaces[] = {"lo"};
  floe_ice_config_init(cfg, sizeof *cfg);
  cfg->interfaces = interfaces;
  cfg->n_interfaces = 1;
  cfg->no_ipv6 = true;
  cfg->include_loopback = true;
}

static void open_side(side *s, uv_loop_t *loop, size_t n, bool on_mux) {
  memset(s, 0, sizeof *s);
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = count;
  env.user = &s->live;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  cfg.no_network_monitor = true;
  if (floe_uv_new(&s->uv, loop, &cfg, NULL) != FLOE_OK) die("no driver");
  s->agents = calloc(n, sizeof(floe_uv_ice_agent *));
  if (s->agents == NULL) die("no memory");
  if (!on_mux) return;
  floe_uv_ice_mux_config mux;
  floe_uv_ice_mux_config_init(&mux, sizeof mux);
  if (floe_uv_ice_mux_new(&s->mux, s->uv, &mux, NULL) != FLOE_OK) die("no multiplexer");
}

static void open_agent(side *s, size_t i) {
  floe_ice_config cfg;
  configure(&cfg);
  floe_status st = s->mux != NULL ? floe_uv_ice_agent_new_on_mux(&s->agents[i], s->mux, &cfg, NULL)
                                  : floe_uv_ice_agent_new(&s->agents[i], s->uv, &cfg, NULL);
  if (st != FLOE_OK) die("no agent");
  if (floe_uv_ice_agent_on_icegatheringstatechange(s->agents[i], on_gathering, s) != FLOE_OK ||
      floe_uv_ice_agent_on_iceconnectionstatechange(s->agents[i], on_connection, s) != FLOE_OK)
    die("no listener");
  if (floe_uv_ice_agent_gather(s->agents[i]) != FLOE_OK) die("cannot gather");
}

static void close_side(side *s, size_t n) {
  for (size_t i = 0; i < n; i++) floe_uv_ice_agent_close(s->agents[i], NULL, NULL);
  if (s->mux != NULL) floe_uv_ice_mux_close(s->mux);
  floe_uv_close(s->uv);
  free(s->agents);
}

static void give_description(floe_uv_ice_agent *from, floe_uv_ice_agent *to) {
  char text[2048];
  if (floe_uv_ice_agent_local_description(from, text, sizeof text) >= sizeof text) die("the description is long");
  if (floe_uv_ice_agent_set_remote_description(to, text, NULL) != FLOE_OK) die("the description is refused");
}

/* The description as the peer gets it when a path with a delay is between: it shows the address that stands for us. */
static void give_description_via(floe_uv_ice_agent *from, floe_uv_ice_agent *to, uint16_t via) {
  const floe_ice_parameters *params = floe_uv_ice_agent_local_parameters(from);
  char text[1024];
  (void)snprintf(text, sizeof text,
                 "a=ice-ufrag:%s\na=ice-pwd:%s\na=candidate:1 1 udp 2130706431 127.0.0.1 %u typ host\n", params->ufrag,
                 params->pwd, via);
  if (floe_uv_ice_agent_set_remote_description(to, text, NULL) != FLOE_OK) die("the description is refused");
}

static uint16_t port_of(floe_uv_ice_agent *agent) {
  const floe_ice_candidate *const *list;
  if (floe_ice_agent_local_candidates(floe_uv_ice_agent_core(agent), &list) != 1) die("not one candidate");
  return list[0]->address.port;
}

static void run_until(uv_loop_t *loop, const size_t *a, const size_t *b, size_t n) {
  while (*a < n || *b < n) {
    if (uv_run(loop, UV_RUN_ONCE) == 0) die("nothing happens any more");
  }
}

/* --- one pair after the other ------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double connect_once(delay *path) {
  uv_loop_t loop;
  side a, b;
  if (uv_loop_init(&loop) != 0) die("no loop");
  open_side(&a, &loop, 1, false);
  open_side(&b, &loop, 1, false);
  open_agent(&a, 0);
  open_agent(&b, 0);
  run_until(&loop, &a.gathered, &b.gathered, 1);
  uint16_t via_a = 0, via_b = 0;
  if (path != NULL && !delay_between(path, port_of(a.agents[0]), port_of(b.agents[0]), &via_a, &via_b)) die("no path");
  double start = now_ms();
  if (floe_uv_ice_agent_set_role(a.agents[0], FLOE_ICE_ROLE_CONTROLLING) != FLOE_OK ||
      floe_uv_ice_agent_set_role(b.agents[0], FLOE_ICE_ROLE_CONTROLLED) != FLOE_OK)
    die("role");
  if (path == NULL) {
    give_description(a.agents[0], b.agents[0]);
    give_description(b.agents[0], a.agents[0]);
  } else {
    give_description_via(a.agents[0], b.agents[0], via_a);
    give_description_via(b.agents[0], a.agents[0], via_b);
  }
  run_until(&loop, &a.connected, &b.connected, 1);
  double took = now_ms() - start;
  close_side(&a, 1);
  close_side(&b, 1);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop) != 0) die("the loop is not empty");
  return took;
}

static void bench_time(size_t n, unsigned one_way_ms) {
  double *took = calloc(n, sizeof *took);
  delay d;
  delay *path = one_way_ms == 0 ? NULL : &d;
  if (took == NULL) die("no memory");
  if (path != NULL && !delay_start(path, one_way_ms)) die("no path");
  double floor = floor_ms(path);
  for (size_t i = 0; i < n; i++) took[i] = connect_once(path);
  if (path != NULL) delay_stop(path);
  qsort(took, n, sizeof *took, by_value);
  printf("floe:    connected in %7.2f ms (median of %zu; %.2f to %.2f); floor %.2f ms; floor + %.2f ms\n", took[n / 2],
         n, took[0], took[n - 1], floor, took[n / 2] - floor);
  free(took);
}

#define UNDER_WAY 64

/* --- all at once ------------------------------------------------------------------------------------------------- */

static void bench_many(size_t n, bool on_mux) {
  uv_loop_t loop;
  side a, b;
  if (uv_loop_init(&loop) != 0) die("no loop");
  open_side(&a, &loop, n, !on_mux); /* so that descriptors do for 10,000 */
  open_side(&b, &loop, n, on_mux);
  size_t before = b.live;
  for (size_t i = 0; i < n; i++) {
    open_agent(&a, i);
    open_agent(&b, i);
    run_until(&loop, &a.gathered, &b.gathered, i < UNDER_WAY ? 0 : i - UNDER_WAY);
  }
  run_until(&loop, &a.gathered, &b.gathered, n);
  double start = now_ms();
  double cpu = cpu_ms();
  for (size_t i = 0; i < n; i++) {
    if (floe_uv_ice_agent_set_role(a.agents[i], FLOE_ICE_ROLE_CONTROLLING) != FLOE_OK ||
        floe_uv_ice_agent_set_role(b.agents[i], FLOE_ICE_ROLE_CONTROLLED) != FLOE_OK)
      die("role");
    give_description(a.agents[i], b.agents[i]);
    give_description(b.agents[i], a.agents[i]);
    /* One socket's buffer holds some 250 checks: as many peers come to a server one after the other. */
    run_until(&loop, &a.connected, &b.connected, i < UNDER_WAY ? 0 : i - UNDER_WAY);
  }
  run_until(&loop, &a.connected, &b.connected, n);
  double wall = now_ms() - start;
  cpu = cpu_ms() - cpu;
  for (int i = 0; i < 5; i++) (void)uv_run(&loop, UV_RUN_NOWAIT);
  printf("%6zu agents, %-15s %6.0f bytes each; connected in %.1f ms, %.1f us CPU each: %.0f agents a second\n", n,
         on_mux ? "multiplexed:" : "own sockets:", (double)(b.live - before) / (double)n, wall,
         cpu * 1e3 / (double)(2 * n), (double)(2 * n) / cpu * 1e3);
  close_side(&a, n);
  close_side(&b, n);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop) != 0) die("the loop is not empty");
}

int main(int argc, char **argv) {
  struct rlimit limit;
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  static const size_t standard[] = {1, 1000, 10000};
  if (argc > 1 && strcmp(argv[1], "time") == 0) {
    unsigned one_way_ms = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    bench_time(argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 40, one_way_ms);
    return 0;
  }
  int first = argc > 1 && strcmp(argv[1], "many") == 0 ? 2 : 1;
  if (argc <= first && argc < 2) bench_time(40, 0);
  for (int mux = 0; mux < 2; mux++) {
    for (size_t i = 0; argc <= first && i < 3; i++) bench_many(standard[i], mux != 0);
    for (int i = first; i < argc; i++) bench_many((size_t)strtoul(argv[i], NULL, 10), mux != 0);
  }
  return 0;
}
