#include "human.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "human_facts.h"
#include "progress.h"
#include "text.h"

enum { MIN_WIDTH = 40 }; /* narrower than this, breaking helps nobody */

static size_t width_of(FILE *out) {
  struct winsize size;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col < MIN_WIDTH ? 0 : size.ws_col;
}

void floe__human_init(floe__human *h, FILE *out, bool verbose, int64_t unix_s) {
  const char *no_color = getenv("NO_COLOR");
  bool is_plain = no_color != NULL && no_color[0] != '\0';
  memset(h, 0, sizeof *h);
  h->out = out;
  h->verbose = verbose;
  h->unix_s = unix_s;
  h->colour = !is_plain && floe__progress_is_terminal(out);
  h->width = width_of(out);
}

static const char *word_of(floe_verdict verdict) {
  switch (verdict) {
    case FLOE_VERDICT_OK: return "PASS";
    case FLOE_VERDICT_DEGRADED: return "WARN";
    case FLOE_VERDICT_FAILED: return "FAIL";
    case FLOE_VERDICT_UNUSED: return "SKIP";
  }
  return "????";
}

static const char *colour_of(floe_verdict verdict) {
  switch (verdict) {
    case FLOE_VERDICT_OK: return "\033[1;32m";
    case FLOE_VERDICT_DEGRADED: return "\033[1;33m";
    case FLOE_VERDICT_FAILED: return "\033[1;31m";
    case FLOE_VERDICT_UNUSED: return "\033[1m";
  }
  return "";
}

void floe__human_print_word(const floe__human *h, floe_verdict verdict) {
  if (h->colour) {
    (void)fprintf(h->out, "%s%s\033[0m", colour_of(verdict), word_of(verdict));
  } else {
    (void)fputs(word_of(verdict), h->out);
  }
}

static void print_cause(const floe__human *h, floe_cause cause) {
  const char *on = h->colour ? "\033[1m" : "", *off = h->colour ? "\033[0m" : "";
  (void)fprintf(h->out, "  %s%s%s: %s\n", on, floe_cause_id(cause), off, floe_cause_sentence(cause));
}

/* The agent may know a better hint for the case at hand than the cause's own. */
static void print_hint(const floe__human *h, floe_cause cause, const floe_attempt_report *failure) {
  bool is_of_failure = failure != NULL && failure->detail.cause == cause && failure->detail.hint != NULL;
  const char *hint = is_of_failure ? failure->detail.hint : floe_cause_hint(cause);
  if (hint[0] == '\0') return;
  (void)fputs("  try: ", h->out);
  floe__text_print_wrapped(h->out, hint, 7, 7, h->width);
}

static void print_failed(const floe__human *h, const floe__check_server *s, const floe_attempt_report *failure) {
  print_cause(h, s->cause);
  if (s->report->verdict == FLOE_VERDICT_FAILED) {
    if (failure != NULL) floe__fact_print_failure(h, failure);
  } else { /* allocated, and then found to be of no use */
    floe__fact_print_found(h, s);
    floe__fact_print_relay_data(h, s);
  }
  print_hint(h, s->cause, failure);
}

static void print_degraded(const floe__human *h, const floe__check_server *s, const floe_attempt_report *failure) {
  print_cause(h, s->cause);
  floe__fact_print_failed_attempts(h, s->report);
  floe__fact_print_found(h, s);
  floe__fact_print_relay_data(h, s);
  print_hint(h, s->cause, failure);
}

void floe__human_print_server(const floe__human *h, const floe__check_server *s) {
  const floe_attempt_report *failure = floe__result_first_failure(s->report);
  floe__human_print_word(h, s->verdict);
  (void)fprintf(h->out, " %s\n", s->report->url);
  switch (s->verdict) {
    case FLOE_VERDICT_OK:
      floe__fact_print_found(h, s);
      floe__fact_print_relay_data(h, s);
      break;
    case FLOE_VERDICT_DEGRADED: print_degraded(h, s, failure); break;
    case FLOE_VERDICT_FAILED: print_failed(h, s, failure); break;
    case FLOE_VERDICT_UNUSED: (void)fputs("  a STUN server is not used with --relay-only\n", h->out); break;
  }
  if (h->verbose) floe__fact_print_attempts(h, s->report);
}

static size_t count(const floe__check_result *result, floe_verdict verdict) {
  size_t n = 0;
  for (size_t i = 0; i < result->n_servers; i++) n += result->servers[i].verdict == verdict ? 1 : 0;
  return n;
}

void floe__human_print_summary(const floe__human *h, const floe__check_result *result) {
  char span[FLOE__SPAN_TEXT];
  size_t n = result->n_servers, failed = count(result, FLOE_VERDICT_FAILED);
  size_t degraded = count(result, FLOE_VERDICT_DEGRADED), unused = count(result, FLOE_VERDICT_UNUSED);
  const char *s = n == 1 ? "" : "s";
  if (failed > 0) {
    (void)fprintf(h->out, "%zu of %zu server%s failed", failed, n, s);
    if (degraded > 0) (void)fprintf(h->out, ", %zu work%s only in part", degraded, degraded == 1 ? "s" : "");
  } else if (degraded > 0) {
    (void)fprintf(h->out, "%zu of %zu server%s work%s only in part", degraded, n, s, degraded == 1 ? "s" : "");
  } else if (unused == n) {
    (void)fputs("no server was used", h->out);
  } else {
    (void)fprintf(h->out, n - unused == 1 ? "%zu server works" : "all %zu servers work", n - unused);
  }
  (void)fprintf(h->out, " (%s)\n", floe__text_span(result->elapsed_ms, span));
  if (result->insecure) (void)fputs("INSECURE: certificates were not verified (--insecure)\n", h->out);
}

void floe__human_print(const floe__human *h, const floe__check_result *result) {
  for (size_t i = 0; i < result->n_servers; i++) {
    floe__human_print_server(h, &result->servers[i]);
    (void)fputc('\n', h->out);
  }
  floe__human_print_summary(h, result);
}
