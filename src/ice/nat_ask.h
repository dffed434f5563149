/* One question of the NAT probe: a Binding request from one of its sockets, and what became of it. */
#ifndef FLOE_ICE_NAT_ASK_H
#define FLOE_ICE_NAT_ASK_H

#include "floe/cause.h"
#include "ice/io.h"
#include "stun/request.h"

typedef enum floe__nat_ask_state {
  FLOE__NAT_ASK_OPEN = 0,
  FLOE__NAT_ASK_ANSWERED, /* mapped, other; of a hairpin: it has arrived */
  FLOE__NAT_ASK_SILENT,   /* sent as often as it may be, and nothing was heard */
  FLOE__NAT_ASK_REFUSED   /* cause: what came, or kept it from being sent, so that silence would prove nothing */
} floe__nat_ask_state;

typedef struct floe__nat_ask_plan {
  floe_sock_id sock;
  floe_addr to;
  floe_addr from;          /* where the answer has to come from */
  uint32_t change;         /* CHANGE-REQUEST (RFC 5780 7.2); 0 = none */
  floe_sock_id arrives_at; /* a hairpin: the request itself is to arrive at this socket of ours; 0 = an answer is */
  const floe__stun_timing *timing; /* keeps: must outlive the question */
} floe__nat_ask_plan;

typedef struct floe__nat_ask floe__nat_ask;
struct floe__nat_ask {
  floe__nat_ask *next;
  floe__io *io;
  floe__nat_ask_plan plan;
  floe__stun_request request;
  floe__nat_ask_state state;
  floe_cause cause;      /* SILENT: udp_timeout; REFUSED */
  floe_cause soft_cause; /* NONE, or what an ICMP error has hinted at */
  unsigned soft_errors;
  bool is_unsent; /* a transmission was lost here, for want of memory */
  floe_addr mapped;
  floe_addr other; /* OTHER-ADDRESS as it was sent; family 0 = none */
};

/* Questions that belong together. */
typedef struct floe__nat_asks {
  floe__nat_ask *first;
} floe__nat_asks;

/* Asks. NULL: no memory. The question lives as long as its list. */
floe__nat_ask *floe__nat_asks_add(floe__nat_asks *asks, floe__io *io, const floe__nat_ask_plan *plan /* copies */);
void floe__nat_asks_clear(floe__nat_asks *asks, floe_env *env);

/* A datagram came, and parsed. True: it belongs to one of these. */
bool floe__nat_asks_on_message(floe__nat_asks *asks, const floe_input *in, const floe__stun_msg *m,
                               floe__stun_parse parse);
/* ICMP or SEND_FAILED. */
void floe__nat_asks_on_error(floe__nat_asks *asks, const floe_input *in);
void floe__nat_asks_on_deadline(floe__nat_asks *asks);
floe_time floe__nat_asks_deadline(const floe__nat_asks *asks);
bool floe__nat_asks_are_over(const floe__nat_asks *asks);

/* Nullable: was asked, and answered. */
static inline bool floe__nat_ask_has_answer(const floe__nat_ask *ask) {
  return ask != NULL && ask->state == FLOE__NAT_ASK_ANSWERED;
}

#endif
