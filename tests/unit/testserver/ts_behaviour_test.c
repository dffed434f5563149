/* RFC 5780: who answers, and what the answers say of it. */
#include "support/cmocka.h"
#include "support/ts_rig.h"
#include "testserver/ts_internal.h"

static ts_rig rig;
static ts_client client;
static floe__ts_square square;
static const char *const corners[4] = {"192.0.2.1:3478", "192.0.2.1:3479", "192.0.2.2:3478", "192.0.2.2:3479"};

static floe__ts_listener listen_at(const char *address, const char *script) {
  floe__ts_script parsed;
  char why[200];
  size_t offset;
  floe_addr local = ts_addr(address);
  assert_true(floe__ts_script_parse(&parsed, script, why, sizeof why, &offset));
  return floe__testserver_listen(rig.ts, FLOE_TRANSPORT_UDP, &local, &parsed);
}

static int set_up(void **state) {
  (void)state;
  ts_rig_init(&rig, NULL);
  for (size_t i = 0; i < 4; i++) square.at[i >> 1][i & 1] = listen_at(corners[i], "correct");
  assert_true(floe__testserver_set_square(rig.ts, &square));
  ts_client_init(&client, &rig, square.at[0][0], "198.51.100.7:40000");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  ts_client_clear(&client);
  ts_rig_clear(&rig);
  return 0;
}

static floe__ts_listener sender; /* of the last answer */

/* Sends, and takes the answer, whoever it is from. */
static int exchange(void) {
  floe__ts_listener asked = client.listener;
  int code = ts_send(&client);
  sender = asked;
  if (code != TS_NONE) return code;
  const floe__ts_output *out = ts_rig_find(&rig, FLOE__TS_SEND, 0);
  if (out == NULL) return TS_NONE;
  client.listener = sender = out->listener;
  code = ts_receive(&client);
  client.listener = asked;
  return code;
}

static int ask(uint32_t change) {
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_BINDING);
  if (change != 0) floe__stun_put_u32(b, FLOE__STUN_CHANGE_REQUEST, change);
  return exchange();
}

static void assert_sent_from(floe__ts_listener listener) {
  assert_int_equal(sender, listener);
  assert_null(ts_rig_find(&rig, FLOE__TS_SEND, 0)); /* one answer, and taken */
}

static void assert_addr_attr(floe__stun_attr attr, const char *want) {
  floe_addr addr;
  char text[FLOE_ADDR_TEXT];
  assert_true(floe__stun_get_addr(&client.m, attr, &addr));
  assert_string_equal(floe_addr_format(&addr, text), want);
}

/* Each port, asked for each change: who answers, and the two addresses it tells. */
static void each_port_answers_for_the_others(void **state) {
  (void)state;
  static const struct {
    uint32_t change;
    unsigned ip, port;
  } rows[] = {{0, 0, 0}, {2, 0, 1}, {4, 1, 0}, {6, 1, 1}};
  for (unsigned at = 0; at < 4; at++) {
    client.listener = square.at[at >> 1][at & 1];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
      unsigned from = at ^ (rows[i].ip << 1 | rows[i].port);
      assert_int_equal(ask(rows[i].change), 0);
      assert_sent_from(square.at[from >> 1][from & 1]);
      assert_addr_attr(FLOE__STUN_RESPONSE_ORIGIN, corners[from]);
      assert_addr_attr(FLOE__STUN_OTHER_ADDRESS, corners[at ^ 3]);
      floe_addr mapped;
      assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
      assert_true(floe_addr_equal(&mapped, &client.addr));
    }
  }
}

/* RFC 5780 7.2: only two bits have a meaning. */
static void other_bits_are_ignored(void **state) {
  (void)state;
  assert_int_equal(ask(0xfffffff9u), 0);
  assert_sent_from(square.at[0][0]);
}

static void without_alternates_it_is_an_unknown_attribute(void **state) {
  (void)state;
  client.listener = listen_at("192.0.2.9:3478", "correct");
  assert_int_equal(ask(0), 0);
  assert_false(floe__stun_has(&client.m, FLOE__STUN_RESPONSE_ORIGIN));
  assert_false(floe__stun_has(&client.m, FLOE__STUN_OTHER_ADDRESS));
  assert_int_equal(ask(6), 420);
  assert_true(floe__stun_names_unknown(&client.m, 0x0003));
  assert_int_equal(floe__stun_get(&client.m, FLOE__STUN_UNKNOWN_ATTRIBUTES).len, 2);
}

/* RFC 5780 7.5 and 7.6 are optional, and not done. */
static void padding_and_response_port_are_unknown(void **state) {
  (void)state;
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_BINDING);
  floe__stun_put_u32(b, FLOE__STUN_CHANGE_REQUEST, 2);
  floe__stun_put_u32(b, FLOE__STUN_PADDING, 0);
  floe__stun_put_u32(b, FLOE__STUN_RESPONSE_PORT, 50000u << 16);
  assert_int_equal(exchange(), 420);
  assert_sent_from(square.at[0][0]);
  assert_true(floe__stun_names_unknown(&client.m, 0x0026));
  assert_true(floe__stun_names_unknown(&client.m, 0x0027));
  assert_int_equal(floe__stun_get(&client.m, FLOE__STUN_UNKNOWN_ATTRIBUTES).len, 4);
}

static void only_binding_has_it(void **state) {
  (void)state;
  assert_int_equal(ts_allocate(&client), 401);
  ts_learn(&client);
  floe__stun_builder *b = ts_begin(&client, FLOE__STUN_ALLOCATE);
  floe__stun_put_u32(b, FLOE__STUN_CHANGE_REQUEST, 2);
  assert_int_equal(ts_send(&client), 420);
  assert_true(floe__stun_names_unknown(&client.m, 0x0003));
}

/* The fault in the way of the request is that of the port it came to, the one in the answer that of its sender. */
static void scripts_of_both_ports_count(void **state) {
  (void)state;
  floe__ts_square mixed = square;
  mixed.at[1][1] = listen_at("192.0.2.2:3479", "no-address");
  mixed.at[0][0] = listen_at("192.0.2.1:3478", "correct");
  assert_true(floe__testserver_set_square(rig.ts, &mixed));
  floe_addr mapped;
  client.listener = mixed.at[0][0];
  assert_int_equal(ask(6), 0);
  assert_false(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
  assert_int_equal(ask(4), 0);
  assert_true(floe__stun_get_xor_addr(&client.m, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped));
}

static void signed_requests_are_answered_signed(void **state) {
  (void)state;
  ts_rig_clear(&rig);
  floe__ts_config cfg = ts_rig_config();
  cfg.stun_needs_auth = true;
  ts_rig_init(&rig, &cfg);
  for (size_t i = 0; i < 4; i++) square.at[i >> 1][i & 1] = listen_at(corners[i], "correct");
  assert_true(floe__testserver_set_square(rig.ts, &square));
  client.listener = square.at[0][0];
  assert_int_equal(ask(6), 401);
  ts_learn(&client);
  assert_int_equal(ask(6), 0);
  assert_sent_from(square.at[1][1]);
  assert_true(ts_is_signed_well(&client));
}

static void a_square_needs_four_udp_ports(void **state) {
  (void)state;
  floe__ts_square bad = square;
  bad.at[1][0] = 77;
  assert_false(floe__testserver_set_square(rig.ts, &bad));
  bad.at[1][0] = ts_rig_listen(&rig, FLOE_TRANSPORT_TCP, NULL);
  assert_false(floe__testserver_set_square(rig.ts, &bad));
  assert_int_equal(ask(6), 0); /* the old one stands */
  assert_sent_from(square.at[1][1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(each_port_answers_for_the_others, set_up, tear_down),
      cmocka_unit_test_setup_teardown(other_bits_are_ignored, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_alternates_it_is_an_unknown_attribute, set_up, tear_down),
      cmocka_unit_test_setup_teardown(padding_and_response_port_are_unknown, set_up, tear_down),
      cmocka_unit_test_setup_teardown(only_binding_has_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(scripts_of_both_ports_count, set_up, tear_down),
      cmocka_unit_test_setup_teardown(signed_requests_are_answered_signed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_square_needs_four_udp_ports, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
