/* The payload of tickets: what goes in comes out, and nothing else is taken. */
#include "connect_ticket.h"

#include "connect_fixture.h"

static uint8_t bytes[8192];
static floe__ticket read;

static size_t pack(const floe__ticket *t) {
  size_t len = floe__ticket_pack(t, bytes, sizeof bytes);
  assert_true(len > 0);
  return len;
}

static bool unpack(size_t len) {
  return floe__ticket_unpack(&read, (floe_bytes){bytes, len});
}

static void a_typical_one_is_short_and_comes_back(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  size_t len = pack(t);
  /* flags, mode, ufrag 1 + 3, pwd 1 + 18, hash 1 + 32, count 1, three of IPv4 at 12, one of IPv6 at 24 */
  assert_int_equal(len, 2 + 4 + 19 + 33 + 1 + 3 * 12 + 24);
  assert_true(unpack(len));
  expect_same_ticket(t, &read);
  free(t);
}

static void every_member_comes_back(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  t->is_answer = t->is_lite = true;
  t->answers = 0xbeef;
  t->mode = FLOE__CONNECT_FORWARD;
  t->setup = FLOE__TICKET_PASSIVE;
  strcpy(t->mid, "data-1");
  strcpy(t->ufrag, "abcde+/09");
  t->sctp_port = 6000;
  t->max_message_size = 1ULL << 40;
  t->hash = 2; /* sha-512 */
  for (size_t i = 0; i < 64; i++) t->fingerprint[i] = (uint8_t)(255 - i);
  ticket_add(t, FLOE_CANDIDATE_HOST, "192.0.2.1:9", 77)->tcp_type = FLOE_TCP_TYPE_ACTIVE;
  floe__ticket_candidate *named = ticket_add(t, FLOE_CANDIDATE_HOST, "192.0.2.1:4", 78);
  named->address = (floe_addr){.family = FLOE_FAMILY_NONE};
  strcpy(named->name, "2f6ad1a5-9d45-4a08-b4ec-d5a2f7d4f3d0.local");
  assert_true(unpack(pack(t)));
  expect_same_ticket(t, &read);
  free(t);
}

static void parameters_of_every_length_come_back(void **state) {
  (void)state;
  static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  floe__ticket *t = ticket_typical();
  for (size_t len = 22; len <= 256; len++) {
    for (size_t i = 0; i < len; i++) t->pwd[i] = chars[(i * 7 + len) % 64];
    t->pwd[len] = '\0';
    assert_true(unpack(pack(t)));
    assert_string_equal(read.pwd, t->pwd);
  }
  free(t);
}

static void what_cannot_be_packed(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  strcpy(t->ufrag, "abc");
  assert_int_equal(floe__ticket_pack(t, bytes, sizeof bytes), 0);
  strcpy(t->ufrag, "abc=");
  assert_int_equal(floe__ticket_pack(t, bytes, sizeof bytes), 0);
  strcpy(t->ufrag, "abcd");
  strcpy(t->mid, "a\nb");
  assert_int_equal(floe__ticket_pack(t, bytes, sizeof bytes), 0);
  strcpy(t->mid, "0");
  size_t len = pack(t);
  assert_int_equal(floe__ticket_pack(t, bytes, len - 1), 0);
  free(t);
}

static void no_shorter_and_no_longer_payload_is_taken(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  size_t len = pack(t);
  for (size_t i = 0; i < len; i++) {
    if (unpack(i)) fail_msg("%zu of %zu bytes are taken", i, len);
  }
  bytes[len] = 0;
  assert_false(unpack(len + 1));
  free(t);
}

static void refuses_byte(size_t at, uint8_t value) {
  floe__ticket *t = ticket_typical();
  size_t len = pack(t);
  bytes[at] = value;
  if (unpack(len)) fail_msg("byte %zu: %u is taken", at, value);
  free(t);
}

/* What would break a line of the description, or is no member of ours. */
static void bytes_that_are_refused(void **state) {
  (void)state;
  enum { MODE = 1, UFRAG_LEN = 2, HASH = 25, COUNT = 58, KIND = 59, PRIORITY = 61 };
  refuses_byte(0, 64);     /* a flag that is none */
  refuses_byte(0, 3 << 1); /* a fourth setup */
  refuses_byte(MODE, FLOE__CONNECT_MODES);
  refuses_byte(UFRAG_LEN, 2); /* three characters */
  refuses_byte(HASH, 5);      /* no hash */
  refuses_byte(COUNT, FLOE__TICKET_CANDIDATES + 1);
  refuses_byte(KIND, 3 << 4);   /* neither IPv4 nor IPv6 nor a name */
  refuses_byte(PRIORITY, 0x80); /* 2^31 and more */
}

static void names_that_are_refused(void **state) {
  (void)state;
  static const char *const names[] = {"a b.local", "a\r\na=x", "", "\xc3\xa4.local"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    floe__ticket *t = ticket_typical();
    t->n_candidates = 0;
    floe__ticket_candidate *c = ticket_add(t, FLOE_CANDIDATE_HOST, "192.0.2.1:4", 78);
    c->address = (floe_addr){.family = FLOE_FAMILY_NONE};
    strcpy(c->name, names[i]);
    if (unpack(pack(t))) fail_msg("'%s' is taken", names[i]);
    free(t);
  }
}

static void tags_tell_offers_apart(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  uint16_t tag = floe__ticket_tag(t);
  t->n_candidates = 0; /* the same offer, whatever was found */
  assert_int_equal(floe__ticket_tag(t), tag);
  t->pwd[3] = 'x';
  assert_int_not_equal(floe__ticket_tag(t), tag);
  free(t);
}

static void hashes(void **state) {
  (void)state;
  assert_string_equal(floe__ticket_hash_name(0), "sha-256");
  assert_int_equal(floe__ticket_hash_len(1), 48);
  assert_null(floe__ticket_hash_name(5));
  assert_int_equal(floe__ticket_hash_len(5), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_typical_one_is_short_and_comes_back),
      cmocka_unit_test(every_member_comes_back),
      cmocka_unit_test(parameters_of_every_length_come_back),
      cmocka_unit_test(what_cannot_be_packed),
      cmocka_unit_test(no_shorter_and_no_longer_payload_is_taken),
      cmocka_unit_test(bytes_that_are_refused),
      cmocka_unit_test(names_that_are_refused),
      cmocka_unit_test(tags_tell_offers_apart),
      cmocka_unit_test(hashes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
