/* floe/mdns.h between hosts on links that carry multicast, in virtual time: asking, answering, announcing. Sockets are
 * in mdns_sockets_test.c, what is hostile in mdns_hostile_test.c. */
#include <string.h>

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

/* TTL of the first record, whose name is PEER. */
static unsigned ttl_of(const hub_packet *p) {
  return (unsigned)(p->data[12 + 12 + 6] << 8 | p->data[12 + 12 + 7]);
}

static size_t count_answers(const hub *h, const hub_host *from, floe_family family) {
  size_t n = 0;
  for (const hub_packet *p = h->first; p != NULL; p = p->next) {
    if (p->from == from && p->family == family && is_answer(p)) n++;
  }
  return n;
}

static void assert_to(const hub_packet *p, const char *to) {
  char text[FLOE_ADDR_TEXT];
  assert_string_equal(floe_addr_format(&p->to, text), to);
}

/* ---- resolving ---- */

static void a_name_is_resolved_over_the_link(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  sim_run_for(p->h->s, 5000);
  hub_forget(p->h);
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 10);
  hub_assert_resolved(p->a, q, "192.0.2.2");
  assert_int_equal(hub_result(p->a, q)->at, 5002); /* 1 ms there and 1 ms back */
  static const uint8_t question[] = "\0\0\0\0\0\x01\0\0\0\0\0\0\x04peer\x05local\0\0\x01\0\x01";
  const hub_packet *asked = hub_packet_of(p->h, p->a, 1, V4, 0);
  assert_int_equal(asked->len, sizeof question - 1);
  assert_memory_equal(asked->data, question, sizeof question - 1);
  assert_to(asked, "224.0.0.251:5353");
  assert_to(hub_packet_of(p->h, p->a, 1, V6, 0), "[ff02::fb%1]:5353");
  assert_int_equal(hub_count(p->h, p->a, 1, V4), 1);
  assert_int_equal(hub_count(p->h, p->a, 1, V6), 1);
  assert_to(hub_packet_of(p->h, p->b, 1, V4, 0), "224.0.0.251:5353");
  assert_int_equal(hub_count(p->h, p->b, 1, V4), 1);
  sim_run_for(p->h->s, 10000);
  assert_int_equal(p->a->n_resolved, 1);
  assert_int_equal(hub_count(p->h, p->a, 1, V4), 1);
}

static void a_link_local_address_has_the_scope_of_who_asks(void **state) {
  pair *p = *state;
  hub_add_interface(p->a, 2, "fe80::aa");
  hub_tell_interfaces(p->a);
  hub_register(p->b, PEER, "fe80::2");
  uint32_t q = hub_resolve(p->a, PEER, V6);
  sim_run_for(p->h->s, 10);
  hub_assert_resolved(p->a, q, "fe80::2%1");
  assert_int_equal(hub_result(p->a, q)->address.scope_id, 1);
}

static void the_other_family_is_denied_at_once(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  hub_register(p->b, "six.local", "fe80::2");
  uint32_t q6 = hub_resolve(p->a, PEER, V6), q4 = hub_resolve(p->a, "six.local", V4);
  sim_run_for(p->h->s, 10);
  hub_assert_status(p->a, q6, FLOE_DNS_NODATA);
  hub_assert_status(p->a, q4, FLOE_DNS_NODATA);
}

static void a_name_that_nobody_has_times_out(void **state) {
  pair *p = *state;
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 2999);
  assert_int_equal(p->a->n_resolved, 0);
  sim_run_for(p->h->s, 5000);
  hub_assert_status(p->a, q, FLOE_DNS_TIMEOUT);
  assert_int_equal(hub_result(p->a, q)->at, 3000);
  static const floe_time asked_at[] = {0, 250, 750, 1750};
  assert_int_equal(hub_count(p->h, p->a, 1, V4), 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(hub_packet_of(p->h, p->a, 1, V4, i)->at, asked_at[i]);
    assert_int_equal(hub_packet_of(p->h, p->a, 1, V6, i)->at, asked_at[i]);
  }
}

static void the_configuration_says_when(void **state) {
  pair *p = *state;
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.timeout_ms = 500;
  cfg.retry_ms = 100;
  hub_host *c = hub_host_new_with(p->h, &cfg, sim_env_new(p->h->s, 3));
  hub_add_interface(c, 1, "192.0.2.3");
  hub_tell_interfaces(c);
  uint32_t q = hub_resolve(c, PEER, V4);
  assert_string_equal(c->wait_reason, "mdns.question");
  sim_run_for(p->h->s, 350);
  assert_string_equal(c->wait_reason, "mdns.timeout");
  sim_run_for(p->h->s, 1000);
  hub_assert_status(c, q, FLOE_DNS_TIMEOUT);
  assert_int_equal(hub_result(c, q)->at, 500);
  assert_int_equal(hub_count(p->h, c, 1, V4), 3); /* 0, 100, 300 */
  assert_string_equal(c->wait_reason, "none");
}

static void what_is_lost_is_asked_again(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  sim_run_for(p->h->s, 5000);
  p->h->drop_next = 4; /* two questions, over both families */
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 3000);
  hub_assert_resolved(p->a, q, "192.0.2.2");
  assert_int_equal(hub_result(p->a, q)->at, 5752);
}

static void a_lost_answer_is_given_again_after_a_second(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  sim_run_for(p->h->s, 5000);
  uint32_t q = hub_resolve(p->a, PEER, V4);
  p->h->loss_permille = 1000;
  sim_run_for(p->h->s, 10);
  p->h->loss_permille = 0;
  sim_run_for(p->h->s, 3000);
  hub_assert_resolved(p->a, q, "192.0.2.2");
  assert_int_equal(hub_result(p->a, q)->at, 6002); /* answered at 5001, asked again at 5250: RFC 6762 6 */
}

static void questions_for_the_same_share_their_packets(void **state) {
  pair *p = *state;
  uint32_t first = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 100);
  uint32_t second = hub_resolve(p->a, "PEER.local", V4);
  uint32_t other = hub_resolve(p->a, PEER, V6);
  assert_int_not_equal(first, second);
  assert_int_equal(hub_count(p->h, p->a, 1, V4), 2); /* one for each family that is asked for */
  sim_run_for(p->h->s, 2950);
  hub_assert_status(p->a, first, FLOE_DNS_TIMEOUT);
  assert_int_equal(p->a->n_resolved, 1); /* the second has its own three seconds */
  hub_register(p->b, PEER, "192.0.2.2"); /* announced */
  sim_run_for(p->h->s, 10);
  hub_assert_resolved(p->a, second, "192.0.2.2");
  hub_assert_status(p->a, other, FLOE_DNS_NODATA);
}

static void who_asks_later_waits_as_long(void **state) {
  pair *p = *state;
  (void)hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 100);
  uint32_t second = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 5000);
  hub_assert_status(p->a, second, FLOE_DNS_TIMEOUT);
  assert_int_equal(hub_result(p->a, second)->at, 3100);
}

static void own_names_need_no_network(void **state) {
  pair *p = *state;
  hub_register(p->a, PEER, "192.0.2.1");
  sim_run_for(p->h->s, 5000);
  hub_forget(p->h);
  uint32_t q4 = hub_resolve(p->a, "Peer.local", V4), q6 = hub_resolve(p->a, PEER, V6);
  hub_assert_resolved(p->a, q4, "192.0.2.1");
  hub_assert_status(p->a, q6, FLOE_DNS_NODATA);
  assert_null(p->h->first);
  hub_host *lone = hub_host_new(p->h, NULL, NULL);
  hub_register(lone, PEER, "198.51.100.1");
  hub_assert_resolved(lone, hub_resolve(lone, PEER, V4), "198.51.100.1");
  assert_int_equal(lone->n_opens, 0);
}

static void a_name_registered_while_it_is_asked_for_is_found(void **state) {
  pair *p = *state;
  uint32_t q4 = hub_resolve(p->a, PEER, V4), q6 = hub_resolve(p->a, PEER, V6);
  sim_run_for(p->h->s, 100);
  hub_register(p->a, PEER, "fe80::1");
  hub_assert_status(p->a, q4, FLOE_DNS_NODATA);
  hub_assert_resolved(p->a, q6, "fe80::1%1");
}

static void a_cancelled_question_is_not_decided(void **state) {
  pair *p = *state;
  uint32_t gone = hub_resolve(p->a, PEER, V4), kept = hub_resolve(p->a, PEER, V4);
  floe_mdns_cancel(p->a->mdns, gone);
  floe_mdns_cancel(p->a->mdns, gone);
  floe_mdns_cancel(p->a->mdns, 4711);
  hub_drain(p->a);
  sim_run_for(p->h->s, 4000);
  assert_int_equal(p->a->n_resolved, 1);
  hub_assert_status(p->a, kept, FLOE_DNS_TIMEOUT);
  hub_forget(p->h);
  gone = hub_resolve(p->a, PEER, V4);
  assert_int_equal(hub_n_open(p->a), 2);
  floe_mdns_cancel(p->a->mdns, gone);
  hub_drain(p->a);
  assert_int_equal(hub_n_open(p->a), 0);
  sim_run_for(p->h->s, 4000);
  assert_int_equal(p->a->n_resolved, 1);
  assert_int_equal(hub_count(p->h, p->a, 1, V4), 1);
}

static void one_that_is_decided_can_still_be_cancelled(void **state) {
  pair *p = *state;
  uint32_t q[3];
  floe_addr addr = hub_addr("192.0.2.1");
  assert_int_equal(floe_mdns_register(p->a->mdns, sim_now(p->h->s), PEER, &addr), FLOE_OK);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(floe_mdns_resolve(p->a->mdns, sim_now(p->h->s), PEER, V4, &q[i]), FLOE_OK);
  }
  floe_mdns_cancel(p->a->mdns, q[2]);
  floe_mdns_cancel(p->a->mdns, q[0]);
  uint32_t last;
  assert_int_equal(floe_mdns_resolve(p->a->mdns, sim_now(p->h->s), PEER, V4, &last), FLOE_OK);
  hub_drain(p->a);
  assert_int_equal(p->a->n_resolved, 2);
  assert_int_equal(p->a->resolved[0].query, q[1]);
  assert_int_equal(p->a->resolved[1].query, last);
}

/* ---- answering and announcing ---- */

static void a_name_is_announced_twice_and_taken_back(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  assert_string_equal(p->b->wait_reason, "mdns.answer");
  sim_run_for(p->h->s, 5000);
  hub_unregister(p->b, PEER);
  static const floe_time told_at[] = {0, 1000, 5000};
  const floe_family families[] = {V4, V6};
  for (size_t f = 0; f < 2; f++) {
    assert_int_equal(hub_count(p->h, p->b, 1, families[f]), 3);
    for (size_t i = 0; i < 3; i++) {
      const hub_packet *told = hub_packet_of(p->h, p->b, 1, families[f], i);
      assert_int_equal(told->at, told_at[i]);
      assert_true(is_answer(told));
      assert_int_equal(ttl_of(told), i < 2 ? 120 : 0);
    }
  }
  assert_to(hub_packet_of(p->h, p->b, 1, V6, 2), "[ff02::fb%1]:5353");
  assert_int_equal(hub_n_open(p->b), 0);
  assert_int_equal(p->b->wait_until, FLOE_TIME_NEVER);
}

static void a_name_that_was_never_told_needs_no_goodbye(void **state) {
  pair *p = *state;
  p->b->holds_opens = true;
  hub_register(p->b, PEER, "192.0.2.2");
  assert_int_equal(p->b->n_opens, 2);
  hub_unregister(p->b, PEER);
  assert_int_equal(p->b->n_closes, 2);
  assert_null(p->h->first);
}

static void registrations_count(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  hub_register(p->b, "PEER.LOCAL", "192.0.2.2:99");
  sim_run_for(p->h->s, 5000);
  assert_int_equal(count_answers(p->h, p->b, V4), 2);
  hub_unregister(p->b, PEER);
  assert_int_equal(count_answers(p->h, p->b, V4), 2);
  assert_int_equal(hub_n_open(p->b), 2);
  hub_unregister(p->b, PEER);
  assert_int_equal(count_answers(p->h, p->b, V4), 3);
  hub_unregister(p->b, PEER);
  hub_unregister(p->b, "never.local");
  hub_unregister(p->b, "no name");
  assert_int_equal(count_answers(p->h, p->b, V4), 3);
  hub_register(p->b, PEER, "192.0.2.2");
  assert_int_equal(count_answers(p->h, p->b, V4), 4);
}

static void an_announcement_answers_those_who_wait(void **state) {
  pair *p = *state;
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 100);
  hub_register(p->b, PEER, "192.0.2.2");
  sim_run_for(p->h->s, 2);
  hub_assert_resolved(p->a, q, "192.0.2.2");
  assert_int_equal(hub_result(p->a, q)->at, 101);
}

static void an_announcement_does_not_hold_back_an_answer(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  sim_run_for(p->h->s, 20);
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 5);
  hub_assert_resolved(p->a, q, "192.0.2.2");
}

static void a_goodbye_ends_the_answers(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.2");
  hub_register(p->b, "other.local", "192.0.2.2");
  sim_run_for(p->h->s, 5000);
  hub_unregister(p->b, PEER);
  uint32_t q = hub_resolve(p->a, PEER, V4), other = hub_resolve(p->a, "other.local", V4);
  sim_run_for(p->h->s, 5000);
  hub_assert_status(p->a, q, FLOE_DNS_TIMEOUT);
  hub_assert_resolved(p->a, other, "192.0.2.2");
}

/* RFC 6762 6.2: no address that is not one of the interface. */
static void a_name_is_told_on_its_interface_only(void **state) {
  pair *p = *state;
  hub_add_interface(p->b, 2, "198.51.100.2");
  hub_tell_interfaces(p->b);
  hub_host *c = hub_host_new(p->h, NULL, NULL);
  hub_add_interface(c, 2, "198.51.100.3");
  hub_tell_interfaces(c);
  hub_register(p->b, PEER, "192.0.2.2");
  hub_register(p->b, "away.local", "203.0.113.7"); /* an address that no interface has */
  assert_null(hub_sock_of(p->b, 2, V4));           /* nothing to answer for there */
  hub_register(p->b, "two.local", "198.51.100.2");
  uint32_t q = hub_resolve(c, PEER, V4), away = hub_resolve(c, "away.local", V4);
  uint32_t two = hub_resolve(c, "two.local", V4), not_two = hub_resolve(p->a, "two.local", V4);
  sim_run_for(p->h->s, 4000);
  hub_assert_status(c, q, FLOE_DNS_TIMEOUT);
  hub_assert_status(c, away, FLOE_DNS_TIMEOUT);
  hub_assert_resolved(c, two, "198.51.100.2");
  hub_assert_status(p->a, not_two, FLOE_DNS_TIMEOUT);
}

static void a_name_follows_its_address(void **state) {
  pair *p = *state;
  hub_register(p->b, PEER, "192.0.2.77");
  hub_register(p->b, "stays.local", "192.0.2.2");
  sim_run_for(p->h->s, 5000);
  hub_forget(p->h);
  hub_add_interface(p->b, 1, "192.0.2.77");
  hub_tell_interfaces(p->b);
  sim_run_for(p->h->s, 5000);
  assert_int_equal(count_answers(p->h, p->b, V4), 2); /* announced now; the other one is not again */
  uint32_t q = hub_resolve(p->a, PEER, V4);
  sim_run_for(p->h->s, 10);
  hub_assert_resolved(p->a, q, "192.0.2.77");
}

/* ---- what the caller does wrong ---- */

static void arguments_are_checked(void **state) {
  pair *p = *state;
  floe_time now = sim_now(p->h->s);
  floe_addr addr = hub_addr("192.0.2.1");
  uint32_t q = 7;
  assert_int_equal(floe_mdns_resolve(p->a->mdns, now, "peer.example", V4, &q), FLOE_E_SYNTAX);
  assert_int_equal(floe_mdns_resolve(p->a->mdns, now, "a.b.local", V4, &q), FLOE_E_SYNTAX);
  assert_int_equal(floe_mdns_resolve(p->a->mdns, now, PEER, FLOE_FAMILY_NONE, &q), FLOE_E_TYPE);
  assert_int_equal(floe_mdns_register(p->a->mdns, now, "192.0.2.1", &addr), FLOE_E_SYNTAX);
  static const char *const bad[] = {"0.0.0.0", "::", "224.0.0.251", "255.255.255.255", "ff02::fb", "::ffff:192.0.2.1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    addr = hub_addr(bad[i]);
    assert_int_equal(floe_mdns_register(p->a->mdns, now, PEER, &addr), FLOE_E_TYPE);
  }
  addr = (floe_addr){0};
  assert_int_equal(floe_mdns_register(p->a->mdns, now, PEER, &addr), FLOE_E_TYPE);
  addr = hub_addr("192.0.2.1");
  assert_int_equal(floe_mdns_register(p->a->mdns, now, PEER, &addr), FLOE_OK);
  addr = hub_addr("192.0.2.2");
  assert_int_equal(floe_mdns_register(p->a->mdns, now, "Peer.Local", &addr), FLOE_E_STATE);
  hub_drain(p->a);
  assert_int_equal(p->a->n_resolved, 0);
}

static void limits_hold(void **state) {
  pair *p = *state;
  floe_mdns_config cfg;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.max_queries = 2;
  cfg.max_names = 1;
  hub_host *c = hub_host_new_with(p->h, &cfg, sim_env_new(p->h->s, 3));
  hub_add_interface(c, 1, "192.0.2.3");
  hub_tell_interfaces(c);
  floe_addr addr = hub_addr("192.0.2.3");
  uint32_t q;
  uint32_t first = hub_resolve(c, PEER, V4);
  (void)hub_resolve(c, PEER, V4);
  assert_int_equal(floe_mdns_resolve(c->mdns, sim_now(p->h->s), PEER, V4, &q), FLOE_E_TOO_LARGE);
  floe_mdns_cancel(c->mdns, first);
  (void)hub_resolve(c, PEER, V6);
  hub_register(c, "own.local", "192.0.2.3");
  assert_int_equal(floe_mdns_register(c->mdns, sim_now(p->h->s), "own2.local", &addr), FLOE_E_TOO_LARGE);
  hub_register(c, "own.local", "192.0.2.3");
  sim_run_for(p->h->s, 4000);
  (void)hub_resolve(c, PEER, V4);
}

static void a_configuration_of_another_size_is_refused_or_filled(void **state) {
  pair *p = *state;
  floe_mdns_config cfg;
  floe_mdns *mdns;
  floe_mdns_config_init(&cfg, sizeof cfg);
  cfg.size = 0;
  assert_int_equal(floe_mdns_new(&mdns, p->a->env->env, &cfg), FLOE_E_TYPE);
  assert_null(mdns);
  cfg.size = 12; /* of a library that knew size, timeout_ms and retry_ms */
  cfg.max_queries = 1;
  assert_int_equal(floe_mdns_new(&mdns, p->a->env->env, &cfg), FLOE_OK);
  uint32_t q;
  floe_interface one = {.index = 1, .addr = hub_addr("192.0.2.1")};
  assert_int_equal(floe_mdns_set_interfaces(mdns, 0, &one, 1), FLOE_OK);
  assert_int_equal(floe_mdns_resolve(mdns, 0, PEER, V4, &q), FLOE_OK);
  assert_int_equal(floe_mdns_resolve(mdns, 0, PEER, V4, &q), FLOE_OK);
  floe_mdns_free(mdns);
  floe_mdns_free(NULL);
}

static void time_does_not_go_back(void **state) {
  pair *p = *state;
  uint32_t q = 0;
  assert_int_equal(floe_mdns_resolve(p->a->mdns, sim_now(p->h->s), PEER, V4, &q), FLOE_OK);
  floe_input in = {.type = FLOE_INPUT_TIMER};
  floe_mdns_input(p->a->mdns, 0, &in);
  assert_int_equal(floe_mdns_resolve(p->a->mdns, 0, PEER, V6, &q), FLOE_OK);
  hub_drain(p->a);
  sim_run_for(p->h->s, 4000);
  assert_int_equal(hub_result(p->a, q)->at, 3000);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_name_is_resolved_over_the_link),
      TEST(a_link_local_address_has_the_scope_of_who_asks),
      TEST(the_other_family_is_denied_at_once),
      TEST(a_name_that_nobody_has_times_out),
      TEST(the_configuration_says_when),
      TEST(what_is_lost_is_asked_again),
      TEST(a_lost_answer_is_given_again_after_a_second),
      TEST(questions_for_the_same_share_their_packets),
      TEST(who_asks_later_waits_as_long),
      TEST(own_names_need_no_network),
      TEST(a_name_registered_while_it_is_asked_for_is_found),
      TEST(a_cancelled_question_is_not_decided),
      TEST(one_that_is_decided_can_still_be_cancelled),
      TEST(a_name_is_announced_twice_and_taken_back),
      TEST(a_name_that_was_never_told_needs_no_goodbye),
      TEST(registrations_count),
      TEST(an_announcement_answers_those_who_wait),
      TEST(an_announcement_does_not_hold_back_an_answer),
      TEST(a_goodbye_ends_the_answers),
      TEST(a_name_is_told_on_its_interface_only),
      TEST(a_name_follows_its_address),
      TEST(arguments_are_checked),
      TEST(limits_hold),
      TEST(a_configuration_of_another_size_is_refused_or_filled),
      TEST(time_does_not_go_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
