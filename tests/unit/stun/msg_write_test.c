#include "fixture.h"

typedef struct output {
  uint8_t buf[2048];
  floe__stun_builder b;
} output;

static void begin(output *o) {
  memset(o->buf, 0xEE, sizeof o->buf); /* padding must be written, not left */
  floe__stun_begin(&o->b, o->buf, sizeof o->buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
}

/* The finished message is the header of a Binding request and `body`. */
static void assert_body(output *o, const char *body) {
  uint8_t want[2048];
  size_t len = from_hex(want, "00010000 2112a442 b7e7a701bc34d686fa87dfae");
  len += from_hex(want + len, body);
  want[2] = (uint8_t)((len - 20) >> 8);
  want[3] = (uint8_t)(len - 20);
  assert_bytes(floe__stun_end(&o->b), want, len);
}

static void types(void **state) {
  (void)state;
  static const struct {
    floe__stun_class cls;
    uint16_t method;
    uint8_t type[2];
  } rows[] = {
      {FLOE__STUN_REQUEST, FLOE__STUN_BINDING, {0x00, 0x01}},
      {FLOE__STUN_INDICATION, FLOE__STUN_BINDING, {0x00, 0x11}},
      {FLOE__STUN_SUCCESS, FLOE__STUN_BINDING, {0x01, 0x01}},
      {FLOE__STUN_ERROR, FLOE__STUN_BINDING, {0x01, 0x11}},
      {FLOE__STUN_REQUEST, FLOE__STUN_ALLOCATE, {0x00, 0x03}},
      {FLOE__STUN_ERROR, FLOE__STUN_ALLOCATE, {0x01, 0x13}},
      {FLOE__STUN_SUCCESS, FLOE__STUN_REFRESH, {0x01, 0x04}},
      {FLOE__STUN_INDICATION, FLOE__STUN_SEND, {0x00, 0x16}},
      {FLOE__STUN_INDICATION, FLOE__STUN_DATA_METHOD, {0x00, 0x17}},
      {FLOE__STUN_REQUEST, FLOE__STUN_CREATE_PERMISSION, {0x00, 0x08}},
      {FLOE__STUN_REQUEST, FLOE__STUN_CHANNEL_BIND, {0x00, 0x09}},
      {FLOE__STUN_ERROR, 0xFFF, {0x3F, 0xFF}},
      {FLOE__STUN_REQUEST, 0xFFF, {0x3E, 0xEF}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint8_t buf[20];
    floe__stun_builder b;
    floe__stun_begin(&b, buf, sizeof buf, rows[i].cls, rows[i].method, test_id);
    floe_bytes message = floe__stun_end(&b);
    assert_int_equal(message.len, 20);
    assert_memory_equal(message.ptr, rows[i].type, 2);
    floe__stun_msg m = parse_ok(message);
    assert_int_equal(m.cls, rows[i].cls);
    assert_int_equal(m.method, rows[i].method);
    assert_memory_equal(m.txn_id, test_id, sizeof test_id);
  }
}

static void padding_is_zero(void **state) {
  (void)state;
  output o;
  begin(&o);
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "a");
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "ab");
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "abc");
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "abcd");
  floe__stun_put_text(&o.b, FLOE__STUN_USERNAME, "");
  assert_body(&o, "00060001 61000000 00060002 61620000 00060003 61626300 00060004 61626364 00060000");
}

static void values(void **state) {
  (void)state;
  output o;
  begin(&o);
  floe__stun_put_u32(&o.b, FLOE__STUN_PRIORITY, 0x6E0001FF);
  floe__stun_put_u64(&o.b, FLOE__STUN_ICE_CONTROLLING, 0x932FF9B151263B36);
  floe__stun_put_flag(&o.b, FLOE__STUN_USE_CANDIDATE);
  floe__stun_put(&o.b, FLOE__STUN_DATA, "\x01\x02\x03\x04\x05", 5);
  floe__stun_put_raw(&o.b, 0x7FFF, "x", 1);
  floe__stun_put_raw(&o.b, 0xC057, NULL, 0);
  assert_body(&o,
              "00240004 6e0001ff 802a0008 932ff9b151263b36 00250000 00130005 0102030405000000"
              "7fff0001 78000000 c0570000");
}

static void addresses(void **state) {
  (void)state;
  floe_addr v4, v6;
  assert_true(floe_addr_parse(&v4, "192.0.2.1:32853"));
  assert_true(floe_addr_parse(&v6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
  output o;
  begin(&o);
  floe__stun_put_addr(&o.b, FLOE__STUN_MAPPED_ADDRESS, &v4);
  floe__stun_put_addr(&o.b, FLOE__STUN_ALTERNATE_SERVER, &v6);
  floe__stun_put_xor_addr(&o.b, FLOE__STUN_XOR_MAPPED_ADDRESS, &v4);
  floe__stun_put_xor_addr(&o.b, FLOE__STUN_XOR_PEER_ADDRESS, &v6);
  assert_body(&o,
              "00010008 00018055 c0000201"
              "80230014 00028055 20010db8123456780011223344556677"
              "00200008 0001a147 e112a643"
              "00120014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9");
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  floe_addr back;
  assert_true(floe__stun_get_addr(&m, FLOE__STUN_MAPPED_ADDRESS, &back));
  assert_true(floe_addr_equal(&back, &v4));
  assert_true(floe__stun_get_xor_addr(&m, FLOE__STUN_XOR_PEER_ADDRESS, &back));
  assert_true(floe_addr_equal(&back, &v6));
}

static void errors(void **state) {
  (void)state;
  output o;
  begin(&o);
  floe__stun_put_error(&o.b, 401, "Unauthenticated");
  floe__stun_put_error(&o.b, 300, "");
  floe__stun_put_error(&o.b, 699, "x");
  assert_body(&o,
              "00090013 00000401 556e61757468656e7469636174656400"
              "00090004 00000300"
              "00090005 00000663 78000000");
}

/* RFC 8489 14.8: 763 bytes. */
static void a_long_reason_is_cut(void **state) {
  (void)state;
  char reason[801];
  memset(reason, 'r', 800);
  reason[800] = '\0';
  output o;
  begin(&o);
  floe__stun_put_error(&o.b, 500, reason);
  floe__stun_msg m = parse_ok(floe__stun_end(&o.b));
  assert_int_equal(floe__stun_get(&m, FLOE__STUN_ERROR_CODE).len, 767);
}

static void what_does_not_fit_gives_nothing(void **state) {
  (void)state;
  floe_addr addr;
  assert_true(floe_addr_parse(&addr, "192.0.2.1:1"));
  for (size_t cap = 0; cap < 48; cap++) {
    uint8_t buf[64];
    memset(buf, 0xEE, sizeof buf);
    floe__stun_builder b;
    floe__stun_begin(&b, buf, cap, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
    floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
    floe__stun_put_text(&b, FLOE__STUN_SOFTWARE, "abcdefgh");
    floe__stun_put_flag(&b, FLOE__STUN_USE_CANDIDATE);
    assert_int_equal(floe__stun_end(&b).len, 0);
    for (size_t i = cap; i < sizeof buf; i++) assert_int_equal(buf[i], 0xEE);
  }
  uint8_t buf[48];
  floe__stun_builder b;
  floe__stun_begin(&b, buf, sizeof buf, FLOE__STUN_REQUEST, FLOE__STUN_BINDING, test_id);
  floe__stun_put_xor_addr(&b, FLOE__STUN_XOR_MAPPED_ADDRESS, &addr);
  floe__stun_put_text(&b, FLOE__STUN_SOFTWARE, "abcdefgh");
  floe__stun_put_flag(&b, FLOE__STUN_USE_CANDIDATE);
  assert_int_equal(floe__stun_end(&b).len, 48);
}

/* Both length fields have 16 bits. */
static void what_cannot_be_said_gives_nothing(void **state) {
  (void)state;
  size_t cap = 200000;
  uint8_t *buf = malloc(cap);
  uint8_t *value = calloc(1, 65536);
  assert_non_null(buf);
  assert_non_null(value);
  static const struct {
    size_t first, second; /* lengths of two attributes; SIZE_MAX = none */
    size_t want;          /* 0 = nothing */
  } rows[] = {
      {65528, SIZE_MAX, 20 + 4 + 65528},
      {65536, SIZE_MAX, 0},
      {65529, SIZE_MAX, 0},
      {65535, SIZE_MAX, 0},
      {40000, 40000, 0},
      {65524, 0, 20 + 4 + 65524 + 4},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__stun_builder b;
    floe__stun_begin(&b, buf, cap, FLOE__STUN_INDICATION, FLOE__STUN_SEND, test_id);
    floe__stun_put(&b, FLOE__STUN_DATA, value, rows[i].first);
    if (rows[i].second != SIZE_MAX) floe__stun_put(&b, FLOE__STUN_DATA, value, rows[i].second);
    floe_bytes message = floe__stun_end(&b);
    assert_int_equal(message.len, rows[i].want);
    if (rows[i].want > 0) assert_true(floe__stun_is_message(message));
  }
  free(value);
  free(buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types),
      cmocka_unit_test(padding_is_zero),
      cmocka_unit_test(values),
      cmocka_unit_test(addresses),
      cmocka_unit_test(errors),
      cmocka_unit_test(a_long_reason_is_cut),
      cmocka_unit_test(what_does_not_fit_gives_nothing),
      cmocka_unit_test(what_cannot_be_said_gives_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
