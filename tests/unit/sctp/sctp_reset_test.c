/* A request to reset streams that comes before the data it waits for (RFC 6525 5.2.2). The rest: sctp_send_test.c. */
#include "fixture.h"
#include "sctp/wire.h"

static const floe__sctp_config plain = {.streams = 16};

#define RE_CONFIG 0x82

typedef struct script {
  bool lose_data; /* of side 0, the first time */
  unsigned lost, requests, in_progress;
} script;

static bool is_data(const uint8_t *packet) {
  return packet[12] == 0 || packet[12] == 0x40;
}

static bool by_script(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  script *plan = p->user;
  (void)len;
  if (from == 0 && is_data(packet) && plan->lose_data) {
    plan->lose_data = false;
    plan->lost++;
    return false;
  }
  if (packet[12] != RE_CONFIG) return true;
  if (from == 0) plan->requests++;
  if (from == 1 && packet[17] == 16 && packet[27] == 6) plan->in_progress++; /* RFC 6525 4.4 */
  return true;
}

/* The last DATA is lost, and in a steady flow the request does not wait for it: it is held back at the other end until
 * the data is there, and then carried out, with no further DATA needed. */
static void early_request_is_held_back(void **state) {
  (void)state;
  sctp_pair p;
  script plan = {0};
  open_pair(&p, &plain);
  p.on_packet = by_script;
  p.user = &plan;
  for (int i = 0; i < 40; i++) { /* something is always under way */
    assert_int_equal(sctp_pair_say(&p, 0, 1, "flow"), FLOE_OK);
    if (i == 5) assert_int_equal(floe__sctp_reset_stream(p.side[0], 2, p.now), FLOE_OK);
    if (i == 33) plan.lose_data = true;
    sctp_pair_run(&p, 10);
    if (plan.requests > 0) break;
  }
  assert_true(sctp_pair_settle(&p, 10000));
  assert_int_equal(plan.lost, 1);
  assert_true(plan.requests >= 1);
  assert_int_equal(plan.in_progress, 0);
  assert_non_null(strstr(p.log[1], "reset in 2\n"));
  assert_string_equal(p.log[0], "reset out 2\n");
  sctp_pair_clear(&p);
}

/* Request and data in one packet: the data goes on, the request waits for nothing more. */
static void request_after_lost_data(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    sctp_pair p;
    script plan = {.lose_data = true};
    open_pair(&p, &plain);
    p.on_packet = by_script;
    p.user = &plan;
    for (int k = 0; k <= i; k++) assert_int_equal(sctp_pair_say(&p, 0, 3, "data"), FLOE_OK);
    assert_int_equal(floe__sctp_reset_stream(p.side[0], 3, p.now), FLOE_OK);
    sctp_pair_drain(&p, 0);
    assert_true(sctp_pair_settle(&p, 20000));
    assert_int_equal(plan.lost, 1);
    assert_int_equal(plan.in_progress, 0);
    assert_int_equal(p.messages[1], (size_t)i + 1);
    assert_string_equal(p.log[0], "reset out 3\n");
    assert_string_equal(strstr(p.log[1], "reset"), "reset in 3\n");
    sctp_pair_clear(&p);
  }
}

static bool drop_re_config(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)p, (void)from, (void)len;
  return packet[12] != RE_CONFIG;
}

/* It is asked again as long as the association lives, and the association does not live without an answer. */
static void peer_that_never_answers_a_reset(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = drop_re_config;
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 3, p.now), FLOE_OK);
  sctp_pair_drain(&p, 0);
  assert_int_equal(sctp_pair_say(&p, 0, 3, "too late"), FLOE_E_STATE);
  sctp_pair_run(&p, 20000);
  assert_string_equal(p.log[0], "");
  p.on_packet = NULL;
  assert_true(sctp_pair_settle(&p, 60000));
  assert_string_equal(p.log[0], "reset out 3\n");
  assert_string_equal(p.log[1], "reset in 3\n");
  sctp_pair_clear(&p);
}

#define COOKIE_ECHO 10
#define COOKIE_ACK  11

static bool lose_cookies_of_0(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)len;
  return p->user == NULL || from == 1 || (packet[12] != COOKIE_ECHO && packet[12] != COOKIE_ACK);
}

/* One side is connected and closes a stream, the other one does not know yet that it is. Found by fuzzing. */
static void request_in_the_handshake(void **state) {
  (void)state;
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &plain);
  p.on_packet = lose_cookies_of_0;
  p.user = &p;
  for (int side = 0; side < 2; side++) {
    floe__sctp_connect(p.side[side], p.now);
    sctp_pair_drain(&p, side);
  }
  sctp_pair_run(&p, 100);
  assert_string_equal(p.log[0], "connected 16/16\n");
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 1, p.now), FLOE_OK);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 200);
  assert_string_equal(p.log[1], "");
  p.user = NULL;
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[1], "connected 16/16\n");
  assert_string_equal(p.log[0], "connected 16/16\nreset out 1\n");
  sctp_pair_clear(&p);
}

static void many_resets_at_once(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 1000};
  sctp_pair p;
  open_pair(&p, &cfg);
  for (uint16_t stream = 0; stream < 1000; stream++)
    assert_int_equal(floe__sctp_reset_stream(p.side[0], stream, p.now), FLOE_OK);
  sctp_pair_drain(&p, 0);
  assert_true(sctp_pair_settle(&p, 60000));
  for (uint16_t stream = 0; stream < 1000; stream++) assert_int_equal(sctp_pair_say(&p, 0, stream, "x"), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(p.messages[1], 1000);
  sctp_pair_clear(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(early_request_is_held_back),
      cmocka_unit_test(request_after_lost_data),
      cmocka_unit_test(peer_that_never_answers_a_reset),
      cmocka_unit_test(request_in_the_handshake),
      cmocka_unit_test(many_resets_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
