#include "turn/alloc_fsm.h"

#include "alloc_asserts.h"

static const floe__turn_config udp_both = {.relay_family = FLOE_RELAY_FAMILY_BOTH};
static const floe__turn_config udp_ipv4 = {.relay_family = FLOE_RELAY_FAMILY_IPV4};
static const floe__turn_config udp_ipv6 = {.relay_family = FLOE_RELAY_FAMILY_IPV6};
static const floe__turn_config tcp_ipv4 = {.relay_family = FLOE_RELAY_FAMILY_IPV4, .reliable = true};

#define UDP_ON_WIRE  (17u << 24)
#define IPV6_ON_WIRE (2u << 24)

/* --- what Allocate asks for ------------------------------------------------------------------------------------- */

static void asks_for_both_families(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  const floe__stun_msg *m = take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_u32(m, FLOE__STUN_REQUESTED_TRANSPORT, UDP_ON_WIRE);
  assert_u32(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_ON_WIRE);
  assert_false(floe__stun_has(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY));
  assert_false(floe__stun_has(m, FLOE__STUN_LIFETIME));
  assert_int_equal(fx->turn.state, FLOE__TURN_ALLOCATING);
  fixture_free(fx);
}

static void asks_for_ipv4_by_saying_nothing(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_ipv4);
  const floe__stun_msg *m = take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_u32(m, FLOE__STUN_REQUESTED_TRANSPORT, UDP_ON_WIRE);
  assert_false(floe__stun_has(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_false(floe__stun_has(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY));
  fixture_free(fx);
}

static void asks_for_ipv6_and_a_lifetime(void **state) {
  (void)state;
  floe__turn_config cfg = udp_ipv6;
  cfg.lifetime_s = 1800;
  cfg.software = "floe test";
  fixture *fx = fixture_started(cfg);
  const floe__stun_msg *m = take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_u32(m, FLOE__STUN_REQUESTED_ADDRESS_FAMILY, IPV6_ON_WIRE);
  assert_false(floe__stun_has(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_u32(m, FLOE__STUN_LIFETIME, 1800);
  assert_int_equal(floe__stun_get(m, FLOE__STUN_SOFTWARE).len, 9);
  fixture_free(fx);
}

static void signs_once_challenged(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_u32(&fx->msg, FLOE__STUN_REQUESTED_TRANSPORT, UDP_ON_WIRE);
  assert_u32(&fx->msg, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY, IPV6_ON_WIRE);
  assert_true(fx->turn.answered);
  fixture_free(fx);
}

static void leaves_out_the_optional_attribute_after_420(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  static const uint8_t unknown[4] = {0x80, 0x00, 0, 0};
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_ERROR);
  floe__stun_put_error(b, 420, "Unknown Attribute");
  floe__stun_put(b, FLOE__STUN_UNKNOWN_ATTRIBUTES, unknown, 2);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_NONE);
  const floe__stun_msg *m = take_signed(fx, FLOE__STUN_ALLOCATE);
  assert_false(floe__stun_has(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_u32(m, FLOE__STUN_REQUESTED_TRANSPORT, UDP_ON_WIRE);
  assert_int_equal(reply_allocated(fx, 600), FLOE__TURN_STEP_ALLOCATED);
  fixture_free(fx);
}

/* docs/decisions/0006-440-without-the-additional-family.md */
static void asks_once_more_without_the_additional_family(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_int_equal(reply_error(fx, 440, "Dual allocation not supported", true), FLOE__TURN_STEP_NONE);
  const floe__stun_msg *m = take_signed(fx, FLOE__STUN_ALLOCATE);
  assert_false(floe__stun_has(m, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY));
  assert_failed(fx, reply_error(fx, 440, "No", true), FLOE_CAUSE_FAMILY_UNSUPPORTED, 440);
  fixture_free(fx);
  fx = fixture_challenged(udp_ipv4);
  assert_failed(fx, reply_error(fx, 440, "No", true), FLOE_CAUSE_FAMILY_UNSUPPORTED, 440);
  fixture_free(fx);
}

/* Its answer may be under way. */
static void deletes_what_was_asked_for_and_not_answered(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  floe__turn_delete(&fx->turn, fx->now);
  const floe__stun_msg *m = take_signed(fx, FLOE__STUN_REFRESH);
  assert_u32(m, FLOE__STUN_LIFETIME, 0);
  assert_int_equal(fx->turn.state, FLOE__TURN_ENDED);
  assert_int_equal(fx->n_sent, 0);
  fixture_free(fx);
  fx = fixture_started(udp_both); /* nothing can come of an Allocate without credentials */
  forget_sent(fx);
  floe__turn_delete(&fx->turn, fx->now);
  assert_int_equal(fx->n_sent, 0);
  fixture_free(fx);
}

/* --- Allocate succeeds ------------------------------------------------------------------------------------------ */

static void allocates(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_SUCCESS);
  put_allocated(b, 600);
  floe__stun_put_text(b, FLOE__STUN_SOFTWARE, "Coturn-4.6.1");
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_ALLOCATED);
  assert_addr(&fx->turn.relayed, "203.0.113.9:50000");
  assert_addr(&fx->turn.mapped, "198.51.100.7:40000");
  assert_int_equal(fx->turn.relayed_additional.family, FLOE_FAMILY_NONE);
  assert_int_equal(fx->turn.lifetime_s, 600);
  assert_string_equal(fx->turn.software, "Coturn-4.6.1");
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_NONE);
  assert_int_equal(fx->n_sent, 0);
  fixture_free(fx);
}

static void allocates_without_authentication(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_ipv4);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  put_allocated(begin_reply(fx, FLOE__STUN_SUCCESS), 600);
  assert_int_equal(end_reply(fx, false), FLOE__TURN_STEP_ALLOCATED);
  fixture_free(fx);
}

static floe__turn_step reply_relayed(fixture *fx, const char *first, const char *second, unsigned address_error) {
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_SUCCESS);
  if (first != NULL) put_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, first);
  if (second != NULL) put_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, second);
  put_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, "198.51.100.7:40000");
  floe__stun_put_u32(b, FLOE__STUN_LIFETIME, 600);
  const uint8_t error[8] = {2, 0, (uint8_t)(address_error / 100), (uint8_t)(address_error % 100), 'n', 'o', 'p', 'e'};
  if (address_error != 0) floe__stun_put(b, FLOE__STUN_ADDRESS_ERROR_CODE, error, sizeof error);
  return end_reply(fx, true);
}

static void dual_allocation(void **state) {
  (void)state;
  static const char *const orders[][2] = {{"203.0.113.9:50000", "[2001:db8::9]:50001"},
                                          {"[2001:db8::9]:50001", "203.0.113.9:50000"}};
  for (int i = 0; i < 2; i++) {
    fixture *fx = fixture_challenged(udp_both);
    assert_int_equal(reply_relayed(fx, orders[i][0], orders[i][1], 0), FLOE__TURN_STEP_ALLOCATED);
    assert_addr(&fx->turn.relayed, "203.0.113.9:50000");
    assert_addr(&fx->turn.relayed_additional, "[2001:db8::9]:50001");
    assert_int_equal(fx->turn.additional_error, 0);
    fixture_free(fx);
  }
}

static void half_of_a_dual_allocation(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_int_equal(reply_relayed(fx, "203.0.113.9:50000", NULL, 440), FLOE__TURN_STEP_ALLOCATED);
  assert_addr(&fx->turn.relayed, "203.0.113.9:50000");
  assert_int_equal(fx->turn.relayed_additional.family, FLOE_FAMILY_NONE);
  assert_int_equal(fx->turn.additional_error, 440);
  fixture_free(fx);
  fx = fixture_challenged(udp_both);
  assert_int_equal(reply_relayed(fx, "[2001:db8::9]:50001", NULL, 508), FLOE__TURN_STEP_ALLOCATED);
  assert_addr(&fx->turn.relayed, "[2001:db8::9]:50001");
  assert_int_equal(fx->turn.additional_error, 508);
  fixture_free(fx);
}

static void one_family_takes_only_its_own(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  assert_int_equal(reply_relayed(fx, "[2001:db8::9]:50001", "203.0.113.9:50000", 0), FLOE__TURN_STEP_ALLOCATED);
  assert_addr(&fx->turn.relayed, "203.0.113.9:50000");
  assert_int_equal(fx->turn.relayed_additional.family, FLOE_FAMILY_NONE);
  fixture_free(fx);
  fx = fixture_challenged(udp_ipv6);
  assert_int_equal(reply_relayed(fx, "[2001:db8::9]:50001", NULL, 0), FLOE__TURN_STEP_ALLOCATED);
  assert_addr(&fx->turn.relayed, "[2001:db8::9]:50001");
  fixture_free(fx);
}

/* --- Allocate succeeds without what it must carry ---------------------------------------------------------------- */

/* RFC 8656 7.3: what the client cannot use it deletes. */
static void assert_malformed(fixture *fx, floe__turn_step step) {
  assert_failed(fx, step, FLOE_CAUSE_MALFORMED_RESPONSE, 0);
  assert_u32(take_signed(fx, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 0);
  fixture_free(fx);
}

static void success_without_relayed_address(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_malformed(fx, reply_relayed(fx, NULL, NULL, 0));
}

static void success_with_the_wrong_family(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  assert_malformed(fx, reply_relayed(fx, "[2001:db8::9]:50001", NULL, 0));
  fx = fixture_challenged(udp_ipv6);
  assert_malformed(fx, reply_relayed(fx, "203.0.113.9:50000", NULL, 0));
}

static void success_with_an_unusable_relayed_address(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  assert_malformed(fx, reply_relayed(fx, "0.0.0.0:50000", NULL, 0));
  fx = fixture_challenged(udp_ipv4);
  assert_malformed(fx, reply_relayed(fx, "203.0.113.9", NULL, 0));
}

static void success_without_mapped_address(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_SUCCESS);
  put_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, "203.0.113.9:50000");
  floe__stun_put_u32(b, FLOE__STUN_LIFETIME, 600);
  assert_malformed(fx, end_reply(fx, true));
}

static void success_without_lifetime(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_ipv4);
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_SUCCESS);
  put_addr(b, FLOE__STUN_XOR_RELAYED_ADDRESS, "203.0.113.9:50000");
  put_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, "198.51.100.7:40000");
  assert_malformed(fx, end_reply(fx, true));
  fx = fixture_challenged(udp_ipv4);
  assert_malformed(fx, reply_allocated(fx, 0));
}

/* --- Allocate fails --------------------------------------------------------------------------------------------- */

static void error_stands(void **state) {
  (void)state;
  static const struct {
    unsigned code;
    floe_cause cause;
  } rows[] = {{400, FLOE_CAUSE_STUN_ERROR},
              {403, FLOE_CAUSE_FORBIDDEN},
              {443, FLOE_CAUSE_FAMILY_UNSUPPORTED},
              {441, FLOE_CAUSE_AUTH_REJECTED},
              {442, FLOE_CAUSE_TRANSPORT_UNSUPPORTED},
              {486, FLOE_CAUSE_QUOTA_REACHED},
              {500, FLOE_CAUSE_STUN_ERROR},
              {508, FLOE_CAUSE_INSUFFICIENT_CAPACITY}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fixture *fx = fixture_challenged(udp_both);
    assert_failed(fx, reply_error(fx, rows[i].code, "The reason", true), rows[i].cause, rows[i].code);
    assert_string_equal(fx->turn.outcome.error.reason, "The reason");
    assert_int_equal(fx->n_sent, 0);
    fixture_free(fx);
  }
}

static void credentials_are_rejected(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_failed(fx, reply_challenge(fx, 401), FLOE_CAUSE_AUTH_REJECTED, 401);
  fixture_free(fx);
}

static void user_name_has_expired(void **state) {
  (void)state;
  fixture *fx = fixture_new(udp_both);
  floe__turn_clear(&fx->turn);
  floe__turn_init(&fx->turn, fx->memory.env, &fx->cfg, "1700000000:user", CREDENTIAL, on_send, fx);
  floe_env_set_unix_time(fx->memory.env, fx->now, 1700000001000);
  floe__turn_start(&fx->turn, fx->now);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_int_equal(reply_challenge(fx, 401), FLOE__TURN_STEP_NONE);
  take_stun(fx, FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE);
  assert_failed(fx, reply_challenge(fx, 401), FLOE_CAUSE_AUTH_EXPIRED, 401);
  fixture_free(fx);
}

static void nonce_is_stale_again_and_again(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  for (int i = 0; i < FLOE__STUN_STALE_MAX; i++) {
    fx->nonce = i % 2 == 0 ? "nonce-2" : "nonce-3";
    assert_int_equal(reply_challenge(fx, 438), FLOE__TURN_STEP_NONE);
    take_signed(fx, FLOE__STUN_ALLOCATE);
  }
  assert_failed(fx, reply_challenge(fx, 438), FLOE_CAUSE_STALE_NONCE_LOOP, 438);
  fixture_free(fx);
}

static void error_without_error_code(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  begin_reply(fx, FLOE__STUN_ERROR);
  assert_failed(fx, end_reply(fx, true), FLOE_CAUSE_MALFORMED_RESPONSE, 0);
  fixture_free(fx);
}

static void attribute_overruns(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  uint8_t overrun[24] = {0x01, 0x03, 0x00, 0x04, 0x21, 0x12, 0xA4, 0x42};
  memcpy(overrun + 8, fx->msg.txn_id, FLOE__STUN_TXN_ID);
  overrun[20] = 0x80;
  overrun[21] = 0x22;
  overrun[23] = 40;
  assert_failed(fx, deliver_bytes(fx, overrun, sizeof overrun), FLOE_CAUSE_MALFORMED_RESPONSE, 0);
  assert_null(fx->turn.software);
  fixture_free(fx);
}

static void mismatch(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_int_equal(reply_error(fx, 437, "Allocation Mismatch", true), FLOE__TURN_STEP_MISMATCH);
  assert_int_equal(fx->turn.outcome.code, 437);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_ALLOC_MISMATCH);
  assert_string_equal(fx->turn.outcome.error.reason, "Allocation Mismatch");
  assert_int_equal(fx->turn.error_phase, FLOE_PHASE_ALLOCATE);
  assert_ended(fx);
  fixture_free(fx);
}

/* --- 300 -------------------------------------------------------------------------------------------------------- */

static void put_redirect(fixture *fx, const char *alternate, const void *domain, size_t domain_len) {
  floe__stun_builder *b = begin_reply(fx, FLOE__STUN_ERROR);
  floe__stun_put_error(b, 300, "Try Alternate");
  if (alternate != NULL) {
    floe_addr a = addr_of(alternate);
    floe__stun_put_addr(b, FLOE__STUN_ALTERNATE_SERVER, &a);
  }
  if (domain != NULL) floe__stun_put(b, FLOE__STUN_ALTERNATE_DOMAIN, domain, domain_len);
}

static void unsigned_redirect(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  put_redirect(fx, "192.0.2.44:3479", "evil.example", 12);
  assert_int_equal(end_reply(fx, false), FLOE__TURN_STEP_REDIRECT);
  assert_addr(&fx->turn.alternate, "192.0.2.44:3479");
  assert_false(fx->turn.redirect_signed);
  assert_null(fx->turn.alternate_domain);
  assert_int_equal(fx->turn.outcome.code, 300);
  assert_string_equal(fx->turn.outcome.error.reason, "Try Alternate");
  assert_ended(fx);
  fixture_free(fx);
}

static void signed_redirect(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  put_redirect(fx, "[2001:db8::44]:3479", "turn.example.net", 16);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_REDIRECT);
  assert_addr(&fx->turn.alternate, "[2001:db8::44]:3479");
  assert_true(fx->turn.redirect_signed);
  assert_string_equal(fx->turn.alternate_domain, "turn.example.net");
  fixture_free(fx);
}

static void unsigned_redirect_of_a_signed_request(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  put_redirect(fx, "192.0.2.44:3479", NULL, 0);
  assert_discarded(fx, end_reply(fx, false), FLOE_CAUSE_BAD_INTEGRITY);
  assert_int_equal(fx->turn.state, FLOE__TURN_ALLOCATING);
  fixture_free(fx);
}

static void redirect_without_alternate_server(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  put_redirect(fx, NULL, NULL, 0);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_REDIRECT);
  assert_int_equal(fx->turn.alternate.family, FLOE_FAMILY_NONE);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_REDIRECT_REFUSED);
  fixture_free(fx);
}

static void alternate_domain_that_is_no_text(void **state) {
  (void)state;
  static const char with_nul[] = "turn.example.net\0.evil";
  char too_long[256];
  memset(too_long, 'a', sizeof too_long);
  fixture *fx = fixture_challenged(udp_both);
  put_redirect(fx, "192.0.2.44:3479", with_nul, sizeof with_nul - 1);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_REDIRECT);
  assert_null(fx->turn.alternate_domain);
  fixture_free(fx);
  fx = fixture_challenged(udp_both);
  put_redirect(fx, "192.0.2.44:3479", too_long, sizeof too_long);
  assert_int_equal(end_reply(fx, true), FLOE__TURN_STEP_REDIRECT);
  assert_null(fx->turn.alternate_domain);
  fixture_free(fx);
}

/* --- silence, and what is discarded ------------------------------------------------------------------------------ */

static void silence(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  floe_time start = fx->now;
  floe__turn_step step = pass_ms(fx, 60000);
  assert_failed(fx, step, FLOE_CAUSE_NONE, 0);
  assert_true(fx->now == start + 5 * FLOE_SECOND);
  assert_int_equal(fx->n_sent, 4);
  assert_false(fx->turn.answered);
  fixture_free(fx);
}

static void silence_over_a_stream(void **state) {
  (void)state;
  fixture *fx = fixture_started(tcp_ipv4);
  floe__turn_step step = pass_ms(fx, 60000);
  assert_failed(fx, step, FLOE_CAUSE_NONE, 0);
  assert_int_equal(fx->n_sent, 1);
  fixture_free(fx);
}

static floe__turn_step deliver_wrong_transaction(fixture *fx) {
  static const uint8_t other[FLOE__STUN_TXN_ID] = "other id";
  floe__stun_begin(&fx->b, fx->reply, sizeof fx->reply, FLOE__STUN_SUCCESS, FLOE__STUN_ALLOCATE, other);
  return end_reply(fx, false);
}

static floe__turn_step deliver_bad_fingerprint(fixture *fx) {
  put_allocated(begin_reply(fx, FLOE__STUN_SUCCESS), 600);
  floe__stun_put_integrity(&fx->b, &fx->key);
  floe__stun_put_u32(&fx->b, FLOE__STUN_FINGERPRINT, 0x12345678);
  return end_reply(fx, false);
}

static floe__turn_step deliver_unsigned_success(fixture *fx) {
  put_allocated(begin_reply(fx, FLOE__STUN_SUCCESS), 600);
  return end_reply(fx, false);
}

static floe__turn_step deliver_garbage(fixture *fx) {
  return deliver_bytes(fx, "HTTP/1.1 400 Bad Request", 24);
}

/* The contract's section 3: "several kinds: the first". */
static void first_discard_is_the_cause(void **state) {
  (void)state;
  static const struct {
    floe__turn_step (*deliver)(fixture *fx);
    floe_cause cause;
  } kinds[] = {{deliver_bad_fingerprint, FLOE_CAUSE_BAD_FINGERPRINT},
               {deliver_unsigned_success, FLOE_CAUSE_BAD_INTEGRITY}};
  for (size_t first = 0; first < 2; first++) {
    fixture *fx = fixture_challenged(udp_both);
    for (size_t i = 0; i < 2; i++) {
      size_t kind = (first + i) % 2;
      assert_discarded(fx, kinds[kind].deliver(fx), kinds[kind].cause);
    }
    floe__turn_step step = pass_ms(fx, 60000);
    assert_failed(fx, step, kinds[first].cause, 0);
    fixture_free(fx);
  }
}

/* On a shared socket they may be meant for somebody else. */
static void strangers_are_the_owners_to_count(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  assert_discarded(fx, deliver_garbage(fx), FLOE_CAUSE_NOT_STUN);
  assert_discarded(fx, deliver_wrong_transaction(fx), FLOE_CAUSE_WRONG_TRANSACTION);
  assert_failed(fx, pass_ms(fx, 60000), FLOE_CAUSE_NONE, 0);
  fixture_free(fx);
}

static void discarded_answers_do_not_hinder_a_good_one(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  deliver_garbage(fx);
  deliver_bad_fingerprint(fx);
  deliver_unsigned_success(fx);
  assert_int_equal(reply_allocated(fx, 600), FLOE__TURN_STEP_ALLOCATED);
  assert_int_equal(fx->turn.outcome.cause, FLOE_CAUSE_NONE);
  fixture_free(fx);
}

static void bad_integrity_ends_an_attempt_over_a_stream(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(tcp_ipv4);
  assert_discarded(fx, deliver_bad_fingerprint(fx), FLOE_CAUSE_BAD_FINGERPRINT);
  assert_failed(fx, pass_ms(fx, 60000), FLOE_CAUSE_BAD_FINGERPRINT, 0);
  fixture_free(fx);
  fx = fixture_challenged(tcp_ipv4);
  assert_failed(fx, deliver_unsigned_success(fx), FLOE_CAUSE_BAD_INTEGRITY, 0);
  fixture_free(fx);
}

static void damaged_answer_is_no_answer(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  floe__stun_put_text(begin_reply(fx, FLOE__STUN_ERROR), FLOE__STUN_SOFTWARE, "liar");
  floe__stun_put_u32(&fx->b, FLOE__STUN_FINGERPRINT, 1);
  assert_discarded(fx, end_reply(fx, false), FLOE_CAUSE_BAD_FINGERPRINT);
  assert_false(fx->turn.answered);
  assert_null(fx->turn.software);
  fixture_free(fx);
}

static void unsigned_answer_is_an_answer(void **state) {
  (void)state;
  fixture *fx = fixture_challenged(udp_both);
  fx->turn.answered = false;
  assert_discarded(fx, deliver_unsigned_success(fx), FLOE_CAUSE_BAD_INTEGRITY);
  assert_true(fx->turn.answered);
  fixture_free(fx);
}

static void our_own_request_echoed(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  floe_bytes request = take_sent(fx);
  assert_discarded(fx, deliver_bytes(fx, request.ptr, request.len), FLOE_CAUSE_WRONG_TRANSACTION);
  fixture_free(fx);
}

static void late_duplicates_have_no_cause(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  take_unsigned(fx, FLOE__STUN_ALLOCATE);
  assert_int_equal(reply_challenge(fx, 401), FLOE__TURN_STEP_NONE);
  assert_discarded(fx, deliver_bytes(fx, fx->last.ptr, fx->last.len), FLOE_CAUSE_NONE);
  take_signed(fx, FLOE__STUN_ALLOCATE);
  assert_int_equal(reply_allocated(fx, 600), FLOE__TURN_STEP_ALLOCATED);
  assert_discarded(fx, deliver_bytes(fx, fx->last.ptr, fx->last.len), FLOE_CAUSE_NONE);
  assert_int_equal(fx->turn.state, FLOE__TURN_LIVE);
  uint8_t duplicate[512];
  size_t len = fx->last.len;
  memcpy(duplicate, fx->last.ptr, len);
  assert_int_equal(pass_ms(fx, 541000), FLOE__TURN_STEP_NONE);
  assert_discarded(fx, deliver_bytes(fx, duplicate, len), FLOE_CAUSE_NONE);
  fixture_free(fx);
}

static void channel_data_before_an_allocation(void **state) {
  (void)state;
  static const uint8_t channel_data[8] = {0x40, 0x00, 0, 4, 'd', 'a', 't', 'a'};
  fixture *fx = fixture_started(udp_both);
  assert_discarded(fx, deliver_bytes(fx, channel_data, sizeof channel_data), FLOE_CAUSE_NOT_STUN);
  fixture_free(fx);
}

static void empty_and_tiny_messages(void **state) {
  (void)state;
  fixture *fx = fixture_started(udp_both);
  static const uint8_t tiny[19] = {0};
  for (size_t len = 0; len <= sizeof tiny; len++) {
    assert_discarded(fx, deliver_bytes(fx, tiny, len), FLOE_CAUSE_NOT_STUN);
  }
  fixture_free(fx);
}

static void messages_out_of_season(void **state) {
  (void)state;
  fixture *fx = fixture_new(udp_both);
  assert_discarded(fx, deliver_garbage(fx), FLOE_CAUSE_NONE);
  assert_true(floe__turn_deadline(&fx->turn).at == FLOE_TIME_NEVER);
  assert_int_equal(floe__turn_on_deadline(&fx->turn, fx->now), FLOE__TURN_STEP_NONE);
  floe__turn_abandon(&fx->turn);
  floe__turn_abandon(&fx->turn);
  assert_ended(fx);
  assert_discarded(fx, deliver_garbage(fx), FLOE_CAUSE_NONE);
  assert_int_equal(floe__turn_on_deadline(&fx->turn, fx->now), FLOE__TURN_STEP_NONE);
  fixture_free(fx);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(asks_for_both_families),
      T(asks_for_ipv4_by_saying_nothing),
      T(asks_for_ipv6_and_a_lifetime),
      T(signs_once_challenged),
      T(leaves_out_the_optional_attribute_after_420),
      T(asks_once_more_without_the_additional_family),
      T(deletes_what_was_asked_for_and_not_answered),
      T(allocates),
      T(allocates_without_authentication),
      T(dual_allocation),
      T(half_of_a_dual_allocation),
      T(one_family_takes_only_its_own),
      T(success_without_relayed_address),
      T(success_with_the_wrong_family),
      T(success_with_an_unusable_relayed_address),
      T(success_without_mapped_address),
      T(success_without_lifetime),
      T(error_stands),
      T(credentials_are_rejected),
      T(user_name_has_expired),
      T(nonce_is_stale_again_and_again),
      T(error_without_error_code),
      T(attribute_overruns),
      T(mismatch),
      T(unsigned_redirect),
      T(signed_redirect),
      T(unsigned_redirect_of_a_signed_request),
      T(redirect_without_alternate_server),
      T(alternate_domain_that_is_no_text),
      T(silence),
      T(silence_over_a_stream),
      T(first_discard_is_the_cause),
      T(strangers_are_the_owners_to_count),
      T(discarded_answers_do_not_hinder_a_good_one),
      T(bad_integrity_ends_an_attempt_over_a_stream),
      T(damaged_answer_is_no_answer),
      T(unsigned_answer_is_an_answer),
      T(our_own_request_echoed),
      T(late_duplicates_have_no_cause),
      T(channel_data_before_an_allocation),
      T(empty_and_tiny_messages),
      T(messages_out_of_season),
  };
#undef T
  return cmocka_run_group_tests_name("turn/alloc_fsm", tests, NULL, NULL);
}
