/* event.c, cause.c: names, and the constructor form of the error event (webrtc-pc 4.8.2). */
#include <ctype.h>
#include <string.h>

#include "floe/floe.h"
#include "support/cmocka.h"

static void events_have_their_w3c_names(void **state) {
  (void)state;
  assert_string_equal(floe_event_name(FLOE_EVENT_ICECANDIDATEERROR), "icecandidateerror");
  assert_string_equal(floe_event_name(FLOE_EVENT_ICECANDIDATE), "icecandidate");
  assert_string_equal(floe_event_name(FLOE_EVENT_ICEGATHERINGSTATECHANGE), "icegatheringstatechange");
  assert_string_equal(floe_event_name(FLOE_EVENT_ICESERVERERROR), "iceservererror");
  assert_string_equal(floe_ice_gathering_state_name(FLOE_ICE_GATHERING_NEW), "new");
  assert_string_equal(floe_ice_gathering_state_name(FLOE_ICE_GATHERING_COMPLETE), "complete");
  assert_string_equal(floe_candidate_type_name(FLOE_CANDIDATE_PRFLX), "prflx");
  assert_string_equal(floe_verdict_name(FLOE_VERDICT_DEGRADED), "degraded");
  assert_string_equal(floe_attempt_outcome_name(FLOE_ATTEMPT_CANCELLED), "cancelled");
  assert_string_equal(floe_dns_status_name(FLOE_DNS_NXDOMAIN), "NXDOMAIN");
  assert_string_equal(floe_phase_name(FLOE_PHASE_ALLOCATE), "allocate");
}

static void the_constructor_needs_only_the_code(void **state) {
  (void)state;
  floe_event e;
  floe_error why;
  floe_candidate_error_init init = {.has_error_code = true, .error_code = 701};
  assert_int_equal(floe_candidate_error_event_init(&e, "icecandidateerror", &init, &why), FLOE_OK);
  assert_int_equal(e.type, FLOE_EVENT_ICECANDIDATEERROR);
  assert_string_equal(e.name, "icecandidateerror");
  assert_false(e.bubbles);
  assert_false(e.cancelable);
  assert_null(e.u.error.address);
  assert_false(e.u.error.has_port);
  assert_string_equal(e.u.error.url, "");
  assert_string_equal(e.u.error.error_text, "");
  assert_int_equal(e.u.error.error_code, 701);
  assert_null(e.u.error.detail);
}

static void the_constructor_takes_all_fields(void **state) {
  (void)state;
  floe_event e;
  floe_candidate_error_init init = {.address = "192.0.2.1",
                                    .has_port = true,
                                    .port = 5,
                                    .url = "stun:a",
                                    .has_error_code = true,
                                    .error_code = 401,
                                    .error_text = "Unauthenticated"};
  assert_int_equal(floe_candidate_error_event_init(&e, "something", &init, NULL), FLOE_OK);
  assert_string_equal(e.name, "something");
  assert_string_equal(e.u.error.address, "192.0.2.1");
  assert_int_equal(e.u.error.port, 5);
  assert_string_equal(e.u.error.url, "stun:a");
  assert_string_equal(e.u.error.error_text, "Unauthenticated");
}

static void the_constructor_makes_errors_whatever_their_name(void **state) {
  (void)state;
  floe_event e;
  floe_candidate_error_init init = {.has_error_code = true, .error_code = 701};
  assert_int_equal(floe_candidate_error_event_init(&e, "icecandidate", &init, NULL), FLOE_OK);
  assert_int_equal(e.type, FLOE_EVENT_ICECANDIDATEERROR);
  assert_int_equal(floe_candidate_error_event_init(&e, "iceservererror", &init, NULL), FLOE_OK);
  assert_int_equal(e.type, FLOE_EVENT_ICESERVERERROR);
}

static void the_constructor_says_what_is_missing(void **state) {
  (void)state;
  floe_event e;
  floe_error why;
  floe_candidate_error_init init = {.url = "stun:a"};
  assert_int_equal(floe_candidate_error_event_init(&e, "icecandidateerror", &init, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "errorCode");
  assert_int_equal(floe_candidate_error_event_init(&e, "icecandidateerror", NULL, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "errorCode");
  init.has_error_code = true;
  assert_int_equal(floe_candidate_error_event_init(&e, NULL, &init, &why), FLOE_E_TYPE);
  assert_string_equal(why.path, "type");
}

static const char *const causes[] = {
    "none",
    "no_local_address",
    "port_range_exhausted",
    "socket_failed",
    "dns_unreachable",
    "dns_timeout",
    "dns_refused",
    "dns_servfail",
    "dns_nodata",
    "dns_nxdomain",
    "net_unreachable",
    "host_unreachable",
    "send_denied",
    "port_unreachable",
    "udp_timeout",
    "tcp_refused",
    "tcp_timeout",
    "tcp_reset",
    "tcp_closed",
    "tls_timeout",
    "tls_not_tls",
    "tls_alert",
    "tls_untrusted",
    "tls_expired",
    "tls_name_mismatch",
    "no_answer",
    "not_stun",
    "wrong_transaction",
    "bad_fingerprint",
    "bad_integrity",
    "malformed_response",
    "stun_error",
    "auth_required",
    "malformed_challenge",
    "auth_rejected",
    "auth_expired",
    "stale_nonce_loop",
    "redirect_loop",
    "redirect_refused",
    "alloc_mismatch",
    "family_unsupported",
    "transport_unsupported",
    "quota_reached",
    "insufficient_capacity",
    "forbidden",
    "refresh_failed",
    "permission_failed",
    "allocation_expired",
    "relay_private_address",
    "relay_no_data",
    "cancelled",
    "no_local_candidates",
    "no_remote_candidates",
    "remote_unresolvable",
    "no_common_family",
    "checks_unanswered",
    "checks_one_way",
    "checks_unreachable",
    "ufrag_mismatch",
    "relay_denied",
    "role_conflict",
    "not_nominated",
    "consent_lost",
    "network_gone",
    "dtls_fingerprint",
    "dtls_alert",
    "dtls_timeout",
    "sctp_abort",
    "sctp_timeout",
};

static void causes_stand_in_the_contracts_order(void **state) {
  (void)state;
  assert_int_equal(FLOE_CAUSE_COUNT, sizeof causes / sizeof causes[0]);
  int group = 0;
  for (int i = 0; i < FLOE_CAUSE_COUNT; i++) {
    floe_cause c = (floe_cause)i;
    assert_string_equal(floe_cause_id(c), causes[i]);
    assert_int_equal(floe_cause_from_id(causes[i]), c);
    if (floe_cause_group(c) == 0) continue;
    assert_true(floe_cause_group(c) >= group);
    group = floe_cause_group(c);
  }
  assert_int_equal(group, 6);
  assert_int_equal(floe_cause_from_id("nonsense"), FLOE_CAUSE_COUNT);
}

static void causes_have_a_sentence_and_a_hint(void **state) {
  (void)state;
  for (int i = 1; i < FLOE_CAUSE_COUNT; i++) {
    floe_cause c = (floe_cause)i;
    const char *sentence = floe_cause_sentence(c);
    print_message("%s\n", floe_cause_id(c));
    assert_true(strlen(sentence) > 10);
    assert_true(sentence[strlen(sentence) - 1] != '.');
    if (c == FLOE_CAUSE_CANCELLED) continue;
    assert_true(strlen(floe_cause_hint(c)) > 10);
    assert_true(isupper((unsigned char)floe_cause_hint(c)[0]));
    assert_in_range(floe_cause_exit_class(c), 3, 9);
  }
}

/* The contract's section 7: exit status by class. */
static void exit_classes(void **state) {
  (void)state;
  static const struct {
    const char *id;
    int exit_class;
  } rows[] = {
      {"dns_nxdomain", 3},
      {"no_local_address", 4},
      {"udp_timeout", 4},
      {"tcp_reset", 4},
      {"tcp_closed", 4},
      {"no_answer", 4},
      {"tls_expired", 5},
      {"tls_timeout", 5},
      {"auth_rejected", 6},
      {"malformed_challenge", 6},
      {"stale_nonce_loop", 6},
      {"quota_reached", 7},
      {"insufficient_capacity", 7},
      {"alloc_mismatch", 7},
      {"family_unsupported", 7},
      {"transport_unsupported", 7},
      {"forbidden", 7},
      {"relay_no_data", 8},
      {"relay_private_address", 8},
      {"not_stun", 9},
      {"bad_integrity", 9},
      {"stun_error", 9},
      {"redirect_loop", 9},
      {"redirect_refused", 9},
      {"none", 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    print_message("%s\n", rows[i].id);
    assert_int_equal(floe_cause_exit_class(floe_cause_from_id(rows[i].id)), rows[i].exit_class);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_have_their_w3c_names),
      cmocka_unit_test(the_constructor_needs_only_the_code),
      cmocka_unit_test(the_constructor_takes_all_fields),
      cmocka_unit_test(the_constructor_makes_errors_whatever_their_name),
      cmocka_unit_test(the_constructor_says_what_is_missing),
      cmocka_unit_test(causes_stand_in_the_contracts_order),
      cmocka_unit_test(causes_have_a_sentence_and_a_hint),
      cmocka_unit_test(exit_classes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
