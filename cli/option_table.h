/* The options of `floe check`: the one table that the parser, --help, and the tests of the man page and of the shell
 * completion all read. */
#ifndef FLOE_CLI_OPTION_TABLE_H
#define FLOE_CLI_OPTION_TABLE_H

#include <stdio.h>

/* Rows: enumerator, letter (0 = none), name, argument ("" = none, "[X]" = optional), text. GROUP rows are headings. */
#define FLOE__OPTION_MAP(X, GROUP)                                                                                    \
  GROUP("What to check")                                                                                              \
  X(FLOE__OPT_ICE_SERVERS, 0, "ice-servers", "FILE",                                                                  \
    "read iceServers JSON from FILE, or from standard input when it is -")                                            \
  X(FLOE__OPT_ALL, 0, "all", "", "check every transport and family that the host of each URL could serve")            \
  X(FLOE__OPT_RELAY_ONLY, 0, "relay-only", "", "use relay candidates only; STUN URLs are not used")                   \
  X(FLOE__OPT_NO_RELAY_TEST, 0, "no-relay-test", "", "do not send data through the relays")                           \
  X(FLOE__OPT_DEMO, 0, "demo", "", "start a test server inside and show what good and bad servers look like")         \
  X(FLOE__OPT_EXPLAIN, 0, "explain", "CAUSE", "say what a cause means and what to try; `list` names them all")        \
  GROUP("Credentials of the turn: URLs on the command line")                                                          \
  X(FLOE__OPT_USER, 'u', "user", "NAME", "user name; its credential is asked for on the terminal when none is given") \
  X(FLOE__OPT_CREDENTIAL, 0, "credential", "TEXT", "credential; other users of this host may see it for a moment")    \
  X(FLOE__OPT_CREDENTIAL_FILE, 0, "credential-file", "FILE",                                                          \
    "credential from the first line of FILE, or of standard input when it is -")                                      \
  X(FLOE__OPT_CREDENTIAL_PROMPT, 0, "credential-prompt", "", "ask for the credential on the terminal, without echo")  \
  X(FLOE__OPT_SECRET, 0, "secret", "TEXT",                                                                            \
    "make time-limited credentials from this shared secret (coturn: use-auth-secret)")                                \
  X(FLOE__OPT_SECRET_FILE, 0, "secret-file", "FILE",                                                                  \
    "shared secret from the first line of FILE, or of standard input when it is -")                                   \
  X(FLOE__OPT_TTL, 0, "ttl", "SECONDS", "how long those credentials last (default 3600)")                             \
  GROUP("TLS")                                                                                                        \
  X(FLOE__OPT_CA_FILE, 0, "ca-file", "FILE", "trust the PEM certificates in FILE beside the system's")                \
  X(FLOE__OPT_INSECURE, 0, "insecure", "", "accept any certificate")                                                  \
  GROUP("Network")                                                                                                    \
  X(FLOE__OPT_IPV4, '4', "ipv4", "", "use IPv4 only")                                                                 \
  X(FLOE__OPT_IPV6, '6', "ipv6", "", "use IPv6 only")                                                                 \
  X(FLOE__OPT_INTERFACE, 0, "interface", "NAME", "use this network interface only; may be repeated")                  \
  X(FLOE__OPT_PORT_RANGE, 0, "port-range", "MIN-MAX", "use local UDP ports of this range only")                       \
  X(FLOE__OPT_INCLUDE_LOOPBACK, 0, "include-loopback", "", "gather host candidates on loopback addresses too")        \
  X(FLOE__OPT_DNS_SERVER, 0, "dns-server", "ADDRESS", "ask this name server, not the system's; may be repeated")      \
  X(FLOE__OPT_TIMEOUT, 0, "timeout", "SECONDS", "how long one server, and gathering in all, may take (default 10)")   \
  GROUP("Repeat")                                                                                                     \
  X(FLOE__OPT_WATCH, 0, "watch", "[SECONDS]", "repeat every SECONDS (default 5) until interrupted, then sum up")      \
  X(FLOE__OPT_COUNT, 0, "count", "N", "with --watch, stop after N rounds")                                            \
  GROUP("Output")                                                                                                     \
  X(FLOE__OPT_JSON, 0, "json", "", "print one JSON object a line, the report last")                                   \
  X(FLOE__OPT_VERBOSE, 'v', "verbose", "", "show each attempt")                                                       \
  X(FLOE__OPT_TRACE, 0, "trace", "FILE", "write what happens inside into FILE, for floe explain")                     \
  X(FLOE__OPT_TRACE_ADDRESSES, 0, "trace-addresses", "", "with --trace, IP addresses too")                            \
  X(FLOE__OPT_HELP, 'h', "help", "", "show this help")                                                                \
  X(FLOE__OPT_VERSION, 0, "version", "", "show the version")

typedef enum floe__option_id {
  FLOE__OPT_FIRST = 256, /* above every letter */
#define FLOE__ROW(id, letter, name, arg, text) id,
#define FLOE__GROUP(title)
  FLOE__OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
      FLOE__OPT_END
} floe__option_id;

typedef struct floe__option_row {
  floe__option_id id;
  char letter;
  const char *name;
  const char *arg;
  const char *text;
} floe__option_row;

extern const floe__option_row floe__option_rows[];
extern const size_t floe__option_row_count;

/* The list for --help, grouped, wrapped for a terminal of 100 columns. */
void floe__option_print_help(FILE *out);

#endif
