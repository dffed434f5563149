/* The order of outputs, and the limits of what waits. */
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"

static ts_rig rig;

static void in_the_order_of_causes(void **state) {
  (void)state;
  ts_client a, b;
  ts_rig_init(&rig, NULL);
  ts_client_init(&a, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:1");
  ts_client_init(&b, &rig, a.listener, "198.51.100.8:1");
  for (int i = 0; i < 4; i++) {
    ts_client *c = i % 2 == 0 ? &a : &b;
    (void)ts_begin(c, FLOE__STUN_BINDING);
    floe__testserver_on_datagram(rig.ts, rig.now, c->listener, &c->addr, floe__stun_end(&c->b));
  }
  ts_rig_drain(&rig);
  assert_int_equal(rig.n_log, 4);
  for (size_t i = 0; i < 4; i++) {
    const ts_client *c = i % 2 == 0 ? &a : &b;
    assert_int_equal(rig.log[i].out.type, FLOE__TS_SEND);
    assert_true(floe_addr_equal(&rig.log[i].out.to, &c->addr));
  }
  assert_memory_equal(rig.log[2].out.data.ptr + 8, a.request + 8, FLOE__STUN_TXN_ID);
  assert_memory_equal(rig.log[3].out.data.ptr + 8, b.request + 8, FLOE__STUN_TXN_ID);
  ts_rig_clear(&rig);
}

/* The answer to a deletion goes out before the socket closes. */
static void closing_comes_last(void **state) {
  (void)state;
  ts_client c;
  ts_rig_init(&rig, NULL);
  ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:1");
  (void)ts_allocate_fully(&c);
  ts_rig_forget(&rig);
  floe__stun_put_u32(ts_begin(&c, FLOE__STUN_REFRESH), FLOE__STUN_LIFETIME, 0);
  assert_int_equal(ts_send(&c), 0);
  assert_int_equal(rig.n_log, 2);
  assert_int_equal(rig.log[1].out.type, FLOE__TS_CLOSE_RELAY);
  assert_int_equal(rig.log[1].out.relay, 1);
  ts_rig_clear(&rig);
}

static void late_answers_by_their_time(void **state) {
  (void)state;
  static const char *const scripts[] = {"late=300", "late=100", "late=200", "late=100"};
  static const uint16_t expected[] = {2, 4, 3, 1}; /* the client's ports */
  ts_client c;
  ts_rig_init(&rig, NULL);
  for (uint16_t i = 0; i < 4; i++) {
    ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, scripts[i]), "198.51.100.7:1");
    c.addr.port = (uint16_t)(i + 1);
    assert_int_equal(ts_binding(&c), TS_NONE);
  }
  assert_int_equal(rig.wait.at, rig.now + 100 * FLOE_MS);
  ts_rig_advance(&rig, 1000); /* the timer itself is late: all are due */
  assert_int_equal(rig.n_log, 4);
  for (size_t i = 0; i < 4; i++) assert_int_equal(rig.log[i].out.to.port, expected[i]);
  ts_rig_clear(&rig);
}

/* Datagrams are lost beyond the limit; after a drain there is room again. */
static void datagrams_have_a_limit(void **state) {
  (void)state;
  static uint8_t bytes[60000];
  ts_client c;
  floe_addr peer = ts_addr("203.0.113.5:7000");
  ts_rig_init(&rig, NULL);
  ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:1");
  (void)ts_allocate_fully(&c);
  assert_int_equal(ts_permit(&c, &peer), 0);
  for (int round = 0; round < 2; round++) {
    ts_rig_forget(&rig);
    for (int i = 0; i < 300; i++) {
      floe__testserver_on_relay_datagram(rig.ts, rig.now, 1, &peer, (floe_bytes){bytes, sizeof bytes});
    }
    ts_rig_drain(&rig);
    assert_int_equal(rig.n_log, (8 << 20) / (60000 + 36));
  }
  assert_int_equal(ts_refresh(&c, 600), 0);
  ts_rig_clear(&rig);
}

static void held_back_answers_have_the_same_limit(void **state) {
  (void)state;
  ts_client c;
  ts_rig_init(&rig, NULL);
  ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, "late=1000"), "198.51.100.7:1");
  (void)ts_begin(&c, FLOE__STUN_BINDING);
  floe_bytes request = floe__stun_end(&c.b);
  uint64_t before = rig.alloc.live_bytes;
  for (int i = 0; i < 170000; i++) floe__testserver_on_datagram(rig.ts, rig.now, c.listener, &c.addr, request);
  assert_true(rig.alloc.live_bytes - before < 64u << 20); /* with the bookkeeping of each */
  uint32_t seen = 0;
  rig.now += FLOE_SECOND;
  floe__testserver_on_timer(rig.ts, rig.now);
  floe__ts_output out;
  for (floe__testserver_poll(rig.ts, &out); out.type != FLOE__TS_WAIT; floe__testserver_poll(rig.ts, &out)) seen++;
  assert_int_equal(seen, (8 << 20) / 52);
  ts_rig_clear(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(in_the_order_of_causes),
      cmocka_unit_test(closing_comes_last),
      cmocka_unit_test(late_answers_by_their_time),
      cmocka_unit_test(datagrams_have_a_limit),
      cmocka_unit_test(held_back_answers_have_the_same_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
