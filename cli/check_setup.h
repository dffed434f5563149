/* From the options of `floe check` to the configuration of an agent: files are read, credentials asked for, servers put
 * together and the whole checked, before anything touches the network. */
#ifndef FLOE_CLI_CHECK_SETUP_H
#define FLOE_CLI_CHECK_SETUP_H

#include "check_options.h"
#include "ice_servers_json.h"

typedef struct floe__check_setup {
  floe__server_list list;
  size_t n_asked;      /* servers of the list that were asked for; the others were added by --all */
  size_t n_from_json;  /* the first of them came from --ice-servers */
  char *ca_pem;        /* nullable */
  floe_ice_config cfg; /* points into this and into the options */
} floe__check_setup;

typedef enum floe__setup_end {
  FLOE__SETUP_OK = 0,
  FLOE__SETUP_USAGE,  /* `usage` says what is wrong with the command line, a file or a prompt */
  FLOE__SETUP_REFUSED /* `refused` says what is wrong with the configuration */
} floe__setup_end;

typedef struct floe__setup_error {
  char usage[256];
  floe__json_error refused;
} floe__setup_error;

/* Clear the setup whatever the end. The options must outlive it. */
floe__setup_end floe__check_setup_make(floe__check_setup *setup, const floe__check_options *o, int64_t unix_s,
                                       floe__setup_error *why);
void floe__check_setup_clear(floe__check_setup *setup);

/* The URL that a path such as "iceServers[1].urls[0]" names; NULL when it names none. */
const char *floe__check_setup_url(const floe__check_setup *setup, const char *path);

#endif
