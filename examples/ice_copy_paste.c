/* Connects two programs, with people as the signalling: each prints a description, which is pasted into the other.
 * After that a line typed into one is printed by the other. The end of the input ends the program.
 *
 *     ice_copy_paste [-l] [-s URL]... [-u USER -p PASSWORD]
 *
 *     -s   a STUN or TURN server; more than one is fine
 *     -u   for TURN servers
 *     -l   loopback candidates too: both programs are on this host
 *
 * A description ends with an empty line. What is no description and no line of the peer's goes to the error output. */
#include <floe/uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define MAX_URLS 16
#define MAX_TEXT 16384

typedef enum stage { READING, CONNECTING, TALKING, CLOSING } stage;

typedef struct app {
  floe_uv *uv;
  floe_uv_ice_agent *agent;
  stage stage;
  int status; /* of the program */
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tty_t tty;
    uv_pipe_t pipe;
  } input;
  char pending[MAX_TEXT]; /* what was read and not used yet */
  size_t n_pending;
  char description[MAX_TEXT]; /* the peer's, as far as it was read */
  size_t n_description;
} app;

/* ---- the end ---- */

static void on_closed(void *user) {
  app *a = user;
  uv_close(&a->input.handle, NULL);
  floe_uv_close(a->uv);
}

/* What was sent before still leaves, and TURN servers are told. */
static void leave(app *a, int status) {
  if (a->stage == CLOSING) return;
  a->stage = CLOSING;
  a->status = status;
  (void)uv_read_stop(&a->input.stream);
  floe_uv_ice_agent_close(a->agent, on_closed, a);
}

/* ---- the input ---- */

static void send_line(app *a, const char *line, size_t len) {
  if (len == 0) return; /* there is no empty datagram */
  floe_bytes data = {.ptr = (const uint8_t *)line, .len = len};
  floe_status st = floe_uv_ice_agent_send(a->agent, data, 0);
  if (st != FLOE_OK) fprintf(stderr, "not sent: %s\n", floe_status_text(st));
}

static void connect_to_peer(app *a) {
  floe_error why = {.message = "it is this program's own"};
  a->description[a->n_description] = '\0';
  bool is_own = strstr(a->description, floe_uv_ice_agent_local_parameters(a->agent)->pwd) != NULL;
  if (!is_own && floe_uv_ice_agent_set_remote_description(a->agent, a->description, &why) == FLOE_OK) {
    a->stage = CONNECTING; /* lines typed from now on wait for the connection */
    (void)uv_read_stop(&a->input.stream);
    return;
  }
  fprintf(stderr, "that is no description of a peer: %s\n", why.message);
  a->n_description = 0;
}

static void take_line(app *a, const char *line, size_t len) {
  if (len > 0 && line[len - 1] == '\r') len--;
  if (a->stage == TALKING) {
    send_line(a, line, len);
  } else if (len == 0 && a->n_description > 0) {
    connect_to_peer(a);
  } else if (len > 0 && a->n_description + len + 2 <= sizeof a->description) {
    memcpy(a->description + a->n_description, line, len);
    a->n_description += len;
    a->description[a->n_description++] = '\n';
  }
}

static void take_lines(app *a) {
  size_t used = 0;
  const char *end;
  while ((a->stage == READING || a->stage == TALKING) &&
         (end = memchr(a->pending + used, '\n', a->n_pending - used)) != NULL) {
    const char *line = a->pending + used;
    take_line(a, line, (size_t)(end - line));
    used += (size_t)(end - line) + 1;
  }
  a->n_pending -= used;
  memmove(a->pending, a->pending + used, a->n_pending);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  app *a = handle->data;
  (void)suggested;
  if (a->n_pending == sizeof a->pending) a->n_pending = 0; /* a line without an end */
  *buf = uv_buf_init(a->pending + a->n_pending, (unsigned)(sizeof a->pending - a->n_pending));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  app *a = stream->data;
  (void)buf;
  if (n < 0) {
    leave(a, a->stage == TALKING ? 0 : 2);
    return;
  }
  a->n_pending += (size_t)n;
  take_lines(a);
}

static int open_input(app *a, uv_loop_t *loop) {
  uv_handle_type type = uv_guess_handle(STDIN_FILENO);
  int err = UV_EINVAL;
  if (type == UV_TTY) {
    err = uv_tty_init(loop, &a->input.tty, STDIN_FILENO, 0);
  } else if (type == UV_NAMED_PIPE) {
    err = uv_pipe_init(loop, &a->input.pipe, 0);
    if (err == 0) err = uv_pipe_open(&a->input.pipe, STDIN_FILENO);
  }
  if (err != 0) {
    fprintf(stderr, "the input must be a terminal or a pipe\n");
    return err;
  }
  a->input.handle.data = a;
  return uv_read_start(&a->input.stream, give_room, on_read);
}

/* ---- what the agent tells ---- */

static void on_gathering(const floe_event *event, void *user) {
  app *a = user;
  if (event->u.gathering_state != FLOE_ICE_GATHERING_COMPLETE) return;
  char text[MAX_TEXT];
  if (floe_uv_ice_agent_local_description(a->agent, text, sizeof text) >= sizeof text) {
    fprintf(stderr, "too many candidates: some are left out\n");
  }
  printf("%s\n", text);
  (void)fflush(stdout);
}

static void on_error(const floe_event *event, void *user) {
  const floe_candidate_error *error = &event->u.error;
  (void)user;
  fprintf(stderr, "%s %s: %u %s\n", event->name, error->url, error->error_code, error->error_text);
}

static void on_connection(const floe_event *event, void *user) {
  app *a = user;
  floe_cause cause = event->u.connection.cause;
  bool has_cause = cause != FLOE_CAUSE_NONE;
  fprintf(stderr, "%s%s%s\n", floe_ice_connection_state_name(event->u.connection.state), has_cause ? ": " : "",
          has_cause ? floe_cause_sentence(cause) : "");
  if (event->u.connection.state == FLOE_ICE_CONNECTION_FAILED) leave(a, 1);
  if (event->u.connection.state != FLOE_ICE_CONNECTION_CONNECTED || a->stage != CONNECTING) return;
  a->stage = TALKING;
  take_lines(a);
  (void)uv_read_start(&a->input.stream, give_room, on_read);
}

static void on_pair(const floe_event *event, void *user) {
  const floe_ice_candidate *local = event->u.pair.local;
  const floe_ice_candidate *remote = event->u.pair.remote;
  char to[FLOE_ADDR_TEXT];
  (void)user;
  if (local == NULL || remote == NULL) return;
  fprintf(stderr, "over %s: %s to %s %s\n", floe_transport_name(local->transport),
          floe_candidate_type_name(local->type), floe_candidate_type_name(remote->type),
          floe_addr_format(&remote->address, to));
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  (void)candidate;
  (void)from;
  (void)user;
  (void)fwrite(data.ptr, 1, data.len, stdout);
  (void)putchar('\n');
  (void)fflush(stdout);
}

/* ---- the start ---- */

static floe_status start(app *a, const floe_ice_config *cfg, floe_error *why) {
  floe_status st = floe_uv_ice_agent_new(&a->agent, a->uv, cfg, why);
  if (st != FLOE_OK) return st;
  floe_uv_ice_agent *agent = a->agent;
  floe_uv_ice_agent_on_data(agent, on_data, a);
  if (floe_uv_ice_agent_on_icegatheringstatechange(agent, on_gathering, a) != FLOE_OK ||
      floe_uv_ice_agent_on_icecandidateerror(agent, on_error, a) != FLOE_OK ||
      floe_uv_ice_agent_on_iceservererror(agent, on_error, a) != FLOE_OK ||
      floe_uv_ice_agent_on_iceconnectionstatechange(agent, on_connection, a) != FLOE_OK ||
      floe_uv_ice_agent_on_selectedcandidatepairchange(agent, on_pair, a) != FLOE_OK) {
    return FLOE_E_NOMEM; /* floe_uv_close frees the agent */
  }
  return floe_uv_ice_agent_gather(agent);
}

static int run(const floe_ice_config *cfg) {
  static app a = {.status = 2};
  uv_loop_t *loop = uv_default_loop();
  floe_error why = {.message = "it did not start"};
  if (open_input(&a, loop) != 0) return 2;
  floe_status st = floe_uv_new(&a.uv, loop, NULL, &why);
  if (st == FLOE_OK) st = start(&a, cfg, &why);
  if (st != FLOE_OK) {
    fprintf(stderr, "%s: %s: %s\n", floe_status_name(st), why.path, why.message);
    on_closed(&a);
  }
  (void)uv_run(loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(loop);
  return a.status;
}

int main(int argc, char **argv) {
  const char *urls[MAX_URLS];
  floe_ice_server server = {.urls = urls};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.ice_servers = &server;
  for (int option; (option = getopt(argc, argv, "ls:u:p:")) != -1;) {
    switch (option) {
      case 'l': cfg.include_loopback = true; break;
      case 's':
        if (server.n_urls < MAX_URLS) urls[server.n_urls++] = optarg;
        break;
      case 'u': server.username = optarg; break;
      case 'p': server.credential = optarg; break;
      default: fprintf(stderr, "usage: %s [-l] [-s URL]... [-u USER -p PASSWORD]\n", argv[0]); return 2;
    }
  }
  cfg.n_ice_servers = server.n_urls > 0 ? 1 : 0;
  return run(&cfg);
}
