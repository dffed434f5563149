#include "connect_link.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "connect_exchange.h"
#include "connect_path.h"
#include "connect_sdp.h"
#include "exit_status.h"
#include "json_value.h"
#include "mem.h"

/* The protocol of the control channel; both sides make it, nothing is announced in-band. */
#define CONTROL_LABEL    "floe connect"
#define CONTROL_PROTOCOL "floe-connect.1"

enum { OFFER_TIMEOUT_MS = 60000, ANSWER_TIMEOUT_MS = 600000, GATHERING_MS = 10000 };
enum { CLOSE_CHANNEL_MS = 5000, CLOSE_HASTE_MS = 1500, CLOSE_MS = 3000, MAX_BUFFERED = 8 << 20 };

uint64_t floe__link_now_ms(const floe__link *link) {
  return floe_uv_now(link->session.uv) / FLOE_MS;
}

void floe__link_end(floe__link *link, int status) {
  if (link->is_over) return;
  link->is_over = true;
  link->status = status;
}

void floe__link_say(floe__link *link, const floe__frame *frame) {
  floe__speaker_say(&link->speaker, frame);
}

void floe__link_stop(floe__link *link, floe__frame_code code, const char *words, int status) {
  const floe__frame f = {
      .type = FLOE__FRAME_STOP, .code = (uint8_t)code, .data = {(const uint8_t *)words, strlen(words)}};
  if (link->is_over) return;
  floe__link_say(link, &f);
  floe__link_end(link, status);
}

/* --- the other side says something -------------------------------------------------------------------------------- */

static void cut_off(const floe__link *link) {
  if (link->has_started && link->job->cut_off != NULL) link->job->cut_off(link->job_data);
}

static void on_stop_frame(floe__link *link, const floe__frame *f) {
  char *words = floe__frame_words(f);
  if (f->code == FLOE__CODE_INTERRUPTED) {
    floe__report_say(link->report, "the other side was interrupted");
  } else {
    floe__report_say(link->report, "the other side has ended: %s", words[0] == '\0' ? "it does not say why" : words);
  }
  free(words);
  cut_off(link);
  floe__link_end(link, FLOE__CONNECT_EXIT_REFUSED);
}

static void on_bye_frame(floe__link *link) {
  if (link->job->on_bye != NULL) {
    link->job->on_bye(link->job_data);
    return;
  }
  floe__link_stop(link, FLOE__CODE_PROTOCOL, "BYE is none of this job", FLOE__CONNECT_EXIT_OTHER);
}

static void on_message(const floe_event *event, void *user) {
  floe__link *link = user;
  floe__frame f;
  if (link->is_over) return;
  if (!event->u.message.is_binary || !floe__frame_parse(&f, event->u.message.data)) {
    floe__report_say(link->report, "the other side sends what is none of this protocol");
    floe__link_stop(link, FLOE__CODE_PROTOCOL, "a message is no frame", FLOE__CONNECT_EXIT_OTHER);
    return;
  }
  if (f.type == FLOE__FRAME_STOP) {
    on_stop_frame(link, &f);
  } else if (f.type == FLOE__FRAME_BYE) {
    on_bye_frame(link);
  } else if (link->has_started) {
    link->job->on_frame(link->job_data, &f);
  }
}

/* --- events of the connection ------------------------------------------------------------------------------------- */

static void start_job(floe__link *link) {
  if (link->has_started) return;
  link->is_connected = link->has_started = true;
  floe__speaker_flush(&link->speaker);
  floe__path_tell(link);
  link->job->start(link->job_data);
}

static void on_open(const floe_event *event, void *user) {
  (void)event;
  start_job(user);
}

static void on_room(const floe_event *event, void *user) {
  floe__link *link = user;
  (void)event;
  floe__speaker_flush(&link->speaker);
  if (link->has_started && !link->is_over) link->job->on_room(link->job_data);
}

static void on_close(const floe_event *event, void *user) {
  floe__link *link = user;
  (void)event;
  link->is_control_closed = true;
  floe__speaker_clear(&link->speaker);
  if (link->is_over) return;
  if (link->cause != FLOE_CAUSE_NONE || !link->has_started) return; /* the connection's own events say why */
  floe__report_say(link->report, "the other side has left before everything was done");
  cut_off(link);
  floe__link_end(link, FLOE__CONNECT_EXIT_GONE);
}

static void on_connection_state(const floe_event *event, void *user) {
  floe__link *link = user;
  const floe_pc_change *change = &event->u.pc;
  floe__report_event(link->report, event);
  if (link->is_over) return;
  if (change->state == FLOE_PC_DISCONNECTED && link->report->verbose) {
    floe__report_say(link->report, "the connection is interrupted: %s", floe_cause_sentence(change->cause));
  }
  if (change->state != FLOE_PC_FAILED) return;
  link->cause = change->cause;
  int status = floe__path_tell_failure(link, change->cause);
  cut_off(link);
  floe__link_end(link, status);
}

static void on_gathering_state(const floe_event *event, void *user) {
  floe__link *link = user;
  floe__report_event(link->report, event);
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) link->is_gathered = true;
}

static void on_server_error(const floe_event *event, void *user) {
  const floe__link *link = user;
  floe__report_event(link->report, event);
  floe__report_server_error(link->report, &event->u.error);
}

static void on_pair(const floe_event *event, void *user) {
  const floe__link *link = user;
  floe__report_event(link->report, event);
  if (link->is_connected) floe__path_tell_change(link, &event->u.pair);
}

static void on_any(const floe_event *event, void *user) {
  const floe__link *link = user;
  floe__report_event(link->report, event);
}

static void on_channel(const floe_event *event, void *user) {
  floe__link *link = user;
  floe_data_channel *channel = event->u.channel;
  if (link->job->on_channel != NULL && !link->is_over) {
    start_job(link); /* its channel may be there before the control channel's event */
    link->job->on_channel(link->job_data, channel);
  } else {
    floe_uv_data_channel_free(channel);
  }
}

/* --- setting it up ------------------------------------------------------------------------------------------------ */

static bool fail(floe__link *link, floe_status status, const floe_error *why) {
  const char *words = why->message[0] == '\0' ? floe_status_text(status) : why->message;
  floe__report_say(link->report, "%s%s%s", why->path, why->path[0] == '\0' ? "" : ": ", words);
  link->status = FLOE__CONNECT_EXIT_OTHER;
  return false;
}

static uint32_t timeout_of(const floe__link *link) {
  if (link->options->net.timeout_ms != 0) return link->options->net.timeout_ms;
  return link->options->is_answer ? ANSWER_TIMEOUT_MS : OFFER_TIMEOUT_MS;
}

/* The answering side waits until a person has carried its ticket over. Meanwhile its checks are repeated, so that the
 * NAT on its side lets the other's in. */
static void set_patience(floe_ice_timing *t, uint32_t timeout_ms) {
  t->patience_ms = timeout_ms;
  t->check_transmissions = 7;
  while (500ULL << t->check_transmissions < timeout_ms && t->check_transmissions < 14) t->check_transmissions++;
  t->server_timeout_ms = t->gathering_timeout_ms = timeout_ms < GATHERING_MS ? timeout_ms : GATHERING_MS;
}

static floe_status make_control(floe__link *link, floe_error *why) {
  floe_data_channel_init init;
  floe_data_channel_init_init(&init, sizeof init);
  init.protocol = CONTROL_PROTOCOL;
  init.negotiated = init.has_id = true;
  floe_status st = floe_uv_pc_create_data_channel(link->pc, CONTROL_LABEL, &init, &link->control, why);
  if (st != FLOE_OK) return st;
  floe__speaker_init(&link->speaker, link->control);
  st = floe_uv_data_channel_on_open(link->control, on_open, link);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_message(link->control, on_message, link);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_bufferedamountlow(link->control, on_room, link);
  if (st == FLOE_OK) st = floe_uv_data_channel_on_close(link->control, on_close, link);
  return st;
}

static floe_status listen_to(floe__link *link) {
  floe_uv_pc *pc = link->pc;
  floe_status st = floe_uv_pc_on_connectionstatechange(pc, on_connection_state, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_icegatheringstatechange(pc, on_gathering_state, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_icecandidateerror(pc, on_server_error, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_iceservererror(pc, on_server_error, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_datachannel(pc, on_channel, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_icecandidate(pc, on_any, link);
  if (st == FLOE_OK) st = floe_uv_pc_on_iceconnectionstatechange(pc, on_any, link);
  if (st != FLOE_OK) return st;
  return floe_uv_pc_add_event_listener(pc, FLOE_EVENT_SELECTEDCANDIDATEPAIRCHANGE, on_pair, link);
}

static bool make_connection(floe__link *link) {
  floe_error why = {0};
  floe_pc_config cfg;
  floe_ice_config ice = *link->ice;
  set_patience(&ice.timing, timeout_of(link));
  floe_pc_config_init(&cfg, sizeof cfg);
  cfg.ice = &ice;
  cfg.max_buffered_amount = MAX_BUFFERED;
  cfg.keylog = link->report->keylog == NULL ? NULL : floe__report_keylog;
  cfg.keylog_user = link->report;
  floe_status st = floe_uv_pc_new(&link->pc, link->session.uv, &cfg, &why);
  if (st == FLOE_OK) st = listen_to(link);
  if (st == FLOE_OK) st = make_control(link, &why);
  return st == FLOE_OK || fail(link, st, &why);
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static bool set_remote(floe__link *link) {
  floe_error why = {0};
  char *sdp = floe__ticket_to_sdp(&link->peer);
  const floe_session_description d = {.type = link->peer.is_answer ? FLOE_SDP_ANSWER : FLOE_SDP_OFFER, .sdp = sdp};
  link->begun_ms = floe__link_now_ms(link);
  floe_status st = floe_uv_pc_set_remote_description(link->pc, &d, &why);
  floe__cli_free_secret(sdp);
  if (st != FLOE_OK) (void)fail(link, st, &why);
  if (st != FLOE_OK) link->status = FLOE__CONNECT_EXIT_USAGE; /* it is the ticket that is refused */
  return st == FLOE_OK;
}

static void draw_gathering(void *user) {
  floe__link *link = user;
  char text[80];
  (void)snprintf(text, sizeof text, "gathering candidates: %.1f s",
                 (double)(floe__link_now_ms(link) - link->begun_ms) / 1000);
  floe__report_draw(link->report, text);
}

static bool gather(floe__link *link) {
  floe_error why = {0};
  link->begun_ms = floe__link_now_ms(link);
  floe_status st = floe_uv_pc_set_local_description(link->pc, NULL, &why);
  if (st != FLOE_OK) return fail(link, st, &why);
  link->session.on_tick = draw_gathering;
  link->session.tick_user = link;
  bool done = floe__session_wait(&link->session, &link->is_gathered, 0);
  link->session.on_tick = NULL;
  floe__report_erase(link->report);
  return done;
}

/* Without a candidate the other side has nowhere to send to. */
static bool make_ticket(floe__link *link) {
  char why[160];
  const floe_session_description *d = floe_uv_pc_local_description(link->pc);
  if (d == NULL || !floe__ticket_from_sdp(&link->own, d->sdp, why, sizeof why)) {
    floe__report_say(link->report, "%s", d == NULL ? "there is no session description" : why);
    link->status = FLOE__CONNECT_EXIT_OTHER;
    return false;
  }
  link->own.is_answer = link->options->is_answer;
  link->own.mode = link->options->mode;
  link->own.answers = link->options->is_answer ? floe__ticket_tag(&link->peer) : 0;
  if (link->own.n_candidates > 0) return true;
  link->status = floe__path_tell_failure(link, FLOE_CAUSE_NO_LOCAL_CANDIDATES);
  return false;
}

/* Both tickets are known after it; false: the status is set, or a signal came. */
static bool negotiate(floe__link *link) {
  const floe__connect_options *o = link->options;
  if (o->is_answer && o->ticket == NULL && !floe__exchange_take(link)) return false;
  if (!make_connection(link)) return false;
  if (o->is_answer && !set_remote(link)) return false;
  if (!gather(link) || !make_ticket(link) || !floe__exchange_give(link)) return false;
  return o->is_answer || (floe__exchange_take(link) && set_remote(link));
}

/* --- the run ------------------------------------------------------------------------------------------------------ */

static void on_tick(void *user) {
  floe__link *link = user;
  if (!link->has_started || link->is_over) return;
  floe__speaker_flush(&link->speaker);
  link->job->on_room(link->job_data);
  if (!link->is_over && link->job->draw != NULL) link->job->draw(link->job_data);
}

static void draw_connecting(void *user) {
  floe__link *link = user;
  char text[80];
  if (link->has_started) {
    on_tick(link);
    return;
  }
  (void)snprintf(text, sizeof text, "%s: %.0f s",
                 link->options->is_answer ? "waiting for the other side" : "connecting",
                 (double)(floe__link_now_ms(link) - link->begun_ms) / 1000);
  floe__report_draw(link->report, text);
}

/* Returns false when it did not connect. */
static bool connect_to_peer(floe__link *link) {
  link->begun_ms = floe__link_now_ms(link);
  link->session.on_tick = draw_connecting;
  link->session.tick_user = link;
  uint64_t end = link->begun_ms + timeout_of(link);
  while (!link->has_started && !link->is_over) {
    if (floe__link_now_ms(link) >= end || floe__session_is_stopping(&link->session)) break;
    (void)floe__session_wait(&link->session, &link->has_started, 20);
  }
  floe__report_erase(link->report);
  if (link->has_started || link->is_over || floe__session_is_stopping(&link->session)) return link->has_started;
  link->status = floe__path_tell_failure(link, FLOE_CAUSE_NONE);
  return false;
}

static void run_job(floe__link *link) {
  link->session.on_tick = on_tick;
  bool done = floe__session_wait(&link->session, &link->is_over, 0);
  link->session.on_tick = NULL;
  floe__report_erase(link->report);
  if (done) return;
  const floe__frame bye = {.type = FLOE__FRAME_BYE};
  int status = 128 + link->session.stop_signal;
  cut_off(link);
  if (link->job->ends_by_signal) floe__link_say(link, &bye);
  if (link->job->ends_by_signal) floe__link_end(link, status);
  floe__link_stop(link, FLOE__CODE_INTERRUPTED, "interrupted", status);
}

static void set_true(void *user) {
  *(bool *)user = true;
}

/* What was said last is still to arrive: the channel is closed in order. Who has interrupted it does not wait long. */
static void close_channel(floe__link *link) {
  const bool never = false;
  uint32_t limit = link->session.stop_signal != 0 ? CLOSE_HASTE_MS : CLOSE_CHANNEL_MS;
  uint64_t end = floe__link_now_ms(link) + limit;
  while (link->speaker.first != NULL && !link->is_control_closed && floe__link_now_ms(link) < end) {
    (void)floe__session_wait_cleanup(&link->session, &never, 20);
    floe__speaker_flush(&link->speaker);
  }
  if (link->is_control_closed) return;
  floe_uv_data_channel_close(link->control);
  uint64_t now = floe__link_now_ms(link);
  (void)floe__session_wait_cleanup(&link->session, &link->is_control_closed, now < end ? (uint32_t)(end - now) : 1);
}

static void close_connection(floe__link *link) {
  bool closed = link->pc == NULL;
  if (link->has_started && link->cause == FLOE_CAUSE_NONE) close_channel(link);
  floe__speaker_clear(&link->speaker);
  link->job->close(link->job_data); /* before its channels are gone */
  link->job_data = NULL;
  floe_uv_pc_close(link->pc, set_true, &closed);
  (void)floe__session_wait_cleanup(&link->session, &closed, CLOSE_MS);
}

static void print_end(const floe__link *link, int status) {
  json_t *line = floe__report_object(link->report, "end");
  if (line == NULL) return;
  floe__json_set_integer(line, "status", true, status);
  floe__json_set_text(line, "cause", link->cause == FLOE_CAUSE_NONE ? NULL : floe_cause_id(link->cause));
  floe__json_or_null(line, "cause");
  floe__report_print(link->report, line);
}

static int run_session(floe__link *link) {
  if (negotiate(link) && connect_to_peer(link)) run_job(link);
  bool is_stopped = link->session.stop_signal != 0 && !link->is_over;
  int status = is_stopped ? 128 + link->session.stop_signal : link->status;
  link->is_over = true;
  close_connection(link);
  print_end(link, status);
  return status;
}

/* The ticket of the command line is looked at before anything else. */
static bool read_offer(floe__link *link) {
  floe__ticket_error why;
  if (link->options->ticket == NULL) return true;
  link->status = FLOE__CONNECT_EXIT_USAGE;
  floe__ticket_end end = floe__ticket_read(&link->peer, link->options->ticket, &why);
  if (end == FLOE__TICKET_OK) return floe__exchange_check(link);
  floe__report_say(link->report, "%s", why.message);
  return false;
}

int floe__link_run(floe__link *link, const floe_env_config *env) {
  floe_error why;
  const floe__check_options *net = &link->options->net;
  link->status = FLOE__CONNECT_EXIT_OTHER;
  if (!read_offer(link)) return link->status;
  if (floe__session_open_env(&link->session, net->dns_servers, net->n_dns_servers, env, &why) != FLOE_OK) {
    floe__report_say(link->report, "%s", why.message);
    return FLOE__CONNECT_EXIT_OTHER;
  }
  link->job_data = link->job->open(link);
  int status = link->job_data == NULL ? link->status : run_session(link);
  floe__session_close(&link->session);
  return status;
}
