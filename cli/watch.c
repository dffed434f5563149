#include "watch.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exit_status.h"
#include "human_facts.h"
#include "json_value.h"
#include "mem.h"
#include "text.h"

void floe__series_add(floe__series *s, double ms) {
  if (s->n == 0 || ms < s->min) s->min = ms;
  if (s->n == 0 || ms > s->max) s->max = ms;
  if (s->n > 0) s->steps += fabs(ms - s->last);
  s->sum += ms;
  s->last = ms;
  s->n++;
}

double floe__series_avg(const floe__series *s) {
  return s->n == 0 ? 0 : s->sum / s->n;
}

double floe__series_jitter(const floe__series *s) {
  return s->n < 2 ? 0 : s->steps / (s->n - 1);
}

/* --- counting --------------------------------------------------------------------------------------------------- */

static void add_relays(floe__watch_server *to, const floe__check_server *s) {
  for (size_t i = 0; i < s->n_relays; i++) {
    const floe__relay_result *r = &s->relays[i];
    to->relay_sent += 2 * (uint64_t)r->sent;
    to->relay_arrived += (uint64_t)r->arrived_out + r->arrived_back;
    if (r->n_rtt > 0) floe__series_add(&to->relay_rtt, r->rtt_avg_ms);
  }
}

static void add_server(floe__watch_server *to, const floe__check_server *s) {
  const floe_attempt_report *a = floe__result_first_candidate(s->report);
  to->rounds++;
  to->ok += s->verdict == FLOE_VERDICT_OK || s->verdict == FLOE_VERDICT_UNUSED ? 1 : 0;
  to->degraded += s->verdict == FLOE_VERDICT_DEGRADED ? 1 : 0;
  to->failed += s->verdict == FLOE_VERDICT_FAILED ? 1 : 0;
  if (a != NULL && a->detail.has_rtt) floe__series_add(&to->rtt, a->detail.rtt_ms);
  add_relays(to, s);
}

void floe__watch_add(floe__watch *w, const floe__check_result *result) {
  if (w->servers == NULL) {
    w->n = result->n_servers;
    w->servers = floe__cli_alloc(w->n * sizeof *w->servers);
    for (size_t i = 0; i < w->n; i++) w->servers[i].url = floe__cli_strdup(result->servers[i].report->url);
  }
  for (size_t i = 0; i < w->n && i < result->n_servers; i++) add_server(&w->servers[i], &result->servers[i]);
  w->rounds++;
  w->status = floe__exit_combine(w->status, floe__exit_of_result(result));
}

void floe__watch_clear(floe__watch *w) {
  for (size_t i = 0; i < w->n; i++) free(w->servers[i].url);
  free(w->servers);
  memset(w, 0, sizeof *w);
}

/* --- a round ---------------------------------------------------------------------------------------------------- */

static void print_relay_of_round(const floe__human *h, const floe__check_server *s) {
  char span[FLOE__SPAN_TEXT];
  floe__watch_server one = {0};
  add_relays(&one, s);
  if (one.relay_sent == 0) return;
  (void)fprintf(h->out, ", relay %" PRIu64 " of %" PRIu64, one.relay_arrived, one.relay_sent);
  if (one.relay_rtt.n > 0) {
    (void)fprintf(h->out, " RTT %s", floe__text_span(floe__series_avg(&one.relay_rtt), span));
  }
}

static void print_line(const floe__watch *w, const floe__human *h, const floe__check_server *s) {
  char clock[16] = "", span[FLOE__SPAN_TEXT];
  time_t now = (time_t)h->unix_s;
  struct tm tm;
  if (localtime_r(&now, &tm) != NULL) (void)strftime(clock, sizeof clock, "%H:%M:%S", &tm);
  const floe_attempt_report *a = floe__result_first_candidate(s->report);
  (void)fprintf(h->out, "%s #%u ", clock, w->rounds);
  floe__human_print_word(h, s->verdict);
  (void)fprintf(h->out, " %s", s->report->url);
  if (s->cause != FLOE_CAUSE_NONE) (void)fprintf(h->out, " %s", floe_cause_id(s->cause));
  if (a != NULL && a->detail.has_rtt) (void)fprintf(h->out, " RTT %s", floe__text_span(a->detail.rtt_ms, span));
  print_relay_of_round(h, s);
  (void)fputc('\n', h->out);
}

void floe__watch_print_round(const floe__watch *w, const floe__human *h, const floe__check_result *result) {
  for (size_t i = 0; i < result->n_servers; i++) print_line(w, h, &result->servers[i]);
}

/* --- the sums --------------------------------------------------------------------------------------------------- */

static double percent_lost(uint64_t lost, uint64_t of) {
  return of == 0 ? 0 : 100.0 * (double)lost / (double)of;
}

static void print_series(const floe__human *h, const char *label, const floe__series *s) {
  if (s->n == 0) return;
  floe__fact_print(h, label, "min/avg/max/jitter %.2f/%.2f/%.2f/%.2f ms", s->min, floe__series_avg(s), s->max,
                   floe__series_jitter(s));
}

static void print_sums(const floe__human *h, const floe__watch_server *s) {
  (void)fprintf(h->out, "%s\n", s->url);
  floe__fact_print(h, "rounds", "%u ok, %u in part, %u failed: loss %.1f %%", s->ok, s->degraded, s->failed,
                   percent_lost(s->failed, s->rounds));
  print_series(h, "RTT", &s->rtt);
  if (s->relay_sent > 0) {
    floe__fact_print(h, "relay data", "%" PRIu64 " of %" PRIu64 " packets arrived: loss %.1f %%", s->relay_arrived,
                     s->relay_sent, percent_lost(s->relay_sent - s->relay_arrived, s->relay_sent));
  }
  print_series(h, "relay RTT", &s->relay_rtt);
}

void floe__watch_print_summary(const floe__watch *w, const floe__human *h, double elapsed_ms) {
  char span[FLOE__SPAN_TEXT];
  (void)fprintf(h->out, "\n--- %u round%s in %s ---\n", w->rounds, w->rounds == 1 ? "" : "s",
                floe__text_span(elapsed_ms, span));
  for (size_t i = 0; i < w->n; i++) print_sums(h, &w->servers[i]);
}

static void set_series(json_t *o, const char *const *names, const floe__series *s) {
  floe__json_set_number(o, names[0], s->n > 0, s->min);
  floe__json_set_number(o, names[1], s->n > 0, floe__series_avg(s));
  floe__json_set_number(o, names[2], s->n > 0, s->max);
  floe__json_set_number(o, names[3], s->n > 1, floe__series_jitter(s));
}

static json_t *make_sums(const floe__watch_server *s) {
  static const char *const rtt[] = {"rttMinMs", "rttAvgMs", "rttMaxMs", "jitterMs"};
  static const char *const relay_rtt[] = {"relayRttMinMs", "relayRttAvgMs", "relayRttMaxMs", "relayJitterMs"};
  json_t *o = json_object();
  floe__json_set_text(o, "url", s->url);
  floe__json_set_integer(o, "ok", true, s->ok);
  floe__json_set_integer(o, "degraded", true, s->degraded);
  floe__json_set_integer(o, "failed", true, s->failed);
  floe__json_set_number(o, "lossPercent", true, percent_lost(s->failed, s->rounds));
  set_series(o, rtt, &s->rtt);
  floe__json_set_integer(o, "relaySent", s->relay_sent > 0, (int64_t)s->relay_sent);
  floe__json_set_integer(o, "relayArrived", s->relay_sent > 0, (int64_t)s->relay_arrived);
  set_series(o, relay_rtt, &s->relay_rtt);
  return o;
}

void floe__watch_print_json(const floe__watch *w, FILE *out, double elapsed_ms) {
  json_t *line = json_object(), *servers = json_array();
  for (size_t i = 0; i < w->n; i++) (void)json_array_append_new(servers, make_sums(&w->servers[i]));
  floe__json_set_text(line, "type", "summary");
  floe__json_set_number(line, "t_ms", true, elapsed_ms);
  floe__json_set_integer(line, "rounds", true, w->rounds);
  (void)json_object_set_new(line, "servers", servers);
  floe__json_print_line(out, line);
}
