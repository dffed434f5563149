/* The misbehaving server on real sockets: a libuv loop around src/testserver, for `floe testserver`, `floe check
 * --demo` and the driver's tests. */
#ifndef FLOE_TESTSERVER_UV_TESTSERVER_UV_H
#define FLOE_TESTSERVER_UV_TESTSERVER_UV_H

#include <uv.h>

#include "testserver/testserver.h"

typedef struct floe__testserver_uv floe__testserver_uv;

/* Makes a server that listens nowhere yet. `cfg->unix_s` 0: the system's clock. Its time is uv_hrtime's. Returns 0,
 * UV_ENOMEM or what libuv says. */
int floe__testserver_uv_new(floe__testserver_uv **out, uv_loop_t *loop /* keeps */, floe_env *env /* keeps */,
                            const floe__ts_config *cfg /* copies */);

/* Listens at `addr` (port 0: any free one) over UDP, TCP or TLS. `bound`, nullable, is the address with its port.
 * Returns 0, UV_ENOMEM, UV_EADDRINUSE, UV_EADDRNOTAVAIL, UV_EACCES ... */
int floe__testserver_uv_listen(floe__testserver_uv *server, floe_transport transport, const floe_addr *addr,
                               const floe__ts_script *script /* copies; nullable: correct */, floe_addr *bound);

/* Listens over UDP at two addresses with two ports each, which answer for each other (RFC 5780): at the IP addresses
 * and ports of `primary` and `alternate`. With port 0 any one that both addresses have free. All four have the script.
 * `bound`, nullable, are the four: primary, with the alternate port, alternate with the primary port, alternate.
 * Returns as floe__testserver_uv_listen; on failure nothing is listening. */
int floe__testserver_uv_listen_square(floe__testserver_uv *server, const floe_addr *primary, const floe_addr *alternate,
                                      const floe__ts_script *script /* copies; nullable: correct */,
                                      floe_addr bound[4]);

/* The core, for its counters and its CA. Do not feed or poll it. */
floe__testserver *floe__testserver_uv_core(floe__testserver_uv *server);

/* Closes everything and frees the server (takes; NULL is fine, and then on_closed is not called). `on_closed`,
 * nullable, is called from the loop once the last handle is closed. */
void floe__testserver_uv_close(floe__testserver_uv *server, void (*on_closed)(void *user), void *user);

#endif
