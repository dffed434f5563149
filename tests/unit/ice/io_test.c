/* The queue of commands: what each command hands out (the queue itself is in machines_test.c). */
#include "ice/io.h"

#include <string.h>

#include "support/cmocka.h"

static floe_addr addr(const char *text) {
  floe_addr a;
  assert_true(floe_addr_parse(&a, text));
  return a;
}

typedef struct fixture {
  floe_env *env;
  floe__settings *settings;
  floe__io io;
  floe_output out;
} fixture;

static fixture begin(void) {
  fixture f = {0};
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  assert_int_equal(floe_env_new(&f.env, NULL), FLOE_OK);
  assert_int_equal(floe__settings_new(&f.settings, f.env, &cfg, NULL), FLOE_OK);
  f.io.env = f.env;
  f.io.settings = f.settings;
  return f;
}

static void finish(fixture *f) {
  assert_false(floe__io_next(&f->io, &f->out));
  floe__io_clear(&f->io);
  floe__settings_free(f->settings);
  floe_env_free(f->env);
}

static void next(fixture *f, floe_output_type type) {
  assert_int_equal(floe__io_peek(&f->io), type);
  assert_true(floe__io_next(&f->io, &f->out));
  assert_int_equal(f->out.type, type);
}

static void packets_carry_the_dscp_of_their_time(void **state) {
  (void)state;
  fixture f = begin();
  floe_addr to = addr("192.0.2.1:5");
  floe_bytes data = {(const uint8_t *)"abc", 3};
  assert_true(floe__io_transmit(&f.io, 7, &to, data));
  f.io.dscp = 46;
  assert_true(floe__io_transmit2(&f.io, 8, &to, data, data));
  f.io.dscp = 0;
  next(&f, FLOE_OUTPUT_TRANSMIT);
  assert_int_equal(f.out.u.transmit.sock, 7);
  assert_int_equal(f.out.u.transmit.dscp, 0);
  assert_int_equal(f.out.u.transmit.data.len, 3);
  next(&f, FLOE_OUTPUT_TRANSMIT);
  assert_int_equal(f.out.u.transmit.dscp, 46);
  assert_int_equal(f.out.u.transmit.data.len, 6);
  assert_memory_equal(f.out.u.transmit.data.ptr, "abcabc", 6);
  assert_true(floe_addr_equal(&f.out.u.transmit.to, &to));
  finish(&f);
}

static void sockets_are_named_in_turn(void **state) {
  (void)state;
  fixture f = begin();
  floe_addr local = addr("192.0.2.1"), remote = addr("192.0.2.2:9");
  assert_int_equal(floe__io_open(&f.io, FLOE_TRANSPORT_TCP, &local, &remote), 1);
  assert_int_equal(floe__io_open_shared(&f.io, &local), 2);
  assert_int_equal(floe__io_open_tcp(&f.io, &local, &remote, true), 3);
  static const bool shared[] = {false, true, true};
  for (uint32_t i = 0; i < 3; i++) {
    next(&f, FLOE_OUTPUT_OPEN);
    assert_int_equal(f.out.u.open.sock, i + 1);
    assert_int_equal(f.out.u.open.shared, shared[i]);
    assert_false(f.out.u.open.listen);
    assert_int_equal(f.out.u.open.remote.family, i == 1 ? FLOE_FAMILY_NONE : FLOE_FAMILY_IPV4);
    assert_int_equal(f.out.u.open.transport, i == 1 ? FLOE_TRANSPORT_UDP : FLOE_TRANSPORT_TCP);
  }
  finish(&f);
}

/* A name is published for an address, and withdrawn even when the agent is closed. */
static void names_are_published_and_withdrawn(void **state) {
  (void)state;
  fixture f = begin();
  floe_addr address = addr("192.0.2.1:5000");
  char name[] = "x.local";
  assert_true(floe__io_publish(&f.io, name, &address, false));
  f.io.silent = true;
  assert_true(floe__io_publish(&f.io, name, &address, true));
  memset(name, 'y', sizeof name - 1);
  for (int withdraw = 0; withdraw <= 1; withdraw++) {
    next(&f, FLOE_OUTPUT_PUBLISH);
    assert_string_equal(f.out.u.publish.name, "x.local");
    assert_true(floe_addr_equal_ip(&f.out.u.publish.address, &address));
    assert_int_equal(f.out.u.publish.address.port, 0);
    assert_int_equal(f.out.u.publish.withdraw, withdraw);
  }
  finish(&f);
}

static void names_are_looked_up_by_two_ways(void **state) {
  (void)state;
  fixture f = begin();
  assert_int_equal(floe__io_resolve(&f.io, "a.example", FLOE_FAMILY_IPV6), 1);
  assert_int_equal(floe__io_resolve_multicast(&f.io, "a.local", FLOE_FAMILY_IPV4), 2);
  next(&f, FLOE_OUTPUT_RESOLVE);
  assert_string_equal(f.out.u.resolve.host, "a.example");
  assert_int_equal(f.out.u.resolve.family, FLOE_FAMILY_IPV6);
  assert_false(f.out.u.resolve.multicast);
  next(&f, FLOE_OUTPUT_RESOLVE);
  assert_string_equal(f.out.u.resolve.host, "a.local");
  assert_true(f.out.u.resolve.multicast);
  finish(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(packets_carry_the_dscp_of_their_time),
      cmocka_unit_test(sockets_are_named_in_turn),
      cmocka_unit_test(names_are_published_and_withdrawn),
      cmocka_unit_test(names_are_looked_up_by_two_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
