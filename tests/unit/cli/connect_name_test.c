/* Names of files from elsewhere: whatever they are, one file in one directory comes of it. */
#include "connect_name.h"

#include "fixture.h"

static char out[FLOE__NAME_MAX + 1];

static void becomes_bytes(const void *name, size_t len, const char *expected) {
  floe__name_sanitise(out, (floe_bytes){name, len});
  assert_string_equal(out, expected);
}

static void becomes(const char *name, const char *expected) {
  becomes_bytes(name, strlen(name), expected);
}

static void names(void **state) {
  (void)state;
  becomes("notes.txt", "notes.txt");
  becomes("with space", "with space");
  becomes("\xc3\xa4rger.tar.gz", "\xc3\xa4rger.tar.gz");
  becomes("a..b", "a..b");
}

static void paths(void **state) {
  (void)state;
  becomes("/etc/passwd", "passwd");
  becomes("../../etc/passwd", "passwd");
  becomes("C:\\Windows\\win.ini", "win.ini");
  becomes("dir/", "unnamed");
  becomes("..", "_.");
  becomes(".", "_");
  becomes("", "unnamed");
  becomes("a/..", "_.");
}

static void harmful(void **state) {
  (void)state;
  becomes(".bashrc", "_bashrc");
  becomes("-rf", "_rf");
  becomes("a\nb\x1b[2J",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd[2J");
  becomes("\xff", "\xef\xbf\xbd");
  becomes_bytes("a\0b", 3, "a_b");
  becomes("x.floe-part", "x.floe-part_");
  becomes(".floe-part", "_floe-part");
}

static void long_ones_are_cut_between_characters(void **state) {
  (void)state;
  char name[600] = "";
  for (int i = 0; i < 150; i++) strcat(name, "\xc3\xa4x");
  floe__name_sanitise(out, (floe_bytes){(const uint8_t *)name, strlen(name)});
  assert_int_equal(strlen(out), 239); /* 79 times three bytes, and one more of two */
  assert_memory_equal(out, name, 239);
  memmove(name, name + 2, sizeof name - 2);
  floe__name_sanitise(out, (floe_bytes){(const uint8_t *)name, strlen(name)});
  assert_int_equal(strlen(out), 238); /* one byte of a character is none */
}

/* No name of one, three or 300 random bytes gets out of the directory. */
static void random_ones(void **state) {
  (void)state;
  uint32_t seed = 4711;
  uint8_t name[300];
  for (int i = 0; i < 20000; i++) {
    size_t len = i % 3 == 0 ? 1 : i % 3 == 1 ? 3 : sizeof name;
    for (size_t k = 0; k < len; k++) {
      seed = seed * 1664525 + 1013904223;
      name[k] = (uint8_t)(seed >> 24);
      if (seed % 7 == 0) name[k] = (uint8_t) "./-\\"[seed >> 16 & 3];
    }
    floe__name_sanitise(out, (floe_bytes){name, len});
    assert_true(out[0] != '\0' && strlen(out) <= FLOE__NAME_MAX);
    assert_null(strpbrk(out, "/\\\n\x1b"));
    assert_true(out[0] != '.' && out[0] != '-');
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names),       cmocka_unit_test(paths),
      cmocka_unit_test(harmful),     cmocka_unit_test(long_ones_are_cut_between_characters),
      cmocka_unit_test(random_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
