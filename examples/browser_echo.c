/* A browser talks to C: serves browser_echo.html, answers the offer that the page sends by HTTP POST, and echoes every
 * message of its data channels.
 *
 *     browser_echo [PORT] [PAGE]       then open http://127.0.0.1:8080/
 *
 * GNU libmicrohttpd is the HTTP server, on the same libuv loop: its epoll descriptor is watched like a socket. */
#include <floe/uv.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define OFFER_MAX 65536

static struct MHD_Daemon *http;
static uv_timer_t http_timer;
static floe_uv *driver;
static const char *page_file = "browser_echo.html";

/* One page: its request while that waits for the answer, and its connection. */
typedef struct visitor {
  struct MHD_Connection *request; /* NULL: answered */
  char offer[OFFER_MAX];
  size_t len;
  floe_uv_pc *pc;
} visitor;

/* ---- HTTP ---- */

static enum MHD_Result reply(struct MHD_Connection *to, unsigned status, const char *type, const char *body,
                             size_t len) {
  struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(size_t)body, MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(r, "Content-Type", type);
  enum MHD_Result ok = MHD_queue_response(to, status, r);
  MHD_destroy_response(r);
  return ok;
}

static enum MHD_Result serve_page(struct MHD_Connection *to) {
  static char page[OFFER_MAX];
  FILE *f = fopen(page_file, "rb");
  if (f == NULL) return reply(to, MHD_HTTP_NOT_FOUND, "text/plain", "no page\n", 8);
  size_t len = fread(page, 1, sizeof page, f);
  fclose(f);
  return reply(to, MHD_HTTP_OK, "text/html; charset=utf-8", page, len);
}

static void run_http(void);

/* The request waits until candidates are gathered: then one answer says it all. */
static void finish_request(visitor *v, unsigned status, const char *body) {
  struct MHD_Connection *request = v->request;
  if (request == NULL) return;
  v->request = NULL;
  MHD_resume_connection(request);
  reply(request, status, status == MHD_HTTP_OK ? "application/sdp" : "text/plain", body, strlen(body));
  run_http();
}

/* ---- the peer connection ---- */

static void on_message(const floe_event *e, void *user) {
  (void)user;
  const floe_channel_message *m = &e->u.message;
  floe_status st = m->is_binary ? floe_uv_data_channel_send(m->channel, m->data)
                                : floe_uv_data_channel_send_text(m->channel, m->data);
  /* The page sends no faster than it is answered; another program would wait for bufferedamountlow here. */
  if (st != FLOE_OK) fprintf(stderr, "echo: %s\n", floe_status_text(st));
}

static void on_datachannel(const floe_event *e, void *user) {
  (void)user;
  printf("channel \"%s\"\n", floe_data_channel_label(e->u.channel));
  floe_uv_data_channel_on_message(e->u.channel, on_message, NULL);
}

static void on_pc_closed(void *user) {
  free(user);
}

static void leave(visitor *v) {
  finish_request(v, MHD_HTTP_INTERNAL_SERVER_ERROR, "the connection failed\n");
  floe_uv_pc_close(v->pc, on_pc_closed, v);
}

static void on_connection(const floe_event *e, void *user) {
  printf("connection %s\n", floe_pc_state_name(e->u.pc.state));
  fflush(stdout);
  if (e->u.pc.state != FLOE_PC_FAILED) return;
  fprintf(stderr, "why: %s\n", floe_cause_sentence(e->u.pc.cause));
  leave(user);
}

/* The page is gone: DTLS was closed. */
static void on_dtls(const floe_event *e, void *user) {
  if (e->u.dtls_state != FLOE_DTLS_TRANSPORT_CLOSED) return;
  printf("the page has gone\n");
  fflush(stdout);
  leave(user);
}

static void on_gathering(const floe_event *e, void *user) {
  visitor *v = user;
  if (e->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) {
    finish_request(v, MHD_HTTP_OK, floe_uv_pc_local_description(v->pc)->sdp);
  }
}

/* Returns false, with the reason in `why`, when the offer is of no use. */
static bool answer(visitor *v, floe_error *why) {
  floe_session_description offer = {.type = FLOE_SDP_OFFER, .sdp = v->offer};
  floe_ice_config ice;
  floe_ice_config_init(&ice, sizeof ice);
  ice.include_loopback = true;
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  if (floe_uv_pc_new(&v->pc, driver, &cfg, why) != FLOE_OK) return false;
  floe_uv_pc_on_datachannel(v->pc, on_datachannel, v);
  floe_uv_pc_on_connectionstatechange(v->pc, on_connection, v);
  floe_uv_pc_on_icegatheringstatechange(v->pc, on_gathering, v);
  if (floe_uv_pc_add_event_listener(v->pc, FLOE_EVENT_DTLSTRANSPORT_STATECHANGE, on_dtls, v) != FLOE_OK) return false;
  return floe_uv_pc_set_remote_description(v->pc, &offer, why) == FLOE_OK &&
         floe_uv_pc_set_local_description(v->pc, NULL, why) == FLOE_OK;
}

static enum MHD_Result take_offer(visitor *v, struct MHD_Connection *request) {
  floe_error why = {.message = "out of memory"};
  v->offer[v->len] = '\0';
  if (answer(v, &why)) {
    v->request = request;
    MHD_suspend_connection(request);
    return MHD_YES;
  }
  char text[400];
  int n = snprintf(text, sizeof text, "%s, line %u: %s\n", why.path, (unsigned)why.line, why.message);
  if (v->pc != NULL) {
    floe_uv_pc_close(v->pc, on_pc_closed, v);
  } else {
    free(v);
  }
  return reply(request, MHD_HTTP_BAD_REQUEST, "text/plain", text, (size_t)n);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *body, size_t *size, void **state) {
  (void)user;
  (void)version;
  if (strcmp(method, "GET") == 0) {
    return strcmp(url, "/") == 0 ? serve_page(c) : reply(c, MHD_HTTP_NOT_FOUND, "text/plain", "not here\n", 9);
  }
  if (strcmp(method, "POST") != 0 || strcmp(url, "/offer") != 0) return MHD_NO;
  visitor *v = *state;
  if (v == NULL) {
    *state = calloc(1, sizeof *v);
    return *state == NULL ? MHD_NO : MHD_YES;
  }
  if (*size > 0) {
    if (*size >= OFFER_MAX - v->len) return MHD_NO;
    memcpy(v->offer + v->len, body, *size);
    v->len += *size;
    *size = 0;
    return MHD_YES;
  }
  if (v->pc != NULL) return MHD_YES; /* resumed: its answer is queued */
  return take_offer(v, c);
}

/* ---- one loop for both ---- */

static void on_http_timer(uv_timer_t *timer) {
  (void)timer;
  run_http();
}

static void run_http(void) {
  MHD_UNSIGNED_LONG_LONG wait;
  MHD_run(http);
  if (MHD_get_timeout(http, &wait) == MHD_YES) uv_timer_start(&http_timer, on_http_timer, wait, 0);
}

static void on_http_readable(uv_poll_t *poll, int status, int events) {
  (void)poll;
  (void)status;
  (void)events;
  run_http();
}

int main(int argc, char **argv) {
  unsigned port = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 8080;
  if (argc > 2) page_file = argv[2];
  uv_loop_t *loop = uv_default_loop();
  if (floe_uv_new(&driver, loop, NULL, NULL) != FLOE_OK) return 1;
  http = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)port, NULL, NULL, on_request, NULL,
                          MHD_OPTION_END);
  if (http == NULL) {
    fprintf(stderr, "cannot listen on port %u\n", port);
    return 1;
  }
  uv_poll_t readable;
  uv_timer_init(loop, &http_timer);
  uv_poll_init(loop, &readable, MHD_get_daemon_info(http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
  uv_poll_start(&readable, UV_READABLE, on_http_readable);
  printf("http://127.0.0.1:%u/\n", (unsigned)MHD_get_daemon_info(http, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
