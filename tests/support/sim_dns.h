/* Names in the simulated network. A name that no test mentions does not exist (NXDOMAIN after 10 ms). */
#ifndef FLOE_TESTS_SIM_DNS_H
#define FLOE_TESTS_SIM_DNS_H

#include "floe/event.h"
#include "support/sim.h"

/* A name with these addresses, ended by NULL, after 10 ms. A family without one answers NODATA. */
void sim_dns_add(sim *s, const char *name, ...) __attribute__((sentinel));
/* How one family of the name is answered, and when; OK keeps the addresses that were added. */
void sim_dns_set(sim *s, const char *name, floe_family family, floe_dns_status status, uint32_t delay_ms);
/* One family of the name is never answered. */
void sim_dns_silence(sim *s, const char *name, floe_family family);

typedef void (*sim_dns_fn)(void *user, uint32_t req, floe_family family, floe_dns_status status, const floe_addr *addrs,
                           size_t n_addrs);

/* The answer comes as an event, never from inside this call. */
void sim_dns_resolve(sim *s, const char *name, floe_family family, uint32_t req, sim_dns_fn fn, void *user);
/* How often the name's family was asked for. */
uint32_t sim_dns_queries(sim *s, const char *name, floe_family family);

#endif
