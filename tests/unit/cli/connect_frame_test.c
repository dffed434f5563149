/* Frames: each type with its members, and what is none. */
#include "connect_frame.h"

#include "fixture.h"

static const struct {
  floe__frame_type type;
  const char *members;
} rows[] = {
#define FLOE__ROW(id, value, members) {id, members},
    FLOE__FRAME_MAP(FLOE__ROW)
#undef FLOE__ROW
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static uint8_t bytes[256];

/* A frame with every member set that its type has. */
static floe__frame make(size_t row) {
  floe__frame f = {.type = rows[row].type};
  for (const char *m = rows[row].members; *m != '\0'; m++) {
    if (*m == 'N') f.number = 0x0102030405060708;
    if (*m == 'I') f.index = 0x11121314;
    if (*m == 'C') f.code = 0x21;
    if (*m == 'H') memset(f.hash, 0x31, sizeof f.hash);
    if (*m == 'D') f.data = (floe_bytes){(const uint8_t *)"some words", 10};
  }
  return f;
}

static void every_type_comes_back(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ROWS; i++) {
    floe__frame f = make(i), got;
    size_t len = floe__frame_write(&f, bytes, sizeof bytes);
    assert_true(len > 0 && bytes[0] == i);
    assert_true(floe__frame_parse(&got, (floe_bytes){bytes, len}));
    assert_int_equal(got.type, f.type);
    assert_true(got.number == f.number && got.index == f.index && got.code == f.code);
    assert_memory_equal(got.hash, f.hash, sizeof f.hash);
    assert_int_equal(got.data.len, f.data.len);
    if (f.data.len > 0) assert_memory_equal(got.data.ptr, f.data.ptr, f.data.len);
  }
}

static void the_bytes_of_one(void **state) {
  (void)state;
  const floe__frame f = {.type = FLOE__FRAME_OFFER, .index = 1, .number = 258, .data = {(const uint8_t *)"ab", 2}};
  static const uint8_t expected[] = {5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 'a', 'b'};
  assert_int_equal(floe__frame_write(&f, bytes, sizeof bytes), sizeof expected);
  assert_memory_equal(bytes, expected, sizeof expected);
}

/* Data may be empty; everything else has its length. */
static void lengths_that_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ROWS; i++) {
    floe__frame f = make(i), got;
    f.data.len = 0;
    size_t len = floe__frame_write(&f, bytes, sizeof bytes);
    assert_true(floe__frame_parse(&got, (floe_bytes){bytes, len}));
    assert_int_equal(got.data.len, 0);
    if (len > 1) assert_false(floe__frame_parse(&got, (floe_bytes){bytes, len - 1}));
    bytes[len] = 0;
    bool has_data = strchr(rows[i].members, 'D') != NULL;
    assert_int_equal(floe__frame_parse(&got, (floe_bytes){bytes, len + 1}), has_data);
  }
}

static void what_is_no_frame(void **state) {
  (void)state;
  floe__frame got;
  const uint8_t unknown[] = {N_ROWS};
  assert_false(floe__frame_parse(&got, (floe_bytes){NULL, 0}));
  assert_false(floe__frame_parse(&got, (floe_bytes){unknown, 1}));
}

static void what_does_not_fit(void **state) {
  (void)state;
  floe__frame f = make(0);
  size_t len = floe__frame_write(&f, bytes, sizeof bytes);
  assert_int_equal(floe__frame_write(&f, bytes, len - 1), 0);
}

static void words_are_cleaned_and_short(void **state) {
  (void)state;
  uint8_t many[400];
  memset(many, 'x', sizeof many);
  many[1] = 0x1b;
  const floe__frame f = {.type = FLOE__FRAME_STOP, .data = {many, sizeof many}};
  char *words = floe__frame_words(&f);
  assert_memory_equal(words, "x\xef\xbf\xbdx", 5);
  assert_int_equal(strlen(words), 202);
  free(words);
  const floe__frame none = {.type = FLOE__FRAME_STOP};
  words = floe__frame_words(&none);
  assert_string_equal(words, "");
  free(words);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_comes_back),    cmocka_unit_test(the_bytes_of_one),
      cmocka_unit_test(lengths_that_are_refused), cmocka_unit_test(what_is_no_frame),
      cmocka_unit_test(what_does_not_fit),        cmocka_unit_test(words_are_cleaned_and_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
