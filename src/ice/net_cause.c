#include "ice/net_cause.h"

/* RFC 792, RFC 1812 5.2.7.1. */
static floe__net_verdict judge_icmpv4(uint8_t type, uint8_t code) {
  if (type != 3) return (floe__net_verdict){FLOE_CAUSE_NONE, false};
  switch (code) {
    case 2:                                                                /* protocol unreachable */
    case 3: return (floe__net_verdict){FLOE_CAUSE_PORT_UNREACHABLE, true}; /* port unreachable */
    case 9:                                                                /* network, host, communication prohibited */
    case 10:
    case 13: return (floe__net_verdict){FLOE_CAUSE_SEND_DENIED, true};
    case 0: /* net unreachable, unknown, not for this type of service */
    case 6:
    case 11: return (floe__net_verdict){FLOE_CAUSE_NET_UNREACHABLE, false};
    case 1: /* host unreachable, source route failed, unknown, isolated, not for this type of service */
    case 5:
    case 7:
    case 8:
    case 12: return (floe__net_verdict){FLOE_CAUSE_HOST_UNREACHABLE, false};
    default: return (floe__net_verdict){FLOE_CAUSE_NONE, false}; /* 4: fragmentation needed, and what may come */
  }
}

/* RFC 4443 3.1. */
static floe__net_verdict judge_icmpv6(uint8_t type, uint8_t code) {
  if (type != 1) return (floe__net_verdict){FLOE_CAUSE_NONE, false};
  switch (code) {
    case 1: return (floe__net_verdict){FLOE_CAUSE_SEND_DENIED, true};
    case 4: return (floe__net_verdict){FLOE_CAUSE_PORT_UNREACHABLE, true};
    case 0: /* no route, beyond scope, policy, reject route */
    case 2:
    case 5:
    case 6: return (floe__net_verdict){FLOE_CAUSE_NET_UNREACHABLE, false};
    case 3: return (floe__net_verdict){FLOE_CAUSE_HOST_UNREACHABLE, false};
    default: return (floe__net_verdict){FLOE_CAUSE_NONE, false};
  }
}

floe__net_verdict floe__net_judge_icmp(const floe_input *in) {
  bool is_v6 = in->addr.family == FLOE_FAMILY_IPV6;
  return is_v6 ? judge_icmpv6(in->icmp_type, in->icmp_code) : judge_icmpv4(in->icmp_type, in->icmp_code);
}

floe__net_verdict floe__net_judge_send_error(floe_net_error error) {
  switch (error) {
    case FLOE_NET_NET_UNREACHABLE: return (floe__net_verdict){FLOE_CAUSE_NET_UNREACHABLE, false};
    case FLOE_NET_HOST_UNREACHABLE: return (floe__net_verdict){FLOE_CAUSE_HOST_UNREACHABLE, false};
    case FLOE_NET_DENIED: return (floe__net_verdict){FLOE_CAUSE_SEND_DENIED, true};
    case FLOE_NET_REFUSED: /* systems without an error queue say so at the next call */
    case FLOE_NET_RESET: return (floe__net_verdict){FLOE_CAUSE_PORT_UNREACHABLE, true};
    case FLOE_NET_MESSAGE_SIZE: /* a lost packet, no more */
    case FLOE_NET_NO_RESOURCES:
    case FLOE_NET_TIMED_OUT: return (floe__net_verdict){FLOE_CAUSE_NONE, false};
    case FLOE_NET_ADDRESS_IN_USE:
    case FLOE_NET_ADDRESS_NOT_AVAILABLE:
    case FLOE_NET_OTHER: return (floe__net_verdict){FLOE_CAUSE_SOCKET_FAILED, true};
  }
  return (floe__net_verdict){FLOE_CAUSE_NONE, false};
}

floe_cause floe__net_cause_of_dns(floe_dns_status status) {
  switch (status) {
    case FLOE_DNS_OK: return FLOE_CAUSE_NONE;
    case FLOE_DNS_NXDOMAIN: return FLOE_CAUSE_DNS_NXDOMAIN;
    case FLOE_DNS_NODATA: return FLOE_CAUSE_DNS_NODATA;
    case FLOE_DNS_SERVFAIL:
    case FLOE_DNS_FAILED: return FLOE_CAUSE_DNS_SERVFAIL;
    case FLOE_DNS_REFUSED: return FLOE_CAUSE_DNS_REFUSED;
    case FLOE_DNS_TIMEOUT: return FLOE_CAUSE_DNS_TIMEOUT;
    case FLOE_DNS_UNREACHABLE: return FLOE_CAUSE_DNS_UNREACHABLE;
  }
  return FLOE_CAUSE_DNS_SERVFAIL;
}
