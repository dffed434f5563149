#include "uv/event_target.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

typedef struct fixture {
  floe__uv_mem mem;
  floe__uv_event_target target;
  char log[64]; /* one letter per call */
  int allocations_left;
} fixture;

static fixture f;

static void *reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return f.allocations_left-- > 0 ? realloc(ptr, size) : NULL;
}

static int setup(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  f.mem = (floe__uv_mem){reallocate, NULL};
  f.allocations_left = 1000;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  floe__uv_target_clear(&f.target, &f.mem);
  return 0;
}

static void note(const char *text) {
  strncat(f.log, text, sizeof f.log - strlen(f.log) - 1);
}

/* A string of one letter, the same each time, to be a listener's user. */
static char *letter(char c) {
  static char letters[128][2];
  letters[(unsigned char)c][0] = c;
  return letters[(unsigned char)c];
}

static void listen_a(const floe_event *event, void *user) {
  (void)event;
  note(user == NULL ? "a" : user);
}

static void listen_b(const floe_event *event, void *user) {
  (void)event;
  note(user == NULL ? "b" : user);
}

static void add(floe_event_listener fn, void *user) {
  assert_int_equal(floe__uv_target_add(&f.target, &f.mem, FLOE_EVENT_ICECANDIDATE, fn, user), FLOE_OK);
}

static void remove_it(floe_event_listener fn, void *user) {
  floe__uv_target_remove(&f.target, FLOE_EVENT_ICECANDIDATE, fn, user);
}

static void set(floe_event_listener fn, void *user) {
  assert_int_equal(floe__uv_target_set_handler(&f.target, &f.mem, FLOE_EVENT_ICECANDIDATE, fn, user), FLOE_OK);
}

static const char *dispatch(void) {
  floe_event event = {.type = FLOE_EVENT_ICECANDIDATE};
  f.log[0] = '\0';
  floe__uv_target_dispatch(&f.target, &event);
  return f.log;
}

static void listeners_run_in_the_order_they_were_added(void **state) {
  (void)state;
  add(listen_b, NULL);
  add(listen_a, NULL);
  add(listen_b, letter('c'));
  assert_string_equal(dispatch(), "bac");
}

static void the_same_function_and_user_is_added_once(void **state) {
  (void)state;
  add(listen_a, NULL);
  add(listen_b, NULL);
  add(listen_a, NULL);
  assert_string_equal(dispatch(), "ab");
  add(listen_a, letter('x'));
  assert_string_equal(dispatch(), "abx");
}

static void only_listeners_of_the_type_run(void **state) {
  (void)state;
  add(listen_a, NULL);
  assert_int_equal(floe__uv_target_add(&f.target, &f.mem, FLOE_EVENT_ICECANDIDATEERROR, listen_b, NULL), FLOE_OK);
  assert_string_equal(dispatch(), "a");
  floe__uv_target_remove(&f.target, FLOE_EVENT_ICECANDIDATEERROR, listen_a, NULL);
  assert_string_equal(dispatch(), "a");
}

static void an_unknown_type_is_refused(void **state) {
  (void)state;
  assert_int_equal(floe__uv_target_add(&f.target, &f.mem, FLOE_EVENT_COUNT, listen_a, NULL), FLOE_E_TYPE);
  assert_int_equal(floe__uv_target_add(&f.target, &f.mem, (floe_event_type)-1, listen_a, NULL), FLOE_E_TYPE);
  assert_int_equal(f.target.n, 0);
}

static void no_function_is_no_listener(void **state) {
  (void)state;
  add(NULL, NULL);
  assert_int_equal(f.target.n, 0);
  remove_it(NULL, NULL);
}

static void a_removed_listener_runs_no_more_and_comes_back_last(void **state) {
  (void)state;
  add(listen_a, NULL);
  add(listen_b, NULL);
  remove_it(listen_a, letter('o'));
  assert_string_equal(dispatch(), "ab");
  remove_it(listen_a, NULL);
  assert_string_equal(dispatch(), "b");
  add(listen_a, NULL);
  assert_string_equal(dispatch(), "ba");
}

static void remove_self(const floe_event *event, void *user) {
  (void)event;
  note("s");
  remove_it(remove_self, user);
}

static void remove_a(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  note("r");
  remove_it(listen_a, NULL);
}

static void a_listener_may_remove_itself(void **state) {
  (void)state;
  add(remove_self, NULL);
  add(listen_a, NULL);
  assert_string_equal(dispatch(), "sa");
  assert_string_equal(dispatch(), "a");
  assert_int_equal(f.target.n, 1);
}

static void one_removed_during_dispatch_is_not_called(void **state) {
  (void)state;
  add(remove_a, NULL);
  add(listen_a, NULL);
  add(listen_b, NULL);
  assert_string_equal(dispatch(), "rb");
}

static void add_many(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  note("m");
  for (char c = '0'; c < '8'; c++) add(listen_a, letter(c));
}

static void one_added_during_dispatch_waits_for_the_next_event(void **state) {
  (void)state;
  add(add_many, NULL);
  add(listen_b, NULL);
  assert_string_equal(dispatch(), "mb");
  assert_string_equal(dispatch(), "mb01234567");
}

static void add_a_again(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  remove_it(listen_a, NULL);
  add(listen_a, NULL);
}

static void one_removed_and_added_again_during_dispatch_waits_too(void **state) {
  (void)state;
  add(add_a_again, NULL);
  add(listen_a, NULL);
  add(listen_b, NULL);
  assert_string_equal(dispatch(), "b");
  assert_int_equal(f.target.n, 3);
}

static void the_handler_keeps_its_place_when_it_is_replaced(void **state) {
  (void)state;
  add(listen_a, letter('1'));
  set(listen_a, letter('h'));
  add(listen_a, letter('2'));
  assert_string_equal(dispatch(), "1h2");
  set(listen_b, letter('H'));
  assert_string_equal(dispatch(), "1H2");
}

static void the_handler_is_no_duplicate_of_a_listener(void **state) {
  (void)state;
  add(listen_a, NULL);
  set(listen_a, NULL);
  assert_string_equal(dispatch(), "aa");
  remove_it(listen_a, NULL);
  assert_string_equal(dispatch(), "a");
  set(NULL, NULL);
  assert_string_equal(dispatch(), "");
}

static void a_removed_handler_comes_back_last(void **state) {
  (void)state;
  set(listen_a, letter('h'));
  add(listen_b, NULL);
  set(NULL, NULL);
  assert_string_equal(dispatch(), "b");
  set(NULL, NULL);
  set(listen_a, letter('h'));
  assert_string_equal(dispatch(), "bh");
}

static void replace_handler(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  set(listen_b, letter('n'));
}

static void a_handler_replaced_during_dispatch_runs_as_the_new_one(void **state) {
  (void)state;
  add(replace_handler, NULL);
  set(listen_a, letter('o'));
  assert_string_equal(dispatch(), "n");
}

static void each_type_has_a_handler_of_its_own(void **state) {
  (void)state;
  set(listen_a, NULL);
  assert_int_equal(floe__uv_target_set_handler(&f.target, &f.mem, FLOE_EVENT_ICEGATHERINGSTATECHANGE, listen_b, NULL),
                   FLOE_OK);
  assert_string_equal(dispatch(), "a");
}

static void remove_everything(const floe_event *event, void *user) {
  (void)event;
  (void)user;
  note("x");
  floe__uv_target_remove_all(&f.target);
}

static void all_may_be_removed_during_dispatch(void **state) {
  (void)state;
  add(remove_everything, NULL);
  add(listen_a, NULL);
  set(listen_b, NULL);
  assert_string_equal(dispatch(), "x");
  assert_int_equal(f.target.n, 0);
  assert_string_equal(dispatch(), "");
}

static void dispatch_once_more(const floe_event *event, void *user) {
  (void)user;
  note("(");
  remove_it(dispatch_once_more, NULL);
  floe__uv_target_dispatch(&f.target, event);
  note(")");
}

static void dispatch_may_be_nested(void **state) {
  (void)state;
  add(dispatch_once_more, NULL);
  add(listen_a, NULL);
  assert_string_equal(dispatch(), "(a)a");
  assert_int_equal(f.target.n, 1);
}

static void no_memory_is_told_and_changes_nothing(void **state) {
  (void)state;
  f.allocations_left = 0;
  assert_int_equal(floe__uv_target_add(&f.target, &f.mem, FLOE_EVENT_ICECANDIDATE, listen_a, NULL), FLOE_E_NOMEM);
  assert_int_equal(floe__uv_target_set_handler(&f.target, &f.mem, FLOE_EVENT_ICECANDIDATE, listen_a, NULL),
                   FLOE_E_NOMEM);
  assert_string_equal(dispatch(), "");
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(listeners_run_in_the_order_they_were_added),
      TEST(the_same_function_and_user_is_added_once),
      TEST(only_listeners_of_the_type_run),
      TEST(an_unknown_type_is_refused),
      TEST(no_function_is_no_listener),
      TEST(a_removed_listener_runs_no_more_and_comes_back_last),
      TEST(a_listener_may_remove_itself),
      TEST(one_removed_during_dispatch_is_not_called),
      TEST(one_added_during_dispatch_waits_for_the_next_event),
      TEST(one_removed_and_added_again_during_dispatch_waits_too),
      TEST(the_handler_keeps_its_place_when_it_is_replaced),
      TEST(the_handler_is_no_duplicate_of_a_listener),
      TEST(a_removed_handler_comes_back_last),
      TEST(a_handler_replaced_during_dispatch_runs_as_the_new_one),
      TEST(each_type_has_a_handler_of_its_own),
      TEST(all_may_be_removed_during_dispatch),
      TEST(dispatch_may_be_nested),
      TEST(no_memory_is_told_and_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
