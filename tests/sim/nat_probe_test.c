/* The NAT probe in every kind of NAT, with every kind of server, and with what goes wrong. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/expect.h"
#include "support/sim_dns.h"
#include "support/sim_nat_probe.h"
#include "support/sim_responder.h"
#include "support/sim_server.h"

#define SQUARE   "stun:192.0.2.1"   /* 192.0.2.1 and 192.0.2.2, ports 3478 and 3479 */
#define SQUARE_2 "stun:192.0.2.129" /* 192.0.2.129 and 192.0.2.130 likewise */
#define PLAIN    "stun:198.51.100.1"
#define PLAIN_2  "stun:198.51.100.2"
#define LIMIT_MS 60000

typedef struct net {
  sim *s;
  sim_nat *nat;
  sim_host *client;
  sim_host *square, *square_2, *plain, *plain_2;
  floe_nat_config cfg;
  const char *urls[8];
} net;

static sim_host *make_server(sim *s, const char *primary, const char *alternate) {
  sim_host *h = sim_host_new(s, primary, "eth0", primary, NULL);
  floe__ts_config cfg = {.unix_s = 1};
  sim_server *sv = sim_server_new(h, &cfg);
  floe_addr a = sim_addr(primary), b;
  char first[FLOE_ADDR_TEXT], second[FLOE_ADDR_TEXT];
  a.port = 3478;
  (void)floe_addr_format(&a, first);
  if (alternate == NULL) {
    (void)sim_server_listen(sv, FLOE_TRANSPORT_UDP, first, NULL);
    return h;
  }
  sim_host_add_address(h, "eth0", alternate);
  b = sim_addr(alternate);
  b.port = 3479;
  sim_server_listen_square(sv, first, floe_addr_format(&b, second), NULL);
  return h;
}

static void make(net *n, uint64_t seed) {
  *n = (net){.s = sim_new(seed)};
  n->client = sim_host_new(n->s, "client", "eth0", "10.0.0.1", NULL);
  n->square = make_server(n->s, "192.0.2.1", "192.0.2.2");
  n->square_2 = make_server(n->s, "192.0.2.129", "192.0.2.130");
  n->plain = make_server(n->s, "198.51.100.1", NULL);
  n->plain_2 = make_server(n->s, "198.51.100.2", NULL);
  floe_nat_config_init(&n->cfg, sizeof n->cfg);
  n->cfg.urls = n->urls;
}

static void make_natted(net *n, uint64_t seed, sim_nat_kind mapping, sim_nat_kind filtering) {
  make(n, seed);
  n->nat = sim_nat_new(n->s, "nat", "203.0.113.1", mapping, filtering);
  sim_host_behind(n->client, n->nat);
}

static void ask(net *n, const char *url) {
  n->urls[n->cfg.n_urls++] = url;
}

static sim_nat_probe *run(net *n) {
  sim_nat_probe *p = sim_nat_probe_new(n->client, &n->cfg, 0);
  sim_nat_probe_start(p);
  if (sim_nat_probe_run(p, LIMIT_MS) == NULL) sim_fail(n->s, "no result");
  return p;
}

static void finish(net *n, sim_nat_probe *p) {
  sim_run_for(n->s, 10000); /* late answers change nothing */
  sim_nat_probe_free(p);
  sim_free(n->s);
}

static void run_and_expect(net *n, const char *summary) {
  sim_nat_probe *p = run(n);
  expect_text(n->s, "result", sim_nat_probe_summary(p), summary);
  finish(n, p);
}

/* --- every NAT with every server --------------------------------------------------------------------------------- */

#define EI  SIM_ENDPOINT_INDEPENDENT
#define AD  SIM_ADDRESS_DEPENDENT
#define APD SIM_ADDRESS_AND_PORT_DEPENDENT

typedef struct kind {
  sim_nat_kind mapping, filtering;
  const char *square, *two, *one; /* what is found out with a server of RFC 5780, two others, one other */
  const char *hairpin; /* when the NAT does it: of a mapping per destination only an open filter lets it in */
} kind;

static const kind kinds[] = {
    {EI, EI, "mapping endpoint-independent certain, filtering endpoint-independent certain",
     "mapping endpoint-independent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess",
     "yes"},
    {EI, AD, "mapping endpoint-independent certain, filtering address-dependent certain",
     "mapping endpoint-independent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess",
     "yes"},
    {EI, APD, "mapping endpoint-independent certain, filtering address-and-port-dependent certain",
     "mapping endpoint-independent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess",
     "yes"},
    {AD, EI, "mapping address-dependent certain, filtering endpoint-independent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "yes"},
    {AD, AD, "mapping address-dependent certain, filtering address-dependent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "no"},
    {AD, APD, "mapping address-dependent certain, filtering address-and-port-dependent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "no"},
    {APD, EI, "mapping address-and-port-dependent certain, filtering endpoint-independent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "yes"},
    {APD, AD, "mapping address-and-port-dependent certain, filtering address-dependent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "no"},
    {APD, APD, "mapping address-and-port-dependent certain, filtering address-and-port-dependent certain",
     "mapping dependent likely, filtering unknown guess", "mapping unknown guess, filtering unknown guess", "no"},
};

static void expect_kind(const kind *k, bool hairpin, const char *first, const char *second, const char *found) {
  net n;
  char summary[200];
  make_natted(&n, 1, k->mapping, k->filtering);
  sim_nat_set_hairpin(n.nat, hairpin);
  ask(&n, first);
  if (second != NULL) ask(&n, second);
  (void)snprintf(summary, sizeof summary, "%s, hairpin %s", found, hairpin ? k->hairpin : "no");
  run_and_expect(&n, summary);
}

static void each_kind_of_nat(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    for (int hairpin = 0; hairpin < 2; hairpin++) {
      expect_kind(&kinds[i], hairpin != 0, SQUARE, NULL, kinds[i].square);
      expect_kind(&kinds[i], hairpin != 0, PLAIN, PLAIN_2, kinds[i].two);
      expect_kind(&kinds[i], hairpin != 0, PLAIN, NULL, kinds[i].one);
      expect_kind(&kinds[i], hairpin != 0, PLAIN, SQUARE, kinds[i].square);
    }
  }
}

/* The two addresses of one server as two URLs: the first socket has sent to both, the second to one only. */
static void both_addresses_of_one_server(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    expect_kind(&kinds[i], true, SQUARE, "stun:192.0.2.2:3479", kinds[i].square);
  }
}

static void no_nat(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  ask(&n, SQUARE);
  ask(&n, PLAIN);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping none certain, filtering endpoint-independent certain, hairpin not tried\n"
              "local 10.0.0.1:50000 eth0 mapped 10.0.0.1:50000 port preserved same parity\n"
              "stun:192.0.2.1 none at 192.0.2.1:3478 mapped 10.0.0.1:50000 other 192.0.2.2:3479 examined rtt 10.0\n"
              "stun:198.51.100.1 none at 198.51.100.1:3478 mapped 10.0.0.1:50000 other - rtt 10.0\n"
              "after 30.0 ms\n");
  finish(&n, p);
}

static void no_nat_and_one_plain_server(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  ask(&n, PLAIN);
  run_and_expect(&n, "mapping none likely, filtering unknown guess, hairpin not tried");
}

static void ipv6_without_nat(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, APD, APD); /* translates IPv4 only */
  sim_host_add_address(n.client, "eth0", "2001:db8::1");
  (void)make_server(n.s, "2001:db8:2::1", "2001:db8:2::2");
  n.cfg.family = FLOE_FAMILY_IPV6;
  ask(&n, "stun:[2001:db8:2::1]");
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping none certain, filtering endpoint-independent certain, hairpin not tried\n"
              "local [2001:db8::1]:50000 eth0 mapped [2001:db8::1]:50000 port preserved same parity\n"
              "stun:[2001:db8:2::1] none at [2001:db8:2::1]:3478 mapped [2001:db8::1]:50000 other "
              "[2001:db8:2::2]:3479 examined rtt 10.0\n"
              "stun:192.0.2.1 no_local_address at - mapped - other -\n"
              "after 30.0 ms\n");
  finish(&n, p);
}

/* What is sent, in its order: of the second socket nothing to anybody but the server before filtering is decided. */
static void what_is_sent(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, AD);
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping endpoint-independent certain, filtering address-dependent certain, hairpin yes\n"
              "local 10.0.0.1:50000 eth0 mapped 203.0.113.1:40000 same parity\n"
              "stun:192.0.2.1 none at 192.0.2.1:3478 mapped 203.0.113.1:40000 other 192.0.2.2:3479 examined rtt 10.0\n"
              "after 2520.0 ms\n");
  expect_text(n.s, "wire", sim_nat_probe_wire(p),
              "0.0 open 10.0.0.1\n"
              "0.0 send 10.0.0.1:50000 > 192.0.2.1:3478\n"
              "10.0 open 10.0.0.1\n"
              "10.0 send 10.0.0.1:50000 > 192.0.2.1:3479\n"
              "10.0 send 10.0.0.1:50000 > 192.0.2.2:3478\n"
              "10.0 send 10.0.0.1:50000 > 192.0.2.2:3479\n"
              "10.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "20.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n" /* other address and port */
              "20.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n" /* other port */
              "20.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "20.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "20.0 send 10.0.0.1:50000 > 203.0.113.1:40001\n"
              "20.0 send 10.0.0.1:50001 > 203.0.113.1:40000\n"
              "20.0 send 10.0.0.1:50000 > 192.0.2.2:3479\n" /* controls */
              "20.0 send 10.0.0.1:50000 > 192.0.2.1:3479\n"
              "20.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "320.0 send 10.0.0.1:50000 > 203.0.113.1:40001\n"
              "320.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "320.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "320.0 send 10.0.0.1:50000 > 192.0.2.2:3479\n"
              "320.0 send 10.0.0.1:50000 > 192.0.2.1:3479\n"
              "320.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "920.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "920.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "920.0 send 10.0.0.1:50000 > 192.0.2.2:3479\n"
              "920.0 send 10.0.0.1:50000 > 192.0.2.1:3479\n"
              "920.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "2120.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "2120.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "2120.0 send 10.0.0.1:50000 > 192.0.2.2:3479\n"
              "2120.0 send 10.0.0.1:50000 > 192.0.2.1:3479\n"
              "2120.0 send 10.0.0.1:50001 > 192.0.2.1:3478\n"
              "2520.0 close 10.0.0.1:50001\n"
              "2520.0 close 10.0.0.1:50000\n");
  finish(&n, p);
}

/* --- NATs that RFC 4787 does not draw up ------------------------------------------------------------------------- */

static void a_nat_behind_a_nat(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, APD);
  sim_nat *carrier = sim_nat_new(n.s, "carrier", "203.0.113.9", APD, EI);
  sim_nat *home = sim_nat_new(n.s, "home", "100.64.0.2", EI, APD);
  sim_nat_behind(home, carrier);
  sim_host_behind(n.client, home);
  ask(&n, SQUARE);
  run_and_expect(
      &n, "mapping address-and-port-dependent certain, filtering address-and-port-dependent certain, hairpin no");
}

static void forget_mappings(void *user, void *payload) {
  (void)payload;
  sim_nat_rebind(user, NULL);
}

/* The NAT loses its state between the first answer and the others: no kind of NAT, so nothing is certain. */
static void a_nat_that_restarts(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  ask(&n, SQUARE);
  sim_at(n.s, 7 * FLOE_MS, forget_mappings, n.nat, NULL); /* the first answer is on its way, and finds no mapping */
  sim_at(n.s, 312 * FLOE_MS, forget_mappings, n.nat, NULL);
  sim_nat_probe *p = run(&n);
  const char *summary = sim_nat_probe_summary(p);
  assert_null(strstr(summary, "mapping endpoint-independent certain"));
  assert_null(strstr(summary, "dependent certain, filtering"));
  finish(&n, p);
}

/* --- servers that answer half ------------------------------------------------------------------------------------ */

typedef struct half {
  const char *dead[2]; /* what is sent there is lost */
  const char *summary; /* EI mapping, AD filtering */
} half;

static void servers_with_a_dead_end(void **state) {
  (void)state;
  static const half rows[] = {
      /* The answer of test II comes from an address that nobody was heard from: it may as well be off. */
      {{"192.0.2.2:3479"}, "mapping endpoint-independent likely, filtering address-dependent guess, hairpin yes"},
      {{"192.0.2.2:3478"}, "mapping endpoint-independent likely, filtering address-dependent certain, hairpin yes"},
      {{"192.0.2.1:3479"}, /* test III was answered from there: it is heard, though it does not hear */
       "mapping endpoint-independent likely, filtering address-dependent likely, hairpin yes"},
      {{"192.0.2.2:3478", "192.0.2.2:3479"}, "mapping unknown guess, filtering address-dependent guess, hairpin yes"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    net n;
    make_natted(&n, 1, EI, AD);
    for (size_t k = 0; k < 2 && rows[i].dead[k] != NULL; k++) sim_drop(n.s, rows[i].dead[k]);
    ask(&n, SQUARE);
    run_and_expect(&n, rows[i].summary);
  }
}

/* The way back is closed at the server's side: its other address never says anything. */
static void an_alternate_that_may_not_speak(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_rule_add(n.s, &(sim_rule){.from = n.square, .source = sim_addr("192.0.2.2"), .action = SIM_DROP});
  ask(&n, SQUARE);
  run_and_expect(&n, "mapping unknown guess, filtering address-dependent guess, hairpin yes");
}

/* A second server of RFC 5780 makes up for the first one's dead end. */
static void a_second_server_helps_out(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, APD);
  sim_rule_add(n.s, &(sim_rule){.from = n.square, .source = sim_addr("192.0.2.2"), .action = SIM_DROP});
  ask(&n, SQUARE);
  ask(&n, SQUARE_2);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_summary(p),
              "mapping endpoint-independent certain, filtering address-and-port-dependent certain, hairpin yes");
  assert_non_null(strstr(sim_nat_probe_text(p), "192.0.2.130:3479 examined"));
  finish(&n, p);
}

/* --- servers that answer wrongly --------------------------------------------------------------------------------- */

static const char *told_other; /* OTHER-ADDRESS of the responders */

static void respond_with_other(sim_responder *r, const floe__stun_msg *request, uint32_t count) {
  (void)count;
  floe_addr other = sim_addr(told_other);
  floe__stun_builder *b = sim_responder_begin(r, request, FLOE__STUN_SUCCESS);
  floe__stun_put_xor_addr(b, FLOE__STUN_XOR_MAPPED_ADDRESS, &r->from);
  floe__stun_put_addr(b, FLOE__STUN_OTHER_ADDRESS, &other);
  sim_responder_send(r);
}

/* Addresses that cannot be another address and port of this server: it counts as one without. */
static void useless_other_addresses(void **state) {
  (void)state;
  static const char *const useless[] = {"192.0.2.77:3479", "192.0.2.78:3478", "0.0.0.0:3479",
                                        "10.1.1.1:3479",   "192.0.2.78",      "[2001:db8::1]:3479"};
  for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++) {
    net n;
    make_natted(&n, 1, EI, EI);
    sim_host *h = sim_host_new(n.s, "odd", "eth0", "192.0.2.77", NULL);
    (void)sim_responder_udp(h, "192.0.2.77:3478", respond_with_other);
    told_other = useless[i];
    ask(&n, "stun:192.0.2.77");
    sim_nat_probe *p = run(&n);
    expect_text(n.s, "result", sim_nat_probe_summary(p), "mapping unknown guess, filtering unknown guess, hairpin yes");
    assert_non_null(strstr(sim_nat_probe_text(p), " other - "));
    finish(&n, p);
  }
}

/* It tells another address and answers from where it was asked, whatever CHANGE-REQUEST says: no wrong "open". */
static void change_request_is_ignored(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, APD);
  sim_host *h = sim_host_new(n.s, "odd", "eth0", "192.0.2.77", "eth0", "192.0.2.78", NULL);
  static const char *const ends[] = {"192.0.2.77:3478", "192.0.2.77:3479", "192.0.2.78:3478", "192.0.2.78:3479"};
  for (size_t i = 0; i < 4; i++) (void)sim_responder_udp(h, ends[i], respond_with_other);
  told_other = "192.0.2.78:3479";
  ask(&n, "stun:192.0.2.77");
  run_and_expect(&n, "mapping endpoint-independent certain, filtering unknown guess, hairpin yes");
}

static void respond_with_420(sim_responder *r, const floe__stun_msg *request, uint32_t count) {
  if (!floe__stun_has(request, FLOE__STUN_CHANGE_REQUEST)) {
    respond_with_other(r, request, count);
    return;
  }
  sim_responder_error(r, request, 420, "Unknown Attribute");
  sim_responder_send(r);
}

static void change_request_is_refused(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, APD);
  sim_host *h = sim_host_new(n.s, "odd", "eth0", "192.0.2.77", "eth0", "192.0.2.78", NULL);
  static const char *const ends[] = {"192.0.2.77:3478", "192.0.2.77:3479", "192.0.2.78:3478", "192.0.2.78:3479"};
  for (size_t i = 0; i < 4; i++) (void)sim_responder_udp(h, ends[i], respond_with_420);
  told_other = "192.0.2.78:3479";
  ask(&n, "stun:192.0.2.77");
  run_and_expect(&n, "mapping endpoint-independent certain, filtering unknown guess, hairpin yes");
}

static void respond_in_the_old_way(sim_responder *r, const floe__stun_msg *request, uint32_t count) {
  (void)count;
  floe__stun_builder *b = sim_responder_begin(r, request, FLOE__STUN_SUCCESS);
  floe__stun_put_addr(b, FLOE__STUN_MAPPED_ADDRESS, &r->from);
  sim_responder_send(r);
}

static void a_server_of_rfc_3489(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_host *h = sim_host_new(n.s, "old", "eth0", "192.0.2.77", NULL);
  (void)sim_responder_udp(h, "192.0.2.77:3478", respond_in_the_old_way);
  ask(&n, "stun:192.0.2.77");
  ask(&n, PLAIN);
  run_and_expect(&n, "mapping endpoint-independent likely, filtering unknown guess, hairpin yes");
}

static void respond_without_address(sim_responder *r, const floe__stun_msg *request, uint32_t count) {
  (void)count;
  (void)sim_responder_begin(r, request, FLOE__STUN_SUCCESS);
  sim_responder_send(r);
}

static void respond_with_500(sim_responder *r, const floe__stun_msg *request, uint32_t count) {
  (void)count;
  sim_responder_error(r, request, 500, "Server Error");
  sim_responder_send(r);
}

static void servers_that_are_of_no_use(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_host *h = sim_host_new(n.s, "odd", "eth0", "192.0.2.77", NULL);
  (void)sim_responder_udp(h, "192.0.2.77:1", respond_without_address);
  (void)sim_responder_udp(h, "192.0.2.77:2", respond_with_500);
  ask(&n, "stun:192.0.2.77:1");
  ask(&n, "stun:192.0.2.77:2");
  ask(&n, "stun:192.0.2.77:3"); /* nobody listens: ICMP */
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping unknown guess, filtering unknown guess, hairpin not tried\n"
              "local 10.0.0.1:50000 eth0 mapped -\n"
              "stun:192.0.2.77:1 malformed_response at 192.0.2.77:1 mapped - other -\n"
              "stun:192.0.2.77:2 stun_error at 192.0.2.77:2 mapped - other -\n"
              "stun:192.0.2.77:3 port_unreachable at 192.0.2.77:3 mapped - other -\n"
              "after 10.0 ms\n");
  finish(&n, p);
}

/* --- the network fails ------------------------------------------------------------------------------------------- */

static void no_answers(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_nat_block_udp(n.nat, true);
  ask(&n, SQUARE);
  ask(&n, PLAIN);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping unknown guess, filtering unknown guess, hairpin not tried\n"
              "local 10.0.0.1:50000 eth0 mapped -\n"
              "stun:192.0.2.1 udp_timeout at 192.0.2.1:3478 mapped - other -\n"
              "stun:198.51.100.1 udp_timeout at 198.51.100.1:3478 mapped - other -\n"
              "after 2500.0 ms\n");
  finish(&n, p);
}

static void no_interface(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  sim_host_remove_address(n.client, "10.0.0.1");
  ask(&n, SQUARE);
  ask(&n, "stun:stun.example.org");
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping unknown guess, filtering unknown guess, hairpin not tried\n"
              "local -  mapped -\n"
              "stun:192.0.2.1 no_local_address at - mapped - other -\n"
              "stun:stun.example.org dns_nxdomain at - mapped - other -\n"
              "after 10.0 ms\n");
  finish(&n, p);
}

static void no_such_interface(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  n.cfg.interface = "eth7";
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping unknown guess, filtering unknown guess, hairpin not tried\n"
              "local -  mapped -\n"
              "stun:192.0.2.1 no_local_address at - mapped - other -\n"
              "after 0.0 ms\n");
  finish(&n, p);
}

static void the_interface_that_was_named(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  sim_host_add_address(n.client, "wlan0", "10.0.7.1");
  n.cfg.interface = "wlan0";
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  assert_non_null(strstr(sim_nat_probe_text(p), "local 10.0.7.1:50000 wlan0 mapped 10.0.7.1:50000"));
  finish(&n, p);
}

/* The first address has no way out: the second is taken, at once when the system says so. */
static void the_address_that_has_a_route(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  sim_host_remove_address(n.client, "10.0.0.1");
  sim_host_add_address(n.client, "eth1", "172.17.0.1");
  sim_host_add_address(n.client, "eth0", "10.0.0.1");
  sim_rule_add(n.s, &(sim_rule){.source = sim_addr("172.17.0.1"), .action = SIM_FAIL_SEND, .error = FLOE_NET_DENIED});
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  assert_non_null(strstr(sim_nat_probe_text(p), "mapping none certain"));
  assert_non_null(strstr(sim_nat_probe_text(p), "local 10.0.0.1:50001 eth0"));
  assert_non_null(strstr(sim_nat_probe_text(p), "after 30.0 ms"));
  finish(&n, p);
}

static void sockets_cannot_be_opened(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  sim_host_fail_binds(n.client, FLOE_NET_NO_RESOURCES, 0);
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  assert_non_null(strstr(sim_nat_probe_text(p), "stun:192.0.2.1 socket_failed at - mapped"));
  finish(&n, p);
}

/* Mapping is known without the second socket; filtering and hairpin are not. */
static void the_second_socket_cannot_be_opened(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, AD, EI);
  ask(&n, SQUARE);
  sim_nat_probe *p = sim_nat_probe_new(n.client, &n.cfg, 0);
  sim_nat_probe_start(p);
  sim_run_for(n.s, 1);
  sim_host_fail_binds(n.client, FLOE_NET_NO_RESOURCES, 0);
  assert_non_null(sim_nat_probe_run(p, LIMIT_MS));
  expect_text(n.s, "result", sim_nat_probe_summary(p),
              "mapping address-dependent certain, filtering unknown guess, hairpin not tried");
  finish(&n, p);
}

static void a_loopback_server(void **state) {
  (void)state;
  net n;
  make(&n, 1);
  floe__ts_config cfg = {.unix_s = 1};
  sim_host_add_address(n.client, "lo", "127.0.0.2");
  sim_server_listen_square(sim_server_new(n.client, &cfg), "127.0.0.1:3478", "127.0.0.2:3479", NULL);
  ask(&n, "stun:127.0.0.1");
  run_and_expect(&n, "mapping none certain, filtering endpoint-independent certain, hairpin not tried");
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static void names(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_dns_add(n.s, "good.example.org", "192.0.2.1", NULL);
  sim_dns_add(n.s, "six.example.org", "2001:db8::5", NULL);
  sim_dns_set(n.s, "broken.example.org", FLOE_FAMILY_IPV4, FLOE_DNS_SERVFAIL, 10);
  sim_dns_silence(n.s, "silent.example.org", FLOE_FAMILY_IPV4);
  ask(&n, "stun:missing.example.org");
  ask(&n, "stun:six.example.org");
  ask(&n, "stun:broken.example.org");
  ask(&n, "stun:silent.example.org");
  ask(&n, "stun:good.example.org:3478");
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_text(p),
              "mapping endpoint-independent certain, filtering endpoint-independent certain, hairpin yes\n"
              "local 10.0.0.1:50000 eth0 mapped 203.0.113.1:40000 same parity\n"
              "stun:missing.example.org dns_nxdomain at - mapped - other -\n"
              "stun:six.example.org dns_nodata at - mapped - other -\n"
              "stun:broken.example.org dns_servfail at - mapped - other -\n"
              "stun:silent.example.org dns_timeout at - mapped - other -\n"
              "stun:good.example.org:3478 none at 192.0.2.1:3478 mapped 203.0.113.1:40000 other 192.0.2.2:3479 "
              "examined rtt 10.0\n"
              "after 4030.0 ms\n");
  finish(&n, p);
}

/* Two addresses of one name are two servers to compare; the first that answers is the one that is told. */
static void a_name_with_two_addresses(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, APD, EI);
  sim_dns_add(n.s, "two.example.org", "198.51.100.2", "198.51.100.1", NULL);
  ask(&n, "stun:two.example.org");
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_summary(p),
              "mapping dependent likely, filtering unknown guess, hairpin yes");
  finish(&n, p);
}

static void a_name_whose_first_address_is_dead(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, EI);
  sim_dns_add(n.s, "two.example.org", "198.51.100.99", "198.51.100.1", NULL);
  ask(&n, "stun:two.example.org");
  sim_nat_probe *p = run(&n);
  assert_non_null(strstr(sim_nat_probe_text(p), "stun:two.example.org none at 198.51.100.1:3478 mapped"));
  finish(&n, p);
}

/* --- loss -------------------------------------------------------------------------------------------------------- */

static bool claims_certain(const floe_nat_result *r, const kind *k) {
  static const floe_nat_behaviour behaviours[] = {[EI] = FLOE_NAT_ENDPOINT_INDEPENDENT,
                                                  [AD] = FLOE_NAT_ADDRESS_DEPENDENT,
                                                  [APD] = FLOE_NAT_ADDRESS_AND_PORT_DEPENDENT};
  bool mapping = r->mapping_certainty == FLOE_NAT_CERTAIN && r->mapping != behaviours[k->mapping];
  bool filtering = r->filtering_certainty == FLOE_NAT_CERTAIN && r->filtering != behaviours[k->filtering];
  return mapping || filtering;
}

static void lossy_run(uint64_t seed, uint32_t loss, const kind *k, unsigned *certain) {
  net n;
  make_natted(&n, seed, k->mapping, k->filtering);
  sim_path_default(n.s,
                   &(sim_path){.delay_us = 20000, .jitter_us = 30000, .loss = loss, .duplicate = 50, .reorder = 50});
  ask(&n, SQUARE);
  ask(&n, PLAIN);
  sim_nat_probe *p = sim_nat_probe_new(n.client, &n.cfg, 0);
  sim_nat_probe_start(p);
  const floe_nat_result *r = sim_nat_probe_run(p, LIMIT_MS);
  if (r == NULL) sim_fail(n.s, "no result");
  if (claims_certain(r, k)) sim_fail(n.s, "wrong and certain with a loss of %u: %s", loss, sim_nat_probe_text(p));
  if (r->filtering_certainty == FLOE_NAT_CERTAIN) (*certain)++;
  finish(&n, p);
}

/* Whatever is lost, nothing wrong is called certain; and without loss everything is. */
static void loss_is_never_certain_and_wrong(void **state) {
  (void)state;
  static const uint32_t losses[] = {0, 50, 150, 300, 450};
  unsigned certain[sizeof losses / sizeof losses[0]] = {0};
  for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
      for (size_t k = 0; k < 9; k++) lossy_run(seed, losses[i], &kinds[k], &certain[i]);
    }
  }
  assert_int_equal(certain[0], 108);
  assert_in_range(certain[1], certain[4] + 1, 107);
}

/* One lost request beside the tests is enough for doubt. */
static void one_lost_packet(void **state) {
  (void)state;
  net n;
  make_natted(&n, 1, EI, APD);
  /* To 192.0.2.2:3479: first the mapping, then one with each transmission of the tests. */
  sim_rule_add(n.s, &(sim_rule){.to = sim_addr("192.0.2.2:3479"), .action = SIM_DROP, .skip = 2, .times = 1});
  ask(&n, SQUARE);
  sim_nat_probe *p = run(&n);
  expect_text(n.s, "result", sim_nat_probe_summary(p),
              "mapping endpoint-independent certain, filtering address-and-port-dependent likely, hairpin yes");
  assert_non_null(strstr(sim_nat_probe_text(p), "same parity loss\n"));
  finish(&n, p);
}

/* --- memory and strange inputs ----------------------------------------------------------------------------------- */

static uint64_t run_with_failing_memory(uint64_t fail_at) {
  net n;
  make_natted(&n, 1, EI, APD);
  sim_dns_add(n.s, "good.example.org", "192.0.2.1", NULL);
  n.cfg.interface = "eth0";
  ask(&n, "stun:good.example.org");
  ask(&n, PLAIN);
  sim_nat_probe *p = sim_nat_probe_new(n.client, &n.cfg, fail_at);
  sim_nat_probe_start(p);
  const floe_nat_result *r = sim_nat_probe_run(p, LIMIT_MS);
  if (r != NULL && claims_certain(r, &kinds[2])) sim_fail(n.s, "wrong and certain without memory");
  uint64_t calls = sim_nat_probe_allocations(p);
  finish(&n, p);
  return calls;
}

static void memory_fails_anywhere(void **state) {
  (void)state;
  uint64_t calls = run_with_failing_memory(0);
  assert_in_range(calls, 20, 1000);
  for (uint64_t i = 1; i <= calls; i++) (void)run_with_failing_memory(i);
}

static void inputs_that_nobody_asked_for(void **state) {
  (void)state;
  net n;
  static const uint8_t garbage[] = {0, 1, 2, 3};
  make_natted(&n, 1, EI, EI);
  ask(&n, SQUARE);
  sim_nat_probe *p = sim_nat_probe_new(n.client, &n.cfg, 0);
  for (int round = 0; round < 3; round++) {
    for (int type = FLOE_INPUT_TIMER; type <= FLOE_INPUT_SOCKET_ACCEPTED; type++) {
      for (floe_sock_id sock = 0; sock < 4; sock++) {
        floe_input in = {.type = (floe_input_type)type, .sock = sock + 10, .req = sock, .family = FLOE_FAMILY_IPV4};
        in.data = (floe_bytes){garbage, sizeof garbage};
        in.addr = sim_addr("192.0.2.50:3478");
        if (type == FLOE_INPUT_INTERFACES && round == 1) continue; /* would be the answer */
        sim_nat_probe_feed(p, &in);
      }
    }
    if (round == 0) sim_nat_probe_start(p);
    if (round == 1) sim_run_for(n.s, 15);
  }
  assert_non_null(sim_nat_probe_run(p, LIMIT_MS));
  expect_text(n.s, "result", sim_nat_probe_summary(p),
              "mapping endpoint-independent certain, filtering endpoint-independent certain, hairpin yes");
  sim_nat_probe_start(p); /* a second start is nothing */
  finish(&n, p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_of_nat),
      cmocka_unit_test(both_addresses_of_one_server),
      cmocka_unit_test(no_nat),
      cmocka_unit_test(no_nat_and_one_plain_server),
      cmocka_unit_test(ipv6_without_nat),
      cmocka_unit_test(what_is_sent),
      cmocka_unit_test(a_nat_behind_a_nat),
      cmocka_unit_test(a_nat_that_restarts),
      cmocka_unit_test(servers_with_a_dead_end),
      cmocka_unit_test(an_alternate_that_may_not_speak),
      cmocka_unit_test(a_second_server_helps_out),
      cmocka_unit_test(useless_other_addresses),
      cmocka_unit_test(change_request_is_ignored),
      cmocka_unit_test(change_request_is_refused),
      cmocka_unit_test(a_server_of_rfc_3489),
      cmocka_unit_test(servers_that_are_of_no_use),
      cmocka_unit_test(no_answers),
      cmocka_unit_test(no_interface),
      cmocka_unit_test(no_such_interface),
      cmocka_unit_test(the_interface_that_was_named),
      cmocka_unit_test(the_address_that_has_a_route),
      cmocka_unit_test(sockets_cannot_be_opened),
      cmocka_unit_test(the_second_socket_cannot_be_opened),
      cmocka_unit_test(a_loopback_server),
      cmocka_unit_test(names),
      cmocka_unit_test(a_name_with_two_addresses),
      cmocka_unit_test(a_name_whose_first_address_is_dead),
      cmocka_unit_test(loss_is_never_certain_and_wrong),
      cmocka_unit_test(one_lost_packet),
      cmocka_unit_test(memory_fails_anywhere),
      cmocka_unit_test(inputs_that_nobody_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
