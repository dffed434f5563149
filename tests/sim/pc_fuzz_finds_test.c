/* What fuzzing (fuzz/targets/pc_pair.c, pc_calls.c) has found in peer connections. */
#include "pc/pc_internal.h"
#include "support/pc_peers.h"
#include "support/sim_agent_internal.h"

#define PRINT(first)             \
  "a=fingerprint:sha-256 " first \
  ":1D:AB:1E:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B\r\n"
/* A description with a data section. */
#define SDP_OF(mid, port, setup, ufrag, print)                                                   \
  "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application " port                         \
  " UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=ice-ufrag:" ufrag \
  "\r\na=ice-pwd:0123456789abcdefghijkl\r\na=setup:" setup "\r\n" print "a=sctp-port:5000\r\n"

#define SDP(port, setup, ufrag, print) SDP_OF("0", port, setup, ufrag, print)

static pc_peers *by_hand(void) {
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  return p;
}

/* The section that the candidates belong to is rejected before there are any: they have no place any more. */
static void candidates_of_a_section_that_was_rejected_are_not_told(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->bob.x;
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_OFFER, SDP("9", "actpass", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_OFFER, SDP("0", "actpass", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  sim_run_for(p->s, 100);
  pc_expect_with(&p->bob, "icecandidate", "icecandidate null\n");
  pc_peers_free(p);
}

/* "Whatever is returned but FLOE_OK, nothing has changed": the DTLS session of a refused answer is not the one in use.
 */
static void an_answer_with_other_credentials_changes_nothing(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->alice.x;
  assert_non_null(sim_pc_channel(x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_PRANSWER, SDP("9", "active", "abcd", PRINT("F0"))));
  const floe__dtls *dtls = x->core->transport.dtls;
  assert_false(x->core->transport.is_client);
  pc_status(p, FLOE_E_ACCESS, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP("9", "passive", "efgh", PRINT("F1"))));
  assert_string_equal(x->why.path, "sdp");
  assert_ptr_equal(x->core->transport.dtls, dtls);
  assert_false(x->core->transport.is_client);
  assert_int_equal(floe_pc_signaling_state(x->core), FLOE_SIGNALING_HAVE_REMOTE_PRANSWER);
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP("9", "active", "abcd", PRINT("F0"))));
  assert_ptr_equal(x->core->transport.dtls, dtls);
  pc_peers_free(p);
}

/* The peer's data section goes and comes again, as a new transport. */
static void a_section_that_comes_again_with_other_credentials_is_answered(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->bob.x;
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_OFFER, SDP("9", "actpass", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_OFFER, SDP("0", "actpass", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_OFFER, SDP("9", "actpass", "efgh", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  assert_string_equal(floe_pc_ice_transport(x->core)->remote_parameters->ufrag, "efgh");
  pc_peers_free(p);
}

/* The same by ours, under another mid: what the peer answers need not be what it had before. */
static void a_section_of_ours_that_comes_again_has_new_credentials(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->alice.x;
  assert_non_null(sim_pc_channel(x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP("9", "active", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP("0", "active", "abcd", PRINT("F0"))));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP_OF("1", "9", "active", "efgh", PRINT("F0"))));
  assert_string_equal(floe_pc_ice_transport(x->core)->remote_parameters->ufrag, "efgh");
  pc_peers_free(p);
}

/* What there was no memory to tell is told with the next call, and with its cause. */
static void a_failure_told_late_has_its_cause(void **state) {
  (void)state;
  pc_peers *p = by_hand();
  sim_pc *x = p->alice.x;
  assert_non_null(sim_pc_channel(x, "data", NULL));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  pc_status(p, FLOE_OK, sim_pc_set_remote(x, FLOE_SDP_ANSWER, SDP("9", "active", "abcd", PRINT("F0"))));
  sim_run_for(p->s, 100);
  x->a->env->alloc.fail_from = x->a->env->alloc.calls + 1;
  sim_run_for(p->s, 60000);
  assert_int_not_equal(x->told_state, FLOE_PC_FAILED);
  x->a->env->alloc.fail_from = 0;
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(x));
  assert_int_equal(x->told_state, FLOE_PC_FAILED);
  assert_int_equal(x->cause, FLOE_CAUSE_NO_REMOTE_CANDIDATES);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(candidates_of_a_section_that_was_rejected_are_not_told),
      cmocka_unit_test(an_answer_with_other_credentials_changes_nothing),
      cmocka_unit_test(a_section_that_comes_again_with_other_credentials_is_answered),
      cmocka_unit_test(a_section_of_ours_that_comes_again_has_new_credentials),
      cmocka_unit_test(a_failure_told_late_has_its_cause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
