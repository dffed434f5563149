/* Sending: order and completeness by content under loss, reliability, back-pressure, what is buffered, resets. */
#include "fixture.h"

static const floe__sctp_config plain = {.streams = 64};

static floe_status send_pattern(sctp_pair *p, int side, uint16_t stream, size_t len, uint32_t seed,
                                const floe__sctp_reliability *r) {
  uint8_t *data = malloc(len);
  fill_pattern(data, len, seed);
  floe_bytes b = {.ptr = data, .len = len};
  floe_status status = floe__sctp_send(p->side[side], stream, FLOE__PPID_BINARY, b, r, p->now);
  free(data);
  sctp_pair_drain(p, side);
  return status;
}

/* Each message of a stream begins with its number; lengths follow from it. */
typedef struct ledger {
  uint32_t next[64]; /* expected of each stream */
  size_t wrong;
  size_t seen[64];
} ledger;

static size_t length_of(uint16_t stream, uint32_t number) {
  uint32_t x = (number * 2654435761u) ^ (stream * 97u);
  return 4 + (x % 16 == 0 ? x % 20000 : x % 900);
}

static void check_in_order(sctp_pair *p, int side, const floe__sctp_event *e) {
  ledger *l = p->user;
  uint32_t number = 0;
  (void)side;
  if (e->stream < 64 && e->data.len >= 4) memcpy(&number, e->data.ptr, 4);
  bool right = e->stream < 64 && number == l->next[e->stream] && e->data.len == length_of(e->stream, number);
  for (size_t i = 4; right && i < e->data.len; i++) right = e->data.ptr[i] == pattern_at(number + e->stream, i);
  if (!right) {
    l->wrong++;
    return;
  }
  l->next[e->stream]++;
  l->seen[e->stream]++;
}

static floe_status send_numbered(sctp_pair *p, uint16_t stream, uint32_t number, const floe__sctp_reliability *r) {
  uint8_t data[20004];
  size_t len = length_of(stream, number);
  fill_pattern(data, len, number + stream);
  memcpy(data, &number, 4);
  return floe__sctp_send(p->side[0], stream, FLOE__PPID_BINARY, (floe_bytes){.ptr = data, .len = len}, r, p->now);
}

static void ordered_and_complete(double loss, uint64_t seed, bool interleaving, uint32_t count) {
  floe__sctp_config cfg = {.streams = 64, .no_interleaving = !interleaving};
  ledger l = {0};
  sctp_pair p;
  open_pair(&p, &cfg);
  p.seed = seed;
  p.loss = loss;
  p.jitter = 15 * FLOE_MS;
  p.twice = 0.05;
  p.on_message = check_in_order;
  p.user = &l;
  uint32_t number[64] = {0};
  for (uint32_t i = 0; i < count;) {
    uint16_t stream = (uint16_t)(sctp_pair_random(&p) % 8);
    if (send_numbered(&p, stream, number[stream], NULL) == FLOE_OK) {
      number[stream]++;
      i++;
    } else {
      sctp_pair_drain(&p, 0);
      sctp_pair_run(&p, 50);
    }
  }
  sctp_pair_drain(&p, 0);
  if (!sctp_pair_settle(&p, 3600 * 1000)) fail_msg("seed %llu does not settle", (unsigned long long)seed);
  assert_int_equal(l.wrong, 0);
  for (int stream = 0; stream < 8; stream++) assert_int_equal(l.seen[stream], number[stream]);
  assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
  sctp_pair_clear(&p);
}

static void order_without_loss(void **state) {
  (void)state;
  ordered_and_complete(0, 7, true, 50000);
  ordered_and_complete(0, 8, false, 50000);
}

static void order_under_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 6; seed++) ordered_and_complete(0.05 * (double)seed, seed, seed % 2 == 0, 400);
}

static void check_large(sctp_pair *p, int side, const floe__sctp_event *e) {
  (void)side;
  size_t *right = p->user;
  if (has_pattern(e->data, (uint32_t)e->data.len)) (*right)++;
}

static void sizes_of_messages(void **state) {
  (void)state;
  static const size_t sizes[] = {1,     2,     1099,  1100,  1101,  1116,  1120,   1132,   1144,   2000,  4096,
                                 16383, 16384, 16385, 65535, 65536, 65537, 131072, 200000, 262143, 262144};
  for (int interleaving = 0; interleaving < 2; interleaving++) {
    const floe__sctp_config cfg = {.streams = 64, .no_interleaving = interleaving == 0};
    size_t right = 0;
    sctp_pair p;
    open_pair(&p, &cfg);
    p.on_message = check_large;
    p.user = &right;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      assert_int_equal(send_pattern(&p, 0, 5, sizes[i], (uint32_t)sizes[i], NULL), FLOE_OK);
      assert_int_equal(send_pattern(&p, 1, 5, sizes[i], (uint32_t)sizes[i], NULL), FLOE_OK);
      assert_true(sctp_pair_settle(&p, 60000));
      assert_int_equal(right, 2 * (i + 1));
      assert_int_equal(p.bytes[0], p.bytes[1]);
    }
    assert_true(p.packet_max <= 1144);
    assert_true(p.packet_max > 1136); /* and it is used */
    sctp_pair_clear(&p);
  }
}

static void message_of_a_mebibyte(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 64, .receive_max = 4 * 1024 * 1024, .send_buffer = 64 * 1024};
  size_t right = 0;
  sctp_pair p;
  open_pair(&p, &cfg);
  p.on_message = check_large;
  p.user = &right;
  /* larger than send_buffer: taken when the queue is empty, and only then */
  assert_int_equal(send_pattern(&p, 0, 1, 1048576, 1048576, NULL), FLOE_OK);
  assert_int_equal(send_pattern(&p, 0, 2, 1, 1, NULL), FLOE_E_AGAIN);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(right, 1);
  assert_int_equal(send_pattern(&p, 0, 1, 3 * 1048576, 3 * 1048576, NULL), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(right, 2);
  sctp_pair_clear(&p);
}

static void packet_max_can_change(void **state) {
  (void)state;
  size_t right = 0;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_message = check_large;
  p.user = &right;
  floe__sctp_set_packet_max(p.side[0], 700);
  assert_int_equal(floe__sctp_info_of(p.side[0])->path_mtu, 700);
  p.packet_max = 0;
  assert_int_equal(send_pattern(&p, 0, 1, 50000, 50000, NULL), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(right, 1);
  assert_true(p.packet_max <= 700 && p.packet_max > 690);
  sctp_pair_clear(&p);
}

/* RFC 8260: a small message of another stream does not wait for the end of a large one. */
static void small_overtakes_large(bool interleaving) {
  const floe__sctp_config cfg = {.streams = 64, .no_interleaving = !interleaving, .receive_max = 2 * 1024 * 1024};
  sctp_pair p;
  open_pair(&p, &cfg);
  assert_int_equal(send_pattern(&p, 0, 1, 900000, 1, NULL), FLOE_OK);
  sctp_pair_run(&p, 30);
  assert_int_equal(sctp_pair_say(&p, 0, 2, "small"), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_string_equal(p.log[1], interleaving ? "message 2/51 small\nmessage 1/53 of 900000\n"
                                             : "message 1/53 of 900000\nmessage 2/51 small\n");
  sctp_pair_clear(&p);
}

static void interleaving_lets_small_messages_through(void **state) {
  (void)state;
  small_overtakes_large(true);
  small_overtakes_large(false);
}

static void many_streams_at_once(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 1024};
  size_t right = 0;
  sctp_pair p;
  open_pair(&p, &cfg);
  p.loss = 0.05;
  p.on_message = check_large;
  p.user = &right;
  for (uint16_t stream = 0; stream < 1024; stream++)
    assert_int_equal(send_pattern(&p, 0, stream, 1000, 1000, NULL), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 300000));
  assert_int_equal(right, 1024);
  for (uint16_t stream = 0; stream < 1024; stream++) assert_int_equal(floe__sctp_buffered(p.side[0], stream), 0);
  sctp_pair_clear(&p);
}

/* Unordered: what was not lost need not wait for what was. */
static bool lose_first_data(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)len;
  if (from != 0 || (packet[12] != 0 && packet[12] != 0x40) || p->user != NULL) return true;
  p->user = p;
  return false;
}

static void unordered_does_not_wait(void **state) {
  (void)state;
  const floe__sctp_reliability unordered = {.unordered = true};
  for (int in_order = 0; in_order < 2; in_order++) {
    sctp_pair p;
    open_pair(&p, &plain);
    p.on_packet = lose_first_data;
    for (int i = 0; i < 3; i++) {
      const char digit[2] = {(char)('a' + i), '\0'};
      floe__sctp_send(p.side[0], 1, 51, text_of(digit), in_order ? NULL : &unordered, p.now);
      sctp_pair_drain(&p, 0);
    }
    assert_true(sctp_pair_settle(&p, 10000));
    assert_string_equal(p.log[1], in_order ? "message 1/51 a\nmessage 1/51 b\nmessage 1/51 c\n"
                                           : "message 1/51 b\nmessage 1/51 c\nmessage 1/51 a\n");
    sctp_pair_clear(&p);
  }
}

/* RFC 7496 4.2: abandoned instead of sent again, and the next ones come. */
static void no_retransmission(void **state) {
  (void)state;
  const floe__sctp_reliability once = {.has_max_retransmits = true};
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = lose_first_data;
  floe__sctp_send(p.side[0], 1, 51, text_of("lost"), &once, p.now);
  sctp_pair_drain(&p, 0);
  floe__sctp_send(p.side[0], 1, 51, text_of("next"), &once, p.now);
  sctp_pair_drain(&p, 0);
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[1], "message 1/51 next\n");
  assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
  assert_int_equal(sctp_pair_say(&p, 0, 1, "reliable"), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[1], "message 1/51 next\nmessage 1/51 reliable\n");
  sctp_pair_clear(&p);
}

static void unreliable_under_loss(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    const floe__sctp_reliability r = {.unordered = kind % 2 == 1,
                                      .has_max_retransmits = kind < 2,
                                      .has_max_lifetime = kind >= 2,
                                      .max_lifetime_ms = 50};
    sctp_pair p;
    open_pair(&p, &plain);
    p.seed = 5 + (uint64_t)kind;
    p.loss = 0.2;
    size_t right = 0;
    p.on_message = check_large;
    p.user = &right;
    for (int i = 0; i < 300; i++) {
      floe_status status = send_pattern(&p, 0, (uint16_t)(i % 3), 3000, 3000, &r);
      assert_true(status == FLOE_OK || status == FLOE_E_AGAIN);
      sctp_pair_run(&p, 5);
    }
    assert_true(sctp_pair_settle(&p, 300000));
    assert_int_equal(right, p.messages[1]); /* those that come are whole */
    assert_true(right >= 30 && right < 300);
    assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
    p.loss = 0;
    assert_int_equal(send_pattern(&p, 0, 1, 100, 100, NULL), FLOE_OK);
    assert_true(sctp_pair_settle(&p, 60000));
    assert_int_equal(p.messages[1], right);
    sctp_pair_clear(&p);
  }
}

/* RFC 3758: the lifetime runs in the queue too. */
static void lifetime_ends_in_the_queue(void **state) {
  (void)state;
  const floe__sctp_reliability r = {.has_max_lifetime = true, .max_lifetime_ms = 100};
  sctp_pair p;
  open_pair(&p, &plain);
  assert_int_equal(send_pattern(&p, 0, 1, 200000, 1, NULL), FLOE_OK);
  p.is_dead[1] = true; /* nothing is acknowledged: the window stays closed */
  floe__sctp_send(p.side[0], 2, 51, text_of("stale"), &r, p.now);
  sctp_pair_drain(&p, 0);
  assert_int_equal(floe__sctp_buffered(p.side[0], 2), 5);
  sctp_pair_run(&p, 300);
  p.is_dead[1] = false;
  assert_true(sctp_pair_settle(&p, 60000));
  assert_string_equal(p.log[1], "message 1/53 of 200000\n");
  assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
  sctp_pair_clear(&p);
}

/* A message larger than what the engine is given ahead is abandoned while a part of it is still in our queue. */
static void large_message_is_abandoned(void **state) {
  (void)state;
  const floe__sctp_reliability r = {.has_max_lifetime = true, .max_lifetime_ms = 30};
  for (int interleaving = 0; interleaving < 2; interleaving++) {
    const floe__sctp_config cfg = {.streams = 8, .no_interleaving = interleaving == 0};
    sctp_pair p;
    open_pair(&p, &cfg);
    assert_int_equal(send_pattern(&p, 0, 1, 250000, 250000, &r), FLOE_OK);
    p.is_dead[1] = true;
    sctp_pair_run(&p, 500);
    p.is_dead[1] = false;
    assert_int_equal(sctp_pair_say(&p, 0, 1, "after it"), FLOE_OK);
    assert_int_equal(sctp_pair_say(&p, 0, 2, "and beside it"), FLOE_OK);
    assert_true(sctp_pair_settle(&p, 60000));
    assert_int_equal(p.messages[1], 2);
    assert_non_null(strstr(p.log[1], "message 1/51 after it\n"));
    assert_non_null(strstr(p.log[1], "message 2/51 and beside it\n"));
    assert_int_equal(floe__sctp_buffered_all(p.side[0]), 0);
    sctp_pair_clear(&p);
  }
}

static void buffered_goes_to_nothing(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  floe__sctp_send(p.side[0], 3, 51, text_of("0123456789"), NULL, p.now);
  assert_int_equal(floe__sctp_buffered(p.side[0], 3), 10);
  assert_int_equal(floe__sctp_buffered(p.side[0], 4), 0);
  assert_int_equal(floe__sctp_buffered_all(p.side[0]), 10);
  floe_bytes packet;
  floe__sctp_event event;
  assert_true(floe__sctp_next_packet(p.side[0], &packet)); /* now it has been handed over */
  assert_int_equal(floe__sctp_buffered(p.side[0], 3), 0);
  assert_true(floe__sctp_has_output(p.side[0]));
  assert_true(floe__sctp_next_event(p.side[0], &event));
  assert_int_equal(event.type, FLOE__SCTP_EVENT_SENT);
  assert_int_equal(event.stream, 3);
  assert_false(floe__sctp_next_event(p.side[0], &event));
  assert_false(floe__sctp_next_packet(p.side[0], &packet));
  assert_false(floe__sctp_has_output(p.side[0]));
  sctp_pair_clear(&p);
}

/* A retransmission is not counted a second time. */
static void retransmissions_are_not_counted(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.is_dead[0] = true;
  assert_int_equal(send_pattern(&p, 0, 1, 100000, 1, NULL), FLOE_OK);
  size_t buffered = floe__sctp_buffered(p.side[0], 1);
  assert_true(buffered > 80000 && buffered < 95000); /* the first window is gone */
  sctp_pair_run(&p, 1000);
  assert_true(p.packets[0] > 13); /* they were sent */
  assert_int_equal(floe__sctp_buffered(p.side[0], 1), buffered);
  p.is_dead[0] = false;
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(floe__sctp_buffered(p.side[0], 1), 0);
  sctp_pair_clear(&p);
}

static void full_queue_is_again_and_then_sent(void **state) {
  (void)state;
  const floe__sctp_config cfg = {.streams = 8, .send_buffer = 100000};
  sctp_pair p;
  open_pair(&p, &cfg);
  size_t taken = 0;
  while (send_pattern(&p, 0, 1, 10000, 10000, NULL) == FLOE_OK) taken++;
  assert_int_equal(taken, 11); /* ten in the queue, and one is under way */
  assert_true(floe__sctp_buffered_all(p.side[0]) <= 100000);
  size_t before = p.sent_events[0];
  sctp_pair_run(&p, 25);
  assert_true(p.sent_events[0] > before);
  assert_int_equal(send_pattern(&p, 0, 2, 10000, 10000, NULL), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_int_equal(p.messages[1], taken + 1);
  sctp_pair_clear(&p);
}

static void streams_are_reset_from_both_sides(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  assert_int_equal(sctp_pair_say(&p, 0, 3, "last"), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 3, p.now), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 3, p.now), FLOE_OK); /* twice is fine */
  assert_int_equal(sctp_pair_say(&p, 0, 3, "too late"), FLOE_E_STATE);
  sctp_pair_drain(&p, 0);
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[0], "reset out 3\n");
  assert_string_equal(p.log[1], "message 3/51 last\nreset in 3\n");
  sctp_pair_forget(&p);
  assert_int_equal(sctp_pair_say(&p, 1, 3, "the other direction is open"), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[1], 3, p.now), FLOE_OK);
  sctp_pair_drain(&p, 1);
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[1], "reset out 3\n");
  assert_string_equal(p.log[0], "message 3/51 the other direction is open\nreset in 3\n");
  sctp_pair_forget(&p);
  assert_int_equal(sctp_pair_say(&p, 0, 3, "again"), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 10000));
  assert_string_equal(p.log[1], "message 3/51 again\n");
  sctp_pair_clear(&p);
}

static size_t count_lines(const char *log, const char *line) {
  size_t n = 0;
  for (const char *at = strstr(log, line); at != NULL; at = strstr(at + 1, line)) n++;
  return n;
}

/* All at once, both sides, under loss, with data before it: each is told once, and every number is used again. */
static void resets_under_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    sctp_pair p;
    open_pair(&p, &plain);
    p.seed = seed;
    p.jitter = 10 * FLOE_MS;
    for (int round = 0; round < 3; round++) {
      p.loss = 0.2;
      sctp_pair_forget(&p);
      for (int side = 0; side < 2; side++) {
        for (uint16_t stream = 0; stream < 20; stream++) {
          if (stream % 3 == 0) assert_int_equal(sctp_pair_say(&p, side, stream, "x"), FLOE_OK);
          assert_int_equal(floe__sctp_reset_stream(p.side[side], stream, p.now), FLOE_OK);
          sctp_pair_drain(&p, side);
        }
      }
      assert_true(sctp_pair_settle(&p, 600000));
      for (int side = 0; side < 2; side++) {
        assert_int_equal(count_lines(p.log[side], "reset out "), 20);
        assert_int_equal(count_lines(p.log[side], "reset in "), 20);
        assert_int_equal(count_lines(p.log[side], "message "), 7);
      }
    }
    sctp_pair_clear(&p);
  }
}

/* A reset waits for what our own queue still holds. */
static void reset_waits_for_data(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  assert_int_equal(send_pattern(&p, 0, 1, 250000, 1, NULL), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 1, p.now), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 2, p.now), FLOE_OK);
  sctp_pair_drain(&p, 0);
  assert_true(sctp_pair_settle(&p, 60000));
  assert_non_null(strstr(p.log[1], "message 1/53 of 250000\nreset in 1\n"));
  assert_int_equal(count_lines(p.log[0], "reset out "), 2);
  sctp_pair_clear(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_without_loss),
      cmocka_unit_test(order_under_loss),
      cmocka_unit_test(sizes_of_messages),
      cmocka_unit_test(message_of_a_mebibyte),
      cmocka_unit_test(packet_max_can_change),
      cmocka_unit_test(interleaving_lets_small_messages_through),
      cmocka_unit_test(many_streams_at_once),
      cmocka_unit_test(unordered_does_not_wait),
      cmocka_unit_test(no_retransmission),
      cmocka_unit_test(unreliable_under_loss),
      cmocka_unit_test(lifetime_ends_in_the_queue),
      cmocka_unit_test(large_message_is_abandoned),
      cmocka_unit_test(buffered_goes_to_nothing),
      cmocka_unit_test(retransmissions_are_not_counted),
      cmocka_unit_test(full_queue_is_again_and_then_sent),
      cmocka_unit_test(streams_are_reset_from_both_sides),
      cmocka_unit_test(resets_under_loss),
      cmocka_unit_test(reset_waits_for_data),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
