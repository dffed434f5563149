/* Random operations on both sides of a connection, on a path that comes and goes: what always holds is checked by the
 * harness, and in the end everything that was promised has arrived. */
#include "support/pc_peers.h"

typedef struct chaos {
  pc_peers *p;
  unsigned n_channels;
  bool is_gone; /* the path */
} chaos;

static void make_channel(chaos *w, pc_peer *y) {
  char label[40];
  if (w->n_channels == 24) return;
  (void)snprintf(label, sizeof label, "%s %u", y->name, w->n_channels++);
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.unordered = sim_chance(w->p->s, 300);
  init.has_max_retransmits = sim_chance(w->p->s, 200);
  init.max_retransmits = (uint16_t)sim_random_below(w->p->s, 3);
  sim_channel *c = sim_pc_channel(y->x, label, &init);
  if (c == NULL) sim_fail(w->p->s, "%s: %s", floe_status_name(y->x->why.status), y->x->why.message);
}

static sim_channel *some_channel(chaos *w, const pc_peer *y) {
  size_t n = sim_pc_n_channels(y->x);
  sim_channel *c = n == 0 ? NULL : pc_peer_channel(y, sim_random_below(w->p->s, (uint32_t)n));
  return c == NULL || c->handle == NULL ? NULL : c;
}

static void send_some(chaos *w, pc_peer *y) {
  sim_channel *c = some_channel(w, y);
  if (c == NULL || floe_data_channel_ready_state(c->handle) != FLOE_DATA_CHANNEL_OPEN) return;
  sim_channel_flow(c, 1 + sim_random_below(w->p->s, 30), SIM_NUMBERED_MIN, 24 + sim_random_below(w->p->s, 20000),
                   sim_chance(w->p->s, 500));
}

static void close_some(chaos *w, pc_peer *y) {
  sim_channel *c = some_channel(w, y);
  if (c == NULL || c->flow_left > 0) return;
  if (sim_chance(w->p->s, 300)) {
    sim_channel_release(c);
  } else {
    sim_channel_close(c);
  }
}

static void change_the_path(chaos *w) {
  sim *s = w->p->s;
  sim_path path = {.delay_us = 1000 + sim_random_below(s, 40000), .jitter_us = sim_random_below(s, 20000)};
  path.loss = sim_chance(s, 500) ? sim_random_below(s, 100) : 0;
  path.duplicate = sim_chance(s, 300) ? sim_random_below(s, 100) : 0;
  path.reorder = sim_chance(s, 300) ? sim_random_below(s, 100) : 0;
  w->is_gone = !w->is_gone && sim_chance(s, 200);
  if (w->is_gone) path.loss = 1000;
  sim_path_default(s, &path);
}

static void do_something(chaos *w) {
  pc_peer *y = sim_chance(w->p->s, 500) ? &w->p->alice : &w->p->bob;
  switch (sim_random_below(w->p->s, 12)) {
    case 0:
    case 1: make_channel(w, y); return;
    case 2: close_some(w, y); return;
    case 3: sim_pc_restart_ice(y->x); return;
    case 4: change_the_path(w); return;
    case 5:
      if (floe_pc_get_stats(y->x->core, sim_pc_now(y->x)) == NULL) sim_fail(w->p->s, "no statistics");
      return;
    case 6: (void)floe_pc_failure_report(y->x->core, sim_pc_now(y->x)); return;
    default: send_some(w, y); return;
  }
}

static bool is_open(const sim_channel *c) {
  return c != NULL && c->handle != NULL && floe_data_channel_ready_state(c->handle) == FLOE_DATA_CHANNEL_OPEN;
}

/* Of channels that are still open at both ends. */
static void expect_what_was_promised(chaos *w, pc_peer *y) {
  for (sim_channel *c = y->x->channels; c != NULL; c = c->next_channel) {
    const sim_channel *other = pc_channel_other(c);
    if (!is_open(c) || !is_open(other) || c->is_unreliable) continue;
    if (!pc_channel_run_to_all(w->p, c, 120000)) {
      sim_fail(w->p->s, "%s: %s has %u to send, buffered %zu, state %s; %u of %u came", y->name, c->name, c->flow_left,
               floe_data_channel_buffered_amount(c->handle),
               floe_data_channel_state_name(floe_data_channel_ready_state(c->handle)), other->got, c->sent);
    }
  }
}

static void run(uint64_t seed) {
  chaos w = {.p = pc_peers_new(seed)};
  pc_peers *p = w.p;
  p->alice.options.no_wire = p->bob.options.no_wire = true;
  p->alice.options.lazy_drain = p->bob.options.lazy_drain = seed % 4 == 0 ? 200 : 0;
  p->alice.perfect = p->bob.perfect = p->bob.polite = p->bob.negotiates = true;
  pc_peers_set_mode(p, seed % 3 == 0 ? PC_WHOLE : PC_TRICKLE);
  if (seed % 5 == 0) {
    pc_peers_listen(p, FLOE_TRANSPORT_UDP, NULL);
    pc_peers_add(p, "turn:192.0.2.1");
  }
  pc_peers_start(p);
  make_channel(&w, &p->alice);
  for (int i = 0; i < 120; i++) {
    do_something(&w);
    sim_run_for(p->s, sim_random_below(p->s, w.is_gone ? 30 : 150));
  }
  sim_path_default(p->s, &(sim_path){.delay_us = 5000});
  pc_true(p, pc_peers_settle(p, 60000));
  pc_true(p, pc_peer_run_to(&p->alice, FLOE_PC_CONNECTED, 60000));
  pc_true(p, pc_peer_run_to(&p->bob, FLOE_PC_CONNECTED, 60000));
  expect_what_was_promised(&w, &p->alice);
  expect_what_was_promised(&w, &p->bob);
  pc_peers_free(p);
}

static void anything_may_happen(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) run(seed);
}

/* The same, and one side closes in the middle of it. */
static void and_end_at_any_moment(void **state) {
  (void)state;
  for (uint64_t seed = 1001; seed <= 1030; seed++) {
    chaos w = {.p = pc_peers_new(seed)};
    w.p->alice.perfect = w.p->bob.perfect = w.p->bob.polite = w.p->bob.negotiates = true;
    pc_peers_start(w.p);
    make_channel(&w, &w.p->bob);
    for (uint32_t i = sim_random_below(w.p->s, 60); i > 0; i--) {
      do_something(&w);
      sim_run_for(w.p->s, sim_random_below(w.p->s, 50));
    }
    sim_pc_close(seed % 2 == 0 ? w.p->alice.x : w.p->bob.x);
    sim_run_for(w.p->s, 2000);
    pc_peers_free(w.p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(anything_may_happen),
      cmocka_unit_test(and_end_at_any_moment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
