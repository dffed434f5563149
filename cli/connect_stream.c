#include "connect_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"

/* Reads in a row before the loop has its turn; a window's part after which the other side is told. */
enum { READS_IN_A_ROW = 16, TELL_AFTER = FLOE__FRAME_WINDOW / 8 };

static void say_number(floe__stream *s, floe__frame_type type, uint64_t number) {
  const floe__frame f = {.type = type, .number = number};
  floe__speaker_say(s->speaker, &f);
}

/* The one place that changes the state. */
static void end(floe__stream *s, floe__stream_state state, int error) {
  if (s->state != FLOE__STREAM_RUNNING) return;
  s->state = state;
  s->error = error;
  if (s->in != NULL) floe__fd_want(s->in, 0);
  if (s->out != NULL) floe__fd_want(s->out, 0);
  s->on_end(s, s->user);
}

static void finish_if_over(floe__stream *s) {
  if (s->is_out_over && s->is_done) end(s, FLOE__STREAM_FINISHED, 0);
}

/* What is wanted of the descriptors, as things stand. */
static void want(floe__stream *s) {
  if (s->state != FLOE__STREAM_RUNNING) return;
  bool may_send = floe__speaker_has_room(s->speaker) && s->sent - s->acked < FLOE__FRAME_WINDOW;
  int reading = !s->is_in_over && may_send ? UV_READABLE : 0, writing = s->first != NULL ? UV_WRITABLE : 0;
  if (s->in != NULL && s->in == s->out) {
    floe__fd_want(s->in, reading | writing);
    return;
  }
  if (s->in != NULL) floe__fd_want(s->in, reading);
  if (s->out != NULL) floe__fd_want(s->out, writing);
}

/* --- from the descriptor to the channel --------------------------------------------------------------------------- */

static void close_in(floe__stream *s) {
  s->is_in_over = true;
  if (s->in != s->out) {
    floe__fd_close(s->in);
    s->in = NULL;
  }
}

void floe__stream_end_input(floe__stream *s) {
  if (s->is_in_over || s->state != FLOE__STREAM_RUNNING) return;
  close_in(s);
  say_number(s, FLOE__FRAME_EOF, s->sent);
}

/* Returns false when nothing more is to be read now. */
static bool read_once(floe__stream *s) {
  uint64_t left = FLOE__FRAME_WINDOW - (s->sent - s->acked);
  size_t max = left < FLOE__FRAME_DATA_MAX ? (size_t)left : FLOE__FRAME_DATA_MAX;
  if (max == 0 || !floe__speaker_has_room(s->speaker)) return false;
  ssize_t n = floe__fd_read(s->in, s->buffer + 1, max);
  if (n == FLOE__FD_LATER) return false;
  if (n == FLOE__FD_ERROR) {
    end(s, FLOE__STREAM_READ_FAILED, errno);
    return false;
  }
  if (n == 0) {
    floe__stream_end_input(s);
    return false;
  }
  s->buffer[0] = FLOE__FRAME_DATA;
  s->sent += (uint64_t)n;
  floe__speaker_send(s->speaker, s->buffer, (size_t)n + 1);
  return true;
}

static void read_some(floe__stream *s) {
  for (int i = 0; i < READS_IN_A_ROW && !s->is_in_over && s->in != NULL && read_once(s); i++) continue;
}

/* --- from the channel to the descriptor --------------------------------------------------------------------------- */

static void tell_taken(floe__stream *s) {
  if (s->written - s->told < TELL_AFTER) return;
  s->told = s->written;
  say_number(s, FLOE__FRAME_ACK, s->written);
}

/* Everything was written: the next program sees the end, and the other side is told. */
static void end_output(floe__stream *s) {
  if (!s->has_eof || s->first != NULL || s->is_out_over || !s->is_attached) return;
  s->is_out_over = true;
  if (s->out != NULL && s->in == s->out) {
    (void)shutdown(s->out->fd, SHUT_WR);
  } else if (s->out != NULL) {
    floe__fd_close(s->out);
    s->out = NULL;
  }
  say_number(s, FLOE__FRAME_DONE, s->written);
  finish_if_over(s);
}

/* Returns how many of the bytes were written; false in `*ok`: never again. */
static size_t write_some(floe__stream *s, const uint8_t *bytes, size_t len, bool *ok) {
  size_t at = 0;
  while (at < len) {
    ssize_t n = floe__fd_write(s->out, bytes + at, len - at);
    if (n == FLOE__FD_LATER) break;
    if (n == FLOE__FD_ERROR) {
      *ok = false;
      end(s, FLOE__STREAM_WRITE_FAILED, errno);
      break;
    }
    at += (size_t)n;
  }
  s->written += at;
  return at;
}

static void write_kept(floe__stream *s) {
  bool ok = true;
  while (s->first != NULL && s->out != NULL) {
    floe__message *m = s->first;
    s->first_at += write_some(s, m->bytes + s->first_at, m->len - s->first_at, &ok);
    if (!ok || s->first_at < m->len) break;
    s->first = m->next;
    s->first_at = 0;
    if (s->first == NULL) s->last = NULL;
    free(m);
  }
  if (!ok) return;
  tell_taken(s);
  end_output(s);
}

static void keep(floe__stream *s, const uint8_t *bytes, size_t len) {
  if (len == 0) return;
  floe__message *m = floe__cli_alloc(sizeof *m + len);
  m->len = len;
  memcpy(m->bytes, bytes, len);
  if (s->last == NULL) {
    s->first = m;
  } else {
    s->last->next = m;
  }
  s->last = m;
}

static void on_data(floe__stream *s, floe_bytes data) {
  bool ok = true;
  size_t at = 0;
  s->received += data.len;
  if (s->has_eof || s->received - s->written > FLOE__FRAME_WINDOW) {
    end(s, FLOE__STREAM_BROKEN, 0);
    return;
  }
  if (s->first == NULL && s->out != NULL) at = write_some(s, data.ptr, data.len, &ok);
  if (!ok) return;
  if (at < data.len) keep(s, data.ptr + at, data.len - at);
  tell_taken(s);
}

/* --- both --------------------------------------------------------------------------------------------------------- */

static void on_ready(floe__fd *f, int events, void *user) {
  floe__stream *s = user;
  (void)f;
  if ((events & UV_WRITABLE) != 0) write_kept(s);
  if ((events & UV_READABLE) != 0 && s->state == FLOE__STREAM_RUNNING) read_some(s);
  want(s);
}

static bool take_frame(floe__stream *s, const floe__frame *f) {
  switch ((int)f->type) {
    case FLOE__FRAME_DATA: on_data(s, f->data); return true;
    case FLOE__FRAME_EOF:
      if (s->has_eof || f->number != s->received) return false;
      s->has_eof = true;
      end_output(s);
      return true;
    case FLOE__FRAME_ACK:
      if (f->number < s->acked || f->number > s->sent) return false;
      s->acked = f->number;
      return true;
    case FLOE__FRAME_DONE:
      if (!s->is_in_over || s->is_done || f->number != s->sent) return false;
      s->acked = f->number;
      s->is_done = true;
      finish_if_over(s);
      return true;
    default: return false;
  }
}

void floe__stream_frame(floe__stream *s, const floe__frame *f) {
  if (s->state != FLOE__STREAM_RUNNING) return;
  if (!take_frame(s, f)) end(s, FLOE__STREAM_BROKEN, 0);
  want(s);
}

void floe__stream_go(floe__stream *s) {
  if (s->state == FLOE__STREAM_RUNNING) want(s);
}

void floe__stream_init(floe__stream *s, floe__speaker *speaker, void (*on_end)(floe__stream *s, void *user),
                       void *user) {
  memset(s, 0, sizeof *s);
  s->speaker = speaker;
  s->on_end = on_end;
  s->user = user;
  s->buffer = floe__cli_alloc(FLOE__FRAME_MAX);
}

void floe__stream_attach(floe__stream *s, uv_loop_t *loop, int in, int out) {
  s->is_attached = true;
  s->out = floe__fd_new(loop, out, on_ready, s);
  s->in = in == out ? s->out : in < 0 ? NULL : floe__fd_new(loop, in, on_ready, s);
  if (s->in == NULL) floe__stream_end_input(s);
  write_kept(s);
  want(s);
}

void floe__stream_clear(floe__stream *s) {
  for (floe__message *m = s->first, *next; m != NULL; m = next) {
    next = m->next;
    free(m);
  }
  if (s->in != s->out) floe__fd_close(s->in);
  floe__fd_close(s->out);
  free(s->buffer);
  memset(s, 0, sizeof *s);
}
