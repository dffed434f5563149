/* A misbehaving STUN/TURN server (src/testserver) on a simulated host. */
#ifndef FLOE_TESTS_SIM_SERVER_H
#define FLOE_TESTS_SIM_SERVER_H

#include "support/sim_net.h"
#include "testserver/testserver.h"

typedef struct sim_server sim_server;

sim_server *sim_server_new(sim_host *h, const floe__ts_config *cfg /* copies */);
/* Listens with a script in the words of floe__ts_script_parse; NULL: correct. */
floe__ts_listener sim_server_listen(sim_server *sv, floe_transport transport, const char *local, const char *script);
/* As when its process is killed and started again: allocations and nonces are gone, connections are reset. */
void sim_server_restart(sim_server *sv);
/* A stopped server has closed its ports; restart opens them again. */
void sim_server_stop(sim_server *sv);
/* Listens over UDP at two addresses of the host with two ports each, which answer for each other (RFC 5780). */
void sim_server_listen_square(sim_server *sv, const char *primary, const char *alternate, const char *script);
floe__testserver *sim_server_core(sim_server *sv);
floe__ts_counters sim_server_counters(sim_server *sv);

#endif
