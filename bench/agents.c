/* What an idle agent costs: bytes and descriptors, for 1, 100 and 10,000 agents in one process and one thread, and how
 * gathering time grows with their number. Each agent has gathered a host candidate on loopback and asked one STUN
 * server, which runs in a process of its own.
 *
 *   bench_agents [N...]
 *
 * "bytes" is what core and driver hold in the memory of the env, counted exactly;
 * "RSS" is what the process grew by. Kernel socket memory is in neither. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "floe/floe.h"
#include "floe/uv.h"
#include "testserver_uv/testserver_uv.h"

static void die(const char *what) {
  fprintf(stderr, "bench_agents: %s\n", what);
  exit(1);
}

static uint16_t start_server(pid_t *child) {
  int fds[2];
  uint16_t port = 0;
  if (pipe(fds) != 0) die("pipe");
  *child = fork();
  if (*child == 0) {
    uv_loop_t loop;
    floe_env *env;
    floe__testserver_uv *server;
    floe__ts_config cfg = {0};
    floe_addr addr;
    floe_addr bound;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (uv_loop_init(&loop) != 0 || floe_env_new(&env, NULL) != FLOE_OK) die("no memory");
    if (floe__testserver_uv_new(&server, &loop, env, &cfg) != 0) die("no server");
    if (!floe_addr_parse(&addr, "127.0.0.1")) die("address");
    if (floe__testserver_uv_listen(server, FLOE_TRANSPORT_UDP, &addr, NULL, &bound) != 0) die("cannot listen");
    if (write(fds[1], &bound.port, sizeof bound.port) < 0) die("cannot tell");
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
  }
  if (read(fds[0], &port, sizeof port) != (ssize_t)sizeof port) die("the server did not start");
  close(fds[0]);
  close(fds[1]);
  return port;
}

/* --- counting --------------------------------------------------------------------------------------------------- */

static size_t live_bytes;

static void *count(void *user, void *ptr, size_t size) {
  (void)user;
  size_t *block = ptr == NULL ? NULL : (size_t *)ptr - 2;
  if (block != NULL) live_bytes -= block[0];
  if (size == 0) {
    free(block);
    return NULL;
  }
  block = realloc(block, size + 2 * sizeof(size_t));
  if (block == NULL) die("no memory");
  block[0] = size;
  live_bytes += size;
  return block + 2;
}

static size_t resident(void) {
  FILE *f = fopen("/proc/self/statm", "r");
  unsigned long total;
  unsigned long pages;
  if (f == NULL || fscanf(f, "%lu %lu", &total, &pages) != 2) die("/proc/self/statm");
  fclose(f);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  size_t n = 0;
  if (dir == NULL) die("/proc/self/fd");
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n;
}

static size_t threads(void) {
  DIR *dir = opendir("/proc/self/task");
  size_t n = 0;
  if (dir == NULL) die("/proc/self/task");
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n - 2;
}

/* --- one row ---------------------------------------------------------------------------------------------------- */

static size_t completed;

static void on_state(const floe_event *event, void *user) {
  (void)user;
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) completed++;
}

static double cpu_ms(void) {
  struct rusage u;
  (void)getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void bench(size_t n, uint16_t port) {
  static const char *const interfaces[] = {"lo"};
  char url[40];
  const char *urls[] = {url};
  (void)snprintf(url, sizeof url, "stun:127.0.0.1:%u", port);
  floe_ice_server server = {.urls = urls, .n_urls = 1};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  cfg.n_ice_servers = 1;
  cfg.interfaces = interfaces;
  cfg.n_interfaces = 1;
  cfg.no_ipv6 = true;
  cfg.include_loopback = true;
  floe_env_config env = {.size = sizeof env, .reallocate = count};
  floe_uv_config uv_cfg;
  floe_uv_config_init(&uv_cfg, sizeof uv_cfg);
  uv_cfg.env = &env;
  uv_loop_t loop;
  floe_uv *uv;
  if (uv_loop_init(&loop) != 0 || floe_uv_new(&uv, &loop, &uv_cfg, NULL) != FLOE_OK) die("no driver");
  floe_uv_ice_agent **agents = calloc(n, sizeof *agents);
  if (agents == NULL) die("no memory");
  size_t bytes = live_bytes;
  size_t rss = resident();
  size_t fds = descriptors();
  double cpu = cpu_ms();
  uint64_t start = uv_hrtime();
  completed = 0;
  for (size_t i = 0; i < n; i++) {
    if (floe_uv_ice_agent_new(&agents[i], uv, &cfg, NULL) != FLOE_OK) die("no agent");
    if (floe_uv_ice_agent_on_icegatheringstatechange(agents[i], on_state, NULL) != FLOE_OK) die("no listener");
    if (floe_uv_ice_agent_gather(agents[i]) != FLOE_OK) die("cannot gather");
  }
  while (completed < n && uv_run(&loop, UV_RUN_ONCE) != 0) {
  }
  double wall = (double)(uv_hrtime() - start) / 1e6;
  cpu = cpu_ms() - cpu;
  size_t failed = 0;
  for (size_t i = 0; i < n; i++) {
    const floe_report *report = floe_ice_agent_report(floe_uv_ice_agent_core(agents[i]));
    if (report == NULL || report->verdict != FLOE_VERDICT_OK) failed++;
  }
  printf(
      "%6zu agents: %6.0f bytes, RSS %6.0f bytes, %.2f descriptors each; %zu thread(s); gathered in %.1f ms, "
      "%.1f us CPU each; %zu not ok\n",
      n, (double)(live_bytes - bytes) / (double)n, (double)(resident() - rss) / (double)n,
      (double)(descriptors() - fds) / (double)n, threads(), wall, cpu * 1e3 / (double)n, failed);
  for (size_t i = 0; i < n; i++) floe_uv_ice_agent_close(agents[i], NULL, NULL);
  floe_uv_close(uv);
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&loop) != 0) die("the loop is not empty");
  free(agents);
  if (failed > n / 100) die("more than one in a hundred did not reach the server");
}

int main(int argc, char **argv) {
  pid_t child;
  struct rlimit limit;
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  uint16_t port = start_server(&child);
  static const size_t standard[] = {1, 100, 10000};
  if (argc == 1) {
    for (size_t i = 0; i < 3; i++) bench(standard[i], port);
  }
  for (int i = 1; i < argc; i++) bench((size_t)strtoul(argv[i], NULL, 10), port);
  (void)kill(child, SIGTERM);
  (void)waitpid(child, NULL, 0);
  return 0;
}
