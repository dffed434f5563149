/* floe/mdns.h in worlds that mean harm or have no memory: whatever comes in and whatever fails, each question is
 * decided once, nothing spins, nothing leaks. */
#include <stdio.h>
#include <string.h>

#include "support/mdns_hub.h"

#define SEED 20240612

#define V4 FLOE_FAMILY_IPV4
#define V6 FLOE_FAMILY_IPV6

#define N_NAMES 12

/* ---- bytes of any kind ---- */

/* A message that makes some sense, most of the time. */
static size_t make_message(hub *h, uint8_t *out, size_t cap) {
  static const char *const parts[] = {"\x02n0\x05local", "\x02n1\x05local", "\x05local", "\xc0\x0c",
                                      "\xc0\x10",        "\x01x",           "\xff\xff",  "\x3f"};
  static const uint8_t types[] = {1, 28, 47, 255, 16};
  size_t len = 12;
  memset(out, 0, cap);
  out[2] = (uint8_t)(sim_random_below(h->s, 2) << 7 | (sim_chance(h->s, 50) ? 8 : 0));
  out[5] = (uint8_t)sim_random_below(h->s, 3);
  out[7] = (uint8_t)sim_random_below(h->s, 4);
  out[11] = (uint8_t)sim_random_below(h->s, 2);
  for (unsigned i = 0; i < 12u && len + 64 < cap; i++) {
    const char *part = parts[sim_random_below(h->s, 8)];
    memcpy(out + len, part, strlen(part));
    len += strlen(part) + (part[0] == (char)0xc0 ? 0 : 1);
    out[len + 1] = types[sim_random_below(h->s, 5)];
    out[len + 2] = (uint8_t)(sim_random_below(h->s, 2) << 7);
    out[len + 3] = 1;
    len += 4;
    if (i < out[5]) continue;
    out[len + 3] = (uint8_t)sim_random_below(h->s, 130);
    out[len + 5] = sim_chance(h->s, 500) ? 4 : 16;
    for (size_t k = 0; k < 16; k++) out[len + 6 + k] = (uint8_t)sim_random(h->s);
    len += 6 + (size_t)out[len + 5];
  }
  for (uint32_t i = sim_random_below(h->s, 3); i > 0; i--) {
    out[sim_random_below(h->s, (uint32_t)len)] = (uint8_t)sim_random(h->s);
  }
  return sim_chance(h->s, 300) ? sim_random_below(h->s, (uint32_t)len) : len;
}

static void inject_some(hub *h) {
  static const char *const from[] = {"192.0.2.66:5353", "192.0.2.66:99", "[fe80::66]:5353", "[fe80::66]:1",
                                     "0.0.0.0:0"};
  uint8_t bytes[1200];
  size_t len = make_message(h, bytes, sizeof bytes);
  floe_addr addr = hub_addr(from[sim_random_below(h->s, 5)]);
  hub_inject(h->hosts[sim_random_below(h->s, (uint32_t)h->n_hosts)], 1, (floe_family)addr.family, &addr, bytes, len);
}

static void any_bytes_are_survived(void **state) {
  (void)state;
  hub *h = hub_new(SEED);
  hub_host *a = hub_host_new(h, "192.0.2.1", "fe80::1");
  hub_register(a, "n0.local", "192.0.2.1");
  for (int round = 0; round < 300; round++) {
    uint32_t q4 = hub_resolve(a, "n1.local", V4), q6 = hub_resolve(a, "n1.local", V6);
    for (int i = 0; i < 60; i++) {
      inject_some(h);
      sim_run_for(h->s, 20);
    }
    sim_run_for(h->s, 3000);
    (void)hub_result(a, q4);
    (void)hub_result(a, q6);
    hub_assert_resolved(a, hub_resolve(a, "n0.local", V4), "192.0.2.1");
    hub_forget(h);
  }
  hub_free(h);
}

/* One answer a second is all that a flood gets out of a name. */
static void a_flood_of_questions_gets_few_answers(void **state) {
  (void)state;
  hub *h = hub_new(SEED);
  hub_host *a = hub_host_new(h, "192.0.2.1", NULL);
  floe_addr from = hub_addr("192.0.2.66:5353");
  hub_register(a, "n0.local", "192.0.2.1");
  sim_run_for(h->s, 5000);
  hub_forget(h);
  for (int i = 0; i < 10000; i++) {
    hub_inject(a, 1, V4, &from, "\0\0\0\0\0\x01\0\0\0\0\0\0\x02n0\x05local\0\0\x01\0\x01", 26);
    sim_run_for(h->s, 1);
  }
  assert_in_range(hub_count(h, a, 1, V4), 10, 11);
  hub_free(h);
}

/* ---- worlds ---- */

typedef struct random_world {
  hub *h;
  char names[N_NAMES][16];
  hub_host *owners[N_NAMES]; /* NULL: nobody has it now */
  char ips[N_NAMES][16];
} random_world;

static void change_a_name(random_world *w) {
  uint32_t i = sim_random_below(w->h->s, N_NAMES);
  uint32_t k = sim_random_below(w->h->s, (uint32_t)w->h->n_hosts);
  if (w->owners[i] != NULL) {
    hub_unregister(w->owners[i], w->names[i]);
    w->owners[i] = NULL;
  } else {
    (void)snprintf(w->ips[i], sizeof w->ips[i], sim_chance(w->h->s, 500) ? "192.0.2.%u" : "fe80::%u", (unsigned)k + 1);
    hub_register(w->h->hosts[k], w->names[i], w->ips[i]);
    w->owners[i] = w->h->hosts[k];
  }
}

static void ask_for_a_name(random_world *w) {
  hub_host *host = w->h->hosts[sim_random_below(w->h->s, (uint32_t)w->h->n_hosts)];
  uint32_t q = hub_resolve(host, w->names[sim_random_below(w->h->s, N_NAMES)], sim_chance(w->h->s, 500) ? V4 : V6);
  if (!sim_chance(w->h->s, 100)) return;
  floe_mdns_cancel(host->mdns, q);
  hub_drain(host);
}

static void change_the_interfaces(random_world *w) {
  hub_host *host = w->h->hosts[sim_random_below(w->h->s, (uint32_t)w->h->n_hosts)];
  size_t n = host->n_ifaces;
  host->n_ifaces = 0;
  hub_tell_interfaces(host);
  host->n_ifaces = n;
  hub_tell_interfaces(host);
}

/* What was answered is true of some time not long ago: exact when there is time and no loss. */
static void assert_names_are_found(random_world *w) {
  w->h->loss_permille = 0;
  sim_run_for(w->h->s, 10000);
  for (size_t i = 0; i < N_NAMES; i++) {
    for (size_t k = 0; k < w->h->n_hosts; k++) {
      hub_host *host = w->h->hosts[k];
      uint32_t q4 = hub_resolve(host, w->names[i], V4), q6 = hub_resolve(host, w->names[i], V6);
      sim_run_for(w->h->s, 5000);
      bool is_ipv4 = strchr(w->ips[i], '.') != NULL;
      if (w->owners[i] == NULL) {
        hub_assert_status(host, q4, FLOE_DNS_TIMEOUT);
        hub_assert_status(host, q6, FLOE_DNS_TIMEOUT);
        continue;
      }
      char scoped[24];
      (void)snprintf(scoped, sizeof scoped, is_ipv4 ? "%s" : "%s%%1", w->ips[i]);
      hub_assert_resolved(host, is_ipv4 ? q4 : q6, scoped);
      hub_assert_status(host, is_ipv4 ? q6 : q4, FLOE_DNS_NODATA);
    }
  }
}

static void run_world(uint64_t seed) {
  static random_world w;
  memset(&w, 0, sizeof w);
  w.h = hub_new(seed);
  w.h->loss_permille = sim_random_below(w.h->s, 500);
  w.h->twice_permille = sim_random_below(w.h->s, 300);
  w.h->late_permille = sim_random_below(w.h->s, 300);
  (void)hub_host_new(w.h, "192.0.2.1", "fe80::1");
  (void)hub_host_new(w.h, "192.0.2.2", "fe80::2");
  (void)hub_host_new(w.h, "192.0.2.3", "fe80::3");
  for (unsigned i = 0; i < N_NAMES; i++) (void)snprintf(w.names[i], sizeof w.names[i], "w%u.local", i);
  for (int step = 0; step < 300; step++) {
    switch (sim_random_below(w.h->s, 8)) {
      case 0:
      case 1: change_a_name(&w); break;
      case 2: inject_some(w.h); break;
      case 3:
        if (sim_chance(w.h->s, 100)) change_the_interfaces(&w);
        break;
      default: ask_for_a_name(&w); break;
    }
    sim_run_for(w.h->s, sim_random_below(w.h->s, 100));
  }
  assert_names_are_found(&w);
  for (size_t i = 0; i < N_NAMES; i++) {
    if (w.owners[i] != NULL) hub_unregister(w.owners[i], w.names[i]);
  }
  for (size_t k = 0; k < w.h->n_hosts; k++) {
    assert_int_equal(hub_n_open(w.h->hosts[k]), 0);
    assert_int_equal(w.h->hosts[k]->wait_until, FLOE_TIME_NEVER);
    assert_int_equal(w.h->hosts[k]->n_opens, w.h->hosts[k]->n_closes);
  }
  hub_free(w.h);
}

static void random_worlds_settle(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 20; i++) {
    print_message("seed %llu\n", (unsigned long long)(SEED + i));
    run_world(SEED + i);
  }
}

/* ---- no memory ---- */

/* Runs with an allocation that fails; returns whether one did. */
static bool run_without_memory(uint64_t fail_at, uint64_t fail_from) {
  hub *h = hub_new(SEED);
  hub_host *b = hub_host_new(h, "192.0.2.2", "fe80::2");
  hub_register(b, "n1.local", "192.0.2.2");
  sim_env *env = sim_env_new_failing(h->s, 9, fail_at, fail_from);
  hub_host *a = hub_host_new_with(h, NULL, env);
  floe_addr addr = hub_addr("192.0.2.1");
  uint32_t q[3] = {0};
  size_t n_asked = 0;
  if (a->mdns != NULL) {
    hub_add_interface(a, 1, "192.0.2.1");
    hub_add_interface(a, 1, "fe80::1");
    floe_status st = floe_mdns_set_interfaces(a->mdns, sim_now(h->s), a->ifaces, a->n_ifaces);
    assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
    st = floe_mdns_register(a->mdns, sim_now(h->s), "n0.local", &addr);
    assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
    static const char *const names[] = {"n1.local", "n2.local", "n0.local"};
    for (size_t i = 0; i < 3; i++) {
      st = floe_mdns_resolve(a->mdns, sim_now(h->s), names[i], V4, &q[n_asked]);
      assert_true(st == FLOE_OK || st == FLOE_E_NOMEM);
      if (st == FLOE_OK) n_asked++;
    }
    hub_drain(a);
    sim_run_for(h->s, 5000);
    floe_mdns_unregister(a->mdns, sim_now(h->s), "n0.local");
    hub_drain(a);
    assert_int_equal(hub_n_open(a), 0);
  }
  for (size_t i = 0; i < n_asked; i++) (void)hub_result(a, q[i]);
  assert_int_equal(a->n_resolved, n_asked);
  bool has_failed = env->alloc.failed > 0;
  hub_free(h);
  return has_failed;
}

static void memory_may_run_out_at_any_call(void **state) {
  (void)state;
  uint64_t n = 1;
  while (run_without_memory(n, 0)) n++;
  assert_in_range(n, 15, 200);
  for (uint64_t i = 1; i <= n; i++) (void)run_without_memory(0, i);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_bytes_are_survived),
      cmocka_unit_test(a_flood_of_questions_gets_few_answers),
      cmocka_unit_test(random_worlds_settle),
      cmocka_unit_test(memory_may_run_out_at_any_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
