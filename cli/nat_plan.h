/* From the URLs of `floe nat` to what is asked: the hosts with their ports, the probes' configurations, and that of the
 * agent that tries TCP and TLS. */
#ifndef FLOE_CLI_NAT_PLAN_H
#define FLOE_CLI_NAT_PLAN_H

#include "floe/floe.h"
#include "nat_options.h"

#define FLOE__NAT_MAX_HOSTS 16 /* the probe's own limit */

/* One server: a host, and where it is asked over each transport. */
typedef struct floe__nat_host {
  const char *url;    /* the first that named it; borrowed */
  char host[260];     /* as in a URL: IPv6 in brackets */
  floe_family family; /* of a literal; NONE: a name */
  uint16_t port;      /* UDP and TCP */
  uint16_t tls_port;
  char udp_url[280], tcp_url[300], tls_url[280];
} floe__nat_host;

typedef struct floe__nat_plan {
  floe__nat_host hosts[FLOE__NAT_MAX_HOSTS];
  size_t n_hosts;
  const char *urls[2][FLOE__NAT_MAX_HOSTS];      /* of the probes: IPv4, IPv6 */
  size_t hosts_of[2][FLOE__NAT_MAX_HOSTS];       /* which host each is */
  floe_nat_config probes[2];                     /* n_urls 0: there is nothing to ask in that family */
  const char *way_urls[2 * FLOE__NAT_MAX_HOSTS]; /* of the agent: TCP and TLS of each host */
  floe_ice_server ways[2 * FLOE__NAT_MAX_HOSTS];
  floe_ice_config agent;
} floe__nat_plan;

/* The plan points into itself and into the options. On false `why` says what is wrong with which URL ("urls[1]"). */
bool floe__nat_plan_make(floe__nat_plan *plan, const floe__nat_options *o, floe_error *why);

#endif
