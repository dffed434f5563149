#include "delay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKETS 4096
#define MAX_SIZE    1500

typedef struct packet {
  uint64_t due;
  int sock;
  struct sockaddr_in to;
  size_t len;
  uint8_t data[MAX_SIZE];
} packet;

typedef struct path {
  int socks[2];               /* [0] stands for a, [1] for b */
  struct sockaddr_in ends[2]; /* the real a and b */
  uint64_t delay;
  packet *ring;
  size_t head, n;
} path;

static uint64_t now_ns(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in addr;
  memset(&addr, 0, sizeof addr);
  addr.sin_family = AF_INET;
  addr.sin_port = htons(port);
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return addr;
}

/* What came to the one that stands for a side is for that side, from the one that stands for the other. */
static void take(path *p, int side) {
  packet *k = &p->ring[(p->head + p->n) % MAX_PACKETS];
  ssize_t len = recv(p->socks[side], k->data, sizeof k->data, MSG_DONTWAIT);
  if (len < 0 || p->n == MAX_PACKETS) return;
  k->due = now_ns() + p->delay;
  k->sock = p->socks[!side];
  k->to = p->ends[side];
  k->len = (size_t)len;
  p->n++;
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
  struct sockaddr_in addr = loopback(0);
  socklen_t len = sizeof addr;
  *sock = socket(AF_INET, SOCK_DGRAM, 0);
  if (*sock < 0 || bind(*sock, (struct sockaddr *)&addr, sizeof addr) != 0) exit(1);
  if (getsockname(*sock, (struct sockaddr *)&addr, &len) != 0) exit(1);
  return ntohs(addr.sin_port);
}

/* A new path takes the place of the last. */
static void renew(path *p, int in, int out) {
  uint16_t ends[2], via[2];
  if (read(in, ends, sizeof ends) != (ssize_t)sizeof ends) exit(0);
  for (int i = 0; i < 2; i++) {
    if (p->socks[i] >= 0) close(p->socks[i]);
    via[i] = open_stand_in(&p->socks[i]);
    p->ends[i] = loopback(ends[i]);
  }
  p->n = 0;
  if (write(out, via, sizeof via) != (ssize_t)sizeof via) exit(1);
}

static void serve(int in, int out, unsigned one_way_ms) {
  path p = {.socks = {-1, -1}, .delay = (uint64_t)one_way_ms * 1000000u};
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
    if (fds[0].revents != 0) renew(&p, in, out);
    if (fds[1].revents != 0) take(&p, 0);
    if (fds[2].revents != 0) take(&p, 1);
    pass_due(&p);
  }
}

int delay_start(delay *d, unsigned one_way_ms) {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0) return 0;
  d->pid = fork();
  if (d->pid < 0) return 0;
  if (d->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_TIMERSLACK, 1000);
    close(down[1]);
    close(up[0]);
    serve(down[0], up[1], one_way_ms);
  }
  close(down[0]);
  close(up[1]);
  d->to_child = down[1];
  d->from_child = up[0];
  return 1;
}

int delay_between(delay *d, uint16_t a, uint16_t b, uint16_t *via_a, uint16_t *via_b) {
  uint16_t ends[2] = {a, b};
  uint16_t via[2];
  if (write(d->to_child, ends, sizeof ends) != (ssize_t)sizeof ends) return 0;
  if (read(d->from_child, via, sizeof via) != (ssize_t)sizeof via) return 0;
  *via_a = via[0];
  *via_b = via[1];
  return 1;
}

void delay_stop(delay *d) {
  close(d->to_child);
  close(d->from_child);
  (void)waitpid(d->pid, NULL, 0);
}
