/* An ICE peer made by hand: a UDP socket that answers connectivity checks as a test wants it, and sends checks of its
 * own when the test says so. For peers that behave as no agent of ours does.
 *
 *     fake_peer *f = fake_peer_new(sim_host_new(s, "fake", "eth0", "10.0.1.1", NULL), "10.0.1.1:7000");
 *     fake_peer_tell(f, agent);
 *     f->answer = FAKE_ROLE_CONFLICT;
 */
#ifndef FLOE_TESTS_FAKE_PEER_H
#define FLOE_TESTS_FAKE_PEER_H

#include "stun/integrity.h"
#include "support/sim_agent.h"

typedef enum fake_answer {
  FAKE_SUCCESS = 0,
  FAKE_SILENT,
  FAKE_ROLE_CONFLICT, /* 487 */
  FAKE_ERROR,         /* `error_code` */
  FAKE_UNSIGNED,      /* a success without MESSAGE-INTEGRITY */
  FAKE_WRONG_KEY,     /* a success that is signed with another password */
  FAKE_OTHER_TRANSACTION,
  FAKE_OTHER_PORT,       /* a success from another port */
  FAKE_HOLD_NOMINATIONS, /* a success, but to nominations only when fake_peer_answer_held is called */
  FAKE_NO_ADDRESS,       /* a success without XOR-MAPPED-ADDRESS */
  FAKE_OTHER_FAMILY      /* a success whose mapped address is of IPv6 */
} fake_answer;

typedef struct fake_peer {
  sim *s;
  sim_host *host;
  sim_udp *udp, *other_udp;
  floe_addr at;
  const char *ufrag, *pwd; /* change them before fake_peer_tell */
  fake_answer answer;
  unsigned error_code;
  bool moves_mapped; /* each success names another mapped address */
  bool controlling;  /* the attribute of its own checks */
  uint64_t tie_breaker;
  uint32_t priority;                                                                   /* of its own checks */
  bool no_fingerprint, no_integrity, no_username, no_priority, wrong_key, other_ufrag; /* of its own checks */

  /* what came */
  uint32_t checks;      /* requests */
  uint32_t nominations; /* of them with USE-CANDIDATE */
  uint32_t indications;
  uint32_t successes, errors; /* answers to its own checks */
  unsigned last_error;
  uint32_t n_data;
  char data[1600];   /* the last datagram, cut */
  floe_addr from;    /* of the last packet */
  uint8_t held[512]; /* the last nomination that waits for its answer */
  size_t held_len;
  bool claims_controlling; /* the last check's role */
  uint64_t claimed_tie_breaker;
} fake_peer;

fake_peer *fake_peer_new(sim_host *h, const char *local);
/* Gives the agent its parameters, its address as a host candidate, and the end. */
void fake_peer_tell(fake_peer *f, sim_agent *a);
/* Sends a check to an address of the agent. */
void fake_peer_check(fake_peer *f, const sim_agent *a, const char *to, bool nominates);
void fake_peer_answer_held(fake_peer *f);
void fake_peer_send(fake_peer *f, const char *to, const char *data);
void fake_peer_send_bytes(fake_peer *f, const char *to, floe_bytes data);

#endif
