/* Multicast names: per link and family, withdrawn, blocked, unanswered. */
#include "support/sim_mdns.h"

#include "support/cmocka.h"
#include "support/sim_text.h"

typedef struct net {
  sim *s;
  sim_host *a, *b;
  sim_text log;
} net;

static void make(net *n) {
  *n = (net){.s = sim_new(1)};
  n->a = sim_host_new(n->s, "a", "eth0", "10.0.0.1", NULL);
  n->b = sim_host_new(n->s, "b", "eth0", "10.0.0.2", NULL);
}

static void finish(net *n) {
  sim_text_clear(&n->log);
  sim_free(n->s);
}

static void on_answer(void *user, uint32_t req, floe_family family, floe_dns_status status, const floe_addr *addrs,
                      size_t n_addrs) {
  net *n = user;
  char text[FLOE_ADDR_TEXT] = "";
  if (n_addrs > 0) (void)floe_addr_format(&addrs[0], text);
  sim_text_add(&n->log, "%.1f #%u %d %s %s\n", (double)sim_now(n->s) / (double)FLOE_MS, (unsigned)req, (int)family,
               floe_dns_status_name(status), text);
}

static void publish(sim_host *h, const char *name, const char *address) {
  floe_addr addr = sim_addr(address);
  sim_mdns_publish(h, name, &addr);
}

static void a_name_is_answered_for(void **state) {
  (void)state;
  net n;
  make(&n);
  publish(n.a, "one.local", "10.0.0.1");
  sim_mdns_resolve(n.b, "ONE.local", FLOE_FAMILY_IPV4, 1, on_answer, &n);
  sim_mdns_resolve(n.b, "one.local", FLOE_FAMILY_IPV6, 2, on_answer, &n);
  sim_mdns_resolve(n.a, "one.local", FLOE_FAMILY_IPV4, 3, on_answer, &n); /* one hears one's own names */
  sim_mdns_resolve(n.b, "two.local", FLOE_FAMILY_IPV4, 4, on_answer, &n);
  assert_string_equal(sim_text_of(&n.log), "");
  sim_run_for(n.s, 5000);
  assert_string_equal(sim_text_of(&n.log),
                      "10.0 #1 4 OK 10.0.0.1\n"
                      "10.0 #3 4 OK 10.0.0.1\n"
                      "3000.0 #2 6 TIMEOUT \n"
                      "3000.0 #4 4 TIMEOUT \n");
  finish(&n);
}

static void a_withdrawn_name_is_not(void **state) {
  (void)state;
  net n;
  make(&n);
  publish(n.a, "one.local", "10.0.0.1");
  publish(n.a, "two.local", "10.0.0.1");
  assert_int_equal(sim_mdns_published(n.a), 2);
  sim_mdns_withdraw(n.a, "one.local");
  assert_int_equal(sim_mdns_published(n.a), 1);
  assert_int_equal(sim_mdns_published(n.b), 0);
  sim_mdns_resolve(n.b, "one.local", FLOE_FAMILY_IPV4, 1, on_answer, &n);
  sim_run_for(n.s, 5000);
  assert_string_equal(sim_text_of(&n.log), "3000.0 #1 4 TIMEOUT \n");
  finish(&n);
}

static void links_are_apart_and_can_be_blocked(void **state) {
  (void)state;
  net n;
  make(&n);
  publish(n.a, "one.local", "10.0.0.1");
  sim_mdns_set_link(n.b, 1);
  sim_mdns_resolve(n.b, "one.local", FLOE_FAMILY_IPV4, 1, on_answer, &n);
  sim_run_for(n.s, 4000);
  sim_mdns_set_link(n.b, 0);
  sim_mdns_resolve(n.b, "one.local", FLOE_FAMILY_IPV4, 2, on_answer, &n);
  sim_run_for(n.s, 1000);
  sim_mdns_block(n.s, true);
  sim_mdns_resolve(n.b, "one.local", FLOE_FAMILY_IPV4, 3, on_answer, &n);
  sim_run_for(n.s, 5000);
  assert_string_equal(sim_text_of(&n.log),
                      "3000.0 #1 4 TIMEOUT \n"
                      "4010.0 #2 4 OK 10.0.0.1\n"
                      "8000.0 #3 4 TIMEOUT \n");
  finish(&n);
}

static void keep_failure(void *user, const char *text) {
  sim_text_add(user, "%s", text);
}

static void withdrawing_what_is_not_there_fails_the_test(void **state) {
  (void)state;
  net n;
  make(&n);
  sim_on_failure(n.s, keep_failure, &n.log);
  publish(n.a, "one.local", "10.0.0.1");
  sim_mdns_withdraw(n.a, "ONE.local"); /* names have no case */
  assert_string_equal(sim_text_of(&n.log), "");
  sim_mdns_withdraw(n.a, "one.local");
  assert_string_equal(sim_text_of(&n.log), "one.local is withdrawn and was not published");
  finish(&n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_is_answered_for),
      cmocka_unit_test(a_withdrawn_name_is_not),
      cmocka_unit_test(links_are_apart_and_can_be_blocked),
      cmocka_unit_test(withdrawing_what_is_not_there_fails_the_test),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
