/* Host candidates behind multicast DNS names (draft-ietf-mmusic-mdns-ice-candidates 3.1): one name for each address,
 * published as long as it is in use, and nothing else tells the address. */
#include <ctype.h>

#include "support/sim_mdns.h"
#include "support/world.h"

#define STUN "stun:192.0.2.1"
#define TURN "turn:192.0.2.1"

static world *hidden_world(void) {
  world *w = world_new(1);
  w->cfg.mdns_hide_hosts = true;
  return w;
}

static const floe_ice_candidate *local(const world *w, size_t n) {
  const floe_ice_candidate *const *list;
  assert_true(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list) > n);
  return list[n];
}

/* RFC 9562 5.4: xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx */
static void assert_is_uuid_name(const char *name) {
  assert_int_equal(strlen(name), 42);
  assert_string_equal(name + 36, ".local");
  for (size_t i = 0; i < 36; i++) {
    bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    assert_true(is_dash ? name[i] == '-' : isxdigit((unsigned char)name[i]) && !isupper((unsigned char)name[i]));
  }
  assert_int_equal(name[14], '4');
  assert_non_null(strchr("89ab", name[19]));
}

static void a_name_stands_for_the_address(void **state) {
  (void)state;
  world *w = hidden_world();
  world_gather(w);
  const floe_ice_candidate *c = local(w, 0);
  assert_is_uuid_name(c->mdns_name);
  char expected[200];
  (void)snprintf(expected, sizeof expected, "candidate:1 1 udp %u %s 50000 typ host", (unsigned)c->priority,
                 c->mdns_name);
  assert_string_equal(c->text, expected);
  /* The program itself may know. */
  floe_addr real = sim_addr("10.0.0.1:50000");
  assert_true(floe_addr_equal(&c->address, &real));
  assert_int_equal(sim_mdns_published(w->client), 1);
  sim_agent_close(w->agent);
  assert_int_equal(sim_mdns_published(w->client), 0);
  world_free(w);
}

static void each_address_has_one_name(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "10.0.0.1", "eth0", "2001:db8:1::1", NULL);
  w->cfg.mdns_hide_hosts = true;
  w->cfg.tcp_passive = true;
  world_gather(w);
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL), 6);
  const char *names[2] = {NULL, NULL};
  for (size_t i = 0; i < 6; i++) {
    const floe_ice_candidate *c = local(w, i);
    size_t at = c->address.family == FLOE_FAMILY_IPV6 ? 1 : 0;
    assert_is_uuid_name(c->mdns_name);
    if (names[at] == NULL) names[at] = c->mdns_name;
    assert_string_equal(c->mdns_name, names[at]);
  }
  assert_string_not_equal(names[0], names[1]);
  assert_int_equal(sim_mdns_published(w->client), 2);
  world_free(w);
}

static void two_agents_have_two_names(void **state) {
  (void)state;
  world *w = hidden_world();
  world_gather(w);
  sim_agent *other = sim_agent_new(w->client, &w->cfg, NULL);
  assert_int_equal(sim_agent_gather(other), FLOE_OK);
  assert_true(sim_agent_run_to_complete(other, 1000));
  const floe_ice_candidate *const *list;
  assert_int_equal(floe_ice_agent_local_candidates(sim_agent_core(other), &list), 1);
  assert_string_not_equal(local(w, 0)->mdns_name, list[0]->mdns_name);
  assert_int_equal(sim_mdns_published(w->client), 2);
  sim_agent_close(other);
  assert_true(sim_agent_run_to_closed(other, 1000));
  assert_int_equal(sim_mdns_published(w->client), 1);
  world_free(w);
}

static void gathering_anew_takes_another_name(void **state) {
  (void)state;
  world *w = hidden_world();
  world_gather(w);
  char first[64];
  (void)snprintf(first, sizeof first, "%s", local(w, 0)->mdns_name);
  assert_int_equal(sim_agent_gather(w->agent), FLOE_OK);
  assert_true(sim_agent_run_to_complete(w->agent, 1000));
  assert_string_not_equal(local(w, 0)->mdns_name, first);
  assert_int_equal(sim_mdns_published(w->client), 1);
  world_free(w);
}

/* The draft's section 3.1.2.2: the base is not told. The mapped address is: a web server knows it too. */
static void server_reflexive_candidates_hide_their_base(void **state) {
  (void)state;
  world *w = hidden_world();
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.0.1:50000 *.local\n"
               "20.0 candidate relay 192.0.2.1:50000 mapped=0.0.0.0:9 udp " TURN
               "\n"
               "20.0 candidate srflx 203.0.113.1:40000 base=0.0.0.0:9 " TURN "\n" END("20.0"));
  for (size_t i = 0; i < 3; i++) assert_null(strstr(local(w, i)->text, "10.0.0.1"));
  char description[2000];
  assert_true(floe_ice_agent_local_description(sim_agent_core(w->agent), description, sizeof description) > 0);
  assert_null(strstr(description, "10.0.0.1"));
  assert_non_null(strstr(description, local(w, 0)->mdns_name));
  world_free(w);
}

/* A host on the Internet has the same address behind the name and at the server: the second one may be told, and is
 * needed by every peer beyond the link. */
static void an_address_of_the_internet_is_told_by_the_server(void **state) {
  (void)state;
  world *w = world_new_with(1, "eth0", "198.51.100.7", NULL);
  w->cfg.mdns_hide_hosts = true;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, STUN);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 198.51.100.7:50000 *.local\n"
               "10.0 candidate srflx 198.51.100.7:50000 base=0.0.0.0:9 " STUN "\n" END("10.0"));
  world_free(w);
}

/* The contract's section 1: NULL for a host hidden behind an mDNS name. */
static void errors_do_not_tell_a_hidden_address(void **state) {
  (void)state;
  world *w = hidden_world();
  world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
  world_add(w, STUN);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000 *.local\n"
               "10.0 error 500 stun_error " STUN " at - binding \"Broken\"\n" END("10.0"));
  const sim_error *e = sim_agent_error(w->agent, 0);
  assert_int_equal(e->detail.local_address.family, FLOE_FAMILY_NONE);
  assert_string_equal(e->interface, "");
  world_free(w);
}

/* A rewritten address is one that may be seen; beside the host candidate, that one is still hidden. */
static void what_is_rewritten_needs_no_name(void **state) {
  (void)state;
  for (int beside = 0; beside < 2; beside++) {
    floe_address_rewrite r = {.shown = sim_addr("203.0.113.9"), .as_srflx = beside == 1};
    world *w = hidden_world();
    w->cfg.rewrites = &r;
    w->cfg.n_rewrites = 1;
    world_gather(w);
    world_expect(w, beside == 0 ? "0.0 state gathering\n0.0 candidate host 203.0.113.9:50000\n" END("0.0")
                                : "0.0 state gathering\n0.0 candidate host 10.0.0.1:50000 *.local\n"
                                  "0.0 candidate srflx 203.0.113.9:50000 base=0.0.0.0:9\n" END("0.0"));
    assert_int_equal(sim_mdns_published(w->client), beside);
    world_free(w);
  }
}

/* Without memory for a name there is no candidate, rather than one that shows the address. */
static void no_memory_shows_nothing(void **state) {
  (void)state;
  uint64_t all = 0;
  for (uint64_t fail_at = 0; fail_at == 0 || fail_at <= all; fail_at++) {
    world *w = hidden_world();
    w->options.fail_at = fail_at;
    world_start(w);
    if (sim_agent_core(w->agent) != NULL && sim_agent_gather(w->agent) == FLOE_OK) {
      (void)sim_agent_run_to_complete(w->agent, 20000);
      const floe_ice_candidate *const *list;
      size_t n = floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list);
      for (size_t i = 0; i < n; i++) assert_null(strstr(list[i]->text, "10.0.0.1"));
      if (fail_at == 0) assert_int_equal(n, 1);
    }
    if (fail_at == 0) all = sim_agent_allocations(w->agent);
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_stands_for_the_address),
      cmocka_unit_test(each_address_has_one_name),
      cmocka_unit_test(two_agents_have_two_names),
      cmocka_unit_test(gathering_anew_takes_another_name),
      cmocka_unit_test(server_reflexive_candidates_hide_their_base),
      cmocka_unit_test(an_address_of_the_internet_is_told_by_the_server),
      cmocka_unit_test(errors_do_not_tell_a_hidden_address),
      cmocka_unit_test(what_is_rewritten_needs_no_name),
      cmocka_unit_test(no_memory_shows_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
