/* Texts that grow. */
#include "sdp/text.h"

#include "fixture.h"

static void grows_as_it_must(void **state) {
  bed *b = *state;
  floe__sdp_text t = {.env = b->env};
  for (int i = 0; i < 1000; i++) FLOE__SDP_LINE(&t, "a=", "mid:", "0");
  assert_int_equal(t.len, 9000);
  char *out;
  assert_true(floe__sdp_text_take(&t, &out));
  assert_int_equal(strlen(out), 9000);
  assert_memory_equal(out + 8991, "a=mid:0\r\n", 10);
  floe__free(b->env, out);
}

static void takes_one_large_piece(void **state) {
  bed *b = *state;
  static char piece[50001];
  memset(piece, 'x', 50000);
  floe__sdp_text t = {.env = b->env};
  floe__sdp_puts(&t, piece);
  char *out;
  assert_true(floe__sdp_text_take(&t, &out));
  assert_string_equal(out, piece);
  floe__free(b->env, out);
}

static void nothing_is_an_empty_text(void **state) {
  bed *b = *state;
  floe__sdp_text t = {.env = b->env};
  char *out;
  assert_true(floe__sdp_text_take(&t, &out));
  assert_string_equal(out, "");
  floe__free(b->env, out);
}

static void the_end_of_memory_is_remembered(void **state) {
  bed *b = *state;
  floe__sdp_text t = {.env = b->env};
  floe__sdp_puts(&t, "v=0");
  b->memory.fail_at = b->memory.calls + 1;
  for (int i = 0; i < 300; i++) floe__sdp_puts(&t, "12345678");
  assert_true(t.bad);
  char *out = (char *)1;
  assert_false(floe__sdp_text_take(&t, &out));
  assert_null(out);
  assert_null(t.ptr);
}

static void writes_numbers(void **state) {
  (void)state;
  assert_string_equal(floe__sdp_digits_of(0).text, "0");
  assert_string_equal(floe__sdp_digits_of(65536).text, "65536");
  assert_string_equal(floe__sdp_digits_of(UINT64_MAX).text, "18446744073709551615");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      SDP_TEST(grows_as_it_must),         SDP_TEST(takes_one_large_piece),
      SDP_TEST(nothing_is_an_empty_text), SDP_TEST(the_end_of_memory_is_remembered),
      SDP_TEST(writes_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
