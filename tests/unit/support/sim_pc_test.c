/* The harness of peer connections finds what it is there to find. */
#include "support/pc_peers.h"
#include "support/sim_pc_internal.h"

typedef struct findings {
  unsigned n;
  char first[300];
} findings;

static void find(void *user, const char *text) {
  findings *f = user;
  /* A test would have ended here. */
  if (f->n++ == 0) (void)snprintf(f->first, sizeof f->first, "%s", text);
}

#define expect_found(f, expected)                \
  do {                                           \
    assert_true((f)->n > 0);                     \
    assert_string_equal((f)->first, (expected)); \
    (f)->n = 0;                                  \
  } while (0)

/* What bob's channel gets, kept so that it can be given again. */
typedef struct kept {
  uint8_t bytes[3][100];
  size_t n;
} kept;

static void keep(void *user, const floe_event *e) {
  kept *k = user;
  if (e->type != FLOE_EVENT_MESSAGE || k->n == 3) return;
  memcpy(k->bytes[k->n++], e->u.message.data.ptr, 100);
}

static void give(sim_channel *c, const uint8_t *bytes) {
  sim_channel_take(c, &(floe_channel_message){.channel = c->handle, .data = {bytes, 100}, .is_binary = true});
}

static void numbered_messages_are_checked(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  findings f = {0};
  kept k = {0};
  pc_true(p, pc_peers_connect(p, 2000));
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  p->bob.x->hooks.on_event = keep;
  p->bob.x->hooks.user = &k;
  for (int i = 0; i < 3; i++) pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 100, false));
  pc_true(p, pc_channel_run_to_messages(b, 3, 1000));
  sim_channel_expect_all(b, a);
  sim_on_failure(p->s, find, &f);

  b->seen[0] = 0x05; /* 1 is missing */
  b->got = 2;
  sim_channel_expect_all(b, a);
  expect_found(&f, "bob: data: 2 of 3 messages came; 1 is the first that did not");

  b->next = 1;
  b->seen[0] = 0x01;
  give(b, k.bytes[2]);
  expect_found(&f, "bob: data: message 2 came, 1 did not");
  b->next = 3;
  give(b, k.bytes[1]);
  expect_found(&f, "bob: data: message 1 after 2");
  b->next = 1;
  give(b, k.bytes[1]);
  expect_found(&f, "bob: data: message 1 came twice");
  b->next = 0;
  b->seen[0] = 0;
  k.bytes[0][99] ^= 1;
  give(b, k.bytes[0]);
  expect_found(&f, "bob: data: message 0 is not as it was sent");
  pc_peers_free(p);
  assert_int_equal(f.n, 0);
}

static void tell(sim_pc *x, floe_event *e) {
  e->name = floe_event_name(e->type);
  sim_pc_check_event(x, e);
}

static void events_are_checked(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  findings f = {0};
  pc_true(p, pc_peers_connect(p, 2000));
  sim_pc *x = p->alice.x;
  floe_data_channel *handle = pc_peer_channel(&p->alice, 0)->handle;
  sim_on_failure(p->s, find, &f);
  tell(x, &(floe_event){.type = FLOE_EVENT_SIGNALINGSTATECHANGE,
                        .u.signaling_state = FLOE_SIGNALING_HAVE_REMOTE_PRANSWER});
  expect_found(&f, "alice: signalingState stable became have-remote-pranswer");
  tell(x, &(floe_event){.type = FLOE_EVENT_CONNECTIONSTATECHANGE, .u.pc = {FLOE_PC_CONNECTED, FLOE_CAUSE_NONE}});
  expect_found(&f, "alice: connectionState connected twice");
  tell(x, &(floe_event){.type = FLOE_EVENT_CONNECTIONSTATECHANGE, .u.pc = {FLOE_PC_FAILED, FLOE_CAUSE_NONE}});
  expect_found(&f, "alice: connectionState failed with cause none");
  tell(x, &(floe_event){.type = FLOE_EVENT_OPEN, .u.channel = handle});
  expect_found(&f, "alice: data: open twice");
  tell(x, &(floe_event){.type = FLOE_EVENT_CLOSE, .u.channel = handle});
  expect_found(&f, "alice: data: close, and not closed");
  tell(x, &(floe_event){.type = FLOE_EVENT_NEGOTIATIONNEEDED, .target = x});
  expect_found(&f, "alice: an event of the core has a target");
  tell(x, &(floe_event){.type = FLOE_EVENT_NEGOTIATIONNEEDED, .time = sim_now(p->s) + 1});
  expect_found(&f, "alice: an event of the future");
  x->is_closed = true;
  tell(x, &(floe_event){.type = FLOE_EVENT_NEGOTIATIONNEEDED});
  expect_found(&f, "alice: negotiationneeded after close");
  x->is_closed = false;
  x->told_ice = FLOE_ICE_CONNECTION_CHECKING;
  sim_pc_check_now(x);
  expect_found(&f, "alice: iceConnectionState is completed, told was checking");
  x->told_ice = FLOE_ICE_CONNECTION_COMPLETED;
  pc_peers_free(p);
  assert_int_equal(f.n, 0);
}

/* Two runs with one seed are the same run. */
static void a_seed_is_a_run(void **state) {
  (void)state;
  char *first = NULL;
  for (int i = 0; i < 2; i++) {
    pc_peers *p = pc_peers_new(77);
    sim_path_default(p->s, &(sim_path){.delay_us = 20000, .jitter_us = 20000, .loss = 100});
    pc_true(p, pc_peers_connect(p, 60000));
    char *now = sim_must(malloc(strlen(pc_peers_events(p)) + 40));
    (void)sprintf(now, "%s%llu", pc_peers_events(p), (unsigned long long)sim_now(p->s));
    pc_peers_free(p);
    if (first != NULL) assert_string_equal(first, now);
    free(first);
    first = now;
  }
  free(first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbered_messages_are_checked),
      cmocka_unit_test(events_are_checked),
      cmocka_unit_test(a_seed_is_a_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
