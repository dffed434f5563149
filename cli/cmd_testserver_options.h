/* The command line of `floe testserver`. */
#ifndef FLOE_CLI_CMD_TESTSERVER_OPTIONS_H
#define FLOE_CLI_CMD_TESTSERVER_OPTIONS_H

#include <stdio.h>

#include "testserver/testserver.h"

/* One --listen. */
typedef struct floe__testserver_port {
  const char *arg;         /* as it was given, or would have been */
  const char *script_text; /* what stands after the address; "correct" when nothing does */
  floe_transport transport;
  floe_addr addr; /* port 0 = any */
  floe__ts_script script;
} floe__testserver_port;

typedef struct floe__testserver_options {
  floe__testserver_port *ports;
  size_t n_ports;
  floe__ts_config cfg; /* its strings are argv's, or literals */
  bool has_alternate;  /* --alternate: the first UDP port is a square of RFC 5780 */
  floe_addr alternate; /* port 0 = any */
  const char *ca_path; /* nullable: --write-ca */
  bool quiet, verbose, help;
} floe__testserver_options;

/* Reads the arguments, argv[0] being the command's name; the strings of `out` are argv's. On false `why` says what is
 * wrong, with the argument at fault. Free with floe__testserver_options_clear in any case. */
bool floe__testserver_options_parse(floe__testserver_options *out, int argc, char **argv, char *why, size_t cap);
void floe__testserver_options_clear(floe__testserver_options *o);

void floe__testserver_print_help(FILE *out);

#endif
