/* What the network says about a datagram that was sent, and the resolver about a name, as causes. */
#ifndef FLOE_ICE_NET_CAUSE_H
#define FLOE_ICE_NET_CAUSE_H

#include "floe/cause.h"
#include "floe/ice.h"

typedef struct floe__net_verdict {
  floe_cause cause; /* NONE: means nothing here */
  bool hard;        /* ends the address at once; else it is a hint only (RFC 1122 3.2.2.1) */
} floe__net_verdict;

/* An ICMP input. */
floe__net_verdict floe__net_judge_icmp(const floe_input *in);
/* A SEND_FAILED input's error. */
floe__net_verdict floe__net_judge_send_error(floe_net_error error);
/* NONE for FLOE_DNS_OK. */
floe_cause floe__net_cause_of_dns(floe_dns_status status);

#endif
