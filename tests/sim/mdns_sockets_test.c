/* floe/mdns.h: which sockets are open when, and what happens when they cannot be; in virtual time. */
#include "support/mdns_hub.h"

#define SEED 20240611

#define V4 FLOE_FAMILY_IPV4
#define V6 FLOE_FAMILY_IPV6

#define PEER "peer.local"

typedef struct pair {
  hub *h;
  hub_host *a, *b;
} pair;

/* Two hosts with both families on one link. */
static int setup(void **state) {
  static pair p;
  p.h = hub_new(SEED);
  p.a = hub_host_new(p.h, "192.0.2.1", "fe80::1");
  p.b = hub_host_new(p.h, "192.0.2.2", "fe80::2");
  *state = &p;
  return 0;
}

static int teardown(void **state) {
  pair *p = *state;
  hub_free(p->h);
  return 0;
}

static bool is_answer(const hub_packet *p) {
  return (p->data[2] & 0x80) != 0;
}

static size_t count_answers(const hub *h, const hub_host *from, floe_family family) {
  size_t n = 0;
  for (const hub_packet *p = h->first; p != NULL; p = p->next) {
    if (p->from == from && p->family == family && is_answer(p)) n++;
  }
  return n;
}

static void sockets_are_open_while_they_are_needed(void **state) {
  pair *p = *state;
  assert_int_equal(p->a->n_opens, 0);
  (void)hub_resolve(p->a, PEER, V4);
  assert_int_equal(hub_n_open(p->a), 2);
  sim_run_for(p->h->s, 4000);
  assert_int_equal(hub_n_open(p->a), 0);
  (void)hub_resolve(p->a, PEER, V4);
  (void)hub_resolve(p->a, "q.local", V4);
  hub_register(p->a, "own.local", "192.0.2.1");
  assert_int_equal(p->a->n_opens, 4);
  sim_run_for(p->h->s, 4000);
  assert_int_equal(hub_n_open(p->a), 2);
  hub_tell_interfaces(p->a); /* again, the same */
  assert_int_equal(hub_n_open(p->a), 2);
  hub_unregister(p->a, "own.local");
  assert_int_equal(hub_n_open(p->a), 0);
  assert_int_equal(p->a->n_closes, 4);
}

static void a_socket_closed_and_wanted_again_is_another_one(void **state) {
  pair *p = *state;
  floe_time now = sim_now(p->h->s);
  uint32_t q;
  uint32_t gone = hub_resolve(p->a, PEER, V4);
  floe_sock_id first = hub_sock_of(p->a, 1, V4)->id;
  floe_mdns_cancel(p->a->mdns, gone);
  assert_int_equal(floe_mdns_resolve(p->a->mdns, now, PEER, V4, &q), FLOE_OK); /* before CLOSE was taken */
  hub_drain(p->a);
  assert_int_equal(p->a->n_closes, 2);
  assert_int_equal(p->a->n_opens, 4);
  assert_int_not_equal(hub_sock_of(p->a, 1, V4)->id, first);
}

static void what_opens_late_asks_at_once(void **state) {
  pair *p = *state;
  p->a->holds_opens = true;
  uint32_t q = hub_resolve(p->a, PEER, V4);
  hub_register(p->a, "own.local", "192.0.2.1");
  sim_run_for(p->h->s, 100);
  assert_null(p->h->first);
  hub_open_held(p->a, p->a->socks[0].id);
  assert_int_equal(hub_count(p->h, p->a, 1, p->a->socks[0].family), 2); /* the question and the announcement */
  assert_int_equal(p->h->first->at, 100);
  assert_false(is_answer(p->h->first));
  hub_open_held(p->a, p->a->socks[0].id); /* told twice */
  assert_int_equal(hub_count(p->h, p->a, 1, p->a->socks[0].family), 2);
  sim_run_for(p->h->s, 4000);
  hub_assert_status(p->a, q, FLOE_DNS_TIMEOUT);
}

static void without_an_interface_nobody_is_asked(void **state) {
  pair *p = *state;
  hub_host *lone = hub_host_new(p->h, NULL, NULL);
  hub_assert_status(lone, hub_resolve(lone, PEER, V4), FLOE_DNS_UNREACHABLE);
  hub_add_interface(lone, 9, "127.0.0.1"); /* loopback ones do not count */
  hub_tell_interfaces(lone);
  hub_assert_status(lone, hub_resolve(lone, PEER, V4), FLOE_DNS_UNREACHABLE);
  assert_int_equal(lone->n_opens, 0);
}

static void loopback_counts_when_it_is_wanted(void **state) {
  pair *p = *state;
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.include_loopback = true;
  hub_host *c = hub_host_new_with(p->h, &cfg, sim_env_new(p->h->s, 3));
  hub_add_interface(c, 9, "127.0.0.1");
  hub_tell_interfaces(c);
  uint32_t q = hub_resolve(c, PEER, V4);
  assert_int_equal(hub_n_open(c), 1);
  floe_addr from = hub_addr("127.0.0.1:5353");
  static const uint8_t answer[] =
      "\0\0\x84\0\0\0\0\x01\0\0\0\0\x04peer\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x7f\0\0\x01";
  hub_inject(c, 9, V4, &from, answer, sizeof answer - 1);
  hub_assert_resolved(c, q, "127.0.0.1");
}

static void sockets_that_cannot_be_opened_are_tried_again_later(void **state) {
  pair *p = *state;
  p->a->fails_ipv4 = p->a->fails_ipv6 = true;
  uint32_t q = hub_resolve(p->a, PEER, V4);
  hub_assert_status(p->a, q, FLOE_DNS_UNREACHABLE);
  assert_int_equal(p->a->n_opens, 2);
  assert_int_equal(p->a->n_closes, 0);
  hub_register(p->a, "own.local", "192.0.2.1");
  assert_int_equal(p->a->n_opens, 4);
  sim_run_for(p->h->s, 5000);
  assert_int_equal(p->a->n_opens, 4); /* nothing new: not tried again */
  p->a->fails_ipv6 = false;
  hub_register(p->b, PEER, "192.0.2.2");
  q = hub_resolve(p->a, PEER, V4);
  assert_int_equal(p->a->n_opens, 6);
  sim_run_for(p->h->s, 10);
  hub_assert_resolved(p->a, q, "192.0.2.2"); /* over IPv6 alone */
  assert_int_equal(count_answers(p->h, p->a, V6), 1);
}

static void when_the_last_socket_fails_nobody_is_asked(void **state) {
  pair *p = *state;
  uint32_t q = hub_resolve(p->a, PEER, V4);
  floe_input in = {.type = FLOE_INPUT_SOCKET_FAILED, .net_error = FLOE_NET_OTHER};
  const floe_family families[] = {V4, V6};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(p->a->n_resolved, 0);
    in.sock = hub_sock_of(p->a, 1, families[i])->id;
    floe_mdns_input(p->a->mdns, sim_now(p->h->s), &in);
    hub_drain(p->a);
  }
  hub_assert_status(p->a, q, FLOE_DNS_UNREACHABLE);
  assert_int_equal(p->a->n_closes, 0); /* a failed socket is gone */
}

static void interfaces_come_and_go(void **state) {
  pair *p = *state;
  hub_host *c = hub_host_new(p->h, "192.0.2.3", NULL);
  uint32_t q = hub_resolve(c, PEER, V4);
  hub_add_interface(c, 2, "198.51.100.3");
  hub_tell_interfaces(c);
  assert_int_equal(hub_n_open(c), 2);
  assert_int_equal(hub_count(p->h, c, 2, V4), 1); /* asked there, too */
  c->ifaces[0] = c->ifaces[1];
  c->n_ifaces = 1;
  hub_tell_interfaces(c);
  assert_null(hub_sock_of(c, 1, V4));
  assert_non_null(hub_sock_of(c, 2, V4));
  assert_int_equal(c->n_resolved, 0);
  c->n_ifaces = 0;
  hub_tell_interfaces(c);
  assert_int_equal(hub_n_open(c), 0);
  hub_assert_status(c, q, FLOE_DNS_UNREACHABLE);
}

static void a_socket_goes_with_the_address_it_was_opened_with(void **state) {
  pair *p = *state;
  hub_host *c = hub_host_new(p->h, "192.0.2.3", NULL);
  (void)hub_resolve(c, PEER, V4);
  floe_sock_id first = hub_sock_of(c, 1, V4)->id;
  hub_tell_interfaces(c); /* the same */
  assert_int_equal(hub_sock_of(c, 1, V4)->id, first);
  hub_add_interface(c, 1, "192.0.2.4"); /* one more */
  hub_tell_interfaces(c);
  assert_int_equal(hub_sock_of(c, 1, V4)->id, first);
  c->ifaces[0] = c->ifaces[1];
  c->n_ifaces = 1;
  hub_tell_interfaces(c);
  assert_int_not_equal(hub_sock_of(c, 1, V4)->id, first);
  assert_int_equal(hub_n_open(c), 1);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(sockets_are_open_while_they_are_needed),
      TEST(a_socket_closed_and_wanted_again_is_another_one),
      TEST(what_opens_late_asks_at_once),
      TEST(without_an_interface_nobody_is_asked),
      TEST(loopback_counts_when_it_is_wanted),
      TEST(sockets_that_cannot_be_opened_are_tried_again_later),
      TEST(when_the_last_socket_fails_nobody_is_asked),
      TEST(interfaces_come_and_go),
      TEST(a_socket_goes_with_the_address_it_was_opened_with),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
