/* A peer connection on a simulated host: takes its outputs with the sockets and look-ups of a simulated agent, keeps
 * libssl and usrsctp on the simulated time, and writes down each event as one line of text.
 *
 *     negotiationneeded
 *     signalingstatechange have-local-offer
 *     icegatheringstatechange gathering
 *     icecandidate host 10.0.0.1:50000
 *     icecandidate end
 *     icecandidate null
 *     icecandidateerror 701 udp_timeout stun:192.0.2.1
 *     iceconnectionstatechange checking
 *     connectionstatechange failed dtls_fingerprint
 *     ice statechange checking
 *     ice gatheringstatechange complete
 *     ice selectedcandidatepairchange host 10.0.0.1:50000 > host 10.0.1.1:50000
 *     dtls statechange failed
 *     dtls error dtls_fingerprint fingerprint-failure
 *     sctp statechange connected
 *     datachannel chat
 *     chat open
 *     chat text "hello"
 *     chat binary 3 bytes 010203
 *     chat binary 70000 bytes #9a3c12f0
 *     chat bufferedamountlow
 *     chat closing
 *     chat close
 *     chat error sctp_abort sctp-failure
 *
 * A channel is called by its label, "<>" when that is empty; a later one with the same label is "chat#2".
 *
 * Numbered messages (sim_channel_send_numbered, sim_channel_flow) are not written down but checked: each arrives once,
 * as it was sent, on an ordered channel in order, on a reliable one without a gap. What holds in every world is checked
 * with each event and after each call (sim_pc_check.c). */
#ifndef FLOE_TESTS_SIM_PC_H
#define FLOE_TESTS_SIM_PC_H

#include "floe/pc.h"
#include "support/sim_agent.h"

typedef struct sim_pc sim_pc;

/* One channel, made here or by the peer. Lives as long as the simulation. */
typedef struct sim_channel {
  sim_pc *x;
  floe_data_channel *handle; /* NULL: freed */
  char name[80];
  bool is_ours, told_open, told_closing, told_close, told_error;
  bool is_unreliable;
  floe_cause error_cause;
  uint64_t n_texts, n_binaries; /* numbered ones included */
  size_t last_len;              /* of the last message */
  uint64_t last_hash;           /* sim_hash of the last message */
  uint64_t bytes_received;
  /* numbered messages */
  uint32_t tag;
  uint32_t sent, got, next; /* `next`: one more than the highest number that came */
  uint8_t *seen;            /* one bit for each number */
  size_t n_seen;
  /* what sim_channel_flow has still to send */
  uint32_t flow_left;
  size_t flow_min, flow_max;
  bool flow_text, flow_planned;
  uint32_t flow_waits; /* how often FLOE_E_AGAIN held it up */
  struct sim_channel *next_channel;
} sim_channel;

typedef struct sim_pc_hooks {
  void (*on_event)(void *user, const floe_event *e); /* nullable; may plan events, and call getters */
  void *user;
} sim_pc_hooks;

struct sim_pc {
  sim *s;
  const char *name;
  sim_agent *a; /* its sockets, env and trace */
  floe_pc *core;
  floe_error why; /* of the last call that was refused */
  sim_pc_hooks hooks;
  sim_channel *channels; /* in the order in which they came */
  bool is_closed;        /* floe_pc_close was called */
  void *log;             /* sim_text *: nullable: the same lines with "name: " before them */
  /* as told last */
  floe_signaling_state told_signaling;
  floe_ice_gathering_state told_gathering;
  floe_ice_connection_state told_ice;
  floe_pc_state told_state;
  floe_dtls_transport_state told_dtls;
  floe_sctp_transport_state told_sctp;
  floe_cause cause; /* of the last connectionstatechange */
  floe_time connected_at;
  uint64_t n_negotiationneeded, n_candidates;
  floe_cause dtls_error;
};

/* A refused configuration fails the test, unless memory was made to fail: then `core` is NULL. */
sim_pc *sim_pc_new(sim_host *h, const char *name /* keeps */, const floe_pc_config *cfg,
                   const sim_agent_options *options /* nullable */);
/* Frees it and checks that nothing is left. Also done by sim_free. */
void sim_pc_free(sim_pc *x);
/* The present time, which libssl and usrsctp are told, too. For calls that have no wrapper here; sim_pc_drain after
 * them. */
floe_time sim_pc_now(sim_pc *x);
void sim_pc_drain(sim_pc *x);

/* The calls of floe/pc.h, each followed by taking the outputs. `why` of the last one that was refused is kept. */
floe_status sim_pc_set_local(sim_pc *x, floe_sdp_type type, const char *sdp /* nullable: the last one made */);
floe_status sim_pc_set_local_implicit(sim_pc *x);
floe_status sim_pc_set_remote(sim_pc *x, floe_sdp_type type, const char *sdp /* nullable: a rollback */);
/* The text, to be freed by the caller; NULL when it was refused, and `why` says so. */
char *sim_pc_create_offer(sim_pc *x, const floe_offer_options *options /* nullable */);
char *sim_pc_create_answer(sim_pc *x);
/* Copies of descriptions, to be freed by the caller; NULL: none. */
char *sim_pc_local_sdp(sim_pc *x);
floe_status sim_pc_add_candidate(sim_pc *x, const floe_ice_candidate_init *c /* nullable */);
void sim_pc_restart_ice(sim_pc *x);
void sim_pc_close(sim_pc *x);
bool sim_pc_run_to_closed(sim_pc *x, uint64_t limit_ms);

/* --- channels ------------------------------------------------------------------------------------------------------
 */

/* NULL when it was refused: x->why says so. */
sim_channel *sim_pc_channel(sim_pc *x, const char *label, const floe_data_channel_init *init /* nullable */);
/* The channel that is called so, ours or the peer's; NULL: none. */
sim_channel *sim_pc_find(const sim_pc *x, const char *name);
size_t sim_pc_n_channels(const sim_pc *x);
floe_status sim_channel_text(sim_channel *c, const char *text);
floe_status sim_channel_binary(sim_channel *c, const void *data, size_t len);
/* One message of pseudo-random bytes (letters for a text); its hash is in *hash. */
floe_status sim_channel_blob(sim_channel *c, size_t len, uint64_t seed, bool text, uint64_t *hash);
void sim_channel_close(sim_channel *c);
void sim_channel_release(sim_channel *c); /* floe_data_channel_free */

/* The least length of a numbered message. */
#define SIM_NUMBERED_MIN 24
floe_status sim_channel_send_numbered(sim_channel *c, size_t len, bool text);
/* Sends so many numbered messages as fast as the channel takes them: waits for OPEN, and for BUFFEREDAMOUNTLOW when it
 * says FLOE_E_AGAIN. */
void sim_channel_flow(sim_channel *c, uint32_t n, size_t min_len, size_t max_len, bool text);
/* Fails unless all numbered messages that `from` has sent have come to `to`. */
void sim_channel_expect_all(const sim_channel *to, const sim_channel *from);

uint64_t sim_hash(const void *data, size_t len);

/* --- what was recorded ---------------------------------------------------------------------------------------------
 */

const char *sim_pc_events(const sim_pc *x);
/* The lines that hold `part`, and those that do not hold it. Valid until the next call. */
const char *sim_pc_events_with(sim_pc *x, const char *part);
/* Without those of the transports ("ice ", "dtls ", "sctp " at their beginning) and candidates. */
const char *sim_pc_main_events(sim_pc *x);
const char *sim_pc_wire_with(sim_pc *x, const char *part);
void sim_pc_clear_log(sim_pc *x);

#endif
