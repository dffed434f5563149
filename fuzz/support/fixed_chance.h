/* A process without chance: libcrypto's generator, and the system's randomness as usrsctp asks for it, are the target's
 * own. Linked into the targets that call fixed_chance_restart. The time is tests/support/virtual_time.h's. */
#ifndef FLOE_FUZZ_FIXED_CHANCE_H
#define FLOE_FUZZ_FIXED_CHANCE_H

#include <stdint.h>

/* From here on everything drawn is the same as after the last call with this seed. */
void fixed_chance_restart(uint64_t seed);

#endif
