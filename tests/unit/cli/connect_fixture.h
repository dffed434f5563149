/* A ticket made by hand. */
#ifndef FLOE_TESTS_UNIT_CLI_CONNECT_FIXTURE_H
#define FLOE_TESTS_UNIT_CLI_CONNECT_FIXTURE_H

#include <stdlib.h>

#include "connect_ticket.h"
#include "fixture.h"

static inline floe__ticket_candidate *ticket_add(floe__ticket *t, floe_candidate_type type, const char *address,
                                                 uint32_t priority) {
  floe__ticket_candidate *c = &t->candidates[t->n_candidates++];
  memset(c, 0, sizeof *c);
  c->type = type;
  c->foundation = (uint8_t)(t->n_candidates - 1);
  c->priority = priority;
  c->address = addr(address);
  c->port = c->address.port;
  return c;
}

/* What two hosts with IPv4 and IPv6, a STUN and a TURN server typically have. */
static inline floe__ticket *ticket_typical(void) {
  floe__ticket *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->setup = FLOE__TICKET_ACTPASS;
  strcpy(t->ufrag, "8hhY");
  strcpy(t->pwd, "asd88fgpdd777uzjYhagZg+/");
  strcpy(t->mid, "0");
  t->sctp_port = 5000;
  t->max_message_size = 262144;
  for (size_t i = 0; i < 32; i++) t->fingerprint[i] = (uint8_t)(i * 37 + 11);
  (void)ticket_add(t, FLOE_CANDIDATE_HOST, "192.168.1.17:50123", 2130706431);
  (void)ticket_add(t, FLOE_CANDIDATE_HOST, "[2001:db8:1:2:3:4:5:6]:50124", 2130706175);
  (void)ticket_add(t, FLOE_CANDIDATE_SRFLX, "203.0.113.77:61001", 1694498815);
  (void)ticket_add(t, FLOE_CANDIDATE_RELAY, "198.51.100.3:49170", 16777215);
  return t;
}

static inline void expect_same_candidate(const floe__ticket_candidate *a, const floe__ticket_candidate *b) {
  assert_int_equal(a->type, b->type);
  assert_int_equal(a->tcp_type, b->tcp_type);
  assert_int_equal(a->foundation, b->foundation);
  assert_int_equal(a->priority, b->priority);
  assert_int_equal(a->port, b->port);
  assert_true(floe_addr_equal(&a->address, &b->address));
  assert_string_equal(a->name, b->name);
}

static inline void expect_same_ticket(const floe__ticket *a, const floe__ticket *b) {
  assert_int_equal(a->is_answer, b->is_answer);
  assert_int_equal(a->is_lite, b->is_lite);
  assert_int_equal(a->mode, b->mode);
  assert_int_equal(a->setup, b->setup);
  assert_string_equal(a->ufrag, b->ufrag);
  assert_string_equal(a->pwd, b->pwd);
  assert_int_equal(a->answers, b->answers);
  assert_int_equal(a->hash, b->hash);
  assert_memory_equal(a->fingerprint, b->fingerprint, floe__ticket_hash_len(a->hash));
  assert_string_equal(a->mid, b->mid);
  assert_int_equal(a->sctp_port, b->sctp_port);
  assert_true(a->max_message_size == b->max_message_size);
  assert_int_equal(a->n_candidates, b->n_candidates);
  for (size_t i = 0; i < a->n_candidates; i++) expect_same_candidate(&a->candidates[i], &b->candidates[i]);
}

#endif
