#include "trace_timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void floe__timeline_print_text(FILE *out, bool colour, floe__words_tone tone, const char *text) {
  char *clean = floe__text_clean(text);
  bool plain = !colour || tone == FLOE__TONE_PLAIN;
  (void)fprintf(out, "%s%s%s",
                plain                     ? ""
                : tone == FLOE__TONE_GOOD ? "\033[32m"
                                          : "\033[31m",
                clean, plain ? "" : "\033[0m");
  free(clean);
}

/* --- one line --------------------------------------------------------------------------------------------------- */

static void print_time(const floe__timeline *t, double s, uint32_t agent) {
  (void)fprintf(t->out, "%10.3f  ", s);
  if (t->several_agents && agent != 0) (void)fprintf(t->out, "agent %" PRIu32 ": ", agent);
}

static void print_event(const floe__timeline *t, double s, uint32_t agent, const floe__words *words) {
  print_time(t, s, agent);
  floe__timeline_print_text(t->out, t->colour, words->tone, words->text);
  (void)fputc('\n', t->out);
}

/* --- repetitions ------------------------------------------------------------------------------------------------ */

static void print_members(const floe__timeline *t, const floe__repeats *r, const char *one, const char *many) {
  if (r->n_members == 0) return;
  (void)fputs(r->n_members == 1 && !r->has_more ? one : many, t->out);
  for (size_t i = 0; i < r->n_members; i++) {
    (void)fprintf(t->out, "%s%" PRIu32, i == 0 ? " " : ", ", r->members[i]);
  }
  if (r->has_more) (void)fputs(" and more", t->out);
}

static void print_repeats(const floe__timeline *t, const floe__repeats *r) {
  print_time(t, r->first_s, r->agent);
  if (r->n == 1) {
    floe__timeline_print_text(t->out, false, FLOE__TONE_PLAIN, r->text);
    (void)fputc('\n', t->out);
    return;
  }
  switch (r->group) {
    case FLOE__GROUP_NONE: break;
    case FLOE__GROUP_REQUEST_AGAIN: (void)fprintf(t->out, "%" PRIu64 " requests sent again", r->n); break;
    case FLOE__GROUP_CHECK_AGAIN:
      (void)fprintf(t->out, "%" PRIu64 " checks sent again", r->n);
      print_members(t, r, " on pair", " on pairs");
      break;
    case FLOE__GROUP_PEER_CHECK:
      (void)fprintf(t->out, "%" PRIu64 " checks of the peer", r->n);
      print_members(t, r, " from its candidate", " from its candidates");
      break;
    case FLOE__GROUP_CONSENT:
      (void)fprintf(t->out, "consent renewed %" PRIu64 " times", r->n);
      print_members(t, r, " on pair", " on pairs");
      break;
  }
  (void)fprintf(t->out, ", until %.3f\n", r->last_s);
}

void floe__timeline_flush(floe__timeline *t) {
  for (size_t i = 0; i < t->n_open; i++) print_repeats(t, &t->open[i]);
  t->n_open = 0;
}

static floe__repeats *find_open(floe__timeline *t, const floe__words *words, uint32_t agent) {
  for (size_t i = 0; i < t->n_open; i++) {
    if (t->open[i].group == words->group && t->open[i].agent == agent) return &t->open[i];
  }
  return NULL;
}

static void add_member(floe__repeats *r, uint32_t member) {
  if (member == 0) return;
  for (size_t i = 0; i < r->n_members; i++) {
    if (r->members[i] == member) return;
  }
  if (r->n_members == FLOE__TIMELINE_MEMBERS) {
    r->has_more = true;
  } else {
    r->members[r->n_members++] = member;
  }
}

static void repeat(floe__timeline *t, double s, uint32_t agent, const floe__words *words) {
  floe__repeats *r = find_open(t, words, agent);
  if (r == NULL) {
    if (t->n_open == FLOE__TIMELINE_OPEN) floe__timeline_flush(t);
    r = &t->open[t->n_open++];
    memset(r, 0, sizeof *r);
    r->group = words->group;
    r->agent = agent;
    r->first_s = s;
    (void)snprintf(r->text, sizeof r->text, "%s", words->text);
  }
  r->n++;
  r->last_s = s;
  add_member(r, words->member);
}

/* --- events ------------------------------------------------------------------------------------------------------ */

/* A clock that goes back is that of another program or another boot. */
static void note_time(floe__timeline *t, const floe__trace_line *line) {
  if (!t->has_origin || line->t_ms < t->last_ms) {
    if (t->has_origin) {
      floe__timeline_flush(t);
      (void)fputs("            --- the clock goes back: another run ---\n", t->out);
    }
    t->origin_ms = line->t_ms;
  }
  t->has_origin = true;
  t->last_ms = line->t_ms;
}

static void note_agent(floe__timeline *t, uint32_t agent) {
  if (agent == 0) return;
  if (!t->has_agent) t->first_agent = agent;
  t->has_agent = true;
  t->several_agents = t->several_agents || agent != t->first_agent;
}

void floe__timeline_add(floe__timeline *t, const floe__trace_line *line, const floe__words *words) {
  note_time(t, line);
  note_agent(t, line->agent);
  if (words->is_detail && !t->verbose) return;
  double s = (line->t_ms - t->origin_ms) / 1000;
  if (words->group != FLOE__GROUP_NONE && !t->verbose) {
    repeat(t, s, line->agent, words);
    return;
  }
  floe__timeline_flush(t);
  print_event(t, s, line->agent, words);
}
