/* The simulator's clock: a queue of events in virtual nanoseconds, one seeded source of randomness, one way to fail.
 *
 * Nothing here sleeps, opens a socket or reads a clock. Two runs with the same seed do the same things at the same
 * times, and a failure prints the seed. The network is sim_net.h, names are sim_dns.h, and the endpoints are
 * sim_agent.h and sim_server.h; world.h puts them together for most tests. */
#ifndef FLOE_TESTS_SIM_H
#define FLOE_TESTS_SIM_H

#include "floe/types.h"

typedef struct sim sim;

/* `payload` was malloc'd for the event; the queue frees it after the call, or with the simulation. */
typedef void (*sim_fn)(void *user, void *payload);

sim *sim_new(uint64_t seed);
void sim_free(sim *s); /* NULL is fine; frees hosts, sockets and endpoints too */

floe_time sim_now(const sim *s);
uint64_t sim_seed(const sim *s);

/* Events at the same time happen in the order in which they were added. A time that has passed counts as now. */
void sim_at(sim *s, floe_time at, sim_fn fn, void *user, void *payload /* takes; nullable */);
void sim_after(sim *s, floe_time delay, sim_fn fn, void *user, void *payload /* takes; nullable */);

/* Runs until `pred` (nullable) holds, which is asked after each event, the queue is empty, or `limit` is reached. Ends
 * with the time of the event that made `pred` true, else at `limit` (a limit of NEVER: at the last event). True when
 * `pred` held. */
bool sim_run_until(sim *s, floe_time limit, bool (*pred)(void *user), void *user);
void sim_run_for(sim *s, uint64_t ms);

/* More events than this in one simulation fail the test: something spins. */
void sim_set_max_steps(sim *s, uint64_t max_steps);
uint64_t sim_steps(const sim *s);

uint64_t sim_random(sim *s);
uint32_t sim_random_below(sim *s, uint32_t below); /* `below` at least 1 */
bool sim_chance(sim *s, uint32_t permille);
/* An independent stream of the same seed: for an endpoint's own randomness. */
typedef struct sim_rng {
  uint64_t state;
} sim_rng;
sim_rng sim_rng_of(const sim *s, uint64_t stream);
uint64_t sim_rng_next(sim_rng *rng);
/* A number not given before: names the stream of a new endpoint. */
uint64_t sim_next_stream(sim *s);

/* Fails the test with time and seed, after everybody who asked for it has printed what it knows. */
void sim_fail(sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Instead of failing the cmocka test: for the simulator's own tests. */
void sim_on_failure(sim *s, void (*fn)(void *user, const char *text), void *user);
void sim_on_dump(sim *s, void (*fn)(void *user), void *user);

/* Called at sim_free, the last one added first. */
void sim_on_free(sim *s, void (*fn)(void *user), void *user);

/* Memory that lives as long as the simulation. Zeroed. */
void *sim_keep(sim *s, size_t size);

/* What a part of the simulator keeps per simulation: zeroed at first use. */
typedef enum sim_part { SIM_PART_NET = 0, SIM_PART_DNS, SIM_PART_MDNS, SIM_PART_COUNT } sim_part;
void *sim_part_of(sim *s, sim_part part, size_t size);

/* malloc and realloc that abort: a test has nothing better to do. */
void *sim_must(void *ptr);

#endif
