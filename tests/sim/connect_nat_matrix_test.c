/* Every pair of NAT behaviours (RFC 4787 4.1 and 5) with and without TURN: which connect, and how, exactly as the rule
 * below says. The table is kept in docs/nat-matrix.md, and compared here; FLOE_NAT_MATRIX=path writes it anew
 * (tools/nat-matrix.sh). */
#include <stdlib.h>

#include "support/peers.h"
#include "support/sim_text.h"

#define N_KINDS   3
#define N_NATS    (N_KINDS * N_KINDS)
#define N_SERVERS 3

typedef struct nat_kind {
  sim_nat_kind mapping, filtering;
} nat_kind;

typedef enum servers { STUN_ONLY, TURN_UDP, TURN_TCP } servers;

typedef enum result { NOTHING, RELAYED, DIRECT } result;

static nat_kind kind_of(int i) {
  return (nat_kind){(sim_nat_kind)(i / N_KINDS), (sim_nat_kind)(i % N_KINDS)};
}

/* --- the rule -------------------------------------------------------------------------------------------------------
 */

/* The theory, worked out from what mapping and filtering mean.
 *
 * Each side tells its mapped address as the STUN server saw it: m(A), m(B). A NAT with endpoint-independent mapping
 * sends from that address to everybody. Any other one sends from another port, which the peer does not know: it has to
 * learn it from a check that gets through (a peer-reflexive candidate).
 *
 * Both endpoint-independent: both send between m(A) and m(B), so each filter has seen what it needs.
 *
 * One endpoint-independent (A), the other (B) not: B's checks come to m(A) from a port that A has not sent to. They get
 * in unless A's NAT filters by port. Once in, A answers to that port and all is well. Nothing that A sends to m(B) can
 * help: the answer comes from elsewhere.
 *
 * Neither: each sends to the other's told address from an untold port. Such a check gets in only where filtering is
 * endpoint-independent, for the told mapping was used for the STUN server alone. Say B's is: B learns A's port and
 * answers with a check from its own untold port, which gets in at A unless A filters by port. Then A knows B's port and
 * sends there. If A's mapping depends on the port, that is from yet another port, but then B's stays the same for all
 * of A's ports unless B's mapping depends on the port as well: then each new destination is a new port for ever. The
 * port that A uses last must get in at B: it comes from an address that B has sent to, and B's filtering is
 * endpoint-independent here. */
static bool learns(nat_kind learner, nat_kind other) {
  return learner.filtering == SIM_ENDPOINT_INDEPENDENT && other.filtering != SIM_ADDRESS_AND_PORT_DEPENDENT;
}

static bool connects_directly(nat_kind a, nat_kind b) {
  bool a_is_fixed = a.mapping == SIM_ENDPOINT_INDEPENDENT, b_is_fixed = b.mapping == SIM_ENDPOINT_INDEPENDENT;
  if (a_is_fixed && b_is_fixed) return true;
  if (a_is_fixed) return a.filtering != SIM_ADDRESS_AND_PORT_DEPENDENT;
  if (b_is_fixed) return b.filtering != SIM_ADDRESS_AND_PORT_DEPENDENT;
  if (a.mapping == SIM_ADDRESS_AND_PORT_DEPENDENT && b.mapping == SIM_ADDRESS_AND_PORT_DEPENDENT) return false;
  return learns(a, b) || learns(b, a);
}

static result expected(bool is_direct, servers with) {
  if (is_direct) return DIRECT;
  return with == STUN_ONLY ? NOTHING : RELAYED;
}

/* --- a world ---------------------------------------------------------------------------------------------------------
 */

static void add_servers(peers *p, servers with) {
  peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
  peers_add(p, "stun:192.0.2.1");
  if (with == TURN_UDP) peers_add(p, "turn:192.0.2.1");
  if (with == TURN_TCP) {
    peers_listen(p, FLOE_TRANSPORT_TCP, NULL);
    peers_add(p, "turn:192.0.2.1?transport=tcp");
  }
}

static bool uses_relay(const peer *x) {
  const floe_ice_candidate *local, *remote;
  assert_true(floe_ice_agent_selected_pair(sim_agent_core(x->agent), &local, &remote));
  return local->type == FLOE_CANDIDATE_RELAY || remote->type == FLOE_CANDIDATE_RELAY;
}

/* A relayed pair may be in use first: a better one has until the checks have ended. */
static result run(peers *p) {
  if (!peers_connect(p, 60000)) {
    if (!peers_run_to_failed(p, 1000)) sim_fail(p->s, "neither connected nor failed");
    return NOTHING;
  }
  sim_run_for(p->s, 40000);
  peers_exchange_data(p);
  assert_int_equal(uses_relay(&p->a), uses_relay(&p->b));
  return uses_relay(&p->a) ? RELAYED : DIRECT;
}

static const char *const letters[] = {"-", "relayed", "direct"};

static void check(peers *p, result got, result should, const char *what) {
  if (got != should) sim_fail(p->s, "%s: %s, should be %s", what, letters[got], letters[should]);
}

static result try_two_nats(nat_kind a, nat_kind b, servers with) {
  char what[80];
  peers *p = peers_new(1);
  peers_nat(&p->a, a.mapping, a.filtering);
  peers_nat(&p->b, b.mapping, b.filtering);
  add_servers(p, with);
  result got = run(p);
  (void)snprintf(what, sizeof what, "mapping %d filtering %d with mapping %d filtering %d, servers %d", (int)a.mapping,
                 (int)a.filtering, (int)b.mapping, (int)b.filtering, (int)with);
  check(p, got, expected(connects_directly(a, b), with), what);
  peers_free(p);
  return got;
}

/* Both behind the same NAT, in a network that keeps its hosts apart: only the NAT's own address is left. */
static result try_one_nat(nat_kind nat, bool hairpin, servers with) {
  char what[80];
  peers *p = peers_new(1);
  peers_nat(&p->a, nat.mapping, nat.filtering);
  sim_host_behind(p->b.host, p->a.nat);
  sim_nat_set_hairpin(p->a.nat, hairpin);
  peer_drop_to(&p->a, "10.0.1.1");
  peer_drop_to(&p->b, "10.0.0.1");
  add_servers(p, with);
  result got = run(p);
  (void)snprintf(what, sizeof what, "one NAT, mapping %d filtering %d hairpin %d, servers %d", (int)nat.mapping,
                 (int)nat.filtering, hairpin, (int)with);
  check(p, got, expected(hairpin && connects_directly(nat, nat), with), what);
  peers_free(p);
  return got;
}

/* --- the table
 * --------------------------------------------------------------------------------------------------------- */

static const char *const names[] = {"EI", "A", "AP"};

static void add_name(sim_text *t, nat_kind k) {
  sim_text_add(t, " %s/%s |", names[k.mapping], names[k.filtering]);
}

static const char *const titles[N_SERVERS] = {"With a STUN server only", "With TURN over UDP", "With TURN over TCP"};

static void add_two_nats(sim_text *t, servers with) {
  sim_text_add(t, "\n## %s\n\n|", titles[with]);
  for (int b = -1; b < N_NATS; b++) {
    if (b < 0) {
      sim_text_add(t, " |");
    } else {
      add_name(t, kind_of(b));
    }
  }
  sim_text_add(t, "\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (int a = 0; a < N_NATS; a++) {
    sim_text_add(t, "|");
    add_name(t, kind_of(a));
    for (int b = 0; b < N_NATS; b++) sim_text_add(t, " %s |", letters[try_two_nats(kind_of(a), kind_of(b), with)]);
    sim_text_add(t, "\n");
  }
}

static void add_one_nat(sim_text *t) {
  sim_text_add(
      t,
      "\n## Both behind one NAT\n\n"
      "The two hosts cannot reach each other but through the NAT's public address, as in a network that keeps\n"
      "its guests apart; where they can, they connect directly whatever the NAT does.\n\n"
      "| | hairpin, STUN | hairpin, TURN/UDP | hairpin, TURN/TCP | none, STUN | none, TURN/UDP | none, TURN/TCP |\n"
      "|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < N_NATS; i++) {
    sim_text_add(t, "|");
    add_name(t, kind_of(i));
    for (int hairpin = 1; hairpin >= 0; hairpin--) {
      for (int with = 0; with < N_SERVERS; with++) {
        sim_text_add(t, " %s |", letters[try_one_nat(kind_of(i), hairpin == 1, (servers)with)]);
      }
    }
    sim_text_add(t, "\n");
  }
}

static void make_table(sim_text *t) {
  sim_text_add(
      t,
      "# Which NATs connect\n\n"
      "Made by `tools/nat-matrix.sh` from simulated connections, each with a NAT on both sides, and compared\n"
      "with the theory by `tests/sim/connect_nat_matrix_test.c`.\n\n"
      "A NAT is written as mapping/filtering (RFC 4787 4.1 and 5): `EI` endpoint-independent, `A`\n"
      "address-dependent, `AP` address- and port-dependent. `AP/AP` is what is called symmetric, `EI/AP` a\n"
      "port-restricted cone. Rows are the side that controls, columns the other one. `direct`: the selected pair has\n"
      "no relay in it; `relayed`: it has; `-`: no path, both sides fail.\n");
  for (int with = 0; with < N_SERVERS; with++) add_two_nats(t, (servers)with);
  add_one_nat(t);
}

static void write_table(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static void compare_table(const char *text) {
  FILE *f = fopen(FLOE_SOURCE_DIR "/docs/nat-matrix.md", "r");
  assert_non_null(f);
  char *kept = sim_must(calloc(1, 65536));
  size_t n = fread(kept, 1, 65535, f);
  assert_true(n > 0 && fclose(f) == 0);
  assert_string_equal(kept, text);
  free(kept);
}

static void the_matrix_is_as_theory_says(void **state) {
  (void)state;
  sim_text t = {0};
  make_table(&t);
  const char *path = getenv("FLOE_NAT_MATRIX");
  if (path != NULL) {
    write_table(path, sim_text_of(&t));
  } else {
    compare_table(sim_text_of(&t));
  }
  sim_text_clear(&t);
}

/* What everybody knows of NATs, against slips in the rule. */
static void the_rule_is_what_is_known(void **state) {
  (void)state;
  nat_kind full_cone = {SIM_ENDPOINT_INDEPENDENT, SIM_ENDPOINT_INDEPENDENT};
  nat_kind restricted = {SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_DEPENDENT};
  nat_kind port_restricted = {SIM_ENDPOINT_INDEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT};
  nat_kind symmetric = {SIM_ADDRESS_AND_PORT_DEPENDENT, SIM_ADDRESS_AND_PORT_DEPENDENT};
  assert_true(connects_directly(full_cone, symmetric));
  assert_true(connects_directly(restricted, symmetric));
  assert_false(connects_directly(port_restricted, symmetric));
  assert_false(connects_directly(symmetric, symmetric));
  assert_true(connects_directly(port_restricted, port_restricted));
  int direct = 0;
  for (int a = 0; a < N_NATS; a++) {
    for (int b = 0; b < N_NATS; b++) {
      assert_int_equal(connects_directly(kind_of(a), kind_of(b)), connects_directly(kind_of(b), kind_of(a)));
      direct += connects_directly(kind_of(a), kind_of(b)) ? 1 : 0;
    }
  }
  assert_int_equal(direct, 42);
}

/* In one network no NAT is in the way. */
static void hosts_that_see_each_other_do_not_need_the_nat(void **state) {
  (void)state;
  for (int i = 0; i < N_NATS; i++) {
    peers *p = peers_new(1);
    peers_nat(&p->a, kind_of(i).mapping, kind_of(i).filtering);
    sim_host_behind(p->b.host, p->a.nat);
    sim_nat_set_hairpin(p->a.nat, false);
    add_servers(p, TURN_UDP);
    assert_int_equal(run(p), DIRECT);
    assert_string_equal(sim_agent_pair(p->a.agent), "host 10.0.0.1:50000 > host 10.0.1.1:50000");
    peers_free(p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_rule_is_what_is_known),
      cmocka_unit_test(hosts_that_see_each_other_do_not_need_the_nat),
      cmocka_unit_test(the_matrix_is_as_theory_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
