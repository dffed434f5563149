/* dns_msg.h: what is written is what the RFCs draw, and no bytes lead astray. */
#include "mdns/dns_msg.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

/* A string literal without its NUL. */
#define BYTES(s) ((floe_bytes){(const uint8_t *)(s), sizeof(s) - 1})

#define PEER_LOCAL "\x04peer\x05local\x00"

static floe__dns_name name_of(const char *text) {
  floe__dns_name name;
  assert_true(floe__dns_name_parse(&name, text));
  return name;
}

static void assert_bytes(floe_bytes got, floe_bytes want) {
  assert_int_equal(got.len, want.len);
  assert_memory_equal(got.ptr, want.ptr, want.len);
}

static bool opens(floe_bytes packet) {
  /* In a block of its own, so that a read past its end is seen. */
  uint8_t *copy = malloc(packet.len + 1);
  assert_non_null(copy);
  memcpy(copy, packet.ptr, packet.len);
  floe__dns_msg m;
  bool is_open = floe__dns_msg_open(&m, (floe_bytes){copy, packet.len});
  free(copy);
  return is_open;
}

/* ---- names ---- */

static void a_name_is_one_label_and_local(void **state) {
  (void)state;
  floe__dns_name name = name_of("1f4712db-ea17-4bcf-a596-105139dfd8bf.local");
  assert_int_equal(name.len, 36);
  assert_memory_equal(name.label, "1f4712db-ea17-4bcf-a596-105139dfd8bf", 36);
  name = name_of("X.LoCaL");
  assert_int_equal(name.len, 1);
  assert_int_equal(name.label[0], 'X');
}

static void other_texts_are_no_names(void **state) {
  (void)state;
  static const char *const texts[] = {"",          "local",    ".local",    "a.local.", "a.b.local", "a..local",
                                      "a.locale",  "a.loca",   "a.example", "a",        "a.",        ".",
                                      "a.local.b", "a.local ", "192.0.2.1", "a.lokal"};
  floe__dns_name name;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    memset(&name, 7, sizeof name);
    assert_false(floe__dns_name_parse(&name, texts[i]));
    assert_int_equal(name.len, 0);
  }
}

static void a_label_has_at_most_63_bytes(void **state) {
  (void)state;
  char text[80];
  floe__dns_name name;
  memset(text, 'a', sizeof text);
  memcpy(text + 63, ".local", 7);
  assert_true(floe__dns_name_parse(&name, text));
  assert_int_equal(name.len, 63);
  memset(text, 'a', 64);
  memcpy(text + 64, ".local", 7);
  assert_false(floe__dns_name_parse(&name, text));
}

static void case_makes_no_difference_in_ascii_only(void **state) {
  (void)state;
  floe__dns_name a = name_of("AbZ-9.local"), b = name_of("aBz-9.LOCAL");
  assert_int_equal(floe__dns_name_compare(&a, &b), 0);
  floe__dns_name at = name_of("@[.local"), accent = name_of("`{.local"); /* 0x20 away from each other */
  assert_int_not_equal(floe__dns_name_compare(&at, &accent), 0);
  floe__dns_name upper = name_of("\xc3\x84.local"), lower = name_of("\xc3\xa4.local");
  assert_int_not_equal(floe__dns_name_compare(&upper, &lower), 0);
}

static void names_have_an_order(void **state) {
  (void)state;
  static const char *const texts[] = {"a.local", "b.local", "C.local", "aa.local", "ab.local", "aaa.local"};
  size_t n = sizeof texts / sizeof texts[0];
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      floe__dns_name a = name_of(texts[i]), b = name_of(texts[k]);
      int order = floe__dns_name_compare(&a, &b);
      assert_true(i == k ? order == 0 : i < k ? order < 0 : order > 0);
    }
  }
}

/* ---- writing ---- */

static void a_question_asks_for_one_family(void **state) {
  (void)state;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_name name = name_of("peer.local");
  assert_bytes(floe__dns_write_question(buf, &name, FLOE_FAMILY_IPV4),
               BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0" PEER_LOCAL "\0\x01\0\x01"));
  assert_bytes(floe__dns_write_question(buf, &name, FLOE_FAMILY_IPV6),
               BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0" PEER_LOCAL "\0\x1c\0\x01"));
}

static void a_name_is_written_as_it_was_given(void **state) {
  (void)state;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_name name = name_of("PeeR.LOCAL");
  assert_bytes(floe__dns_write_question(buf, &name, FLOE_FAMILY_IPV4),
               BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0\x04PeeR\x05local\0\0\x01\0\x01"));
}

static floe__dns_answer answer_of(const floe__dns_name *name, const char *ip) {
  floe__dns_answer answer = {.name = name, .ttl = 120};
  assert_true(floe_addr_parse(&answer.addr, ip));
  return answer;
}

static void an_answer_has_the_address_and_denies_the_other_family(void **state) {
  (void)state;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_name name = name_of("peer.local");
  floe__dns_answer v4 = answer_of(&name, "192.0.2.2");
  assert_bytes(floe__dns_write_answer(buf, &v4),
               BYTES("\0\0\x84\0\0\0\0\x01\0\0\0\x01" PEER_LOCAL "\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x02"
                     "\xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\x05\xc0\x0c\0\x01\x40"));
  floe__dns_answer v6 = answer_of(&name, "2001:db8::2");
  assert_bytes(floe__dns_write_answer(buf, &v6),
               BYTES("\0\0\x84\0\0\0\0\x01\0\0\0\x01" PEER_LOCAL "\0\x1c\x80\x01\0\0\0\x78\0\x10"
                     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                     "\xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\x08\xc0\x0c\0\x04\0\0\0\x08"));
}

static void a_goodbye_has_the_address_alone(void **state) {
  (void)state;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_name name = name_of("peer.local");
  floe__dns_answer answer = answer_of(&name, "192.0.2.2");
  answer.ttl = 0;
  assert_bytes(floe__dns_write_answer(buf, &answer),
               BYTES("\0\0\x84\0\0\0\0\x01\0\0\0\0" PEER_LOCAL "\0\x01\x80\x01\0\0\0\0\0\x04\xc0\0\x02\x02"));
}

/* RFC 6762 6.7: the id and the question come back, and no cache-flush bit. */
static void a_plain_resolver_gets_its_question_back(void **state) {
  (void)state;
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  floe__dns_name name = name_of("peer.local");
  floe__dns_answer answer = answer_of(&name, "192.0.2.2");
  answer.ttl = 10;
  answer.is_legacy = true;
  answer.id = 0xabcd;
  answer.q_type = FLOE__DNS_ANY;
  assert_bytes(floe__dns_write_answer(buf, &answer),
               BYTES("\xab\xcd\x84\0\0\x01\0\x01\0\0\0\0" PEER_LOCAL "\0\xff\0\x01"
                     "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\0\x02\x02"));
}

static void the_longest_name_fits(void **state) {
  (void)state;
  char text[70];
  uint8_t buf[FLOE__DNS_WRITE_MAX];
  memset(text, 'n', 63);
  memcpy(text + 63, ".local", 7);
  floe__dns_name name = name_of(text);
  floe__dns_answer answer = answer_of(&name, "2001:db8::2");
  assert_int_equal(floe__dns_write_answer(buf, &answer).len, 12 + 71 + 10 + 16 + 12 + 8);
  assert_int_equal(floe__dns_write_question(buf, &name, FLOE_FAMILY_IPV6).len, 12 + 71 + 4);
}

/* ---- reading ---- */

static void a_question_is_read_with_its_bits(void **state) {
  (void)state;
  floe__dns_msg m;
  floe__dns_question q;
  floe_bytes packet = BYTES("\x12\x34\x02\0\0\x03\0\0\0\0\0\0" PEER_LOCAL
                            "\0\x01\x80\x01"
                            "\xc0\x0c\0\xff\0\xff\xc0\x0c\0\x1c\0\x03");
  assert_true(floe__dns_msg_open(&m, packet));
  assert_int_equal(m.id, 0x1234);
  assert_false(m.is_response);
  assert_int_equal(m.opcode, 0);
  assert_true(floe__dns_next_question(&m, &q));
  floe__dns_name want = name_of("peer.local");
  assert_int_equal(floe__dns_name_compare(&q.name, &want), 0);
  assert_int_equal(q.type, FLOE__DNS_A);
  assert_true(q.is_internet);
  assert_true(q.is_unicast);
  assert_true(floe__dns_next_question(&m, &q));
  assert_int_equal(floe__dns_name_compare(&q.name, &want), 0);
  assert_int_equal(q.type, FLOE__DNS_ANY);
  assert_true(q.is_internet);
  assert_false(q.is_unicast);
  assert_true(floe__dns_next_question(&m, &q));
  assert_false(q.is_internet);
  assert_false(floe__dns_next_question(&m, &q));
  floe__dns_record r;
  assert_false(floe__dns_next_record(&m, &r, true));
}

static void the_header_is_taken_apart(void **state) {
  (void)state;
  floe__dns_msg m;
  assert_true(floe__dns_msg_open(&m, BYTES("\0\0\xa8\x05\0\0\0\0\0\0\0\0")));
  assert_true(m.is_response);
  assert_int_equal(m.opcode, 5);
  assert_int_equal(m.rcode, 5);
}

static void records_are_read_in_all_sections(void **state) {
  (void)state;
  floe__dns_msg m;
  floe__dns_record r;
  char text[FLOE_ADDR_TEXT];
  floe_bytes packet = BYTES("\0\0\x84\0\0\0\0\x01\0\x01\0\x01" PEER_LOCAL
                            "\0\x01\x80\x01\0\0\x11\x22\0\x04\xc0\0\x02\x02"
                            "\x02hi\xc0\x11\0\x1c\0\x01\0\0\0\0\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                            "\x00\0\x10\0\x03\0\0\0\0\0\x01x");
  assert_true(floe__dns_msg_open(&m, packet));
  assert_true(floe__dns_next_record(&m, &r, true));
  floe__dns_name want = name_of("peer.local");
  assert_int_equal(floe__dns_name_compare(&r.name, &want), 0);
  assert_true(r.is_internet);
  assert_true(r.is_cache_flush);
  assert_int_equal(r.ttl, 0x1122);
  assert_string_equal(floe_addr_format(&r.addr, text), "192.0.2.2");
  assert_true(floe__dns_next_record(&m, &r, true));
  want = name_of("hi.local");
  assert_int_equal(floe__dns_name_compare(&r.name, &want), 0);
  assert_false(r.is_cache_flush);
  assert_string_equal(floe_addr_format(&r.addr, text), "2001:db8::2");
  assert_true(floe__dns_next_record(&m, &r, true));
  assert_int_equal(r.name.len, 0);
  assert_false(r.is_internet);
  assert_int_equal(r.addr.family, FLOE_FAMILY_NONE);
  assert_false(floe__dns_next_record(&m, &r, true));
}

static void the_answer_section_can_be_read_alone(void **state) {
  (void)state;
  floe__dns_msg m;
  floe__dns_record r;
  assert_true(floe__dns_msg_open(&m, BYTES("\0\0\x84\0\0\0\0\x01\0\0\0\x01\0\0\x10\0\x01\0\0\0\0\0\0"
                                           "\0\0\x11\0\x01\0\0\0\0\0\0")));
  assert_true(floe__dns_next_record(&m, &r, false));
  assert_int_equal(r.type, 0x10);
  assert_false(floe__dns_next_record(&m, &r, false));
  assert_true(floe__dns_next_record(&m, &r, true));
  assert_int_equal(r.type, 0x11);
}

static floe_addr address_in(const char *type_class_ttl_len, size_t len, const char *data, size_t data_len) {
  uint8_t packet[256] = {0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 'p', 5, 'l', 'o', 'c', 'a', 'l', 0};
  memcpy(packet + 21, type_class_ttl_len, len);
  memcpy(packet + 21 + len, data, data_len);
  floe__dns_msg m;
  floe__dns_record r;
  assert_true(floe__dns_msg_open(&m, (floe_bytes){packet, 21 + len + data_len}));
  assert_true(floe__dns_next_record(&m, &r, true));
  assert_int_equal(r.name.len, 1);
  return r.addr;
}

static void an_address_of_the_wrong_length_is_none(void **state) {
  (void)state;
  assert_int_equal(address_in("\0\x01\0\x01\0\0\0\x78\0\x04", 10, "\1\2\3\4", 4).family, FLOE_FAMILY_IPV4);
  assert_int_equal(address_in("\0\x01\0\x01\0\0\0\x78\0\x05", 10, "\1\2\3\4\5", 5).family, FLOE_FAMILY_NONE);
  assert_int_equal(address_in("\0\x01\0\x01\0\0\0\x78\0\x00", 10, "", 0).family, FLOE_FAMILY_NONE);
  assert_int_equal(address_in("\0\x1c\0\x01\0\0\0\x78\0\x04", 10, "\1\2\3\4", 4).family, FLOE_FAMILY_NONE);
  assert_int_equal(address_in("\0\x1c\0\x01\0\0\0\x78\0\x10", 10, "0123456789abcdef", 16).family, FLOE_FAMILY_IPV6);
  assert_int_equal(address_in("\0\x05\0\x01\0\0\0\x78\0\x04", 10, "\1\2\3\4", 4).family, FLOE_FAMILY_NONE);
}

/* ---- NSEC ---- */

static floe__dns_record denial(const char *data, size_t len) {
  uint8_t packet[256] = {0,   0,   0x84, 0,   0, 0, 0,  1,    0, 0, 0, 0, 1,   'p', 5,           'l',
                         'o', 'c', 'a',  'l', 0, 0, 47, 0x80, 1, 0, 0, 0, 120, 0,   (uint8_t)len};
  memcpy(packet + 31, data, len);
  floe__dns_msg m;
  floe__dns_record r;
  assert_true(floe__dns_msg_open(&m, (floe_bytes){packet, 31 + len}));
  assert_true(floe__dns_next_record(&m, &r, true));
  return r;
}

static void a_bitmap_says_what_there_is_not(void **state) {
  (void)state;
  static const struct {
    const char *data;
    size_t len;
    bool denies_ipv4, denies_ipv6;
  } cases[] = {
      {"\xc0\x0c\0\x01\x40", 5, false, true},           /* A */
      {"\xc0\x0c\0\x04\0\0\0\x08", 8, true, false},     /* AAAA */
      {"\xc0\x0c\0\x04\x40\0\0\x08", 8, false, false},  /* both */
      {"\xc0\x0c\0\x02\x00\x01", 6, true, true},        /* neither */
      {"\x01P\x05LOCAL\0\0\x01\x40", 12, false, true},  /* spelt out, in capitals */
      {"\xc0\x0c\x01\x01\x40", 5, false, false},        /* another window of types: says nothing of these */
      {"\xc0\x0c\0\0", 4, false, false},                /* an empty bitmap is not allowed */
      {"\xc0\x0c\0\x05\x40", 5, false, false},          /* cut off */
      {"\xc0\x0c", 2, false, false},                    /* no bitmap */
      {"\x01q\x05local\0\0\x01\x40", 12, false, false}, /* about the names between two others */
      {"\xc0\x1f\0\x01\x40", 5, false, false},          /* points at itself */
      {"", 0, false, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    floe__dns_record r = denial(cases[i].data, cases[i].len);
    assert_int_equal(r.denies_ipv4, cases[i].denies_ipv4);
    assert_int_equal(r.denies_ipv6, cases[i].denies_ipv6);
    assert_int_equal(r.addr.family, FLOE_FAMILY_NONE);
  }
}

static void a_bitmap_that_is_too_long_says_nothing(void **state) {
  (void)state;
  char data[4 + 33] = "\xc0\x0c\0\x21\x40";
  assert_false(denial(data, sizeof data).denies_ipv6);
  data[3] = 0x20;
  assert_true(denial(data, sizeof data - 1).denies_ipv6);
}

/* ---- what is malformed ---- */

static void headers_that_are_cut_are_refused(void **state) {
  (void)state;
  static const uint8_t zeros[12];
  for (size_t len = 0; len < 12; len++) assert_false(opens((floe_bytes){zeros, len}));
  assert_true(opens((floe_bytes){zeros, 12}));
}

static void a_message_cut_anywhere_is_refused(void **state) {
  (void)state;
  floe_bytes whole = BYTES("\0\0\x84\0\0\x01\0\x01\0\0\0\x01" PEER_LOCAL
                           "\0\x01\0\x01"
                           "\xc0\x0c\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x02"
                           "\xc0\x0c\0\x2f\x80\x01\0\0\0\x78\0\x05\xc0\x0c\0\x01\x40");
  for (size_t len = 0; len < whole.len; len++) assert_false(opens((floe_bytes){whole.ptr, len}));
  assert_true(opens(whole));
}

static void bytes_after_the_end_are_ignored(void **state) {
  (void)state;
  assert_true(opens(BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0" PEER_LOCAL "\0\x01\0\x01trailing")));
}

static void a_message_of_more_than_9000_bytes_is_refused(void **state) {
  (void)state;
  static uint8_t big[9001];
  assert_true(opens((floe_bytes){big, 9000}));
  assert_false(opens((floe_bytes){big, 9001}));
}

static void pointers_lead_back_and_nowhere_else(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
    bool is_fine;
  } cases[] = {
#define CASE(s, fine) {s, sizeof(s) - 1, fine}
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01", false), /* at itself */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\x0e\0\x01\0\x01", false), /* ahead */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\xff\xff\0\x01\0\x01", false), /* past the end */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\x00\0\x01\0\x01", false), /* into the header */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\x01"
           "a\xc0\x0c\0\x01\0\x01",
           false), /* at its own label: a loop */
      CASE("\0\0\0\0\0\x02\0\0\0\0\0\0\x01"
           "a\x00\0\x01\0\x01\x01"
           "b\xc0\x0c\0\x01\0\x01",
           true),
      CASE("\0\0\0\0\0\x02\0\0\0\0\0\0\x01"
           "a\x00\0\x01\0\x01\x01"
           "b\xc0",
           false),                                                 /* half of one */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\x40\0\0\x01\0\x01", false), /* 01: reserved */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\x80\0\0\x01\0\x01", false), /* 10: reserved */
      CASE("\0\0\0\0\0\x01\0\0\0\0\0\0\x3f"
           "a\0\0\x01\0\x01",
           false), /* a label past the end */
#undef CASE
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(opens((floe_bytes){(const uint8_t *)cases[i].bytes, cases[i].len}), cases[i].is_fine);
  }
}

/* Questions whose names are pointers to the name before, each one jump longer. */
static void a_long_chain_of_pointers_is_refused(void **state) {
  (void)state;
  for (unsigned n = 2; n < 60; n++) {
    uint8_t packet[1024] = {0, 0, 0, 0, 0, (uint8_t)n, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
    size_t len = 19, previous = 12;
    for (unsigned i = 1; i < n; i++) {
      const uint8_t question[6] = {(uint8_t)(0xc0 | previous >> 8), (uint8_t)previous, 0, 1, 0, 1};
      memcpy(packet + len, question, sizeof question);
      previous = len;
      len += sizeof question;
    }
    assert_int_equal(opens((floe_bytes){packet, len}), n - 1 <= 32);
  }
}

static void a_name_of_more_than_255_bytes_is_refused(void **state) {
  (void)state;
  for (unsigned last = 59; last <= 63; last++) {
    uint8_t packet[400] = {0, 0, 0, 0, 0, 1};
    size_t len = 12;
    for (unsigned i = 0; i < 4; i++) {
      unsigned label = i < 3 ? 63 : last;
      packet[len] = (uint8_t)label;
      memset(packet + len + 1, 'a', label);
      len += 1 + label;
    }
    packet[len] = 0;
    len += 5;
    /* 3 * 64 + 1 + last + 1 bytes on the wire */
    assert_int_equal(opens((floe_bytes){packet, len}), 194 + last <= 255);
  }
}

static void names_of_another_form_are_read_over(void **state) {
  (void)state;
  static const char *const names[] = {"\x00",
                                      "\x05local\x00",
                                      "\x01"
                                      "a\x01"
                                      "b\x05local\x00",
                                      "\x01"
                                      "a\x03"
                                      "com\x00",
                                      "\x01"
                                      "a\x05locax\x00",
                                      "\x01"
                                      "a\x04loca\x00"};
  static const size_t lens[] = {1, 7, 11, 7, 9, 8};
  for (size_t i = 0; i < 6; i++) {
    uint8_t packet[64] = {0, 0, 0, 0, 0, 2};
    memcpy(packet + 12, names[i], lens[i]);
    memcpy(packet + 12 + lens[i], "\0\x01\0\x01" PEER_LOCAL "\0\x01\0\x01", 20);
    floe__dns_msg m;
    floe__dns_question q;
    assert_true(floe__dns_msg_open(&m, (floe_bytes){packet, 32 + lens[i]}));
    assert_true(floe__dns_next_question(&m, &q));
    assert_int_equal(q.name.len, 0);
    assert_true(floe__dns_next_question(&m, &q));
    assert_int_equal(q.name.len, 4);
  }
}

/* A label may hold any byte: a dot or a NUL in it makes it no other name. */
static void a_dot_in_a_label_is_no_separator(void **state) {
  (void)state;
  floe__dns_msg m;
  floe__dns_question q;
  assert_true(floe__dns_msg_open(&m, BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0\x0apeer.local\0\0\x01\0\x01")));
  assert_true(floe__dns_next_question(&m, &q));
  assert_int_equal(q.name.len, 0);
  assert_true(floe__dns_msg_open(&m, BYTES("\0\0\0\0\0\x01\0\0\0\0\0\0\x05peer\0\x05local\0\0\x01\0\x01")));
  assert_true(floe__dns_next_question(&m, &q));
  floe__dns_name peer = name_of("peer.local");
  assert_int_equal(q.name.len, 5);
  assert_int_not_equal(floe__dns_name_compare(&q.name, &peer), 0);
}

static void counts_that_promise_too_much_are_refused(void **state) {
  (void)state;
  assert_false(opens(BYTES("\0\0\0\0\xff\xff\0\0\0\0\0\0" PEER_LOCAL "\0\x01\0\x01")));
  assert_false(opens(BYTES("\0\0\x84\0\0\0\xff\xff\xff\xff\xff\xff")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_is_one_label_and_local),
      cmocka_unit_test(other_texts_are_no_names),
      cmocka_unit_test(a_label_has_at_most_63_bytes),
      cmocka_unit_test(case_makes_no_difference_in_ascii_only),
      cmocka_unit_test(names_have_an_order),
      cmocka_unit_test(a_question_asks_for_one_family),
      cmocka_unit_test(a_name_is_written_as_it_was_given),
      cmocka_unit_test(an_answer_has_the_address_and_denies_the_other_family),
      cmocka_unit_test(a_goodbye_has_the_address_alone),
      cmocka_unit_test(a_plain_resolver_gets_its_question_back),
      cmocka_unit_test(the_longest_name_fits),
      cmocka_unit_test(a_question_is_read_with_its_bits),
      cmocka_unit_test(the_header_is_taken_apart),
      cmocka_unit_test(records_are_read_in_all_sections),
      cmocka_unit_test(the_answer_section_can_be_read_alone),
      cmocka_unit_test(an_address_of_the_wrong_length_is_none),
      cmocka_unit_test(a_bitmap_says_what_there_is_not),
      cmocka_unit_test(a_bitmap_that_is_too_long_says_nothing),
      cmocka_unit_test(headers_that_are_cut_are_refused),
      cmocka_unit_test(a_message_cut_anywhere_is_refused),
      cmocka_unit_test(bytes_after_the_end_are_ignored),
      cmocka_unit_test(a_message_of_more_than_9000_bytes_is_refused),
      cmocka_unit_test(pointers_lead_back_and_nowhere_else),
      cmocka_unit_test(a_long_chain_of_pointers_is_refused),
      cmocka_unit_test(a_name_of_more_than_255_bytes_is_refused),
      cmocka_unit_test(names_of_another_form_are_read_over),
      cmocka_unit_test(a_dot_in_a_label_is_no_separator),
      cmocka_unit_test(counts_that_promise_too_much_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
