/* Files that are being received, in a directory of the test's own. */
#define _GNU_SOURCE
#include "connect_part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static char path[64];
static int dir = -1;
static floe__part part;
static uint8_t code;

static int make_directory(void **state) {
  (void)state;
  strcpy(path, "/tmp/floe-part-XXXXXX");
  assert_non_null(mkdtemp(path));
  dir = open(path, O_RDONLY | O_DIRECTORY);
  return dir >= 0 ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  static const char *const names[] = {"a", "a.floe-part", "b", "b.floe-part", "link"};
  floe__part_close(&part, true);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) (void)unlinkat(dir, names[i], 0);
  (void)unlinkat(dir, "d", AT_REMOVEDIR);
  (void)close(dir);
  return rmdir(path);
}

static void put(const char *name, const char *text) {
  int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  (void)close(fd);
}

static void expect_file(const char *name, const char *text) {
  char got[64] = "";
  int fd = openat(dir, name, O_RDONLY);
  if (fd < 0) fail_msg("there is no %s", name);
  assert_true(read(fd, got, sizeof got - 1) >= 0);
  (void)close(fd);
  assert_string_equal(got, text);
}

static void expect_no_file(const char *name) {
  struct stat st;
  assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void opens(const char *name, uint64_t size, bool force) {
  const char *why = floe__part_open(&part, dir, name, size, force, &code);
  if (why != NULL) fail_msg("%s: %s", name, why);
}

static void refuses(const char *name, bool force, floe__frame_code expected, const char *sentence) {
  const char *why = floe__part_open(&part, dir, name, 10, force, &code);
  assert_non_null(why);
  assert_string_equal(why, sentence);
  assert_int_equal(code, expected);
  assert_int_equal(part.fd, -1);
}

static void a_file_appears_when_it_is_whole(void **state) {
  (void)state;
  struct stat st;
  mode_t mask = umask(022);
  opens("a", 6, false);
  assert_true(floe__part_add(&part, "abc", 3));
  expect_file("a.floe-part", "abc");
  expect_no_file("a");
  assert_true(floe__part_add(&part, "def", 3));
  assert_int_equal(part.at, 6);
  assert_null(floe__part_publish(&part, false, &code));
  expect_file("a", "abcdef");
  expect_no_file("a.floe-part");
  assert_int_equal(fstatat(dir, "a", &st, 0), 0);
  assert_int_equal(st.st_mode & 0777, 0644);
  (void)umask(mask);
}

static void a_part_is_kept_and_gone_on_with(void **state) {
  (void)state;
  opens("a", 6, false);
  assert_true(floe__part_add(&part, "abc", 3));
  floe__part_close(&part, false);
  opens("a", 6, false);
  assert_int_equal(part.at, 3);
  assert_true(floe__part_add(&part, "def", 3));
  assert_null(floe__part_publish(&part, false, &code));
  expect_file("a", "abcdef");
}

static void empty_bad_and_too_long_parts_are_not_kept(void **state) {
  (void)state;
  opens("a", 6, false);
  floe__part_close(&part, false);
  expect_no_file("a.floe-part");
  opens("a", 6, false);
  assert_true(floe__part_add(&part, "abc", 3));
  floe__part_close(&part, true);
  expect_no_file("a.floe-part");
  put("a.floe-part", "longer than the file is");
  opens("a", 6, false);
  assert_int_equal(part.at, 0);
}

static void a_part_begins_anew(void **state) {
  (void)state;
  put("a.floe-part", "xyz");
  opens("a", 4, false);
  assert_int_equal(part.at, 3);
  assert_true(floe__part_restart(&part));
  assert_true(floe__part_add(&part, "1234", 4));
  assert_null(floe__part_publish(&part, false, &code));
  expect_file("a", "1234");
}

static void a_file_that_is_there_stays(void **state) {
  (void)state;
  put("a", "mine");
  refuses("a", false, FLOE__CODE_EXISTS, "there is a file of this name already");
  opens("b", 1, false);
  assert_true(floe__part_add(&part, "x", 1));
  put("b", "meanwhile");
  assert_string_equal(floe__part_publish(&part, false, &code), "there is a file of this name meanwhile");
  assert_int_equal(code, FLOE__CODE_EXISTS);
  expect_file("a", "mine");
  expect_file("b", "meanwhile");
  expect_file("b.floe-part", "x");
}

static void by_force_it_goes(void **state) {
  (void)state;
  put("a", "mine");
  opens("a", 1, true);
  assert_true(floe__part_add(&part, "x", 1));
  expect_file("a", "mine");
  assert_null(floe__part_publish(&part, true, &code));
  expect_file("a", "x");
  assert_int_equal(mkdirat(dir, "d", 0700), 0);
  refuses("d", true, FLOE__CODE_EXISTS, "what has this name there is no file");
}

/* A link in the part's place would let the other side write elsewhere. */
static void nothing_else_is_written_to(void **state) {
  (void)state;
  put("b", "precious");
  assert_int_equal(symlinkat("b", dir, "a.floe-part"), 0);
  refuses("a", false, FLOE__CODE_FILE, strerror(ELOOP));
  assert_int_equal(unlinkat(dir, "a.floe-part", 0), 0);
  assert_int_equal(linkat(dir, "b", dir, "a.floe-part", 0), 0);
  refuses("a", false, FLOE__CODE_FILE, "what is there under the name for the incomplete file is something else");
  assert_int_equal(unlinkat(dir, "a.floe-part", 0), 0);
  assert_int_equal(mkfifoat(dir, "a.floe-part", 0600), 0);
  refuses("a", false, FLOE__CODE_FILE, "what is there under the name for the incomplete file is something else");
  expect_file("b", "precious");
}

static void two_do_not_receive_the_same(void **state) {
  (void)state;
  floe__part other;
  opens("a", 6, false);
  assert_string_equal(floe__part_open(&other, dir, "a", 6, false, &code), "it is being received already");
  assert_true(floe__part_add(&part, "abcdef", 6));
  assert_null(floe__part_publish(&part, false, &code));
}

static void hashes_of_files(void **state) {
  (void)state;
  char hex[FLOE__HASH_TEXT];
  uint8_t hash[FLOE__HASH_LEN];
  floe__hash h = {NULL};
  floe__hash_init(&h);
  floe__hash_get(&h, hash);
  assert_string_equal(floe__hash_text(hash, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  put("a", "xabcx");
  int fd = openat(dir, "a", O_RDONLY);
  assert_int_equal(floe__hash_add_file(&h, fd, 1, 2), 2);
  assert_int_equal(floe__hash_add_file(&h, fd, 3, 1), 1);
  assert_int_equal(floe__hash_add_file(&h, fd, 5, 1), 0);
  (void)close(fd);
  floe__hash_get(&h, hash);
  assert_string_equal(floe__hash_text(hash, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  floe__hash_add(&h, "x", 1);
  floe__hash_init(&h);
  floe__hash_get(&h, hash);
  assert_int_equal(hash[0], 0xe3);
  floe__hash_clear(&h);
  floe__hash_clear(&h);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_DIRECTORY(a_file_appears_when_it_is_whole),
      IN_DIRECTORY(a_part_is_kept_and_gone_on_with),
      IN_DIRECTORY(empty_bad_and_too_long_parts_are_not_kept),
      IN_DIRECTORY(a_part_begins_anew),
      IN_DIRECTORY(a_file_that_is_there_stays),
      IN_DIRECTORY(by_force_it_goes),
      IN_DIRECTORY(nothing_else_is_written_to),
      IN_DIRECTORY(two_do_not_receive_the_same),
      IN_DIRECTORY(hashes_of_files),
  };
  part.fd = -1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
