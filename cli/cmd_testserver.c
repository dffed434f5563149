/* floe testserver - the misbehaving server on real sockets, until a signal ends it. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_testserver_options.h"
#include "commands.h"
#include "exit_status.h"
#include "floe/floe.h"
#include "testserver_uv/testserver_uv.h"
#include "text.h"

typedef struct run {
  uv_loop_t loop;
  uv_signal_t signals[2]; /* SIGINT, SIGTERM */
  floe_env *env;
  floe__testserver_uv *server;
} run;

/* --- --verbose -------------------------------------------------------------------------------------------------- */

static const char *member(const json_t *event, const char *key) {
  const char *text = json_string_value(json_object_get(event, key));
  return text != NULL ? text : "?";
}

static void print_request(const json_t *event) {
  const json_t *code = json_object_get(event, "code");
  (void)printf("%s %s %s: ", member(event, "transport"), member(event, "from"), member(event, "method"));
  if (code != NULL) {
    (void)printf("error %d\n", (int)json_integer_value(code));
  } else {
    (void)printf("%s\n", strcmp(member(event, "answer"), "none") == 0 ? "no answer" : member(event, "answer"));
  }
  (void)fflush(stdout);
}

static void on_trace(void *user, const char *line, size_t len) {
  (void)user;
  json_t *event = json_loadb(line, len, 0, NULL);
  if (event != NULL && strcmp(member(event, "event"), "testserver.request") == 0) print_request(event);
  json_decref(event);
}

/* --- starting --------------------------------------------------------------------------------------------------- */

static int refuse(const char *sentence) {
  char *clean = floe__text_clean(sentence);
  (void)fprintf(stderr, "floe testserver: %s\n", clean);
  free(clean);
  return FLOE__EXIT_USAGE;
}

static int fail_starting(const char *what, int status) {
  (void)fprintf(stderr, "floe testserver: %s: %s\n", what, uv_strerror(status));
  return FLOE__EXIT_OTHER;
}

static void print_port(const floe__testserver_port *port, const floe_addr *bound, const char *script) {
  char addr[FLOE_ADDR_TEXT];
  (void)printf("listening %s %s (%s)\n", floe_transport_name(port->transport), floe_addr_format(bound, addr), script);
}

/* Opens one port, or the four of a square, of which the first is the port's own. */
static int open_port(run *r, const floe__testserver_port *port, const floe_addr *alternate, floe_addr bound[4]) {
  if (alternate == NULL) {
    return floe__testserver_uv_listen(r->server, port->transport, &port->addr, &port->script, &bound[0]);
  }
  return floe__testserver_uv_listen_square(r->server, &port->addr, alternate, &port->script, bound);
}

static const floe__testserver_port *first_udp(const floe__testserver_options *o) {
  for (size_t i = 0; i < o->n_ports; i++) {
    if (o->ports[i].transport == FLOE_TRANSPORT_UDP) return &o->ports[i];
  }
  return NULL;
}

static int open_ports(run *r, const floe__testserver_options *o) {
  const floe__testserver_port *square = o->has_alternate ? first_udp(o) : NULL;
  floe_addr bound[4], corners[4];
  for (size_t i = 0; i < o->n_ports; i++) {
    const floe__testserver_port *port = &o->ports[i];
    char text[512];
    int status = open_port(r, port, port == square ? &o->alternate : NULL, bound);
    if (status != 0) {
      (void)snprintf(text, sizeof text, "--listen %s: %s", port->arg, uv_strerror(status));
      return refuse(text);
    }
    if (port == square) memcpy(corners, bound, sizeof corners);
    if (!o->quiet) print_port(port, &bound[0], port->script_text);
  }
  for (int i = 1; square != NULL && !o->quiet && i < 4; i++) print_port(square, &corners[i], "alternate");
  (void)fflush(stdout);
  return FLOE__EXIT_OK;
}

static int write_ca(run *r, const char *path) {
  char text[512];
  const char *pem = floe__testserver_ca_pem(floe__testserver_uv_core(r->server));
  if (pem == NULL) return fail_starting("the certificate", UV_ENOMEM);
  FILE *f = fopen(path, "w");
  bool ok = f != NULL && fputs(pem, f) >= 0;
  if (f != NULL && fclose(f) != 0) ok = false;
  if (ok) return FLOE__EXIT_OK;
  (void)snprintf(text, sizeof text, "--write-ca %s: the file cannot be written", path);
  return refuse(text);
}

/* --- running ---------------------------------------------------------------------------------------------------- */

static void close_all(run *r) {
  floe__testserver_uv_close(r->server, NULL, NULL);
  r->server = NULL;
  for (size_t i = 0; i < 2; i++) {
    uv_handle_t *handle = (uv_handle_t *)&r->signals[i];
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
  }
}

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  close_all(handle->data);
}

static int watch_signals(run *r) {
  static const int numbers[2] = {SIGINT, SIGTERM};
  int status = 0;
  for (size_t i = 0; i < 2; i++) {
    (void)uv_signal_init(&r->loop, &r->signals[i]);
    r->signals[i].data = r;
    if (status == 0) status = uv_signal_start(&r->signals[i], on_signal, numbers[i]);
  }
  return status;
}

/* The file comes before the lines that say the server is ready. */
static int start(run *r, const floe__testserver_options *o) {
  int status = watch_signals(r);
  if (status != 0) return fail_starting("signals", status);
  status = floe__testserver_uv_new(&r->server, &r->loop, r->env, &o->cfg);
  if (status != 0) return fail_starting("the server", status);
  status = o->ca_path != NULL ? write_ca(r, o->ca_path) : FLOE__EXIT_OK;
  return status != FLOE__EXIT_OK ? status : open_ports(r, o);
}

static int serve(const floe__testserver_options *o) {
  run r = {0};
  floe_env_config cfg;
  floe_env_config_init(&cfg, sizeof cfg);
  cfg.trace = o->verbose ? on_trace : NULL;
  cfg.trace_addresses = true;
  if (floe_env_new(&r.env, &cfg) != FLOE_OK) return fail_starting("the environment", UV_ENOMEM);
  int status = uv_loop_init(&r.loop);
  if (status != 0) {
    floe_env_free(r.env);
    return fail_starting("the event loop", status);
  }
  status = start(&r, o);
  if (status != FLOE__EXIT_OK) close_all(&r);
  (void)uv_run(&r.loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(&r.loop);
  floe_env_free(r.env);
  return status;
}

int floe_cmd_testserver(int argc, char **argv) {
  floe__testserver_options o;
  char why[512] = "";
  int status = FLOE__EXIT_OK;
  if (!floe__testserver_options_parse(&o, argc, argv, why, sizeof why)) {
    status = refuse(why);
    (void)fputs("see floe testserver --help\n", stderr);
  } else if (o.help) {
    floe__testserver_print_help(stdout);
  } else {
    status = serve(&o);
  }
  floe__testserver_options_clear(&o);
  return status;
}
