
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"
#include "trace_summary_internal.h"
#include "trace_timeline.h"

enum { LABEL_COLUMN = 2, TEXT_COLUMN = 17 };

typedef floe__summary_printer printer;

void floe__summary_label(const printer *p, const char *label) {
  (void)fprintf(p->out, "%*s%-*s", LABEL_COLUMN, "", TEXT_COLUMN - LABEL_COLUMN, label);
}

void floe__summary_text(const printer *p, floe__words_tone tone, const char *text) {
  floe__timeline_print_text(p->out, p->style.colour, tone, text);
}

void floe__summary_cause(const printer *p, const char *id) {
  floe_cause cause = floe_cause_from_id(id);
  if (cause == FLOE_CAUSE_COUNT || cause == FLOE_CAUSE_NONE) return;
  (void)fprintf(p->out, "%*s%s\n", TEXT_COLUMN, "", floe_cause_sentence(cause));
  if (floe_cause_hint(cause)[0] == '\0') return;
  (void)fprintf(p->out, "%*s", TEXT_COLUMN, "");
  char *hint = floe__cli_alloc(strlen(floe_cause_hint(cause)) + sizeof "try: ");
  (void)sprintf(hint, "try: %s", floe_cause_hint(cause));
  floe__text_print_wrapped(p->out, hint, TEXT_COLUMN, TEXT_COLUMN + 5, p->style.width);
  free(hint);
}

/* --- the connection ----------------------------------------------------------------------------------------------- */

static floe__words_tone tone_of_state(const char *state) {
  if (strcmp(state, "failed") == 0 || strcmp(state, "disconnected") == 0) return FLOE__TONE_BAD;
  return strcmp(state, "connected") == 0 || strcmp(state, "completed") == 0 ? FLOE__TONE_GOOD : FLOE__TONE_PLAIN;
}

static floe__words_tone tone_of(const floe__story_layer *l, const char *up) {
  if (l->cause[0] != '\0') return FLOE__TONE_BAD;
  return strcmp(l->state, up) == 0 ? FLOE__TONE_GOOD : tone_of_state(l->state);
}

void floe__summary_layer(const printer *p, const char *label, const floe__story_layer *l, const char *up,
                         const char *details) {
  char span[FLOE__SPAN_TEXT], text[320], note[200] = "";
  if (details[0] != '\0') (void)snprintf(note, sizeof note, " (%s)", details);
  floe__summary_label(p, label);
  if (l->has_begun && l->was_up && l->up_ms < l->state_ms) {
    (void)snprintf(text, sizeof text, "%s after %s%s; ", up, floe__text_span(l->up_ms - l->begin_ms, span), note);
    floe__summary_text(p, FLOE__TONE_PLAIN, text);
    note[0] = '\0';
  }
  bool has_span = l->has_begun && l->state_ms > l->begin_ms;
  (void)snprintf(text, sizeof text, "%s%s%s%s%s%s", l->state, has_span ? " after " : "",
                 has_span ? floe__text_span(l->state_ms - l->begin_ms, span) : "", note,
                 l->cause[0] == '\0' ? "" : ": ", l->cause);
  floe__summary_text(p, tone_of(l, up), text);
  if (l->is_closed && strcmp(l->state, "closed") != 0) (void)fputs("; closed", p->out);
}

/* Of ICE; a peer connection has more layers, and this is one of them. */
static void print_connection(const printer *p, const floe__story_agent *a) {
  floe__story_layer l = {.has_begun = a->was_checking,
                         .was_up = a->was_connected,
                         .begin_ms = a->checking_ms,
                         .up_ms = a->connected_ms,
                         .state_ms = a->state_ms};
  if (a->state[0] == '\0') return;
  memcpy(l.state, a->state, sizeof l.state);
  memcpy(l.cause, a->cause, sizeof l.cause);
  floe__summary_layer(p, a->pc.is_there ? "ICE" : "connection", &l, "connected", "");
  (void)fputc('\n', p->out);
  floe__summary_cause(p, a->cause);
}

static void print_peer_checks(const printer *p, const floe__story_agent *a) {
  static const char *const words[] = {
#define FLOE__ROW(id, name, words) words,
      FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
  };
  bool is_first = true;
  for (size_t i = 0; i < FLOE__PEER_CHECK_COUNT; i++) {
    if (a->peer_checks[i] == 0) continue;
    if (is_first) floe__summary_label(p, "peer's checks");
    (void)fprintf(p->out, "%s%" PRIu64 " %s", is_first ? "" : ", ", a->peer_checks[i], words[i]);
    is_first = false;
  }
  if (!is_first) (void)fputc('\n', p->out);
}

static void print_session(const printer *p, const floe__story_agent *a) {
  if (a->role[0] != '\0') {
    floe__summary_label(p, "role");
    floe__summary_text(p, FLOE__TONE_PLAIN, a->role);
    (void)fputc('\n', p->out);
  }
  if (a->sessions > 1) {
    floe__summary_label(p, "ICE sessions");
    (void)fprintf(p->out, "%" PRIu32 "\n", a->sessions);
  }
  print_peer_checks(p, a);
}

/* --- servers ------------------------------------------------------------------------------------------------------ */

static void print_server(const printer *p, const floe__story_server *v) {
  char label[48], span[FLOE__SPAN_TEXT], text[320];
  const char *verdict = floe__story_server_verdict(v);
  bool failed = strcmp(verdict, "failed") == 0, ok = strcmp(verdict, "ok") == 0;
  uint32_t ended = v->candidates + v->errors + v->cancelled;
  (void)snprintf(label, sizeof label, "server %" PRIu32 " URL %" PRIu32, v->server, v->url);
  floe__summary_label(p, label);
  if (strlen(label) >= TEXT_COLUMN - LABEL_COLUMN) (void)fputc(' ', p->out);
  (void)snprintf(text, sizeof text, "%s%s%s%s%s%s", v->kind, v->kind[0] == '\0' ? "" : " over ", v->transport,
                 v->host[0] == '\0' ? "" : ", ", v->host, v->kind[0] == '\0' && v->host[0] == '\0' ? "" : ": ");
  floe__summary_text(p, FLOE__TONE_PLAIN, text);
  (void)snprintf(text, sizeof text, "%s after %s%s%s", verdict, floe__text_span(v->last_ms - v->first_ms, span),
                 v->cause[0] == '\0' ? "" : ": ", v->cause);
  floe__summary_text(p, failed ? FLOE__TONE_BAD : ok ? FLOE__TONE_GOOD : FLOE__TONE_PLAIN, text);
  if (ended > 1) (void)fprintf(p->out, " (%" PRIu32 " of %" PRIu32 " attempts gave a candidate)", v->candidates, ended);
  (void)fputc('\n', p->out);
  floe__summary_cause(p, v->cause);
}

/* --- pairs -------------------------------------------------------------------------------------------------------- */

static int rank_of(const floe__story_pair *p) {
  if (p->selected) return 0;
  if (p->nominated) return 1;
  return strcmp(p->state, "succeeded") == 0 ? 2 : 3;
}

static int compare_for_print(const void *a, const void *b) {
  const floe__story_pair *x = *(const floe__story_pair *const *)a, *y = *(const floe__story_pair *const *)b;
  if (rank_of(x) != rank_of(y)) return rank_of(x) - rank_of(y);
  return x->id < y->id ? -1 : x->id > y->id ? 1 : 0;
}

static void describe(const printer *p, const floe__story_pair *pair, char *local, char *remote) {
  (void)floe__story_candidate_text(floe__story_local_of(p->s, pair->agent, pair->local), local);
  (void)floe__story_candidate_text(floe__story_remote_of(p->s, pair->agent, pair->remote), remote);
}

static void print_notes(const printer *p, const floe__story_pair *pair) {
  const char *gap = "  ";
  if (pair->selected || pair->nominated) {
    bool is_over = strcmp(pair->state, "failed") == 0;
    (void)fprintf(p->out, "%s%s", gap, !pair->selected ? "nominated" : is_over ? "was in use" : "in use");
    gap = ", ";
  }
  if (pair->failure[0] != '\0') {
    (void)fputs(gap, p->out);
    floe__summary_text(p, FLOE__TONE_PLAIN, pair->failure);
    gap = ", ";
  }
  if (pair->last_error != 0) {
    (void)fprintf(p->out, "%serror %" PRIu32, gap, pair->last_error);
    gap = ", ";
  }
  if (pair->consent_missed == 0) return;
  (void)fprintf(p->out, "%s%" PRIu64 " consent check%s missed", gap, pair->consent_missed,
                pair->consent_missed == 1 ? "" : "s");
}

static void print_pair(const printer *p, const floe__story_pair *pair, const size_t width[2]) {
  char local[FLOE__STORY_CANDIDATE_TEXT], remote[FLOE__STORY_CANDIDATE_TEXT], rtt[FLOE__SPAN_TEXT], text[512];
  describe(p, pair, local, remote);
  (void)snprintf(text, sizeof text, "  %6" PRIu32 "  %-*s  %-*s  ", pair->id, (int)width[0], local, (int)width[1],
                 remote);
  floe__summary_text(p, FLOE__TONE_PLAIN, text);
  floe__words_tone tone = strcmp(pair->state, "succeeded") == 0 ? FLOE__TONE_GOOD
                          : strcmp(pair->state, "failed") == 0  ? FLOE__TONE_BAD
                                                                : FLOE__TONE_PLAIN;
  (void)snprintf(text, sizeof text, "%-11s", pair->state);
  floe__summary_text(p, tone, text);
  (void)fprintf(p->out, "  %6" PRIu64 "  %8" PRIu64 "  %8s", pair->sent, pair->answered,
                pair->n_rtt == 0 ? "-" : floe__text_span(pair->rtt_last_ms, rtt));
  print_notes(p, pair);
  (void)fputc('\n', p->out);
}

static void print_pair_table(const printer *p, const floe__story_pair **list, size_t n) {
  static const char *const titles[2] = {"ours", "the peer's"};
  size_t width[2] = {strlen(titles[0]), strlen(titles[1])};
  char text[2][FLOE__STORY_CANDIDATE_TEXT];
  for (size_t i = 0; i < n; i++) {
    describe(p, list[i], text[0], text[1]);
    for (size_t k = 0; k < 2; k++) width[k] = strlen(text[k]) > width[k] ? strlen(text[k]) : width[k];
  }
  (void)fprintf(p->out, "  %6s  %-*s  %-*s  %-11s  %6s  %8s  %8s\n", "pair", (int)width[0], titles[0], (int)width[1],
                titles[1], "state", "checks", "answered", "RTT");
  for (size_t i = 0; i < n; i++) print_pair(p, list[i], width);
}

/* `first` is where the pairs of this agent begin in the sorted list; returns where they end. */
static size_t print_pairs(const printer *p, size_t first, uint32_t agent) {
  size_t end = first;
  while (end < p->s->n_pairs && p->s->pairs[end].agent == agent) end++;
  size_t n = end - first;
  if (n == 0) return end;
  const floe__story_pair **list = floe__cli_alloc(n * sizeof *list);
  for (size_t i = 0; i < n; i++) list[i] = &p->s->pairs[first + i];
  qsort(list, n, sizeof *list, compare_for_print);
  size_t shown = p->style.verbose || n <= FLOE__SUMMARY_PAIRS ? n : FLOE__SUMMARY_PAIRS;
  print_pair_table(p, list, shown);
  if (shown < n) (void)fprintf(p->out, "  and %zu further pairs; --verbose shows them\n", n - shown);
  free(list);
  return end;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void print_agents(const printer *p) {
  size_t server = 0, pair = 0;
  for (size_t i = 0; i < p->s->n_agents; i++) {
    const floe__story_agent *a = &p->s->agents[i];
    if (!floe__story_has_news(p->s, a, server, pair)) continue;
    (void)fputc('\n', p->out);
    if (a->number != 0) (void)fprintf(p->out, "agent %" PRIu32 "\n", a->number);
    if (a->pc.is_there) floe__summary_pc_before_ice(p, &a->pc);
    print_connection(p, a);
    if (a->pc.is_there) floe__summary_pc_after_ice(p, &a->pc);
    print_session(p, a);
    for (; server < p->s->n_servers && p->s->servers[server].agent == a->number; server++) {
      print_server(p, &p->s->servers[server]);
    }
    pair = print_pairs(p, pair, a->number);
  }
}

static void print_gaps(const printer *p, const floe__trace_gaps *gaps) {
  if (gaps->unknown + gaps->broken + p->s->n_dropped != 0) (void)fputc('\n', p->out);
  if (gaps->unknown != 0) {
    (void)fprintf(p->out, "%" PRIu64 " event%s of a kind that this version does not know: ", gaps->unknown,
                  gaps->unknown == 1 ? "" : "s");
    floe__summary_text(p, FLOE__TONE_PLAIN, gaps->unknown_name);
    (void)fputs(gaps->unknown == 1 ? "\n" : " and the like\n", p->out);
  }
  if (gaps->broken != 0) {
    (void)fprintf(p->out, "%" PRIu64 " line%s could not be read\n", gaps->broken, gaps->broken == 1 ? "" : "s");
  }
  if (p->s->n_dropped != 0) (void)fputs("too many agents and pairs: the summary does not have them all\n", p->out);
}

void floe__trace_summary_print(FILE *out, floe__story *s, const floe__trace_gaps *gaps, floe__summary_style style) {
  const printer p = {out, s, style};
  char span[FLOE__SPAN_TEXT];
  floe__story_sort(s);
  (void)fprintf(out, "--- %" PRIu64 " event%s in %s ---\n", s->n_events, s->n_events == 1 ? "" : "s",
                floe__text_span(s->last_ms - s->first_ms, span));
  print_agents(&p);
  print_gaps(&p, gaps);
}
