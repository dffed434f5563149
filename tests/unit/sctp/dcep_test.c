#include "sctp/dcep.h"

#include "fixture.h"

static bool parses(const uint8_t *data, size_t len, floe__dcep_msg *out) {
  /* on the heap, so that a byte read too many is seen */
  uint8_t *copy = malloc(len == 0 ? 1 : len);
  if (len > 0) memcpy(copy, data, len);
  bool ok = floe__dcep_parse(out, (floe_bytes){.ptr = copy, .len = len});
  free(copy);
  return ok;
}

/* What Chromium sends for createDataChannel("chat", {protocol: "p"}). */
static const uint8_t chat[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 'c', 'h', 'a', 't', 'p'};

static void open_is_read(void **state) {
  (void)state;
  floe__dcep_msg m;
  assert_true(floe__dcep_parse(&m, (floe_bytes){.ptr = chat, .len = sizeof chat}));
  assert_int_equal(m.type, FLOE__DCEP_OPEN);
  assert_int_equal(m.open.priority, 0);
  assert_int_equal(m.open.label.len, 4);
  assert_memory_equal(m.open.label.ptr, "chat", 4);
  assert_int_equal(m.open.protocol.len, 1);
  assert_memory_equal(m.open.protocol.ptr, "p", 1);
  assert_false(m.open.reliability.unordered);
  assert_false(m.open.reliability.has_max_retransmits);
  assert_false(m.open.reliability.has_max_lifetime);
}

static void ack_is_one_byte(void **state) {
  (void)state;
  floe__dcep_msg m;
  const uint8_t ack[] = {2, 0};
  assert_true(parses(ack, 1, &m));
  assert_int_equal(m.type, FLOE__DCEP_ACK);
  assert_false(parses(ack, 2, &m));
  uint8_t out[1];
  assert_int_equal(floe__dcep_write_ack(out, 1), 1);
  assert_int_equal(out[0], 2);
  assert_int_equal(floe__dcep_write_ack(out, 0), 0);
}

static void channel_types(void **state) {
  (void)state;
  static const struct {
    uint8_t type;
    bool ok, unordered, retransmits, lifetime;
  } rows[] = {
      {0x00, true, false, false, false},
      {0x80, true, true, false, false},
      {0x01, true, false, true, false},
      {0x81, true, true, true, false},
      {0x02, true, false, false, true},
      {0x82, true, true, false, true},
      {0x03, false, 0, 0, 0},
      {0x83, false, 0, 0, 0},
      {0x7F, false, 0, 0, 0},
      {0xFF, false, 0, 0, 0},
      {0x04, false, 0, 0, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t open[12] = {3, rows[i].type, 1, 2, 0x00, 0x01, 0x00, 0x02, 0, 0, 0, 0};
    floe__dcep_msg m;
    assert_int_equal(parses(open, sizeof open, &m), rows[i].ok);
    if (!rows[i].ok) continue;
    const floe__sctp_reliability *r = &m.open.reliability;
    assert_int_equal(m.open.priority, 0x0102);
    assert_int_equal(r->unordered, rows[i].unordered);
    assert_int_equal(r->has_max_retransmits, rows[i].retransmits);
    assert_int_equal(r->has_max_lifetime, rows[i].lifetime);
    if (rows[i].retransmits) assert_int_equal(r->max_retransmits, 0x10002);
    if (rows[i].lifetime) assert_int_equal(r->max_lifetime_ms, 0x10002);
  }
}

static void lengths_must_not_overrun(void **state) {
  (void)state;
  floe__dcep_msg m;
  for (size_t len = 0; len < sizeof chat; len++) assert_false(parses(chat, len, &m));
  uint8_t longer[sizeof chat + 1] = {0};
  memcpy(longer, chat, sizeof chat);
  assert_true(parses(longer, sizeof longer, &m)); /* aiortc counts characters of UTF-8, not bytes */
  uint8_t overrun[sizeof chat];
  memcpy(overrun, chat, sizeof chat);
  overrun[9] = 5;
  assert_false(parses(overrun, sizeof overrun, &m));
  overrun[8] = overrun[9] = overrun[10] = overrun[11] = 0xFF;
  assert_false(parses(overrun, sizeof overrun, &m));
}

static void other_types_are_no_dcep(void **state) {
  (void)state;
  for (unsigned type = 0; type < 256; type++) {
    uint8_t open[12] = {(uint8_t)type};
    floe__dcep_msg m;
    assert_int_equal(parses(open, sizeof open, &m), type == 3);
    assert_int_equal(parses(open, 1, &m), type == 2);
  }
}

static bool label_parses(const char *label, size_t len) {
  uint8_t open[64] = {3};
  open[9] = (uint8_t)len;
  memcpy(open + 12, label, len);
  floe__dcep_msg m;
  bool as_label = parses(open, 12 + len, &m);
  open[11] = open[9];
  open[9] = 0;
  assert_int_equal(parses(open, 12 + len, &m), as_label);
  return as_label;
}

/* RFC 3629 */
static void texts_are_utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
  } rows[] = {
      {"plain", true},
      {"\xC3\xA4", true},
      {"\xE2\x82\xAC", true},
      {"\xF0\x9F\x98\x80", true},
      {"\xF4\x8F\xBF\xBF", true},      /* U+10FFFF */
      {"\xED\x9F\xBF", true},          /* U+D7FF */
      {"\xEE\x80\x80", true},          /* U+E000 */
      {"\xC2\x80", true},              /* U+0080 */
      {"\xE0\xA0\x80", true},          /* U+0800 */
      {"\xF0\x90\x80\x80", true},      /* U+10000 */
      {"\x80", false},                 /* a continuation alone */
      {"\xC3", false},                 /* cut off */
      {"\xE2\x82", false},             /* cut off */
      {"\xF0\x9F\x98", false},         /* cut off */
      {"\xC3q", false},                /* not continued */
      {"\xE2\x82q", false},            /* not continued */
      {"\xC0\x80", false},             /* longer than needed */
      {"\xC1\xBF", false},             /* longer than needed */
      {"\xE0\x9F\xBF", false},         /* longer than needed */
      {"\xF0\x8F\xBF\xBF", false},     /* longer than needed */
      {"\xED\xA0\x80", false},         /* a surrogate */
      {"\xED\xBF\xBF", false},         /* a surrogate */
      {"\xF4\x90\x80\x80", false},     /* U+110000 */
      {"\xF5\x80\x80\x80", false},     /* beyond */
      {"\xF8\x88\x80\x80\x80", false}, /* five bytes */
      {"\xFE", false},
      {"\xFF", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(label_parses(rows[i].text, strlen(rows[i].text)), rows[i].ok);
  assert_true(label_parses("a\0b", 3)); /* U+0000 is a character */
  assert_true(label_parses("", 0));
}

static void assert_same_reliability(const floe__sctp_reliability *a, const floe__sctp_reliability *b) {
  assert_int_equal(a->unordered, b->unordered);
  assert_int_equal(a->has_max_retransmits, b->has_max_retransmits);
  assert_int_equal(a->has_max_lifetime, b->has_max_lifetime);
  assert_int_equal(a->max_retransmits, b->max_retransmits);
  assert_int_equal(a->max_lifetime_ms, b->max_lifetime_ms);
}

static void what_is_written_is_read_again(void **state) {
  (void)state;
  floe__dcep_open rows[] = {
      {.label = text_of("chat"), .protocol = text_of("p")},
      {.priority = 512, .reliability = {.unordered = true}},
      {.reliability = {.has_max_retransmits = true, .max_retransmits = 0}, .label = text_of("\xC3\xA4")},
      {.reliability = {.has_max_retransmits = true, .max_retransmits = UINT32_MAX, .unordered = true}},
      {.reliability = {.has_max_lifetime = true, .max_lifetime_ms = 3000}, .protocol = text_of("proto")},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint8_t out[64];
    size_t len = floe__dcep_write_open(&rows[i], out, sizeof out);
    assert_int_equal(len, 12 + rows[i].label.len + rows[i].protocol.len);
    floe__dcep_msg m;
    assert_true(floe__dcep_parse(&m, (floe_bytes){.ptr = out, .len = len}));
    assert_int_equal(m.type, FLOE__DCEP_OPEN);
    assert_int_equal(m.open.priority, rows[i].priority);
    assert_same_reliability(&m.open.reliability, &rows[i].reliability);
    assert_int_equal(m.open.label.len, rows[i].label.len);
    if (m.open.label.len > 0) assert_memory_equal(m.open.label.ptr, rows[i].label.ptr, m.open.label.len);
    assert_int_equal(m.open.protocol.len, rows[i].protocol.len);
    for (size_t cap = 0; cap < len; cap++) assert_int_equal(floe__dcep_write_open(&rows[i], out, cap), 0);
  }
}

static void texts_of_65535_bytes(void **state) {
  (void)state;
  size_t cap = 12 + 2 * 65536;
  uint8_t *text = malloc(65536), *out = malloc(cap);
  memset(text, 'x', 65536);
  floe__dcep_open open = {.label = {.ptr = text, .len = 65535}, .protocol = {.ptr = text, .len = 65535}};
  size_t len = floe__dcep_write_open(&open, out, cap);
  assert_int_equal(len, 12 + 2 * 65535);
  floe__dcep_msg m;
  assert_true(floe__dcep_parse(&m, (floe_bytes){.ptr = out, .len = len}));
  assert_int_equal(m.open.protocol.len, 65535);
  open.label.len = 65536;
  assert_int_equal(floe__dcep_write_open(&open, out, cap), 0);
  free(text);
  free(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(open_is_read),
      cmocka_unit_test(ack_is_one_byte),
      cmocka_unit_test(channel_types),
      cmocka_unit_test(lengths_must_not_overrun),
      cmocka_unit_test(other_types_are_no_dcep),
      cmocka_unit_test(texts_are_utf8),
      cmocka_unit_test(what_is_written_is_read_again),
      cmocka_unit_test(texts_of_65535_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
