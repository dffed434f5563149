/* Tickets as text: copied right, copied wrong, and where. */
#include <ctype.h>

#include "connect_fixture.h"

enum { ALPHABET = 64 };
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char text[FLOE__TICKET_TEXT];
static floe__ticket read;
static floe__ticket_error why;

static size_t write_typical(void) {
  floe__ticket *t = ticket_typical();
  size_t len = floe__ticket_write(t, text, sizeof text);
  assert_int_equal(len, strlen(text));
  free(t);
  return len;
}

static void expect(const char *got, floe__ticket_end end, const char *message) {
  assert_int_equal(floe__ticket_read(&read, got, &why), end);
  if (end == FLOE__TICKET_OK) return;
  assert_string_equal(why.message, message);
}

static void a_typical_one_is_short(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  size_t len = write_typical();
  assert_memory_equal(text, "floe1:", 6);
  assert_true(len < 200);
  assert_int_equal(strspn(text + 6, alphabet), len - 6);
  expect(text, FLOE__TICKET_OK, "");
  expect_same_ticket(t, &read);
  free(t);
}

/* All that fits: deflated where that helps, one line for a terminal in any case. */
static void the_largest_comes_back(void **state) {
  (void)state;
  floe__ticket *t = ticket_typical();
  while (t->n_candidates < FLOE__TICKET_CANDIDATES) {
    (void)ticket_add(t, FLOE_CANDIDATE_HOST, "[2001:db8:1:2:3:4:5:6]:1", 4711 + (uint32_t)t->n_candidates);
  }
  size_t len = floe__ticket_write(t, text, sizeof text);
  assert_true(len > 0 && len < 800); /* 48 * 24 bytes, were it not for zlib */
  expect(text, FLOE__TICKET_OK, "");
  expect_same_ticket(t, &read);
  assert_int_equal(floe__ticket_write(t, text, len), 0);
  free(t);
}

static void white_space_and_quotes_do_not_matter(void **state) {
  (void)state;
  char broken[2 * FLOE__TICKET_TEXT];
  size_t len = write_typical(), n = 0;
  n += (size_t)snprintf(broken, sizeof broken, " \n> \"");
  for (size_t i = 0; i < len; i++) {
    broken[n++] = text[i];
    if (i > 6 && i % 20 == 0) n += (size_t)snprintf(broken + n, sizeof broken - n, "\r\n  ");
  }
  (void)snprintf(broken + n, sizeof broken - n, "\"\n");
  expect(broken, FLOE__TICKET_OK, "");
}

static void every_cut_is_known(void **state) {
  (void)state;
  char cut[FLOE__TICKET_TEXT], message[200];
  size_t len = write_typical();
  for (size_t i = 0; i < len; i++) {
    memcpy(cut, text, i);
    cut[i] = '\0';
    assert_int_equal(floe__ticket_read(&read, cut, &why), FLOE__TICKET_INCOMPLETE);
    if (i < 6 + 32) {
      (void)snprintf(message, sizeof message, "the ticket ends after %zu characters: copy all of it", i);
    } else {
      (void)snprintf(message, sizeof message, "the ticket ends after %zu of %zu characters", i, len);
    }
    assert_string_equal(why.message, message);
  }
}

/* Whether the place that is told holds the character that is wrong; true when none is told. */
static bool is_placed_right(size_t wrong) {
  size_t from, to;
  if (floe__ticket_read(&read, text, &why) == FLOE__TICKET_OK) fail_msg("character %zu: not found", wrong + 1);
  if (sscanf(why.message, "the ticket is damaged between characters %zu and %zu", &from, &to) != 2) return true;
  return wrong + 1 >= from && wrong + 1 <= to;
}

/* A check of six bits does not see one in 64. The checksum of the whole sees those, without a place; and when it is the
 * length that is wrong, the place is that of the end. */
static void every_other_character_is_found(void **state) {
  (void)state;
  size_t len = write_typical(), placed = 0, misplaced = 0, all = 0;
  for (size_t i = 6; i < len; i++) {
    char was = text[i];
    for (size_t k = 0; k < ALPHABET; k++) {
      if (alphabet[k] == was) continue;
      text[i] = alphabet[k];
      all++;
      misplaced += is_placed_right(i) ? 0 : 1;
      placed += strncmp(why.message, "the ticket is damaged between", 29) == 0 ? 1 : 0;
    }
    text[i] = was;
  }
  assert_true(placed > all * 95 / 100);
  assert_true(misplaced < all / 500);
}

static void lost_doubled_and_swapped_characters_are_found(void **state) {
  (void)state;
  size_t len = write_typical();
  char good[FLOE__TICKET_TEXT];
  memcpy(good, text, len + 1);
  for (size_t i = 6; i < len; i++) {
    memmove(text + i, good + i + 1, len - i);
    assert_int_not_equal(floe__ticket_read(&read, text, &why), FLOE__TICKET_OK);
    memcpy(text, good, len + 1);
    memmove(text + i + 1, good + i, len - i + 1);
    assert_int_not_equal(floe__ticket_read(&read, text, &why), FLOE__TICKET_OK);
    memcpy(text, good, len + 1);
    if (i + 1 >= len || good[i] == good[i + 1]) continue;
    text[i] = good[i + 1];
    text[i + 1] = good[i];
    assert_int_not_equal(floe__ticket_read(&read, text, &why), FLOE__TICKET_OK);
    memcpy(text, good, len + 1);
  }
}

static void groups_that_changed_places_are_found(void **state) {
  (void)state;
  char first[32];
  (void)write_typical();
  memcpy(first, text + 6, 32);
  memmove(text + 6, text + 38, 32);
  memcpy(text + 38, first, 32);
  assert_int_equal(floe__ticket_read(&read, text, &why), FLOE__TICKET_BAD);
}

static void what_is_told(void **state) {
  (void)state;
  size_t len = write_typical();
  expect("hello", FLOE__TICKET_BAD, "this is no ticket: one begins with floe1:");
  expect("flo", FLOE__TICKET_INCOMPLETE, "the ticket ends after 3 characters: copy all of it");
  expect("floe2:AAAA", FLOE__TICKET_BAD, "this ticket was made by another version of floe");
  char was = text[50];
  text[50] = '!';
  expect(text, FLOE__TICKET_BAD, "character 51 is none that a ticket has: copy it again");
  assert_int_equal(why.offset, 50);
  text[50] = was;
  strcpy(text + len, " and more");
  expect(text, FLOE__TICKET_BAD, "something follows after the end of the ticket");
  assert_int_equal(why.offset, len + 1);
  text[len] = '\0';
  text[40] = text[40] == 'A' ? 'B' : 'A';
  assert_int_equal(floe__ticket_read(&read, text, &why), FLOE__TICKET_BAD);
  expect_contains(why.message, "the ticket is damaged between characters 39 and 70 ('");
  assert_int_equal(why.offset, 38);
}

static void what_looks_like_one(void **state) {
  (void)state;
  assert_true(floe__ticket_is_meant("floe1:abc"));
  assert_true(floe__ticket_is_meant(" 'floe27:"));
  assert_false(floe__ticket_is_meant("floe:abc"));
  assert_false(floe__ticket_is_meant("notes.txt"));
  assert_false(floe__ticket_is_meant("./floe1:abc"));
  assert_false(floe__ticket_is_meant(""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_typical_one_is_short),
      cmocka_unit_test(the_largest_comes_back),
      cmocka_unit_test(white_space_and_quotes_do_not_matter),
      cmocka_unit_test(every_cut_is_known),
      cmocka_unit_test(every_other_character_is_found),
      cmocka_unit_test(lost_doubled_and_swapped_characters_are_found),
      cmocka_unit_test(groups_that_changed_places_are_found),
      cmocka_unit_test(what_is_told),
      cmocka_unit_test(what_looks_like_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
