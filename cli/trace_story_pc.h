/* What a trace tells of a peer connection above ICE: signalling, DTLS, SCTP and channels. */
#ifndef FLOE_CLI_TRACE_STORY_PC_H
#define FLOE_CLI_TRACE_STORY_PC_H

#include "trace_line.h"

enum { FLOE__STORY_WORD = 24, FLOE__STORY_CAUSE = 40, FLOE__STORY_CIPHER = 56, FLOE__STORY_REASON = 120 };

/* One machine that begins, comes up and ends. */
typedef struct floe__story_layer {
  char state[FLOE__STORY_WORD]; /* "" = none was told; `failed` stays when it is closed after that */
  char cause[FLOE__STORY_CAUSE];
  bool has_begun, was_up, is_closed;
  double begin_ms, up_ms, state_ms; /* when it began; when it first was up; when the state came */
  double closed_ms;
} floe__story_layer;

typedef struct floe__story_pc {
  bool is_there;
  floe__story_layer connection, dtls, sctp;

  bool has_offer, has_answer, we_offered; /* of the first negotiation */
  double offer_ms, answer_ms;
  uint32_t negotiations, restarts, refused; /* answers that were set; offers that restart ICE; descriptions */
  char refusal[FLOE__STORY_WORD];           /* status of the last that was refused */

  char role[FLOE__STORY_WORD], version[FLOE__STORY_WORD], cipher[FLOE__STORY_CIPHER], group[FLOE__STORY_WORD];
  char fingerprint[FLOE__STORY_WORD];
  bool has_alert_received, has_alert_sent, has_certificate;
  uint32_t alert_received, alert_sent;

  uint32_t streams_in, streams_out;
  bool interleaving, has_code;
  uint32_t code;
  char by[FLOE__STORY_WORD]; /* who aborted: "us", "peer" */
  char reason[FLOE__STORY_REASON];

  uint32_t channels, channels_of_peer, opened, closed;
  bool has_sent, has_received;
  double open_ms, sent_ms, received_ms; /* of the first channel that opened; of the first messages */
} floe__story_pc;

/* An event of the layers above ICE: pc.*, dtls.*, sctp.*. */
bool floe__story_pc_is_event(const char *event);
void floe__story_pc_add(floe__story_pc *pc, const floe__trace_line *line);

/* The association ended because one of the programs wished it: an abort that is no failure. */
bool floe__story_pc_is_orderly(const floe__story_pc *pc);

#endif
