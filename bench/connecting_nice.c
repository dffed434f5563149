/* The same as bench/connecting.c with libnice, where Debian's libnice-dev is installed: one pair after the other, and a
 * number of pairs of which 64 are under way at a time.
 *
 *   bench_connecting_nice time [PAIRS [MS]]
 *   bench_connecting_nice many [AGENTS...] */
#include <agent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "support/delay.h"

typedef struct peer {
  NiceAgent *agent;
  guint stream;
  gboolean gathered, connected;
} peer;

#define UNDER_WAY 64

static GMainContext *context;

static double now_ms(void) {
  return (double)g_get_monotonic_time() / 1e3;
}

static double cpu_ms(void) {
  struct rusage u;
  (void)getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer user_data) {
  (void)agent;
  (void)stream;
  ((peer *)user_data)->gathered = TRUE;
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer user_data) {
  (void)agent;
  (void)stream;
  (void)component;
  if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) {
    ((peer *)user_data)->connected = TRUE;
  }
  if (state == NICE_COMPONENT_STATE_FAILED) {
    fprintf(stderr, "bench_connecting_nice: a connection failed\n");
    exit(1);
  }
}

static void on_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer user_data) {
  (void)agent;
  (void)stream;
  (void)component;
  (void)len;
  (void)buf;
  (void)user_data;
}

static void open_peer(peer *p, gboolean controlling) {
  NiceAddress addr;
  memset(p, 0, sizeof *p);
  nice_address_init(&addr);
  (void)nice_address_set_from_string(&addr, "127.0.0.1");
  p->agent = nice_agent_new(context, NICE_COMPATIBILITY_RFC5245);
  g_object_set(p->agent, "controlling-mode", controlling, "upnp", FALSE, "ice-tcp", FALSE, NULL);
  (void)nice_agent_add_local_address(p->agent, &addr);
  p->stream = nice_agent_add_stream(p->agent, 1);
  g_signal_connect(p->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), p);
  g_signal_connect(p->agent, "component-state-changed", G_CALLBACK(on_state), p);
  (void)nice_agent_attach_recv(p->agent, p->stream, 1, context, on_data, p);
  (void)nice_agent_gather_candidates(p->agent, p->stream);
}

static guint port_of(peer *p) {
  GSList *list = nice_agent_get_local_candidates(p->agent, p->stream, 1);
  guint port = nice_address_get_port(&((NiceCandidate *)list->data)->addr);
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  return port;
}

/* `via`: 0, or the port that stands for us on a path with a delay. */
static void give_description(peer *from, peer *to, guint via) {
  gchar *ufrag = NULL, *pwd = NULL;
  (void)nice_agent_get_local_credentials(from->agent, from->stream, &ufrag, &pwd);
  (void)nice_agent_set_remote_credentials(to->agent, to->stream, ufrag, pwd);
  GSList *list = nice_agent_get_local_candidates(from->agent, from->stream, 1);
  if (via != 0) nice_address_set_port(&((NiceCandidate *)list->data)->addr, via);
  (void)nice_agent_set_remote_candidates(to->agent, to->stream, 1, list);
  g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
  g_free(ufrag);
  g_free(pwd);
}

static void wait_gathered(peer *p) {
  while (!p->gathered) (void)g_main_context_iteration(context, TRUE);
}

static void wait_connected(peer *p) {
  while (!p->connected) (void)g_main_context_iteration(context, TRUE);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void bench_time(size_t n, unsigned one_way_ms) {
  double *took = g_new0(double, n);
  delay d;
  if (one_way_ms != 0 && !delay_start(&d, one_way_ms)) exit(1);
  for (size_t i = 0; i < n; i++) {
    peer a, b;
    open_peer(&a, TRUE);
    open_peer(&b, FALSE);
    wait_gathered(&a);
    wait_gathered(&b);
    uint16_t via_a = 0, via_b = 0;
    if (one_way_ms != 0 && !delay_between(&d, (uint16_t)port_of(&a), (uint16_t)port_of(&b), &via_a, &via_b)) exit(1);
    double start = now_ms();
    give_description(&a, &b, via_a);
    give_description(&b, &a, via_b);
    wait_connected(&a);
    wait_connected(&b);
    took[i] = now_ms() - start;
    g_object_unref(a.agent);
    g_object_unref(b.agent);
  }
  qsort(took, n, sizeof *took, by_value);
  printf("libnice: connected in %7.2f ms (median of %zu; %.2f to %.2f)\n", took[n / 2], n, took[0], took[n - 1]);
  g_free(took);
}

static void bench_many(size_t n) {
  peer *a = g_new0(peer, n);
  peer *b = g_new0(peer, n);
  size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < n; i++) {
    open_peer(&a[i], TRUE);
    open_peer(&b[i], FALSE);
  }
  for (size_t i = 0; i < n; i++) {
    wait_gathered(&a[i]);
    wait_gathered(&b[i]);
  }
  double start = now_ms();
  double cpu = cpu_ms();
  for (size_t i = 0; i < n; i++) {
    give_description(&a[i], &b[i], 0);
    give_description(&b[i], &a[i], 0);
    if (i >= UNDER_WAY) {
      wait_connected(&a[i - UNDER_WAY]);
      wait_connected(&b[i - UNDER_WAY]);
    }
  }
  for (size_t i = 0; i < n; i++) {
    wait_connected(&a[i]);
    wait_connected(&b[i]);
  }
  double wall = now_ms() - start;
  cpu = cpu_ms() - cpu;
  size_t after = mallinfo2().uordblks;
  printf(
      "%6zu agents, libnice:         %6.0f bytes each; connected in %.1f ms, %.1f us CPU each: %.0f agents a second\n",
      n, (double)(after - before) / (double)(2 * n), wall, cpu * 1e3 / (double)(2 * n), (double)(2 * n) / cpu * 1e3);
  for (size_t i = 0; i < n; i++) {
    g_object_unref(a[i].agent);
    g_object_unref(b[i].agent);
  }
  g_free(a);
  g_free(b);
}

int main(int argc, char **argv) {
  struct rlimit limit;
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  context = g_main_context_new();
  if (argc > 1 && strcmp(argv[1], "time") == 0) {
    unsigned one_way_ms = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    bench_time(argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 40, one_way_ms);
  } else if (argc > 2) {
    for (int i = 2; i < argc; i++) bench_many((size_t)strtoul(argv[i], NULL, 10));
  } else {
    bench_time(40, 0);
    bench_many(1);
    bench_many(1000);
  }
  g_main_context_unref(context);
  return 0;
}
