/* Names: answers per family, statuses, delays, silence. */
#include "support/sim_dns.h"

#include "support/cmocka.h"
#include "support/sim_net.h"
#include "support/sim_text.h"

typedef struct asker {
  sim *s;
  sim_text log;
} asker;

static void on_answer(void *user, uint32_t req, floe_family family, floe_dns_status status, const floe_addr *addrs,
                      size_t n_addrs) {
  asker *a = user;
  char text[FLOE_ADDR_TEXT];
  sim_text_add(&a->log, "%.1f #%u %d status %d", (double)sim_now(a->s) / (double)FLOE_MS, (unsigned)req, (int)family,
               (int)status);
  for (size_t i = 0; i < n_addrs; i++) sim_text_add(&a->log, " %s", floe_addr_format(&addrs[i], text));
  sim_text_add(&a->log, "\n");
}

static void answers_are_per_family(void **state) {
  (void)state;
  asker a = {.s = sim_new(1)};
  sim_dns_add(a.s, "both.example", "192.0.2.1", "2001:db8::1", "192.0.2.2", NULL);
  sim_dns_add(a.s, "four.example", "192.0.2.3", NULL);
  sim_dns_resolve(a.s, "BOTH.example", FLOE_FAMILY_IPV4, 1, on_answer, &a);
  sim_dns_resolve(a.s, "both.example", FLOE_FAMILY_IPV6, 2, on_answer, &a);
  sim_dns_resolve(a.s, "four.example", FLOE_FAMILY_IPV6, 3, on_answer, &a);
  sim_dns_resolve(a.s, "none.example", FLOE_FAMILY_IPV4, 4, on_answer, &a);
  assert_string_equal(sim_text_of(&a.log), "");
  sim_run_for(a.s, 100);
  assert_string_equal(sim_text_of(&a.log),
                      "10.0 #1 4 status 0 192.0.2.1 192.0.2.2\n"
                      "10.0 #2 6 status 0 2001:db8::1\n"
                      "10.0 #3 6 status 2\n"
                      "10.0 #4 4 status 1\n");
  assert_int_equal(sim_dns_queries(a.s, "both.example", FLOE_FAMILY_IPV4), 1);
  assert_int_equal(sim_dns_queries(a.s, "both.example", FLOE_FAMILY_IPV6), 1);
  sim_text_clear(&a.log);
  sim_free(a.s);
}

static void statuses_delays_and_silence(void **state) {
  (void)state;
  asker a = {.s = sim_new(1)};
  sim_dns_add(a.s, "x.example", "192.0.2.1", NULL);
  sim_dns_set(a.s, "x.example", FLOE_FAMILY_IPV4, FLOE_DNS_OK, 300);
  sim_dns_silence(a.s, "x.example", FLOE_FAMILY_IPV6);
  sim_dns_set(a.s, "y.example", FLOE_FAMILY_IPV4, FLOE_DNS_SERVFAIL, 7);
  sim_dns_resolve(a.s, "x.example", FLOE_FAMILY_IPV4, 1, on_answer, &a);
  sim_dns_resolve(a.s, "x.example", FLOE_FAMILY_IPV6, 2, on_answer, &a);
  sim_dns_resolve(a.s, "y.example", FLOE_FAMILY_IPV4, 3, on_answer, &a);
  sim_run_for(a.s, 100000);
  assert_string_equal(sim_text_of(&a.log),
                      "7.0 #3 4 status 3\n"
                      "300.0 #1 4 status 0 192.0.2.1\n");
  sim_text_clear(&a.log);
  sim_free(a.s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_per_family),
      cmocka_unit_test(statuses_delays_and_silence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
