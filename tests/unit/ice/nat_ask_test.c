/* One question: what counts as its answer, as silence, and as neither. */
#include "ice/nat_ask.h"

#include <string.h>

#include "stun/integrity.h"
#include "support/cmocka.h"
#include "support/sim_alloc.h"

#define SOCK  7
#define OTHER 8

static sim *s;
static sim_env *env;
static floe__settings settings;
static floe__io io;
static floe__nat_asks asks;
static const floe__stun_timing timing = {.rto_ms = 300, .transmissions = 4, .udp_timeout_ms = 2500};
static uint8_t buf[512];
static floe__stun_builder b;

static floe_addr addr(const char *text) {
  floe_addr a;
  if (!floe_addr_parse(&a, text)) fail_msg("no address: %s", text);
  return a;
}

static int set_up(void **state) {
  (void)state;
  s = sim_new(1);
  env = sim_env_new(s, 1);
  memset(&settings, 0, sizeof settings);
  io = (floe__io){.env = env->env, .settings = &settings, .now = FLOE_SECOND};
  asks = (floe__nat_asks){0};
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  floe__nat_asks_clear(&asks, io.env);
  floe__io_clear(&io);
  assert_int_equal(sim_env_free(env), 0);
  sim_free(s);
  return 0;
}

static floe__nat_ask *ask_with(uint32_t change, const char *from, floe_sock_id arrives_at) {
  floe__nat_ask_plan plan = {.sock = SOCK,
                             .to = addr("192.0.2.1:3478"),
                             .from = addr(from),
                             .change = change,
                             .arrives_at = arrives_at,
                             .timing = &timing};
  floe__nat_ask *ask = floe__nat_asks_add(&asks, &io, &plan);
  assert_non_null(ask);
  return ask;
}

static floe__nat_ask *ask_plainly(void) {
  return ask_with(0, "192.0.2.1:3478", 0);
}

/* How often it was sent, as far as the queue goes; the last of them is in `last`. */
static unsigned sent(floe__stun_msg *last) {
  static uint8_t copy[512];
  floe_output out;
  unsigned n = 0;
  while (floe__io_next(&io, &out)) {
    assert_int_equal(out.type, FLOE_OUTPUT_TRANSMIT);
    assert_int_equal(out.u.transmit.sock, SOCK);
    assert_true(out.u.transmit.data.len <= sizeof copy);
    memcpy(copy, out.u.transmit.data.ptr, out.u.transmit.data.len);
    if (last != NULL) {
      assert_int_equal(floe__stun_msg_parse(last, (floe_bytes){copy, out.u.transmit.data.len}), FLOE__STUN_OK);
    }
    n++;
  }
  return n;
}

static void begin_answer(const floe__nat_ask *ask, floe__stun_class cls) {
  floe__stun_begin(&b, buf, sizeof buf, cls, FLOE__STUN_BINDING, ask->request.txn.id);
}

static void begin_success(const floe__nat_ask *ask) {
  floe_addr mapped = addr("203.0.113.1:40000");
  begin_answer(ask, FLOE__STUN_SUCCESS);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &mapped);
}

/* True when it was one of ours. */
static bool arrive_at(floe_sock_id sock, const char *from) {
  floe__stun_msg m;
  floe_bytes message = floe__stun_end(&b);
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = sock, .addr = addr(from), .data = message};
  floe__stun_parse parse = floe__stun_msg_parse(&m, message);
  return floe__nat_asks_on_message(&asks, &in, &m, parse);
}

static bool arrive(void) {
  return arrive_at(SOCK, "192.0.2.1:3478");
}

static void pass(uint64_t ms) {
  io.now += ms * FLOE_MS;
  floe__nat_asks_on_deadline(&asks);
}

static void tell(floe_input_type type, const char *about, uint8_t icmp_code, floe_net_error error) {
  floe_input in = {
      .type = type, .sock = SOCK, .addr = addr(about), .icmp_type = 3, .icmp_code = icmp_code, .net_error = error};
  floe__nat_asks_on_error(&asks, &in);
}

static void an_answer(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  floe__stun_msg m;
  floe_addr other = addr("192.0.2.2:3479");
  assert_int_equal(sent(&m), 1);
  assert_false(floe__stun_has(&m, FLOE__STUN_CHANGE_REQUEST));
  assert_true(floe__stun_has(&m, FLOE__STUN_FINGERPRINT));
  begin_success(ask);
  floe__stun_put_addr(&b, FLOE__STUN_OTHER_ADDRESS, &other);
  io.now += 12 * FLOE_MS;
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_ANSWERED);
  assert_true(floe__nat_ask_has_answer(ask));
  floe_addr mapped = addr("203.0.113.1:40000");
  assert_true(floe_addr_equal(&ask->mapped, &mapped));
  assert_true(floe_addr_equal(&ask->other, &other));
  assert_true(ask->request.has_rtt);
  assert_true(ask->request.rtt_ms > 11.9 && ask->request.rtt_ms < 12.1);
  assert_true(floe__nat_asks_are_over(&asks));
  assert_int_equal(floe__nat_asks_deadline(&asks), FLOE_TIME_NEVER);
  begin_success(ask); /* once more */
  assert_false(arrive());
}

static void silence(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  assert_int_equal(floe__nat_asks_deadline(&asks), io.now + 300 * FLOE_MS);
  pass(300);
  pass(600);
  pass(1200);
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
  assert_int_equal(sent(NULL), 4);
  pass(400);
  assert_int_equal(ask->state, FLOE__NAT_ASK_SILENT);
  assert_int_equal(ask->cause, FLOE_CAUSE_UDP_TIMEOUT);
  assert_false(floe__nat_ask_has_answer(ask));
}

static void change_request(void **state) {
  (void)state;
  floe__stun_msg m;
  uint32_t value;
  floe__nat_ask *ask = ask_with(6, "192.0.2.2:3479", 0);
  assert_int_equal(sent(&m), 1);
  assert_true(floe__stun_get_u32(&m, FLOE__STUN_CHANGE_REQUEST, &value));
  assert_int_equal(value, 6);
  begin_success(ask);
  assert_true(arrive_at(SOCK, "192.0.2.2:3479"));
  assert_int_equal(ask->state, FLOE__NAT_ASK_ANSWERED);
}

/* Answered from where it was asked: the server does not know CHANGE-REQUEST, so silence would have meant nothing. */
static void an_answer_from_elsewhere(void **state) {
  (void)state;
  static const char *const elsewhere[] = {"192.0.2.1:3478", "192.0.2.2:3478", "192.0.2.9:3479"};
  for (size_t i = 0; i < 3; i++) {
    floe__nat_ask *ask = ask_with(6, "192.0.2.2:3479", 0);
    begin_success(ask);
    assert_true(arrive_at(SOCK, elsewhere[i]));
    assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
    assert_int_equal(ask->cause, FLOE_CAUSE_MALFORMED_RESPONSE);
  }
}

static void what_is_nobodys(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  begin_success(ask);
  assert_false(arrive_at(OTHER, "192.0.2.1:3478")); /* another socket */
  begin_answer(ask, FLOE__STUN_REQUEST);
  assert_false(arrive());
  begin_success(ask);
  buf[19] ^= 1; /* another transaction */
  assert_false(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
}

static void answers_of_no_use(void **state) {
  (void)state;
  floe_addr v6 = addr("[2001:db8::1]:7"), no_port = addr("203.0.113.1");
  floe__nat_ask *ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_SUCCESS); /* no address */
  assert_true(arrive());
  assert_int_equal(ask->cause, FLOE_CAUSE_MALFORMED_RESPONSE);
  ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_SUCCESS);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &v6);
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->mapped.family, FLOE_FAMILY_NONE);
  ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_SUCCESS);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &no_port);
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_ERROR);
  floe__stun_put_error(&b, 420, "Unknown Attribute");
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->cause, FLOE_CAUSE_STUN_ERROR);
  ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_ERROR);
  floe__stun_put_error(&b, 401, "Unauthenticated");
  assert_true(arrive());
  assert_int_equal(ask->cause, FLOE_CAUSE_AUTH_REQUIRED);
}

/* Something came, and could not be read: that is no silence. */
static void answers_that_are_discarded(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  begin_success(ask);
  floe__stun_put_fingerprint(&b);
  buf[b.w.len - 1] ^= 1;
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
  pass(2500);
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->cause, FLOE_CAUSE_BAD_FINGERPRINT);
}

static void a_server_of_rfc_3489(void **state) {
  (void)state;
  floe_addr mapped = addr("203.0.113.1:40001");
  floe__nat_ask *ask = ask_plainly();
  begin_answer(ask, FLOE__STUN_SUCCESS);
  floe__stun_put_addr(&b, FLOE__STUN_MAPPED_ADDRESS, &mapped);
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_ANSWERED);
  assert_true(floe_addr_equal(&ask->mapped, &mapped));
}

static void errors_of_the_network(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  tell(FLOE_INPUT_ICMP, "192.0.2.1:9", 3, FLOE_NET_OTHER); /* of another destination */
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
  tell(FLOE_INPUT_ICMP, "192.0.2.1:3478", 3, FLOE_NET_OTHER);
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->cause, FLOE_CAUSE_PORT_UNREACHABLE);
  ask = ask_plainly();
  tell(FLOE_INPUT_SEND_FAILED, "192.0.2.1:3478", 0, FLOE_NET_DENIED);
  assert_int_equal(ask->cause, FLOE_CAUSE_SEND_DENIED);
  ask = ask_plainly();
  tell(FLOE_INPUT_SEND_FAILED, "192.0.2.1:3478", 0, FLOE_NET_NO_RESOURCES); /* a lost packet, no more */
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
}

/* RFC 1122 3.2.2.1: a hint. The second one ends it; with one alone silence is no silence. */
static void hints_of_the_network(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_plainly();
  tell(FLOE_INPUT_ICMP, "192.0.2.1:3478", 1, FLOE_NET_OTHER);
  assert_int_equal(ask->state, FLOE__NAT_ASK_OPEN);
  tell(FLOE_INPUT_ICMP, "192.0.2.1:3478", 1, FLOE_NET_OTHER);
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->cause, FLOE_CAUSE_HOST_UNREACHABLE);
  ask = ask_plainly();
  tell(FLOE_INPUT_ICMP, "192.0.2.1:3478", 0, FLOE_NET_OTHER);
  pass(2500);
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
  assert_int_equal(ask->cause, FLOE_CAUSE_NET_UNREACHABLE);
}

static void a_hairpin_arrives(void **state) {
  (void)state;
  floe__stun_msg m;
  floe__nat_ask *ask = ask_with(0, "192.0.2.1:3478", OTHER);
  assert_int_equal(sent(&m), 1);
  floe_input in = {.type = FLOE_INPUT_DATAGRAM, .sock = SOCK, .addr = addr("203.0.113.1:40000"), .data = m.packet};
  assert_false(floe__nat_asks_on_message(&asks, &in, &m, FLOE__STUN_OK)); /* at its own socket: an echo */
  in.sock = OTHER;
  assert_true(floe__nat_asks_on_message(&asks, &in, &m, FLOE__STUN_OK));
  assert_int_equal(ask->state, FLOE__NAT_ASK_ANSWERED);
  assert_false(floe__nat_asks_on_message(&asks, &in, &m, FLOE__STUN_OK));
}

/* Somebody else lives at the public address, and answers. */
static void a_hairpin_that_is_answered(void **state) {
  (void)state;
  floe__nat_ask *ask = ask_with(0, "192.0.2.1:3478", OTHER);
  begin_success(ask);
  assert_true(arrive());
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED);
}

static void without_memory(void **state) {
  (void)state;
  floe__nat_ask_plan plan = {.sock = SOCK, .to = addr("192.0.2.1:1"), .from = addr("192.0.2.1:1"), .timing = &timing};
  env->alloc.fail_at = env->alloc.calls + 1;
  assert_null(floe__nat_asks_add(&asks, &io, &plan));
  env->alloc.fail_at = env->alloc.calls + 2; /* the queue's buffer: the first transmission is lost here */
  floe__nat_ask *ask = floe__nat_asks_add(&asks, &io, &plan);
  assert_non_null(ask);
  assert_true(ask->is_unsent);
  pass(2500);
  assert_int_equal(ask->state, FLOE__NAT_ASK_REFUSED); /* no silence of the server's */
  assert_int_equal(ask->cause, FLOE_CAUSE_SOCKET_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_answer, set_up, tear_down),
      cmocka_unit_test_setup_teardown(silence, set_up, tear_down),
      cmocka_unit_test_setup_teardown(change_request, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_answer_from_elsewhere, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_nobodys, set_up, tear_down),
      cmocka_unit_test_setup_teardown(answers_of_no_use, set_up, tear_down),
      cmocka_unit_test_setup_teardown(answers_that_are_discarded, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_server_of_rfc_3489, set_up, tear_down),
      cmocka_unit_test_setup_teardown(errors_of_the_network, set_up, tear_down),
      cmocka_unit_test_setup_teardown(hints_of_the_network, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_hairpin_arrives, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_hairpin_that_is_answered, set_up, tear_down),
      cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
