/* Answers made by hand, for the rows of the contract's section 3 that need one bit wrong at one time: signatures after
 * authentication, reason phrases, codes at the edges, missing attributes. */
#include "support/sim_responder.h"
#include "support/world.h"

static bool is_signed(const floe__stun_msg *request) {
  return floe__stun_has(request, FLOE__STUN_MESSAGE_INTEGRITY);
}

#define UDP_EVENT(ms, line) BEGIN ms " error " line END(ms)

static world *udp_world(const char *url, sim_respond_fn respond) {
  world *w = world_new(1);
  (void)sim_responder_udp(w->server_host, "192.0.2.1:3478", respond);
  world_add(w, url);
  return w;
}

static void check_udp(const char *url, sim_respond_fn respond, const char *expected) {
  world *w = udp_world(url, respond);
  world_gather(w);
  world_expect(w, expected);
  world_free(w);
}

/* --- integrity after authentication ------------------------------------------------------------------------------- */

static unsigned code_to_send;

static void unsigned_error_after_auth(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
    return;
  }
  sim_responder_error(r, request, code_to_send, "Unsigned");
  sim_responder_send(r);
}

static void an_unsigned_error_after_authentication_is_discarded(void **state) {
  (void)state;
  static const unsigned codes[] = {300, 403, 437, 486, 500};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    code_to_send = codes[i];
    world *w = udp_world("turn:192.0.2.1", unsigned_error_after_auth);
    world_gather(w);
    world_expect(w, UDP_EVENT("5010.0", "701 bad_integrity turn:192.0.2.1 at 10.0.0.1:50000 allocate\n"));
    world_expect_report(w, "...\n  attempt error 701 bad_integrity * allocate discarded=4\n");
    world_free(w);
  }
}

static void over_tcp_it_ends_the_attempt_at_once(void **state) {
  (void)state;
  code_to_send = 486;
  world *w = world_new(1);
  (void)sim_responder_tcp(w->server_host, "192.0.2.1:3478", unsigned_error_after_auth);
  world_add(w, "turn:192.0.2.1?transport=tcp");
  world_gather(w);
  world_expect(
      w, BEGIN "30.0 error 701 bad_integrity turn:192.0.2.1?transport=tcp at 10.0.0.1:50001 allocate\n" END("30.0"));
  world_free(w);
}

static void a_400_needs_no_signature(void **state) {
  (void)state;
  code_to_send = 400;
  check_udp("turn:192.0.2.1", unsigned_error_after_auth,
            UDP_EVENT("20.0", "400 stun_error turn:192.0.2.1 at 10.0.0.1:50000 allocate \"Unsigned\"\n"));
}

static void bad_then_good(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
    return;
  }
  sim_responder_success(r, request);
  if (n == 1) {
    sim_responder_send(r); /* not signed */
  } else {
    sim_responder_send_signed(r);
  }
}

static void what_was_discarded_does_not_hurt_a_good_answer(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", bad_then_good);
  world_gather(w);
  world_expect(w, BEGIN
               "520.0 candidate relay 192.0.2.1:49152 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "520.0 candidate srflx *\n" END("520.0"));
  world_expect_report(w, "report ok\nserver 0.0 ok - turn:192.0.2.1\n  attempt candidate * discarded=1\n");
  world_free(w);
}

/* --- phrases and codes ---------------------------------------------------------------------------------------------
 */

static floe_bytes error_value;

static void raw_error(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  floe__stun_builder *b = sim_responder_begin(r, request, FLOE__STUN_ERROR);
  if (error_value.ptr != NULL) floe__stun_put(b, FLOE__STUN_ERROR_CODE, error_value.ptr, error_value.len);
  sim_responder_send(r);
}

static void phrases_are_decoded_as_the_contract_says(void **state) {
  (void)state;
  static const struct {
    const char *value;
    size_t len;
    const char *text;
  } cases[] = {
#define CASE(value, text) {value, sizeof(value) - 1, text}
      CASE("\0\0\4\x56Quota", "Quota"),
      CASE("\0\0\4\x56Quota\0\0\0", "Quota"), /* coturn counts padding in */
      CASE("\0\0\4\x56", "Allocation Quota Reached"),
      CASE("\0\0\4\x56\0\0", "Allocation Quota Reached"),
      CASE("\0\0\4\x56"
           "a\r\nb",
           "a\xEF\xBF\xBD\xEF\xBF\xBD"
           "b"), /* C0 */
      CASE("\0\0\4\x56"
           "a\xC2\x85"
           "b",
           "a\xEF\xBF\xBD"
           "b"), /* C1 */
      CASE("\0\0\4\x56"
           "a\xF0\x9F"
           "b",
           "a\xEF\xBF\xBD"
           "b"), /* one for each maximal subpart */
      CASE("\0\0\4\x56"
           "a\xC0\x80"
           "b",
           "a\xEF\xBF\xBD\xEF\xBF\xBD"
           "b"),
      CASE("\0\0\4\x56"
           "\xC3\xBC"
           "ber",
           "\xC3\xBC"
           "ber"),
      CASE("\xFF\xFF\xFC\x56"
           "reserved bits",
           "reserved bits"),
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    error_value = (floe_bytes){(const uint8_t *)cases[i].value, cases[i].len};
    char expected[400];
    (void)snprintf(expected, sizeof expected,
                   BEGIN "10.0 error 486 quota_reached stun:192.0.2.1 at 10.0.0.1:50000 binding \"%s\"\n" END("10.0"),
                   cases[i].text);
    check_udp("stun:192.0.2.1", raw_error, expected);
  }
}

static void a_long_phrase_is_cut_at_a_character(void **state) {
  (void)state;
  static char value[4 + 900];
  memcpy(value, "\0\0\5\0", 4);
  for (size_t i = 4; i + 1 < sizeof value; i += 2) memcpy(value + i, "\xC3\xBC", 2);
  error_value = (floe_bytes){(const uint8_t *)value, sizeof value};
  world *w = udp_world("stun:192.0.2.1", raw_error);
  world_gather(w);
  assert_int_equal(sim_agent_error(w->agent, 0)->code, 500);
  assert_int_equal(strlen(sim_agent_error(w->agent, 0)->text), 762);
  world_free(w);
}

static void codes_at_the_edges(void **state) {
  (void)state;
  static const struct {
    const char *value;
    unsigned code; /* 0: malformed, so 701 and never the raw number */
  } cases[] = {{"\0\0\3\1", 301}, {"\0\0\6\x63", 699}, {"\0\0\2\x63", 0}, {"\0\0\7\0", 0},
               {"\0\0\4\x64", 0}, {"\0\0\6\xFF", 0},   {"\0\0\0\0", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    error_value = (floe_bytes){(const uint8_t *)cases[i].value, 4};
    world *w = udp_world("stun:192.0.2.1", raw_error);
    world_gather(w);
    const sim_error *e = sim_agent_error(w->agent, 0);
    assert_int_equal(e->code, cases[i].code == 0 ? 701 : cases[i].code);
    assert_int_equal(e->detail.cause, cases[i].code == 0 ? FLOE_CAUSE_MALFORMED_RESPONSE : FLOE_CAUSE_STUN_ERROR);
    assert_int_equal(sim_now(w->s), 10 * FLOE_MS);
    world_free(w);
  }
}

static void an_error_without_its_code_is_malformed(void **state) {
  (void)state;
  static const floe_bytes values[] = {{NULL, 0}, {(const uint8_t *)"\0\0\4", 3}, {(const uint8_t *)"", 0}};
  for (size_t i = 0; i < 3; i++) {
    error_value = values[i];
    check_udp("stun:192.0.2.1", raw_error,
              UDP_EVENT("10.0", "701 malformed_response stun:192.0.2.1 at 10.0.0.1:50000 binding\n"));
  }
}

/* --- answers that lack something ------------------------------------------------------------------------------------
 */

static void mapped_address_only(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  floe__stun_put_addr(sim_responder_begin(r, request, FLOE__STUN_SUCCESS), FLOE__STUN_MAPPED_ADDRESS, &r->from);
  sim_responder_send(r);
}

static void the_address_of_an_old_server_is_not_enough(void **state) {
  (void)state;
  check_udp("stun:192.0.2.1", mapped_address_only,
            UDP_EVENT("10.0", "701 malformed_response stun:192.0.2.1 at 10.0.0.1:50000 binding\n"));
}

static void unknown_required_attribute(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  sim_responder_success(r, request);
  floe__stun_put_raw(&r->answer, 0x0777, "what", 4);
  sim_responder_send(r);
}

/* RFC 8489 6.3.3: a success response with an unknown comprehension-required attribute is discarded and the transaction
 * has failed. */
static void an_attribute_that_must_be_understood_and_is_not(void **state) {
  (void)state;
  check_udp("stun:192.0.2.1", unknown_required_attribute,
            BEGIN
            "* error 701 malformed_response stun:192.0.2.1 at 10.0.0.1:50000 binding\n"
            "* candidate end\n* state complete\n");
}

static void unknown_optional_attribute(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  sim_responder_success(r, request);
  floe__stun_put_raw(&r->answer, 0xC001, "what", 4);
  sim_responder_send(r);
}

static void an_optional_attribute_is_ignored(void **state) {
  (void)state;
  check_udp("stun:192.0.2.1", unknown_optional_attribute,
            BEGIN "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("10.0"));
}

static void indication_then_request_then_answer(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  (void)sim_responder_begin(r, request, FLOE__STUN_INDICATION);
  sim_responder_send(r);
  (void)sim_responder_begin(r, request, FLOE__STUN_REQUEST);
  sim_responder_send(r);
  sim_responder_success(r, request);
  sim_responder_send(r);
}

static void only_responses_are_answers(void **state) {
  (void)state;
  check_udp("stun:192.0.2.1", indication_then_request_then_answer,
            BEGIN "10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1\n" END("10.0"));
}

static void twice_each_time(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  for (int i = 0; i < 2; i++) {
    if (!is_signed(request)) {
      sim_responder_challenge(r, request);
    } else {
      sim_responder_success(r, request);
      sim_responder_send_signed(r);
    }
  }
}

static void a_second_copy_changes_nothing(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", twice_each_time);
  world_gather(w);
  world_expect(w, BEGIN "20.0 candidate relay *\n20.0 candidate srflx *\n" END("20.0"));
  world_expect_report(w, "report ok\nserver 0.0 ok - turn:192.0.2.1\n  attempt candidate * relayed=192.0.2.1:49152\n");
  world_expect_wire(w, "send", "0.0 send * Allocate\n10.0 send * Allocate\n");
  world_free(w);
}

/* --- one family of two -----------------------------------------------------------------------------------------------
 */

static void no_additional_family(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
  } else if (floe__stun_has(request, FLOE__STUN_ADDITIONAL_ADDRESS_FAMILY)) {
    sim_responder_error(r, request, 440, "Address Family not Supported");
    sim_responder_send_signed(r);
  } else {
    sim_responder_success(r, request);
    sim_responder_send_signed(r);
  }
}

/* docs/decisions/0006: a 440 that the additional family drew must not cost the first family. */
static void a_440_is_retried_once_without_the_additional_family(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", no_additional_family);
  world_gather(w);
  world_expect(w, BEGIN
               "30.0 candidate relay 192.0.2.1:49152 mapped=203.0.113.1:40000 udp turn:192.0.2.1\n"
               "30.0 candidate srflx *\n" END("30.0"));
  world_free(w);
}

static void a_second_440_stands(void **state) {
  (void)state;
  world *w = world_new(1);
  world_listen(w, FLOE_TRANSPORT_UDP, "error-after-auth=440:x");
  world_add(w, "turn:192.0.2.1");
  world_gather(w);
  world_expect(w,
               BEGIN "30.0 error 440 family_unsupported turn:192.0.2.1 at 10.0.0.1:50000 allocate \"x\"\n" END("30.0"));
  world_free(w);
}

/* --- Refresh
 * ------------------------------------------------------------------------------------------------------------ */

static void gone_at_the_refresh(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
    return;
  }
  sim_responder_success(r, request); /* a Refresh is told LIFETIME 0 */
  sim_responder_send_signed(r);
}

/* RFC 8656 8.3: a success with LIFETIME 0 that was not asked for says that the allocation is gone. */
static void a_refresh_that_grants_nothing_is_the_end(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", gone_at_the_refresh);
  world_gather(w);
  sim_agent_clear_log(w->agent);
  sim_run_for(w->s, 900 * 1000);
  world_expect(w, "* servererror 701 allocation_expired turn:192.0.2.1 at 10.0.0.1:50000 refresh\n");
  world_free(w);
}

/* --- stale nonces between other answers ------------------------------------------------------------------------------
 */

static void stale_now_and_then(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
  } else if (n <= 3) {
    sim_responder_error(r, request, 438, "Stale Nonce");
    floe__stun_put_text(&r->answer, FLOE__STUN_REALM, "floe.test");
    floe__stun_put_text(&r->answer, FLOE__STUN_NONCE, n == 1 ? "one" : n == 2 ? "two" : "three");
    sim_responder_send(r);
  } else {
    sim_responder_success(r, request);
    sim_responder_send_signed(r);
  }
}

static void three_stale_nonces_are_forgiven(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", stale_now_and_then);
  world_gather(w);
  world_expect(w, BEGIN "50.0 candidate relay *\n50.0 candidate srflx *\n" END("50.0"));
  world_free(w);
}

static void stale_without_nonce(sim_responder *r, const floe__stun_msg *request, uint32_t n) {
  (void)n;
  if (!is_signed(request)) {
    sim_responder_challenge(r, request);
    return;
  }
  sim_responder_error(r, request, 438, "Stale Nonce");
  sim_responder_send(r);
}

/* There is no new nonce to retry with: it cannot be recovered from, and must not spin. */
static void a_438_without_a_nonce_ends(void **state) {
  (void)state;
  world *w = udp_world("turn:192.0.2.1", stale_without_nonce);
  world_gather(w);
  world_expect(w, BEGIN "* error * turn:192.0.2.1 at 10.0.0.1:50000 allocate*\n* candidate end\n* state complete\n");
  assert_int_equal(sim_agent_n_errors(w->agent), 1);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_unsigned_error_after_authentication_is_discarded),
      cmocka_unit_test(over_tcp_it_ends_the_attempt_at_once),
      cmocka_unit_test(a_400_needs_no_signature),
      cmocka_unit_test(what_was_discarded_does_not_hurt_a_good_answer),
      cmocka_unit_test(phrases_are_decoded_as_the_contract_says),
      cmocka_unit_test(a_long_phrase_is_cut_at_a_character),
      cmocka_unit_test(codes_at_the_edges),
      cmocka_unit_test(an_error_without_its_code_is_malformed),
      cmocka_unit_test(the_address_of_an_old_server_is_not_enough),
      cmocka_unit_test(an_attribute_that_must_be_understood_and_is_not),
      cmocka_unit_test(an_optional_attribute_is_ignored),
      cmocka_unit_test(only_responses_are_answers),
      cmocka_unit_test(a_second_copy_changes_nothing),
      cmocka_unit_test(a_440_is_retried_once_without_the_additional_family),
      cmocka_unit_test(a_second_440_stands),
      cmocka_unit_test(a_refresh_that_grants_nothing_is_the_end),
      cmocka_unit_test(three_stale_nonces_are_forgiven),
      cmocka_unit_test(a_438_without_a_nonce_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
