/* --send and --receive against each other and against sides that break the rules, without a connection: the test takes
 * the place of the link, and hands on what each side says. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect_hash.h"
#include "connect_link.h"
#include "support/cmocka.h"

/* --- in place of the link ----------------------------------------------------------------------------------------- */

typedef struct message {
  uint8_t *bytes;
  size_t len;
} message;

enum { MAX_MESSAGES = 20000 };

typedef struct side {
  floe__link link;
  floe__connect_options options;
  floe__report report;
  message said[MAX_MESSAGES];
  size_t n_said, n_taken;
  int channel; /* its address stands for the data channel */
  bool is_stopped;
} side;

static side sender, receiver;
static uv_loop_t *loop;

static side *side_of_channel(const floe_data_channel *c) {
  return (const void *)c == (const void *)&sender.channel ? &sender : &receiver;
}

static side *side_of(const floe__link *link) {
  return link == &sender.link ? &sender : &receiver;
}

floe_status floe_uv_data_channel_send(floe_data_channel *c, floe_bytes data) {
  side *s = side_of_channel(c);
  assert_true(s->n_said < MAX_MESSAGES);
  message *m = &s->said[s->n_said++];
  m->bytes = malloc(data.len);
  m->len = data.len;
  memcpy(m->bytes, data.ptr, data.len);
  return FLOE_OK;
}

size_t floe_data_channel_buffered_amount(const floe_data_channel *c) {
  (void)c;
  return 0;
}

void floe_data_channel_set_buffered_amount_low_threshold(floe_data_channel *c, size_t bytes) {
  (void)c;
  (void)bytes;
}

void floe__link_end(floe__link *link, int status) {
  if (link->is_over) return;
  link->is_over = true;
  link->status = status;
}

void floe__link_say(floe__link *link, const floe__frame *frame) {
  floe__speaker_say(&link->speaker, frame);
}

void floe__link_stop(floe__link *link, floe__frame_code code, const char *words, int status) {
  const floe__frame f = {
      .type = FLOE__FRAME_STOP, .code = (uint8_t)code, .data = {(const uint8_t *)words, strlen(words)}};
  if (link->is_over) return;
  side_of(link)->is_stopped = true;
  floe__link_say(link, &f);
  floe__link_end(link, status);
}

uint64_t floe__link_now_ms(const floe__link *link) {
  (void)link;
  return 1000;
}

/* --- two sides ---------------------------------------------------------------------------------------------------- */

static char from[64], to[64];
static const char *names[8];

static void open_side(side *s, const floe__job *job, floe__connect_mode mode) {
  memset(s, 0, sizeof *s);
  s->link.options = &s->options;
  s->link.report = &s->report;
  s->link.job = job;
  s->options.mode = mode;
  assert_int_equal(uv_loop_init(&s->link.session.loop), 0);
  floe__speaker_init(&s->link.speaker, (floe_data_channel *)&s->channel);
  floe__speaker_flush(&s->link.speaker);
}

static void open_sender(size_t n, ...) {
  va_list args;
  va_start(args, n);
  for (size_t i = 0; i < n; i++) names[i] = va_arg(args, const char *);
  va_end(args);
  open_side(&sender, &floe__job_send, FLOE__CONNECT_SEND);
  sender.options.files = names;
  sender.options.n_files = n;
  sender.link.job_data = floe__job_send.open(&sender.link);
  assert_non_null(sender.link.job_data);
  floe__job_send.start(sender.link.job_data);
}

static void open_receiver(bool force) {
  open_side(&receiver, &floe__job_receive, FLOE__CONNECT_RECEIVE);
  receiver.options.directory = to;
  receiver.options.force = force;
  receiver.link.job_data = floe__job_receive.open(&receiver.link);
  assert_non_null(receiver.link.job_data);
  floe__job_receive.start(receiver.link.job_data);
}

static void close_side(side *s) {
  if (s->link.job == NULL) return;
  if (s->link.job_data != NULL) s->link.job->close(s->link.job_data);
  floe__speaker_clear(&s->link.speaker);
  (void)uv_run(&s->link.session.loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&s->link.session.loop), 0);
  for (size_t i = 0; i < s->n_said; i++) free(s->said[i].bytes);
  memset(s, 0, sizeof *s);
}

/* The loop's turns until there is nothing to hash or to send. */
static void settle(side *s) {
  loop = &s->link.session.loop;
  for (int i = 0; i < 10000 && uv_run(loop, UV_RUN_NOWAIT) != 0; i++) continue;
}

static void hand_frame(side *s, const floe__frame *f) {
  if (s->link.is_over) return;
  if (f->type == FLOE__FRAME_BYE) {
    if (s->link.job->on_bye != NULL) s->link.job->on_bye(s->link.job_data);
  } else if (f->type == FLOE__FRAME_STOP) {
    floe__link_end(&s->link, FLOE__CONNECT_EXIT_REFUSED);
  } else {
    s->link.job->on_frame(s->link.job_data, f);
  }
  settle(s);
}

/* What one side has said, in its order, to the other. Returns false when there was nothing. */
static bool hand_on(side *speaks, side *hears) {
  bool any = false;
  for (; speaks->n_taken < speaks->n_said; speaks->n_taken++, any = true) {
    floe__frame f;
    const message *m = &speaks->said[speaks->n_taken];
    assert_true(floe__frame_parse(&f, (floe_bytes){m->bytes, m->len}));
    hand_frame(hears, &f);
  }
  return any;
}

static void run_both(void) {
  settle(&sender);
  for (bool any = true; any;) {
    any = hand_on(&sender, &receiver);
    any = hand_on(&receiver, &sender) || any;
  }
}

static void ended(int status_of_sender, int status_of_receiver) {
  assert_true(sender.link.is_over && receiver.link.is_over);
  assert_int_equal(sender.link.status, status_of_sender);
  assert_int_equal(receiver.link.status, status_of_receiver);
}

/* --- directories -------------------------------------------------------------------------------------------------- */

static int make_directories(void **state) {
  (void)state;
  strcpy(from, "/tmp/floe-from-XXXXXX");
  strcpy(to, "/tmp/floe-to-XXXXXX");
  return mkdtemp(from) != NULL && mkdtemp(to) != NULL ? 0 : -1;
}

/* Removes the directory; returns how many files were in it. */
static int empty_directory(const char *path) {
  DIR *d = opendir(path);
  int n = 0;
  for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    n++;
    (void)unlinkat(dirfd(d), e->d_name, 0);
  }
  if (d != NULL) (void)closedir(d);
  (void)rmdir(path);
  return n;
}

static int remove_directories(void **state) {
  (void)state;
  close_side(&sender);
  close_side(&receiver);
  (void)empty_directory(from);
  (void)empty_directory(to);
  return 0;
}

/* The path is valid until the test's next but seven. */
static const char *path_of(const char *directory, const char *name) {
  static char paths[8][128];
  static int next;
  char *path = paths[next++ % 8];
  (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
  return path;
}

static const char *make_file(const char *directory, const char *name, size_t len, unsigned seed) {
  const char *path = path_of(directory, name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  for (size_t i = 0; i < len; i++) {
    seed = seed * 1103515245 + 12345;
    assert_int_not_equal(fputc((int)(seed >> 16 & 255), f), EOF);
  }
  assert_int_equal(fclose(f), 0);
  return path;
}

static size_t read_all(const char *path, uint8_t *out, size_t cap) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) fail_msg("there is no %s", path);
  size_t n = fread(out, 1, cap, f);
  (void)fclose(f);
  return n;
}

static void expect_same(const char *a, const char *b) {
  static uint8_t one[6 << 20], two[6 << 20];
  size_t n = read_all(a, one, sizeof one);
  assert_int_equal(read_all(b, two, sizeof two), n);
  assert_memory_equal(one, two, n);
}

static bool is_there(const char *name) {
  return access(path_of(to, name), F_OK) == 0;
}

/* --- against each other ------------------------------------------------------------------------------------------- */

static void files_arrive(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 65535, 65536, 5000000};
  static const char *const all[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5; i++) names[i] = make_file(from, all[i], sizes[i], (unsigned)i + 1);
  open_sender(5, names[0], names[1], names[2], names[3], names[4]);
  open_receiver(false);
  run_both();
  ended(0, 0);
  for (size_t i = 0; i < 5; i++) expect_same(path_of(from, all[i]), path_of(to, all[i]));
}

static uint64_t bytes_of_data(const side *s) {
  uint64_t total = 0;
  for (size_t i = 0; i < s->n_said; i++) total += s->said[i].bytes[0] == FLOE__FRAME_DATA ? s->said[i].len - 1 : 0;
  return total;
}

/* A receiver that has said nothing yet gets a window, and no more. */
static void no_more_than_a_window_is_on_its_way(void **state) {
  (void)state;
  open_sender(1, make_file(from, "a", 6000000, 1));
  const floe__frame accept = {.type = FLOE__FRAME_ACCEPT};
  hand_frame(&sender, &accept);
  assert_true(bytes_of_data(&sender) > FLOE__FRAME_WINDOW - 2 * FLOE__FRAME_MAX);
  assert_true(bytes_of_data(&sender) <= FLOE__FRAME_WINDOW);
  const floe__frame ack = {.type = FLOE__FRAME_ACK, .number = bytes_of_data(&sender)};
  hand_frame(&sender, &ack);
  assert_true(bytes_of_data(&sender) == 6000000);
}

static void a_part_is_gone_on_with(void **state) {
  (void)state;
  const char *path = make_file(from, "a", 3000000, 7);
  (void)make_file(to, "a.floe-part", 1234567, 7);
  open_sender(1, path);
  open_receiver(false);
  run_both();
  ended(0, 0);
  expect_same(path, path_of(to, "a"));
  assert_true(bytes_of_data(&sender) == 3000000 - 1234567);
}

static void a_part_of_another_file_is_not(void **state) {
  (void)state;
  const char *path = make_file(from, "a", 3000000, 7);
  (void)make_file(to, "a.floe-part", 1234567, 8);
  open_sender(1, path);
  open_receiver(false);
  run_both();
  ended(0, 0);
  expect_same(path, path_of(to, "a"));
  assert_true(bytes_of_data(&sender) == 3000000);
}

static void what_is_there_is_told_and_the_next_comes(void **state) {
  (void)state;
  const char *a = make_file(from, "a", 10, 1), *b = make_file(from, "b", 10, 2);
  (void)make_file(to, "a", 3, 3);
  open_sender(2, a, b);
  open_receiver(false);
  run_both();
  ended(FLOE__CONNECT_EXIT_REFUSED, FLOE__CONNECT_EXIT_REFUSED);
  expect_same(b, path_of(to, "b"));
  struct stat st;
  assert_int_equal(stat(path_of(to, "a"), &st), 0);
  assert_int_equal(st.st_size, 3);
}

static void a_file_that_shrinks_is_an_error_here(void **state) {
  (void)state;
  const char *path = make_file(from, "a", 6000000, 1);
  open_sender(1, path);
  const floe__frame accept = {.type = FLOE__FRAME_ACCEPT};
  hand_frame(&sender, &accept);
  assert_int_equal(truncate(path, 100), 0);
  const floe__frame ack = {.type = FLOE__FRAME_ACK, .number = bytes_of_data(&sender)};
  hand_frame(&sender, &ack);
  assert_true(sender.link.is_over && sender.is_stopped);
  assert_int_equal(sender.link.status, FLOE__CONNECT_EXIT_FILE);
}

/* --- a sender that breaks the rules ------------------------------------------------------------------------------- */

static void offer(const char *name, uint64_t size) {
  const floe__frame f = {
      .type = FLOE__FRAME_OFFER, .index = 3, .number = size, .data = {(const uint8_t *)name, strlen(name)}};
  hand_frame(&receiver, &f);
}

static void start(uint64_t offset) {
  const floe__frame f = {.type = FLOE__FRAME_START, .index = 3, .number = offset};
  hand_frame(&receiver, &f);
}

static void data(const char *text) {
  const floe__frame f = {.type = FLOE__FRAME_DATA, .data = {(const uint8_t *)text, strlen(text)}};
  hand_frame(&receiver, &f);
}

/* `text` is what the hash is of. */
static void end(const char *text) {
  floe__frame f = {.type = FLOE__FRAME_END, .index = 3};
  floe__hash h = {NULL};
  floe__hash_init(&h);
  floe__hash_add(&h, text, strlen(text));
  floe__hash_get(&h, f.hash);
  floe__hash_clear(&h);
  hand_frame(&receiver, &f);
}

static void expect_said(side *s, floe__frame_type type, uint8_t code) {
  floe__frame f;
  assert_true(s->n_said > 0);
  const message *m = &s->said[s->n_said - 1];
  assert_true(floe__frame_parse(&f, (floe_bytes){m->bytes, m->len}));
  assert_int_equal(f.type, type);
  assert_int_equal(f.code, code);
}

static void broken(const side *s) {
  assert_true(s->link.is_over && s->is_stopped);
  assert_int_equal(s->link.status, FLOE__CONNECT_EXIT_OTHER);
}

static void a_wrong_checksum_leaves_nothing(void **state) {
  (void)state;
  open_receiver(false);
  offer("a", 3);
  expect_said(&receiver, FLOE__FRAME_ACCEPT, 0);
  start(0);
  data("abc");
  end("abd");
  expect_said(&receiver, FLOE__FRAME_RESULT, FLOE__CODE_CHECKSUM);
  assert_false(is_there("a") || is_there("a.floe-part"));
  offer("a", 3); /* others may still come */
  start(0);
  data("abc");
  end("abc");
  expect_said(&receiver, FLOE__FRAME_RESULT, FLOE__CODE_OK);
  assert_true(is_there("a"));
  const floe__frame finish = {.type = FLOE__FRAME_FINISH};
  hand_frame(&receiver, &finish);
  expect_said(&receiver, FLOE__FRAME_BYE, 0);
  assert_int_equal(receiver.link.status, FLOE__CONNECT_EXIT_FILE);
}

static void names_stay_in_the_directory(void **state) {
  (void)state;
  open_receiver(false);
  offer("../../tmp/../x/.evil", 1);
  start(0);
  data("x");
  end("x");
  expect_said(&receiver, FLOE__FRAME_RESULT, FLOE__CODE_OK);
  assert_true(is_there("_evil"));
}

static void sizes_that_no_file_has(void **state) {
  (void)state;
  open_receiver(false);
  offer("a", UINT64_MAX);
  expect_said(&receiver, FLOE__FRAME_SKIP, FLOE__CODE_FILE);
  assert_false(is_there("a.floe-part"));
}

typedef void (*breach)(void);

static void data_before_anything(void) {
  data("x");
}
static void data_before_start(void) {
  offer("a", 3);
  data("x");
}
static void start_before_offer(void) {
  start(0);
}
static void start_elsewhere(void) {
  offer("a", 3);
  start(2);
}
static void more_than_the_size(void) {
  offer("a", 3);
  start(0);
  data("abcd");
}
static void end_too_soon(void) {
  offer("a", 3);
  start(0);
  data("ab");
  end("ab");
}
static void offer_within_a_file(void) {
  offer("a", 3);
  start(0);
  offer("b", 3);
}
static void finish_within_a_file(void) {
  const floe__frame f = {.type = FLOE__FRAME_FINISH};
  offer("a", 3);
  hand_frame(&receiver, &f);
}
static void another_number(void) {
  const floe__frame f = {.type = FLOE__FRAME_START, .index = 4};
  offer("a", 3);
  hand_frame(&receiver, &f);
}
static void a_frame_of_the_receiver(void) {
  const floe__frame f = {.type = FLOE__FRAME_ACK};
  hand_frame(&receiver, &f);
}
static void data_after_the_end(void) {
  offer("a", 1);
  start(0);
  data("a");
  end("a");
  data("b");
}

static void rules_of_the_sender(void **state) {
  (void)state;
  static const breach breaches[] = {
      data_before_anything, data_before_start,   start_before_offer,   start_elsewhere, more_than_the_size,
      end_too_soon,         offer_within_a_file, finish_within_a_file, another_number,  a_frame_of_the_receiver,
      data_after_the_end,
  };
  for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
    open_receiver(true);
    breaches[i]();
    broken(&receiver);
    expect_said(&receiver, FLOE__FRAME_STOP, FLOE__CODE_PROTOCOL);
    close_side(&receiver);
  }
}

/* --- a receiver that breaks the rules ----------------------------------------------------------------------------- */

static void tell_sender(floe__frame_type type, uint32_t index, uint64_t number, uint8_t code) {
  const floe__frame f = {.type = type, .index = index, .number = number, .code = code};
  hand_frame(&sender, &f);
}

static void rules_of_the_receiver(void **state) {
  (void)state;
  static const struct {
    floe__frame_type type;
    uint32_t index;
    uint64_t number;
  } breaches[] = {{FLOE__FRAME_ACCEPT, 1, 0}, {FLOE__FRAME_ACK, 0, 1},   {FLOE__FRAME_RESULT, 7, 0},
                  {FLOE__FRAME_SKIP, 2, 0},   {FLOE__FRAME_DATA, 0, 0},  {FLOE__FRAME_OFFER, 0, 0},
                  {FLOE__FRAME_OPENED, 0, 0}, {FLOE__FRAME_START, 0, 0}, {FLOE__FRAME_DONE, 0, 0}};
  const char *path = make_file(from, "a", 100, 1);
  for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
    open_sender(1, path);
    tell_sender(breaches[i].type, breaches[i].index, breaches[i].number, 0);
    broken(&sender);
    close_side(&sender);
  }
}

static void a_part_that_is_longer_than_the_file(void **state) {
  (void)state;
  open_sender(1, make_file(from, "a", 100, 1));
  tell_sender(FLOE__FRAME_ACCEPT, 0, 101, 0);
  assert_true(bytes_of_data(&sender) == 100);
}

/* "It is there", before it was sent, is no delivery. */
static void a_result_too_soon(void **state) {
  (void)state;
  open_sender(2, make_file(from, "a", 6000000, 1), make_file(from, "b", 1, 1));
  tell_sender(FLOE__FRAME_ACCEPT, 0, 0, 0);
  tell_sender(FLOE__FRAME_RESULT, 0, 0, FLOE__CODE_OK);
  expect_said(&sender, FLOE__FRAME_OFFER, 0);
  tell_sender(FLOE__FRAME_SKIP, 1, 0, FLOE__CODE_EXISTS);
  expect_said(&sender, FLOE__FRAME_FINISH, 0);
  const floe__frame bye = {.type = FLOE__FRAME_BYE};
  hand_frame(&sender, &bye);
  assert_int_equal(sender.link.status, FLOE__CONNECT_EXIT_REFUSED);
}

static void a_bye_too_soon(void **state) {
  (void)state;
  open_sender(1, make_file(from, "a", 10, 1));
  const floe__frame bye = {.type = FLOE__FRAME_BYE};
  hand_frame(&sender, &bye);
  assert_int_equal(sender.link.status, FLOE__CONNECT_EXIT_REFUSED);
}

/* --- anything ----------------------------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t draw(uint32_t below) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed % below;
}

static floe__frame draw_frame(void) {
  static const char *const words[] = {"", "a", "b", "../a", "a.floe-part", "\x1b[2J"};
  const char *text = words[draw(6)];
  floe__frame f = {.type = (floe__frame_type)draw(FLOE__FRAME_BYE), .index = draw(2), .number = draw(4)};
  f.code = (uint8_t)draw(9);
  f.data = (floe_bytes){(const uint8_t *)text, strlen(text)};
  if (draw(8) == 0) f.number = UINT64_MAX - draw(3);
  return f;
}

static void any_frames_in_any_order(void **state) {
  (void)state;
  const char *path = make_file(from, "a", 5, 1);
  for (uint32_t round = 1; round <= 3000; round++) {
    seed = round * 2654435761U;
    open_sender(1, path);
    open_receiver(draw(2) == 0);
    for (int i = 0; i < 12; i++) {
      floe__frame f = draw_frame();
      hand_frame(&receiver, &f);
      if (f.type != FLOE__FRAME_STOP) hand_frame(&sender, &f);
    }
    close_side(&sender);
    close_side(&receiver);
  }
  assert_true(empty_directory(to) <= 12); /* names of ours, and no other */
  assert_int_not_equal(access("/tmp/a", F_OK), 0);
}

#define IN_DIRECTORIES(test) cmocka_unit_test_setup_teardown(test, make_directories, remove_directories)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_DIRECTORIES(files_arrive),
      IN_DIRECTORIES(no_more_than_a_window_is_on_its_way),
      IN_DIRECTORIES(a_part_is_gone_on_with),
      IN_DIRECTORIES(a_part_of_another_file_is_not),
      IN_DIRECTORIES(what_is_there_is_told_and_the_next_comes),
      IN_DIRECTORIES(a_file_that_shrinks_is_an_error_here),
      IN_DIRECTORIES(a_wrong_checksum_leaves_nothing),
      IN_DIRECTORIES(names_stay_in_the_directory),
      IN_DIRECTORIES(sizes_that_no_file_has),
      IN_DIRECTORIES(rules_of_the_sender),
      IN_DIRECTORIES(rules_of_the_receiver),
      IN_DIRECTORIES(a_part_that_is_longer_than_the_file),
      IN_DIRECTORIES(a_result_too_soon),
      IN_DIRECTORIES(a_bye_too_soon),
      IN_DIRECTORIES(any_frames_in_any_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
