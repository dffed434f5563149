#include "connect_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "connect_help.h"
#include "mem.h"
#include "text.h"

enum { MAX_ROWS = 64 };

typedef struct parser {
  floe__connect_options *o;
  char *why;
  size_t cap;
  bool has_mode;
} parser;

static bool FLOE_PRINTF(2, 3) refuse(const parser *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(p->why, p->cap, format, args);
  va_end(args);
  return false;
}

static void push(const char ***list, size_t *n, const char *item) {
  void *array = *list;
  floe__cli_grow(&array, *n, sizeof **list);
  *list = array;
  (*list)[(*n)++] = item;
}

const char *floe__connect_mode_option(floe__connect_mode mode) {
  switch (mode) {
    case FLOE__CONNECT_PIPE: return "";
    case FLOE__CONNECT_SEND: return "--send";
    case FLOE__CONNECT_RECEIVE: return "--receive";
    case FLOE__CONNECT_EXPOSE: return "--expose";
    case FLOE__CONNECT_FORWARD: return "--forward";
  }
  return "";
}

floe__connect_mode floe__connect_mode_of_peer(floe__connect_mode mode) {
  switch (mode) {
    case FLOE__CONNECT_PIPE: return FLOE__CONNECT_PIPE;
    case FLOE__CONNECT_SEND: return FLOE__CONNECT_RECEIVE;
    case FLOE__CONNECT_RECEIVE: return FLOE__CONNECT_SEND;
    case FLOE__CONNECT_EXPOSE: return FLOE__CONNECT_FORWARD;
    case FLOE__CONNECT_FORWARD: return FLOE__CONNECT_EXPOSE;
  }
  return FLOE__CONNECT_PIPE;
}

/* --- what to carry ------------------------------------------------------------------------------------------------ */

static bool set_mode(parser *p, floe__connect_mode mode) {
  bool again = p->has_mode && (p->o->mode != mode || mode != FLOE__CONNECT_SEND);
  if (again) return refuse(p, "only one of --send, --receive, --expose and --forward, and only --send more than once");
  p->has_mode = true;
  p->o->mode = mode;
  return true;
}

static bool set_files(parser *p, const char *name) {
  if (!set_mode(p, FLOE__CONNECT_SEND)) return false;
  push(&p->o->files, &p->o->n_files, name);
  return true;
}

/* "host:80", "192.0.2.1:80", "[::1]:80", and with `may_lack_host` "80". */
static bool read_place(floe__place *out, const char *text, bool may_lack_host, uint32_t min_port) {
  const char *colon = strrchr(text, ':'), *port = colon == NULL ? text : colon + 1;
  size_t len = colon == NULL ? 0 : (size_t)(colon - text);
  uint32_t number;
  bool is_bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
  if (!floe__text_number(port, min_port, 65535, &number) || (len == 0 && (!may_lack_host || colon != NULL))) {
    return false;
  }
  if (is_bracketed) {
    text++;
    len -= 2;
  } else if (strcspn(text, ":[]") < len) {
    return false; /* an IPv6 address without brackets: who knows where the port begins */
  }
  if (len >= sizeof out->host) return false;
  memcpy(out->host, text, len);
  out->host[len] = '\0';
  (void)snprintf(out->port, sizeof out->port, "%u", (unsigned)number);
  return true;
}

static bool set_expose(parser *p, const char *arg) {
  if (!set_mode(p, FLOE__CONNECT_EXPOSE)) return false;
  return read_place(&p->o->place, arg, false, 1) ||
         refuse(p, "--expose %.100s: not HOST:PORT, such as localhost:8080 or [::1]:8080", arg);
}

static bool set_forward(parser *p, const char *arg) {
  if (!set_mode(p, FLOE__CONNECT_FORWARD)) return false;
  if (!read_place(&p->o->place, arg, true, 0)) {
    return refuse(p, "--forward %.100s: not PORT or BIND:PORT, such as 8080, 0.0.0.0:8080 or [::1]:8080", arg);
  }
  if (p->o->place.host[0] == '\0') (void)snprintf(p->o->place.host, sizeof p->o->place.host, "127.0.0.1");
  return true;
}

/* --- one option --------------------------------------------------------------------------------------------------- */

static bool set_own(parser *p, floe__connect_option_id id, const char *arg) {
  floe__connect_options *o = p->o;
  switch ((int)id) {
    case FLOE__CONNECT_OPT_SEND: return set_files(p, arg);
    case FLOE__CONNECT_OPT_RECEIVE: o->directory = arg; return set_mode(p, FLOE__CONNECT_RECEIVE);
    case FLOE__CONNECT_OPT_EXPOSE: return set_expose(p, arg);
    case FLOE__CONNECT_OPT_FORWARD: return set_forward(p, arg);
    case FLOE__CONNECT_OPT_FORCE: return o->force = true;
    case FLOE__CONNECT_OPT_NO_INPUT: return o->no_input = true;
    case FLOE__CONNECT_OPT_ANSWER: return o->is_answer = true;
    case FLOE__CONNECT_OPT_TICKET_OUT: o->ticket_out = arg; return true;
    case FLOE__CONNECT_OPT_TICKET_IN: o->ticket_in = arg; return true;
    case FLOE__CONNECT_OPT_SERVER: push(&o->net.urls, &o->net.n_urls, arg); return true;
    case FLOE__CONNECT_OPT_JSON: o->json_file = arg; return o->json = true;
    case FLOE__CONNECT_OPT_KEYLOG: o->keylog = arg; return true;
    default: return refuse(p, "unknown option");
  }
}

static const floe__connect_option_row *row_of(int found) {
  for (size_t i = 0; i < floe__connect_option_row_count; i++) {
    const floe__connect_option_row *row = &floe__connect_option_rows[i];
    if (found == (int)row->id || (row->letter != 0 && found == row->letter)) return row;
  }
  return NULL;
}

/* What getopt found wrong. It must not print it itself: it would print the argument. */
static bool refuse_option(const parser *p, int found, char **argv) {
  const char *names[MAX_ROWS + 1];
  char word[40];
  const floe__connect_option_row *row = row_of(optopt);
  if (found == ':' && row != NULL) return refuse(p, "option --%s needs %s", row->name, row->arg);
  if (optopt > 0 && optopt < FLOE__CONNECT_OPT_FIRST) return refuse(p, "unknown option -%c", optopt);
  if (row != NULL) return refuse(p, "option --%s takes no argument", row->name);
  for (size_t i = 0; i < floe__connect_option_row_count; i++) names[i] = floe__connect_option_rows[i].name;
  names[floe__connect_option_row_count] = NULL;
  const char *text = argv[optind - 1]; /* what follows a '=' may be a secret */
  (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(text, "="), text);
  const char *near = floe__text_suggest(word + strspn(word, "-"), names);
  if (near != NULL) return refuse(p, "unknown option %s; did you mean --%s?", word, near);
  return refuse(p, "unknown option %s", word);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool set_argument(parser *p, const char *arg) {
  floe__connect_options *o = p->o;
  if (o->mode == FLOE__CONNECT_SEND && !floe__ticket_is_meant(arg)) return set_files(p, arg);
  if (o->ticket != NULL) return refuse(p, "only one ticket can be answered: what is '%.40s'?", arg);
  o->ticket = arg;
  o->is_answer = true;
  return true;
}

static bool is_dash(const char *name) {
  return name != NULL && strcmp(name, "-") == 0;
}

/* Standard input is the data, or in its place the ticket. */
static bool check_standard_streams(const parser *p) {
  const floe__connect_options *o = p->o;
  bool is_pipe = o->mode == FLOE__CONNECT_PIPE;
  int uses = (is_pipe && !o->no_input ? 1 : 0) + (is_dash(o->net.ice_servers) ? 1 : 0) +
             (is_dash(o->net.credential_file) ? 1 : 0);
  if (uses > 1) return refuse(p, "standard input can be one thing only: the data, the iceServers or the credential");
  if (is_pipe && is_dash(o->ticket_out)) return refuse(p, "--ticket-out -: standard output is for the data");
  return true;
}

static bool check_credentials(const parser *p) {
  const floe__check_options *net = &p->o->net;
  bool is_secret =
      net->credential_source == FLOE__CREDENTIAL_SECRET_TEXT || net->credential_source == FLOE__CREDENTIAL_SECRET_FILE;
  bool is_any = net->credential_source != FLOE__CREDENTIAL_NONE;
  if (net->has_ttl && !is_secret) return refuse(p, "--ttl needs --secret or --secret-file");
  if (net->n_urls == 0 && (net->user != NULL || is_any)) {
    return refuse(p, "--user and credentials are for --server; those of --ice-servers are in the JSON");
  }
  if (is_any && !is_secret && net->user == NULL) return refuse(p, "a credential needs --user");
  return true;
}

static bool check_combination(const parser *p) {
  const floe__connect_options *o = p->o;
  if (o->net.help) return true;
  if (o->net.no_ipv4 && o->net.no_ipv6) return refuse(p, "-4 and -6 exclude each other");
  if (o->net.trace_addresses && o->net.trace == NULL) return refuse(p, "--trace-addresses needs --trace");
  if (o->force && o->mode != FLOE__CONNECT_RECEIVE) return refuse(p, "--force needs --receive");
  if (o->no_input && o->mode != FLOE__CONNECT_PIPE) {
    return refuse(p, "--no-input: with %s standard input is not read anyway", floe__connect_mode_option(o->mode));
  }
  if (o->net.relay_only && o->net.n_urls == 0 && o->net.ice_servers == NULL) {
    return refuse(p, "--relay-only needs a TURN server: give --server or --ice-servers");
  }
  if (o->ticket != NULL && o->ticket_in != NULL) {
    return refuse(p, "the ticket to answer is on the command line or in --ticket-in, not both");
  }
  return check_credentials(p) && check_standard_streams(p);
}

static void make_getopt_table(struct option *table, char *letters) {
  *letters++ = ':'; /* a missing argument is told apart from an unknown option */
  for (size_t i = 0; i < floe__connect_option_row_count; i++) {
    const floe__connect_option_row *row = &floe__connect_option_rows[i];
    size_t len = strlen(row->arg);
    bool is_optional = len > 0 && row->arg[0] == '[' && row->arg[len - 1] == ']';
    int has_arg = len == 0 ? no_argument : is_optional ? optional_argument : required_argument;
    table[i] = (struct option){row->name, has_arg, NULL, (int)row->id};
    if (row->letter == 0) continue;
    *letters++ = row->letter;
    if (has_arg == required_argument) *letters++ = ':';
  }
  *letters = '\0';
  table[floe__connect_option_row_count] = (struct option){NULL, 0, NULL, 0};
}

static bool set_option(parser *p, const floe__connect_option_row *row, char *arg) {
  if (row->shared == FLOE__OPT_END) return set_own(p, row->id, arg);
  return floe__check_options_set(&p->o->net, row->shared, arg, p->why, p->cap);
}

bool floe__connect_options_parse(floe__connect_options *o, int argc, char **argv, char *why, size_t cap) {
  struct option table[MAX_ROWS + 1];
  char letters[2 * MAX_ROWS + 2];
  parser p = {o, why, cap, false};
  memset(o, 0, sizeof *o);
  floe__check_options_init(&o->net);
  make_getopt_table(table, letters);
  optind = 0; /* glibc and musl: start anew */
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
    if (found == '?' || found == ':') return refuse_option(&p, found, argv);
    if (!set_option(&p, row_of(found), optarg)) return false;
  }
  for (; optind < argc; optind++) {
    if (!set_argument(&p, argv[optind])) return false;
  }
  return check_combination(&p);
}

void floe__connect_options_clear(floe__connect_options *o) {
  floe__check_options_clear(&o->net);
  free(o->files);
  memset(o, 0, sizeof *o);
}
