/* A descriptor in the loop: a pipe, a terminal, a socket, or a file, which is always ready. */
#ifndef FLOE_CLI_CONNECT_FD_H
#define FLOE_CLI_CONNECT_FD_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

typedef struct floe__fd floe__fd;

/* Called when something that is wanted can be done; `events` are UV_READABLE and UV_WRITABLE. May close it. */
typedef void (*floe__fd_handler)(floe__fd *f, int events, void *user);

struct floe__fd {
  int fd;
  bool is_polled; /* false: the system has no readiness for it, which is always there */
  int wanted;
  floe__fd_handler handler;
  void *user;
  uv_poll_t poll;
  uv_idle_t idle;
  int n_open; /* handles that libuv still has */
};

/* Puts a descriptor into the loop; nothing is wanted at first. `fd` is taken. NULL: the system refuses. */
floe__fd *floe__fd_new(uv_loop_t *loop, int fd, floe__fd_handler handler, void *user);
void floe__fd_want(floe__fd *f, int events);
/* Closes the descriptor now; the memory is given back by the loop. NULL is fine. */
void floe__fd_close(floe__fd *f);

/* What reading and writing gave, if not a number of bytes. */
enum { FLOE__FD_LATER = -1, FLOE__FD_ERROR = -2 /* errno */ };
/* 0 is the end. */
ssize_t floe__fd_read(const floe__fd *f, void *buf, size_t len);
ssize_t floe__fd_write(const floe__fd *f, const void *buf, size_t len);

/* A descriptor of our own for a standard stream, that can be made non-blocking without other programs on the same pipe
 * or terminal noticing, where the system has a way. -1: there is no such stream. */
int floe__fd_of_stream(int fd, bool is_output);

#endif
