#include "nat_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "floe/floe.h"
#include "mem.h"
#include "text.h"

enum { DEFAULT_TLS_PORT = 443, MIN_TIMEOUT_MS = 200, MAX_TIMEOUT_MS = 60000 };
enum { TEXT_COLUMN = 30, LINE_WIDTH = 100 };

typedef struct option_row {
  floe__nat_option_id id;
  char letter;
  const char *name, *arg, *text;
} option_row;

static const option_row rows[] = {
#define FLOE__ROW(id, letter, name, arg, text) {id, letter, name, arg, text},
    FLOE__NAT_OPTION_MAP(FLOE__ROW)
#undef FLOE__ROW
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* --- help ------------------------------------------------------------------------------------------------------- */

static void print_row(FILE *out, const option_row *row) {
  char left[64], letter[8] = "    ";
  if (row->letter != 0) (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
  (void)snprintf(left, sizeof left, "  %s--%s%s%s", letter, row->name, row->arg[0] == '\0' ? "" : " ", row->arg);
  (void)fprintf(out, "%-*s  ", TEXT_COLUMN - 2, left);
  floe__text_print_wrapped(out, row->text, TEXT_COLUMN, TEXT_COLUMN, LINE_WIDTH);
}

void floe__nat_print_help(FILE *out) {
  (void)fputs(
      "usage: floe nat [OPTIONS] URL...\n\n"
      "Says what kind of NAT this host is behind: how it maps ports, what it lets in, whether it hairpins, which\n"
      "transports get out, and what that means for connections with other hosts.\n\n"
      "URLs are those of WebRTC (stun:HOST[:PORT], stuns:, turn:, turns:); what counts is their host and port. There "
      "is\n"
      "no default server: name one that you may use. One with two addresses (RFC 5780) tells everything; of others "
      "name\n"
      "two, which are compared. turn: and turns: need no credentials: that a server refuses is an answer, too.\n\n",
      out);
  for (size_t i = 0; i < N_ROWS; i++) print_row(out, &rows[i]);
  (void)fputs(
      "\nHow sure a conclusion is stands behind it: certain (every test was answered as it should be), likely "
      "(servers\n"
      "were compared, packets were lost, or tests were not answered), guess (too few answers).\n\n"
      "Exit status:\n"
      "  0  the mapping is known, or there is no NAT\n"
      "  1  a server answered, but that is not enough to tell\n"
      "  2  the command line is refused\n"
      "  3  no server answered over UDP, and a name could not be resolved\n"
      "  4  no server answered over UDP\n"
      "  9  anything else\n"
      "  130, 143  ended by a signal; 141: nobody read the output\n\n"
      "Examples:\n"
      "  floe nat stun:stun.example.org stun:stun.example.net\n"
      "  floe nat --json -4 turn:turn.example.org\n"
      "  floe testserver --listen udp:127.0.0.1:0 --alternate 127.0.0.2:0\n",
      out);
}

/* --- parsing ---------------------------------------------------------------------------------------------------- */

typedef struct parser {
  floe__nat_options *o;
  char *why;
  size_t cap;
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

static bool set_timeout(const parser *p, const char *arg) {
  if (floe__text_seconds(arg, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, &p->o->timeout_ms)) return true;
  return refuse(p, "--timeout %.60s: not a number of seconds from 0.2 to 60", arg);
}

static bool set_tls_port(const parser *p, const char *arg) {
  uint32_t port;
  if (!floe__text_number(arg, 1, 65535, &port)) return refuse(p, "--tls-port %.60s: not a port", arg);
  p->o->tls_port = (uint16_t)port;
  return true;
}

static bool set_dns_server(const parser *p, const char *arg) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, arg)) return refuse(p, "--dns-server %.60s: not an IP address such as 192.0.2.53", arg);
  push(&p->o->dns_servers, &p->o->n_dns_servers, arg);
  return true;
}

static bool set_interface(const parser *p, const char *arg) {
  if (p->o->interface != NULL) return refuse(p, "--interface may be given once");
  p->o->interface = arg;
  return true;
}

static bool set_option(const parser *p, floe__nat_option_id id, const char *arg) {
  floe__nat_options *o = p->o;
  switch (id) {
    case FLOE__NAT_OPT_SERVER: push(&o->urls, &o->n_urls, arg); return true;
    case FLOE__NAT_OPT_IPV4: return o->no_ipv6 = true;
    case FLOE__NAT_OPT_IPV6: return o->no_ipv4 = true;
    case FLOE__NAT_OPT_INTERFACE: return set_interface(p, arg);
    case FLOE__NAT_OPT_TIMEOUT: return set_timeout(p, arg);
    case FLOE__NAT_OPT_TLS_PORT: return set_tls_port(p, arg);
    case FLOE__NAT_OPT_NO_TRANSPORTS: return o->no_transports = true;
    case FLOE__NAT_OPT_DNS_SERVER: return set_dns_server(p, arg);
    case FLOE__NAT_OPT_JSON: return o->json = true;
    case FLOE__NAT_OPT_VERBOSE: return o->verbose = true;
    case FLOE__NAT_OPT_HELP: return o->help = true;
    case FLOE__NAT_OPT_FIRST: break;
  }
  return refuse(p, "unknown option");
}

static const option_row *row_of(int found) {
  for (size_t i = 0; i < N_ROWS; i++) {
    if (found == (int)rows[i].id || (rows[i].letter != 0 && found == rows[i].letter)) return &rows[i];
  }
  return NULL;
}

/* What getopt found wrong. */
static bool refuse_option(const parser *p, int found, char **argv) {
  const char *names[N_ROWS + 1];
  const option_row *row = row_of(optopt);
  if (found == ':' && row != NULL) return refuse(p, "option --%s needs %s", row->name, row->arg);
  if (optopt > 0 && optopt < FLOE__NAT_OPT_FIRST) return refuse(p, "unknown option -%c", optopt);
  if (row != NULL) return refuse(p, "option --%s takes no argument", row->name);
  for (size_t i = 0; i < N_ROWS; i++) names[i] = rows[i].name;
  names[N_ROWS] = NULL;
  const char *word = argv[optind - 1], *near = floe__text_suggest(word + strspn(word, "-"), names);
  if (near != NULL) return refuse(p, "unknown option %.60s; did you mean --%s?", word, near);
  return refuse(p, "unknown option %.60s", word);
}

static bool check_combination(const parser *p) {
  const floe__nat_options *o = p->o;
  if (o->help) return true;
  if (o->no_ipv4 && o->no_ipv6) return refuse(p, "-4 and -6 exclude each other");
  if (o->n_urls > 0) return true;
  return refuse(p,
                "no server: name one or more that you may use, such as stun:stun.example.org. None is asked unless it "
                "is named. Two are better than one: they are compared, unless one has two addresses itself (RFC 5780)");
}

static void make_getopt_table(struct option *table, char *letters) {
  *letters++ = ':'; /* a missing argument is told apart from an unknown option */
  for (size_t i = 0; i < N_ROWS; i++) {
    bool has_arg = rows[i].arg[0] != '\0';
    table[i] = (struct option){rows[i].name, has_arg ? required_argument : no_argument, NULL, (int)rows[i].id};
    if (rows[i].letter != 0) *letters++ = rows[i].letter;
  }
  *letters = '\0';
  table[N_ROWS] = (struct option){NULL, 0, NULL, 0};
}

bool floe__nat_options_parse(floe__nat_options *o, int argc, char **argv, char *why, size_t cap) {
  struct option table[N_ROWS + 1];
  char letters[N_ROWS + 2];
  const parser p = {o, why, cap};
  memset(o, 0, sizeof *o);
  o->tls_port = DEFAULT_TLS_PORT;
  make_getopt_table(table, letters);
  optind = 0; /* glibc and musl: start anew */
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
    if (found == '?' || found == ':') return refuse_option(&p, found, argv);
    if (!set_option(&p, row_of(found)->id, optarg)) return false;
  }
  for (; optind < argc; optind++) push(&o->urls, &o->n_urls, argv[optind]);
  return check_combination(&p);
}

void floe__nat_options_clear(floe__nat_options *o) {
  free(o->urls);
  free(o->dns_servers);
  memset(o, 0, sizeof *o);
}
