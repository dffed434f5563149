/* A checked, deep copy of a floe_ice_config: what the machines of src/ice read. */
#ifndef FLOE_ICE_SETTINGS_H
#define FLOE_ICE_SETTINGS_H

#include "base/alloc.h"
#include "floe/config.h"
#include "stun/txn.h"

/* One configured URL with its credentials. */
typedef struct floe__server {
  char *text; /* byte for byte as configured */
  uint32_t server_index, url_index;
  char *username;   /* nullable; OpaqueString; shared with the other URLs of its server: owned by the first */
  char *credential; /* nullable; OpaqueString; likewise */
  bool owns_credentials;
} floe__server;

typedef struct floe__settings {
  floe_env *env;
  floe_ice_config cfg; /* defaults filled in; its pointers point into this copy, ice_servers is not used */
  floe__stun_timing stun_timing;
  floe__server *servers; /* one per URL, in configuration order */
  size_t n_servers;
  char **interfaces;
  char *software; /* nullable */
  char *ca_pem;   /* nullable */
  floe_address_rewrite *rewrites;
  char *local_ufrag, *local_pwd; /* nullable */
  struct floe__settings *older; /* nullable: those that floe_ice_agent_set_servers replaced; gatherings refer to them */
} floe__settings;

/* Checks and copies. FLOE_OK, or what floe_ice_config_check returns, or FLOE_E_NOMEM. */
floe_status floe__settings_new(floe__settings **out, floe_env *env, const floe_ice_config *cfg, floe_error *why);
void floe__settings_free(floe__settings *s); /* NULL is fine */

#endif
