/* What `floe nat` found out: the probes' results and how far each transport gets. Everything that prints works from
 * this. */
#ifndef FLOE_CLI_NAT_FINDINGS_H
#define FLOE_CLI_NAT_FINDINGS_H

#include "nat_plan.h"

/* How far one transport gets to one server; a larger number is farther. */
typedef enum floe__nat_reach {
  FLOE__NAT_REACH_UNKNOWN = 0, /* not tried, or it did not come to that: no name, no local address */
  FLOE__NAT_REACH_BLOCKED,     /* nothing came back */
  FLOE__NAT_REACH_REFUSED,     /* a refusal came back: nobody listens, or a firewall says so */
  FLOE__NAT_REACH_SPOILED,     /* what answers is not what was asked for: no TLS, no STUN */
  FLOE__NAT_REACH_CONNECTED,   /* connected, and no answer; or a certificate that we do not like */
  FLOE__NAT_REACH_OPEN         /* the server has answered */
} floe__nat_reach;

/* "unknown", "blocked", "refused", "spoiled", "connected" or "open". */
const char *floe__nat_reach_name(floe__nat_reach reach);

/* One transport to one server. */
typedef struct floe__nat_way {
  floe_transport transport;
  uint16_t port;
  floe__nat_reach reach;
  floe_cause cause; /* NONE when it is open without an error */
  bool has_ms;
  double ms; /* until it answered or was connected */
} floe__nat_way;

enum { FLOE__NAT_UDP = 0, FLOE__NAT_TCP, FLOE__NAT_TLS, FLOE__NAT_WAYS };

typedef struct floe__nat_findings {
  const floe__nat_plan *plan;
  const floe_nat_result *results[2]; /* IPv4, IPv6; NULL: not looked at */
  bool has_transports;               /* TCP and TLS were tried */
  floe__nat_way ways[FLOE__NAT_MAX_HOSTS][FLOE__NAT_WAYS];
  double elapsed_ms;
} floe__nat_findings;

/* `results` as in the findings; `report` nullable: TCP and TLS were not tried. Both must outlive the findings. */
void floe__nat_findings_make(floe__nat_findings *f, const floe__nat_plan *plan, const floe_nat_result *const results[2],
                             const floe_report *report);

/* The farthest that a transport gets to any server. */
floe__nat_reach floe__nat_findings_reach(const floe__nat_findings *f, int way);

/* True when there is something to tell of the family: a result, and not merely that this host does not have it. */
bool floe__nat_findings_has(const floe__nat_findings *f, unsigned which);

int floe__nat_findings_exit(const floe__nat_findings *f);

#endif
