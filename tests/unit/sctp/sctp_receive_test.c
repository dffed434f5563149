/* Receiving: whole messages only, limits, back-pressure, the order of events, ends that the peer brings about. */
#include "fixture.h"
#include "sctp/crc32c.h"

static const floe__sctp_config plain = {.streams = 64};

static floe_status send_bytes(sctp_pair *p, int side, uint16_t stream, uint32_t ppid, size_t len) {
  uint8_t *data = malloc(len);
  fill_pattern(data, len, (uint32_t)len);
  floe_status status =
      floe__sctp_send(p->side[side], stream, ppid, (floe_bytes){.ptr = data, .len = len}, NULL, p->now);
  free(data);
  sctp_pair_drain(p, side);
  return status;
}

static void protocol_identifiers_come_through(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  static const uint32_t ppids[] = {50, 51, 53, 56, 57, 0, UINT32_MAX};
  for (size_t i = 0; i < sizeof ppids / sizeof *ppids; i++)
    floe__sctp_send(p.side[0], (uint16_t)i, ppids[i], text_of("x"), NULL, p.now);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 10);
  assert_string_equal(p.log[1],
                      "message 0/50 x\nmessage 1/51 x\nmessage 2/53 x\nmessage 3/56 x\nmessage 4/57 x\n"
                      "message 5/0 x\nmessage 6/4294967295 x\n");
  sctp_pair_clear(&p);
}

static void too_large_is_aborted(size_t limit) {
  const floe__sctp_config small = {.streams = 64, .receive_max = limit};
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &small);
  sctp_pair_connect(&p);
  sctp_pair_forget(&p);
  assert_int_equal(send_bytes(&p, 0, 1, 53, limit), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(p.bytes[1], limit);
  assert_string_equal(p.log[0], "");
  assert_int_equal(send_bytes(&p, 0, 1, 53, limit + 1), FLOE_OK);
  sctp_pair_run(&p, 2000);
  assert_int_equal(p.bytes[1], limit);
  assert_non_null(strstr(p.log[1], "closed sctp_abort by us: a message is larger than max-message-size allows (12)\n"));
  assert_string_equal(
      p.log[0], "closed sctp_abort: User-Initiated Abort: a message is larger than max-message-size allows (12)\n");
  sctp_pair_clear(&p);
}

static void larger_than_the_limit(void **state) {
  (void)state;
  too_large_is_aborted(1000);
  too_large_is_aborted(65536);
  too_large_is_aborted(100000);
}

/* What is not taken stays in the window, and the window closes. Nothing is lost, and nobody gives up. */
static void window_closes_and_opens(void **state) {
  (void)state;
  for (int large = 0; large < 2; large++) {
    const floe__sctp_config cfg = {.streams = 64, .receive_buffer = 262144};
    size_t len = large ? 200000 : 1000;
    sctp_pair p;
    open_pair(&p, &cfg);
    p.does_not_read[1] = true;
    size_t sent = 0;
    for (int i = 0; i < 3000 && sent < 3000; i++) {
      while (send_bytes(&p, 0, 1, 53, len) == FLOE_OK) sent++;
      sctp_pair_run(&p, 100);
    }
    size_t under_way = sent * len - floe__sctp_buffered_all(p.side[0]);
    assert_true(under_way < 400000); /* about the window, as usrsctp counts it, went out */
    assert_true(floe__sctp_buffered_all(p.side[0]) > 1048576 - len);
    size_t packets = p.packets[0];
    sctp_pair_run(&p, 300000);
    assert_true(p.packets[0] - packets < 1000); /* probes only */
    assert_string_equal(p.log[0], "");
    p.does_not_read[1] = false;
    sctp_pair_drain(&p, 1);
    assert_true(sctp_pair_settle(&p, 300000));
    assert_int_equal(p.messages[1], sent);
    assert_int_equal(p.bytes[1], sent * len);
    assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
    sctp_pair_clear(&p);
  }
}

static void data_is_valid_until_the_next_call(void **state) {
  (void)state;
  static const size_t sizes[] = {10, 5000, 70000, 200000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    sctp_pair p;
    open_pair(&p, &plain);
    p.does_not_read[1] = true;
    assert_int_equal(send_bytes(&p, 0, 1, 53, sizes[i]), FLOE_OK);
    assert_int_equal(send_bytes(&p, 0, 2, 53, sizes[i]), FLOE_OK);
    sctp_pair_run(&p, 2000);
    floe__sctp_event e;
    for (uint16_t stream = 1; stream <= 2; stream++) {
      assert_true(floe__sctp_has_output(p.side[1]));
      assert_true(floe__sctp_next_event(p.side[1], &e));
      assert_int_equal(e.type, FLOE__SCTP_EVENT_MESSAGE);
      assert_int_equal(e.data.len, sizes[i]);
      assert_true(has_pattern(e.data, (uint32_t)sizes[i]));
    }
    assert_false(floe__sctp_next_event(p.side[1], &e));
    sctp_pair_clear(&p);
  }
}

/* Two large messages of two streams come in turns; each is put together by itself. */
static void pieces_of_two_streams(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 64, .receive_max = 1048576, .receive_buffer = 65536};
  sctp_pair p;
  open_pair(&p, &cfg);
  assert_int_equal(send_bytes(&p, 0, 1, 53, 400000), FLOE_OK);
  assert_int_equal(send_bytes(&p, 0, 2, 53, 400001), FLOE_OK);
  assert_int_equal(send_bytes(&p, 0, 3, 53, 100002), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_string_equal(p.log[1], "message 3/53 of 100002\nmessage 1/53 of 400000\nmessage 2/53 of 400001\n");
  sctp_pair_clear(&p);
}

/* A message larger than any window: no limit but the sender's. */
static void message_without_a_limit(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 4, .receive_max = SIZE_MAX};
  sctp_pair p;
  open_pair(&p, &cfg);
  assert_int_equal(send_bytes(&p, 0, 1, 53, 20 * 1024 * 1024), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 600000));
  assert_string_equal(p.log[1], "message 1/53 of 20971520\n");
  sctp_pair_clear(&p);
}

static void messages_before_the_end_are_told_first(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.does_not_read[1] = true;
  assert_int_equal(sctp_pair_say(&p, 0, 1, "one"), FLOE_OK);
  assert_int_equal(sctp_pair_say(&p, 0, 1, "two"), FLOE_OK);
  sctp_pair_run(&p, 50);
  floe__sctp_abort(p.side[0], "bye", p.now);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 50);
  p.does_not_read[1] = false;
  sctp_pair_drain(&p, 1);
  assert_string_equal(p.log[1],
                      "message 1/51 one\nmessage 1/51 two\nclosed sctp_abort: User-Initiated Abort: bye (12)\n");
  sctp_pair_clear(&p);
}

/* The same association is begun anew at the other end: what was said before is not known there, so it is over. */
static void peer_begins_anew(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  floe__sctp_free(p.side[0]);
  p.side[0] = floe__sctp_new(p.env, &plain, p.now);
  floe__sctp_connect(p.side[0], p.now);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 2000);
  assert_string_equal(p.log[1], "closed sctp_abort by us: the peer has begun a new association (12)\n");
  sctp_pair_clear(&p);
}

/* RFC 9260 9.2. We never send SHUTDOWN ourselves: a SACK becomes one on the way. */
static uint8_t header[12];
static bool sack_to_shutdown(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  if (from == 1) return packet[12] != 8; /* SHUTDOWN ACK is kept from an end that asked for nothing */
  memcpy(header, packet, 12);
  if (packet[12] != 3 || p->user == NULL) return true;
  packet[12] = 7;
  packet[15] = 8;
  *len = 20;
  floe__sctp_checksum_write(packet, *len);
  return true;
}

static void peer_shuts_down_in_order(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = sack_to_shutdown;
  p.user = &p;
  assert_int_equal(sctp_pair_say(&p, 1, 1, "x"), FLOE_OK);
  sctp_pair_run(&p, 100);
  uint8_t complete[16] = {0};
  memcpy(complete, header, 12);
  complete[12] = 14;
  complete[15] = 4;
  floe__sctp_checksum_write(complete, sizeof complete);
  floe__sctp_on_packet(p.side[1], (floe_bytes){.ptr = complete, .len = sizeof complete}, p.now);
  sctp_pair_drain(&p, 1);
  assert_string_equal(p.log[1], "closed none\n");
  sctp_pair_clear(&p);
}

/* A DATA chunk without data: RFC 9260 6.2 has it aborted, with the cause told to both. */
static bool cut_data(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)p;
  if (from != 0 || packet[12] != 0x40) return true;
  packet[15] = 20;
  *len = 32;
  floe__sctp_checksum_write(packet, *len);
  return true;
}

static void data_without_data(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = cut_data;
  assert_int_equal(sctp_pair_say(&p, 0, 1, "xxxx"), FLOE_OK);
  sctp_pair_run(&p, 100);
  assert_string_equal(p.log[1], "closed sctp_abort by us: No User Data (9)\n");
  assert_string_equal(p.log[0], "closed sctp_abort: No User Data (9)\n");
  sctp_pair_clear(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(protocol_identifiers_come_through),
      cmocka_unit_test(larger_than_the_limit),
      cmocka_unit_test(window_closes_and_opens),
      cmocka_unit_test(data_is_valid_until_the_next_call),
      cmocka_unit_test(pieces_of_two_streams),
      cmocka_unit_test(message_without_a_limit),
      cmocka_unit_test(messages_before_the_end_are_told_first),
      cmocka_unit_test(peer_begins_anew),
      cmocka_unit_test(peer_shuts_down_in_order),
      cmocka_unit_test(data_without_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
