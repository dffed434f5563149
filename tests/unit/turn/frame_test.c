#include "turn/frame.h"

#include "memory.h"

typedef struct fixture {
  memory memory;
  floe__turn_framer f;
} fixture;

static int set_up(void **state) {
  fixture *fx = calloc(1, sizeof *fx);
  assert_non_null(fx);
  memory_init(&fx->memory);
  floe__turn_framer_init(&fx->f, fx->memory.env);
  *state = fx;
  return 0;
}

static int tear_down(void **state) {
  fixture *fx = *state;
  floe__turn_framer_clear(&fx->f);
  memory_clear(&fx->memory);
  free(fx);
  return 0;
}

/* A Binding success with a body of 8 bytes: 28 bytes in all. */
static const uint8_t stun[28] = {0x01, 0x01, 0x00, 0x08, 0x21, 0x12, 0xA4, 0x42, 1,    2,    3,   4,   5,   6,
                                 7,    8,    9,    10,   11,   12,   0x80, 0x22, 0x00, 0x04, 't', 'e', 's', 't'};
/* Channel 0x4001, 5 bytes, padded by 3. */
static const uint8_t channel[12] = {0x40, 0x01, 0x00, 0x05, 'h', 'e', 'l', 'l', 'o', 0xEE, 0xEE, 0xEE};

static floe__turn_frame next(fixture *fx, floe_bytes *in, floe_bytes *out) {
  return floe__turn_framer_next(&fx->f, in, out);
}

static void assert_bytes(floe_bytes b, const void *expected, size_t len) {
  assert_int_equal(b.len, len);
  assert_memory_equal(b.ptr, expected, len);
}

/* Feeds byte by byte; returns how many bytes it took to see `verdict`, 0 when it did not come. */
static size_t bytes_until(fixture *fx, const uint8_t *bytes, size_t len, floe__turn_frame verdict, floe_bytes *out) {
  for (size_t i = 0; i < len; i++) {
    floe_bytes in = {bytes + i, 1};
    floe__turn_frame got = next(fx, &in, out);
    if (got == verdict) return i + 1;
    assert_int_equal(got, FLOE__TURN_FRAME_MORE);
    assert_int_equal(in.len, 0);
  }
  return 0;
}

static void whole_message_is_not_copied(void **state) {
  fixture *fx = *state;
  floe_bytes in = {stun, sizeof stun}, out;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_ptr_equal(out.ptr, stun);
  assert_int_equal(out.len, sizeof stun);
  assert_int_equal(in.len, 0);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  assert_int_equal(fx->memory.calls, 0);
}

static void stun_byte_by_byte(void **state) {
  fixture *fx = *state;
  floe_bytes out;
  for (int round = 0; round < 3; round++) {
    assert_int_equal(bytes_until(fx, stun, sizeof stun, FLOE__TURN_FRAME_MESSAGE, &out), sizeof stun);
    assert_bytes(out, stun, sizeof stun);
  }
}

static void channel_data_byte_by_byte_waits_for_its_padding(void **state) {
  fixture *fx = *state;
  floe_bytes out;
  fx->f.channel_data = true;
  for (int round = 0; round < 3; round++) {
    assert_int_equal(bytes_until(fx, channel, sizeof channel, FLOE__TURN_FRAME_MESSAGE, &out), sizeof channel);
    assert_bytes(out, channel, 9);
  }
}

static void channel_data_without_data(void **state) {
  fixture *fx = *state;
  static const uint8_t empty[4] = {0x4F, 0xFF, 0, 0};
  floe_bytes out;
  fx->f.channel_data = true;
  assert_int_equal(bytes_until(fx, empty, sizeof empty, FLOE__TURN_FRAME_MESSAGE, &out), 4);
  assert_bytes(out, empty, 4);
  floe_bytes in = {empty, sizeof empty};
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, empty, 4);
}

static void header_alone_is_a_stun_message(void **state) {
  fixture *fx = *state;
  uint8_t empty[20];
  memcpy(empty, stun, sizeof empty);
  empty[3] = 0;
  floe_bytes out;
  assert_int_equal(bytes_until(fx, empty, sizeof empty, FLOE__TURN_FRAME_MESSAGE, &out), 20);
  assert_bytes(out, empty, 20);
}

static void several_messages_in_one_piece(void **state) {
  fixture *fx = *state;
  uint8_t bytes[sizeof stun + sizeof channel + sizeof stun + 3];
  memcpy(bytes, stun, sizeof stun);
  memcpy(bytes + sizeof stun, channel, sizeof channel);
  memcpy(bytes + sizeof stun + sizeof channel, stun, sizeof stun);
  memcpy(bytes + sizeof bytes - 3, channel, 3);
  fx->f.channel_data = true;
  floe_bytes in = {bytes, sizeof bytes}, out;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, stun, sizeof stun);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, channel, 9);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, stun, sizeof stun);
  assert_int_equal(fx->memory.calls, 0);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  assert_int_equal(in.len, 0);
  in = (floe_bytes){channel + 3, sizeof channel - 3};
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, channel, 9);
}

static void rest_of_one_and_the_next_in_one_piece(void **state) {
  fixture *fx = *state;
  uint8_t bytes[2 * sizeof stun];
  memcpy(bytes, stun, sizeof stun);
  memcpy(bytes + sizeof stun, stun, sizeof stun);
  floe_bytes in = {bytes, 10}, out;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  in = (floe_bytes){bytes + 10, sizeof bytes - 10};
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, stun, sizeof stun);
  assert_int_equal(in.len, sizeof stun);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_ptr_equal(out.ptr, bytes + sizeof stun);
  assert_bytes(out, stun, sizeof stun);
}

static void buffer_is_freed_between_messages(void **state) {
  fixture *fx = *state;
  floe_bytes out;
  assert_int_equal(bytes_until(fx, stun, sizeof stun, FLOE__TURN_FRAME_MESSAGE, &out), sizeof stun);
  assert_int_equal(fx->memory.live, 2); /* `out` points into it */
  floe_bytes in = {0};
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  assert_null(fx->f.buf);
  assert_int_equal(fx->memory.live, 1);
}

/* --- what cannot begin a message ------------------------------------------------------------------------------- */

static void first_byte_shows_it(void **state) {
  fixture *fx = *state;
  floe_bytes out;
  static const struct {
    uint8_t first;
    bool channel_data, bad;
  } rows[] = {{0x00, false, false}, {0x3F, false, false}, {0x40, false, true}, {'H', false, true},
              {0x7F, false, true},  {0x80, false, true},  {0xFF, false, true}, {0x00, true, false},
              {0x3F, true, false},  {0x40, true, false},  {0x7F, true, false}, {0x80, true, true},
              {0x16, false, false}, {0xC0, true, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    fx->f.channel_data = rows[i].channel_data;
    floe_bytes in = {&rows[i].first, 1};
    floe__turn_frame expected = rows[i].bad ? FLOE__TURN_FRAME_BAD : FLOE__TURN_FRAME_MORE;
    assert_int_equal(next(fx, &in, &out), expected);
    floe__turn_framer_clear(&fx->f);
  }
}

/* The byte at `at` is changed: it must be the one that shows it, in small pieces and in one. */
static void assert_bad_at(fixture *fx, size_t at, uint8_t value) {
  uint8_t bytes[sizeof stun];
  floe_bytes out;
  memcpy(bytes, stun, sizeof stun);
  bytes[at] = value;
  assert_int_equal(bytes_until(fx, bytes, sizeof bytes, FLOE__TURN_FRAME_BAD, &out), at + 1);
  floe__turn_framer_clear(&fx->f);
  for (size_t first = 0; first <= sizeof bytes; first++) {
    floe_bytes in = {bytes, first};
    floe__turn_frame got = next(fx, &in, &out);
    assert_int_equal(got, first > at ? FLOE__TURN_FRAME_BAD : FLOE__TURN_FRAME_MORE);
    in = (floe_bytes){bytes + first, sizeof bytes - first};
    if (first <= at) assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_BAD);
    floe__turn_framer_clear(&fx->f);
  }
}

static void length_shows_it(void **state) {
  assert_bad_at(*state, 3, 0x09);
  assert_bad_at(*state, 3, 0x0A);
  assert_bad_at(*state, 3, 0x0B);
}

static void each_byte_of_the_cookie_shows_it(void **state) {
  assert_bad_at(*state, 4, 0x20);
  assert_bad_at(*state, 5, 0x13);
  assert_bad_at(*state, 6, 0xA5);
  assert_bad_at(*state, 7, 0x00);
}

static void second_message_is_judged_too(void **state) {
  fixture *fx = *state;
  uint8_t bytes[sizeof stun + 4];
  memcpy(bytes, stun, sizeof stun);
  memcpy(bytes + sizeof stun, "HTTP", 4);
  floe_bytes in = {bytes, sizeof bytes}, out;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_BAD);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_BAD);
}

static void http_frames_as_channel_data_once_that_may_come(void **state) {
  fixture *fx = *state;
  floe_bytes in = {(const uint8_t *)"HTTP/1.1 400", 12}, out;
  fx->f.channel_data = true;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  floe__turn_framer_clear(&fx->f);
  fx->f.channel_data = false;
  in = (floe_bytes){(const uint8_t *)"HTTP/1.1 400", 12};
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_BAD);
}

/* --- memory ---------------------------------------------------------------------------------------------------- */

static void buffer_grows_with_what_arrived(void **state) {
  fixture *fx = *state;
  uint8_t bytes[40] = {0x01, 0x01, 0xFF, 0xFC, 0x21, 0x12, 0xA4, 0x42};
  floe_bytes in = {bytes, sizeof bytes}, out;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  assert_int_equal(fx->f.len, 40);
  assert_true(fx->f.cap <= 80);
}

/* In pieces of 1,000 bytes: reserved by doubling, the whole is never more than twice the message. */
static void assert_largest(fixture *fx, const uint8_t *head, size_t size, size_t total) {
  uint8_t *bytes = calloc(1, total);
  assert_non_null(bytes);
  memcpy(bytes, head, 8);
  bytes[size - 1] = 0x5A;
  floe_bytes out;
  for (size_t at = 0; at < total; at += 1000) {
    floe_bytes in = {bytes + at, total - at < 1000 ? total - at : 1000};
    bool is_last = at + 1000 >= total;
    assert_int_equal(next(fx, &in, &out), is_last ? FLOE__TURN_FRAME_MESSAGE : FLOE__TURN_FRAME_MORE);
    assert_true(fx->f.cap <= 2 * FLOE__TURN_FRAME_MAX);
  }
  assert_bytes(out, bytes, size);
  free(bytes);
}

static void largest_messages(void **state) {
  fixture *fx = *state;
  static const uint8_t largest_stun[8] = {0x01, 0x01, 0xFF, 0xFC, 0x21, 0x12, 0xA4, 0x42};
  static const uint8_t largest_channel[8] = {0x40, 0x00, 0xFF, 0xFF};
  fx->f.channel_data = true;
  assert_largest(fx, largest_stun, 65552, 65552);
  assert_largest(fx, largest_channel, 65539, 65540);
}

static void without_memory_nothing_is_taken(void **state) {
  fixture *fx = *state;
  floe_bytes in = {stun, 10}, out;
  fx->memory.fail_at = 1;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_NOMEM);
  assert_int_equal(in.len, 10);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MORE);
  in = (floe_bytes){stun + 10, sizeof stun - 10};
  fx->memory.fail_at = fx->memory.calls + 1;
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_NOMEM);
  assert_int_equal(in.len, sizeof stun - 10);
  assert_int_equal(next(fx, &in, &out), FLOE__TURN_FRAME_MESSAGE);
  assert_bytes(out, stun, sizeof stun);
}

/* --- any chunking gives the same --------------------------------------------------------------------------------- */

static size_t fill_stream(uint8_t *bytes, size_t cap, uint64_t *seed) {
  size_t len = 0;
  while (len + 320 < cap) {
    size_t body = memory_next(seed) % 256;
    if (memory_next(seed) % 2 == 0) {
      body = body / 4 * 4;
      memcpy(bytes + len, stun, 20);
      bytes[len + 3] = (uint8_t)body;
      len += 20 + body;
    } else {
      memcpy(bytes + len, channel, 4);
      bytes[len + 3] = (uint8_t)body;
      len += (4 + body + 3) / 4 * 4;
    }
  }
  return len;
}

static void any_chunking_gives_the_same(void **state) {
  fixture *fx = *state;
  fx->f.channel_data = true;
  print_message("seeds 1 to 200\n");
  for (uint64_t round = 1; round <= 200; round++) {
    uint64_t seed = round;
    uint8_t bytes[2000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)memory_next(&seed);
    size_t len = fill_stream(bytes, sizeof bytes, &seed), framed = 0;
    for (size_t at = 0; at < len;) {
      size_t n = 1 + memory_next(&seed) % 90;
      floe_bytes in = {bytes + at, n < len - at ? n : len - at}, out;
      at += in.len;
      while (next(fx, &in, &out) == FLOE__TURN_FRAME_MESSAGE) {
        assert_bytes(out, bytes + framed, out.len);
        framed += (out.len + 3) / 4 * 4;
      }
      assert_int_equal(in.len, 0);
    }
    assert_int_equal(framed, len);
  }
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(whole_message_is_not_copied),
      T(stun_byte_by_byte),
      T(channel_data_byte_by_byte_waits_for_its_padding),
      T(channel_data_without_data),
      T(header_alone_is_a_stun_message),
      T(several_messages_in_one_piece),
      T(rest_of_one_and_the_next_in_one_piece),
      T(buffer_is_freed_between_messages),
      T(first_byte_shows_it),
      T(length_shows_it),
      T(each_byte_of_the_cookie_shows_it),
      T(second_message_is_judged_too),
      T(http_frames_as_channel_data_once_that_may_come),
      T(buffer_grows_with_what_arrived),
      T(largest_messages),
      T(without_memory_nothing_is_taken),
      T(any_chunking_gives_the_same),
  };
#undef T
  return cmocka_run_group_tests_name("turn/frame", tests, NULL, NULL);
}
