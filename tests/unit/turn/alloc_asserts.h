/* What the tests of an allocation say of its end. */
#ifndef FLOE_TESTS_UNIT_TURN_ALLOC_ASSERTS_H
#define FLOE_TESTS_UNIT_TURN_ALLOC_ASSERTS_H

#include "fixture.h"

static inline void assert_ended(const fixture *fx) {
  assert_int_equal(fx->turn.state, FLOE__TURN_ENDED);
  assert_true(floe__turn_deadline(&fx->turn).at == FLOE_TIME_NEVER);
}

static inline void assert_failed(const fixture *fx, floe__turn_step step, floe_cause cause, unsigned code) {
  assert_int_equal(step, FLOE__TURN_STEP_FAILED);
  assert_string_equal(floe_cause_id(fx->turn.outcome.cause), floe_cause_id(cause));
  assert_int_equal(fx->turn.outcome.code, code);
  assert_int_equal(fx->turn.error_phase, FLOE_PHASE_ALLOCATE);
  assert_ended(fx);
}

static inline void assert_lost(const fixture *fx, floe__turn_step step, floe_cause cause, unsigned code) {
  assert_int_equal(step, FLOE__TURN_STEP_LOST);
  assert_string_equal(floe_cause_id(fx->turn.outcome.cause), floe_cause_id(cause));
  assert_int_equal(fx->turn.outcome.code, code);
  assert_int_equal(fx->turn.error_phase, FLOE_PHASE_REFRESH);
  assert_ended(fx);
}

static inline void assert_discarded(const fixture *fx, floe__turn_step step, floe_cause cause) {
  assert_int_equal(step, FLOE__TURN_STEP_DISCARDED);
  assert_string_equal(floe_cause_id(fx->turn.discard_cause), floe_cause_id(cause));
}

#endif
