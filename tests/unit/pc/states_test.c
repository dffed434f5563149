/* The states of a connection by those of its transports (webrtc-pc 4.4.2 to 4.4.4): every combination of one transport,
 * and of two. */
#include "pc/states.h"

#include <string.h>

#include "support/cmocka.h"

#define N_ICE       7
#define N_DTLS      5
#define N_GATHERING 3

static floe__transport_states with_ice(size_t ice) {
  return (floe__transport_states){.ice = (floe_ice_connection_state)ice};
}

/* By the order of the enumerators: new checKing Connected comPleted Disconnected Failed closeX. */
static const char ice_letters[] = "nkcpdfx";
/* new, connectinG, Connected, closeX, Failed */
static const char dtls_letters[] = "ngcxf";
/* New connectinG Connected Disconnected Failed closeX */
static const char pc_letters[] = "ngcdfx";

static void expect_letter(const char *what, size_t row, size_t column, char actual, char expected) {
  if (actual == expected) return;
  fail_msg("%s: row %zu, column %zu: '%c', expected '%c'", what, row, column, actual, expected);
}

/* --- no transport, and closed --------------------------------------------------------------------------------------
 */

static void without_transports_all_is_new(void **state) {
  (void)state;
  assert_int_equal(floe__pc_ice_connection_state(NULL, 0, false), FLOE_ICE_CONNECTION_NEW);
  assert_int_equal(floe__pc_ice_gathering_state(NULL, 0), FLOE_ICE_GATHERING_NEW);
  assert_int_equal(floe__pc_connection_state(NULL, 0, false), FLOE_PC_NEW);
}

static void closed_goes_before_everything(void **state) {
  (void)state;
  assert_int_equal(floe__pc_ice_connection_state(NULL, 0, true), FLOE_ICE_CONNECTION_CLOSED);
  assert_int_equal(floe__pc_connection_state(NULL, 0, true), FLOE_PC_CLOSED);
  for (size_t ice = 0; ice < N_ICE; ice++) {
    for (size_t dtls = 0; dtls < N_DTLS; dtls++) {
      floe__transport_states t = {.ice = (floe_ice_connection_state)ice, .dtls = (floe_dtls_transport_state)dtls};
      assert_int_equal(floe__pc_ice_connection_state(&t, 1, true), FLOE_ICE_CONNECTION_CLOSED);
      assert_int_equal(floe__pc_connection_state(&t, 1, true), FLOE_PC_CLOSED);
    }
  }
}

/* --- iceConnectionState --------------------------------------------------------------------------------------------
 */

static void one_transport_is_the_ice_connection_state(void **state) {
  (void)state;
  static const char expected[] = "nkcpdfn"; /* `closed` is for the connection alone */
  for (size_t ice = 0; ice < N_ICE; ice++) {
    floe__transport_states t = with_ice(ice);
    expect_letter("ice", ice, 0, ice_letters[floe__pc_ice_connection_state(&t, 1, false)], expected[ice]);
  }
}

static void two_transports_make_an_ice_connection_state(void **state) {
  (void)state;
  static const char *const expected[N_ICE] = {
      /* n k c p d f x */
      "nkkkdfn", /* new */
      "kkkkdfk", /* checking */
      "kkccdfc", /* connected */
      "kkcpdfp", /* completed */
      "dddddfd", /* disconnected */
      "fffffff", /* failed */
      "nkcpdfn", /* closed */
  };
  for (size_t a = 0; a < N_ICE; a++) {
    for (size_t b = 0; b < N_ICE; b++) {
      floe__transport_states t[] = {with_ice(a), with_ice(b)};
      expect_letter("ice", a, b, ice_letters[floe__pc_ice_connection_state(t, 2, false)], expected[a][b]);
    }
  }
}

static void three_transports_are_as_good_as_the_worst(void **state) {
  (void)state;
  static const struct {
    const char *transports;
    char expected;
  } rows[] = {{"ccp", 'c'}, {"ppp", 'p'}, {"ppx", 'p'}, {"cxx", 'c'}, {"nxx", 'n'}, {"xxx", 'n'}, {"cpk", 'k'},
              {"cpn", 'k'}, {"nnk", 'k'}, {"cpd", 'd'}, {"nkd", 'd'}, {"ndf", 'f'}, {"xpf", 'f'}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__transport_states t[3];
    for (size_t k = 0; k < 3; k++) t[k] = with_ice((size_t)(strchr(ice_letters, rows[i].transports[k]) - ice_letters));
    expect_letter(rows[i].transports, i, 0, ice_letters[floe__pc_ice_connection_state(t, 3, false)], rows[i].expected);
  }
}

/* --- iceGatheringState ---------------------------------------------------------------------------------------------
 */

static void gathering_states_of_one_and_two(void **state) {
  (void)state;
  static const char letters[] = "ngc";
  static const char *const expected[N_GATHERING] = {"ngn", "ggg", "ngc"};
  for (size_t a = 0; a < N_GATHERING; a++) {
    for (size_t b = 0; b < N_GATHERING; b++) {
      floe__transport_states t[] = {{.gathering = (floe_ice_gathering_state)a},
                                    {.gathering = (floe_ice_gathering_state)b}};
      expect_letter("gathering", a, b, letters[floe__pc_ice_gathering_state(t, 2)], expected[a][b]);
    }
    floe__transport_states t = {.gathering = (floe_ice_gathering_state)a};
    assert_int_equal(floe__pc_ice_gathering_state(&t, 1), a);
  }
}

/* --- connectionState -----------------------------------------------------------------------------------------------
 */

static void one_transport_makes_a_connection_state(void **state) {
  (void)state;
  static const char *const expected[N_ICE] = {
      /* DTLS: new, connecting, connected, closed, failed */
      "nggnf", /* new */
      "ggggf", /* checking */
      "ggccf", /* connected */
      "ggccf", /* completed */
      "ddddf", /* disconnected */
      "fffff", /* failed */
      "ngcnf", /* closed */
  };
  for (size_t ice = 0; ice < N_ICE; ice++) {
    for (size_t dtls = 0; dtls < N_DTLS; dtls++) {
      floe__transport_states t = {.ice = (floe_ice_connection_state)ice, .dtls = (floe_dtls_transport_state)dtls};
      expect_letter("connection", ice, dtls, pc_letters[floe__pc_connection_state(&t, 1, false)], expected[ice][dtls]);
    }
  }
}

/* The rule of the specification for two, spelled out from the letters: an oracle of its own. */
static bool is_any(const char *letters, char a) {
  return strchr(letters, a) != NULL;
}

static bool has(const char *letters, char a, char b) {
  return is_any(letters, a) || is_any(letters, b);
}

static bool are(const char *letters, char a, char b) {
  return is_any(letters, a) && is_any(letters, b);
}

static char expected_of_two(char ice_a, char dtls_a, char ice_b, char dtls_b) {
  if (has("f", ice_a, ice_b) || has("f", dtls_a, dtls_b)) return 'f';
  if (has("d", ice_a, ice_b)) return 'd';
  if (are("nx", ice_a, ice_b) && are("nx", dtls_a, dtls_b)) return 'n';
  if (are("cpx", ice_a, ice_b) && are("cx", dtls_a, dtls_b)) return 'c';
  return 'g';
}

static void two_transports_make_a_connection_state(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ICE * N_DTLS; i++) {
    for (size_t k = 0; k < N_ICE * N_DTLS; k++) {
      floe__transport_states t[] = {
          {.ice = (floe_ice_connection_state)(i / N_DTLS), .dtls = (floe_dtls_transport_state)(i % N_DTLS)},
          {.ice = (floe_ice_connection_state)(k / N_DTLS), .dtls = (floe_dtls_transport_state)(k % N_DTLS)}};
      char expected = expected_of_two(ice_letters[t[0].ice], dtls_letters[t[0].dtls], ice_letters[t[1].ice],
                                      dtls_letters[t[1].dtls]);
      expect_letter("connection", i, k, pc_letters[floe__pc_connection_state(t, 2, false)], expected);
    }
  }
}

/* Rows that are easily got wrong. */
static void one_transport_holds_the_others_back(void **state) {
  (void)state;
  static const struct {
    floe__transport_states t[2];
    floe_pc_state expected;
  } rows[] = {
      {{{.ice = FLOE_ICE_CONNECTION_CONNECTED, .dtls = FLOE_DTLS_TRANSPORT_CONNECTED},
        {.ice = FLOE_ICE_CONNECTION_NEW}},
       FLOE_PC_CONNECTING},
      {{{.ice = FLOE_ICE_CONNECTION_COMPLETED, .dtls = FLOE_DTLS_TRANSPORT_CONNECTED},
        {.ice = FLOE_ICE_CONNECTION_CLOSED, .dtls = FLOE_DTLS_TRANSPORT_CLOSED}},
       FLOE_PC_CONNECTED},
      {{{.ice = FLOE_ICE_CONNECTION_DISCONNECTED, .dtls = FLOE_DTLS_TRANSPORT_CONNECTED},
        {.ice = FLOE_ICE_CONNECTION_CHECKING, .dtls = FLOE_DTLS_TRANSPORT_CONNECTING}},
       FLOE_PC_DISCONNECTED},
      {{{.ice = FLOE_ICE_CONNECTION_CONNECTED, .dtls = FLOE_DTLS_TRANSPORT_FAILED},
        {.ice = FLOE_ICE_CONNECTION_DISCONNECTED, .dtls = FLOE_DTLS_TRANSPORT_CONNECTED}},
       FLOE_PC_FAILED},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(floe__pc_connection_state(rows[i].t, 2, false), rows[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_transports_all_is_new),
      cmocka_unit_test(closed_goes_before_everything),
      cmocka_unit_test(one_transport_is_the_ice_connection_state),
      cmocka_unit_test(two_transports_make_an_ice_connection_state),
      cmocka_unit_test(three_transports_are_as_good_as_the_worst),
      cmocka_unit_test(gathering_states_of_one_and_two),
      cmocka_unit_test(one_transport_makes_a_connection_state),
      cmocka_unit_test(two_transports_make_a_connection_state),
      cmocka_unit_test(one_transport_holds_the_others_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
