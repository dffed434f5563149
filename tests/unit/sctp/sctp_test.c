#include "sctp/sctp.h"

#include "fixture.h"
#include "sctp/crc32c.h"

static const floe__sctp_config plain = {.streams = 16};

static void both_sides_connect_at_once(void **state) {
  (void)state;
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &plain);
  assert_int_equal(floe__sctp_state_of(p.side[0]), FLOE__SCTP_NEW);
  assert_false(floe__sctp_has_output(p.side[0]));
  assert_int_equal(floe__sctp_deadline(p.side[0]).at, FLOE_TIME_NEVER);
  floe_time start = p.now;
  floe__sctp_connect(p.side[0], p.now);
  assert_int_equal(floe__sctp_state_of(p.side[0]), FLOE__SCTP_CONNECTING);
  assert_true(floe__sctp_has_output(p.side[0]));
  sctp_pair_connect(&p);                      /* connecting once more is nothing */
  assert_true(p.now - start <= 50 * FLOE_MS); /* two round trips: RFC 9260 5.2.1 */
  assert_string_equal(p.log[0], "connected 16/16\n");
  assert_string_equal(p.log[1], "connected 16/16\n");
  assert_true(floe__sctp_info_of(p.side[0])->interleaving);
  assert_int_equal(floe__sctp_info_of(p.side[0])->path_mtu, 1144);
  assert_int_equal(floe__sctp_info_of(p.side[0])->cause, FLOE_CAUSE_NONE);
  sctp_pair_clear(&p);
}

/* RFC 8841: both sides begin, and not at the same moment. What comes first is kept. */
static void one_side_is_late(void **state) {
  (void)state;
  for (unsigned late_ms = 5; late_ms <= 45; late_ms += 5) {
    sctp_pair p;
    sctp_pair_init(&p, NULL, &plain, &plain);
    floe_time start = p.now;
    floe__sctp_connect(p.side[0], p.now);
    sctp_pair_drain(&p, 0);
    sctp_pair_run(&p, late_ms);
    assert_string_equal(p.log[0], "");
    floe__sctp_connect(p.side[1], p.now);
    sctp_pair_drain(&p, 1);
    sctp_pair_run(&p, 60);
    assert_string_equal(p.log[0], "connected 16/16\n");
    assert_string_equal(p.log[1], "connected 16/16\n");
    assert_true(p.now - start < 200 * FLOE_MS);
    sctp_pair_clear(&p);
  }
}

static void fewer_streams_win(void **state) {
  (void)state;
  const floe__sctp_config few = {.streams = 4}, many = {.streams = 300};
  sctp_pair p;
  sctp_pair_init(&p, NULL, &few, &many);
  sctp_pair_connect(&p);
  assert_string_equal(p.log[0], "connected 4/4\n");
  assert_string_equal(p.log[1], "connected 4/4\n");
  assert_int_equal(sctp_pair_say(&p, 1, 4, "x"), FLOE_E_NOT_FOUND);
  assert_int_equal(sctp_pair_say(&p, 1, 3, "x"), FLOE_OK);
  assert_int_equal(floe__sctp_reset_stream(p.side[1], 4, p.now), FLOE_E_NOT_FOUND);
  sctp_pair_clear(&p);
}

static void interleaving_needs_both(void **state) {
  (void)state;
  const floe__sctp_config without = {.streams = 16, .no_interleaving = true};
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &without);
  sctp_pair_connect(&p);
  assert_false(floe__sctp_info_of(p.side[0])->interleaving);
  assert_false(floe__sctp_info_of(p.side[1])->interleaving);
  sctp_pair_clear(&p);
}

/* Every packet of the handshake is lost in turn. */
static int lose_at;
static bool lose_one(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)p, (void)from, (void)packet, (void)len;
  return lose_at-- != 0;
}

static void each_packet_of_the_handshake_may_be_lost(void **state) {
  (void)state;
  for (int i = 0; i < 8; i++) {
    sctp_pair p;
    sctp_pair_init(&p, NULL, &plain, &plain);
    p.on_packet = lose_one;
    lose_at = i;
    sctp_pair_connect(&p);
    sctp_pair_run(&p, 2000);
    assert_string_equal(p.log[0], "connected 16/16\n");
    assert_string_equal(p.log[1], "connected 16/16\n");
    sctp_pair_forget(&p);
    assert_int_equal(sctp_pair_say(&p, 0, 1, "hello"), FLOE_OK);
    assert_true(sctp_pair_settle(&p, 5000));
    assert_string_equal(p.log[1], "message 1/51 hello\n");
    sctp_pair_clear(&p);
  }
}

static void handshake_under_loss(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    sctp_pair p;
    sctp_pair_init(&p, NULL, &plain, &plain);
    p.seed = seed;
    p.loss = 0.1 + 0.01 * (double)(seed % 21);
    p.jitter = 30 * FLOE_MS;
    p.twice = 0.1;
    sctp_pair_connect(&p);
    for (int side = 0; side < 2; side++) assert_string_equal(p.log[side], "connected 16/16\n");
    sctp_pair_clear(&p);
  }
}

/* INIT at 0, 1, 3, 7, 11, ... s: eight times again, then it is over. */
static void nobody_answers(void **state) {
  (void)state;
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &plain);
  p.is_dead[0] = true;
  floe__sctp_connect(p.side[0], p.now);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 30990);
  assert_string_equal(p.log[0], "");
  assert_int_equal(p.packets[0], 9);
  sctp_pair_run(&p, 10);
  assert_string_equal(p.log[0], "closed sctp_timeout: INIT or COOKIE ECHO was not answered\n");
  assert_int_equal(floe__sctp_state_of(p.side[0]), FLOE__SCTP_CLOSED);
  assert_int_equal(floe__sctp_deadline(p.side[0]).at, FLOE_TIME_NEVER);
  assert_int_equal(sctp_pair_say(&p, 0, 1, "x"), FLOE_E_STATE);
  assert_int_equal(floe__sctp_reset_stream(p.side[0], 1, p.now), FLOE_E_STATE);
  sctp_pair_clear(&p);
}

static void peer_goes_silent(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.is_dead[1] = true;
  floe_time start = p.now;
  assert_int_equal(sctp_pair_say(&p, 0, 1, "are you there?"), FLOE_OK);
  while (p.log[0][0] == '\0' && p.now < start + 300 * FLOE_SECOND) sctp_pair_run(&p, 100);
  assert_string_equal(p.log[0], "closed sctp_timeout: what was sent was not acknowledged\n");
  assert_false(floe__sctp_info_of(p.side[0])->has_abort_code);
  /* ten retransmissions, from 100 ms, doubled, at most 10 s apart */
  assert_true(p.now - start > 40 * FLOE_SECOND && p.now - start < 60 * FLOE_SECOND);
  sctp_pair_clear(&p);
}

/* An idle association has no timer, however long: ICE watches the path. */
static void idle_is_idle(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  size_t before = p.packets[0] + p.packets[1];
  assert_int_equal(floe__sctp_deadline(p.side[0]).at, FLOE_TIME_NEVER);
  sctp_pair_run(&p, 3600 * 1000);
  assert_int_equal(p.packets[0] + p.packets[1], before);
  assert_int_equal(sctp_pair_say(&p, 0, 1, "good morning"), FLOE_OK);
  assert_string_equal(floe__sctp_deadline(p.side[0]).reason, "sctp.tick");
  sctp_pair_run(&p, 10);
  assert_string_equal(p.log[1], "message 1/51 good morning\n");
  assert_true(sctp_pair_settle(&p, 2000));
  sctp_pair_clear(&p);
}

static void abort_tells_code_and_text(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  floe__sctp_abort(p.side[0], "enough", p.now);
  sctp_pair_drain(&p, 0);
  assert_string_equal(p.log[0], "closed sctp_abort by us: enough (12)\n");
  sctp_pair_run(&p, 10);
  assert_string_equal(p.log[1], "closed sctp_abort: User-Initiated Abort: enough (12)\n");
  assert_int_equal(floe__sctp_state_of(p.side[1]), FLOE__SCTP_CLOSED);
  floe__sctp_abort(p.side[0], "again", p.now); /* nothing */
  sctp_pair_run(&p, 1000);
  assert_string_equal(p.log[0], "closed sctp_abort by us: enough (12)\n");
  sctp_pair_clear(&p);
}

static void abort_of_both_without_a_text(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  for (int side = 0; side < 2; side++) {
    floe__sctp_abort(p.side[side], NULL, p.now);
    sctp_pair_drain(&p, side);
  }
  sctp_pair_run(&p, 1000);
  assert_string_equal(p.log[0], "closed sctp_abort by us (12)\n");
  assert_string_equal(p.log[1], "closed sctp_abort by us (12)\n");
  sctp_pair_clear(&p);
}

static void abort_before_and_while_connecting(void **state) {
  (void)state;
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &plain);
  floe__sctp_abort(p.side[0], "never mind", p.now);
  sctp_pair_drain(&p, 0);
  assert_string_equal(p.log[0], "closed sctp_abort by us: never mind (12)\n");
  assert_int_equal(p.packets[0], 0);
  floe__sctp_connect(p.side[1], p.now);
  floe__sctp_abort(p.side[1], "never mind", p.now);
  sctp_pair_drain(&p, 1);
  assert_string_equal(p.log[1], "closed sctp_abort by us: never mind (12)\n");
  sctp_pair_run(&p, 5000);
  sctp_pair_clear(&p);
}

/* A text of the peer's may hold anything: it goes into messages for people. */
static bool spoil_text(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)p, (void)from;
  for (size_t i = 12; i < *len; i++) {
    if (packet[i] == '~') packet[i] = 0x1B;
  }
  floe__sctp_checksum_write(packet, *len);
  return true;
}

static void text_of_the_peer_is_cleaned(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = spoil_text;
  char text[400];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  text[0] = '~';
  floe__sctp_abort(p.side[0], text, p.now);
  sctp_pair_drain(&p, 0);
  sctp_pair_run(&p, 10);
  const char *said = floe__sctp_info_of(p.side[1])->text;
  assert_memory_equal(said, "User-Initiated Abort: ?xxx", 26);
  assert_int_equal(strlen(said), 199);
  sctp_pair_clear(&p);
}

static void freed_in_every_state(void **state) {
  (void)state;
  sctp_pair p;
  sctp_pair_init(&p, NULL, &plain, &plain);
  sctp_pair_clear(&p); /* new */
  sctp_pair_init(&p, NULL, &plain, &plain);
  floe__sctp_connect(p.side[0], p.now);
  sctp_pair_clear(&p); /* connecting */
  open_pair(&p, &plain);
  assert_int_equal(sctp_pair_say(&p, 0, 1, "last words"), FLOE_OK);
  assert_int_equal(sctp_pair_say(&p, 1, 1, "to nobody"), FLOE_OK);
  floe__sctp_free(p.side[0]); /* connected, with data under way */
  p.side[0] = NULL;
  sctp_pair_run(&p, 500);
  assert_string_equal(p.log[1], "message 1/51 last words\n"); /* and not a word about the end */
  sctp_pair_clear(&p);
  floe__sctp_free(NULL);
}

/* Anything at all may come: it is not ours to trust before the tag fits. */
static void garbage_is_ignored(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  uint8_t packet[200];
  for (int i = 0; i < 2000; i++) {
    size_t len = sctp_pair_random(&p) % sizeof packet;
    for (size_t k = 0; k < len; k++) packet[k] = (uint8_t)sctp_pair_random(&p);
    floe__sctp_on_packet(p.side[0], (floe_bytes){.ptr = packet, .len = len}, p.now);
    sctp_pair_drain(&p, 0);
  }
  assert_string_equal(p.log[0], "");
  assert_int_equal(sctp_pair_say(&p, 1, 2, "still here"), FLOE_OK);
  sctp_pair_run(&p, 10);
  assert_string_equal(p.log[0], "message 2/51 still here\n");
  sctp_pair_clear(&p);
}

/* A bit of each packet is turned: the checksum sees it, and retransmission repairs it. */
static bool damage(sctp_pair *p, int from, uint8_t *packet, size_t *len) {
  (void)from;
  if (sctp_pair_random(p) % 4 == 0) packet[sctp_pair_random(p) % *len] ^= (uint8_t)(1u << sctp_pair_random(p) % 8);
  return true;
}

static void damaged_packets_are_lost_packets(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  p.on_packet = damage;
  for (int i = 0; i < 50; i++) assert_int_equal(sctp_pair_say(&p, 0, 1, "a"), FLOE_OK);
  assert_true(sctp_pair_settle(&p, 120000));
  assert_int_equal(p.messages[1], 50);
  sctp_pair_clear(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_sides_connect_at_once),
      cmocka_unit_test(one_side_is_late),
      cmocka_unit_test(fewer_streams_win),
      cmocka_unit_test(interleaving_needs_both),
      cmocka_unit_test(each_packet_of_the_handshake_may_be_lost),
      cmocka_unit_test(handshake_under_loss),
      cmocka_unit_test(nobody_answers),
      cmocka_unit_test(peer_goes_silent),
      cmocka_unit_test(idle_is_idle),
      cmocka_unit_test(abort_tells_code_and_text),
      cmocka_unit_test(abort_of_both_without_a_text),
      cmocka_unit_test(abort_before_and_while_connecting),
      cmocka_unit_test(text_of_the_peer_is_cleaned),
      cmocka_unit_test(freed_in_every_state),
      cmocka_unit_test(garbage_is_ignored),
      cmocka_unit_test(damaged_packets_are_lost_packets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
