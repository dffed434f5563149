#include "connect_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

static void on_poll(uv_poll_t *handle, int status, int events) {
  floe__fd *f = handle->data;
  if (status < 0) events = f->wanted; /* whoever tries is told the error */
  if ((events & f->wanted) != 0) f->handler(f, events & f->wanted, f->user);
}

static void on_idle(uv_idle_t *handle) {
  floe__fd *f = handle->data;
  if (f->wanted != 0) f->handler(f, f->wanted, f->user);
}

floe__fd *floe__fd_new(uv_loop_t *loop, int fd, floe__fd_handler handler, void *user) {
  floe__fd *f = floe__cli_alloc(sizeof *f);
  f->fd = fd;
  f->handler = handler;
  f->user = user;
  f->is_polled = uv_poll_init(loop, &f->poll, fd) == 0;
  f->poll.data = f;
  f->n_open = f->is_polled ? 2 : 1;
  (void)uv_idle_init(loop, &f->idle);
  f->idle.data = f;
  return f;
}

void floe__fd_want(floe__fd *f, int events) {
  if (f->wanted == events && !f->is_polled) return;
  f->wanted = events;
  if (f->is_polled && events != 0) {
    (void)uv_poll_start(&f->poll, events, on_poll);
  } else if (f->is_polled) {
    (void)uv_poll_stop(&f->poll);
  } else if (events != 0) {
    (void)uv_idle_start(&f->idle, on_idle);
  } else {
    (void)uv_idle_stop(&f->idle);
  }
}

static void on_closed(uv_handle_t *handle) {
  floe__fd *f = handle->data;
  if (--f->n_open == 0) free(f);
}

void floe__fd_close(floe__fd *f) {
  if (f == NULL) return;
  f->wanted = 0;
  if (f->is_polled) {
    (void)uv_poll_stop(&f->poll);
    uv_close((uv_handle_t *)&f->poll, on_closed);
  }
  uv_close((uv_handle_t *)&f->idle, on_closed);
  (void)close(f->fd);
}

static ssize_t result_of(ssize_t n) {
  if (n >= 0) return n;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? FLOE__FD_LATER : FLOE__FD_ERROR;
}

ssize_t floe__fd_read(const floe__fd *f, void *buf, size_t len) {
  return result_of(read(f->fd, buf, len));
}

ssize_t floe__fd_write(const floe__fd *f, const void *buf, size_t len) {
  return result_of(write(f->fd, buf, len));
}

/* O_NONBLOCK belongs to what was opened, and a pipe or a terminal is often open in several programs: opened once more
 * it is ours alone. */
static int open_again(int fd, bool is_output) {
  char path[40];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, (is_output ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int floe__fd_of_stream(int fd, bool is_output) {
  struct stat st;
  int flags = fcntl(fd, F_GETFL), own = -1;
  if (flags < 0 || fstat(fd, &st) != 0) return -1;
  if ((flags & O_ACCMODE) == (is_output ? O_RDONLY : O_WRONLY)) return -1;
  bool is_shared = S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd) == 1);
  if (is_shared) own = open_again(fd, is_output);
  return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}
