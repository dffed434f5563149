#include "trace_story_pc.h"

#include "trace_fixture.h"

static const floe__story_pc *pc_of(const floe__story *s) {
  const floe__story_agent *a = floe__story_agent_of(s, 1);
  assert_non_null(a);
  return &a->pc;
}

#define ADD(t_ms, event, members) add_line(&s, t_ms, event, ",'agent':1" members)

static void only_its_events_make_a_connection(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(1, "ice.state", ",'to':'checking'");
  assert_false(pc_of(&s)->is_there);
  ADD(1, "tls.state", ",'to':'open'");
  assert_false(pc_of(&s)->is_there);
  ADD(1, "pc.signaling", ",'to':'have-local-offer'");
  assert_true(pc_of(&s)->is_there);
  assert_string_equal(pc_of(&s)->connection.state, "");
  floe__story_clear(&s);
}

static void the_first_negotiation_has_its_time(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(10, "pc.description", ",'side':'local','type':'offer','restart':0");
  ADD(20, "pc.description", ",'side':'local','type':'rollback'");
  ADD(30, "pc.description", ",'side':'remote','type':'offer','restart':0");
  ADD(50, "pc.description", ",'side':'local','type':'pranswer'");
  ADD(70, "pc.description", ",'side':'local','type':'answer'");
  ADD(90, "pc.description", ",'side':'local','type':'offer','restart':1");
  ADD(95, "pc.description", ",'side':'remote','type':'answer','restart':1");
  ADD(99, "pc.description.refused", ",'side':'remote','type':'answer','status':'FLOE_E_STATE'");
  const floe__story_pc *pc = pc_of(&s);
  assert_true(pc->has_offer && pc->has_answer && !pc->we_offered);
  assert_true(pc->offer_ms == 30 && pc->answer_ms == 70);
  assert_int_equal(pc->negotiations, 2);
  assert_int_equal(pc->restarts, 1);
  assert_int_equal(pc->refused, 1);
  assert_string_equal(pc->refusal, "FLOE_E_STATE");
  floe__story_clear(&s);
}

static void layers_have_their_times(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(10, "pc.state", ",'from':'new','to':'connecting'");
  ADD(20, "dtls.state", ",'from':'new','to':'handshake','role':'client'");
  ADD(45, "dtls.state",
      ",'from':'handshake','to':'open','role':'client','version':'DTLSv1.2','cipher':'C','group':'G',"
      "'fingerprint':'sha-256'");
  ADD(45, "pc.state", ",'from':'connecting','to':'connected'");
  ADD(45, "sctp.state", ",'from':'new','to':'connecting'");
  ADD(66, "sctp.state", ",'from':'connecting','to':'connected','streams_in':7,'streams_out':9,'interleaving':1");
  ADD(70, "pc.state", ",'from':'connected','to':'disconnected','cause':'consent_lost'");
  ADD(80, "pc.state", ",'from':'disconnected','to':'connected'");
  const floe__story_pc *pc = pc_of(&s);
  assert_true(pc->connection.begin_ms == 10 && pc->connection.up_ms == 45 && pc->connection.state_ms == 80);
  assert_string_equal(pc->connection.cause, "");
  assert_true(pc->dtls.begin_ms == 20 && pc->dtls.up_ms == 45);
  assert_string_equal(pc->role, "client");
  assert_string_equal(pc->version, "DTLSv1.2");
  assert_string_equal(pc->cipher, "C");
  assert_string_equal(pc->group, "G");
  assert_string_equal(pc->fingerprint, "sha-256");
  assert_true(pc->sctp.begin_ms == 45 && pc->sctp.up_ms == 66);
  assert_int_equal(pc->streams_in, 7);
  assert_int_equal(pc->streams_out, 9);
  assert_true(pc->interleaving);
  floe__story_clear(&s);
}

static void another_session_takes_the_place(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(20, "dtls.state", ",'from':'new','to':'handshake','role':'client'");
  ADD(30, "dtls.state", ",'from':'handshake','to':'failed','cause':'dtls_timeout'");
  ADD(40, "dtls.state", ",'from':'new','to':'handshake','role':'server'");
  const floe__story_pc *pc = pc_of(&s);
  assert_true(pc->dtls.begin_ms == 40);
  assert_string_equal(pc->dtls.cause, "");
  assert_string_equal(pc->role, "server");
  floe__story_clear(&s);
}

/* A program closes what has failed, and why it failed is what counts. */
static void a_failure_outlives_the_close(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(20, "dtls.state",
      ",'from':'handshake','to':'failed','cause':'dtls_alert','certificate':1,'alert_received':42,'alert_sent':0");
  ADD(20, "pc.state", ",'from':'connecting','to':'failed','cause':'dtls_alert'");
  ADD(90, "pc.state", ",'from':'failed','to':'closed'");
  const floe__story_pc *pc = pc_of(&s);
  assert_string_equal(pc->connection.state, "failed");
  assert_string_equal(pc->connection.cause, "dtls_alert");
  assert_true(pc->connection.is_closed && pc->connection.state_ms == 20 && pc->connection.closed_ms == 90);
  assert_true(pc->has_alert_received && pc->has_alert_sent && pc->has_certificate);
  assert_int_equal(pc->alert_received, 42);
  assert_int_equal(pc->alert_sent, 0);
  floe__story_clear(&s);
}

static bool is_orderly(const char *members, double closed_ms) {
  floe__story s = {0};
  add_line(&s, 50, "sctp.state", members);
  if (closed_ms > 0) add_line(&s, closed_ms, "pc.state", ",'from':'connected','to':'closed'");
  bool orderly = floe__story_pc_is_orderly(&floe__story_agent_of(&s, 0)->pc);
  floe__story_clear(&s);
  return orderly;
}

static void an_abort_may_be_no_failure(void **state) {
  (void)state;
  assert_true(is_orderly(",'to':'closed','cause':'none'", 0));
  assert_false(is_orderly(",'to':'closed','cause':'sctp_timeout'", 50));
  assert_true(is_orderly(",'to':'closed','cause':'sctp_abort','by':'us','code':12", 50));
  assert_false(is_orderly(",'to':'closed','cause':'sctp_abort','by':'us','code':12", 51)); /* it was wrong before */
  assert_false(is_orderly(",'to':'closed','cause':'sctp_abort','by':'us','code':12", 0));
  assert_true(is_orderly(",'to':'closed','cause':'sctp_abort','by':'peer','code':12", 0));
  assert_false(is_orderly(",'to':'closed','cause':'sctp_abort','by':'peer','code':13", 50));
  assert_false(is_orderly(",'to':'closed','cause':'sctp_abort','by':'peer'", 50));
}

static void channels_are_counted(void **state) {
  (void)state;
  floe__story s = {0};
  ADD(1, "pc.channel.made", ",'channel':1,'by':'us'");
  ADD(2, "pc.channel.made", ",'channel':2,'by':'us'");
  ADD(10, "pc.channel", ",'channel':1,'from':'connecting','to':'open'");
  ADD(11, "pc.channel.made", ",'channel':3,'by':'peer'");
  ADD(11, "pc.channel", ",'channel':3,'from':'connecting','to':'open'");
  ADD(12, "pc.channel.message", ",'channel':3,'first':'received','bytes':9");
  ADD(13, "pc.channel.message", ",'channel':1,'first':'received','bytes':9");
  ADD(14, "pc.channel.message", ",'channel':1,'first':'sent','bytes':9");
  ADD(20, "pc.channel", ",'channel':1,'from':'open','to':'closing'");
  ADD(21, "pc.channel", ",'channel':1,'from':'closing','to':'closed'");
  ADD(22, "pc.channel", ",'channel':2,'from':'connecting','to':'closed'");
  const floe__story_pc *pc = pc_of(&s);
  assert_int_equal(pc->channels, 3);
  assert_int_equal(pc->channels_of_peer, 1);
  assert_int_equal(pc->opened, 2);
  assert_int_equal(pc->closed, 1); /* of those that were open */
  assert_true(pc->open_ms == 10 && pc->received_ms == 12 && pc->sent_ms == 14);
  floe__story_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_its_events_make_a_connection),
      cmocka_unit_test(the_first_negotiation_has_its_time),
      cmocka_unit_test(layers_have_their_times),
      cmocka_unit_test(another_session_takes_the_place),
      cmocka_unit_test(a_failure_outlives_the_close),
      cmocka_unit_test(an_abort_may_be_no_failure),
      cmocka_unit_test(channels_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
