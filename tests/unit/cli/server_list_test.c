#include "server_list.h"

#include "fixture.h"

static void it_grows_and_owns(void **state) {
  (void)state;
  floe__server_list list = {0};
  char url[32] = "stun:a.example";
  for (size_t i = 0; i < 100; i++) {
    floe_ice_server *server = floe__server_list_add(&list, "u", NULL);
    for (size_t k = 0; k < i % 5; k++) floe__server_list_add_url(server, url);
  }
  url[5] = 'b'; /* the list has a copy */
  assert_int_equal(list.n, 100);
  for (size_t i = 0; i < 100; i++) {
    assert_int_equal(list.servers[i].n_urls, i % 5);
    assert_string_equal(list.servers[i].username, "u");
    assert_null(list.servers[i].credential);
    for (size_t k = 0; k < i % 5; k++) assert_string_equal(list.servers[i].urls[k], "stun:a.example");
  }
  floe__server_list_clear(&list);
  assert_int_equal(list.n, 0);
  assert_null(list.servers);
  floe__server_list_clear(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_grows_and_owns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
