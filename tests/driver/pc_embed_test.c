/* Real peer connections on a driver with a loop of its own, in a program whose loop is poll(2). */
#include <poll.h>

#include "driver/pc_rig.h"

typedef struct inside {
  floe_uv *uv;
  end a, b;
  uint64_t give_up_at;
} inside;

static void turn(const inside *in) {
  struct pollfd fd = {.fd = floe_uv_backend_fd(in->uv), .events = POLLIN};
  int timeout = floe_uv_backend_timeout(in->uv);
  (void)poll(&fd, 1, timeout < 0 || timeout > 1000 ? 1000 : timeout);
  (void)floe_uv_dispatch(in->uv);
  if (uv_hrtime() > in->give_up_at) fail_msg("what the test waits for has not come");
}

static void negotiate(inside *in) {
  assert_int_equal(floe_uv_pc_set_local_description(in->a.pc, NULL, NULL), FLOE_OK);
  while (!end_is_complete(&in->a)) turn(in);
  end_tell(&in->a, &in->b);
  assert_int_equal(floe_uv_pc_set_local_description(in->b.pc, NULL, NULL), FLOE_OK);
  while (!end_is_complete(&in->b)) turn(in);
  end_tell(&in->b, &in->a);
}

static void connections_live_in_another_loop(void **state) {
  inside in;
  (void)state;
  memset(&in, 0, sizeof in);
  in.give_up_at = uv_hrtime() + 60 * FLOE_SECOND;
  make_pattern();
  assert_int_equal(floe_uv_new(&in.uv, NULL, NULL, NULL), FLOE_OK);
  end_make(&in.a, &in.b, in.uv, NULL);
  end_make(&in.b, &in.a, in.uv, NULL);
  end_channel(&in.a, "channel", NULL);
  negotiate(&in);
  while (in.a.n_opened == 0 || in.b.n_opened == 0) turn(&in);
  echo_on(&in.b);
  /* Each waits for the answer to the one before: a wake-up that is lost would be seen. */
  for (size_t i = 0; i < 200; i++) {
    assert_int_equal(floe_uv_data_channel_send(in.a.channel, message(i, 1 + i * 300)), FLOE_OK);
    while (in.a.n_messages < 2 * (i + 1)) turn(&in);
  }
  assert_int_equal(in.b.n_errors, 0);
  end_close(&in.a);
  while (!in.a.is_gone || in.b.n_closed == 0) turn(&in);
  end_close(&in.b);
  floe_uv_close(in.uv); /* all is done when it returns */
  assert_true(in.b.is_gone);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(connections_live_in_another_loop)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
