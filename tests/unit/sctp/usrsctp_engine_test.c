/* What is one per process: the clock, the table of associations, memory; and memory that runs out. */
#include <malloc.h>

#include "fixture.h"
#include "sctp/crc32c.h"

static const floe__sctp_config plain = {.streams = 16};

/* Times of two programs' envs have nothing to do with each other. */
static void each_has_its_own_clock(void **state) {
  (void)state;
  sctp_pair a, b;
  open_pair(&a, &plain);
  sctp_pair_init(&b, NULL, &plain, &plain);
  b.now = 5 * FLOE_SECOND; /* hours before the other one's */
  b.is_dead[0] = true;
  floe__sctp_connect(b.side[0], b.now);
  sctp_pair_drain(&b, 0);
  for (int i = 0; i < 3099; i++) {
    if (i % 7 == 0) assert_int_equal(sctp_pair_say(&a, i % 2, 1, "x"), FLOE_OK);
    sctp_pair_run(&a, 10);
    sctp_pair_run(&b, 10);
    assert_string_equal(b.log[0], "");
  }
  sctp_pair_run(&b, 10);
  assert_string_equal(b.log[0], "closed sctp_timeout: INIT or COOKIE ECHO was not answered\n");
  assert_int_equal(a.messages[0] + a.messages[1], 443);
  sctp_pair_clear(&a);
  sctp_pair_clear(&b);
}

/* An association that was idle for an hour does not take that hour to the timers of the others. */
static void idle_time_is_not_counted(void **state) {
  (void)state;
  sctp_pair a, b;
  open_pair(&a, &plain);
  sctp_pair_init(&b, NULL, &plain, &plain);
  b.is_dead[0] = true;
  floe__sctp_connect(b.side[0], b.now);
  sctp_pair_drain(&b, 0);
  sctp_pair_run(&b, 500);
  a.now += 3600 * FLOE_SECOND;
  assert_int_equal(sctp_pair_say(&a, 0, 1, "good morning"), FLOE_OK);
  sctp_pair_run(&a, 10);
  assert_string_equal(a.log[1], "message 1/51 good morning\n");
  sctp_pair_run(&b, 480);
  assert_int_equal(b.packets[0], 1);
  sctp_pair_run(&b, 20);
  assert_int_equal(b.packets[0], 2); /* a second after the first */
  sctp_pair_clear(&a);
  sctp_pair_clear(&b);
}

/* What usrsctp still had to say for an association that is gone is not said by the next one in its place. */
static void the_dead_do_not_speak(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  for (int i = 0; i < 20; i++) {
    uint8_t data[5000] = {0};
    assert_int_equal(floe__sctp_send(p.side[0], 1, 53, (floe_bytes){.ptr = data, .len = sizeof data}, NULL, p.now),
                     FLOE_OK);
  }
  floe__sctp_free(p.side[0]);
  p.side[0] = floe__sctp_new(p.env, &plain, p.now);
  assert_false(floe__sctp_has_output(p.side[0]));
  sctp_pair other; /* whose time makes usrsctp's timers run */
  sctp_pair_init(&other, NULL, &plain, &plain);
  floe__sctp_connect(other.side[0], other.now);
  sctp_pair_drain(&other, 0);
  sctp_pair_run(&other, 20000);
  assert_false(floe__sctp_has_output(p.side[0]));
  assert_int_equal(floe__sctp_state_of(p.side[0]), FLOE__SCTP_NEW);
  sctp_pair_clear(&other);
  sctp_pair_clear(&p);
}

static void many_at_once(void **state) {
  (void)state;
  enum { N = 100 };
  static sctp_pair pairs[N];
  for (int i = 0; i < N; i++) open_pair(&pairs[i], &plain);
  for (int i = 0; i < N; i++) {
    char text[20];
    snprintf(text, sizeof text, "to %d", i);
    assert_int_equal(sctp_pair_say(&pairs[i], 0, 1, text), FLOE_OK);
  }
  for (int i = 0; i < N; i++) {
    char line[40];
    sctp_pair_run(&pairs[i], 10);
    snprintf(line, sizeof line, "message 1/51 to %d\n", i);
    assert_string_equal(pairs[i].log[1], line);
  }
  for (int i = 0; i < N; i += 2) sctp_pair_clear(&pairs[i]);
  for (int i = 1; i < N; i += 2) {
    assert_int_equal(sctp_pair_say(&pairs[i], 1, 1, "still here"), FLOE_OK);
    sctp_pair_run(&pairs[i], 10);
    assert_string_equal(pairs[i].log[0], "message 1/51 still here\n");
    sctp_pair_clear(&pairs[i]);
  }
}

static size_t memory_in_use(void) {
#if defined(__GLIBC__)
  struct mallinfo2 m = mallinfo2(); /* zeros under a sanitizer, which looks for leaks itself */
  return m.uordblks + m.hblkhd;
#else
  return 0;
#endif
}

static void one_life(sctp_pair *p, int i) {
  open_pair(p, &plain);
  assert_int_equal(sctp_pair_say(p, 0, (uint16_t)(i % 16), "hello"), FLOE_OK);
  sctp_pair_run(p, 10);
  assert_int_equal(p->messages[1], 1);
  if (i % 3 == 0) {
    floe__sctp_abort(p->side[0], "bye", p->now);
    sctp_pair_drain(p, 0);
    sctp_pair_run(p, 10);
  }
  sctp_pair_clear(p);
}

/* A thousand associations come and go: nothing of them stays. */
static void memory_does_not_grow(void **state) {
  (void)state;
  sctp_pair p;
  for (int i = 0; i < 100; i++) one_life(&p, i);
  size_t before = memory_in_use();
  for (int i = 0; i < 1000; i++) one_life(&p, i);
  size_t after = memory_in_use();
  if (after > before + 64 * 1024) fail_msg("%zu bytes before, %zu after", before, after);
}

/* A packet as good as any but for its tag, of each type of chunk there is, and of a few there are not. Found by
 * fuzzing: texts that were made to answer such packets stayed. */
static void packets_of_nobody(sctp_pair *p) {
  for (unsigned type = 0; type < 256; type++) {
    uint8_t packet[32] = {0x13, 0x88, 0x13, 0x88, 9, 9, 9, (uint8_t)type, 0, 0, 0, 0, (uint8_t)type, 3, 0, 20};
    floe__sctp_checksum_write(packet, sizeof packet);
    floe__sctp_on_packet(p->side[0], (floe_bytes){.ptr = packet, .len = sizeof packet}, p->now);
    sctp_pair_drain(p, 0);
  }
  sctp_pair_run(p, 20); /* SHUTDOWN ACK is answered (RFC 9260 8.5.1 E) */
}

static void packets_of_nobody_leave_nothing(void **state) {
  (void)state;
  sctp_pair p;
  open_pair(&p, &plain);
  packets_of_nobody(&p);
  size_t before = memory_in_use();
  for (int i = 0; i < 200; i++) packets_of_nobody(&p);
  size_t after = memory_in_use();
  if (after > before + 32 * 1024) fail_msg("%zu bytes before, %zu after", before, after);
  assert_string_equal(p.log[0], "");
  sctp_pair_clear(&p);
}

/* An env whose memory runs out at one call. */
typedef struct bed {
  unsigned calls, fail_at;
  int live;
} bed;

static void *bed_reallocate(void *user, void *ptr, size_t size) {
  bed *b = user;
  if (size == 0) {
    if (ptr != NULL) b->live--;
    free(ptr);
    return NULL;
  }
  if (++b->calls == b->fail_at) return NULL;
  if (ptr == NULL) b->live++;
  return realloc(ptr, size);
}

/* Everything that takes memory of the env. True: it went through to the end. */
static bool play(floe_env *env) {
  sctp_pair p;
  sctp_pair_init(&p, env, &plain, &plain);
  bool ok = p.side[0] != NULL && p.side[1] != NULL;
  if (ok) {
    floe__sctp_connect(p.side[0], p.now);
    sctp_pair_drain(&p, 0);
    sctp_pair_run(&p, 20); /* the other side keeps what comes early */
    floe__sctp_connect(p.side[1], p.now);
    sctp_pair_drain(&p, 1);
    sctp_pair_run(&p, 3000);
    uint8_t *data = calloc(1, 150000);
    floe_bytes large = {.ptr = data, .len = 150000};
    for (uint16_t stream = 0; stream < 3; stream++) {
      floe_status status = floe__sctp_send(p.side[0], stream, 53, large, NULL, p.now);
      ok = ok && status == FLOE_OK;
      sctp_pair_drain(&p, 0);
    }
    p.loss = 0.1;
    for (uint16_t stream = 3; stream < 6; stream++) ok = sctp_pair_say(&p, 1, stream, "small") == FLOE_OK && ok;
    for (uint16_t stream = 0; stream < 6; stream++)
      ok = floe__sctp_reset_stream(p.side[stream % 2], stream, p.now) == FLOE_OK && ok;
    sctp_pair_run(&p, 120000);
    ok = ok && p.messages[1] == 3 && p.messages[0] == 3;
    floe__sctp_abort(p.side[0], "bye", p.now);
    sctp_pair_drain(&p, 0);
    sctp_pair_run(&p, 100);
    free(data);
  }
  sctp_pair_clear(&p);
  return ok;
}

static void memory_may_run_out_at_any_call(void **state) {
  (void)state;
  unsigned failures = 0;
  for (unsigned fail_at = 1; fail_at < 2000; fail_at++) {
    bed b = {0};
    floe_env_config cfg;
    floe_env *env;
    floe_env_config_init(&cfg, sizeof cfg);
    cfg.user = &b;
    cfg.reallocate = bed_reallocate;
    assert_int_equal(floe_env_new(&env, &cfg), FLOE_OK);
    b.calls = 0;
    b.fail_at = fail_at;
    bool ok = play(env);
    floe_env_free(env);
    assert_int_equal(b.live, 0);
    if (b.calls < fail_at) {
      assert_true(ok);
      assert_true(failures > 10);
      return;
    }
    if (!ok) failures++;
  }
  fail_msg("the scenario never comes to its end");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_has_its_own_clock),         cmocka_unit_test(idle_time_is_not_counted),
      cmocka_unit_test(the_dead_do_not_speak),          cmocka_unit_test(many_at_once),
      cmocka_unit_test(memory_does_not_grow),           cmocka_unit_test(packets_of_nobody_leave_nothing),
      cmocka_unit_test(memory_may_run_out_at_any_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
