/* The command line of `floe nat`, read and checked; nothing is opened, asked or sent here. */
#ifndef FLOE_CLI_NAT_OPTIONS_H
#define FLOE_CLI_NAT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Rows: enumerator, letter (0 = none), name, argument ("" = none), text. The parser, --help, and the tests of the man
 * page and of the shell completion all read this. */
#define FLOE__NAT_OPTION_MAP(X)                                                                                      \
  X(FLOE__NAT_OPT_SERVER, 0, "server", "URL", "the same as URL alone; may be repeated")                              \
  X(FLOE__NAT_OPT_IPV4, '4', "ipv4", "", "look at IPv4 only")                                                        \
  X(FLOE__NAT_OPT_IPV6, '6', "ipv6", "", "look at IPv6 only")                                                        \
  X(FLOE__NAT_OPT_INTERFACE, 0, "interface", "NAME", "use this network interface only")                              \
  X(FLOE__NAT_OPT_TIMEOUT, 0, "timeout", "SECONDS", "how long to wait for one answer (default 2.5)")                 \
  X(FLOE__NAT_OPT_TLS_PORT, 0, "tls-port", "PORT",                                                                   \
    "try TLS on this port (default 443), unless a secure URL has its own")                                           \
  X(FLOE__NAT_OPT_NO_TRANSPORTS, 0, "no-transports", "", "do not try TCP and TLS")                                   \
  X(FLOE__NAT_OPT_DNS_SERVER, 0, "dns-server", "ADDRESS", "ask this name server, not the system's; may be repeated") \
  X(FLOE__NAT_OPT_JSON, 0, "json", "", "print one JSON object a line, the summary last")                             \
  X(FLOE__NAT_OPT_VERBOSE, 'v', "verbose", "",                                                                       \
    "show what to try where something fails, and families with nothing to tell")                                     \
  X(FLOE__NAT_OPT_HELP, 'h', "help", "", "show this help")

typedef enum floe__nat_option_id {
  FLOE__NAT_OPT_FIRST = 256, /* above every letter */
#define FLOE__ROW(id, letter, name, arg, text) id,
  FLOE__NAT_OPTION_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe__nat_option_id;

typedef struct floe__nat_options {
  const char **urls; /* borrowed from argv, the array is ours */
  size_t n_urls;
  const char **dns_servers;
  size_t n_dns_servers;
  const char *interface; /* nullable */
  uint32_t timeout_ms;   /* 0 = the defaults */
  uint16_t tls_port;
  bool no_ipv4, no_ipv6, no_transports, json, verbose, help;
} floe__nat_options;

/* Reads the arguments after the subcommand's name; argv[0] is skipped. On false, `why` (cap bytes) is a sentence. Clear
 * the options in both cases. */
bool floe__nat_options_parse(floe__nat_options *o, int argc, char **argv, char *why, size_t cap);
void floe__nat_options_clear(floe__nat_options *o);

void floe__nat_print_help(FILE *out);

#endif
