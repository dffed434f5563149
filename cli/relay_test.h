/* Real data through every relay: a second agent makes a second allocation at each server that gave one, and the two
 * send each other packets. "Allocated" alone proves little: closed relay ports and a wrong external address show only
 * here. */
#ifndef FLOE_CLI_RELAY_TEST_H
#define FLOE_CLI_RELAY_TEST_H

#include "result.h"
#include "session.h"

/* Tests each relay candidate of `agent`, whose gathering is complete, and fills `relays` of the result's servers and
 * the time it took. False when the session is to stop; the result is then of no use. The second agent is gone on
 * return. */
bool floe__relay_test_run(floe__session *s, floe_uv_ice_agent *agent, const floe_ice_config *cfg,
                          floe__check_result *result);

#endif
