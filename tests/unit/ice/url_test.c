/* Server URLs: RFC 7064, RFC 7065 and the contract's section 6. */
#include <string.h>

#include "floe/config.h"
#include "support/cmocka.h"

typedef struct good {
  const char *text;
  bool is_turn, is_secure;
  floe_transport transport;
  const char *host;
  uint16_t port;
  const char *addr; /* "" = the host is a name */
} good;

static void reads_what_the_grammar_allows(void **state) {
  (void)state;
  static const good rows[] = {
      {"stun:stun.example.org", false, false, FLOE_TRANSPORT_UDP, "stun.example.org", 3478, ""},
      {"STUN:Example.ORG", false, false, FLOE_TRANSPORT_UDP, "Example.ORG", 3478, ""},
      {"stuns:example.org", false, true, FLOE_TRANSPORT_TLS, "example.org", 5349, ""},
      {"turn:example.org", true, false, FLOE_TRANSPORT_UDP, "example.org", 3478, ""},
      {"turns:example.org", true, true, FLOE_TRANSPORT_TLS, "example.org", 5349, ""},
      {"turn:example.org?transport=udp", true, false, FLOE_TRANSPORT_UDP, "example.org", 3478, ""},
      {"turn:example.org?transport=TCP", true, false, FLOE_TRANSPORT_TCP, "example.org", 3478, ""},
      {"turns:example.org:443?transport=tcp", true, true, FLOE_TRANSPORT_TLS, "example.org", 443, ""},
      {"turns:example.org?transport=udp", true, true, FLOE_TRANSPORT_DTLS, "example.org", 5349, ""},
      {"stun:192.0.2.1", false, false, FLOE_TRANSPORT_UDP, "192.0.2.1", 3478, "192.0.2.1:3478"},
      {"stun:192.0.2.1:1", false, false, FLOE_TRANSPORT_UDP, "192.0.2.1", 1, "192.0.2.1:1"},
      {"turn:[2001:db8::1]:65535", true, false, FLOE_TRANSPORT_UDP, "2001:db8::1", 65535, "[2001:db8::1]:65535"},
      {"stun:[::1]", false, false, FLOE_TRANSPORT_UDP, "::1", 3478, "[::1]:3478"},
      {"stun:a_b-c.d", false, false, FLOE_TRANSPORT_UDP, "a_b-c.d", 3478, ""},
      {"stun:example.org.", false, false, FLOE_TRANSPORT_UDP, "example.org.", 3478, ""},
      {"stun:xn--bcher-kva.example", false, false, FLOE_TRANSPORT_UDP, "xn--bcher-kva.example", 3478, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const good *row = &rows[i];
    floe_ice_url url;
    floe_error why;
    char text[FLOE_ADDR_TEXT];
    print_message("%s\n", row->text);
    assert_int_equal(floe_ice_url_parse(&url, row->text, &why), FLOE_OK);
    assert_int_equal(url.is_turn, row->is_turn);
    assert_int_equal(url.is_secure, row->is_secure);
    assert_int_equal(url.transport, row->transport);
    assert_string_equal(url.host, row->host);
    assert_int_equal(url.port, row->port);
    assert_string_equal(floe_addr_format(&url.addr, text), row->addr);
  }
}

typedef struct bad {
  const char *text;
  size_t offset;
} bad;

static void names_the_byte_at_fault(void **state) {
  (void)state;
  static const bad rows[] = {
      {"", 0},
      {"stun", 0},
      {"http:example.org", 0},
      {"stunx:example.org", 0},
      {" stun:example.org", 0},
      {"stun:", 5},
      {"stun:?transport=udp", 5},
      {"stun://example.org", 5},
      {"stun:user@example.org", 9},
      {"stun:example.org/path", 16},
      {"stun:example.org#x", 16},
      {"stun:exa mple.org", 8},
      {"stun:example.org ", 16},
      {"stun:ex%41mple.org", 7},
      {"stun:b\xc3\xbc"
       "cher.example",
       6},
      {"stun:example.org\xc2\xa0", 16},
      {"stun:a..b", 7},
      {"stun:.a", 5},
      {"stun:example.org:", 17},
      {"stun:example.org:0", 17},
      {"stun:example.org:65536", 17},
      {"stun:example.org:99999999999999999999", 17},
      {"stun:example.org:12x", 19},
      {"stun:example.org:+1", 17},
      {"stun:2001:db8::1", 5},
      {"stun:example.org:80:90", 19},
      {"stun:[2001:db8::1", 5},
      {"stun:[2001:db8::1%25eth0]", 17},
      {"stun:[192.0.2.1]", 6},
      {"stun:[]", 6},
      {"stun:[::1]x", 10},
      {"stun:256.1.1.1", 5},
      {"stun:1.2.3", 5},
      {"stun:010.0.0.1", 5},
      {"stun:example.org?transport=udp", 16},
      {"turn:example.org?", 17},
      {"turn:example.org?transport", 17},
      {"turn:example.org?transport=", 27},
      {"turn:example.org?transport=tls", 27},
      {"turn:example.org?transport=udp&x=1", 27},
      {"turn:example.org?Transport=udp", 17},
      {"turn:example.org?transport=udp#x", 27},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe_ice_url url;
    floe_error why;
    print_message("%s\n", rows[i].text);
    assert_int_equal(floe_ice_url_parse(&url, rows[i].text, &why), FLOE_E_SYNTAX);
    assert_int_equal(why.offset, rows[i].offset);
    assert_true(why.message[0] != '\0');
    assert_string_equal(why.path, "");
  }
}

static void bounds_labels_and_names(void **state) {
  (void)state;
  floe_ice_url url;
  floe_error why;
  char text[400] = "stun:";
  memset(text + 5, 'a', 63);
  strcpy(text + 68, ".org");
  assert_int_equal(floe_ice_url_parse(&url, text, &why), FLOE_OK);
  memset(text + 5, 'a', 64);
  strcpy(text + 69, ".org");
  assert_int_equal(floe_ice_url_parse(&url, text, &why), FLOE_E_SYNTAX);
  assert_int_equal(why.offset, 68);
  for (size_t i = 0; i < 253; i++) text[5 + i] = i % 2 == 0 ? 'a' : '.';
  text[5 + 253] = '\0';
  assert_int_equal(floe_ice_url_parse(&url, text, &why), FLOE_OK);
  strcpy(text + 5 + 253, "bc");
  assert_int_equal(floe_ice_url_parse(&url, text, &why), FLOE_E_SYNTAX);
  assert_int_equal(why.offset, 5 + 253);
}

static void takes_no_explanation(void **state) {
  (void)state;
  floe_ice_url url;
  assert_int_equal(floe_ice_url_parse(&url, "stun:", NULL), FLOE_E_SYNTAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_the_grammar_allows),
      cmocka_unit_test(names_the_byte_at_fault),
      cmocka_unit_test(bounds_labels_and_names),
      cmocka_unit_test(takes_no_explanation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
