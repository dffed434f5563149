/* The inside of a NAT probe, shared by nat_probe.c, nat_config.c and nat_result.c. */
#ifndef FLOE_ICE_NAT_PROBE_H
#define FLOE_ICE_NAT_PROBE_H

#include "ice/lookup.h"
#include "ice/nat_survey.h"

#define FLOE__NAT_MAX_URLS    16
#define FLOE__NAT_ADDRESSES   2 /* of one name */
#define FLOE__NAT_MAX_SURVEYS 3
#define FLOE__NAT_MAX_SIGHTS  (FLOE__NAT_MAX_SURVEYS * 4)

typedef enum floe__nat_state {
  FLOE__NAT_IDLE = 0,  /* not started */
  FLOE__NAT_LISTING,   /* waits for the host's addresses */
  FLOE__NAT_RESOLVING, /* waits for names */
  FLOE__NAT_OPENING,   /* waits for the first socket */
  FLOE__NAT_MEETING,   /* every server is asked (RFC 5780 4.3 test I) */
  FLOE__NAT_EXAMINING, /* one server is examined */
  FLOE__NAT_DONE
} floe__nat_state;

typedef struct floe__nat_server {
  char *text;
  floe_ice_url url;
  floe__lookup lookup; /* of a name */
  floe_addr addrs[FLOE__NAT_ADDRESSES];
  size_t n_addrs;
  floe__nat_ask *asks[FLOE__NAT_ADDRESSES]; /* from the present base; NULL: not asked */
  bool was_asked;                           /* from the present base */
} floe__nat_server;

struct floe_nat_probe {
  floe__io io;
  floe__settings settings; /* what the parts of src/ice that are used here read; owns nothing */
  floe_nat_config cfg;     /* defaults filled in; its pointers are not used */
  char *interface;         /* nullable */
  const char *interfaces[1];
  floe__stun_timing timing, control;
  uint32_t number; /* for traces */
  floe__nat_state state;
  floe_time started_at;
  floe__nat_server *servers;
  size_t n_servers;
  floe__base_list bases;
  size_t next_base;        /* in the order in which they are tried */
  const floe__base *base;  /* the present one; NULL: none yet */
  floe__udp_socket socket; /* on it */
  floe__nat_asks asks;     /* the servers' */
  floe__nat_survey survey;
  unsigned n_surveys;
  floe__nat_sight sights[FLOE__NAT_MAX_SIGHTS]; /* of the surveys; those of the first questions are in `asks` */
  size_t n_sights;
  bool is_complete; /* a server answered from all its four ends */
  bool has_filter_facts;
  floe__nat_judgement filtering;
  floe_nat_server_result *results;
  floe_nat_result result;
};

/* --- nat_config.c ----------------------------------------------------------------------------------------------- */

/* Checks and copies. What was copied is freed by floe__nat_config_clear, whatever is returned. */
floe_status floe__nat_config_take(floe_nat_probe *probe, const floe_nat_config *cfg, floe_error *why);
void floe__nat_config_clear(floe_nat_probe *probe);

/* --- nat_result.c ----------------------------------------------------------------------------------------------- */

/* A server failed for this; the cause that says most stays. */
void floe__nat_result_note(floe_nat_probe *probe, size_t server, floe_cause cause);
/* The first questions from the present base are over: what each server saw. False: none has answered. */
bool floe__nat_result_take_servers(floe_nat_probe *probe);
/* A survey is over. */
void floe__nat_result_take_survey(floe_nat_probe *probe);
/* As far as is known. */
floe__nat_judgement floe__nat_result_mapping(const floe_nat_probe *probe);
/* The conclusion, while the questions are still there. */
void floe__nat_result_finish(floe_nat_probe *probe);

#endif
