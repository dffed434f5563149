/* Peer connections on the driver, over a scripted core: what is passed on, who hears what, and who may go when. */
#include "uv/pc.h"

#include <stdlib.h>

#include "driver_parts/fake_pc.h"
#include "driver_parts/fixture.h"
#include "uv/monitor.h"

typedef struct rig {
  fixture base; /* its agent is not used */
  floe_uv_pc *pc;
  fake_pc *fake;
} rig;

static floe_uv_pc *make_pc(floe_uv *uv) {
  floe_uv_pc *pc = NULL;
  assert_int_equal(floe_uv_pc_new(&pc, uv, NULL, NULL), FLOE_OK);
  return pc;
}

static int set_up(void **state) {
  static rig r;
  fixture_init(&r.base, NULL);
  r.pc = make_pc(r.base.uv);
  r.fake = fake_pc_of(r.pc);
  *state = &r;
  return 0;
}

static int tear_down(void **state) {
  rig *r = *state;
  fixture_clear(&r->base);
  return 0;
}

/* Makes the driver take what was pushed. */
static void run(rig *r) {
  if (r->pc != NULL) floe__uv_agent_wake(&r->pc->agent);
  for (int i = 0; i < 5; i++) (void)uv_run(&r->base.loop, UV_RUN_NOWAIT);
}

static floe_data_channel *make_channel(rig *r) {
  floe_data_channel *channel = NULL;
  assert_int_equal(floe_uv_pc_create_data_channel(r->pc, "label", NULL, &channel, NULL), FLOE_OK);
  return channel;
}

static floe_bytes bytes_of(const char *text) {
  return (floe_bytes){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

/* ---- what was called, in order ---- */

static char happened[512];

static void note(const char *word) {
  size_t len = strlen(happened);
  (void)snprintf(happened + len, sizeof happened - len, "%s%s", len == 0 ? "" : " ", word);
}

static void on_event(const floe_event *event, void *user) {
  (void)event;
  note(user == NULL ? "event" : user);
}

static void on_closed(void *user) {
  (void)user;
  note("closed");
}

/* ---- calls ---- */

static void assert_called(const rig *r, const char *name, floe_time since, const char *text) {
  assert_string_equal(r->fake->call.name, name);
  assert_in_range(r->fake->call.now, since, floe_uv_now(r->base.uv));
  assert_string_equal(r->fake->call.text, text);
}

static void assert_passed_on(const rig *r, const char *name, floe_time since, const char *text) {
  assert_called(r, name, since, text);
  assert_true(r->pc->agent.is_ready); /* the outputs are taken soon */
}

static void calls_are_passed_on_with_the_drivers_clock(void **state) {
  rig *r = *state;
  floe_time since = floe_uv_now(r->base.uv);
  const char *sdp = NULL;
  floe_session_description d = {.type = FLOE_SDP_OFFER, .sdp = "v=0"};
  floe_ice_candidate_init candidate = {.candidate = "candidate:1"};
  floe_offer_options options = {.ice_restart = true};
  run(r);
  assert_int_equal(floe_uv_pc_set_configuration(r->pc, NULL, NULL), FLOE_OK);
  assert_passed_on(r, "set_configuration", since, "");
  run(r);
  assert_int_equal(floe_uv_pc_create_offer(r->pc, &options, &sdp, NULL), FLOE_OK);
  assert_passed_on(r, "create_offer", since, "restart");
  assert_string_equal(sdp, "an offer");
  run(r);
  assert_int_equal(floe_uv_pc_create_answer(r->pc, &sdp, NULL), FLOE_OK);
  assert_passed_on(r, "create_answer", since, "");
  assert_string_equal(sdp, "an answer");
  run(r);
  assert_int_equal(floe_uv_pc_set_local_description(r->pc, &d, NULL), FLOE_OK);
  assert_passed_on(r, "set_local_description", since, "v=0");
  run(r);
  assert_int_equal(floe_uv_pc_set_remote_description(r->pc, &d, NULL), FLOE_OK);
  assert_passed_on(r, "set_remote_description", since, "v=0");
  run(r);
  assert_int_equal(floe_uv_pc_add_ice_candidate(r->pc, &candidate, NULL), FLOE_OK);
  assert_passed_on(r, "add_ice_candidate", since, "candidate:1");
  run(r);
  floe_uv_pc_restart_ice(r->pc);
  assert_passed_on(r, "restart_ice", since, "");
  run(r);
  (void)make_channel(r);
  assert_passed_on(r, "create_data_channel", since, "label");
}

static void calls_on_a_channel_are_passed_on(void **state) {
  rig *r = *state;
  floe_time since = floe_uv_now(r->base.uv);
  floe_data_channel *channel = make_channel(r);
  assert_ptr_equal(floe_uv_data_channel_pc(channel), r->pc);
  run(r);
  assert_int_equal(floe_uv_data_channel_send(channel, bytes_of("bytes")), FLOE_OK);
  assert_passed_on(r, "send", since, "bytes");
  run(r);
  assert_int_equal(floe_uv_data_channel_send_text(channel, bytes_of("text")), FLOE_OK);
  assert_passed_on(r, "send_text", since, "text");
  r->fake->reply = FLOE_E_AGAIN;
  assert_int_equal(floe_uv_data_channel_send(channel, bytes_of("x")), FLOE_E_AGAIN);
  assert_int_equal(floe_uv_data_channel_send_text(channel, bytes_of("x")), FLOE_E_AGAIN);
  run(r);
  floe_uv_data_channel_close(channel);
  assert_passed_on(r, "channel_close", since, "");
  run(r);
  floe_uv_data_channel_free(channel);
  assert_passed_on(r, "channel_free", since, "");
  assert_int_equal(r->fake->n_channels, 0);
  floe_uv_data_channel_free(NULL);
}

static void what_the_core_answers_is_returned(void **state) {
  rig *r = *state;
  const char *sdp = NULL;
  floe_session_description d = {.type = FLOE_SDP_OFFER, .sdp = "v=0"};
  floe_data_channel *channel = (floe_data_channel *)r;
  floe_error why = {.status = FLOE_OK};
  r->fake->reply = FLOE_E_SYNTAX;
  assert_int_equal(floe_uv_pc_set_configuration(r->pc, NULL, &why), FLOE_E_SYNTAX);
  assert_int_equal(why.status, FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_create_offer(r->pc, NULL, &sdp, &why), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_create_answer(r->pc, &sdp, &why), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_set_local_description(r->pc, NULL, &why), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_set_remote_description(r->pc, &d, &why), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_add_ice_candidate(r->pc, NULL, &why), FLOE_E_SYNTAX);
  assert_int_equal(floe_uv_pc_create_data_channel(r->pc, "", NULL, &channel, &why), FLOE_E_SYNTAX);
  assert_null(channel);
  assert_null(r->pc->channels); /* nothing of it is left */
}

static void what_the_core_knows_can_be_asked(void **state) {
  rig *r = *state;
  floe_time since = floe_uv_now(r->base.uv);
  assert_string_equal(floe_uv_pc_local_description(r->pc)->sdp, "ours");
  assert_string_equal(floe_uv_pc_remote_description(r->pc)->sdp, "theirs");
  assert_int_equal(floe_uv_pc_get_stats(r->pc)->n_objects, 7);
  assert_called(r, "get_stats", since, "");
  assert_int_equal(floe_uv_pc_failure_report(r->pc)->n_remote_candidates, 5);
  assert_called(r, "failure_report", since, "");
  assert_null(floe_uv_pc_user(r->pc));
  floe_uv_pc_set_user(r->pc, r);
  assert_ptr_equal(floe_uv_pc_user(r->pc), r);
}

static void a_closed_connection_refuses(void **state) {
  rig *r = *state;
  const char *sdp = NULL;
  floe_session_description d = {.type = FLOE_SDP_OFFER, .sdp = "v=0"};
  floe_error why = {.status = FLOE_OK};
  floe_data_channel *channel = make_channel(r);
  floe_data_channel *other = channel;
  run(r);
  r->fake->core->holds_close = true;
  size_t n_calls = r->fake->n_calls;
  floe_uv_pc_close(r->pc, NULL, NULL);
  assert_int_equal(r->fake->core->n_closes, 1);
  assert_int_equal(floe_uv_pc_set_configuration(r->pc, NULL, &why), FLOE_E_STATE);
  assert_int_equal(why.status, FLOE_E_STATE);
  assert_string_equal(why.message, "the connection is closed");
  assert_int_equal(floe_uv_pc_create_offer(r->pc, NULL, &sdp, NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_pc_create_answer(r->pc, &sdp, NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_pc_set_local_description(r->pc, NULL, NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_pc_set_remote_description(r->pc, &d, NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_pc_add_ice_candidate(r->pc, NULL, NULL), FLOE_E_STATE);
  assert_int_equal(floe_uv_pc_create_data_channel(r->pc, "", NULL, &other, NULL), FLOE_E_STATE);
  assert_null(other);
  assert_int_equal(floe_uv_data_channel_send(channel, bytes_of("x")), FLOE_E_STATE);
  assert_int_equal(floe_uv_data_channel_send_text(channel, bytes_of("x")), FLOE_E_STATE);
  floe_uv_pc_restart_ice(r->pc);
  floe_uv_pc_on_interfaces_changed(r->pc);
  floe_uv_data_channel_close(channel);
  floe_uv_data_channel_free(channel);
  assert_int_equal(floe_uv_data_channel_on_open(channel, on_event, NULL), FLOE_OK);
  assert_int_equal(floe_uv_pc_on_icecandidate(r->pc, on_event, NULL), FLOE_OK);
  assert_int_equal(r->fake->n_calls, n_calls);
  assert_ptr_equal(floe_uv_data_channel_pc(channel), r->pc);
  floe_uv_pc_close(r->pc, NULL, NULL);
  assert_int_equal(r->fake->core->n_closes, 1);
  floe_uv_pc_close(NULL, on_closed, NULL);
}

/* As the program sees it when it keeps the pointer until on_closed. */
static void a_connection_without_a_core_knows_nothing(void **state) {
  rig *r = *state;
  floe_pc *core = r->pc->core;
  r->pc->core = NULL;
  assert_null(floe_uv_pc_core(r->pc));
  assert_null(floe_uv_pc_local_description(r->pc));
  assert_null(floe_uv_pc_remote_description(r->pc));
  assert_null(floe_uv_pc_get_stats(r->pc));
  assert_null(floe_uv_pc_failure_report(r->pc));
  r->pc->core = core;
}

/* ---- who hears what ---- */

static const void *wanted_target;

static void check_target(const floe_event *event, void *user) {
  (void)user;
  note(event->target == wanted_target ? "here" : "elsewhere");
}

static void each_property_of_a_connection_hears_its_own_event(void **state) {
  rig *r = *state;
  static floe_status (*const setters[])(floe_uv_pc *, floe_event_listener, void *) = {
      floe_uv_pc_on_negotiationneeded,
      floe_uv_pc_on_icecandidate,
      floe_uv_pc_on_icecandidateerror,
      floe_uv_pc_on_iceservererror,
      floe_uv_pc_on_signalingstatechange,
      floe_uv_pc_on_iceconnectionstatechange,
      floe_uv_pc_on_icegatheringstatechange,
      floe_uv_pc_on_connectionstatechange,
      floe_uv_pc_on_datachannel};
  floe_data_channel *channel = make_channel(r);
  wanted_target = r->pc;
  for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
    happened[0] = '\0';
    assert_int_equal(setters[i](r->pc, check_target, NULL), FLOE_OK);
    for (int j = 0; j < (int)FLOE_EVENT_COUNT; j++) {
      bool is_news = (floe_event_type)j == FLOE_EVENT_DATACHANNEL;
      (void)fake_channel_event(r->fake, (floe_event_type)j, is_news ? fake_channel(r->fake) : channel);
    }
    run(r);
    assert_string_equal(happened, "here");
    assert_int_equal(setters[i](r->pc, NULL, NULL), FLOE_OK);
  }
}

static void each_property_of_a_channel_hears_its_own_event(void **state) {
  rig *r = *state;
  static floe_status (*const setters[])(floe_data_channel *, floe_event_listener, void *) = {
      floe_uv_data_channel_on_open,    floe_uv_data_channel_on_message, floe_uv_data_channel_on_bufferedamountlow,
      floe_uv_data_channel_on_closing, floe_uv_data_channel_on_close,   floe_uv_data_channel_on_error};
  static const floe_event_type types[] = {FLOE_EVENT_OPEN,    FLOE_EVENT_MESSAGE, FLOE_EVENT_BUFFEREDAMOUNTLOW,
                                          FLOE_EVENT_CLOSING, FLOE_EVENT_CLOSE,   FLOE_EVENT_ERROR};
  floe_data_channel *channel = make_channel(r);
  floe_data_channel *other = make_channel(r);
  wanted_target = channel;
  for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
    happened[0] = '\0';
    assert_int_equal(setters[i](channel, check_target, NULL), FLOE_OK);
    for (size_t j = 0; j < sizeof types / sizeof types[0]; j++) {
      (void)fake_channel_event(r->fake, types[j], channel);
      (void)fake_channel_event(r->fake, types[j], other);
    }
    run(r);
    assert_string_equal(happened, "here");
    assert_int_equal(setters[i](channel, NULL, NULL), FLOE_OK);
  }
}

static void errors_of_dtls_are_the_connections(void **state) {
  rig *r = *state;
  wanted_target = r->pc;
  happened[0] = '\0';
  assert_int_equal(floe_uv_pc_add_event_listener(r->pc, FLOE_EVENT_DTLSTRANSPORT_ERROR, check_target, NULL), FLOE_OK);
  (void)fake_event(r->fake->core, FLOE_EVENT_DTLSTRANSPORT_ERROR);
  run(r);
  assert_string_equal(happened, "here");
  floe_uv_pc_remove_event_listener(r->pc, FLOE_EVENT_DTLSTRANSPORT_ERROR, check_target, NULL);
  (void)fake_event(r->fake->core, FLOE_EVENT_DTLSTRANSPORT_ERROR);
  run(r);
  assert_string_equal(happened, "here");
}

static void listeners_of_a_channel_are_added_and_removed(void **state) {
  rig *r = *state;
  floe_data_channel *channel = make_channel(r);
  char one[] = "one";
  char two[] = "two";
  happened[0] = '\0';
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_COUNT, on_event, one), FLOE_E_TYPE);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_OPEN, on_event, one), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_OPEN, on_event, two), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_OPEN, on_event, one), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  run(r);
  assert_string_equal(happened, "one two");
  floe_uv_data_channel_remove_event_listener(channel, FLOE_EVENT_OPEN, on_event, one);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  run(r);
  assert_string_equal(happened, "one two two");
}

/* ---- channels of the peer ---- */

static void listen_to_it(const floe_event *event, void *user) {
  note("announced");
  assert_ptr_equal(floe_uv_data_channel_pc(event->u.channel), user);
  assert_int_equal(floe_uv_data_channel_on_open(event->u.channel, on_event, NULL), FLOE_OK);
}

static void a_channel_of_the_peer_is_heard_from_its_announcement_on(void **state) {
  rig *r = *state;
  floe_data_channel *channel = fake_channel(r->fake);
  happened[0] = '\0';
  /* The core's getters show it already: nothing can be done with it yet, and nothing breaks. */
  assert_null(floe_uv_data_channel_pc(channel));
  assert_int_equal(floe_uv_data_channel_send(channel, bytes_of("x")), FLOE_E_STATE);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  assert_int_equal(floe_uv_pc_on_datachannel(r->pc, listen_to_it, r->pc), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_DATACHANNEL, channel);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  run(r);
  assert_string_equal(happened, "announced event");
}

static bool is_out_of_memory;

static void *reallocate(void *user, void *ptr, size_t size) {
  (void)user;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return is_out_of_memory ? NULL : realloc(ptr, size);
}

static void without_memory_there_is_no_channel(void **state) {
  (void)state;
  floe_env_config env;
  floe_env_config_init(&env, sizeof env);
  env.reallocate = reallocate;
  floe_uv_config cfg;
  floe_uv_config_init(&cfg, sizeof cfg);
  cfg.env = &env;
  rig r;
  fixture_init(&r.base, &cfg);
  r.pc = make_pc(r.base.uv);
  r.fake = fake_pc_of(r.pc);
  assert_int_equal(floe_uv_pc_on_datachannel(r.pc, on_event, NULL), FLOE_OK);
  floe_data_channel *channel = NULL;
  floe_data_channel *theirs = fake_channel(r.fake);
  (void)fake_channel_event(r.fake, FLOE_EVENT_DATACHANNEL, theirs);
  happened[0] = '\0';
  is_out_of_memory = true;
  floe_uv_pc *other = NULL;
  assert_int_equal(floe_uv_pc_new(&other, r.base.uv, NULL, NULL), FLOE_E_NOMEM);
  assert_null(other);
  assert_int_equal(floe_uv_pc_create_data_channel(r.pc, "", NULL, &channel, NULL), FLOE_E_NOMEM);
  run(&r);
  is_out_of_memory = false;
  assert_string_equal(happened, "");
  assert_ptr_equal(r.fake->freed, theirs); /* the peer sees it closed */
  assert_int_equal(r.fake->n_channels, 0);
  fixture_clear(&r.base);
}

/* ---- going while being told ---- */

static void free_channel_of(const floe_event *event, void *user) {
  floe_data_channel *channel = user;
  note("freed");
  floe_uv_data_channel_free(channel);
  floe_uv_data_channel_free(channel);
  assert_int_equal(floe_uv_data_channel_send(channel, bytes_of("x")), FLOE_E_STATE);
  /* What the event says stays, for all listeners of it. */
  assert_true(event->bubbles == false && event->type < FLOE_EVENT_COUNT);
}

static void a_channel_may_be_freed_in_its_own_event(void **state) {
  rig *r = *state;
  floe_data_channel *channel = make_channel(r);
  happened[0] = '\0';
  assert_int_equal(floe_uv_data_channel_on_message(channel, free_channel_of, channel), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_MESSAGE, on_event, NULL), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_MESSAGE, channel);
  run(r);
  assert_string_equal(happened, "freed");
  assert_ptr_equal(r->fake->freed, channel);
  assert_int_equal(r->fake->n_channels, 0);
}

static void a_channel_may_be_freed_in_an_event_of_another(void **state) {
  rig *r = *state;
  floe_data_channel *gone = make_channel(r);
  floe_data_channel *kept = make_channel(r);
  happened[0] = '\0';
  assert_int_equal(floe_uv_data_channel_on_open(kept, free_channel_of, gone), FLOE_OK);
  assert_int_equal(floe_uv_pc_on_icecandidate(r->pc, on_event, NULL), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, kept);
  (void)fake_event(r->fake->core, FLOE_EVENT_ICECANDIDATE);
  run(r);
  assert_string_equal(happened, "freed event");
  assert_ptr_equal(r->fake->freed, gone);
  assert_int_equal(r->fake->n_channels, 1);
}

static void all_channels_may_be_freed_in_an_event_of_the_connection(void **state) {
  rig *r = *state;
  happened[0] = '\0';
  for (int i = 0; i < 3; i++) {
    floe_data_channel *channel = make_channel(r);
    assert_int_equal(floe_uv_pc_add_event_listener(r->pc, FLOE_EVENT_CONNECTIONSTATECHANGE, free_channel_of, channel),
                     FLOE_OK);
  }
  (void)fake_event(r->fake->core, FLOE_EVENT_CONNECTIONSTATECHANGE);
  run(r);
  assert_string_equal(happened, "freed freed freed");
  assert_int_equal(r->fake->n_channels, 0);
}

static void close_connection(const floe_event *event, void *user) {
  (void)event;
  note("closing");
  floe_uv_pc_close(user, on_closed, NULL);
  floe_uv_pc_close(user, on_closed, NULL); /* once is enough */
}

static void a_connection_may_be_closed_in_an_event_of_its_own(void **state) {
  rig *r = *state;
  (void)make_channel(r);
  happened[0] = '\0';
  assert_int_equal(floe_uv_pc_on_icecandidate(r->pc, close_connection, r->pc), FLOE_OK);
  assert_int_equal(floe_uv_pc_add_event_listener(r->pc, FLOE_EVENT_ICECANDIDATE, on_event, NULL), FLOE_OK);
  (void)fake_event(r->fake->core, FLOE_EVENT_ICECANDIDATE);
  (void)fake_event(r->fake->core, FLOE_EVENT_ICECANDIDATE);
  run(r);
  assert_string_equal(happened, "closing closed");
  assert_int_equal(fake_alive(), 1); /* the fixture's agent */
}

static void a_connection_may_be_closed_in_an_event_of_a_channel(void **state) {
  rig *r = *state;
  floe_data_channel *channel = make_channel(r);
  floe_data_channel *other = make_channel(r);
  happened[0] = '\0';
  assert_int_equal(floe_uv_data_channel_on_open(channel, close_connection, r->pc), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_OPEN, on_event, NULL), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_on_close(other, on_event, NULL), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  (void)fake_channel_event(r->fake, FLOE_EVENT_CLOSE, other);
  run(r);
  assert_string_equal(happened, "closing closed");
  assert_int_equal(fake_alive(), 1);
}

static void close_driver(const floe_event *event, void *user) {
  (void)event;
  note("closing");
  floe_uv_close(user);
}

static void the_driver_may_be_closed_in_an_event_of_a_channel(void **state) {
  rig *r = *state;
  floe_data_channel *channel = make_channel(r);
  floe_uv_pc *closing = make_pc(r->base.uv);
  fake_pc_of(closing)->core->holds_close = true;
  floe_uv_pc_close(closing, on_closed, NULL);
  happened[0] = '\0';
  assert_int_equal(floe_uv_data_channel_on_open(channel, close_driver, r->base.uv), FLOE_OK);
  assert_int_equal(floe_uv_data_channel_add_event_listener(channel, FLOE_EVENT_OPEN, on_event, NULL), FLOE_OK);
  (void)fake_channel_event(r->fake, FLOE_EVENT_OPEN, channel);
  floe__uv_agent_wake(&r->pc->agent);
  assert_int_equal(uv_run(&r->base.loop, UV_RUN_DEFAULT), 0);
  assert_string_equal(happened, "closing closed");
  assert_int_equal(fake_alive(), 0);
  r->base.uv = NULL;
}

static void closing_waits_for_the_core(void **state) {
  rig *r = *state;
  happened[0] = '\0';
  (void)make_channel(r);
  fake_open(r->fake->core, 1, FLOE_TRANSPORT_UDP, "127.0.0.1", NULL);
  run(r);
  fake_core *core = r->fake->core;
  core->holds_close = true;
  floe_uv_pc_close(r->pc, on_closed, NULL);
  run(r);
  assert_string_equal(happened, "");
  core->holds_close = false;
  run(r);
  assert_string_equal(happened, "closed");
  r->pc = NULL;
}

/* ---- the host's addresses ---- */

static void the_monitor_tells_connections(void **state) {
  rig *r = *state;
  floe_interface list[1] = {{.name = "eth9"}};
  assert_true(floe_addr_parse(&list[0].addr, "192.0.2.9"));
  floe__uv_on_interfaces_changed(r->base.uv, list, 1);
  floe_uv_pc_on_interfaces_changed(r->pc);
  assert_int_equal(fake_count(r->fake->core, FLOE_INPUT_INTERFACES, 0), 0); /* it has not asked yet */
  assert_int_equal(r->base.uv->monitor.state, FLOE__UV_MONITOR_NEW);
  fake_interfaces(r->fake->core);
  run(r);
  assert_int_equal(fake_count(r->fake->core, FLOE_INPUT_INTERFACES, 0), 1);
  assert_int_not_equal(r->base.uv->monitor.state, FLOE__UV_MONITOR_NEW);
  floe__uv_on_interfaces_changed(r->base.uv, list, 1);
  const fake_input *told = fake_find(r->fake->core, FLOE_INPUT_INTERFACES, 0, 1);
  assert_int_equal(told->in.n_interfaces, 1);
  assert_string_equal(told->interfaces[0].name, "eth9");
  floe_uv_pc_on_interfaces_changed(r->pc); /* by hand: the host's real ones */
  assert_int_equal(fake_count(r->fake->core, FLOE_INPUT_INTERFACES, 0), 3);
}

static void streams_have_room_for_a_window(void **state) {
  rig *r = *state;
  assert_int_equal(r->pc->agent.max_queue, 16 * 1024 * 1024);
  floe_ice_config ice;
  floe_ice_config_init(&ice, sizeof ice);
  ice.include_loopback = true;
  ice.max_queue_bytes = (size_t)64 * 1024 * 1024;
  floe_pc_config cfg;
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  floe_uv_pc *pc = NULL;
  assert_int_equal(floe_uv_pc_new(&pc, r->base.uv, &cfg, NULL), FLOE_OK);
  assert_int_equal(pc->agent.max_queue, 64 * 1024 * 1024);
  assert_true(pc->agent.include_loopback);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(calls_are_passed_on_with_the_drivers_clock),
      TEST(calls_on_a_channel_are_passed_on),
      TEST(what_the_core_answers_is_returned),
      TEST(what_the_core_knows_can_be_asked),
      TEST(a_closed_connection_refuses),
      TEST(a_connection_without_a_core_knows_nothing),
      TEST(each_property_of_a_connection_hears_its_own_event),
      TEST(each_property_of_a_channel_hears_its_own_event),
      TEST(errors_of_dtls_are_the_connections),
      TEST(listeners_of_a_channel_are_added_and_removed),
      TEST(a_channel_of_the_peer_is_heard_from_its_announcement_on),
      cmocka_unit_test(without_memory_there_is_no_channel),
      TEST(a_channel_may_be_freed_in_its_own_event),
      TEST(a_channel_may_be_freed_in_an_event_of_another),
      TEST(all_channels_may_be_freed_in_an_event_of_the_connection),
      TEST(a_connection_may_be_closed_in_an_event_of_its_own),
      TEST(a_connection_may_be_closed_in_an_event_of_a_channel),
      TEST(the_driver_may_be_closed_in_an_event_of_a_channel),
      TEST(closing_waits_for_the_core),
      TEST(the_monitor_tells_connections),
      TEST(streams_have_room_for_a_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
