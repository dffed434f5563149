/* The tests of RFC 5780 with one server: mapping (4.3) from the probe's socket, filtering (4.4) from a second one that
 * has sent to nobody but this server, and whether the two sockets reach each other by their mapped addresses (4.5).
 *
 * All four combinations of the server's addresses and ports are asked for the mapping, more than the RFC needs: who has
 * answered is known to be alive when the filtering tests wait for an answer from there. Those are asked twice over, and
 * with each of their transmissions go three requests that are to be answered; when one is not, packets are being lost,
 * and silence proves less. */
#ifndef FLOE_ICE_NAT_SURVEY_H
#define FLOE_ICE_NAT_SURVEY_H

#include "ice/base.h"
#include "ice/nat_judge.h"

#define FLOE__NAT_COPIES 2 /* of each question whose silence counts */

typedef enum floe__nat_survey_state {
  FLOE__NAT_SURVEY_IDLE = 0,
  FLOE__NAT_SURVEY_MEETING, /* the second socket opens and asks the server; the first asks its other addresses */
  FLOE__NAT_SURVEY_LOOKING, /* filtering and hairpin */
  FLOE__NAT_SURVEY_OVER
} floe__nat_survey_state;

typedef struct floe__nat_survey_plan {
  floe__io *io;
  const floe__stun_timing *timing;  /* keeps */
  const floe__stun_timing *control; /* keeps: of the requests beside the tests, which are sent once */
  floe_sock_id sock;                /* the first socket */
  floe_addr local;                  /* where to bind the second; its port is ignored */
  floe_addr mapped;                 /* of the first socket, as `server` saw it */
  floe_addr server;
  floe_addr other; /* usable OTHER-ADDRESS; family 0: none, so only the hairpin is looked at */
  bool hairpin;    /* is looked at */
} floe__nat_survey_plan;

typedef struct floe__nat_survey {
  floe__nat_survey_plan plan;
  floe__nat_survey_state state;
  floe__udp_socket second;
  floe__nat_asks asks;
  /* In `asks`; NULL when not asked. */
  floe__nat_ask *square[2][2]; /* [other address][other port]; [0][0] stays NULL: that is plan.mapped */
  floe__nat_ask *meet;
  floe__nat_ask *other_address[FLOE__NAT_COPIES];
  floe__nat_ask *other_port[FLOE__NAT_COPIES];
  floe__nat_ask *turned[2];
  unsigned control_rounds;
  floe__nat_asks controls;
} floe__nat_survey;

void floe__nat_survey_start(floe__nat_survey *s, const floe__nat_survey_plan *plan /* copies */);
void floe__nat_survey_clear(floe__nat_survey *s); /* closes the second socket */

/* SOCKET_OPENED, SOCKET_FAILED, ICMP, SEND_FAILED: those of other sockets are ignored. */
void floe__nat_survey_on_input(floe__nat_survey *s, const floe_input *in);
void floe__nat_survey_on_message(floe__nat_survey *s, const floe_input *in, const floe__stun_msg *m,
                                 floe__stun_parse parse);
void floe__nat_survey_on_deadline(floe__nat_survey *s);
/* After each of the three: goes on when it can. */
void floe__nat_survey_step(floe__nat_survey *s);
floe__deadline floe__nat_survey_deadline(const floe__nat_survey *s);

/* Once it is OVER. */

/* What the server's four ends saw; returns how many answered, the first being plan.mapped. */
size_t floe__nat_survey_sights(const floe__nat_survey *s, floe__nat_sight out[4]);
floe__nat_filter_facts floe__nat_survey_filter_facts(const floe__nat_survey *s);
/* False: the hairpin was not tried. */
bool floe__nat_survey_hairpin(const floe__nat_survey *s, bool *arrived);

#endif
