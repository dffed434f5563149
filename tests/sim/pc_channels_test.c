/* Data channels: streams, options, limits, sending, closing (webrtc-pc 6, RFC 8831, RFC 8832). */
#include "support/pc_peers.h"

static floe_data_channel_init plain(void) {
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  return init;
}

static floe_data_channel_init negotiated(uint16_t id) {
  floe_data_channel_init init = plain();
  init.negotiated = true;
  init.has_id = true;
  init.id = id;
  return init;
}

static int32_t id_of(const sim_channel *c) {
  return floe_data_channel_id(c->handle);
}

static pc_peers *connected(uint64_t seed) {
  pc_peers *p = pc_peers_new(seed);
  pc_true(p, pc_peers_connect(p, 3000));
  return p;
}

/* --- streams -------------------------------------------------------------------------------------------------------
 */

/* RFC 8832 6: the DTLS client, here the answerer, has the even streams. */
static void ids_follow_the_dtls_role(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  sim_channel *a[3], *b[3];
  static const char *const names_a[] = {"a0", "a1", "a2"}, *const names_b[] = {"b0", "b1", "b2"};
  for (size_t i = 0; i < 3; i++) {
    a[i] = sim_pc_channel(p->alice.x, names_a[i], NULL);
    b[i] = sim_pc_channel(p->bob.x, names_b[i], NULL);
    assert_int_equal(id_of(a[i]), -1);
    assert_int_equal(id_of(b[i]), -1);
    assert_int_equal(floe_data_channel_ready_state(a[i]->handle), FLOE_DATA_CHANNEL_CONNECTING);
  }
  pc_true(p, pc_peer_run_to_signaling(&p->bob, FLOE_SIGNALING_HAVE_REMOTE_OFFER, 1000) ||
                 p->bob.x->told_signaling == FLOE_SIGNALING_STABLE);
  pc_true(p, pc_peers_connect(p, 3000));
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(id_of(a[i]), 2 * (int32_t)i + 1);
    assert_int_equal(id_of(b[i]), 2 * (int32_t)i);
    assert_int_equal(id_of(pc_channel_other(a[i])), 2 * (int32_t)i + 1);
    assert_int_equal(id_of(pc_channel_other(b[i])), 2 * (int32_t)i);
  }
  assert_false(floe_pc_dtls_transport(p->alice.x->core)->is_client);
  pc_peers_free(p);
}

static void an_id_is_known_once_the_role_is(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_start(p);
  sim_channel *a = sim_pc_channel(p->alice.x, "data", NULL);
  pc_peers_offer_answer(&p->alice);
  assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTING);
  assert_int_equal(id_of(a), 1);
  assert_int_equal(floe_data_channel_ready_state(a->handle), FLOE_DATA_CHANNEL_CONNECTING);
  pc_peers_free(p);
}

static void negotiated_channels_are_not_announced(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  floe_data_channel_init init = negotiated(3);
  sim_channel *a = sim_pc_channel(p->alice.x, "agreed", &init), *b = sim_pc_channel(p->bob.x, "agreed", &init);
  sim_channel *others[3];
  static const char *const names[] = {"x", "y", "z"};
  for (size_t i = 0; i < 3; i++) others[i] = sim_pc_channel(p->alice.x, names[i], NULL);
  assert_int_equal(id_of(a), 3);
  assert_true(floe_data_channel_negotiated(a->handle));
  pc_true(p, pc_peers_connect(p, 3000));
  pc_expect_with(&p->bob, "datachannel ",
                 "datachannel x\n"
                 "datachannel y\n"
                 "datachannel z\n");
  pc_expect_with(&p->alice, "datachannel ", "");
  assert_int_equal(id_of(others[0]), 1);
  assert_int_equal(id_of(others[1]), 5);
  assert_int_equal(id_of(others[2]), 7);
  assert_int_equal(id_of(b), 3);
  pc_peers_exchange(p);
  /* and later */
  init = negotiated(100);
  a = sim_pc_channel(p->alice.x, "late", &init);
  b = sim_pc_channel(p->bob.x, "late", &init);
  pc_true(p, pc_peers_connect(p, 1000));
  pc_status(p, FLOE_OK, sim_channel_text(a, "works"));
  pc_true(p, pc_channel_run_to_messages(b, 1, 1000));
  pc_peers_free(p);
}

/* What comes for a stream that this side does not know is not kept for it. */
static void a_channel_of_one_side_alone(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  floe_data_channel_init init = negotiated(77);
  sim_channel *a = sim_pc_channel(p->alice.x, "alone", &init);
  assert_int_equal(floe_data_channel_ready_state(a->handle), FLOE_DATA_CHANNEL_OPEN);
  pc_status(p, FLOE_OK, sim_channel_text(a, "is anybody there?"));
  sim_run_for(p->s, 1000);
  pc_expect_with(&p->bob, "alone", "");
  sim_channel *b = sim_pc_channel(p->bob.x, "alone", &init);
  sim_run_for(p->s, 1000);
  pc_expect_with(&p->bob, "alone", "alone open\n");
  pc_status(p, FLOE_OK, sim_channel_text(a, "now"));
  pc_true(p, pc_channel_run_to_messages(b, 1, 1000));
  pc_peers_free(p);
}

static void a_stream_is_used_again(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  for (int i = 0; i < 20; i++) {
    sim_channel *a = sim_pc_channel(i % 3 == 0 ? p->bob.x : p->alice.x, "again", NULL);
    assert_int_equal(id_of(a), i % 3 == 0 ? 0 : 3);
    char text[40];
    (void)snprintf(text, sizeof text, "round %d", i);
    pc_status(p, FLOE_OK, sim_channel_text(a, text));
    pc_true(p, pc_peers_run_until(p, 100, NULL, NULL) || true);
    sim_channel *b = pc_channel_other(a);
    assert_non_null(b);
    pc_true(p, b->n_texts == 1 && b->last_hash == sim_hash(text, strlen(text)));
    sim_channel_close(i % 2 == 0 ? a : b);
    pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 1000));
    pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 1000));
    sim_channel_release(a);
    sim_channel_release(b);
    (void)snprintf(a->name, sizeof a->name, "gone");
    (void)snprintf(b->name, sizeof b->name, "gone");
    sim_run_for(p->s, 500);
  }
  pc_peers_free(p);
}

/* --- options -------------------------------------------------------------------------------------------------------
 */

static void options_are_told_in_band(void **state) {
  (void)state;
  const struct {
    floe_data_channel_init init;
    const char *label;
  } rows[] = {{{.size = sizeof(floe_data_channel_init)}, "plain"},
              {{.size = sizeof(floe_data_channel_init), .unordered = true}, "unordered"},
              {{.size = sizeof(floe_data_channel_init), .has_max_retransmits = true, .max_retransmits = 3}, "three"},
              {{.size = sizeof(floe_data_channel_init), .has_max_retransmits = true}, "once"},
              {{.size = sizeof(floe_data_channel_init),
                .unordered = true,
                .has_max_retransmits = true,
                .max_retransmits = 65535},
               "often"},
              {{.size = sizeof(floe_data_channel_init), .has_max_packet_life_time = true, .max_packet_life_time = 500},
               "young"},
              {{.size = sizeof(floe_data_channel_init),
                .unordered = true,
                .has_max_packet_life_time = true,
                .max_packet_life_time = 65535,
                .protocol = "chat/1"},
               "with protocol"},
              {{.size = sizeof(floe_data_channel_init), .protocol = "\xE2\x82\xAC"}, "gr\xC3\xBC\xC3\x9F"},
              {{.size = sizeof(floe_data_channel_init), .priority = 1024}, ""}};
  pc_peers *p = connected(1);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sim_channel *a = sim_pc_channel(p->alice.x, rows[i].label, &rows[i].init);
    assert_non_null(a);
    sim_run_for(p->s, 100);
    sim_channel *b = pc_channel_other(a);
    assert_non_null(b);
    for (int side = 0; side < 2; side++) {
      const floe_data_channel *h = side == 0 ? a->handle : b->handle;
      const floe_data_channel_init *init = &rows[i].init;
      assert_string_equal(floe_data_channel_label(h), rows[i].label);
      assert_string_equal(floe_data_channel_protocol(h), init->protocol == NULL ? "" : init->protocol);
      assert_int_equal(floe_data_channel_ordered(h), !init->unordered);
      assert_int_equal(floe_data_channel_max_retransmits(h),
                       init->has_max_retransmits ? (int32_t)init->max_retransmits : -1);
      assert_int_equal(floe_data_channel_max_packet_life_time(h),
                       init->has_max_packet_life_time ? (int32_t)init->max_packet_life_time : -1);
      assert_false(floe_data_channel_negotiated(h));
    }
    pc_status(p, FLOE_OK, sim_channel_text(b, "there"));
    pc_true(p, pc_channel_run_to_messages(a, 1, 1000));
  }
  pc_peers_free(p);
}

static void a_label_may_be_long(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  char *label = sim_must(malloc(65536)), *protocol = sim_must(malloc(65536));
  memset(label, 'l', 65535);
  memset(protocol, 'p', 65535);
  label[65535] = protocol[65535] = '\0';
  floe_data_channel_init init = plain();
  init.protocol = protocol;
  sim_channel *a = sim_pc_channel(p->alice.x, label, &init);
  assert_non_null(a);
  sim_run_for(p->s, 2000);
  sim_channel *b = pc_channel_other(a);
  assert_non_null(b);
  assert_string_equal(floe_data_channel_label(b->handle), label);
  assert_string_equal(floe_data_channel_protocol(b->handle), protocol);
  free(label);
  free(protocol);
  pc_peers_free(p);
}

static void what_is_refused(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  char *text = sim_must(malloc(65537));
  memset(text, 'x', 65536);
  text[65536] = '\0';
  floe_data_channel_init init = plain();

  assert_null(sim_pc_channel(p->alice.x, text, NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "label");
  assert_null(sim_pc_channel(p->alice.x, NULL, NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "label");
  assert_string_equal(p->alice.x->why.message, "is missing");
  assert_null(sim_pc_channel(p->alice.x, "\xFF", NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "label");
  init.protocol = text;
  assert_null(sim_pc_channel(p->alice.x, "a", &init));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "protocol");
  free(text);

  init = plain();
  init.has_max_retransmits = init.has_max_packet_life_time = true;
  assert_null(sim_pc_channel(p->alice.x, "a", &init));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "maxRetransmits");

  init = plain();
  init.negotiated = true;
  assert_null(sim_pc_channel(p->alice.x, "a", &init));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  assert_string_equal(p->alice.x->why.path, "id");
  init = negotiated(65535);
  assert_null(sim_pc_channel(p->alice.x, "a", &init));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TYPE);
  init = negotiated(1);
  assert_null(sim_pc_channel(p->alice.x, "a", &init)); /* taken by "data" */
  assert_int_equal(p->alice.x->why.status, FLOE_E_TOO_LARGE);
  assert_string_equal(p->alice.x->why.path, "id");
  init = negotiated(65534);
  assert_null(sim_pc_channel(p->alice.x, "a", &init)); /* beyond the streams */
  assert_int_equal(p->alice.x->why.status, FLOE_E_TOO_LARGE);
  init = plain();
  init.has_id = true;
  init.id = 500; /* counts for nothing without negotiated */
  sim_channel *c = sim_pc_channel(p->alice.x, "a", &init);
  assert_int_equal(id_of(c), 3);
  sim_pc_close(p->alice.x);
  assert_null(sim_pc_channel(p->alice.x, "a", NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_STATE);
  pc_peers_free(p);
}

/* --- limits --------------------------------------------------------------------------------------------------------
 */

static void there_are_max_channels(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->alice.cfg.max_channels = 4;
  pc_peers_start(p);
  sim_channel *first = sim_pc_channel(p->alice.x, "0", NULL);
  static const char *const names[] = {"1", "2", "3"};
  for (size_t i = 0; i < 3; i++) {
    floe_data_channel_init init = negotiated((uint16_t)(i == 0 ? 0 : 2 * i));
    assert_non_null(sim_pc_channel(p->alice.x, names[i], i < 2 ? &init : NULL));
    if (i < 2) assert_non_null(sim_pc_channel(p->bob.x, names[i], &init));
  }
  assert_null(sim_pc_channel(p->alice.x, "one more", NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TOO_LARGE);
  pc_true(p, pc_peers_connect(p, 3000));
  assert_null(sim_pc_channel(p->alice.x, "one more", NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TOO_LARGE);
  sim_channel_close(first);
  pc_true(p, pc_channel_run_to(first, FLOE_DATA_CHANNEL_CLOSED, 1000));
  assert_non_null(sim_pc_channel(p->alice.x, "one more", NULL));
  pc_peers_free(p);
}

/* RFC 8831 6.5: streams are those that both have; a channel that gets none fails when the association is there. */
static void a_stream_that_was_not_negotiated(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->bob.cfg.max_channels = 4;
  pc_peers_start(p);
  floe_data_channel_init init = negotiated(4);
  sim_channel *bad = sim_pc_channel(p->alice.x, "bad", &init);
  sim_channel *good = sim_pc_channel(p->alice.x, "good", NULL);
  pc_true(p, pc_channel_run_to(good, FLOE_DATA_CHANNEL_OPEN, 3000));
  sim_run_for(p->s, 100);
  assert_int_equal(floe_pc_sctp_transport(p->alice.x->core)->max_channels, 4);
  assert_int_equal(floe_data_channel_ready_state(bad->handle), FLOE_DATA_CHANNEL_CLOSED);
  assert_true(bad->told_error && bad->told_close);
  assert_false(bad->told_open);
  pc_status(p, FLOE_OK, sim_channel_send_numbered(good, 100, false));
  pc_true(p, pc_channel_run_to_all(p, good, 1000));
  pc_peers_free(p);
}

static void channels_beyond_the_streams_fail(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->bob.cfg.max_channels = 8;
  pc_peers_start(p);
  for (size_t i = 0; i < 10; i++) assert_non_null(sim_pc_channel(p->alice.x, "one of many", NULL));
  sim_run_for(p->s, 3000);
  size_t open = 0, failed = 0;
  for (const sim_channel *c = p->alice.x->channels; c != NULL; c = c->next_channel) {
    open += floe_data_channel_ready_state(c->handle) == FLOE_DATA_CHANNEL_OPEN ? 1 : 0;
    failed += c->told_error && c->told_close ? 1 : 0;
  }
  assert_int_equal(open, 4); /* 1, 3, 5, 7 */
  assert_int_equal(failed, 6);
  assert_int_equal(sim_pc_n_channels(p->bob.x), 4);
  assert_null(sim_pc_channel(p->alice.x, "no stream is free", NULL));
  assert_int_equal(p->alice.x->why.status, FLOE_E_TOO_LARGE);
  assert_int_equal(p->bob.x->told_state, FLOE_PC_CONNECTED);
  pc_peers_free(p);
}

static void messages_have_a_limit(void **state) {
  (void)state;
  static const struct {
    uint64_t of_bob;
    size_t fits;
  } rows[] = {{1000, 1000}, {0, 262144}, {3000000, 3000000}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    pc_peers *p = pc_peers_new(1);
    p->bob.cfg.max_message_size = rows[i].of_bob;
    pc_true(p, pc_peers_connect(p, 3000));
    assert_int_equal(floe_pc_sctp_transport(p->alice.x->core)->max_message_size, rows[i].fits);
    assert_int_equal(floe_pc_sctp_transport(p->bob.x->core)->max_message_size, 262144);
    sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
    uint64_t hash;
    for (int text = 0; text < 2; text++) {
      pc_status(p, FLOE_E_TOO_LARGE, sim_channel_blob(a, rows[i].fits + 1, 1, text == 1, &hash));
      pc_status(p, FLOE_OK, sim_channel_blob(a, rows[i].fits, 1, text == 1, &hash));
      pc_true(p, pc_channel_run_to_messages(b, (uint64_t)text + 1, 20000));
      pc_true(p, b->last_len == rows[i].fits && b->last_hash == hash);
    }
    pc_peers_free(p);
  }
}

/* --- sending -------------------------------------------------------------------------------------------------------
 */

static void only_an_open_channel_sends(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  sim_channel *a = sim_pc_channel(p->alice.x, "data", NULL);
  pc_status(p, FLOE_E_STATE, sim_channel_text(a, "early"));
  pc_status(p, FLOE_E_STATE, sim_channel_text(a, ""));
  pc_true(p, pc_peers_connect(p, 3000));
  pc_status(p, FLOE_E_SYNTAX, sim_channel_text(a, "\xC3"));
  pc_status(p, FLOE_OK, sim_channel_binary(a, "\xC3", 1));
  pc_status(p, FLOE_OK, sim_channel_text(a, "in time"));
  sim_channel_close(a);
  pc_status(p, FLOE_E_STATE, sim_channel_text(a, "closing"));
  pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 1000));
  pc_status(p, FLOE_E_STATE, sim_channel_text(a, "closed"));
  sim_channel_close(a); /* twice is fine */
  sim_channel *c = sim_pc_channel(p->alice.x, "other", NULL);
  sim_run_for(p->s, 100);
  sim_pc_close(p->alice.x);
  pc_status(p, FLOE_E_STATE, sim_channel_text(c, "after close"));
  pc_expect_with(&p->bob, "text", "data text \"in time\"\n");
  pc_peers_free(p);
}

/* A channel made on a connected connection can be used at once; its OPEN goes before the messages. */
static void a_late_channel_is_open_at_once(void **state) {
  (void)state;
  for (int unordered = 0; unordered < 2; unordered++) {
    pc_peers *p = connected(1);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .jitter_us = 20000});
    floe_data_channel_init init = plain();
    init.unordered = unordered == 1;
    sim_channel *a = sim_pc_channel(p->alice.x, "late", &init);
    assert_int_equal(floe_data_channel_ready_state(a->handle), FLOE_DATA_CHANNEL_OPEN);
    for (int i = 0; i < 10; i++) pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 100, false));
    pc_true(p, pc_channel_run_to_all(p, a, 2000));
    pc_peers_free(p);
  }
}

/* --- bufferedAmount ------------------------------------------------------------------------------------------------
 */

typedef struct low_water {
  sim_channel *c;
  unsigned fired;
  size_t amount; /* when it fired last */
} low_water;

static void watch(void *user, const floe_event *e) {
  low_water *w = user;
  if (e->type != FLOE_EVENT_BUFFEREDAMOUNTLOW) return;
  w->fired++;
  w->amount = floe_data_channel_buffered_amount(w->c->handle);
}

static void the_buffered_amount_goes_down(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  low_water w = {.c = a};
  p->alice.x->hooks = (sim_pc_hooks){.on_event = watch, .user = &w};
  assert_int_equal(floe_data_channel_buffered_amount(a->handle), 0);
  assert_int_equal(floe_data_channel_buffered_amount_low_threshold(a->handle), 0);
  floe_data_channel_set_buffered_amount_low_threshold(a->handle, 100000);
  assert_int_equal(floe_data_channel_buffered_amount_low_threshold(a->handle), 100000);
  uint64_t hash;
  for (int i = 0; i < 3; i++) pc_status(p, FLOE_OK, sim_channel_blob(a, 200000, 7, false, &hash));
  size_t amount = floe_data_channel_buffered_amount(a->handle);
  if (amount <= 550000 || amount > 600000) sim_fail(p->s, "bufferedAmount is %zu", amount);
  pc_true(p, pc_channel_run_to_messages(b, 3, 20000));
  sim_run_for(p->s, 100);
  assert_int_equal(w.fired, 1);
  assert_true(w.amount <= 100000);
  assert_int_equal(floe_data_channel_buffered_amount(a->handle), 0);
  /* what stays below does not fall to it */
  pc_status(p, FLOE_OK, sim_channel_text(a, "short"));
  sim_run_for(p->s, 1000);
  assert_int_equal(w.fired, 1);
  p->alice.x->hooks = (sim_pc_hooks){0};
  pc_peers_free(p);
}

static void a_threshold_of_zero_tells_when_all_is_sent(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  low_water w = {.c = a};
  p->alice.x->hooks = (sim_pc_hooks){.on_event = watch, .user = &w};
  uint64_t hash;
  pc_status(p, FLOE_OK, sim_channel_blob(a, 200000, 7, false, &hash));
  pc_true(p, pc_channel_run_to_messages(b, 1, 20000));
  sim_run_for(p->s, 100);
  assert_int_equal(w.fired, 1);
  assert_int_equal(w.amount, 0);
  p->alice.x->hooks = (sim_pc_hooks){0};
  pc_peers_free(p);
}

/* A full queue refuses and drops nothing; it says when there is room, whichever channel filled it. */
static void a_full_queue_says_again(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  p->alice.cfg.max_buffered_amount = 65536;
  pc_peers_start(p);
  sim_channel *one = sim_pc_channel(p->alice.x, "one", NULL), *two = sim_pc_channel(p->alice.x, "two", NULL);
  pc_true(p, pc_peers_connect(p, 3000));
  floe_status st = FLOE_OK;
  unsigned n = 0;
  while ((st = sim_channel_send_numbered(one, 10000, false)) == FLOE_OK && n < 100) n++;
  assert_int_equal(st, FLOE_E_AGAIN);
  assert_true(n >= 6 && n < 30);
  assert_true(floe_data_channel_buffered_amount(one->handle) <= 65536 + 10000);
  pc_status(p, FLOE_E_AGAIN, sim_channel_send_numbered(two, 10000, false));
  sim_pc_clear_log(p->alice.x);
  sim_run_for(p->s, 2000);
  /* each has room again; then the first one has sent all */
  pc_expect_with(&p->alice, "bufferedamountlow",
                 "one bufferedamountlow\n"
                 "two bufferedamountlow\n"
                 "one bufferedamountlow\n");
  pc_status(p, FLOE_OK, sim_channel_send_numbered(one, 10000, false));
  pc_status(p, FLOE_OK, sim_channel_send_numbered(two, 10000, false));
  sim_run_for(p->s, 2000);
  pc_peers_expect_all(p);
  /* one message may be larger than the queue */
  uint64_t hash;
  pc_status(p, FLOE_OK, sim_channel_blob(one, 200000, 1, false, &hash));
  sim_run_for(p->s, 5000);
  assert_int_equal(pc_channel_other(one)->last_len, 200000);
  pc_peers_free(p);
}

/* --- unreliable ----------------------------------------------------------------------------------------------------
 */

static void unreliable_channels_give_up(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    pc_peers *p = pc_peers_new((uint64_t)kind + 1);
    pc_peers_start(p);
    floe_data_channel_init init = plain();
    init.unordered = (kind & 1) == 1;
    init.has_max_retransmits = kind < 2;
    init.has_max_packet_life_time = kind >= 2;
    init.max_packet_life_time = 30;
    sim_channel *a = sim_pc_channel(p->alice.x, "unreliable", &init);
    sim_channel *r = sim_pc_channel(p->alice.x, "reliable", NULL);
    pc_true(p, pc_peers_connect(p, 3000));
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .loss = 100});
    for (int i = 0; i < 300; i++) {
      pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 200, false));
      pc_status(p, FLOE_OK, sim_channel_send_numbered(r, 200, false));
      sim_run_for(p->s, 20);
    }
    sim_path_default(p->s, &(sim_path){.delay_us = 5000});
    sim_run_for(p->s, 20000);
    const sim_channel *b = pc_channel_other(a);
    if (b->got < 200 || b->got == 300) sim_fail(p->s, "kind %d: %u of 300 came", kind, b->got);
    sim_channel_expect_all(pc_channel_other(r), r);
    assert_int_equal(p->alice.x->told_state, FLOE_PC_CONNECTED);
    pc_peers_free(p);
  }
}

/* --- closing -------------------------------------------------------------------------------------------------------
 */

static void what_was_sent_before_closing_arrives(void **state) {
  (void)state;
  for (int from_bob = 0; from_bob < 2; from_bob++) {
    pc_peers *p = connected(1);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .loss = 50});
    sim_channel *a = pc_peer_channel(from_bob == 1 ? &p->bob : &p->alice, 0), *b = pc_channel_other(a);
    for (int i = 0; i < 50; i++) pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 10000, false));
    sim_channel_close(a);
    pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 60000));
    pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 60000));
    sim_channel_expect_all(b, a);
    assert_false(a->told_closing); /* webrtc-pc 6.2: told to the side that did not begin */
    assert_true(b->told_closing);
    assert_true(a->told_close && b->told_close && !a->told_error && !b->told_error);
    pc_peers_free(p);
  }
}

static void both_close_at_once(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    pc_peers *p = connected(seed);
    sim_path_default(p->s, &(sim_path){.delay_us = 5000, .jitter_us = 10000, .loss = seed > 10 ? 100 : 0});
    sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
    sim_channel_close(a);
    sim_run_for(p->s, seed % 10);
    sim_channel_close(b);
    pc_true(p, pc_channel_run_to(a, FLOE_DATA_CHANNEL_CLOSED, 30000));
    pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 30000));
    assert_true(a->told_close && b->told_close);
    sim_channel *next = sim_pc_channel(p->alice.x, "next", NULL);
    pc_true(p, pc_channel_run_to(next, FLOE_DATA_CHANNEL_OPEN, 30000));
    pc_status(p, FLOE_OK, sim_channel_send_numbered(next, 100, false));
    pc_true(p, pc_channel_run_to_all(p, next, 30000));
    pc_peers_free(p);
  }
}

static void a_channel_may_be_closed_before_it_is_open(void **state) {
  (void)state;
  pc_peers *p = pc_peers_new(1);
  pc_peers_start(p);
  sim_channel *gone = sim_pc_channel(p->alice.x, "gone", NULL);
  sim_channel *stays = sim_pc_channel(p->alice.x, "stays", NULL);
  sim_channel_close(gone);
  pc_expect_with(&p->alice, "gone", "gone close\n");
  assert_int_equal(floe_data_channel_ready_state(gone->handle), FLOE_DATA_CHANNEL_CLOSED);
  pc_true(p, pc_channel_run_to(stays, FLOE_DATA_CHANNEL_OPEN, 3000));
  sim_run_for(p->s, 100);
  pc_expect_with(&p->bob, "datachannel", "datachannel stays\n");
  pc_peers_free(p);
}

static void a_released_channel_is_silent(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  sim_channel *a = pc_peer_channel(&p->alice, 0), *b = pc_channel_other(a);
  for (int i = 0; i < 10; i++) pc_status(p, FLOE_OK, sim_channel_send_numbered(a, 5000, false));
  pc_status(p, FLOE_OK, sim_channel_text(b, "not heard any more"));
  sim_pc_clear_log(p->alice.x);
  sim_channel_release(a);
  assert_int_equal(floe_pc_data_channels(p->alice.x->core, NULL), 0);
  pc_true(p, pc_channel_run_to(b, FLOE_DATA_CHANNEL_CLOSED, 5000));
  sim_run_for(p->s, 1000);
  pc_expect(&p->alice, "");
  assert_int_equal(b->got, 10);
  pc_peers_free(p);
}

static void the_list_of_channels(void **state) {
  (void)state;
  pc_peers *p = connected(1);
  floe_data_channel *const *list;
  sim_channel *two = sim_pc_channel(p->alice.x, "two", NULL), *three = sim_pc_channel(p->alice.x, "three", NULL);
  assert_int_equal(floe_pc_data_channels(p->alice.x->core, &list), 3);
  assert_ptr_equal(list[0], pc_peer_channel(&p->alice, 0)->handle);
  assert_ptr_equal(list[1], two->handle);
  assert_ptr_equal(list[2], three->handle);
  assert_ptr_equal(floe_data_channel_pc(list[1]), p->alice.x->core);
  sim_channel_close(two); /* stays, closed or not */
  sim_run_for(p->s, 1000);
  assert_int_equal(floe_pc_data_channels(p->alice.x->core, &list), 3);
  sim_channel_release(two);
  assert_int_equal(floe_pc_data_channels(p->alice.x->core, &list), 2);
  assert_ptr_equal(list[1], three->handle);
  assert_null(floe_data_channel_user(three->handle));
  floe_data_channel_set_user(three->handle, p);
  floe_data_channel_set_driver(three->handle, p->s);
  assert_ptr_equal(floe_data_channel_user(three->handle), p);
  assert_ptr_equal(floe_data_channel_driver(three->handle), p->s);
  pc_peers_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_follow_the_dtls_role),
      cmocka_unit_test(an_id_is_known_once_the_role_is),
      cmocka_unit_test(negotiated_channels_are_not_announced),
      cmocka_unit_test(a_channel_of_one_side_alone),
      cmocka_unit_test(a_stream_is_used_again),
      cmocka_unit_test(options_are_told_in_band),
      cmocka_unit_test(a_label_may_be_long),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(there_are_max_channels),
      cmocka_unit_test(a_stream_that_was_not_negotiated),
      cmocka_unit_test(channels_beyond_the_streams_fail),
      cmocka_unit_test(messages_have_a_limit),
      cmocka_unit_test(only_an_open_channel_sends),
      cmocka_unit_test(a_late_channel_is_open_at_once),
      cmocka_unit_test(the_buffered_amount_goes_down),
      cmocka_unit_test(a_threshold_of_zero_tells_when_all_is_sent),
      cmocka_unit_test(a_full_queue_says_again),
      cmocka_unit_test(unreliable_channels_give_up),
      cmocka_unit_test(what_was_sent_before_closing_arrives),
      cmocka_unit_test(both_close_at_once),
      cmocka_unit_test(a_channel_may_be_closed_before_it_is_open),
      cmocka_unit_test(a_released_channel_is_silent),
      cmocka_unit_test(the_list_of_channels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
