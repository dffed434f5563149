/* Multicast DNS in the simulated network: names that hosts answer for, on the links they share. All hosts are on one
 * link unless a test says otherwise. A name that nobody answers for is TIMEOUT after 3 s, as floe/mdns.h has it. */
#ifndef FLOE_TESTS_SIM_MDNS_H
#define FLOE_TESTS_SIM_MDNS_H

#include "support/sim_dns.h"
#include "support/sim_net.h"

/* The link that the host is on; 0 at first. */
void sim_mdns_set_link(sim_host *h, int link);
/* Nobody hears any question from now on, or does so again. */
void sim_mdns_block(sim *s, bool block);

void sim_mdns_publish(sim_host *h, const char *name, const floe_addr *addr);
void sim_mdns_withdraw(sim_host *h, const char *name);
/* How many names the host answers for. */
size_t sim_mdns_published(const sim_host *h);

/* The answer comes as an event, never from inside this call: after 10 ms, or after 3 s when there is none. */
void sim_mdns_resolve(sim_host *h, const char *name, floe_family family, uint32_t req, sim_dns_fn fn, void *user);

#endif
