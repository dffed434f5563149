#include "sctp/wire.h"

#include "fixture.h"

#define HEADER 0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0

static void data_chunks_are_found_among_others(void **state) {
  (void)state;
  const uint8_t packet[] = {HEADER,                                                                  /* */
                            3,      0, 0, 16, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0,                    /* SACK */
                            0,      3, 0, 19, 0, 0, 0, 7, 0, 5, 0, 2, 0, 0, 0, 51, 'a', 'b', 'c', 0, /* DATA, padded */
                            0x40,   3, 0, 21, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0, 0, 1,  0,   0,   0,   53, 'd'}; /* I-DATA */
  floe__reader chunks = floe__sctp_wire_chunks((floe_bytes){.ptr = packet, .len = sizeof packet});
  floe__sctp_data d;
  assert_true(floe__sctp_wire_next_data(&chunks, &d));
  assert_int_equal(d.tsn, 7);
  assert_int_equal(d.stream, 5);
  assert_int_equal(d.len, 3);
  assert_true(floe__sctp_wire_next_data(&chunks, &d));
  assert_int_equal(d.tsn, 8);
  assert_int_equal(d.stream, 6);
  assert_int_equal(d.len, 1);
  assert_false(floe__sctp_wire_next_data(&chunks, &d));
}

static void what_is_cut_off_is_no_chunk(void **state) {
  (void)state;
  const uint8_t packet[] = {HEADER, 0, 3, 0, 19, 0, 0, 0, 7, 0, 5, 0, 2, 0, 0, 0, 51, 'a', 'b', 'c'};
  for (size_t len = 0; len < sizeof packet; len++) {
    floe__reader chunks = floe__sctp_wire_chunks((floe_bytes){.ptr = packet, .len = len});
    floe__sctp_data d;
    assert_false(floe__sctp_wire_next_data(&chunks, &d));
  }
  const uint8_t short_chunk[] = {HEADER, 0, 3, 0, 3, 0, 0, 0, 7};
  floe__reader chunks = floe__sctp_wire_chunks((floe_bytes){.ptr = short_chunk, .len = sizeof short_chunk});
  floe__sctp_data d;
  assert_false(floe__sctp_wire_next_data(&chunks, &d));
}

static void first_cause_of_an_abort(void **state) {
  (void)state;
  const uint8_t abort_chunk[] = {6, 0, 0, 11, 0, 12, 0, 7, 'b', 'y', 'e'};
  uint16_t code = 0;
  floe_bytes info = {0};
  assert_true(floe__sctp_wire_abort((floe_bytes){.ptr = abort_chunk, .len = sizeof abort_chunk}, &code, &info));
  assert_int_equal(code, 12);
  assert_int_equal(info.len, 3);
  assert_memory_equal(info.ptr, "bye", 3);
  assert_false(floe__sctp_wire_abort((floe_bytes){.ptr = abort_chunk, .len = 4}, &code, &info));
  assert_false(floe__sctp_wire_abort((floe_bytes){.ptr = abort_chunk, .len = 7}, &code, &info));
  assert_false(floe__sctp_wire_abort((floe_bytes){0}, &code, &info));
  assert_true(floe__sctp_wire_abort((floe_bytes){.ptr = abort_chunk, .len = 9}, &code, &info));
  assert_int_equal(info.len, 1); /* the engine hands on no more than 512 bytes */
}

static void causes_have_names(void **state) {
  (void)state;
  assert_string_equal(floe__sctp_wire_cause_name(1), "Invalid Stream Identifier");
  assert_string_equal(floe__sctp_wire_cause_name(9), "No User Data");
  assert_string_equal(floe__sctp_wire_cause_name(12), "User-Initiated Abort");
  assert_string_equal(floe__sctp_wire_cause_name(13), "Protocol Violation");
  assert_string_equal(floe__sctp_wire_cause_name(14), "an unknown cause");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(data_chunks_are_found_among_others),
      cmocka_unit_test(what_is_cut_off_is_no_chunk),
      cmocka_unit_test(first_cause_of_an_abort),
      cmocka_unit_test(causes_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
