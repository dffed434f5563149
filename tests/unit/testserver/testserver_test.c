/* The server as a whole: its time, its ports, and what it does when there is no memory. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/ts_rig.h"
#include "tls/tls_stream.h"

static ts_rig rig;

static void polling_an_idle_server(void **state) {
  (void)state;
  floe__ts_output out;
  ts_rig_init(&rig, NULL);
  for (int i = 0; i < 3; i++) {
    floe__testserver_poll(rig.ts, &out);
    assert_int_equal(out.type, FLOE__TS_WAIT);
    assert_int_equal(out.wait.at, FLOE_TIME_NEVER);
    assert_string_equal(out.wait.reason, "none");
  }
  ts_rig_clear(&rig);
}

static void time_does_not_go_back(void **state) {
  (void)state;
  ts_client c;
  ts_rig_init(&rig, NULL);
  ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  ts_rig_advance(&rig, 10000);
  (void)ts_allocate_fully(&c);
  floe_time wait = rig.wait.at;
  floe__testserver_on_timer(rig.ts, 0);
  assert_int_equal(ts_refresh(&c, 600), 0);
  assert_int_equal(rig.wait.at, wait);
  floe__testserver_on_timer(rig.ts, FLOE_TIME_NEVER - 2); /* the far end */
  ts_rig_drain(&rig);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  ts_client_clear(&c);
  ts_rig_clear(&rig);
}

/* Each port has its own script, and a client's 5-tuple includes the port. */
static void several_ports(void **state) {
  (void)state;
  ts_client a, b;
  ts_rig_init(&rig, NULL);
  ts_client_init(&a, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  ts_client_init(&b, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, "error=486"), "198.51.100.7:40000");
  assert_int_not_equal(a.listener, b.listener);
  assert_int_equal(ts_binding(&a), 0);
  assert_int_equal(ts_binding(&b), 486);
  (void)ts_allocate_fully(&a);
  ts_client_init(&b, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  (void)ts_allocate_fully(&b); /* no mismatch */
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 2);
  ts_rig_clear(&rig);
}

/* The configuration is copied, and so is a script. */
static void copies_what_it_is_given(void **state) {
  (void)state;
  ts_client c;
  char user[] = "alice", credential[] = "pass", realm[] = "realm.test", software[] = "S";
  floe__ts_config cfg = ts_rig_config();
  cfg.username = user;
  cfg.credential = credential;
  cfg.realm = realm;
  cfg.software = software;
  ts_rig_init(&rig, &cfg);
  memset(user, 'x', 5);
  memset(credential, 'x', 4);
  memset(realm, 'x', 10);
  memset(software, 'x', 1);
  memset(&cfg, 0, sizeof cfg);
  ts_client_init(&c, &rig, ts_rig_listen(&rig, FLOE_TRANSPORT_UDP, NULL), "198.51.100.7:40000");
  c.username = "alice";
  c.password = "pass";
  (void)ts_allocate_fully(&c);
  assert_string_equal(c.realm, "realm.test");
  assert_memory_equal(floe__stun_get(&c.m, FLOE__STUN_SOFTWARE).ptr, "S", 1);
  ts_client_clear(&c);
  ts_rig_clear(&rig);
}

/* --- no memory -------------------------------------------------------------------------------------------------- */

static void making_one_without_memory(void **state) {
  (void)state;
  ts_rig_init(&rig, NULL);
  floe__ts_config cfg = ts_rig_config();
  cfg.secret = "north";
  floe__testserver *ts = NULL;
  uint64_t n;
  for (n = 1; ts == NULL; n++) {
    rig.alloc.fail_at = rig.alloc.calls + n;
    ts = floe__testserver_new(rig.env, &cfg);
    assert_true(n < 100);
  }
  rig.alloc.fail_at = 0;
  assert_true(n > 8);
  floe__testserver_free(ts);
  ts_rig_clear(&rig);
}

static floe__ts_listener listen_or_not(floe_transport transport, const char *text) {
  floe__ts_script script;
  char why[200];
  size_t offset;
  floe_addr local = ts_addr("192.0.2.10:3478");
  assert_true(floe__ts_script_parse(&script, text, why, sizeof why, &offset));
  return floe__testserver_listen(rig.ts, transport, &local, &script);
}

/* A client that makes do with whatever answers come. */
static void use_all(ts_client *c) {
  floe_addr peer = ts_addr("203.0.113.5:7000");
  (void)ts_binding(c);
  if (ts_allocate(c) == 401) ts_learn(c);
  floe__stun_put_u32(ts_begin(c, FLOE__STUN_ALLOCATE), FLOE__STUN_REQUESTED_TRANSPORT, 0x11000000);
  floe__stun_put(&c->b, FLOE__STUN_EVEN_PORT, "", 1); /* one of the two clients gets an odd port first */
  (void)ts_send(c);
  (void)ts_send_again(c);
  (void)ts_permit(c, &peer);
  ts_send_data(c, &peer, "out");
  (void)ts_bind(c, 0x4000, &peer);
  for (floe__ts_relay relay = 1; relay < 4; relay++) {
    floe__testserver_on_relay_datagram(rig.ts, rig.now, relay, &peer, (floe_bytes){(const uint8_t *)"in", 2});
  }
  ts_rig_drain(&rig);
  (void)ts_refresh(c, 600);
  ts_rig_forget(&rig);
}

static void shake_hands(floe__ts_listener listener) {
  floe__testserver_on_accept(rig.ts, rig.now, listener, 9, &(floe_addr){.family = FLOE_FAMILY_IPV4});
  const floe__tls_client_config cfg = {.server_name = "localhost", .insecure = true};
  floe__tls *tls = floe__tls_client_new(rig.env, &cfg, rig.now);
  if (tls != NULL) {
    floe__tls_start(tls, rig.now);
    floe_bytes hello = floe__tls_output(tls);
    floe__testserver_on_bytes(rig.ts, rig.now, 9, hello);
    floe__tls_free(tls);
  }
  ts_rig_drain(&rig);
  ts_rig_forget(&rig);
}

static void scenario(void) {
  ts_client udp, tcp, late;
  ts_client_init(&udp, &rig, listen_or_not(FLOE_TRANSPORT_UDP, "correct"), "198.51.100.7:40000");
  ts_client_init(&late, &rig, listen_or_not(FLOE_TRANSPORT_UDP, "late=5"), "198.51.100.7:40001");
  ts_client_connect(&tcp, &rig, listen_or_not(FLOE_TRANSPORT_TCP, "correct"), 1, "198.51.100.7:40002");
  use_all(&udp);
  use_all(&tcp);
  (void)ts_binding(&late);
  ts_rig_advance(&rig, 5);
  (void)ts_receive(&late);
  (void)floe__testserver_ca_pem(rig.ts);
  shake_hands(listen_or_not(FLOE_TRANSPORT_TLS, "correct"));
  (void)ts_refresh(&udp, 0);
  floe__testserver_on_end(rig.ts, rig.now, 1);
  ts_rig_advance(&rig, 700 * 1000);
  assert_int_equal(floe__testserver_counters(rig.ts).allocations, 0);
  assert_int_equal(rig.wait.at, FLOE_TIME_NEVER);
  ts_client_clear(&udp);
  ts_client_clear(&tcp);
  ts_client_clear(&late);
}

/* Each call for memory fails once: no crash, no leak, no relay socket left open, and poll still ends. */
static void every_call_for_memory_fails_once(void **state) {
  (void)state;
  uint64_t n = 1;
  for (bool failed = true; failed; n++) {
    ts_rig_init(&rig, NULL);
    rig.alloc.fail_at = rig.alloc.calls + n;
    scenario();
    failed = rig.alloc.failed > 0;
    assert_int_equal(rig.opened, rig.closed);
    ts_rig_clear(&rig);
  }
  print_message("%llu calls\n", (unsigned long long)n);
  assert_true(n > 40);
}

static void memory_runs_out_for_good(void **state) {
  (void)state;
  for (uint64_t n = 1; n < 120; n++) {
    ts_rig_init(&rig, NULL);
    rig.alloc.fail_from = rig.alloc.calls + n;
    scenario();
    assert_int_equal(rig.opened, rig.closed);
    ts_rig_clear(&rig);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(polling_an_idle_server),
      cmocka_unit_test(time_does_not_go_back),
      cmocka_unit_test(several_ports),
      cmocka_unit_test(copies_what_it_is_given),
      cmocka_unit_test(making_one_without_memory),
      cmocka_unit_test(every_call_for_memory_fails_once),
      cmocka_unit_test(memory_runs_out_for_good),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
