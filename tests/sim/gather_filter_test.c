/* Which addresses are gathered on, and which candidates are told (floe_ice_config: filter_interface, filter_candidate).
 * What is not told is used all the same, and gives nothing away. */
#include "support/world.h"

#define STUN "stun:192.0.2.1"
#define TURN "turn:192.0.2.1"

typedef struct filter {
  const char *refused; /* an address, or a kind of candidate */
  char asked[400];
} filter;

static bool refuse_address(void *user, const floe_interface *i) {
  filter *f = user;
  char ip[FLOE_ADDR_TEXT];
  floe_addr_format_ip(&i->addr, ip);
  (void)snprintf(f->asked + strlen(f->asked), sizeof f->asked - strlen(f->asked), "%s %s\n", i->name, ip);
  return strcmp(ip, f->refused) != 0;
}

static bool refuse_kind(void *user, const floe_ice_candidate *c) {
  filter *f = user;
  (void)snprintf(f->asked + strlen(f->asked), sizeof f->asked - strlen(f->asked), "%u %s\n", (unsigned)c->id, c->text);
  return strcmp(floe_candidate_type_name(c->type), f->refused) != 0;
}

static const floe_ice_candidate *local(const world *w, size_t n) {
  const floe_ice_candidate *const *list;
  assert_true(floe_ice_agent_local_candidates(sim_agent_core(w->agent), &list) > n);
  return list[n];
}

static size_t n_local(const world *w) {
  return floe_ice_agent_local_candidates(sim_agent_core(w->agent), NULL);
}

/* --- filter_interface -------------------------------------------------------------------------------------------- */

static void an_address_that_is_refused_is_not_used(void **state) {
  (void)state;
  filter f = {.refused = "10.0.0.1"};
  world *w = world_new_with(1, "eth0", "10.0.0.1", "eth1", "10.0.1.1", NULL);
  w->cfg.filter_interface = refuse_address;
  w->cfg.filter_user = &f;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  world_expect(w,
               "0.0 state gathering\n"
               "0.0 candidate host 10.0.1.1:50000\n"
               "20.0 candidate relay 192.0.2.1:50000 mapped=10.0.1.1:50000 udp " TURN "\n" END("20.0"));
  world_expect_wire(w, "10.0.0.1", "");
  /* Each once, and loopback not at all. */
  assert_string_equal(f.asked, "eth0 10.0.0.1\neth1 10.0.1.1\n");
  world_free(w);
}

static void without_any_address_left_there_is_none(void **state) {
  (void)state;
  filter f = {.refused = "10.0.0.1"};
  world *w = world_new(1);
  w->cfg.filter_interface = refuse_address;
  w->cfg.filter_user = &f;
  world_add(w, STUN);
  world_gather(w);
  world_expect(w, "0.0 state gathering\n0.0 error 701 no_local_address " STUN " at - socket\n" END("0.0"));
  world_free(w);
}

/* --- filter_candidate -------------------------------------------------------------------------------------------- */

static void a_candidate_that_is_refused_is_not_told(void **state) {
  (void)state;
  filter f = {.refused = "host"};
  world *w = world_new(1);
  w->cfg.filter_candidate = refuse_kind;
  w->cfg.filter_user = &f;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, STUN);
  world_gather(w);
  /* The base of the server-reflexive candidate is hidden as the host candidate is. */
  world_expect(w,
               "0.0 state gathering\n"
               "10.0 candidate srflx 203.0.113.1:40000 base=0.0.0.0:9 " STUN "\n" END("10.0"));
  assert_int_equal(n_local(w), 1);
  assert_int_equal(local(w, 0)->type, FLOE_CANDIDATE_SRFLX);
  /* It was asked with the candidate as it would be told. */
  expect_text(w->s, "questions", f.asked,
              "1 candidate:1 1 udp * 10.0.0.1 50000 typ host\n"
              "2 candidate:2 1 udp * 203.0.113.1 40000 typ srflx raddr 0.0.0.0 rport 9\n");
  /* It exists, for checks. */
  const floe_ice_candidate *host = floe_ice_agent_candidate(sim_agent_core(w->agent), 1);
  assert_non_null(host);
  assert_int_equal(host->type, FLOE_CANDIDATE_HOST);
  char description[2000];
  assert_true(floe_ice_agent_local_description(sim_agent_core(w->agent), description, sizeof description) > 0);
  assert_null(strstr(description, "10.0.0.1"));
  assert_non_null(strstr(description, "203.0.113.1"));
  world_free(w);
}

/* The contract's section 1: an address that no told candidate has is not told by an error either. */
static void errors_do_not_tell_what_the_filter_hides(void **state) {
  (void)state;
  for (int hidden = 0; hidden < 2; hidden++) {
    filter f = {.refused = hidden == 1 ? "host" : "relay"};
    world *w = world_new(1);
    w->cfg.filter_candidate = refuse_kind;
    w->cfg.filter_user = &f;
    world_listen(w, FLOE_TRANSPORT_UDP, "error=500:Broken");
    world_add(w, STUN);
    world_gather(w);
    world_expect(
        w, hidden == 1 ? "0.0 state gathering\n10.0 error 500 stun_error " STUN " at - binding \"Broken\"\n" END("10.0")
                       : BEGIN "10.0 error 500 stun_error " STUN " at 10.0.0.1:50000 binding \"Broken\"\n" END("10.0"));
    world_free(w);
  }
}

/* A relay candidate's related address is the mapped one, which nothing else tells. */
static void relays_do_not_tell_what_the_filter_hides(void **state) {
  (void)state;
  filter f = {.refused = "srflx"};
  world *w = world_new(1);
  w->cfg.filter_candidate = refuse_kind;
  w->cfg.filter_user = &f;
  world_listen(w, FLOE_TRANSPORT_UDP, NULL);
  world_add(w, TURN);
  world_gather(w);
  world_expect(w, BEGIN "20.0 candidate relay 192.0.2.1:50000 mapped=0.0.0.0:9 udp " TURN "\n" END("20.0"));
  assert_null(strstr(sim_agent_events(w->agent), "203.0.113.1"));
  world_free(w);
}

/* On a host without a NAT the server-reflexive candidate is the host candidate once more, and redundant: but not when
 * the host candidate is not told. */
static void the_filter_decides_on_each(void **state) {
  (void)state;
  for (int hidden = 0; hidden < 2; hidden++) {
    filter f = {.refused = hidden == 1 ? "host" : "relay"};
    world *w = world_new_with(1, "eth0", "198.51.100.7", NULL);
    w->cfg.filter_candidate = refuse_kind;
    w->cfg.filter_user = &f;
    world_listen(w, FLOE_TRANSPORT_UDP, NULL);
    world_add(w, STUN);
    world_gather(w);
    world_expect(w, hidden == 1 ? "0.0 state gathering\n10.0 candidate srflx 198.51.100.7:50000 base=0.0.0.0:9 " STUN
                                  "\n" END("10.0")
                                : "0.0 state gathering\n0.0 candidate host 198.51.100.7:50000\n" END("10.0"));
    world_free(w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_address_that_is_refused_is_not_used),
      cmocka_unit_test(without_any_address_left_there_is_none),
      cmocka_unit_test(a_candidate_that_is_refused_is_not_told),
      cmocka_unit_test(errors_do_not_tell_what_the_filter_hides),
      cmocka_unit_test(relays_do_not_tell_what_the_filter_hides),
      cmocka_unit_test(the_filter_decides_on_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
