/* Which way a connection goes, or why there is none, in words. */
#ifndef FLOE_CLI_CONNECT_PATH_H
#define FLOE_CLI_CONNECT_PATH_H

#include "connect_link.h"

/* Tells that it is connected, and with --verbose or as JSON by which candidates. */
void floe__path_tell(const floe__link *link);
/* Another path is in use. */
void floe__path_tell_change(const floe__link *link, const floe_pair_change *pair);

/* Tells why it is not, or no more, connected; `cause` NONE: what the report says as things stand. Returns the status.
 */
int floe__path_tell_failure(const floe__link *link, floe_cause cause);

/* The exit status for a cause; `was_connected`: data could flow before. */
int floe__path_exit_of_cause(floe_cause cause, bool was_connected);

/* "host" for "192.0.2.1:5000": "host 192.0.2.1:5000"; a name where there is one. `buf` holds FLOE__PATH_TEXT bytes. */
enum { FLOE__PATH_TEXT = 160 };
const char *floe__path_candidate(const floe_ice_candidate *c, char *buf);

#endif
