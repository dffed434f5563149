/* Two SCTP associations face to face in virtual time, with a path between them that delays, loses, repeats and reorders
 * packets by a seed. */
#ifndef FLOE_TESTS_SCTP_PAIR_H
#define FLOE_TESTS_SCTP_PAIR_H

#include "sctp/sctp.h"

#define FLOE__SCTP_PAIR_LOG 2048

typedef struct sctp_pair sctp_pair;
typedef struct sctp_pair_packet sctp_pair_packet;

struct sctp_pair {
  floe_env *env;
  bool owns_env;
  floe__sctp *side[2];
  floe_time now;
  floe_time delay, jitter; /* [10 ms, 0] in one direction; jitter reorders */
  double loss, twice;      /* probabilities */
  uint64_t seed;
  bool does_not_read[2]; /* does not take its events */
  bool is_dead[2];       /* what this side sends is lost */
  /* nullable: sees each message; without it messages are in the log */
  void (*on_message)(sctp_pair *p, int side, const floe__sctp_event *e);
  /* nullable: may look at and change each packet; false: lost */
  bool (*on_packet)(sctp_pair *p, int from, uint8_t *packet, size_t *len);
  void *user;

  char log[2][FLOE__SCTP_PAIR_LOG]; /* events but SENT, one per line, without times */
  size_t messages[2], bytes[2], sent_events[2];
  size_t packets[2]; /* that the side has sent */
  size_t packet_max; /* the largest of them */
  sctp_pair_packet *queue;
};

/* `env` nullable: then one of the pair's own. The default path; both sides new, not connected. */
void sctp_pair_init(sctp_pair *p, floe_env *env, const floe__sctp_config *a, const floe__sctp_config *b);
/* Connects both at once and runs until both are connected. */
void sctp_pair_connect(sctp_pair *p);
void sctp_pair_clear(sctp_pair *p);

/* Takes what the side has to say. */
void sctp_pair_drain(sctp_pair *p, int side);
/* Runs until that much time is over. */
void sctp_pair_run(sctp_pair *p, uint64_t ms);
/* Runs until neither side waits for anything and no packet is under way; false: not within `ms`. */
bool sctp_pair_settle(sctp_pair *p, uint64_t ms);
/* Empties the logs. */
void sctp_pair_forget(sctp_pair *p);

/* Sends a text on a stream and drains; the status. */
floe_status sctp_pair_say(sctp_pair *p, int side, uint16_t stream, const char *text);
uint64_t sctp_pair_random(sctp_pair *p);

#endif
