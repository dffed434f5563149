#include "delay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKETS 4096
#define MAX_SIZE    1500
#define MAX_BURST   64
#define MILLION     1000000u

typedef struct packet {
  uint64_t due;
  int sock;
  struct sockaddr_in to;
  size_t len;
  uint8_t data[MAX_SIZE];
} packet;

typedef struct path {
  int socks[2];               /* [0] stands for a, [1] for b */
  struct sockaddr_in ends[2]; /* the real a and b; port 0: not known yet */
  uint64_t delay;
  unsigned lost_per_million;
  uint64_t random;
  packet *ring;
  size_t head, n;
} path;

static uint64_t now_ns(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in address_of(uint32_t ip, uint16_t port) {
  struct sockaddr_in addr;
  memset(&addr, 0, sizeof addr);
  addr.sin_family = AF_INET;
  addr.sin_port = htons(port);
  addr.sin_addr.s_addr = ip;
  return addr;
}

/* xorshift64* (Vigna, 2016). */
static bool is_lost(path *p) {
  if (p->lost_per_million == 0) return false;
  p->random ^= p->random >> 12;
  p->random ^= p->random << 25;
  p->random ^= p->random >> 27;
  return (p->random * 0x2545f4914f6cdd1du >> 32) % MILLION < p->lost_per_million;
}

/* What came to the one that stands for a side is for that side, from the one that stands for the other. False: nothing
 * is there. */
static bool take(path *p, int side) {
  packet *k = &p->ring[(p->head + p->n) % MAX_PACKETS];
  if (p->n == MAX_PACKETS) return false;
  ssize_t len = recv(p->socks[side], k->data, sizeof k->data, MSG_DONTWAIT);
  if (len < 0) return false;
  if (p->ends[side].sin_port == 0 || is_lost(p)) return true;
  k->due = now_ns() + p->delay;
  k->sock = p->socks[!side];
  k->to = p->ends[side];
  k->len = (size_t)len;
  p->n++;
  return true;
}

static void take_burst(path *p, int side) {
  for (int i = 0; i < MAX_BURST && take(p, side); i++) continue;
}

static void pass_due(path *p) {
  while (p->n > 0 && p->ring[p->head].due <= now_ns()) {
    packet *k = &p->ring[p->head];
    (void)sendto(k->sock, k->data, k->len, 0, (struct sockaddr *)&k->to, sizeof k->to);
    p->head = (p->head + 1) % MAX_PACKETS;
    p->n--;
  }
}

static uint16_t open_stand_in(int *sock) {
  struct sockaddr_in addr = address_of(htonl(INADDR_ANY), 0);
  socklen_t len = sizeof addr;
  int room = 4 << 20; /* the system gives what it allows */
  *sock = socket(AF_INET, SOCK_DGRAM, 0);
  if (*sock < 0 || bind(*sock, (struct sockaddr *)&addr, sizeof addr) != 0) exit(1);
  (void)setsockopt(*sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (getsockname(*sock, (struct sockaddr *)&addr, &len) != 0) exit(1);
  return ntohs(addr.sin_port);
}

/* A new path takes the place of the last. */
static void renew(path *p, uint16_t via[2]) {
  for (int i = 0; i < 2; i++) {
    if (p->socks[i] >= 0) close(p->socks[i]);
    via[i] = open_stand_in(&p->socks[i]);
    p->ends[i] = address_of(0, 0);
  }
  p->n = 0;
}

typedef struct order {
  uint32_t ip;
  uint16_t port;
  int16_t side; /* -1: a new path */
} order;

static void obey(path *p, int in, int out) {
  order o;
  uint16_t via[2] = {0, 0};
  if (read(in, &o, sizeof o) != (ssize_t)sizeof o) exit(0);
  if (o.side < 0) {
    renew(p, via);
  } else {
    p->ends[o.side] = address_of(o.ip, o.port);
  }
  if (write(out, via, sizeof via) != (ssize_t)sizeof via) exit(1);
}

static void serve(int in, int out, path *settings) {
  path p = *settings;
  p.ring = calloc(MAX_PACKETS, sizeof *p.ring);
  if (p.ring == NULL) exit(1);
  for (;;) {
    struct pollfd fds[3] = {
        {.fd = in, .events = POLLIN}, {.fd = p.socks[0], .events = POLLIN}, {.fd = p.socks[1], .events = POLLIN}};
    struct timespec wait = {0, 0};
    uint64_t now = now_ns();
    uint64_t due = p.n > 0 ? p.ring[p.head].due : now + 1000000000u;
    if (due > now) {
      wait.tv_sec = (time_t)((due - now) / 1000000000u);
      wait.tv_nsec = (long)((due - now) % 1000000000u);
    }
    (void)ppoll(fds, 3, &wait, NULL);
    if (fds[0].revents != 0) obey(&p, in, out);
    if (fds[1].revents != 0) take_burst(&p, 0);
    if (fds[2].revents != 0) take_burst(&p, 1);
    pass_due(&p);
  }
}

int delay_start(delay *d, unsigned one_way_ms) {
  return delay_start_lossy(d, one_way_ms, 0, 1);
}

int delay_start_lossy(delay *d, unsigned one_way_ms, unsigned lost_per_million, uint64_t seed) {
  int down[2], up[2];
  path settings = {.socks = {-1, -1},
                   .delay = (uint64_t)one_way_ms * MILLION,
                   .lost_per_million = lost_per_million,
                   .random = seed * 0x9e3779b97f4a7c15u | 1};
  if (pipe(down) != 0 || pipe(up) != 0) return 0;
  d->pid = fork();
  if (d->pid < 0) return 0;
  if (d->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_TIMERSLACK, 1000);
    close(down[1]);
    close(up[0]);
    serve(down[0], up[1], &settings);
  }
  close(down[0]);
  close(up[1]);
  d->to_child = down[1];
  d->from_child = up[0];
  return 1;
}

static int give(delay *d, order o, uint16_t via[2]) {
  if (write(d->to_child, &o, sizeof o) != (ssize_t)sizeof o) return 0;
  return read(d->from_child, via, 2 * sizeof *via) == (ssize_t)(2 * sizeof *via);
}

int delay_open(delay *d, uint16_t *via_a, uint16_t *via_b) {
  uint16_t via[2];
  if (!give(d, (order){.side = -1}, via)) return 0;
  *via_a = via[0];
  *via_b = via[1];
  return 1;
}

int delay_end(delay *d, int side, uint32_t ip, uint16_t port) {
  uint16_t none[2];
  return give(d, (order){.ip = ip, .port = port, .side = (int16_t)(side != 0)}, none);
}

int delay_between(delay *d, uint16_t a, uint16_t b, uint16_t *via_a, uint16_t *via_b) {
  uint32_t loopback = htonl(INADDR_LOOPBACK);
  return delay_open(d, via_a, via_b) && delay_end(d, 0, loopback, a) && delay_end(d, 1, loopback, b);
}

void delay_stop(delay *d) {
  close(d->to_child);
  close(d->from_child);
  (void)waitpid(d->pid, NULL, 0);
}
