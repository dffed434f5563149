/* The signalling state machine (webrtc-pc 4.3.1, RFC 9429 4.1): each state with
 * each description from each side, what becomes of it or the error, and what is
 * pending and current afterwards. */
#include "support/pc_peers.h"

/* alice is looked at; bob makes the offers that she is given, carol the
 * answers. */
typedef struct table_world {
  pc_peers *p;
  pc_peers *more;
  sim_pc *alice, *bob, *carol;
  char *offer;  /* of bob */
  char *answer; /* of carol, to alice's offer */
} table_world;

static char *answer_of(sim_pc *x, const char *offer) {
  assert_int_equal(sim_pc_set_remote(x, FLOE_SDP_OFFER, offer), FLOE_OK);
  char *answer = sim_pc_create_answer(x);
  assert_non_null(answer);
  return answer;
}

static void make_offer_to_give(table_world *w) {
  free(w->offer);
  w->offer = sim_pc_create_offer(w->bob, NULL);
  assert_non_null(w->offer);
}

/* An answer of the right shape, also where no answer fits. */
static void make_answer_to_give(table_world *w) {
  bool has_offer = floe_pc_signaling_state(w->alice->core) == FLOE_SIGNALING_HAVE_LOCAL_OFFER ||
                   floe_pc_signaling_state(w->alice->core) == FLOE_SIGNALING_HAVE_REMOTE_PRANSWER;
  char *offer = has_offer ? sim_pc_local_sdp(w->alice) : sim_pc_create_offer(w->bob, NULL);
  free(w->answer);
  w->answer = answer_of(w->carol, offer);
  free(offer);
}

static table_world *new_world(void) {
  pc_peers *p = pc_peers_new(1);
  table_world *w = sim_keep(p->s, sizeof *w);
  w->p = p;
  w->more = pc_peers_new_in(p);
  pc_peers_set_mode(p, PC_MANUAL);
  pc_peers_set_mode(w->more, PC_MANUAL);
  pc_peers_start(p);
  pc_peers_start(w->more);
  w->alice = p->alice.x;
  w->bob = p->bob.x;
  w->carol = w->more->alice.x;
  assert_non_null(sim_pc_channel(w->alice, "data", NULL));
  assert_non_null(sim_pc_channel(w->bob, "data", NULL));
  make_offer_to_give(w);
  return w;
}

static void free_world(table_world *w) {
  free(w->offer);
  free(w->answer);
  pc_peers_free_pair(w->more);
  pc_peers_free(w->p);
}

static void bring_to(table_world *w, floe_signaling_state state) {
  switch (state) {
    case FLOE_SIGNALING_STABLE: break;
    case FLOE_SIGNALING_HAVE_LOCAL_OFFER:
      assert_int_equal(sim_pc_set_local(w->alice, FLOE_SDP_OFFER, NULL), FLOE_OK);
      break;
    case FLOE_SIGNALING_HAVE_REMOTE_OFFER:
      assert_int_equal(sim_pc_set_remote(w->alice, FLOE_SDP_OFFER, w->offer), FLOE_OK);
      break;
    case FLOE_SIGNALING_HAVE_LOCAL_PRANSWER:
      bring_to(w, FLOE_SIGNALING_HAVE_REMOTE_OFFER);
      assert_int_equal(sim_pc_set_local(w->alice, FLOE_SDP_PRANSWER, NULL), FLOE_OK);
      break;
    case FLOE_SIGNALING_HAVE_REMOTE_PRANSWER:
      bring_to(w, FLOE_SIGNALING_HAVE_LOCAL_OFFER);
      make_answer_to_give(w);
      assert_int_equal(sim_pc_set_remote(w->alice, FLOE_SDP_PRANSWER, w->answer), FLOE_OK);
      break;
    case FLOE_SIGNALING_CLOSED: sim_pc_close(w->alice); break;
  }
  assert_int_equal(floe_pc_signaling_state(w->alice->core), state);
  if (w->answer == NULL) make_answer_to_give(w);
}

static char letter_of(const floe_session_description *d) {
  static const char letters[] = "opar";
  return d == NULL ? '-' : letters[d->type];
}

/* currentLocal, pendingLocal, currentRemote, pendingRemote: none, Offer,
 * Pranswer, Answer. */
static void expect_descriptions(table_world *w, const char *expected) {
  floe_pc *pc = w->alice->core;
  const char actual[] = {
      letter_of(floe_pc_current_local_description(pc)), letter_of(floe_pc_pending_local_description(pc)),
      letter_of(floe_pc_current_remote_description(pc)), letter_of(floe_pc_pending_remote_description(pc)), '\0'};
  if (strcmp(actual, expected) != 0) sim_fail(w->p->s, "descriptions are %s, expected %s", actual, expected);
  char local = letter_of(floe_pc_local_description(pc)), remote = letter_of(floe_pc_remote_description(pc));
  assert_int_equal(local, actual[1] != '-' ? actual[1] : actual[0]);
  assert_int_equal(remote, actual[3] != '-' ? actual[3] : actual[2]);
}

/* --- the table
 * -----------------------------------------------------------------------------------------------------
 */

#define STABLE FLOE_SIGNALING_STABLE
#define HLO    FLOE_SIGNALING_HAVE_LOCAL_OFFER
#define HRO    FLOE_SIGNALING_HAVE_REMOTE_OFFER
#define HLP    FLOE_SIGNALING_HAVE_LOCAL_PRANSWER
#define HRP    FLOE_SIGNALING_HAVE_REMOTE_PRANSWER
#define CLOSED FLOE_SIGNALING_CLOSED

#define OFFER    FLOE_SDP_OFFER
#define PRANSWER FLOE_SDP_PRANSWER
#define ANSWER   FLOE_SDP_ANSWER
#define ROLLBACK FLOE_SDP_ROLLBACK

#define OK  FLOE_OK
#define BAD FLOE_E_STATE

typedef struct table_row {
  floe_signaling_state from;
  bool remote;
  floe_sdp_type type;
  floe_status status;
  floe_signaling_state to;
  const char *descriptions;
  const char *events;
} table_row;

#define EVENT(state) "signalingstatechange " state "\n"

static const table_row table[] = {
    {STABLE, false, OFFER, OK, HLO, "-o--", EVENT("have-local-offer")},
    {STABLE, false, PRANSWER, BAD, STABLE, "----", ""},
    {STABLE, false, ANSWER, BAD, STABLE, "----", ""},
    {STABLE, false, ROLLBACK, BAD, STABLE, "----", ""},
    {STABLE, true, OFFER, OK, HRO, "---o", EVENT("have-remote-offer")},
    {STABLE, true, PRANSWER, BAD, STABLE, "----", ""},
    {STABLE, true, ANSWER, BAD, STABLE, "----", ""},
    {STABLE, true, ROLLBACK, BAD, STABLE, "----", ""},

    {HLO, false, OFFER, OK, HLO, "-o--", ""},
    {HLO, false, PRANSWER, BAD, HLO, "-o--", ""},
    {HLO, false, ANSWER, BAD, HLO, "-o--", ""},
    {HLO, false, ROLLBACK, OK, STABLE, "----", EVENT("stable")},
    {HLO, true, OFFER, OK, HRO, "---o", EVENT("stable") EVENT("have-remote-offer")},
    {HLO, true, PRANSWER, OK, HRP, "-o-p", EVENT("have-remote-pranswer")},
    {HLO, true, ANSWER, OK, STABLE, "o-a-", EVENT("stable")},
    {HLO, true, ROLLBACK, OK, STABLE, "----", EVENT("stable")}, /* RFC 9429 5.7: by either method */

    {HRO, false, OFFER, BAD, HRO, "---o", ""},
    {HRO, false, PRANSWER, OK, HLP, "-p-o", EVENT("have-local-pranswer")},
    {HRO, false, ANSWER, OK, STABLE, "a-o-", EVENT("stable")},
    {HRO, false, ROLLBACK, OK, STABLE, "----", EVENT("stable")},
    {HRO, true, OFFER, OK, HRO, "---o", ""},
    {HRO, true, PRANSWER, BAD, HRO, "---o", ""},
    {HRO, true, ANSWER, BAD, HRO, "---o", ""},
    {HRO, true, ROLLBACK, OK, STABLE, "----", EVENT("stable")},

    {HLP, false, OFFER, BAD, HLP, "-p-o", ""},
    {HLP, false, PRANSWER, OK, HLP, "-p-o", ""},
    {HLP, false, ANSWER, OK, STABLE, "a-o-", EVENT("stable")},
    {HLP, false, ROLLBACK, BAD, HLP, "-p-o", ""},
    {HLP, true, OFFER, BAD, HLP, "-p-o", ""},
    {HLP, true, PRANSWER, BAD, HLP, "-p-o", ""},
    {HLP, true, ANSWER, BAD, HLP, "-p-o", ""},
    {HLP, true, ROLLBACK, BAD, HLP, "-p-o", ""},

    {HRP, false, OFFER, BAD, HRP, "-o-p", ""},
    {HRP, false, PRANSWER, BAD, HRP, "-o-p", ""},
    {HRP, false, ANSWER, BAD, HRP, "-o-p", ""},
    {HRP, false, ROLLBACK, BAD, HRP, "-o-p", ""},
    {HRP, true, OFFER, BAD, HRP, "-o-p", ""},
    {HRP, true, PRANSWER, OK, HRP, "-o-p", ""},
    {HRP, true, ANSWER, OK, STABLE, "o-a-", EVENT("stable")},
    {HRP, true, ROLLBACK, BAD, HRP, "-o-p", ""},

    {CLOSED, false, OFFER, BAD, CLOSED, NULL, ""},
    {CLOSED, false, PRANSWER, BAD, CLOSED, NULL, ""},
    {CLOSED, false, ANSWER, BAD, CLOSED, NULL, ""},
    {CLOSED, false, ROLLBACK, BAD, CLOSED, NULL, ""},
    {CLOSED, true, OFFER, BAD, CLOSED, NULL, ""},
    {CLOSED, true, PRANSWER, BAD, CLOSED, NULL, ""},
    {CLOSED, true, ANSWER, BAD, CLOSED, NULL, ""},
    {CLOSED, true, ROLLBACK, BAD, CLOSED, NULL, ""},
};

static floe_status apply(table_world *w, const table_row *row) {
  if (!row->remote) return sim_pc_set_local(w->alice, row->type, NULL);
  const char *sdp = row->type == OFFER ? w->offer : w->answer;
  return sim_pc_set_remote(w->alice, row->type, row->type == ROLLBACK ? NULL : sdp);
}

static void try_row(const table_row *row) {
  table_world *w = new_world();
  bring_to(w, row->from);
  sim_pc_clear_log(w->alice);
  floe_status st = apply(w, row);
  floe_signaling_state to = floe_pc_signaling_state(w->alice->core);
  if (st != row->status || to != row->to) {
    sim_fail(w->p->s, "%s, set%sDescription(%s): %s and %s, expected %s and %s", floe_signaling_state_name(row->from),
             row->remote ? "Remote" : "Local", floe_sdp_type_name(row->type), floe_status_name(st),
             floe_signaling_state_name(to), floe_status_name(row->status), floe_signaling_state_name(row->to));
  }
  expect_text(w->p->s, "signalling", sim_pc_events_with(w->alice, "signalingstatechange"), row->events);
  if (row->descriptions != NULL) expect_descriptions(w, row->descriptions);
  if (st != FLOE_OK) {
    assert_int_equal(w->alice->why.status, st);
    assert_true(w->alice->why.message[0] != '\0');
  }
  free_world(w);
}

static void each_description_in_each_state(void **state) {
  (void)state;
  assert_int_equal(sizeof table / sizeof table[0], 6 * 2 * 4);
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) try_row(&table[i]);
}

/* --- without an argument, and what is made
 * -------------------------------------------------------------------------
 */

static void set_local_without_an_argument(void **state) {
  (void)state;
  static const struct {
    floe_signaling_state from;
    floe_status status;
    floe_signaling_state to;
    const char *descriptions;
  } rows[] = {{STABLE, OK, HLO, "-o--"}, {HLO, OK, HLO, "-o--"},  {HRO, OK, STABLE, "a-o-"},
              {HLP, OK, STABLE, "a-o-"}, {HRP, BAD, HRP, "-o-p"}, {CLOSED, BAD, CLOSED, NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    table_world *w = new_world();
    bring_to(w, rows[i].from);
    pc_status(w->p, rows[i].status, sim_pc_set_local_implicit(w->alice));
    assert_int_equal(floe_pc_signaling_state(w->alice->core), rows[i].to);
    if (rows[i].descriptions != NULL) expect_descriptions(w, rows[i].descriptions);
    free_world(w);
  }
}

static void offers_and_answers_are_made_in_their_states(void **state) {
  (void)state;
  static const struct {
    floe_signaling_state in;
    bool offer, answer;
  } rows[] = {{STABLE, true, false}, {HLO, true, false},  {HRO, false, true},
              {HLP, false, true},    {HRP, false, false}, {CLOSED, false, false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    table_world *w = new_world();
    bring_to(w, rows[i].in);
    memset(&w->alice->why, 0, sizeof w->alice->why);
    char *offer = sim_pc_create_offer(w->alice, NULL);
    if ((offer != NULL) != rows[i].offer) {
      sim_fail(w->p->s, "createOffer in %s", floe_signaling_state_name(rows[i].in));
    }
    if (offer == NULL) assert_int_equal(w->alice->why.status, FLOE_E_STATE);
    char *answer = sim_pc_create_answer(w->alice);
    if ((answer != NULL) != rows[i].answer) {
      sim_fail(w->p->s, "createAnswer in %s", floe_signaling_state_name(rows[i].in));
    }
    if (answer == NULL) assert_int_equal(w->alice->why.status, FLOE_E_STATE);
    assert_int_equal(floe_pc_signaling_state(w->alice->core), rows[i].in); /* making is not setting */
    free(offer);
    free(answer);
    free_world(w);
  }
}

/* webrtc-pc 4.4.2 setLocalDescription: what is set is what was made. */
static void only_what_was_made_can_be_set_here(void **state) {
  (void)state;
  table_world *w = new_world();
  char *offer = sim_pc_create_offer(w->alice, NULL);
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, OFFER, w->offer));
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, OFFER, "v=0\r\n"));
  char *changed = sim_must(malloc(strlen(offer) + 20));
  (void)sprintf(changed, "%sa=x-changed\r\n", offer);
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, OFFER, changed));
  assert_int_equal(floe_pc_signaling_state(w->alice->core), STABLE);
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, OFFER, offer));
  free(offer);
  free(changed);
  free_world(w);

  w = new_world();
  bring_to(w, HRO);
  char *answer = sim_pc_create_answer(w->alice);
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, ANSWER, w->answer));
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, PRANSWER, w->answer));
  assert_int_equal(floe_pc_signaling_state(w->alice->core), HRO);
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, PRANSWER, answer));
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, ANSWER, answer));
  free(answer);
  free_world(w);
}

static void an_older_offer_is_not_the_last_one(void **state) {
  (void)state;
  table_world *w = new_world();
  char *first = sim_pc_create_offer(w->alice, NULL);
  char *second = sim_pc_create_offer(w->alice, &(floe_offer_options){.ice_restart = true});
  assert_string_not_equal(first, second);
  pc_status(w->p, FLOE_E_MODIFICATION, sim_pc_set_local(w->alice, OFFER, first));
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, OFFER, second));
  free(first);
  free(second);
  free_world(w);
}

/* --- a later negotiation
 * -------------------------------------------------------------------------------------------
 */

static void connect_by_hand(table_world *w) {
  assert_int_equal(sim_pc_set_local_implicit(w->alice), FLOE_OK);
  char *offer = sim_pc_local_sdp(w->alice);
  free(w->answer);
  w->answer = answer_of(w->carol, offer);
  assert_int_equal(sim_pc_set_local_implicit(w->carol), FLOE_OK);
  assert_int_equal(sim_pc_set_remote(w->alice, ANSWER, w->answer), FLOE_OK);
  free(offer);
}

static void a_rollback_leaves_what_is_current(void **state) {
  (void)state;
  table_world *w = new_world();
  connect_by_hand(w);
  expect_descriptions(w, "o-a-");
  pc_status(w->p, FLOE_OK, sim_pc_set_local_implicit(w->alice));
  expect_descriptions(w, "ooa-");
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, ROLLBACK, NULL));
  expect_descriptions(w, "o-a-");

  char *offer = sim_pc_create_offer(w->carol, NULL);
  pc_status(w->p, FLOE_OK, sim_pc_set_remote(w->alice, OFFER, offer));
  expect_descriptions(w, "o-ao");
  pc_status(w->p, FLOE_OK, sim_pc_set_remote(w->alice, ROLLBACK, "whatever stands here"));
  expect_descriptions(w, "o-a-");

  pc_status(w->p, FLOE_OK, sim_pc_set_local_implicit(w->alice));
  pc_status(w->p, FLOE_OK, sim_pc_set_remote(w->alice, OFFER, offer)); /* the implicit rollback */
  expect_descriptions(w, "o-ao");
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, PRANSWER, NULL));
  expect_descriptions(w, "opao");
  pc_status(w->p, FLOE_OK, sim_pc_set_local(w->alice, ANSWER, NULL));
  expect_descriptions(w, "a-o-");
  free(offer);
  free_world(w);
}

/* All or nothing: what cannot be applied leaves everything as it was. */
static void a_refused_description_changes_nothing(void **state) {
  (void)state;
  table_world *w = new_world();
  bring_to(w, HLO);
  sim_pc_clear_log(w->alice);
  pc_status(w->p, FLOE_E_SYNTAX, sim_pc_set_remote(w->alice, ANSWER, "v=0\r\nthis is no description\r\n"));
  assert_string_equal(w->alice->why.path, "sdp");
  assert_int_equal(w->alice->why.line, 2);
  /* an implicit rollback is undone, too */
  pc_status(w->p, FLOE_E_SYNTAX, sim_pc_set_remote(w->alice, OFFER, "nor is this\r\n"));
  assert_int_equal(w->alice->why.line, 1);
  pc_status(w->p, FLOE_E_SYNTAX, sim_pc_set_remote(w->alice, OFFER, ""));
  assert_int_equal(floe_pc_signaling_state(w->alice->core), HLO);
  expect_descriptions(w, "-o--");
  expect_text(w->p->s, "signalling", sim_pc_events_with(w->alice, "signalingstatechange"), "");
  make_answer_to_give(w);
  pc_status(w->p, FLOE_OK, sim_pc_set_remote(w->alice, ANSWER, w->answer));
  free_world(w);
}

/* RFC 3264 6: an answer has the sections of the offer. */
static void an_answer_of_another_shape_cannot_be_applied(void **state) {
  (void)state;
  table_world *w = new_world();
  bring_to(w, HLO);
  make_answer_to_give(w);
  char *text = sim_must(calloc(1, 2 * strlen(w->answer) + 1));
  char *section = strstr(w->answer, "m=application");
  assert_non_null(section);
  (void)sprintf(text, "%.*s", (int)(section - w->answer), w->answer); /* none */
  pc_status(w->p, FLOE_E_ACCESS, sim_pc_set_remote(w->alice, ANSWER, text));
  (void)sprintf(text, "%s%s", w->answer, section); /* twice */
  floe_status st = sim_pc_set_remote(w->alice, ANSWER, text);
  assert_true(st == FLOE_E_ACCESS || st == FLOE_E_SYNTAX);
  assert_int_equal(floe_pc_signaling_state(w->alice->core), HLO);
  free(text);
  free_world(w);
}

static void names_of_types(void **state) {
  (void)state;
  static const char *const names[] = {"offer", "pranswer", "answer", "rollback"};
  floe_sdp_type type;
  for (int i = 0; i < 4; i++) {
    assert_string_equal(floe_sdp_type_name((floe_sdp_type)i), names[i]);
    assert_true(floe_sdp_type_from_name(&type, names[i]));
    assert_int_equal(type, i);
  }
  assert_false(floe_sdp_type_from_name(&type, "Offer"));
  assert_false(floe_sdp_type_from_name(&type, ""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_description_in_each_state),
      cmocka_unit_test(set_local_without_an_argument),
      cmocka_unit_test(offers_and_answers_are_made_in_their_states),
      cmocka_unit_test(only_what_was_made_can_be_set_here),
      cmocka_unit_test(an_older_offer_is_not_the_last_one),
      cmocka_unit_test(a_rollback_leaves_what_is_current),
      cmocka_unit_test(a_refused_description_changes_nothing),
      cmocka_unit_test(an_answer_of_another_shape_cannot_be_applied),
      cmocka_unit_test(names_of_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
