/* `floe check --all`: the URLs that a host could serve beside the one given, and the answers as a small matrix. */
#ifndef FLOE_CLI_MATRIX_H
#define FLOE_CLI_MATRIX_H

#include "human.h"
#include "server_list.h"

/* Adds, after the servers of the list, one for each URL that the hosts of the given ones could serve too: a turn: host
 * UDP, TCP and TLS, a stun: host UDP and TLS, each at the port given for it, else at the default one. A way that was
 * given is not added again. URLs that cannot be parsed are left to floe_ice_config_check. */
void floe__matrix_derive(floe__server_list *list);

/* For each host: transports down, address families across. */
void floe__matrix_print(const floe__human *h, const floe__check_result *result);

#endif
