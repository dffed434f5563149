#include "check_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floe/floe.h"
#include "mem.h"
#include "option_table.h"
#include "text.h"

enum { DEFAULT_TTL_S = 3600, DEFAULT_WATCH_MS = 5000, DAY_MS = 86400 * 1000, MAX_TTL_S = 10 * 365 * 86400 };

typedef struct parser {
  floe__check_options *o;
  int argc;
  char **argv;
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

static bool set_credential(const parser *p, floe__credential_source source, char *arg) {
  floe__check_options *o = p->o;
  if (o->credential_source != FLOE__CREDENTIAL_NONE) {
    return refuse(p, "only one of --credential, --credential-file, --credential-prompt, --secret and --secret-file");
  }
  if (source == FLOE__CREDENTIAL_SECRET_TEXT && arg[0] == '\0') {
    return refuse(p, "--secret is empty"); /* most often a variable of the shell that is not set */
  }
  o->credential_source = source;
  if (source == FLOE__CREDENTIAL_TEXT || source == FLOE__CREDENTIAL_SECRET_TEXT) {
    o->credential = floe__cli_strdup(arg);
    floe__cli_wipe_text(arg);
  } else {
    o->credential_file = arg;
  }
  return true;
}

static bool set_port_range(const parser *p, const char *arg) {
  char low[8];
  uint32_t min, max;
  size_t n = strcspn(arg, "-");
  if (n < sizeof low && arg[n] == '-') {
    memcpy(low, arg, n);
    low[n] = '\0';
    if (floe__text_number(low, 1, 65535, &min) && floe__text_number(arg + n + 1, min, 65535, &max)) {
      p->o->port_min = (uint16_t)min;
      p->o->port_max = (uint16_t)max;
      return true;
    }
  }
  return refuse(p, "--port-range %s: not MIN-MAX with 1 <= MIN <= MAX <= 65535", arg);
}

static bool set_seconds(const parser *p, const char *name, const char *arg, uint32_t *ms) {
  if (floe__text_seconds(arg, 100, DAY_MS, ms)) return true;
  return refuse(p, "--%s %s: not a number of seconds from 0.1 to 86400", name, arg);
}

static bool set_number(const parser *p, const char *name, const char *arg, uint32_t max, uint32_t *out) {
  if (floe__text_number(arg, 1, max, out)) return true;
  return refuse(p, "--%s %s: not a whole number from 1 to %u", name, arg, max);
}

static bool set_dns_server(const parser *p, const char *arg) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, arg)) {
    return refuse(p, "--dns-server %s: not an IP address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353",
                  arg);
  }
  push(&p->o->dns_servers, &p->o->n_dns_servers, arg);
  return true;
}

/* The last one would silently win, and the servers of the others go unchecked. */
static bool set_ice_servers(const parser *p, const char *arg) {
  if (p->o->ice_servers != NULL) return refuse(p, "--ice-servers may be given once");
  p->o->ice_servers = arg;
  return true;
}

/* "--watch 2": getopt takes an optional argument only when it is joined with '='; no URL looks like a number. */
static bool set_watch(const parser *p, const char *arg) {
  floe__check_options *o = p->o;
  uint32_t ms;
  o->watch = true;
  o->watch_ms = DEFAULT_WATCH_MS;
  if (arg != NULL) return set_seconds(p, "watch", arg, &o->watch_ms);
  if (optind < p->argc && floe__text_seconds(p->argv[optind], 0, UINT32_MAX, &ms)) {
    return set_seconds(p, "watch", p->argv[optind++], &o->watch_ms);
  }
  return true;
}

static bool set_option(const parser *p, floe__option_id id, char *arg) {
  floe__check_options *o = p->o;
  switch (id) {
    case FLOE__OPT_ICE_SERVERS: return set_ice_servers(p, arg);
    case FLOE__OPT_ALL: return o->all = true;
    case FLOE__OPT_RELAY_ONLY: return o->relay_only = true;
    case FLOE__OPT_NO_RELAY_TEST: return o->no_relay_test = true;
    case FLOE__OPT_DEMO: return o->demo = true;
    case FLOE__OPT_EXPLAIN: o->explain = arg; return true;
    case FLOE__OPT_USER: o->user = arg; return true;
    case FLOE__OPT_CREDENTIAL: return set_credential(p, FLOE__CREDENTIAL_TEXT, arg);
    case FLOE__OPT_CREDENTIAL_FILE: return set_credential(p, FLOE__CREDENTIAL_FILE, arg);
    case FLOE__OPT_CREDENTIAL_PROMPT: return set_credential(p, FLOE__CREDENTIAL_PROMPT, NULL);
    case FLOE__OPT_SECRET: return set_credential(p, FLOE__CREDENTIAL_SECRET_TEXT, arg);
    case FLOE__OPT_SECRET_FILE: return set_credential(p, FLOE__CREDENTIAL_SECRET_FILE, arg);
    case FLOE__OPT_TTL: o->has_ttl = true; return set_number(p, "ttl", arg, MAX_TTL_S, &o->ttl_s);
    case FLOE__OPT_CA_FILE: o->ca_file = arg; return true;
    case FLOE__OPT_INSECURE: return o->insecure = true;
    case FLOE__OPT_IPV4: return o->no_ipv6 = true;
    case FLOE__OPT_IPV6: return o->no_ipv4 = true;
    case FLOE__OPT_INTERFACE: push(&o->interfaces, &o->n_interfaces, arg); return true;
    case FLOE__OPT_PORT_RANGE: return set_port_range(p, arg);
    case FLOE__OPT_INCLUDE_LOOPBACK: return o->include_loopback = true;
    case FLOE__OPT_DNS_SERVER: return set_dns_server(p, arg);
    case FLOE__OPT_TIMEOUT: return set_seconds(p, "timeout", arg, &o->timeout_ms);
    case FLOE__OPT_WATCH: return set_watch(p, arg);
    case FLOE__OPT_COUNT: return set_number(p, "count", arg, UINT32_MAX, &o->count);
    case FLOE__OPT_JSON: return o->json = true;
    case FLOE__OPT_VERBOSE: return o->verbose = true;
    case FLOE__OPT_TRACE: o->trace = arg; return true;
    case FLOE__OPT_TRACE_ADDRESSES: return o->trace_addresses = true;
    case FLOE__OPT_HELP: return o->help = true;
    case FLOE__OPT_VERSION: return o->version = true;
    case FLOE__OPT_FIRST:
    case FLOE__OPT_END: break;
  }
  return refuse(p, "unknown option");
}

bool floe__check_options_set(floe__check_options *o, floe__option_id id, char *arg, char *why, size_t cap) {
  const parser p = {.o = o, .why = why, .cap = cap};
  return set_option(&p, id, arg);
}

static bool refuse_unknown(const parser *p, const char *text) {
  const char *names[64];
  size_t n = 0, alike = 0;
  size_t len = strcspn(text, "="); /* what follows may be a secret */
  char word[40];
  (void)snprintf(word, sizeof word, "%.*s", (int)len, text);
  const char *bare = word + strspn(word, "-");
  for (size_t i = 0; i < floe__option_row_count; i++) {
    names[n++] = floe__option_rows[i].name;
    alike += strncmp(floe__option_rows[i].name, bare, strlen(bare)) == 0 ? 1 : 0;
  }
  names[n] = NULL;
  if (alike > 1) return refuse(p, "option %s is ambiguous", word);
  if (alike == 1) return refuse(p, "option %s takes no argument", word);
  const char *near = floe__text_suggest(bare, names);
  if (near != NULL) return refuse(p, "unknown option %s; did you mean --%s?", word, near);
  return refuse(p, "unknown option %s", word);
}

/* What getopt found wrong. It must not print it itself: it would print the argument. */
static bool refuse_option(const parser *p, int found) {
  const char *text = p->argv[optind - 1];
  if (found == ':') {
    for (size_t i = 0; i < floe__option_row_count; i++) {
      const floe__option_row *row = &floe__option_rows[i];
      if (optopt == (int)row->id || (optopt != 0 && optopt == row->letter)) {
        return refuse(p, "option --%s needs %s", row->name, row->arg);
      }
    }
  }
  if (optopt > 0 && optopt < FLOE__OPT_FIRST) return refuse(p, "unknown option -%c", optopt);
  return refuse_unknown(p, text);
}

static bool check_combination(const parser *p) {
  const floe__check_options *o = p->o;
  bool secret =
      o->credential_source == FLOE__CREDENTIAL_SECRET_TEXT || o->credential_source == FLOE__CREDENTIAL_SECRET_FILE;
  bool credential = o->credential_source != FLOE__CREDENTIAL_NONE;
  bool stdin_twice = o->ice_servers != NULL && strcmp(o->ice_servers, "-") == 0 && o->credential_file != NULL &&
                     strcmp(o->credential_file, "-") == 0;
  bool no_url = o->n_urls == 0 && o->ice_servers == NULL;
  if (o->help || o->version || o->explain != NULL) return true;
  if (o->no_ipv4 && o->no_ipv6) return refuse(p, "-4 and -6 exclude each other");
  if (o->has_ttl && !secret) return refuse(p, "--ttl needs --secret or --secret-file");
  if (o->count != 0 && !o->watch) return refuse(p, "--count needs --watch");
  if (o->trace_addresses && o->trace == NULL) return refuse(p, "--trace-addresses needs --trace");
  if (stdin_twice) return refuse(p, "standard input can be the iceServers or the credential, not both");
  if (o->demo && (!no_url || o->json || o->watch || o->all)) {
    return refuse(p, "--demo takes no URL, --ice-servers, --json, --watch or --all");
  }
  if (o->demo) return true;
  if (no_url) return refuse(p, "no server: give a URL such as turn:turn.example.org, or --ice-servers");
  if (o->n_urls == 0 && (o->user != NULL || credential)) {
    return refuse(p, "--user and credentials are for URLs on the command line; those of --ice-servers are in the JSON");
  }
  if (credential && !secret && o->user == NULL) return refuse(p, "a credential needs --user");
  return true;
}

static void make_getopt_table(struct option *table, char *letters) {
  *letters++ = ':'; /* a missing argument is told apart from an unknown option */
  for (size_t i = 0; i < floe__option_row_count; i++) {
    const floe__option_row *row = &floe__option_rows[i];
    int has_arg = row->arg[0] == '\0' ? no_argument : row->arg[0] == '[' ? optional_argument : required_argument;
    table[i] = (struct option){row->name, has_arg, NULL, (int)row->id};
    if (row->letter == 0) continue;
    *letters++ = row->letter;
    if (has_arg == required_argument) *letters++ = ':';
  }
  *letters = '\0';
  table[floe__option_row_count] = (struct option){NULL, 0, NULL, 0};
}

static floe__option_id id_of(int found) {
  for (size_t i = 0; i < floe__option_row_count; i++) {
    if (found == (int)floe__option_rows[i].id || found == floe__option_rows[i].letter) return floe__option_rows[i].id;
  }
  return FLOE__OPT_END;
}

void floe__check_options_init(floe__check_options *o) {
  memset(o, 0, sizeof *o);
  o->ttl_s = DEFAULT_TTL_S;
}

bool floe__check_options_parse(floe__check_options *o, int argc, char **argv, char *why, size_t cap) {
  struct option table[64];
  char letters[64];
  const parser p = {o, argc, argv, why, cap};
  floe__check_options_init(o);
  make_getopt_table(table, letters);
  optind = 0; /* glibc and musl: start anew */
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
    if (found == '?' || found == ':') return refuse_option(&p, found);
    if (!set_option(&p, id_of(found), optarg)) return false;
  }
  for (; optind < argc; optind++) push(&o->urls, &o->n_urls, argv[optind]);
  return check_combination(&p);
}

void floe__check_options_clear(floe__check_options *o) {
  floe__cli_free_secret(o->credential);
  free(o->urls);
  free(o->interfaces);
  free(o->dns_servers);
  memset(o, 0, sizeof *o);
}
