#include "ice_servers_json.h"

#include "fixture.h"

static floe_status parse(floe__server_list *list, const char *text, floe__json_error *why) {
  memset(list, 0, sizeof *list);
  return floe__ice_servers_json_parse(list, text, strlen(text), why);
}

static void expect_ok(floe__server_list *list, const char *text) {
  floe__json_error why;
  if (parse(list, text, &why) != FLOE_OK) fail_msg("%s: %s %s", text, why.error.path, why.error.message);
}

static void the_array(void **state) {
  (void)state;
  floe__server_list list;
  expect_ok(&list,
            "[{\"urls\":[\"stun:a.example\",\"stun:b.example\"]},"
            "{\"urls\":\"turn:c.example\",\"username\":\"u\",\"credential\":\"p\"}]");
  assert_int_equal(list.n, 2);
  assert_int_equal(list.servers[0].n_urls, 2);
  assert_string_equal(list.servers[0].urls[1], "stun:b.example");
  assert_null(list.servers[0].username);
  assert_null(list.servers[0].credential);
  assert_int_equal(list.servers[1].n_urls, 1);
  assert_string_equal(list.servers[1].urls[0], "turn:c.example");
  assert_string_equal(list.servers[1].username, "u");
  assert_string_equal(list.servers[1].credential, "p");
  floe__server_list_clear(&list);
}

static void the_object(void **state) {
  (void)state;
  floe__server_list list;
  expect_ok(&list, " {\"iceServers\": [{\"urls\": \"stun:a.example\"}]}\n");
  assert_int_equal(list.n, 1);
  floe__server_list_clear(&list);
}

static void nothing_in_it(void **state) {
  (void)state;
  floe__server_list list;
  expect_ok(&list, "[]");
  assert_int_equal(list.n, 0);
  expect_ok(&list, "[{\"urls\":[]}]"); /* floe_ice_config_check refuses the empty urls */
  assert_int_equal(list.servers[0].n_urls, 0);
  floe__server_list_clear(&list);
}

static void a_byte_order_mark_is_ignored(void **state) {
  (void)state;
  floe__server_list list;
  expect_ok(&list, "\xef\xbb\xbf[{\"urls\":\"stun:a.example\"}]");
  assert_int_equal(list.n, 1);
  floe__server_list_clear(&list);
}

static void many_servers(void **state) {
  (void)state;
  floe__server_list list = {0};
  char text[8192];
  size_t n = (size_t)snprintf(text, sizeof text, "[");
  for (unsigned i = 0; i < 100; i++) {
    n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"urls\":\"stun:s%u.example\"}", i == 0 ? "" : ",", i);
  }
  (void)snprintf(text + n, sizeof text - n, "]");
  expect_ok(&list, text);
  assert_int_equal(list.n, 100);
  assert_string_equal(list.servers[99].urls[0], "stun:s99.example");
  floe__server_list_clear(&list);
}

static void refused_with_a_path(void **state) {
  (void)state;
  static const struct {
    const char *text;
    floe_status status;
    const char *path, *message;
  } rows[] = {
      {"{}", FLOE_E_TYPE, "iceServers", "the member is missing"},
      {"3", FLOE_E_TYPE, "iceServers", "an array is expected, not a number"},
      {"null", FLOE_E_TYPE, "iceServers", "an array is expected, not null"},
      {"{\"iceServers\":{}}", FLOE_E_TYPE, "iceServers", "an array is expected, not an object"},
      {"{\"iceServers\":null}", FLOE_E_TYPE, "iceServers", "an array is expected, not null"},
      {"{\"iceServers\":[],\"iceTransportPolicy\":\"relay\"}", FLOE_E_TYPE, "iceTransportPolicy",
       "there is no such member"},
      {"{\"\":[]}", FLOE_E_TYPE, "\"\"", "there is no such member"},
      {"[{\"\":1}]", FLOE_E_TYPE, "iceServers[0].\"\"", "there is no such member"},
      {"[7]", FLOE_E_TYPE, "iceServers[0]", "an object is expected, not a number"},
      {"[[]]", FLOE_E_TYPE, "iceServers[0]", "an object is expected, not an array"},
      {"[{}]", FLOE_E_TYPE, "iceServers[0].urls", "the member is missing"},
      {"[{\"urls\":\"stun:a\"},{\"url\":\"stun:b\"}]", FLOE_E_TYPE, "iceServers[1].url",
       "there is no such member; its name is urls"},
      {"[{\"urls\":\"turn:a\",\"username\":\"u\",\"password\":\"p\"}]", FLOE_E_TYPE, "iceServers[0].password",
       "there is no such member; its name is credential"},
      {"[{\"urls\":\"turn:a\",\"credentialType\":\"password\"}]", FLOE_E_TYPE, "iceServers[0].credentialType",
       "there is no such member"},
      {"[{\"urls\":5}]", FLOE_E_TYPE, "iceServers[0].urls",
       "a string or an array of strings is expected, not a number"},
      {"[{\"urls\":[\"stun:a\",true]}]", FLOE_E_TYPE, "iceServers[0].urls[1]", "a string is expected, not a boolean"},
      {"[{\"urls\":\"turn:a\",\"username\":null}]", FLOE_E_TYPE, "iceServers[0].username",
       "a string is expected, not null"},
      {"[{\"urls\":\"turn:a\",\"credential\":[\"p\"]}]", FLOE_E_TYPE, "iceServers[0].credential",
       "a string is expected, not an array"},
      {"[{\"urls\":\"turn:a\",\"username\":\"u\\u0000\"}]", FLOE_E_ACCESS, "iceServers[0].username",
       "the text has a NUL character"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__server_list list;
    floe__json_error why;
    assert_int_equal(parse(&list, rows[i].text, &why), rows[i].status);
    assert_int_equal(why.error.status, rows[i].status);
    assert_string_equal(why.error.path, rows[i].path);
    assert_string_equal(why.error.message, rows[i].message);
    assert_int_equal(why.line, 0);
    assert_true(why.error.offset == FLOE_NO_OFFSET);
    floe__server_list_clear(&list);
  }
}

static void a_nul_in_a_url_has_its_offset(void **state) {
  (void)state;
  floe__server_list list;
  floe__json_error why;
  assert_int_equal(parse(&list, "[{\"urls\":\"stun:a\\u0000b\"}]", &why), FLOE_E_SYNTAX);
  assert_string_equal(why.error.path, "iceServers[0].urls[0]");
  assert_int_equal(why.error.offset, 6);
  floe__server_list_clear(&list);
}

static void not_json(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int line, column;
  } rows[] = {{"", 1, 1},
              {"[\n  {\"urls\": }\n]", 2, 12},
              {"[{\"urls\":\"stun:a\",}]", 1, 19},
              {"[] []", 1, 4},
              {"[{\"urls\":\"a\",\"urls\":\"b\"}]", 1, 19},
              {"['a']", 1, 2},
              {"[\"\xff\"]", 1, 2}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__server_list list;
    floe__json_error why;
    assert_int_equal(parse(&list, rows[i].text, &why), FLOE_E_SYNTAX);
    assert_string_equal(why.error.path, "");
    assert_int_equal(why.line, rows[i].line);
    if (why.column != rows[i].column) fail_msg("%s: column %d", rows[i].text, why.column);
    floe__server_list_clear(&list);
  }
}

/* The JSON library quotes the text near an error. */
static void no_error_shows_a_credential(void **state) {
  (void)state;
  static const char *const texts[] = {
      "[{\"urls\":\"turn:a\",\"credential\":\"geheim\" \"x\"}]",
      "[{\"urls\":\"turn:a\",\"credential\":geheim}]",
      "[{\"urls\":\"turn:a\",\"credential\":\"geheim",
      "[{\"urls\":\"turn:a\",\"credential\":\"geheim\",\"credential\":\"geheim\"}]",
      "[{\"urls\":\"turn:a\",\"credential\":[\"geheim\"]}]",
      "[{\"urls\":[\"geheim\", 3]}]",
      "{\"geheim\\u0000\":",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    floe__server_list list;
    floe__json_error why;
    assert_int_not_equal(parse(&list, texts[i], &why), FLOE_OK);
    expect_lacks(why.error.message, "geheim");
    expect_lacks(why.error.path, "geheim");
    floe__server_list_clear(&list);
  }
}

static void a_long_member_name_is_cut(void **state) {
  (void)state;
  floe__server_list list;
  floe__json_error why;
  assert_int_equal(parse(&list, "[{\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee\":1}]", &why), FLOE_E_TYPE);
  assert_string_equal(why.error.path, "iceServers[0].aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...");
  floe__server_list_clear(&list);
}

static void too_large(void **state) {
  (void)state;
  floe__server_list list = {0};
  floe__json_error why;
  size_t len = FLOE__ICE_SERVERS_JSON_MAX + 1;
  char *text = malloc(len);
  assert_non_null(text);
  memset(text, ' ', len);
  assert_int_equal(floe__ice_servers_json_parse(&list, text, len, &why), FLOE_E_TOO_LARGE);
  free(text);
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  floe__server_list list = {0};
  floe__json_error why;
  char text[100000];
  memset(text, '[', sizeof text);
  assert_int_equal(floe__ice_servers_json_parse(&list, text, sizeof text, &why), FLOE_E_SYNTAX);
  floe__server_list_clear(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_array),
      cmocka_unit_test(the_object),
      cmocka_unit_test(nothing_in_it),
      cmocka_unit_test(a_byte_order_mark_is_ignored),
      cmocka_unit_test(many_servers),
      cmocka_unit_test(refused_with_a_path),
      cmocka_unit_test(a_nul_in_a_url_has_its_offset),
      cmocka_unit_test(not_json),
      cmocka_unit_test(no_error_shows_a_credential),
      cmocka_unit_test(a_long_member_name_is_cut),
      cmocka_unit_test(too_large),
      cmocka_unit_test(deep_nesting_is_refused),
  };
  floe__ice_servers_json_init();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
