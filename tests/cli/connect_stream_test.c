/* The two directions of a stream, between pipes or a socket and a channel that the test holds in its hands: order,
 * ends, back-pressure both ways, and a peer that breaks the rules. */
#define _GNU_SOURCE
#include "connect_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cmocka.h"

/* --- a channel: what is sent is kept for the test ----------------------------------------------------------------- */

enum { MAX_SENT = 4096 };

static struct {
  uint8_t *bytes;
  size_t len;
} sent[MAX_SENT];
static size_t n_sent, n_read;
static size_t buffered; /* what the channel says */
static bool is_full;
static int channel; /* its address stands for it */

floe_status floe_uv_data_channel_send(floe_data_channel *c, floe_bytes data) {
  assert_ptr_equal(c, &channel);
  if (is_full) return FLOE_E_AGAIN;
  assert_true(n_sent < MAX_SENT);
  sent[n_sent].bytes = malloc(data.len);
  memcpy(sent[n_sent].bytes, data.ptr, data.len);
  sent[n_sent++].len = data.len;
  return FLOE_OK;
}

size_t floe_data_channel_buffered_amount(const floe_data_channel *c) {
  assert_ptr_equal(c, &channel);
  return buffered;
}

void floe_data_channel_set_buffered_amount_low_threshold(floe_data_channel *c, size_t bytes) {
  assert_ptr_equal(c, &channel);
  assert_int_equal(bytes, FLOE__SPEAKER_LOW);
}

/* The next frame; false: there is none. */
static bool next_frame(floe__frame *f) {
  if (n_read == n_sent) return false;
  assert_true(floe__frame_parse(f, (floe_bytes){sent[n_read].bytes, sent[n_read].len}));
  n_read++;
  return true;
}

static void expect_number(floe__frame_type type, uint64_t number) {
  floe__frame f;
  assert_true(next_frame(&f));
  assert_int_equal(f.type, type);
  assert_true(f.number == number);
}

static void expect_nothing(void) {
  floe__frame f;
  if (next_frame(&f)) fail_msg("a frame of type %d", (int)f.type);
}

/* --- a stream on pipes -------------------------------------------------------------------------------------------- */

static uv_loop_t loop;
static floe__speaker speaker;
static floe__stream stream;
static int to_stream = -1, from_stream = -1; /* the test's ends */
static int n_ends;

static void on_end(floe__stream *s, void *user) {
  assert_ptr_equal(s, &stream);
  assert_ptr_equal(user, &n_ends);
  n_ends++;
}

static int begin(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN);
  n_sent = n_read = buffered = 0;
  is_full = false;
  n_ends = 0;
  assert_int_equal(uv_loop_init(&loop), 0);
  floe__speaker_init(&speaker, (floe_data_channel *)&channel);
  floe__speaker_flush(&speaker);
  floe__stream_init(&stream, &speaker, on_end, &n_ends);
  return 0;
}

static int finish(void **state) {
  (void)state;
  floe__stream_clear(&stream);
  floe__speaker_clear(&speaker);
  if (to_stream >= 0) (void)close(to_stream);
  if (from_stream >= 0) (void)close(from_stream);
  to_stream = from_stream = -1;
  (void)uv_run(&loop, UV_RUN_DEFAULT);
  for (size_t i = 0; i < n_sent; i++) free(sent[i].bytes);
  return uv_loop_close(&loop);
}

static void attach_pipes(void) {
  int in[2], out[2];
  assert_int_equal(pipe(in), 0);
  assert_int_equal(pipe(out), 0);
  to_stream = in[1];
  from_stream = out[0];
  assert_int_equal(fcntl(from_stream, F_SETFL, O_NONBLOCK), 0);
  assert_int_equal(fcntl(to_stream, F_SETFL, O_NONBLOCK), 0);
  floe__stream_attach(&stream, &loop, in[0], out[1]);
}

/* Everything that can happen without new input. */
static void settle(void) {
  for (int i = 0; i < 50; i++) (void)uv_run(&loop, UV_RUN_NOWAIT);
}

static void put(const char *text) {
  assert_int_equal(write(to_stream, text, strlen(text)), strlen(text));
  settle();
}

static void close_input(void) {
  (void)close(to_stream);
  to_stream = -1;
  settle();
}

static void frame(floe__frame_type type, uint64_t number) {
  const floe__frame f = {.type = type, .number = number};
  floe__stream_frame(&stream, &f);
}

static void data(const void *bytes, size_t len) {
  const floe__frame f = {.type = FLOE__FRAME_DATA, .data = {bytes, len}};
  floe__stream_frame(&stream, &f);
}

static void expect_data(const char *text) {
  floe__frame f;
  assert_true(next_frame(&f));
  assert_int_equal(f.type, FLOE__FRAME_DATA);
  assert_int_equal(f.data.len, strlen(text));
  assert_memory_equal(f.data.ptr, text, f.data.len);
}

/* Returns how many bytes came out. */
static size_t drain(void) {
  static char buf[65536];
  size_t total = 0;
  ssize_t n;
  while ((n = read(from_stream, buf, sizeof buf)) > 0) {
    total += (size_t)n;
    settle();
  }
  return total;
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void both_directions_end_by_themselves(void **state) {
  (void)state;
  char got[16] = "";
  attach_pipes();
  put("hello");
  expect_data("hello");
  close_input();
  expect_number(FLOE__FRAME_EOF, 5);
  data("world!", 6);
  settle();
  assert_int_equal(read(from_stream, got, sizeof got), 6);
  assert_string_equal(got, "world!");
  frame(FLOE__FRAME_DONE, 5);
  assert_int_equal(n_ends, 0);
  frame(FLOE__FRAME_EOF, 6);
  expect_number(FLOE__FRAME_DONE, 6);
  assert_int_equal(n_ends, 1);
  assert_int_equal(stream.state, FLOE__STREAM_FINISHED);
  assert_int_equal(read(from_stream, got, sizeof got), 0); /* whoever reads sees the end */
  expect_nothing();
}

static void the_output_is_closed_before_the_input_ends(void **state) {
  (void)state;
  char got[4];
  attach_pipes();
  frame(FLOE__FRAME_EOF, 0);
  expect_number(FLOE__FRAME_DONE, 0);
  assert_int_equal(read(from_stream, got, sizeof got), 0);
  put("later");
  expect_data("later");
  close_input();
  expect_number(FLOE__FRAME_EOF, 5);
  frame(FLOE__FRAME_DONE, 5);
  assert_int_equal(stream.state, FLOE__STREAM_FINISHED);
}

static void without_an_input_it_is_at_its_end(void **state) {
  (void)state;
  int out[2];
  assert_int_equal(pipe(out), 0);
  from_stream = out[0];
  floe__stream_attach(&stream, &loop, -1, out[1]);
  expect_number(FLOE__FRAME_EOF, 0);
  frame(FLOE__FRAME_DONE, 0);
  frame(FLOE__FRAME_EOF, 0);
  assert_int_equal(stream.state, FLOE__STREAM_FINISHED);
}

static void files_are_always_ready(void **state) {
  (void)state;
  char name[] = "/tmp/floe-stream-XXXXXX";
  int in = mkstemp(name), out[2];
  assert_true(in >= 0);
  (void)unlink(name);
  assert_int_equal(write(in, "from a file", 11), 11);
  assert_int_equal(lseek(in, 0, SEEK_SET), 0);
  assert_int_equal(pipe(out), 0);
  from_stream = out[0];
  floe__stream_attach(&stream, &loop, in, out[1]);
  settle();
  expect_data("from a file");
  expect_number(FLOE__FRAME_EOF, 11);
}

static void a_socket_is_shut_down_in_one_direction(void **state) {
  (void)state;
  int two[2];
  char got[8];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, two), 0);
  to_stream = two[0];
  floe__stream_attach(&stream, &loop, two[1], two[1]);
  data("ab", 2);
  frame(FLOE__FRAME_EOF, 2);
  expect_number(FLOE__FRAME_DONE, 2);
  assert_int_equal(read(to_stream, got, sizeof got), 2);
  assert_int_equal(read(to_stream, got, sizeof got), 0);
  put("still there");
  expect_data("still there");
}

static void what_comes_before_the_descriptors_is_kept(void **state) {
  (void)state;
  char got[8] = "";
  data("abc", 3);
  frame(FLOE__FRAME_EOF, 3);
  expect_nothing();
  attach_pipes();
  expect_number(FLOE__FRAME_DONE, 3);
  assert_int_equal(read(from_stream, got, sizeof got), 3);
  assert_string_equal(got, "abc");
}

/* --- back-pressure ------------------------------------------------------------------------------------------------ */

/* Writes until the pipe takes no more; returns how much it took. */
static size_t fill(void) {
  static char zeros[65536];
  size_t total = 0;
  for (int idle = 0; idle < 3;) {
    ssize_t n = write(to_stream, zeros, sizeof zeros);
    if (n > 0) total += (size_t)n;
    idle = n > 0 ? 0 : idle + 1;
    settle();
  }
  return total;
}

static uint64_t count_data(void) {
  floe__frame f;
  uint64_t total = 0;
  while (next_frame(&f)) {
    assert_int_equal(f.type, FLOE__FRAME_DATA);
    total += f.data.len;
  }
  return total;
}

static void no_more_than_a_window_is_on_its_way(void **state) {
  (void)state;
  attach_pipes();
  size_t taken = fill();
  assert_true(count_data() == FLOE__FRAME_WINDOW);
  assert_true(taken > FLOE__FRAME_WINDOW && taken <= FLOE__FRAME_WINDOW + (1 << 20)); /* the rest fills the pipe */
  frame(FLOE__FRAME_ACK, 100000);
  (void)fill();
  assert_true(count_data() == 100000);
}

static void a_full_channel_stops_reading(void **state) {
  (void)state;
  attach_pipes();
  buffered = FLOE__SPEAKER_HIGH;
  floe__stream_go(&stream);
  put("waits");
  expect_nothing();
  buffered = 0;
  floe__stream_go(&stream);
  settle();
  expect_data("waits");
}

static void what_the_channel_refuses_is_sent_later_in_order(void **state) {
  (void)state;
  attach_pipes();
  is_full = true;
  put("one");
  put("two"); /* not read: one message is kept, that is all */
  close_input();
  expect_nothing();
  is_full = false;
  floe__speaker_flush(&speaker);
  floe__stream_go(&stream);
  settle();
  expect_data("one");
  expect_data("two");
  expect_number(FLOE__FRAME_EOF, 6);
}

static void a_slow_reader_is_waited_for_and_told_of(void **state) {
  (void)state;
  static uint8_t block[65535];
  uint64_t given = 0, told = 0;
  floe__frame f;
  attach_pipes();
  while (given + sizeof block <= FLOE__FRAME_WINDOW) {
    data(block, sizeof block);
    given += sizeof block;
    settle();
  }
  assert_int_equal(stream.state, FLOE__STREAM_RUNNING);
  assert_true(stream.written < given); /* the pipe is full */
  expect_nothing();
  size_t out = drain();
  assert_int_equal(out, given);
  while (next_frame(&f)) {
    assert_int_equal(f.type, FLOE__FRAME_ACK);
    assert_true(f.number > told && f.number <= given);
    told = f.number;
  }
  assert_true(given - told < FLOE__FRAME_WINDOW / 8);
}

/* --- what goes wrong ---------------------------------------------------------------------------------------------- */

static void nobody_reads(void **state) {
  (void)state;
  attach_pipes();
  (void)close(from_stream);
  from_stream = -1;
  data("x", 1);
  assert_int_equal(stream.state, FLOE__STREAM_WRITE_FAILED);
  assert_int_equal(stream.error, EPIPE);
  assert_int_equal(n_ends, 1);
  data("y", 1); /* on its way when it failed */
  assert_int_equal(n_ends, 1);
}

static void a_descriptor_that_cannot_be_read(void **state) {
  (void)state;
  int out[2], in = open("/tmp", O_RDONLY | O_DIRECTORY);
  assert_int_equal(pipe(out), 0);
  from_stream = out[0];
  floe__stream_attach(&stream, &loop, in, out[1]);
  settle();
  assert_int_equal(stream.state, FLOE__STREAM_READ_FAILED);
  assert_int_equal(stream.error, EISDIR);
}

static void breaks(void) {
  assert_int_equal(stream.state, FLOE__STREAM_BROKEN);
  assert_int_equal(n_ends, 1);
}

static void rule_a_total_that_is_wrong(void **state) {
  (void)state;
  attach_pipes();
  data("abc", 3);
  frame(FLOE__FRAME_EOF, 4);
  breaks();
}

static void rule_data_after_the_end(void **state) {
  (void)state;
  attach_pipes();
  frame(FLOE__FRAME_EOF, 0);
  data("x", 1);
  breaks();
}

static void rule_more_taken_than_sent(void **state) {
  (void)state;
  attach_pipes();
  frame(FLOE__FRAME_ACK, 1);
  breaks();
}

static void rule_done_before_the_end(void **state) {
  (void)state;
  attach_pipes();
  frame(FLOE__FRAME_DONE, 0);
  breaks();
}

static void rule_more_than_the_window(void **state) {
  (void)state;
  static uint8_t block[65535];
  attach_pipes();
  for (int i = 0; i < 100 && stream.state == FLOE__STREAM_RUNNING; i++) data(block, sizeof block);
  breaks();
}

static void rule_a_frame_of_another_job(void **state) {
  (void)state;
  attach_pipes();
  frame(FLOE__FRAME_OFFER, 0);
  breaks();
}

#define ON_A_STREAM(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_A_STREAM(both_directions_end_by_themselves),
      ON_A_STREAM(the_output_is_closed_before_the_input_ends),
      ON_A_STREAM(without_an_input_it_is_at_its_end),
      ON_A_STREAM(files_are_always_ready),
      ON_A_STREAM(a_socket_is_shut_down_in_one_direction),
      ON_A_STREAM(what_comes_before_the_descriptors_is_kept),
      ON_A_STREAM(no_more_than_a_window_is_on_its_way),
      ON_A_STREAM(a_full_channel_stops_reading),
      ON_A_STREAM(what_the_channel_refuses_is_sent_later_in_order),
      ON_A_STREAM(a_slow_reader_is_waited_for_and_told_of),
      ON_A_STREAM(nobody_reads),
      ON_A_STREAM(a_descriptor_that_cannot_be_read),
      ON_A_STREAM(rule_a_total_that_is_wrong),
      ON_A_STREAM(rule_data_after_the_end),
      ON_A_STREAM(rule_more_taken_than_sent),
      ON_A_STREAM(rule_done_before_the_end),
      ON_A_STREAM(rule_more_than_the_window),
      ON_A_STREAM(rule_a_frame_of_another_job),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
