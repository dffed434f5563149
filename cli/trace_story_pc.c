#include "trace_story_pc.h"

#include <stdio.h>
#include <string.h>

/* RFC 9260 3.3.10.12: the program wished it. */
#define USER_INITIATED 12

static bool is(const floe__trace_line *line, const char *name, const char *value) {
  return strcmp(floe__trace_line_text(line, name), value) == 0;
}

static void take(char *out, size_t cap, const floe__trace_line *line, const char *name) {
  (void)snprintf(out, cap, "%s", floe__trace_line_text(line, name));
}

static void add_state(floe__story_layer *l, const floe__trace_line *line, const char *begin, const char *up) {
  if (is(line, "to", begin) && is(line, "from", "new")) { /* perhaps another one takes the place */
    memset(l, 0, sizeof *l);
    l->has_begun = true;
    l->begin_ms = line->t_ms;
  }
  if (is(line, "to", up) && !l->was_up) {
    l->was_up = true;
    l->up_ms = line->t_ms;
  }
  if (is(line, "to", "closed")) {
    l->is_closed = true;
    l->closed_ms = line->t_ms;
    if (strcmp(l->state, "failed") == 0) return; /* what a program does then is no news */
  }
  take(l->state, sizeof l->state, line, "to");
  take(l->cause, sizeof l->cause, line, "cause");
  if (strcmp(l->cause, "none") == 0) l->cause[0] = '\0';
  l->state_ms = line->t_ms;
}

static void on_description(floe__story_pc *pc, const floe__trace_line *line) {
  if (is(line, "type", "offer")) {
    if (floe__trace_line_flag(line, "restart")) pc->restarts++;
    if (pc->has_answer) return;
    pc->has_offer = true;
    pc->we_offered = is(line, "side", "local");
    pc->offer_ms = line->t_ms;
  } else if (is(line, "type", "answer")) {
    pc->negotiations++;
    if (pc->has_answer) return;
    pc->has_answer = true;
    pc->answer_ms = line->t_ms;
  }
}

static void on_refused(floe__story_pc *pc, const floe__trace_line *line) {
  pc->refused++;
  take(pc->refusal, sizeof pc->refusal, line, "status");
}

static void on_dtls(floe__story_pc *pc, const floe__trace_line *line) {
  add_state(&pc->dtls, line, "handshake", "open");
  take(pc->role, sizeof pc->role, line, "role");
  if (is(line, "to", "open")) {
    take(pc->version, sizeof pc->version, line, "version");
    take(pc->cipher, sizeof pc->cipher, line, "cipher");
    take(pc->group, sizeof pc->group, line, "group");
    take(pc->fingerprint, sizeof pc->fingerprint, line, "fingerprint");
  }
  pc->has_certificate = floe__trace_line_flag(line, "certificate");
  pc->has_alert_received = floe__trace_line_id(line, "alert_received", &pc->alert_received);
  pc->has_alert_sent = floe__trace_line_id(line, "alert_sent", &pc->alert_sent);
}

static void on_sctp(floe__story_pc *pc, const floe__trace_line *line) {
  add_state(&pc->sctp, line, "connecting", "connected");
  if (is(line, "to", "connected")) {
    (void)floe__trace_line_id(line, "streams_in", &pc->streams_in);
    (void)floe__trace_line_id(line, "streams_out", &pc->streams_out);
    pc->interleaving = floe__trace_line_flag(line, "interleaving");
  }
  take(pc->by, sizeof pc->by, line, "by");
  take(pc->reason, sizeof pc->reason, line, "text");
  pc->has_code = floe__trace_line_id(line, "code", &pc->code);
}

static void on_channel(floe__story_pc *pc, const floe__trace_line *line) {
  if (is(line, "to", "open") && pc->opened++ == 0) pc->open_ms = line->t_ms;
  if (is(line, "to", "closed") && !is(line, "from", "connecting")) pc->closed++;
}

static void on_message(floe__story_pc *pc, const floe__trace_line *line) {
  bool sent = is(line, "first", "sent");
  if (sent ? pc->has_sent : pc->has_received) return;
  *(sent ? &pc->has_sent : &pc->has_received) = true;
  *(sent ? &pc->sent_ms : &pc->received_ms) = line->t_ms;
}

bool floe__story_pc_is_event(const char *event) {
  return strncmp(event, "pc.", 3) == 0 || strncmp(event, "dtls.", 5) == 0 || strncmp(event, "sctp.", 5) == 0;
}

void floe__story_pc_add(floe__story_pc *pc, const floe__trace_line *line) {
  const char *event = line->event;
  pc->is_there = true;
  if (strcmp(event, "pc.description") == 0) on_description(pc, line);
  if (strcmp(event, "pc.description.refused") == 0) on_refused(pc, line);
  if (strcmp(event, "pc.state") == 0) add_state(&pc->connection, line, "connecting", "connected");
  if (strcmp(event, "dtls.state") == 0) on_dtls(pc, line);
  if (strcmp(event, "sctp.state") == 0) on_sctp(pc, line);
  if (strcmp(event, "pc.channel.made") == 0) {
    pc->channels++;
    if (is(line, "by", "peer")) pc->channels_of_peer++;
  }
  if (strcmp(event, "pc.channel") == 0) on_channel(pc, line);
  if (strcmp(event, "pc.channel.message") == 0) on_message(pc, line);
}

bool floe__story_pc_is_orderly(const floe__story_pc *pc) {
  if (pc->sctp.cause[0] == '\0') return true;
  if (!pc->has_code || pc->code != USER_INITIATED) return false;
  if (strcmp(pc->by, "peer") == 0) return true;
  /* Closing a connection aborts its association at the same moment; what this side finds wrong does it before. */
  double between_ms = pc->connection.closed_ms - pc->sctp.closed_ms;
  return pc->connection.is_closed && between_ms >= 0 && between_ms <= 0;
}
