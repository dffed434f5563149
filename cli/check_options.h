/* The command line of `floe check`, read and checked; nothing is opened, asked or sent here. */
#ifndef FLOE_CLI_CHECK_OPTIONS_H
#define FLOE_CLI_CHECK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "option_table.h"

/* Where the credential of the URLs on the command line comes from. */
typedef enum floe__credential_source {
  FLOE__CREDENTIAL_NONE = 0,
  FLOE__CREDENTIAL_TEXT,
  FLOE__CREDENTIAL_FILE,
  FLOE__CREDENTIAL_PROMPT,
  FLOE__CREDENTIAL_SECRET_TEXT,
  FLOE__CREDENTIAL_SECRET_FILE
} floe__credential_source;

typedef struct floe__check_options {
  const char **urls; /* borrowed from argv, the array is ours */
  size_t n_urls;
  const char **interfaces;
  size_t n_interfaces;
  const char **dns_servers;
  size_t n_dns_servers;
  const char *ice_servers; /* nullable: file name or "-" */
  const char *explain;     /* nullable */
  const char *trace;       /* nullable: file name */
  bool trace_addresses;
  const char *user;    /* nullable */
  const char *ca_file; /* nullable */
  floe__credential_source credential_source;
  char *credential;            /* TEXT, SECRET_TEXT: the text itself, wiped when cleared */
  const char *credential_file; /* FILE, SECRET_FILE: file name or "-" */
  bool has_ttl;
  uint32_t ttl_s;              /* seconds */
  uint32_t timeout_ms;         /* 0 = the library's defaults */
  uint16_t port_min, port_max; /* 0 = any */
  bool all, relay_only, no_relay_test, demo, insecure, include_loopback, no_ipv4, no_ipv6, json, help, version;
  bool verbose;
  bool watch;
  uint32_t watch_ms; /* milliseconds between the starts of two rounds */
  uint32_t count;    /* 0 = no end */
} floe__check_options;

/* Reads the arguments after the subcommand's name; argv[0] is skipped. Secrets given as arguments are copied and
 * overwritten in argv, so that other users of the host do not see them in the process list.
 * On false, `why` (cap bytes) is a sentence that never holds a secret. Clear the options in both cases. */
bool floe__check_options_parse(floe__check_options *o, int argc, char **argv, char *why, size_t cap);
/* For other commands with some of the same options: the defaults, and one option at a time (`arg` NULL where it has
 * none; not --watch). What contradicts what is theirs to check. */
void floe__check_options_init(floe__check_options *o);
bool floe__check_options_set(floe__check_options *o, floe__option_id id, char *arg, char *why, size_t cap);
void floe__check_options_clear(floe__check_options *o);

#endif
