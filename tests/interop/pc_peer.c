/* Floe's peer connections, driven by JSON: see README.md for the lines that it speaks.
 *
 * One object a line. An order on standard input has an `id` and in `do` a word of the table at the end; its reply has
 * the same `id`, and `ok` or `error`. Events come in between, as they happen. With FLOE_TRACE in the environment, what
 * the library traces is on standard error. */
#include "pc_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct connection {
  struct connection *next;
  struct peer *peer;
  char name[32];
  floe_uv_pc *pc;
} connection;

/* Messages that one order has sent, or that wait for room. */
typedef struct sending {
  struct sending *next;
  json_t *order; /* its `id` is in the reply */
  floe_data_channel *channel;
} sending;

typedef struct peer {
  uv_loop_t loop;
  uv_pipe_t input;
  floe_uv *uv;
  connection *connections;
  sending *sendings;
  uintptr_t n_channels;
  unsigned n_closing;
  bool is_quitting;
  char *line; /* of the input, as far as it has come */
  size_t line_len, line_cap;
  char chunk[65536];
} peer;

/* What an order works on, and what it says. */
typedef struct task {
  peer *peer;
  connection *on;
  floe_data_channel *channel;
  const json_t *order;
  json_t *result;  /* `ok` */
  bool is_pending; /* the reply comes later */
  floe_error why;
} task;

static void print_line(json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT);
  if (text != NULL) (void)puts(text);
  (void)fflush(stdout);
  free(text);
  json_decref(object);
}

static json_t *reply_to(const json_t *order) {
  json_t *reply = json_object(), *id = json_object_get(order, "id");
  (void)json_object_set(reply, "id", id);
  return reply;
}

static void reply_ok(const json_t *order, json_t *result) {
  json_t *reply = reply_to(order);
  (void)json_object_set_new(reply, "ok", result == NULL ? json_null() : result);
  print_line(reply);
}

/* Where W3C's exception is not the one that the status stands for elsewhere (floe/pc.h, floe/data_channel.h). */
static const struct {
  const char *word;
  floe_status status;
  const char *exception;
} exceptions[] = {
    {"add_candidate", FLOE_E_NOT_FOUND, "OperationError"},
    {"add_candidate", FLOE_E_SYNTAX, "OperationError"},
    {"set_remote", FLOE_E_SYNTAX, "OperationError"},
    {"send", FLOE_E_TOO_LARGE, "TypeError"},
};

static const char *exception_of(const json_t *order, floe_status status) {
  const char *word = json_string_value(json_object_get(order, "do"));
  for (size_t i = 0; word != NULL && i < sizeof exceptions / sizeof exceptions[0]; i++) {
    if (exceptions[i].status == status && strcmp(exceptions[i].word, word) == 0) return exceptions[i].exception;
  }
  return floe_status_exception(status);
}

static void reply_error(const json_t *order, floe_status status, const floe_error *why) {
  json_t *reply = reply_to(order);
  (void)json_object_set_new(reply, "error", json_string(exception_of(order, status)));
  (void)json_object_set_new(reply, "status", json_string(floe_status_name(status)));
  (void)json_object_set_new(reply, "path", json_string(why->path));
  (void)json_object_set_new(reply, "message", json_string(why->message));
  if (why->line > 0) (void)json_object_set_new(reply, "line", json_integer(why->line));
  if (why->column > 0) (void)json_object_set_new(reply, "column", json_integer(why->column));
  print_line(reply);
}

static floe_status refuse(task *t, floe_status status, const char *message) {
  t->why = (floe_error){.status = status, .offset = FLOE_NO_OFFSET};
  (void)snprintf(t->why.message, sizeof t->why.message, "%s", message);
  return status;
}

static const char *text_of(const task *t, const char *name) {
  return json_string_value(json_object_get(t->order, name));
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

/* Byte `i` of message `seed`, as in pc_page.js and pc_peers.py. Text is of small letters. */
static void write_content(uint8_t *out, size_t size, uint64_t seed, bool binary) {
  for (size_t i = 0; i < size; i++) {
    uint64_t value = seed * 31 + i * 7 + (i >> 8) * 13;
    out[i] = (uint8_t)(binary ? value & 0xFF : 'a' + value % 26);
  }
}

static floe_status send_made(floe_data_channel *channel, const json_t *order) {
  size_t size = (size_t)json_integer_value(json_object_get(order, "size"));
  uint64_t seed = (uint64_t)json_integer_value(json_object_get(order, "seed"));
  bool binary = !json_is_false(json_object_get(order, "binary"));
  uint8_t *content = malloc(size + 1);
  if (content == NULL) return FLOE_E_NOMEM;
  write_content(content, size, seed, binary);
  floe_bytes data = {content, size};
  floe_status status =
      binary ? floe_uv_data_channel_send(channel, data) : floe_uv_data_channel_send_text(channel, data);
  free(content);
  return status;
}

static floe_status send_text(floe_data_channel *channel, const json_t *text) {
  floe_bytes data = {(const uint8_t *)json_string_value(text), json_string_length(text)};
  return floe_uv_data_channel_send_text(channel, data);
}

/* Sends what is left of the order: `text`, or `count` messages of `size` with the seeds from `seed` on. */
static floe_status send_on(floe_data_channel *channel, json_t *order) {
  const json_t *text = json_object_get(order, "text");
  if (json_is_string(text)) return send_text(channel, text);
  const json_t *count = json_object_get(order, "count");
  json_int_t left = json_is_integer(count) ? json_integer_value(count) : 1;
  floe_status status = FLOE_OK;
  while (left > 0 && (status = send_made(channel, order)) == FLOE_OK) {
    left--;
    json_int_t seed = json_integer_value(json_object_get(order, "seed"));
    (void)json_object_set_new(order, "seed", json_integer(seed + 1));
  }
  (void)json_object_set_new(order, "count", json_integer(left));
  return status;
}

static void finish_sending(const json_t *order, floe_data_channel *channel, floe_status status) {
  const floe_error why = {.status = status, .offset = FLOE_NO_OFFSET};
  if (status != FLOE_OK) {
    reply_error(order, status, &why);
  } else {
    reply_ok(order, json_pack("{s:I}", "bufferedAmount", (json_int_t)floe_data_channel_buffered_amount(channel)));
  }
}

static void send_more(peer *p, const floe_data_channel *channel) {
  for (sending **at = &p->sendings; *at != NULL;) {
    sending *one = *at;
    floe_status status = one->channel == channel ? send_on(one->channel, one->order) : FLOE_E_AGAIN;
    if (status == FLOE_E_AGAIN) {
      at = &one->next;
      continue;
    }
    finish_sending(one->order, one->channel, status);
    *at = one->next;
    json_decref(one->order);
    free(one);
  }
}

static void forget_sendings(peer *p, const floe_pc *pc) {
  for (sending **at = &p->sendings; *at != NULL;) {
    sending *one = *at;
    if (floe_data_channel_pc(one->channel) != pc) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    json_decref(one->order);
    free(one);
  }
}

static floe_status do_send(task *t) {
  json_t *rest = json_deep_copy(t->order);
  t->is_pending = true;
  floe_status status = send_on(t->channel, rest);
  if (status != FLOE_E_AGAIN) {
    finish_sending(t->order, t->channel, status);
    json_decref(rest);
    return FLOE_OK;
  }
  sending **at = &t->peer->sendings, *one = calloc(1, sizeof *one);
  if (one == NULL) abort();
  while (*at != NULL) at = &(*at)->next;
  *one = (sending){.order = rest, .channel = t->channel};
  *at = one;
  return FLOE_OK;
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void listen_to_channel(connection *on, floe_data_channel *channel);

static void on_event(const floe_event *event, void *user) {
  connection *on = user;
  if (event->type == FLOE_EVENT_DATACHANNEL) listen_to_channel(on, event->u.channel);
  json_t *fact = fact_event(event);
  (void)json_object_set_new(fact, "pc", json_string(on->name));
  (void)json_object_set_new(fact, "t", json_real((double)event->time / (double)FLOE_MS));
  print_line(fact);
  if (event->type == FLOE_EVENT_BUFFEREDAMOUNTLOW || event->type == FLOE_EVENT_CLOSE) {
    send_more(on->peer, event->u.channel);
  }
}

static bool is_of_channel(floe_event_type type) {
  return type >= FLOE_EVENT_OPEN && type <= FLOE_EVENT_ERROR;
}

static void listen_to_channel(connection *on, floe_data_channel *channel) {
  floe_data_channel_set_user(channel, (void *)on->peer->n_channels++);
  for (int type = 0; type < FLOE_EVENT_COUNT; type++) {
    if (!is_of_channel((floe_event_type)type)) continue;
    if (floe_uv_data_channel_add_event_listener(channel, (floe_event_type)type, on_event, on) != FLOE_OK) abort();
  }
}

static void listen_to_connection(connection *on) {
  for (int type = 0; type < FLOE_EVENT_COUNT; type++) {
    if (is_of_channel((floe_event_type)type)) continue;
    if (floe_uv_pc_add_event_listener(on->pc, (floe_event_type)type, on_event, on) != FLOE_OK) abort();
  }
}

/* --- orders ------------------------------------------------------------------------------------------------------- */

static floe_status do_new(task *t) {
  wish_config config;
  const char *name = text_of(t, "pc"), *wrong = "";
  if (t->on != NULL) return refuse(t, FLOE_E_STATE, "there is one of this name");
  connection *on = calloc(1, sizeof *on);
  if (on == NULL) abort();
  *on = (connection){.peer = t->peer, .next = t->peer->connections};
  (void)snprintf(on->name, sizeof on->name, "%s", name == NULL ? "pc" : name);
  bool is_read = wish_read_config(&config, json_object_get(t->order, "config"), &wrong);
  floe_status status =
      is_read ? floe_uv_pc_new(&on->pc, t->peer->uv, &config.pc, &t->why) : refuse(t, FLOE_E_TYPE, wrong);
  wish_free_config(&config);
  if (status != FLOE_OK) {
    free(on);
    return status;
  }
  t->peer->connections = on;
  listen_to_connection(on);
  return FLOE_OK;
}

static floe_status do_set_configuration(task *t) {
  wish_config config;
  const char *wrong = "";
  bool is_read = wish_read_config(&config, json_object_get(t->order, "config"), &wrong);
  floe_status status =
      is_read ? floe_uv_pc_set_configuration(t->on->pc, &config.pc, &t->why) : refuse(t, FLOE_E_TYPE, wrong);
  wish_free_config(&config);
  return status;
}

static floe_status do_create_channel(task *t) {
  floe_data_channel_init init;
  floe_data_channel *channel;
  const char *label = text_of(t, "label");
  wish_read_init(&init, json_object_get(t->order, "init"));
  floe_status status = floe_uv_pc_create_data_channel(t->on->pc, label == NULL ? "" : label, &init, &channel, &t->why);
  if (status != FLOE_OK) return status;
  listen_to_channel(t->on, channel);
  t->result = fact_channel(channel);
  return FLOE_OK;
}

static floe_status do_create_offer(task *t) {
  const floe_offer_options options = {.ice_restart = json_is_true(json_object_get(t->order, "iceRestart"))};
  const char *sdp;
  floe_status status = floe_uv_pc_create_offer(t->on->pc, &options, &sdp, &t->why);
  if (status == FLOE_OK) t->result = json_pack("{s:s, s:s}", "type", "offer", "sdp", sdp);
  return status;
}

static floe_status do_create_answer(task *t) {
  const char *sdp;
  floe_status status = floe_uv_pc_create_answer(t->on->pc, &sdp, &t->why);
  if (status == FLOE_OK) t->result = json_pack("{s:s, s:s}", "type", "answer", "sdp", sdp);
  return status;
}

/* Without `type` there is no argument. */
static bool read_description(const task *t, floe_session_description *out, const floe_session_description **use) {
  const char *type = text_of(t, "type");
  *use = type == NULL ? NULL : out;
  out->sdp = text_of(t, "sdp");
  return type == NULL || floe_sdp_type_from_name(&out->type, type);
}

static floe_status do_set_local(task *t) {
  floe_session_description description = {0};
  const floe_session_description *use;
  if (!read_description(t, &description, &use)) return refuse(t, FLOE_E_TYPE, "no such type");
  floe_status status = floe_uv_pc_set_local_description(t->on->pc, use, &t->why);
  if (status == FLOE_OK) t->result = fact_description(floe_uv_pc_local_description(t->on->pc));
  return status;
}

static floe_status do_set_remote(task *t) {
  floe_session_description description = {0};
  const floe_session_description *use;
  if (!read_description(t, &description, &use) || use == NULL) return refuse(t, FLOE_E_TYPE, "no such type");
  return floe_uv_pc_set_remote_description(t->on->pc, use, &t->why);
}

static floe_status do_local(task *t) {
  t->result = fact_description(floe_uv_pc_local_description(t->on->pc));
  return FLOE_OK;
}

static floe_status do_add_candidate(task *t) {
  floe_ice_candidate_init init;
  const json_t *candidate = json_object_get(t->order, "candidate");
  wish_read_candidate(&init, candidate);
  return floe_uv_pc_add_ice_candidate(t->on->pc, json_is_object(candidate) ? &init : NULL, &t->why);
}

static floe_status do_restart_ice(task *t) {
  floe_uv_pc_restart_ice(t->on->pc);
  return FLOE_OK;
}

static floe_status do_threshold(task *t) {
  json_int_t bytes = json_integer_value(json_object_get(t->order, "bytes"));
  floe_data_channel_set_buffered_amount_low_threshold(t->channel, (size_t)bytes);
  return FLOE_OK;
}

static floe_status do_channel(task *t) {
  t->result = fact_channel(t->channel);
  return FLOE_OK;
}

static floe_status do_close_channel(task *t) {
  floe_uv_data_channel_close(t->channel);
  return FLOE_OK;
}

static floe_status do_state(task *t) {
  t->result = fact_state(floe_uv_pc_core(t->on->pc));
  return FLOE_OK;
}

static floe_status do_stats(task *t) {
  t->result = fact_stats(floe_uv_pc_get_stats(t->on->pc));
  return FLOE_OK;
}

static floe_status do_report(task *t) {
  t->result = fact_report(floe_uv_pc_failure_report(t->on->pc));
  return FLOE_OK;
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void end_if_done(peer *p) {
  if (!p->is_quitting || p->n_closing > 0) return;
  floe_uv_close(p->uv);
  uv_close((uv_handle_t *)&p->input, NULL);
}

static void on_closed(void *user) {
  connection *on = user;
  peer *p = on->peer;
  print_line(json_pack("{s:s, s:s}", "event", "freed", "pc", on->name));
  free(on);
  p->n_closing--;
  end_if_done(p);
}

static void close_connection(connection *on) {
  connection **at = &on->peer->connections;
  while (*at != on) at = &(*at)->next;
  *at = on->next;
  on->peer->n_closing++;
  forget_sendings(on->peer, floe_uv_pc_core(on->pc));
  floe_uv_pc_close(on->pc, on_closed, on);
}

static floe_status do_close(task *t) {
  close_connection(t->on);
  return FLOE_OK;
}

static void quit(peer *p) {
  if (p->is_quitting) return;
  p->is_quitting = true;
  while (p->connections != NULL) close_connection(p->connections);
  end_if_done(p);
}

static floe_status do_quit(task *t) {
  quit(t->peer);
  return FLOE_OK;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const struct order {
  const char *word;
  bool on_connection, on_channel; /* what must be named by `pc` and `channel` */
  floe_status (*run)(task *t);
} orders[] = {
    {"new", false, false, do_new},
    {"set_configuration", true, false, do_set_configuration},
    {"create_channel", true, false, do_create_channel},
    {"create_offer", true, false, do_create_offer},
    {"create_answer", true, false, do_create_answer},
    {"set_local", true, false, do_set_local},
    {"set_remote", true, false, do_set_remote},
    {"local", true, false, do_local},
    {"add_candidate", true, false, do_add_candidate},
    {"restart_ice", true, false, do_restart_ice},
    {"send", true, true, do_send},
    {"threshold", true, true, do_threshold},
    {"channel", true, true, do_channel},
    {"close_channel", true, true, do_close_channel},
    {"state", true, false, do_state},
    {"stats", true, false, do_stats},
    {"report", true, false, do_report},
    {"close", true, false, do_close},
    {"quit", false, false, do_quit},
};

static const struct order *find_order(const char *word) {
  for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
    if (word != NULL && strcmp(orders[i].word, word) == 0) return &orders[i];
  }
  return NULL;
}

/* The name is "pc" where none is given. */
static connection *find_connection(peer *p, const char *name) {
  connection *on = p->connections;
  while (on != NULL && strcmp(on->name, name == NULL ? "pc" : name) != 0) on = on->next;
  return on;
}

static floe_data_channel *find_channel(connection *on, const json_t *number) {
  floe_data_channel *const *all = NULL;
  size_t n = floe_pc_data_channels(floe_uv_pc_core(on->pc), &all);
  for (size_t i = 0; i < n; i++) {
    if (json_is_integer(number) && channel_number(all[i]) == json_integer_value(number)) return all[i];
  }
  return NULL;
}

static floe_status obey(task *t) {
  const struct order *order = find_order(text_of(t, "do"));
  if (order == NULL) return refuse(t, FLOE_E_TYPE, "no such order");
  t->on = find_connection(t->peer, text_of(t, "pc"));
  if (order->on_connection && t->on == NULL) return refuse(t, FLOE_E_NOT_FOUND, "no such peer connection");
  if (order->on_channel) t->channel = find_channel(t->on, json_object_get(t->order, "channel"));
  if (order->on_channel && t->channel == NULL) return refuse(t, FLOE_E_NOT_FOUND, "no such channel");
  return order->run(t);
}

static void take(peer *p, const char *line, size_t len) {
  json_t *order = json_loadb(line, len, 0, NULL);
  task t = {.peer = p, .order = order};
  if (p->is_quitting) return;
  floe_status status = order == NULL ? refuse(&t, FLOE_E_SYNTAX, "not JSON") : obey(&t);
  if (status != FLOE_OK) {
    reply_error(order, status, &t.why);
  } else if (!t.is_pending) {
    reply_ok(order, t.result);
  }
  json_decref(order);
}

static void add_byte(peer *p, char byte) {
  if (p->line_len == p->line_cap) {
    p->line_cap = p->line_cap == 0 ? 4096 : 2 * p->line_cap;
    p->line = realloc(p->line, p->line_cap);
    if (p->line == NULL) abort();
  }
  p->line[p->line_len++] = byte;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  peer *p = handle->data;
  (void)suggested;
  *buf = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  peer *p = stream->data;
  for (ssize_t i = 0; i < n; i++) {
    if (buf->base[i] != '\n') {
      add_byte(p, buf->base[i]);
      continue;
    }
    take(p, p->line, p->line_len);
    p->line_len = 0;
  }
  if (n < 0) quit(p);
}

static void write_trace(void *user, const char *json, size_t len) {
  (void)user;
  (void)fprintf(stderr, "%.*s\n", (int)len, json);
}

static bool make_driver(peer *p) {
  floe_error why;
  floe_env_config env;
  floe_uv_config cfg;
  floe_env_config_init(&env, sizeof env);
  floe_uv_config_init(&cfg, sizeof cfg);
  env.trace = write_trace;
  env.trace_addresses = true;
  if (getenv("FLOE_TRACE") != NULL) cfg.env = &env;
  return floe_uv_new(&p->uv, &p->loop, &cfg, &why) == FLOE_OK;
}

int main(void) {
  static peer p;
  p.input.data = &p;
  if (uv_loop_init(&p.loop) != 0 || !make_driver(&p)) return 2;
  if (uv_pipe_init(&p.loop, &p.input, 0) != 0 || uv_pipe_open(&p.input, 0) != 0) return 2;
  if (uv_read_start((uv_stream_t *)&p.input, on_alloc, on_read) != 0) return 2;
  (void)uv_run(&p.loop, UV_RUN_DEFAULT);
  free(p.line);
  return uv_loop_close(&p.loop) == 0 ? 0 : 1;
}
