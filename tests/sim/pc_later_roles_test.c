/* DTLS roles and certificates in descriptions that come after the handshake (RFC 8842 5). */
#include "support/pc_peers.h"

static pc_peers *connected(void) {
  pc_peers *p = pc_peers_new(1);
  pc_true(p, pc_peers_connect(p, 2000));
  pc_true(p, pc_peers_settle(p, 2000));
  pc_peers_set_mode(p, PC_MANUAL);
  p->alice.negotiates = false;
  return p;
}

/* The text with `to` in the place of `from`, which is in it once. */
static char *replaced(pc_peers *p, const char *sdp, const char *from, const char *to) {
  const char *at = strstr(sdp, from);
  pc_true(p, at != NULL && strstr(at + 1, from) == NULL);
  size_t before = (size_t)(at - sdp), len = strlen(sdp) - strlen(from) + strlen(to);
  char *out = malloc(len + 1);
  pc_true(p, out != NULL);
  (void)snprintf(out, len + 1, "%.*s%s%s", (int)before, sdp, to, at + strlen(from));
  return out;
}

/* bob, who is the client since he has answered, restarts; alice answers, with `to` in the place of `from`. */
static floe_status bob_restarts(pc_peers *p, const char *from, const char *to) {
  pc_true(p, floe_pc_dtls_transport(p->bob.x->core)->is_client);
  sim_pc_restart_ice(p->bob.x);
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->bob.x));
  pc_true(p, pc_peer_run_to_gathered(&p->bob, 2000));
  char *offer = sim_pc_local_sdp(p->bob.x);
  pc_status(p, FLOE_OK, sim_pc_set_remote(p->alice.x, FLOE_SDP_OFFER, offer));
  pc_status(p, FLOE_OK, sim_pc_set_local_implicit(p->alice.x));
  pc_true(p, pc_peer_run_to_gathered(&p->alice, 2000));
  char *answer = sim_pc_local_sdp(p->alice.x), *changed = replaced(p, answer, from, to);
  floe_status st = sim_pc_set_remote(p->bob.x, FLOE_SDP_ANSWER, changed);
  free(offer);
  free(answer);
  free(changed);
  return st;
}

static void expect_still_connected(pc_peers *p) {
  sim_run_for(p->s, 2000);
  pc_true(p, floe_pc_dtls_transport(p->bob.x->core)->is_client);
  pc_true(p, !floe_pc_dtls_transport(p->alice.x->core)->is_client);
  pc_expect_with(&p->bob, "dtls statechange", "dtls statechange connecting\ndtls statechange connected\n");
  pc_peers_exchange(p);
}

static void the_role_of_the_session_is_answered(void **state) {
  (void)state;
  pc_peers *p = connected();
  pc_status(p, FLOE_OK, bob_restarts(p, "a=setup:passive", "a=setup:passive"));
  expect_still_connected(p);
  pc_peers_free(p);
}

/* As Firefox does. */
static void another_role_changes_nothing(void **state) {
  (void)state;
  pc_peers *p = connected();
  pc_status(p, FLOE_OK, bob_restarts(p, "a=setup:passive", "a=setup:active"));
  expect_still_connected(p);
  pc_peers_free(p);
}

#define OTHER                                                           \
  "a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:" \
  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00"

static void another_certificate_is_refused(void **state) {
  (void)state;
  pc_peers *p = connected();
  pc_status(p, FLOE_E_ACCESS, bob_restarts(p, "a=fingerprint:sha-256 ", OTHER "\r\na=unknown:"));
  assert_int_equal(floe_pc_signaling_state(p->bob.x->core), FLOE_SIGNALING_HAVE_LOCAL_OFFER);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_role_of_the_session_is_answered),
      cmocka_unit_test(another_role_changes_nothing),
      cmocka_unit_test(another_certificate_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
