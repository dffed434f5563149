/* The command line of `floe connect`, read and checked; nothing is opened, asked or sent here. */
#ifndef FLOE_CLI_CONNECT_OPTIONS_H
#define FLOE_CLI_CONNECT_OPTIONS_H

#include <stdio.h>

#include "check_options.h"
#include "connect_ticket.h"

/* Rows: enumerator, letter (0 = none), name, argument ("" = none, "[X]" = optional), the option of `floe check` that it
 * is (END: none), text. GROUP rows are headings. The parser, --help, and the tests of the man page and of the shell
 * completion all read this. */
#define FLOE__CONNECT_OPTION_MAP(X, GROUP)                                                                            \
  GROUP("What to carry, in place of standard input and output")                                                       \
  X(FLOE__CONNECT_OPT_SEND, 0, "send", "FILE", FLOE__OPT_END, "send this file, and those named after it")             \
  X(FLOE__CONNECT_OPT_RECEIVE, 0, "receive", "DIR", FLOE__OPT_END, "receive files into this directory")               \
  X(FLOE__CONNECT_OPT_EXPOSE, 0, "expose", "HOST:PORT", FLOE__OPT_END,                                                \
    "let the other side reach this TCP server, and nothing else")                                                     \
  X(FLOE__CONNECT_OPT_FORWARD, 0, "forward", "[BIND:]PORT", FLOE__OPT_END,                                            \
    "listen for TCP here (on 127.0.0.1 unless BIND says otherwise) and reach what the other side exposes")            \
  X(FLOE__CONNECT_OPT_FORCE, 0, "force", "", FLOE__OPT_END, "with --receive, overwrite files that are there")         \
  X(FLOE__CONNECT_OPT_NO_INPUT, 'n', "no-input", "", FLOE__OPT_END,                                                   \
    "do not read standard input: it counts as being at its end")                                                      \
  GROUP("Tickets")                                                                                                    \
  X(FLOE__CONNECT_OPT_ANSWER, 0, "answer", "", FLOE__OPT_END, "answer a ticket that is not on the command line")      \
  X(FLOE__CONNECT_OPT_TICKET_OUT, 0, "ticket-out", "FILE", FLOE__OPT_END,                                             \
    "write the own ticket into FILE (- is standard output) and not to standard error")                                \
  X(FLOE__CONNECT_OPT_TICKET_IN, 0, "ticket-in", "FILE", FLOE__OPT_END,                                               \
    "read the other side's ticket from FILE, which may be a FIFO and need not be there yet, not from the terminal")   \
  GROUP("Servers")                                                                                                    \
  X(FLOE__CONNECT_OPT_SERVER, 's', "server", "URL", FLOE__OPT_END, "use this STUN or TURN server; may be repeated")   \
  X(FLOE__CONNECT_OPT_ICE_SERVERS, 0, "ice-servers", "FILE", FLOE__OPT_ICE_SERVERS, "read iceServers JSON from FILE") \
  X(FLOE__CONNECT_OPT_RELAY_ONLY, 0, "relay-only", "", FLOE__OPT_RELAY_ONLY, "go through a TURN server in any case")  \
  X(FLOE__CONNECT_OPT_USER, 'u', "user", "NAME", FLOE__OPT_USER,                                                      \
    "user name for -s turn:...; its credential is asked for on the terminal when none is given")                      \
  X(FLOE__CONNECT_OPT_CREDENTIAL, 0, "credential", "TEXT", FLOE__OPT_CREDENTIAL,                                      \
    "credential; other users of this host may see it for a moment")                                                   \
  X(FLOE__CONNECT_OPT_CREDENTIAL_FILE, 0, "credential-file", "FILE", FLOE__OPT_CREDENTIAL_FILE,                       \
    "credential from the first line of FILE")                                                                         \
  X(FLOE__CONNECT_OPT_CREDENTIAL_PROMPT, 0, "credential-prompt", "", FLOE__OPT_CREDENTIAL_PROMPT,                     \
    "ask for the credential on the terminal, without echo")                                                           \
  X(FLOE__CONNECT_OPT_SECRET, 0, "secret", "TEXT", FLOE__OPT_SECRET,                                                  \
    "make time-limited credentials from this shared secret (coturn: use-auth-secret)")                                \
  X(FLOE__CONNECT_OPT_SECRET_FILE, 0, "secret-file", "FILE", FLOE__OPT_SECRET_FILE,                                   \
    "shared secret from the first line of FILE")                                                                      \
  X(FLOE__CONNECT_OPT_TTL, 0, "ttl", "SECONDS", FLOE__OPT_TTL, "how long those credentials last (default 3600)")      \
  X(FLOE__CONNECT_OPT_CA_FILE, 0, "ca-file", "FILE", FLOE__OPT_CA_FILE,                                               \
    "trust the PEM certificates in FILE beside the system's, for turns:")                                             \
  X(FLOE__CONNECT_OPT_INSECURE, 0, "insecure", "", FLOE__OPT_INSECURE,                                                \
    "accept any certificate of a server; the other side is still known by its ticket")                                \
  GROUP("Network")                                                                                                    \
  X(FLOE__CONNECT_OPT_IPV4, '4', "ipv4", "", FLOE__OPT_IPV4, "use IPv4 only")                                         \
  X(FLOE__CONNECT_OPT_IPV6, '6', "ipv6", "", FLOE__OPT_IPV6, "use IPv6 only")                                         \
  X(FLOE__CONNECT_OPT_INTERFACE, 0, "interface", "NAME", FLOE__OPT_INTERFACE,                                         \
    "use this network interface only; may be repeated")                                                               \
  X(FLOE__CONNECT_OPT_PORT_RANGE, 0, "port-range", "MIN-MAX", FLOE__OPT_PORT_RANGE,                                   \
    "use local UDP ports of this range only")                                                                         \
  X(FLOE__CONNECT_OPT_INCLUDE_LOOPBACK, 0, "include-loopback", "", FLOE__OPT_INCLUDE_LOOPBACK,                        \
    "use loopback addresses too: both sides are on one host")                                                         \
  X(FLOE__CONNECT_OPT_DNS_SERVER, 0, "dns-server", "ADDRESS", FLOE__OPT_DNS_SERVER,                                   \
    "ask this name server, not the system's; may be repeated")                                                        \
  X(FLOE__CONNECT_OPT_TIMEOUT, 0, "timeout", "SECONDS", FLOE__OPT_TIMEOUT,                                            \
    "how long connecting may take once both tickets are known (default 60; 600 for the side that answers, since it "  \
    "cannot know when its ticket is read)")                                                                           \
  GROUP("Output")                                                                                                     \
  X(FLOE__CONNECT_OPT_JSON, 0, "json", "[FILE]", FLOE__OPT_END,                                                       \
    "tell what happens as one JSON object a line, on standard error or into FILE")                                    \
  X(FLOE__CONNECT_OPT_VERBOSE, 'v', "verbose", "", FLOE__OPT_VERBOSE,                                                 \
    "show the path, each error of a server and more")                                                                 \
  X(FLOE__CONNECT_OPT_TRACE, 0, "trace", "FILE", FLOE__OPT_TRACE,                                                     \
    "write what happens inside into FILE, for floe explain")                                                          \
  X(FLOE__CONNECT_OPT_TRACE_ADDRESSES, 0, "trace-addresses", "", FLOE__OPT_TRACE_ADDRESSES,                           \
    "with --trace, IP addresses too")                                                                                 \
  X(FLOE__CONNECT_OPT_KEYLOG, 0, "keylog", "FILE", FLOE__OPT_END,                                                     \
    "write the keys of the connection into FILE, for Wireshark: who has it can read all")                             \
  X(FLOE__CONNECT_OPT_HELP, 'h', "help", "", FLOE__OPT_HELP, "show this help")

typedef enum floe__connect_option_id {
  FLOE__CONNECT_OPT_FIRST = 256, /* above every letter */
#define FLOE__ROW(id, letter, name, arg, shared, text) id,
#define FLOE__GROUP(title)
  FLOE__CONNECT_OPTION_MAP(FLOE__ROW, FLOE__GROUP)
#undef FLOE__ROW
#undef FLOE__GROUP
} floe__connect_option_id;

/* HOST:PORT; an IPv6 address is in brackets on the command line and without them here. */
typedef struct floe__place {
  char host[256];
  char port[6];
} floe__place;

typedef struct floe__connect_options {
  floe__check_options net; /* servers, credentials, TLS, network, timeout_ms, verbose, trace, help */
  floe__connect_mode mode;
  const char *ticket; /* nullable: of the command line */
  bool is_answer;
  const char **files; /* SEND; borrowed from argv, the array is ours */
  size_t n_files;
  const char *directory;              /* RECEIVE */
  floe__place place;                  /* EXPOSE: where to; FORWARD: where to listen */
  const char *ticket_in, *ticket_out; /* nullable */
  const char *keylog;                 /* nullable */
  bool json;
  const char *json_file; /* nullable: standard error */
  bool force, no_input;
} floe__connect_options;

/* Reads the arguments after the subcommand's name; argv[0] is skipped. On false, `why` (cap bytes) is a sentence that
 * never holds a secret. Clear the options in both cases. */
bool floe__connect_options_parse(floe__connect_options *o, int argc, char **argv, char *why, size_t cap);
void floe__connect_options_clear(floe__connect_options *o);

/* The option that a side uses: "" (PIPE), "--send", ... */
const char *floe__connect_mode_option(floe__connect_mode mode);
/* What the other side of this one must be. */
floe__connect_mode floe__connect_mode_of_peer(floe__connect_mode mode);

#endif
