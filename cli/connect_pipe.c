/* Standard input to the other side's standard output, and the other way round. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect_link.h"
#include "connect_stream.h"
#include "exit_status.h"
#include "json_value.h"
#include "mem.h"

typedef struct pipe_job {
  floe__link *link;
  floe__stream stream;
  bool has_hinted;
} pipe_job;

static void print_json(const pipe_job *p) {
  json_t *line = floe__report_object(p->link->report, "transferred");
  if (line == NULL) return;
  floe__json_set_integer(line, "bytesSent", true, (int64_t)p->stream.acked);
  floe__json_set_integer(line, "bytesReceived", true, (int64_t)p->stream.written);
  floe__report_print(p->link->report, line);
}

static void end_of_write(const pipe_job *p, int error) {
  if (error == EPIPE || error == EBADF) {
    floe__link_stop(p->link, FLOE__CODE_CLOSED, "nobody reads its output",
                    floe__exit_of_lost_output(error)); /* a reader who has gone is worth no word here */
    return;
  }
  floe__report_say(p->link->report, "standard output cannot be written: %s", strerror(error));
  floe__link_stop(p->link, FLOE__CODE_FILE, "its output cannot be written", FLOE__CONNECT_EXIT_FILE);
}

static void on_end(floe__stream *s, void *user) {
  pipe_job *p = user;
  print_json(p);
  switch (s->state) {
    case FLOE__STREAM_RUNNING: break;
    case FLOE__STREAM_FINISHED: floe__link_end(p->link, FLOE__CONNECT_EXIT_OK); break;
    case FLOE__STREAM_READ_FAILED:
      floe__report_say(p->link->report, "standard input cannot be read: %s", strerror(s->error));
      floe__link_stop(p->link, FLOE__CODE_FILE, "its input cannot be read", FLOE__CONNECT_EXIT_FILE);
      break;
    case FLOE__STREAM_WRITE_FAILED: end_of_write(p, s->error); break;
    case FLOE__STREAM_BROKEN:
      floe__report_say(p->link->report, "the other side breaks the rules of the protocol");
      floe__link_stop(p->link, FLOE__CODE_PROTOCOL, "a frame breaks the rules", FLOE__CONNECT_EXIT_OTHER);
      break;
  }
}

static void *open_pipe(floe__link *link) {
  pipe_job *p = floe__cli_alloc(sizeof *p);
  p->link = link;
  floe__stream_init(&p->stream, &link->speaker, on_end, p);
  return p;
}

/* The program behind the pipe must see its end although this one still runs: nothing of ours keeps it open. */
static int take_output(void) {
  int fd = floe__fd_of_stream(STDOUT_FILENO, true);
  int null = fd < 0 ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) {
    (void)dup2(null, STDOUT_FILENO);
    (void)close(null);
  }
  return fd;
}

static void start_pipe(void *job) {
  pipe_job *p = job;
  int in = p->link->options->no_input ? -1 : floe__fd_of_stream(STDIN_FILENO, false), out = take_output();
  if (out < 0) {
    end_of_write(p, EBADF);
    if (in >= 0) (void)close(in);
    return;
  }
  floe__stream_attach(&p->stream, &p->link->session.loop, in, out);
}

static void on_pipe_frame(void *job, const floe__frame *frame) {
  pipe_job *p = job;
  floe__stream_frame(&p->stream, frame);
  bool may_hint =
      p->stream.has_eof && !p->stream.is_in_over && !p->has_hinted && p->stream.state == FLOE__STREAM_RUNNING;
  if (!may_hint || isatty(STDIN_FILENO) != 1) return;
  p->has_hinted = true;
  floe__report_say(p->link->report, "the other side has ended its input; Ctrl-D ends this one's");
}

static void on_pipe_room(void *job) {
  pipe_job *p = job;
  floe__stream_go(&p->stream);
}

static void cut_off_pipe(void *job) {
  const pipe_job *p = job;
  print_json(p);
  if (p->stream.sent > p->stream.acked) {
    floe__report_say(p->link->report, "of %" PRIu64 " bytes sent, at least %" PRIu64 " were taken", p->stream.sent,
                     p->stream.acked);
  }
}

static void close_pipe(void *job) {
  pipe_job *p = job;
  floe__stream_clear(&p->stream);
  free(p);
}

const floe__job floe__job_pipe = {.open = open_pipe,
                                  .start = start_pipe,
                                  .on_frame = on_pipe_frame,
                                  .on_room = on_pipe_room,
                                  .cut_off = cut_off_pipe,
                                  .close = close_pipe};
