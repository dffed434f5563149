#include "trace_fixture.h"
#include "trace_summary.h"

static const floe__trace_gaps no_gaps;

static void expect_lines(floe__story *s, const char *expected) {
  static const floe__summary_style plain;
  caught c;
  catch_open(&c);
  floe__trace_summary_print(c.out, s, &no_gaps, plain);
  const char *text = catch_close(&c);
  expect_contains(text, expected);
  catch_free(&c);
}

static void add_connected(floe__story *s) {
  add_line(s, 100, "pc.channel.made", ",'channel':1,'by':'us'");
  add_line(s, 100, "pc.description", ",'side':'local','type':'offer'");
  add_line(s, 200, "pc.description", ",'side':'remote','type':'answer'");
  add_line(s, 200, "pc.state", ",'from':'new','to':'connecting'");
  add_line(s, 200, "ice.state", ",'from':'new','to':'checking'");
  add_line(s, 210, "ice.state", ",'from':'checking','to':'connected'");
  add_line(s, 210, "dtls.state", ",'from':'new','to':'handshake','role':'client'");
  add_line(s, 250, "dtls.state", ",'to':'open','role':'client','version':'DTLSv1.2','cipher':'C','group':'x25519'");
  add_line(s, 250, "pc.state", ",'from':'connecting','to':'connected'");
  add_line(s, 250, "sctp.state", ",'from':'new','to':'connecting'");
  add_line(s, 270, "sctp.state", ",'to':'connected','streams_in':5,'streams_out':6,'interleaving':0");
  add_line(s, 270, "pc.channel", ",'channel':1,'from':'connecting','to':'open'");
}

static void each_layer_has_a_line(void **state) {
  (void)state;
  floe__story s = {0};
  add_connected(&s);
  add_line(&s, 280, "pc.channel.message", ",'channel':1,'first':'received','bytes':2");
  expect_lines(&s,
               "  connection     connected after 50.0 ms\n"
               "  signalling     our offer, answered after 100 ms\n"
               "  ICE            connected after 10.0 ms\n"
               "  DTLS           open after 40.0 ms (client, DTLSv1.2, C, x25519)\n"
               "  SCTP           connected after 20.0 ms (5 and 6 streams)\n"
               "  channels       1, 1 opened, 0 closed; first message received after 10.0 ms\n");
  floe__story_clear(&s);
}

static void an_orderly_end_is_no_failure(void **state) {
  (void)state;
  floe__story s = {0};
  add_connected(&s);
  add_line(&s, 450, "sctp.state", ",'to':'closed','cause':'sctp_abort','by':'us','code':12,'text':'it was closed'");
  add_line(&s, 450, "dtls.state", ",'to':'closed','role':'client','alert_sent':0");
  add_line(&s, 450, "pc.state", ",'from':'connected','to':'closed'");
  expect_lines(&s,
               "  connection     connected after 50.0 ms; closed after 250 ms\n"
               "  signalling     our offer, answered after 100 ms\n"
               "  ICE            connected after 10.0 ms\n"
               "  DTLS           open after 40.0 ms (client, DTLSv1.2, C, x25519); closed after 240 ms\n"
               "  SCTP           connected after 20.0 ms (5 and 6 streams); closed after 200 ms by us: it was closed\n"
               "  channels       1, 1 opened, 0 closed\n");
  floe__story_clear(&s);
}

static void a_failure_has_its_cause_where_it_is(void **state) {
  (void)state;
  floe__story s = {0};
  add_connected(&s);
  add_line(&s, 350, "sctp.state", ",'to':'closed','cause':'sctp_abort','by':'peer','code':13,'text':'why'");
  expect_lines(&s,
               "  SCTP           connected after 20.0 ms (5 and 6 streams); closed after 100 ms: sctp_abort by the "
               "peer, code 13: why\n"
               "                 the SCTP association was aborted\n"
               "                 try: ");
  floe__story_clear(&s);
  add_line(&s, 1, "dtls.state", ",'from':'new','to':'handshake','role':'server'");
  add_line(&s, 9, "dtls.state",
           ",'from':'handshake','to':'failed','role':'server','cause':'dtls_timeout','certificate':0");
  add_line(&s, 9, "pc.state", ",'from':'connecting','to':'failed','cause':'dtls_timeout'");
  add_line(&s, 9, "pc.state", ",'from':'failed','to':'closed'");
  expect_lines(&s,
               "  connection     failed: dtls_timeout; closed\n"
               "  DTLS           failed after 8.0 ms (server): dtls_timeout, the peer's certificate had not come\n"
               "                 ICE is connected, but the DTLS handshake was not finished in time\n"
               "                 try: ");
  floe__story_clear(&s);
}

static void signalling_that_came_to_nothing(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "pc.description.refused", ",'side':'remote','type':'offer','status':'FLOE_E_SYNTAX'");
  expect_lines(&s, "  signalling     no offer, 1 description refused (FLOE_E_SYNTAX)\n");
  floe__story_clear(&s);
  add_line(&s, 1, "pc.description", ",'side':'remote','type':'offer'");
  add_line(&s, 1, "pc.description.refused", ",'side':'local','type':'answer','status':'FLOE_E_TYPE'");
  add_line(&s, 1, "pc.description.refused", ",'side':'local','type':'answer','status':'FLOE_E_STATE'");
  expect_lines(&s, "  signalling     the peer's offer, not answered, 2 descriptions refused (FLOE_E_STATE)\n");
  floe__story_clear(&s);
}

static void later_negotiations_are_counted(void **state) {
  (void)state;
  floe__story s = {0};
  add_line(&s, 1, "pc.description", ",'side':'remote','type':'offer'");
  add_line(&s, 9, "pc.description", ",'side':'local','type':'answer'");
  add_line(&s, 19, "pc.description", ",'side':'remote','type':'offer','restart':1");
  add_line(&s, 19, "pc.description", ",'side':'local','type':'answer','restart':1");
  expect_lines(&s, "  signalling     the peer's offer, answered after 8.0 ms, 2 negotiations, 1 ICE restart\n");
  floe__story_clear(&s);
}

static void for_programs(void **state) {
  (void)state;
  floe__story s = {0};
  caught c;
  add_connected(&s);
  add_line(&s, 290, "dtls.state",
           ",'to':'failed','role':'client','cause':'dtls_alert','certificate':1,'alert_sent':40");
  catch_open(&c);
  floe__trace_summary_print_json(c.out, &s, &no_gaps);
  const char *text = catch_close(&c);
  expect_contains(
      text,
      "\"peerConnection\":{\"state\":\"connected\",\"cause\":null,\"connectedMs\":50.0,\"stateMs\":50.0,"
      "\"signaling\":{\"offeredBy\":\"us\",\"answeredMs\":100.0,\"negotiations\":1,\"iceRestarts\":0,\"refused\":0},"
      "\"dtls\":{\"state\":\"failed\",\"cause\":\"dtls_alert\",\"openMs\":40.0,\"stateMs\":80.0,\"role\":\"client\","
      "\"version\":\"DTLSv1.2\",\"cipher\":\"C\",\"group\":\"x25519\",\"peerCertificate\":true,\"alertSent\":40},"
      "\"sctp\":{\"state\":\"connected\",\"cause\":null,\"connectedMs\":20.0,\"stateMs\":20.0,\"streamsIn\":5,"
      "\"streamsOut\":6},"
      "\"channels\":{\"made\":1,\"madeByPeer\":0,\"opened\":1,\"closed\":0}}");
  catch_free(&c);
  floe__story_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_layer_has_a_line),
      cmocka_unit_test(an_orderly_end_is_no_failure),
      cmocka_unit_test(a_failure_has_its_cause_where_it_is),
      cmocka_unit_test(signalling_that_came_to_nothing),
      cmocka_unit_test(later_negotiations_are_counted),
      cmocka_unit_test(for_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
