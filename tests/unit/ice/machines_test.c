/* base.c, udp_socket.c, lookup.c, io.c, event_queue.c: the small machines below a gathering. */
#include <stdlib.h>
#include <string.h>

#include "ice/base.h"
#include "ice/event_queue.h"
#include "ice/lookup.h"
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
} fixture;

static fixture begin(const floe_ice_config *cfg) {
  fixture f = {0};
  floe_ice_config plain;
  floe_ice_config_init(&plain, sizeof plain);
  assert_int_equal(floe_env_new(&f.env, NULL), FLOE_OK);
  assert_int_equal(floe__settings_new(&f.settings, f.env, cfg == NULL ? &plain : cfg, NULL), FLOE_OK);
  f.io.env = f.env;
  f.io.settings = f.settings;
  return f;
}

static void finish(fixture *f) {
  floe__io_clear(&f->io);
  floe__settings_free(f->settings);
  floe_env_free(f->env);
}

static floe_interface interface(const char *name, uint32_t index, const char *address) {
  floe_interface i = {.index = index, .addr = addr(address)};
  strcpy(i.name, name);
  return i;
}

/* --- bases ----------------------------------------------------------------------------------------------------- */

static void bases_are_what_may_be_used(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe_interface all[] = {
      interface("lo", 1, "127.0.0.1"),       interface("lo", 1, "::1"),
      interface("eth0", 2, "192.0.2.1"),     interface("eth0", 2, "fe80::1"),
      interface("eth0", 2, "2001:db8::1"),   interface("eth0", 2, "2001:db8::2"),
      interface("eth0", 2, "2001:db8:1::3"), interface("eth0", 2, "::ffff:192.0.2.1"),
      interface("eth0", 2, "fec0::1"),       interface("eth0", 2, "192.0.2.1"),
      interface("eth0", 2, "2001:db8:2::4"),
  };
  all[3].addr.scope_id = 2;
  all[5].is_temporary = true;
  all[10].is_deprecated = true;
  floe__base_list list = {0};
  assert_true(floe__base_list_make(&list, &f.io, all, sizeof all / sizeof all[0]));
  static const char *const expected[] = {"127.0.0.1", "::1", "192.0.2.1", "fe80::1%2", "2001:db8::2", "2001:db8:1::3"};
  assert_int_equal(list.n, 6);
  for (size_t i = 0; i < list.n; i++) {
    char buf[FLOE_ADDR_TEXT];
    assert_string_equal(floe_addr_format(&list.items[i].interface.addr, buf), expected[i]);
    assert_int_equal(list.items[i].surfaces, i == 2 || i >= 4);
    /* RFC 8421 4: the families take turns, IPv6 first. */
    static const uint32_t ranks[] = {1, 0, 3, 2, 4, 6};
    assert_int_equal(list.items[i].rank, ranks[i]);
  }
  assert_true(floe__base_list_has_family(&list, FLOE_FAMILY_IPV4));
  assert_true(floe__base_list_has_family(&list, FLOE_FAMILY_IPV6));
  floe__free(f.env, list.items);
  finish(&f);
}

typedef struct filter {
  const char *refused;
  uint32_t n_asked;
} filter;

static bool refuse(void *user, const floe_interface *i) {
  filter *f = user;
  char ip[FLOE_ADDR_TEXT];
  f->n_asked++;
  assert_false(floe_addr_is_loopback(&i->addr));
  return strcmp(floe_addr_format_ip(&i->addr, ip), f->refused) != 0;
}

/* The stable address gives way to the temporary one, unless that is refused; each is asked about once. */
static void a_refused_address_is_no_base(void **state) {
  (void)state;
  static const char *const refused[] = {"2001:db8::1", "2001:db8::2", "192.0.2.1"};
  static const char *const expected[][3] = {
      {"127.0.0.1", "192.0.2.1", "2001:db8::2"},
      {"127.0.0.1", "192.0.2.1", "2001:db8::1"},
      {"127.0.0.1", "2001:db8::2", NULL},
  };
  for (size_t row = 0; row < 3; row++) {
    filter user = {.refused = refused[row]};
    floe_ice_config cfg;
    floe_ice_config_init(&cfg, sizeof cfg);
    cfg.filter_interface = refuse;
    cfg.filter_user = &user;
    fixture f = begin(&cfg);
    floe_interface all[] = {interface("lo", 1, "127.0.0.1"), interface("eth0", 2, "192.0.2.1"),
                            interface("eth0", 2, "2001:db8::1"), interface("eth0", 2, "2001:db8::2"),
                            interface("eth0", 2, "0.0.0.0")};
    all[3].is_temporary = true;
    floe__base_list list = {0};
    assert_true(floe__base_list_make(&list, &f.io, all, sizeof all / sizeof all[0]));
    assert_int_equal(user.n_asked, 3);
    assert_int_equal(list.n, row == 2 ? 2 : 3);
    for (size_t i = 0; i < list.n; i++) {
      char buf[FLOE_ADDR_TEXT];
      assert_string_equal(floe_addr_format(&list.items[i].interface.addr, buf), expected[row][i]);
    }
    floe__free(f.env, list.items);
    finish(&f);
  }
}

static void a_base_serves_its_own_kind(void **state) {
  (void)state;
  floe__base ordinary = {.interface = interface("eth0", 2, "192.0.2.1"), .kind = FLOE__BASE_ORDINARY};
  floe__base loopback = {.interface = interface("lo", 1, "127.0.0.1"), .kind = FLOE__BASE_LOOPBACK};
  floe__base link = {.interface = interface("eth0", 2, "fe80::1"), .kind = FLOE__BASE_LINK_LOCAL};
  link.interface.addr.scope_id = 2;
  floe_addr public4 = addr("198.51.100.1:1"), local4 = addr("127.0.0.5:1"), link6 = addr("fe80::9");
  floe_addr private4 = addr("10.0.0.1"), public6 = addr("2001:db8::1");
  assert_true(floe__base_serves(&ordinary, &public4));
  assert_true(floe__base_serves(&ordinary, &private4));
  assert_false(floe__base_serves(&ordinary, &local4));
  assert_false(floe__base_serves(&ordinary, &public6));
  assert_true(floe__base_serves(&loopback, &local4));
  assert_false(floe__base_serves(&loopback, &public4));
  assert_true(floe__base_serves(&link, &link6));
  assert_false(floe__base_serves(&link, &public6));
  link6.scope_id = 3;
  assert_false(floe__base_serves(&link, &link6));
}

static void families_of_a_host(void **state) {
  (void)state;
  floe__base items[2] = {{.interface = interface("lo", 1, "127.0.0.1"), .kind = FLOE__BASE_LOOPBACK},
                         {.interface = interface("eth0", 2, "2001:db8::1"), .kind = FLOE__BASE_ORDINARY}};
  floe__base_list both = {items, 2}, lo_only = {items, 1}, none = {items, 0};
  assert_false(floe__base_list_has_family(&both, FLOE_FAMILY_IPV4)); /* loopback does not make a host dual-stack */
  assert_true(floe__base_list_has_family(&both, FLOE_FAMILY_IPV6));
  assert_true(floe__base_list_has_family(&lo_only, FLOE_FAMILY_IPV4));
  assert_false(floe__base_list_has_family(&lo_only, FLOE_FAMILY_IPV6));
  assert_false(floe__base_list_has_family(&none, FLOE_FAMILY_IPV4));
}

static void a_link_local_address_surfaces_on_a_host_without_others(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe_interface all[] = {interface("eth0", 2, "fe80::1"), interface("eth0", 2, "2001:db8::1")};
  floe__base_list alone = {0}, beside = {0};
  assert_true(floe__base_list_make(&alone, &f.io, all, 1));
  assert_true(floe__base_list_make(&beside, &f.io, all, 2));
  assert_true(alone.items[0].surfaces);
  assert_false(beside.items[0].surfaces);
  floe__free(f.env, alone.items);
  floe__free(f.env, beside.items);
  finish(&f);
}

/* --- one UDP socket -------------------------------------------------------------------------------------------- */

static uint16_t opened_port(fixture *f) {
  floe_output out;
  assert_true(floe__io_next(&f->io, &out));
  assert_int_equal(out.type, FLOE_OUTPUT_OPEN);
  return out.u.open.local.port;
}

static void a_port_range_is_tried_whole(void **state) {
  (void)state;
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.port_min = 5000;
  cfg.port_max = 5003;
  fixture f = begin(&cfg);
  floe__udp_socket s;
  floe_addr local = addr("192.0.2.1");
  floe__udp_open(&s, &f.io, &local, FLOE__SOCKET_UDP);
  bool seen[4] = {false};
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .net_error = FLOE_NET_ADDRESS_IN_USE, .os_error = 98};
  for (int i = 0; i < 4; i++) {
    uint16_t port = opened_port(&f);
    assert_in_range(port, 5000, 5003);
    assert_false(seen[port - 5000]);
    seen[port - 5000] = true;
    assert_int_equal(s.state, FLOE__UDP_OPENING);
    floe__udp_on_failed(&s, &f.io, &in);
  }
  assert_int_equal(s.state, FLOE__UDP_FAILED);
  assert_int_equal(s.cause, FLOE_CAUSE_PORT_RANGE_EXHAUSTED);
  assert_int_equal(s.os_error, 98);
  floe_output out;
  assert_false(floe__io_next(&f.io, &out));
  finish(&f);
}

/* What is asked of the driver for each kind; the multiplexer's socket has a port of its own. */
static void each_kind_is_opened_in_its_way(void **state) {
  (void)state;
  static const struct {
    floe__socket_kind kind;
    floe_transport transport;
    bool listen, shared;
    uint16_t port;
  } rows[] = {
      {FLOE__SOCKET_UDP, FLOE_TRANSPORT_UDP, false, false, 5000},
      {FLOE__SOCKET_SHARED_UDP, FLOE_TRANSPORT_UDP, false, true, 0},
      {FLOE__SOCKET_LISTENER, FLOE_TRANSPORT_TCP, true, false, 5000},
      {FLOE__SOCKET_SO_LISTENER, FLOE_TRANSPORT_TCP, true, true, 5000},
  };
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.port_min = cfg.port_max = 5000;
  fixture f = begin(&cfg);
  floe_addr local = addr("192.0.2.1");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    floe__udp_socket s;
    floe_output out;
    floe__udp_open(&s, &f.io, &local, rows[i].kind);
    assert_true(floe__io_next(&f.io, &out));
    assert_int_equal(out.type, FLOE_OUTPUT_OPEN);
    assert_int_equal(out.u.open.sock, s.id);
    assert_int_equal(out.u.open.transport, rows[i].transport);
    assert_int_equal(out.u.open.listen, rows[i].listen);
    assert_int_equal(out.u.open.shared, rows[i].shared);
    assert_int_equal(out.u.open.local.port, rows[i].port);
    assert_int_equal(out.u.open.remote.family, FLOE_FAMILY_NONE);
  }
  finish(&f);
}

static void a_base_shares_only_what_surfaces(void **state) {
  (void)state;
  for (int row = 0; row < 4; row++) {
    floe_ice_config cfg;
    floe_ice_config_init(&cfg, sizeof cfg);
    cfg.shared_sockets = (row & 1) != 0;
    fixture f = begin(&cfg);
    floe__base b = {.interface = interface("eth0", 2, "192.0.2.1"), .surfaces = (row & 2) != 0};
    floe_output out;
    floe__base_open_udp(&b, &f.io);
    assert_true(floe__io_next(&f.io, &out));
    assert_int_equal(out.u.open.shared, row == 3);
    assert_int_equal(floe__base_is_shared(&b, &f.io), row == 3);
    finish(&f);
  }
}

static void another_error_is_no_matter_of_the_port(void **state) {
  (void)state;
  floe_ice_config cfg;
  floe_ice_config_init(&cfg, sizeof cfg);
  cfg.port_min = cfg.port_max = 5000;
  fixture f = begin(&cfg);
  floe__udp_socket s;
  floe_addr local = addr("192.0.2.1");
  floe__udp_open(&s, &f.io, &local, FLOE__SOCKET_UDP);
  assert_int_equal(opened_port(&f), 5000);
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .net_error = FLOE_NET_NO_RESOURCES, .os_error = 24};
  floe__udp_on_failed(&s, &f.io, &in);
  assert_int_equal(s.cause, FLOE_CAUSE_SOCKET_FAILED);
  floe__udp_close(&s, &f.io); /* nothing to close */
  floe_output out;
  assert_false(floe__io_next(&f.io, &out));
  finish(&f);
}

static void a_socket_closes_once(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe__udp_socket s;
  floe_addr local = addr("192.0.2.1"), bound = addr("192.0.2.1:4711");
  floe__udp_open(&s, &f.io, &local, FLOE__SOCKET_UDP);
  assert_int_equal(opened_port(&f), 0);
  floe__udp_on_opened(&s, &bound);
  assert_int_equal(s.local.port, 4711);
  floe__udp_close(&s, &f.io);
  floe__udp_close(&s, &f.io);
  floe_output out;
  assert_true(floe__io_next(&f.io, &out));
  assert_int_equal(out.type, FLOE_OUTPUT_CLOSE);
  assert_int_equal(out.u.close.sock, s.id);
  assert_false(floe__io_next(&f.io, &out));
  finish(&f);
}

/* --- look-ups -------------------------------------------------------------------------------------------------- */

static floe_req_id asked(fixture *f, const char *host, floe_family family) {
  floe_output out;
  assert_true(floe__io_next(&f->io, &out));
  assert_int_equal(out.type, FLOE_OUTPUT_RESOLVE);
  assert_string_equal(out.u.resolve.host, host);
  assert_int_equal(out.u.resolve.family, family);
  return out.u.resolve.req;
}

static void one_family_waits_a_second_for_the_other(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe__lookup l;
  f.io.now = 100 * FLOE_MS;
  floe__lookup_start(&l, &f.io, "Example.ORG", true, true);
  floe_req_id v4 = asked(&f, "example.org", FLOE_FAMILY_IPV4);
  (void)asked(&f, "example.org", FLOE_FAMILY_IPV6);
  assert_true(floe__lookup_deadline(&l).at == 4100 * FLOE_MS);
  floe_addr addrs[] = {addr("192.0.2.1"), addr("192.0.2.1"), addr("2001:db8::1"), addr("192.0.2.2")};
  floe_input in = {.req = v4, .family = FLOE_FAMILY_IPV4, .dns_status = FLOE_DNS_OK, .addrs = addrs, .n_addrs = 4};
  f.io.now = 300 * FLOE_MS;
  assert_true(floe__lookup_on_resolved(&l, &f.io, &in));
  assert_false(floe__lookup_on_resolved(&l, &f.io, &in)); /* answered once */
  assert_int_equal(l.ipv4.n_addrs, 2);
  assert_true(floe__lookup_deadline(&l).at == 1300 * FLOE_MS);
  f.io.now = 1300 * FLOE_MS - 1;
  assert_false(floe__lookup_on_deadline(&l, &f.io));
  f.io.now = 1300 * FLOE_MS;
  assert_true(floe__lookup_on_deadline(&l, &f.io));
  assert_int_equal(l.ipv6.status, FLOE_DNS_TIMEOUT);
  assert_false(floe__lookup_is_pending(&l));
  assert_true(floe__lookup_deadline(&l).at == FLOE_TIME_NEVER);
  floe__lookup_clear(&l, &f.io);
  finish(&f);
}

static void no_usable_address_is_no_data(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe__lookup l;
  floe__lookup_start(&l, &f.io, "a", false, true);
  floe_req_id v6 = asked(&f, "a", FLOE_FAMILY_IPV6);
  floe_input in = {.req = v6, .family = FLOE_FAMILY_IPV6, .dns_status = FLOE_DNS_OK};
  assert_true(floe__lookup_on_resolved(&l, &f.io, &in));
  assert_int_equal(l.ipv6.status, FLOE_DNS_NODATA);
  assert_int_equal(l.ipv4.state, FLOE__LOOKUP_UNASKED);
  floe__lookup_clear(&l, &f.io);
  finish(&f);
}

/* --- the queues ------------------------------------------------------------------------------------------------ */

static void commands_keep_their_order_and_bytes(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe_addr to = addr("192.0.2.1:9");
  uint8_t bytes[300];
  for (uint32_t round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < 50; i++) {
      memset(bytes, (int)(round + i), sizeof bytes);
      assert_true(floe__io_transmit(&f.io, i + 1, &to, (floe_bytes){bytes, i}));
    }
    for (uint32_t i = 0; i < 50; i++) {
      floe_output out;
      assert_true(floe__io_next(&f.io, &out));
      assert_int_equal(out.u.transmit.sock, i + 1);
      assert_int_equal(out.u.transmit.data.len, i);
      for (size_t k = 0; k < i; k++) assert_int_equal(out.u.transmit.data.ptr[k], (uint8_t)(round + i));
      if (i == 20) assert_true(floe__io_close(&f.io, 7)); /* queued while another is being read */
    }
    floe_output out;
    assert_true(floe__io_next(&f.io, &out));
    assert_int_equal(out.type, FLOE_OUTPUT_CLOSE);
    assert_false(floe__io_next(&f.io, &out));
    assert_int_equal(floe__io_pending(&f.io), 0);
  }
  finish(&f);
}

static void what_was_handed_out_stays(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe_addr to = addr("192.0.2.1:9");
  uint8_t bytes[100];
  memset(bytes, 1, sizeof bytes);
  assert_true(floe__io_transmit(&f.io, 1, &to, (floe_bytes){bytes, sizeof bytes}));
  memset(bytes, 2, sizeof bytes);
  assert_true(floe__io_transmit(&f.io, 2, &to, (floe_bytes){bytes, sizeof bytes}));
  floe_output first;
  assert_true(floe__io_next(&f.io, &first));
  for (uint32_t i = 3; i < 200; i++) { /* grows several times */
    memset(bytes, (int)i, sizeof bytes);
    assert_true(floe__io_transmit(&f.io, i, &to, (floe_bytes){bytes, sizeof bytes}));
  }
  for (size_t k = 0; k < sizeof bytes; k++) assert_int_equal(first.u.transmit.data.ptr[k], 1);
  for (uint32_t i = 2; i < 200; i++) {
    floe_output out;
    assert_true(floe__io_next(&f.io, &out));
    assert_int_equal(out.u.transmit.sock, i);
    assert_int_equal(out.u.transmit.data.ptr[99], (uint8_t)i);
  }
  floe_output out;
  assert_false(floe__io_next(&f.io, &out));
  finish(&f);
}

static void events_keep_their_order(void **state) {
  (void)state;
  fixture f = begin(NULL);
  floe__event_queue q = {0};
  floe__event_node a, b, *owned = floe__zalloc(f.env, sizeof *owned);
  floe__event_init(&a, FLOE_EVENT_ICECANDIDATE, 5 * FLOE_MS, 2 * FLOE_MS);
  floe__event_init(&b, FLOE_EVENT_ICEGATHERINGSTATECHANGE, 0, 0);
  floe__event_init(owned, FLOE_EVENT_ICESERVERERROR, 0, 0);
  owned->owned = owned;
  floe__event_push(&q, &a);
  floe__event_push(&q, owned);
  floe__event_push_front(&q, &b);
  q.held = true;
  assert_null(floe__event_take(&q, f.env));
  q.held = false;
  assert_ptr_equal(floe__event_take(&q, f.env), &b.event);
  const floe_event *e = floe__event_take(&q, f.env);
  assert_ptr_equal(e, &a.event);
  assert_string_equal(e->name, "icecandidate");
  assert_true(e->t_ms == 3.0);
  assert_ptr_equal(floe__event_take(&q, f.env), &owned->event);
  assert_null(floe__event_take(&q, f.env)); /* frees the owned one */
  owned = floe__zalloc(f.env, sizeof *owned);
  owned->owned = owned;
  floe__event_push(&q, owned);
  floe__event_clear(&q, f.env);
  assert_null(floe__event_take(&q, f.env));
  finish(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bases_are_what_may_be_used),
      cmocka_unit_test(a_refused_address_is_no_base),
      cmocka_unit_test(a_base_serves_its_own_kind),
      cmocka_unit_test(families_of_a_host),
      cmocka_unit_test(a_link_local_address_surfaces_on_a_host_without_others),
      cmocka_unit_test(a_port_range_is_tried_whole),
      cmocka_unit_test(each_kind_is_opened_in_its_way),
      cmocka_unit_test(a_base_shares_only_what_surfaces),
      cmocka_unit_test(another_error_is_no_matter_of_the_port),
      cmocka_unit_test(a_socket_closes_once),
      cmocka_unit_test(one_family_waits_a_second_for_the_other),
      cmocka_unit_test(no_usable_address_is_no_data),
      cmocka_unit_test(commands_keep_their_order_and_bytes),
      cmocka_unit_test(what_was_handed_out_stays),
      cmocka_unit_test(events_keep_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
