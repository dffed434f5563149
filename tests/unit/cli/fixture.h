/* Reports made by hand, and output caught in memory. */
#ifndef FLOE_TESTS_UNIT_CLI_FIXTURE_H
#define FLOE_TESTS_UNIT_CLI_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "result.h"
#include "support/cmocka.h"

enum { FIXTURE_SERVERS = 4, FIXTURE_ATTEMPTS = 4 };

/* Up to four servers with up to four attempts each. */
typedef struct fixture {
  floe_attempt_report attempts[FIXTURE_SERVERS][FIXTURE_ATTEMPTS];
  const floe_attempt_report *lists[FIXTURE_SERVERS][FIXTURE_ATTEMPTS];
  floe_server_report servers[FIXTURE_SERVERS];
  floe_report report;
  floe__check_result result;
} fixture;

static inline floe_addr addr(const char *text) {
  floe_addr a;
  if (!floe_addr_parse(&a, text)) fail_msg("no address: %s", text);
  return a;
}

static inline floe_server_report *fixture_server(fixture *f, const char *url, floe_verdict verdict, floe_cause cause) {
  size_t i = f->report.n_servers++;
  floe_server_report *s = &f->servers[i];
  s->url = url;
  s->server_index = (uint32_t)i;
  s->verdict = verdict;
  s->cause = cause;
  s->attempts = f->lists[i];
  f->report.servers = f->servers;
  return s;
}

static inline floe_attempt_report *add_attempt(fixture *f, floe_server_report *s, const char *server_address) {
  floe_attempt_report *a = &f->attempts[s->server_index][s->n_attempts];
  f->lists[s->server_index][s->n_attempts++] = a;
  a->detail.server_index = s->server_index;
  if (server_address != NULL) {
    a->detail.server_address = addr(server_address);
    a->detail.family = (floe_family)a->detail.server_address.family;
  }
  return a;
}

/* An attempt that gave a candidate. */
static inline floe_attempt_report *fixture_good(fixture *f, floe_server_report *s, const char *server_address) {
  floe_attempt_report *a = add_attempt(f, s, server_address);
  a->outcome = FLOE_ATTEMPT_CANDIDATE;
  a->detail.has_rtt = true;
  a->detail.rtt_ms = 12.34;
  return a;
}

static inline floe_attempt_report *fixture_bad(fixture *f, floe_server_report *s, const char *server_address,
                                               floe_cause cause) {
  floe_attempt_report *a = add_attempt(f, s, server_address);
  a->outcome = FLOE_ATTEMPT_ERROR;
  a->error_code = 701;
  a->detail.cause = cause;
  return a;
}

/* Gives a server of the result one relay. */
static inline floe__relay_result *fixture_relay(fixture *f, size_t server, floe__relay_outcome outcome,
                                                floe_cause cause) {
  floe__check_server *s = &f->result.servers[server];
  if (s->relays == NULL) s->relays = floe__cli_alloc(4 * sizeof *s->relays);
  floe__relay_result *r = &s->relays[s->n_relays++];
  r->outcome = outcome;
  r->cause = cause;
  r->relayed = addr("198.51.100.7:50000");
  r->peer = addr("198.51.100.7:50002");
  return r;
}

/* What is printed to `out` between open and close is `text`. */
typedef struct caught {
  FILE *out;
  char *text;
  size_t len;
} caught;

static inline void catch_open(caught *c) {
  c->text = NULL;
  c->out = open_memstream(&c->text, &c->len);
  assert_non_null(c->out);
}

static inline const char *catch_close(caught *c) {
  assert_int_equal(fclose(c->out), 0);
  return c->text;
}

static inline void catch_free(caught *c) {
  free(c->text);
}

/* The text that is expected, with a better message than a single string comparison gives. */
static inline void expect_text(caught *c, const char *expected) {
  const char *got = catch_close(c);
  if (strcmp(got, expected) != 0) fail_msg("got:\n%s\nexpected:\n%s", got, expected);
  catch_free(c);
}

static inline void expect_contains(const char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("'%s' is not in:\n%s", part, text);
}

static inline void expect_lacks(const char *text, const char *part) {
  if (strstr(text, part) != NULL) fail_msg("'%s' is in:\n%s", part, text);
}

#endif
