/* Two real peer connections on one loop, over loopback. */
#include "driver/pc_rig.h"

static int set_up(void **state) {
  static world w;
  world_init(&w);
  *state = &w;
  return 0;
}

static int tear_down(void **state) {
  world_clear(*state);
  return 0;
}

static void two_connections_open_a_channel(void **state) {
  world *w = *state;
  world_connect(w, NULL);
  assert_int_equal(w->a.state, FLOE_PC_CONNECTED);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(two_connections_open_a_channel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
