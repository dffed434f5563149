#include "cmd_testserver_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

enum { STUN_PORT = 3478, ALTERNATE_PORT = 3479, STUNS_PORT = 5349, MAX_LIFETIME_S = 3600, MAX_SCRIPT_WHY = 200 };

void floe__testserver_print_help(FILE *out) {
  (void)fputs(
      "usage: floe testserver [OPTIONS] [--listen TRANSPORT:ADDRESS[:PORT][,SCRIPT...]]...\n\n"
      "Runs a STUN/TURN server that does what it is told to do wrong, to try out clients and monitoring with. Without\n"
      "--listen it is correct, on 127.0.0.1 port 3478 (UDP and TCP) and 5349 (TLS). It is made for tests: it does not\n"
      "protect anything, and its users can reach whatever its host can reach.\n\n"
      "  --listen SPEC         listen at udp:, tcp: or tls: and an IP address, with the port (0: any free one) or "
      "without\n"
      "                        (3478, 5349 for tls), then the script of this port; may be repeated\n"
      "  --alternate ADDRESS[:PORT]\n"
      "                        RFC 5780: the first udp: port answers also from this second address and port (default\n"
      "                        3479), so that clients can find out what their NAT does\n"
      "  --user NAME           user name (default user)\n"
      "  --credential TEXT     credential (default secret)\n"
      "  --secret TEXT         time-limited credentials from this shared secret, in place of --user and --credential\n"
      "  --realm TEXT          realm (default floe.test)\n"
      "  --relay-ip ADDRESS    relay from this address (default 127.0.0.1); once for IPv4 and once for IPv6\n"
      "  --sha256              offer password algorithms, and accept only clients that sign with SHA-256\n"
      "  --lifetime SECONDS    lifetime of every allocation (default: what is asked for, from 600 to 3600)\n"
      "  --write-ca FILE       write the certificate of the authority of this run, for floe check --ca-file FILE\n"
      "  -q, --quiet           print nothing but errors\n"
      "  -v, --verbose         print a line for each request\n"
      "  -h, --help            show this help\n\n"
      "Scripts, joined by commas: one of the first list, and for TLS ports one of the tls- names.\n\n",
      out);
  (void)fputs(floe__ts_script_help(), out);
  (void)fputs(
      "\nA line `listening TRANSPORT ADDRESS:PORT (SCRIPT)` is printed for each port once it is open. The TLS "
      "certificates\n"
      "are for localhost, 127.0.0.1 and ::1. SIGINT and SIGTERM end the server.\n\n"
      "Exit status: 0 ended by SIGINT or SIGTERM; 2 the command line is refused, or a port or file it names; 9 "
      "others.\n\n"
      "Examples:\n"
      "  floe testserver -v &\n"
      "  floe check --user user --credential secret turn:127.0.0.1\n"
      "  floe testserver --listen udp:127.0.0.1:3478,error-after-auth=486 --listen tls:127.0.0.1,tls-expired\n"
      "  floe testserver --listen udp:127.0.0.1:0,silent --listen tcp:[::1]:0,close-after-401\n",
      out);
}

/* --- refusing --------------------------------------------------------------------------------------------------- */

typedef struct parser {
  floe__testserver_options *o;
  char *why;
  size_t cap;
  bool has_user, has_credential, has_secret;
} parser;

static bool FLOE_PRINTF(2, 3) refuse(const parser *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(p->why, p->cap, format, args);
  va_end(args);
  return false;
}

/* --- --listen --------------------------------------------------------------------------------------------------- */

static bool read_transport(const char *arg, floe_transport *out) {
  static const floe_transport known[] = {FLOE_TRANSPORT_UDP, FLOE_TRANSPORT_TCP, FLOE_TRANSPORT_TLS};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strncmp(arg, floe_transport_name(known[i]), 3) != 0 || arg[3] != ':') continue;
    *out = known[i];
    return true;
  }
  return false;
}

/* floe_addr_parse takes port 0 for no port. */
static bool has_port(const char *address) {
  const char *close = strchr(address, ']');
  if (close != NULL) return close[1] == ':';
  const char *colon = strchr(address, ':');
  return colon != NULL && strchr(colon + 1, ':') == NULL;
}

static bool read_address(const parser *p, floe__testserver_port *port, const char *text, size_t len) {
  char address[FLOE_ADDR_TEXT];
  (void)snprintf(address, sizeof address, "%.*s", (int)len, text);
  if (len >= sizeof address || !floe_addr_parse(&port->addr, address)) {
    return refuse(p, "--listen %s: \"%s\" is no IP address with a port, such as 127.0.0.1:3478 or [::1]:0", port->arg,
                  address);
  }
  if (!has_port(address)) port->addr.port = port->transport == FLOE_TRANSPORT_TLS ? STUNS_PORT : STUN_PORT;
  return true;
}

static bool read_script(const parser *p, floe__testserver_port *port, size_t at) {
  char why[MAX_SCRIPT_WHY];
  size_t offset;
  if (!floe__ts_script_parse(&port->script, port->script_text, why, sizeof why, &offset)) {
    return refuse(p, "--listen %s: at byte %zu: %s", port->arg, at + offset, why);
  }
  if (port->script.tls != FLOE__TS_TLS_GOOD && port->transport != FLOE_TRANSPORT_TLS) {
    return refuse(p, "--listen %s: the tls- scripts need a tls: port", port->arg);
  }
  return true;
}

static bool add_port(const parser *p, const char *arg) {
  floe__testserver_port port = {.arg = arg, .script_text = "correct"};
  if (!read_transport(arg, &port.transport)) return refuse(p, "--listen %s: must begin with udp:, tcp: or tls:", arg);
  const char *address = arg + 4;
  size_t len = strcspn(address, ",");
  if (!read_address(p, &port, address, len)) return false;
  if (address[len] == ',') port.script_text = address + len + 1;
  if (!read_script(p, &port, (size_t)(port.script_text - arg))) return false;
  void *ports = p->o->ports;
  floe__cli_grow(&ports, p->o->n_ports, sizeof *p->o->ports);
  p->o->ports = ports;
  p->o->ports[p->o->n_ports++] = port;
  return true;
}

static bool add_default_ports(const parser *p) {
  return add_port(p, "udp:127.0.0.1:3478") && add_port(p, "tcp:127.0.0.1:3478") && add_port(p, "tls:127.0.0.1:5349");
}

/* --- the others ------------------------------------------------------------------------------------------------- */

static bool set_relay_ip(const parser *p, const char *arg) {
  floe_addr addr;
  if (!floe_addr_parse(&addr, arg) || has_port(arg)) return refuse(p, "--relay-ip %s: not an IP address", arg);
  if (floe_addr_is_any(&addr)) return refuse(p, "--relay-ip %s: one address of this host is needed", arg);
  floe_addr *at = addr.family == FLOE_FAMILY_IPV4 ? &p->o->cfg.relay_ipv4 : &p->o->cfg.relay_ipv6;
  if (at->family != FLOE_FAMILY_NONE) return refuse(p, "--relay-ip %s: the second IPv%d address", arg, addr.family);
  *at = addr;
  return true;
}

static bool set_alternate(const parser *p, const char *arg) {
  floe__testserver_options *o = p->o;
  if (o->has_alternate) return refuse(p, "--alternate %s: may be given once", arg);
  if (!floe_addr_parse(&o->alternate, arg) || floe_addr_is_any(&o->alternate)) {
    return refuse(p, "--alternate %s: not a second IP address of this host, such as 127.0.0.2:3479", arg);
  }
  if (!has_port(arg)) o->alternate.port = ALTERNATE_PORT;
  return o->has_alternate = true;
}

static bool set_text(const parser *p, const char *name, const char *arg, const char **at) {
  if (arg[0] == '\0') return refuse(p, "--%s: the text is empty", name);
  *at = arg;
  return true;
}

static bool set_lifetime(const parser *p, const char *arg) {
  if (floe__text_number(arg, 1, MAX_LIFETIME_S, &p->o->cfg.lifetime_s)) return true;
  return refuse(p, "--lifetime %s: not a whole number from 1 to %d", arg, MAX_LIFETIME_S);
}

enum {
  OPT_LISTEN = 256,
  OPT_ALTERNATE,
  OPT_USER,
  OPT_CREDENTIAL,
  OPT_SECRET,
  OPT_REALM,
  OPT_RELAY_IP,
  OPT_SHA256,
  OPT_LIFETIME,
  OPT_WRITE_CA
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"alternate", required_argument, NULL, OPT_ALTERNATE},
    {"user", required_argument, NULL, OPT_USER},
    {"credential", required_argument, NULL, OPT_CREDENTIAL},
    {"secret", required_argument, NULL, OPT_SECRET},
    {"realm", required_argument, NULL, OPT_REALM},
    {"relay-ip", required_argument, NULL, OPT_RELAY_IP},
    {"sha256", no_argument, NULL, OPT_SHA256},
    {"lifetime", required_argument, NULL, OPT_LIFETIME},
    {"write-ca", required_argument, NULL, OPT_WRITE_CA},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool set_option(parser *p, int option, char *arg) {
  floe__testserver_options *o = p->o;
  switch (option) {
    case OPT_LISTEN: return add_port(p, arg);
    case OPT_ALTERNATE: return set_alternate(p, arg);
    case OPT_USER: p->has_user = true; return set_text(p, "user", arg, &o->cfg.username);
    case OPT_CREDENTIAL: p->has_credential = true; return set_text(p, "credential", arg, &o->cfg.credential);
    case OPT_SECRET: p->has_secret = true; return set_text(p, "secret", arg, &o->cfg.secret);
    case OPT_REALM: return set_text(p, "realm", arg, &o->cfg.realm);
    case OPT_RELAY_IP: return set_relay_ip(p, arg);
    case OPT_SHA256: o->cfg.use_sha256 = true; return true;
    case OPT_LIFETIME: return set_lifetime(p, arg);
    case OPT_WRITE_CA: return set_text(p, "write-ca", arg, &o->ca_path);
    case 'q': o->quiet = true; return true;
    case 'v': o->verbose = true; return true;
    case 'h': o->help = true; return true;
    default: return false;
  }
}

static bool refuse_option(const parser *p, int option, char **argv) {
  const char *arg = argv[optind - 1];
  if (option == ':') return refuse(p, "%s: an argument is missing", arg);
  if (optopt != 0 && optopt < OPT_LISTEN && strncmp(arg, "--", 2) != 0)
    return refuse(p, "-%c: there is no such option", optopt);
  if (optopt != 0) return refuse(p, "%s: takes no argument", arg);
  return refuse(p, "%s: there is no such option, or more than one begins so", arg);
}

static bool read_options(parser *p, int argc, char **argv) {
  int option;
  optind = 0; /* getopt starts anew: the command may have read options before, and tests do it often */
  while ((option = getopt_long(argc, argv, ":qvh", long_options, NULL)) != -1) {
    if (option == ':' || option == '?') return refuse_option(p, option, argv);
    if (!set_option(p, option, optarg)) return false;
    if (p->o->help) return true;
  }
  if (optind < argc) return refuse(p, "%s: an argument without an option; ports are given with --listen", argv[optind]);
  return true;
}

/* RFC 5780 6: two addresses and two ports. */
static bool check_alternate(const parser *p) {
  const floe__testserver_options *o = p->o;
  if (!o->has_alternate) return true;
  for (size_t i = 0; i < o->n_ports; i++) {
    const floe_addr *primary = &o->ports[i].addr;
    if (o->ports[i].transport != FLOE_TRANSPORT_UDP) continue;
    if (primary->family != o->alternate.family || floe_addr_is_any(primary)) {
      return refuse(p, "--alternate: %s is not one address of the same family", o->ports[i].arg);
    }
    if (floe_addr_equal_ip(primary, &o->alternate) || (primary->port != 0 && primary->port == o->alternate.port)) {
      return refuse(p, "--alternate: both address and port must differ from those of %s", o->ports[i].arg);
    }
    return true;
  }
  return refuse(p, "--alternate: needs a udp: port");
}

static bool complete(parser *p) {
  floe__ts_config *cfg = &p->o->cfg;
  if (p->has_secret && (p->has_user || p->has_credential)) {
    return refuse(p, "--secret: stands in place of --user and --credential");
  }
  if (p->o->quiet && p->o->verbose) return refuse(p, "--quiet: contradicts --verbose");
  if (!p->has_secret && cfg->username == NULL) cfg->username = "user";
  if (!p->has_secret && cfg->credential == NULL) cfg->credential = "secret";
  if (cfg->relay_ipv4.family == FLOE_FAMILY_NONE && cfg->relay_ipv6.family == FLOE_FAMILY_NONE &&
      !floe_addr_parse(&cfg->relay_ipv4, "127.0.0.1")) {
    return false;
  }
  return (p->o->n_ports > 0 || add_default_ports(p)) && check_alternate(p);
}

bool floe__testserver_options_parse(floe__testserver_options *out, int argc, char **argv, char *why, size_t cap) {
  memset(out, 0, sizeof *out);
  parser p = {.o = out, .why = why, .cap = cap};
  return read_options(&p, argc, argv) && (out->help || complete(&p));
}

void floe__testserver_options_clear(floe__testserver_options *o) {
  free(o->ports);
  memset(o, 0, sizeof *o);
}
