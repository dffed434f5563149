/* The servers to check, owned: a growing array of floe_ice_server whose texts are wiped when freed. */
#ifndef FLOE_CLI_SERVER_LIST_H
#define FLOE_CLI_SERVER_LIST_H

#include "floe/config.h"

typedef struct floe__server_list {
  floe_ice_server *servers;
  size_t n;
} floe__server_list;

/* Adds a server without URLs; returns it, valid until the next one is added. Texts are copied; nullable. */
floe_ice_server *floe__server_list_add(floe__server_list *list, const char *username, const char *credential);
void floe__server_list_add_url(floe_ice_server *server, const char *url /* copies */);
void floe__server_list_clear(floe__server_list *list);

#endif
