/* --expose and --forward: each TCP connection is a data channel of its own. The forwarding side accepts the connection
 * and makes the channel; the exposing side connects, and says OPENED or REFUSED. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect_link.h"
#include "connect_socket.h"
#include "connect_stream.h"
#include "json_value.h"
#include "mem.h"

#define TUNNEL_LABEL    "floe tunnel"
#define TUNNEL_PROTOCOL "floe-tunnel.1"

enum { BACKLOG = 128, PEER_TEXT = FLOE_ADDR_TEXT };

typedef struct tunnel_job tunnel_job;

typedef struct tunnel {
  struct tunnel *next;
  tunnel_job *job;
  floe_data_channel *channel;
  floe__speaker speaker;
  floe__stream stream;
  floe__dial *dial;
  unsigned number;
  char peer[PEER_TEXT]; /* forwarding: who connected */
  bool is_closed;       /* the channel is: it can be freed */
  bool is_told;         /* how it ended */
} tunnel;

struct tunnel_job {
  floe__link *link;
  tunnel *first;
  uv_idle_t *reaper;
  int listening; /* -1: exposing, or handed to `listener` */
  floe__fd *listener;
  unsigned n_made, n_open;
};

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void tell(tunnel *t, const char *event, const char *words) {
  floe__report *r = t->job->link->report;
  json_t *line = floe__report_object(r, "tunnel");
  if (line != NULL) {
    bool is_end = strcmp(event, "opened") != 0;
    floe__json_set_integer(line, "number", true, t->number);
    floe__json_set_text(line, "event", event);
    floe__json_set_text(line, "peer", t->peer[0] == '\0' ? NULL : t->peer);
    floe__json_set_text(line, "text", words);
    floe__json_set_integer(line, "bytesSent", is_end, (int64_t)t->stream.sent);
    floe__json_set_integer(line, "bytesReceived", is_end, (int64_t)t->stream.received);
  }
  floe__report_print(r, line);
  bool is_trouble = strcmp(event, "refused") == 0;
  if (r->human == NULL || (!r->verbose && !is_trouble)) return;
  floe__report_say(r, "connection %u%s%s %s%s%s", t->number, t->peer[0] == '\0' ? "" : " from ", t->peer, event,
                   words == NULL ? "" : ": ", words == NULL ? "" : words);
}

static void tell_end(tunnel *t, const char *event, const char *words) {
  if (t->is_told) return;
  t->is_told = true;
  tell(t, event, words);
}

/* --- one connection ----------------------------------------------------------------------------------------------- */

static void free_tunnel(tunnel *t) {
  floe__dial_cancel(t->dial);
  floe__stream_clear(&t->stream);
  floe__speaker_clear(&t->speaker);
  floe_uv_data_channel_free(t->channel);
  t->job->n_open--;
  free(t);
}

static void on_reap(uv_idle_t *handle) {
  tunnel_job *job = handle->data;
  (void)uv_idle_stop(handle);
  for (tunnel **at = &job->first; *at != NULL;) {
    tunnel *t = *at;
    if (!t->is_closed) {
      at = &t->next;
      continue;
    }
    *at = t->next;
    free_tunnel(t);
  }
}

/* Not at once: whoever is further up may still look at it. */
static void reap_soon(tunnel *t) {
  t->is_closed = true;
  (void)uv_idle_start(t->job->reaper, on_reap);
}

/* What the TCP side gets is no end in order. */
static void reset(tunnel *t) {
  if (t->stream.out != NULL) floe__socket_reset(t->stream.out->fd);
  if (t->stream.in != NULL) floe__fd_want(t->stream.in, 0);
}

static void close_channel(tunnel *t) {
  if (t->speaker.channel == NULL) return;
  if (t->speaker.first == NULL) floe_uv_data_channel_close(t->channel); /* else when that is sent */
}

static void stop(tunnel *t, floe__frame_type type, floe__frame_code code, const char *words) {
  const floe__frame f = {.type = type, .code = (uint8_t)code, .data = {(const uint8_t *)words, strlen(words)}};
  floe__speaker_say(&t->speaker, &f);
  close_channel(t);
}

static void on_stream_end(floe__stream *s, void *user) {
  tunnel *t = user;
  switch (s->state) {
    case FLOE__STREAM_RUNNING: break;
    case FLOE__STREAM_FINISHED:
      tell_end(t, "closed", NULL);
      close_channel(t);
      break;
    case FLOE__STREAM_READ_FAILED:
    case FLOE__STREAM_WRITE_FAILED:
      tell_end(t, "reset", strerror(s->error));
      stop(t, FLOE__FRAME_STOP, FLOE__CODE_CLOSED, strerror(s->error));
      break;
    case FLOE__STREAM_BROKEN:
      tell_end(t, "reset", "the other side breaks the rules of the protocol");
      reset(t);
      stop(t, FLOE__FRAME_STOP, FLOE__CODE_PROTOCOL, "a frame breaks the rules");
      break;
  }
}

static void on_tunnel_frame(tunnel *t, const floe__frame *f) {
  char *words = NULL;
  switch ((int)f->type) {
    case FLOE__FRAME_OPENED: tell(t, "opened", NULL); return;
    case FLOE__FRAME_REFUSED:
    case FLOE__FRAME_STOP:
      words = floe__frame_words(f);
      tell_end(t, f->type == FLOE__FRAME_REFUSED ? "refused" : "reset", words);
      free(words);
      reset(t);
      floe_uv_data_channel_close(t->channel);
      return;
    default: floe__stream_frame(&t->stream, f);
  }
}

static void on_message(const floe_event *event, void *user) {
  tunnel *t = user;
  floe__frame f;
  if (t->is_closed || t->is_told) return;
  if (event->u.message.is_binary && floe__frame_parse(&f, event->u.message.data)) {
    on_tunnel_frame(t, &f);
    return;
  }
  tell_end(t, "reset", "a message is no frame");
  reset(t);
  stop(t, FLOE__FRAME_STOP, FLOE__CODE_PROTOCOL, "a message is no frame");
}

static void go_on(tunnel *t) {
  if (t->is_closed || t->speaker.channel == NULL) return;
  floe__speaker_flush(&t->speaker);
  if (t->is_told) {
    close_channel(t);
  } else {
    floe__stream_go(&t->stream);
  }
}

static void on_channel_room(const floe_event *event, void *user) {
  (void)event;
  go_on(user);
}

static void on_channel_close(const floe_event *event, void *user) {
  tunnel *t = user;
  (void)event;
  floe__speaker_clear(&t->speaker);
  if (t->stream.state == FLOE__STREAM_RUNNING) {
    tell_end(t, "reset", "the other side has closed its channel");
    reset(t);
  }
  reap_soon(t);
}

static tunnel *make_tunnel(tunnel_job *job, floe_data_channel *channel) {
  tunnel *t = floe__cli_alloc(sizeof *t);
  t->job = job;
  t->channel = channel;
  t->number = ++job->n_made;
  job->n_open++;
  t->next = job->first;
  job->first = t;
  floe__speaker_init(&t->speaker, channel);
  floe__stream_init(&t->stream, &t->speaker, on_stream_end, t);
  floe_status st = floe_uv_data_channel_on_message(channel, on_message, t);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_open(channel, on_channel_room, t);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_bufferedamountlow(channel, on_channel_room, t);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_close(channel, on_channel_close, t);
  if (st == FLOE_OK && floe_data_channel_ready_state(channel) == FLOE_DATA_CHANNEL_OPEN) go_on(t);
  if (st == FLOE_OK) return t;
  floe__report_say(job->link->report, "%s", floe_status_text(st));
  reap_soon(t);
  return NULL;
}

/* --- exposing ----------------------------------------------------------------------------------------------------- */

static void on_dialled(int fd, const char *why, void *user) {
  const floe__frame opened = {.type = FLOE__FRAME_OPENED};
  tunnel *t = user;
  t->dial = NULL;
  if (t->is_closed || t->is_told) {
    if (fd >= 0) (void)close(fd);
    return;
  }
  if (fd < 0) {
    tell_end(t, "refused", why);
    stop(t, FLOE__FRAME_REFUSED, FLOE__CODE_OTHER, why);
    return;
  }
  tell(t, "opened", NULL);
  floe__speaker_say(&t->speaker, &opened);
  floe__stream_attach(&t->stream, &t->job->link->session.loop, fd, fd);
}

static void on_channel(void *job_data, floe_data_channel *channel) {
  tunnel_job *job = job_data;
  const floe__connect_options *o = job->link->options;
  if (o->mode != FLOE__CONNECT_EXPOSE || strcmp(floe_data_channel_protocol(channel), TUNNEL_PROTOCOL) != 0) {
    floe_uv_data_channel_free(channel);
    return;
  }
  tunnel *t = make_tunnel(job, channel);
  if (t == NULL) return;
  floe__dial *dial = floe__dial_start(&job->link->session.loop, &o->place, on_dialled, t);
  if (dial != NULL) t->dial = dial;
}

/* --- forwarding --------------------------------------------------------------------------------------------------- */

static void forward(tunnel_job *job, int fd) {
  floe_error why = {0};
  floe_data_channel_init init;
  floe_data_channel *channel;
  floe_data_channel_init_init(&init, sizeof init);
  init.protocol = TUNNEL_PROTOCOL;
  if (floe_uv_pc_create_data_channel(job->link->pc, TUNNEL_LABEL, &init, &channel, &why) != FLOE_OK) {
    floe__report_say(job->link->report, "a connection is refused: %s", why.message);
    floe__socket_reset(fd);
    (void)close(fd);
    return;
  }
  tunnel *t = make_tunnel(job, channel);
  if (t == NULL) {
    (void)close(fd);
    return;
  }
  (void)floe__socket_name(fd, true, t->peer);
  floe__stream_attach(&t->stream, &job->link->session.loop, fd, fd);
}

static void on_connection(floe__fd *f, int events, void *user) {
  tunnel_job *job = user;
  (void)events;
  for (;;) {
    int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      forward(job, fd);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == ECONNABORTED || errno == EINTR) continue;
    floe__report_say(job->link->report, "a connection cannot be accepted: %s", strerror(errno));
    return;
  }
}

static bool open_listener(tunnel_job *job) {
  char why[160];
  floe__link *link = job->link;
  const floe__place *place = &link->options->place;
  job->listening = floe__socket_bind(place, why, sizeof why);
  if (job->listening >= 0) return true;
  floe__report_say(link->report, "cannot listen at %s port %s: %s", place->host, place->port, why);
  link->status = FLOE__CONNECT_EXIT_OTHER;
  return false;
}

static void start_listening(tunnel_job *job) {
  char name[FLOE_ADDR_TEXT];
  floe__report *r = job->link->report;
  if (listen(job->listening, BACKLOG) != 0) {
    floe__report_say(r, "cannot listen: %s", strerror(errno));
    floe__link_stop(job->link, FLOE__CODE_OTHER, "it cannot listen", FLOE__CONNECT_EXIT_OTHER);
    return;
  }
  (void)floe__socket_name(job->listening, false, name);
  json_t *line = floe__report_object(r, "listening");
  if (line != NULL) floe__json_set_text(line, "address", name);
  floe__report_print(r, line);
  floe__report_say(r, "listening on %s", name);
  job->listener = floe__fd_new(&job->link->session.loop, job->listening, on_connection, job);
  job->listening = -1;
  floe__fd_want(job->listener, UV_READABLE);
}

/* --- the job ------------------------------------------------------------------------------------------------------ */

static void *open_tunnel(floe__link *link) {
  tunnel_job *job = floe__cli_alloc(sizeof *job);
  job->link = link;
  job->listening = -1;
  if (link->options->mode == FLOE__CONNECT_FORWARD && !open_listener(job)) {
    free(job);
    return NULL;
  }
  job->reaper = floe__cli_alloc(sizeof *job->reaper);
  (void)uv_idle_init(&link->session.loop, job->reaper);
  job->reaper->data = job;
  return job;
}

static void start_tunnel(void *job_data) {
  tunnel_job *job = job_data;
  const floe__place *place = &job->link->options->place;
  if (job->link->options->mode == FLOE__CONNECT_FORWARD) {
    start_listening(job);
  } else {
    floe__report_say(job->link->report, "the other side can reach %s port %s", place->host, place->port);
  }
}

static void on_frame(void *job_data, const floe__frame *frame) {
  tunnel_job *job = job_data;
  (void)frame; /* tunnels speak on channels of their own */
  floe__link_stop(job->link, FLOE__CODE_PROTOCOL, "a frame breaks the rules", FLOE__CONNECT_EXIT_OTHER);
}

static void on_room(void *job_data) {
  const tunnel_job *job = job_data;
  for (tunnel *t = job->first; t != NULL; t = t->next) go_on(t);
}

static unsigned count_running(const tunnel_job *job) {
  unsigned n = 0;
  for (const tunnel *t = job->first; t != NULL; t = t->next) n += t->is_told ? 0 : 1;
  return n;
}

static void tell_total(const tunnel_job *job) {
  unsigned n = count_running(job);
  floe__report_say(job->link->report, "%u connection%s in all%s%.0u%s", job->n_made, job->n_made == 1 ? "" : "s",
                   n == 0 ? "" : ", ", n, n == 0 ? "" : " of them cut off");
}

static void on_bye(void *job_data) {
  tunnel_job *job = job_data;
  bool is_clean = count_running(job) == 0;
  floe__report_say(job->link->report, "the other side has ended the tunnel");
  tell_total(job);
  floe__link_end(job->link, is_clean ? FLOE__CONNECT_EXIT_OK : FLOE__CONNECT_EXIT_REFUSED);
}

static void cut_off(void *job_data) {
  tell_total(job_data);
}

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

static void close_tunnel(void *job_data) {
  tunnel_job *job = job_data;
  for (tunnel *t = job->first, *next; t != NULL; t = next) {
    next = t->next;
    if (!t->is_told) reset(t);
    free_tunnel(t);
  }
  floe__fd_close(job->listener);
  if (job->listening >= 0) (void)close(job->listening);
  uv_close((uv_handle_t *)job->reaper, free_handle);
  free(job);
}

const floe__job floe__job_tunnel = {.open = open_tunnel,
                                    .start = start_tunnel,
                                    .on_frame = on_frame,
                                    .on_room = on_room,
                                    .on_channel = on_channel,
                                    .on_bye = on_bye,
                                    .cut_off = cut_off,
                                    .close = close_tunnel,
                                    .ends_by_signal = true};
