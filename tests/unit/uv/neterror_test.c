#include "uv/neterror.h"

#include <errno.h>
#include <string.h>

#include "support/cmocka.h"

static void each_number_has_its_word(void **state) {
  (void)state;
  static const struct {
    int os_error;
    floe_net_error net_error;
  } rows[] = {
      {ECONNREFUSED, FLOE_NET_REFUSED},
      {ECONNRESET, FLOE_NET_RESET},
      {ECONNABORTED, FLOE_NET_RESET},
      {EPIPE, FLOE_NET_RESET},
      {ETIMEDOUT, FLOE_NET_TIMED_OUT},
      {ENETUNREACH, FLOE_NET_NET_UNREACHABLE},
      {ENETDOWN, FLOE_NET_NET_UNREACHABLE},
      {EHOSTUNREACH, FLOE_NET_HOST_UNREACHABLE},
      {EPERM, FLOE_NET_DENIED},
      {EACCES, FLOE_NET_DENIED},
      {EADDRINUSE, FLOE_NET_ADDRESS_IN_USE},
      {EADDRNOTAVAIL, FLOE_NET_ADDRESS_NOT_AVAILABLE},
      {EMSGSIZE, FLOE_NET_MESSAGE_SIZE},
      {ENOBUFS, FLOE_NET_NO_RESOURCES},
      {ENOMEM, FLOE_NET_NO_RESOURCES},
      {EMFILE, FLOE_NET_NO_RESOURCES},
      {ENFILE, FLOE_NET_NO_RESOURCES},
      {EINVAL, FLOE_NET_OTHER},
      {0, FLOE_NET_OTHER},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(floe__uv_net_error(rows[i].os_error), rows[i].net_error);
  }
}

static void an_input_gets_the_number_and_the_systems_words(void **state) {
  (void)state;
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED};
  floe__uv_set_error(&in, ECONNREFUSED, text);
  assert_int_equal(in.net_error, FLOE_NET_REFUSED);
  assert_int_equal(in.os_error, ECONNREFUSED);
  assert_string_equal(in.os_error_text, strerror(ECONNREFUSED));
}

static void an_unknown_number_has_words_too(void **state) {
  (void)state;
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED};
  floe__uv_set_error(&in, 98765, text);
  assert_int_equal(in.net_error, FLOE_NET_OTHER);
  assert_non_null(strstr(in.os_error_text, "98765"));
}

static void no_error_has_no_words(void **state) {
  (void)state;
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_ICMP};
  floe__uv_set_error(&in, 0, text);
  assert_int_equal(in.os_error, 0);
  assert_null(in.os_error_text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_number_has_its_word),
      cmocka_unit_test(an_input_gets_the_number_and_the_systems_words),
      cmocka_unit_test(an_unknown_number_has_words_too),
      cmocka_unit_test(no_error_has_no_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
