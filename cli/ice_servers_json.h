/* iceServers as JSON (the contract's section 6): the array itself, or an object with the one member iceServers. */
#ifndef FLOE_CLI_ICE_SERVERS_JSON_H
#define FLOE_CLI_ICE_SERVERS_JSON_H

#include "server_list.h"

/* Why a JSON text was refused. */
typedef struct floe__json_error {
  floe_error error; /* path, offset, sentence; never a value of the text */
  int line, column; /* of the JSON text, from 1; 0 = not known: the JSON itself was fine */
} floe__json_error;

/* Larger texts are refused. */
#define FLOE__ICE_SERVERS_JSON_MAX ((size_t)1 << 20)

/* Makes the JSON parser wipe what it frees. Once, before any other use of the JSON library. */
void floe__ice_servers_json_init(void);

/* Reads the text and adds its servers to the list, which may be partly filled when it fails. What the URLs and
 * credentials hold is not checked here: floe_ice_config_check does that.
 * Returns FLOE_OK, FLOE_E_SYNTAX (no JSON, a NUL in a URL), FLOE_E_TYPE (a member is missing, unknown or of the wrong
 * type), FLOE_E_ACCESS (a NUL in a credential) or FLOE_E_TOO_LARGE. */
floe_status floe__ice_servers_json_parse(floe__server_list *list, const char *text, size_t len, floe__json_error *why);

#endif
