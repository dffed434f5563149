/* `floe check --demo`: a test server inside, and what good and bad servers look like. */
#ifndef FLOE_CLI_DEMO_H
#define FLOE_CLI_DEMO_H

#include "check_options.h"
#include "floe/env.h"

/* Returns 0 when every case showed what it should, else 9; 128 + the signal when interrupted. */
int floe__demo_run(const floe__check_options *o, const floe_env_config *env);

#endif
