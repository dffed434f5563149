/* links.h: which sockets are asked for, in which order things are told, and what waits. */
#include "mdns/links.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/sim_alloc.h"

typedef struct fixture {
  sim *s;
  sim_env *env;
  floe__mdns_links links;
} fixture;

static int setup(void **state) {
  static fixture f;
  f.s = sim_new(1);
  f.env = sim_env_new(f.s, 0);
  floe__mdns_links_init(&f.links, f.env->env, false);
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  floe__mdns_links_clear(&f->links);
  assert_int_equal(sim_env_free(f->env), 0);
  sim_free(f->s);
  return 0;
}

static floe_interface interface_of(uint32_t index, const char *ip) {
  floe_interface f = {.index = index};
  assert_true(floe_addr_parse(&f.addr, ip));
  if (floe_addr_is_link_local(&f.addr) && f.addr.family == FLOE_FAMILY_IPV6) f.addr.scope_id = index;
  return f;
}

static void set(fixture *f, const floe_interface *list, size_t n) {
  assert_true(floe__mdns_links_set(&f->links, list, n));
  floe__mdns_links_settle(&f->links, false);
}

/* The next output as text: "open 1 eth 2 224.0.0.251:5353 from 192.0.2.1", "close 1", "to ...: bytes", "". */
static const char *next(fixture *f) {
  static char text[400];
  char a[FLOE_ADDR_TEXT], b[FLOE_ADDR_TEXT];
  floe_mdns_output out;
  memset(&out, 0, sizeof out);
  if (!floe__mdns_links_poll(&f->links, &out)) return "";
  if (out.type == FLOE_MDNS_OUTPUT_OPEN) {
    (void)snprintf(text, sizeof text, "open %u on %u: %s from %s", out.u.open.sock, out.u.open.interface,
                   floe_addr_format(&out.u.open.group, a), floe_addr_format(&out.u.open.local, b));
  } else if (out.type == FLOE_MDNS_OUTPUT_CLOSE) {
    (void)snprintf(text, sizeof text, "close %u", out.u.close.sock);
  } else {
    (void)snprintf(text, sizeof text, "%u to %s: %.*s", out.u.transmit.sock, floe_addr_format(&out.u.transmit.to, a),
                   (int)out.u.transmit.data.len, (const char *)out.u.transmit.data.ptr);
  }
  return text;
}

static floe__mdns_link *open_next(fixture *f, floe_sock_id sock) {
  (void)next(f);
  floe__mdns_link *link = floe__mdns_links_find(&f->links, sock);
  assert_non_null(link);
  assert_true(floe__mdns_links_on_opened(&f->links, link));
  return link;
}

static void ask(fixture *f, bool is_asking) {
  f->links.is_asking = is_asking;
  floe__mdns_links_settle(&f->links, false);
}

static void an_interface_has_a_socket_of_each_family(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1"), interface_of(2, "192.0.2.9"), interface_of(2, "2001:db8::1"),
                           interface_of(2, "fe80::1"), interface_of(3, "198.51.100.1")};
  set(f, list, 5);
  assert_string_equal(next(f), "");
  ask(f, true);
  assert_string_equal(next(f), "open 1 on 2: 224.0.0.251:5353 from 192.0.2.1");
  assert_string_equal(next(f), "open 2 on 2: [ff02::fb%2]:5353 from fe80::1%2"); /* the group's own scope */
  assert_string_equal(next(f), "open 3 on 3: 224.0.0.251:5353 from 198.51.100.1");
  assert_string_equal(next(f), "");
}

static void loopback_and_nameless_families_are_left_out(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(1, "127.0.0.1"), interface_of(2, "192.0.2.1"), {.index = 3}};
  list[0].is_loopback = true;
  set(f, list, 3);
  ask(f, true);
  assert_string_equal(next(f), "open 1 on 2: 224.0.0.251:5353 from 192.0.2.1");
  assert_string_equal(next(f), "");
  assert_int_equal(floe__mdns_links_interface_of(&f->links, &list[0].addr), 0);
  assert_int_equal(floe__mdns_links_interface_of(&f->links, &list[1].addr), 2);
}

static void names_want_the_sockets_of_their_interface(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1"), interface_of(3, "198.51.100.1")};
  set(f, list, 2);
  floe__mdns_links_count_name(&f->links, 3, 1);
  floe__mdns_links_count_name(&f->links, 7, 1); /* of no interface */
  floe__mdns_links_settle(&f->links, false);
  assert_string_equal(next(f), "open 1 on 3: 224.0.0.251:5353 from 198.51.100.1");
  assert_string_equal(next(f), "");
  floe__mdns_links_count_name(&f->links, 3, -1);
  floe__mdns_links_settle(&f->links, false);
  assert_string_equal(next(f), "close 1");
}

static void packets_come_before_closes_and_closes_before_opens(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1"), interface_of(3, "198.51.100.1")};
  set(f, list, 1);
  ask(f, true);
  floe__mdns_link *link = open_next(f, 1);
  floe_addr to = interface_of(0, "192.0.2.7").addr;
  to.port = 5353;
  floe__mdns_links_send(&f->links, link, NULL, (floe_bytes){(const uint8_t *)"one", 3});
  floe__mdns_links_send(&f->links, link, &to, (floe_bytes){(const uint8_t *)"two", 3});
  set(f, list + 1, 1);
  assert_string_equal(next(f), "1 to 224.0.0.251:5353: one");
  assert_string_equal(next(f), "1 to 192.0.2.7:5353: two");
  assert_string_equal(next(f), "close 1");
  assert_string_equal(next(f), "open 2 on 3: 224.0.0.251:5353 from 198.51.100.1");
  assert_string_equal(next(f), "");
}

static void what_was_never_taken_is_never_told(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  set(f, list, 1);
  ask(f, true);
  ask(f, false);
  assert_string_equal(next(f), "");
  ask(f, true);
  set(f, NULL, 0);
  assert_string_equal(next(f), "");
  assert_int_equal(f->links.n, 0);
}

static void a_link_that_comes_back_before_its_socket_has_closed_is_another(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  set(f, list, 1);
  ask(f, true);
  (void)open_next(f, 1);
  set(f, NULL, 0);
  set(f, list, 1);
  assert_int_equal(f->links.n, 2);
  assert_null(floe__mdns_links_find(&f->links, 1));
  assert_string_equal(next(f), "close 1");
  assert_int_equal(f->links.n, 1);
  assert_string_equal(next(f), "open 2 on 2: 224.0.0.251:5353 from 192.0.2.1");
}

static void answers_that_nobody_waits_for_change_nothing(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  set(f, list, 1);
  floe__mdns_link *link = f->links.all[0];
  assert_false(floe__mdns_links_on_opened(&f->links, link));
  floe__mdns_links_on_failed(&f->links, link);
  assert_int_equal(link->state, FLOE__MDNS_LINK_IDLE);
  ask(f, true);
  (void)open_next(f, 1);
  assert_false(floe__mdns_links_on_opened(&f->links, link));
  ask(f, false);
  floe__mdns_links_on_failed(&f->links, link);
  assert_string_equal(next(f), "close 1");
  assert_null(floe__mdns_links_find(&f->links, 0));
}

static void what_failed_is_tried_again_only_when_told_to(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  set(f, list, 1);
  ask(f, true);
  assert_true(floe__mdns_links_are_hopeful(&f->links));
  (void)next(f);
  floe__mdns_links_on_failed(&f->links, floe__mdns_links_find(&f->links, 1));
  floe__mdns_links_settle(&f->links, false);
  assert_false(floe__mdns_links_are_hopeful(&f->links));
  assert_string_equal(next(f), "");
  floe__mdns_links_settle(&f->links, true);
  assert_true(floe__mdns_links_are_hopeful(&f->links));
  assert_string_equal(next(f), "open 2 on 2: 224.0.0.251:5353 from 192.0.2.1");
}

static void only_open_links_send(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1"), interface_of(2, "fe80::1")};
  set(f, list, 2);
  ask(f, true);
  floe__mdns_links_send_all(&f->links, (floe_bytes){(const uint8_t *)"early", 5});
  (void)open_next(f, 1);
  assert_string_equal(next(f), "open 2 on 2: [ff02::fb%2]:5353 from fe80::1%2");
  floe__mdns_links_send_all(&f->links, (floe_bytes){(const uint8_t *)"now", 3});
  assert_string_equal(next(f), "1 to 224.0.0.251:5353: now");
  assert_string_equal(next(f), "");
}

static void what_waits_is_bounded(void **state) {
  fixture *f = *state;
  static uint8_t data[1000];
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  set(f, list, 1);
  ask(f, true);
  const floe__mdns_link *link = open_next(f, 1);
  for (int i = 0; i < 2000; i++) floe__mdns_links_send(&f->links, link, NULL, (floe_bytes){data, sizeof data});
  assert_int_equal(f->links.queued, 1048 * sizeof data);
  for (int i = 0; i < 1048; i++) assert_string_not_equal(next(f), "");
  assert_string_equal(next(f), "");
  assert_int_equal(f->links.queued, 0);
}

static void without_memory_nothing_changes(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1"), interface_of(3, "198.51.100.1"), interface_of(3, "fe80::1")};
  set(f, list, 1);
  ask(f, true);
  const floe__mdns_link *link = open_next(f, 1);
  uint64_t failures = 0;
  for (uint64_t n = 1;; n++) {
    f->env->alloc.fail_at = f->env->alloc.calls + n;
    bool is_set = floe__mdns_links_set(&f->links, list, 3);
    if (is_set) break;
    failures++;
    assert_int_equal(f->links.n, 1);
    assert_int_equal(f->links.n_addresses, 1);
    assert_int_equal(link->state, FLOE__MDNS_LINK_OPEN);
  }
  assert_in_range(failures, 3, 4); /* the list, two links and perhaps the array */
  assert_int_equal(f->links.n, 3);
  f->env->alloc.fail_from = f->env->alloc.calls + 1;
  floe__mdns_links_send(&f->links, link, NULL, (floe_bytes){(const uint8_t *)"lost", 4});
  f->env->alloc.fail_from = 0;
  floe__mdns_links_send(&f->links, link, NULL, (floe_bytes){(const uint8_t *)"kept", 4});
  assert_string_equal(next(f), "1 to 224.0.0.251:5353: kept");
}

static void states_are_traced(void **state) {
  fixture *f = *state;
  floe_interface list[] = {interface_of(2, "192.0.2.1")};
  f->links.now = 5 * FLOE_MS;
  set(f, list, 1);
  ask(f, true);
  (void)open_next(f, 1);
  assert_non_null(strstr(f->env->trace, "mdns.link.state"));
  assert_non_null(strstr(f->env->trace, "\"interface\":2,\"family\":4,\"from\":\"opening\",\"to\":\"open\""));
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(an_interface_has_a_socket_of_each_family),
      TEST(loopback_and_nameless_families_are_left_out),
      TEST(names_want_the_sockets_of_their_interface),
      TEST(packets_come_before_closes_and_closes_before_opens),
      TEST(what_was_never_taken_is_never_told),
      TEST(a_link_that_comes_back_before_its_socket_has_closed_is_another),
      TEST(answers_that_nobody_waits_for_change_nothing),
      TEST(what_failed_is_tried_again_only_when_told_to),
      TEST(only_open_links_send),
      TEST(what_waits_is_bounded),
      TEST(without_memory_nothing_changes),
      TEST(states_are_traced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
