#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"
#include "trace_summary_internal.h"

static void add(char *text, size_t cap, const char *format, ...) FLOE_PRINTF(3, 4);

static void add(char *text, size_t cap, const char *format, ...) {
  size_t n = strlen(text);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text + n, cap - n, format, args);
  va_end(args);
}

static void end_line(const floe__summary_printer *p) {
  (void)fputc('\n', p->out);
}

/* --- signalling --------------------------------------------------------------------------------------------------- */

static void print_signaling(const floe__summary_printer *p, const floe__story_pc *pc) {
  char text[200] = "", span[FLOE__SPAN_TEXT];
  if (!pc->has_offer && pc->refused == 0) return;
  add(text, sizeof text, "%s", !pc->has_offer ? "no offer" : pc->we_offered ? "our offer" : "the peer's offer");
  if (pc->has_answer && pc->has_offer) {
    add(text, sizeof text, ", answered after %s", floe__text_span(pc->answer_ms - pc->offer_ms, span));
  } else if (pc->has_offer) {
    add(text, sizeof text, ", not answered");
  }
  if (pc->negotiations > 1) add(text, sizeof text, ", %" PRIu32 " negotiations", pc->negotiations);
  if (pc->restarts > 0) {
    add(text, sizeof text, ", %" PRIu32 " ICE restart%s", pc->restarts, pc->restarts == 1 ? "" : "s");
  }
  floe__summary_label(p, "signalling");
  floe__summary_text(p, FLOE__TONE_PLAIN, text);
  if (pc->refused > 0) {
    (void)snprintf(text, sizeof text, ", %" PRIu32 " description%s refused (%s)", pc->refused,
                   pc->refused == 1 ? "" : "s", pc->refusal);
    floe__summary_text(p, FLOE__TONE_BAD, text);
  }
  end_line(p);
}

void floe__summary_pc_before_ice(const floe__summary_printer *p, const floe__story_pc *pc) {
  if (pc->connection.state[0] != '\0') {
    floe__summary_layer(p, "connection", &pc->connection, "connected", "");
    end_line(p);
  }
  print_signaling(p, pc);
}

/* --- DTLS --------------------------------------------------------------------------------------------------------- */

/* What an alert says of a failure. */
static void print_alerts(const floe__summary_printer *p, const floe__story_pc *pc) {
  char alert[FLOE__ALERT_TEXT];
  if (strcmp(pc->dtls.state, "failed") != 0) return;
  if (pc->has_alert_received) {
    (void)fprintf(p->out, ", %s received", floe__words_alert(pc->alert_received, alert));
  }
  if (pc->has_alert_sent) (void)fprintf(p->out, ", %s sent", floe__words_alert(pc->alert_sent, alert));
  (void)fprintf(p->out, ", the peer's certificate had %s", pc->has_certificate ? "come" : "not come");
}

static void print_dtls(const floe__summary_printer *p, const floe__story_pc *pc) {
  char details[FLOE__STORY_CIPHER + 4 * FLOE__STORY_WORD] = "";
  if (pc->dtls.state[0] == '\0') return;
  add(details, sizeof details, "%s", pc->role);
  if (pc->version[0] != '\0') add(details, sizeof details, ", %s, %s", pc->version, pc->cipher);
  if (pc->group[0] != '\0') add(details, sizeof details, ", %s", pc->group);
  floe__summary_layer(p, "DTLS", &pc->dtls, "open", details);
  print_alerts(p, pc);
  end_line(p);
  floe__summary_cause(p, pc->dtls.cause);
}

/* --- SCTP --------------------------------------------------------------------------------------------------------- */

static void print_end(const floe__summary_printer *p, const floe__story_pc *pc, bool orderly) {
  if (pc->by[0] != '\0') (void)fprintf(p->out, " by %s", strcmp(pc->by, "us") == 0 ? "us" : "the peer");
  if (!orderly && pc->has_code) (void)fprintf(p->out, ", code %" PRIu32, pc->code);
  if (pc->reason[0] == '\0') return;
  (void)fputs(": ", p->out);
  floe__summary_text(p, FLOE__TONE_PLAIN, pc->reason);
}

static void print_sctp(const floe__summary_printer *p, const floe__story_pc *pc) {
  char details[80] = "";
  bool orderly = floe__story_pc_is_orderly(pc);
  floe__story_layer l = pc->sctp;
  if (l.state[0] == '\0') return;
  add(details, sizeof details, "%" PRIu32, pc->streams_in);
  if (pc->streams_in != pc->streams_out) add(details, sizeof details, " and %" PRIu32, pc->streams_out);
  add(details, sizeof details, " streams%s", pc->interleaving ? ", interleaved" : "");
  if (orderly) l.cause[0] = '\0';
  floe__summary_layer(p, "SCTP", &l, "connected", details);
  print_end(p, pc, orderly);
  end_line(p);
  floe__summary_cause(p, l.cause);
}

/* --- channels ----------------------------------------------------------------------------------------------------- */

static void print_first(const floe__summary_printer *p, const floe__story_pc *pc) {
  char span[FLOE__SPAN_TEXT];
  if (!pc->has_sent && !pc->has_received) return;
  (void)fputs("; first message", p->out);
  if (pc->has_sent) (void)fprintf(p->out, " sent after %s", floe__text_span(pc->sent_ms - pc->open_ms, span));
  if (pc->has_sent && pc->has_received) (void)fputs(", one", p->out);
  if (pc->has_received) {
    (void)fprintf(p->out, " received after %s", floe__text_span(pc->received_ms - pc->open_ms, span));
  }
}

static void print_channels(const floe__summary_printer *p, const floe__story_pc *pc) {
  if (pc->channels == 0) return;
  floe__summary_label(p, "channels");
  (void)fprintf(p->out, "%" PRIu32, pc->channels);
  if (pc->channels_of_peer > 0) (void)fprintf(p->out, " (%" PRIu32 " of the peer)", pc->channels_of_peer);
  (void)fprintf(p->out, ", %" PRIu32 " opened, %" PRIu32 " closed", pc->opened, pc->closed);
  if (pc->opened > 0) print_first(p, pc);
  end_line(p);
}

void floe__summary_pc_after_ice(const floe__summary_printer *p, const floe__story_pc *pc) {
  print_dtls(p, pc);
  print_sctp(p, pc);
  print_channels(p, pc);
}
