/* A UDP or TCP port that answers STUN requests with whatever a test builds by hand: for answers that the test server's
 * scripts do not have. */
#ifndef FLOE_TESTS_SIM_RESPONDER_H
#define FLOE_TESTS_SIM_RESPONDER_H

#include "stun/integrity.h"
#include "support/sim_net.h"

typedef struct sim_responder sim_responder;

/* The n-th request (from 0) of this responder. Builds at most one answer with the functions below. */
typedef void (*sim_respond_fn)(sim_responder *r, const floe__stun_msg *request, uint32_t n);

struct sim_responder {
  sim *s;
  sim_respond_fn respond;
  sim_udp *udp; /* NULL for TCP */
  sim_tcp *tcp; /* NULL for UDP, and until a client has connected; the last one */
  floe_addr from;
  uint32_t n;         /* requests seen */
  floe__stun_key key; /* of user "user", realm "floe.test", credential "secret" */
  uint8_t buf[2048];
  floe__stun_builder answer;
};

/* Over TCP each read must hold one whole request, as it does on paths that do not cut. */
sim_responder *sim_responder_udp(sim_host *h, const char *local, sim_respond_fn respond);
sim_responder *sim_responder_tcp(sim_host *h, const char *local, sim_respond_fn respond);

/* Begins an answer with the request's method and transaction id. */
floe__stun_builder *sim_responder_begin(sim_responder *r, const floe__stun_msg *request, floe__stun_class cls);
void sim_responder_send(sim_responder *r);        /* as it is */
void sim_responder_send_signed(sim_responder *r); /* with MESSAGE-INTEGRITY */
void sim_responder_send_bytes(sim_responder *r, floe_bytes bytes);
/* A whole 401 with REALM and NONCE. */
void sim_responder_challenge(sim_responder *r, const floe__stun_msg *request);
/* An error response, not sent. */
void sim_responder_error(sim_responder *r, const floe__stun_msg *request, unsigned code, const char *reason);
/* A good success response, not sent: XOR-MAPPED-ADDRESS, and for Allocate the relayed address and the lifetime. */
void sim_responder_success(sim_responder *r, const floe__stun_msg *request);

#endif
