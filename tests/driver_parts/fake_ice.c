#include "driver_parts/fake_ice.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

typedef struct fake_output {
  floe_output out;
  struct fake_output *next;
  floe_event event;
  uint8_t data[];
} fake_output;

struct floe_ice_agent {
  fake_core fake;
  size_t cap_inputs;
  fake_output *first, *last;
  fake_output *taken; /* its pointers are valid until the next poll or input: the program may call meanwhile */
  bool is_closing;
};

static floe_ice_agent *last_made;
static size_t n_alive;

fake_core *fake_last(void) {
  return &last_made->fake;
}

fake_core *fake_of(floe_uv_ice_agent *agent) {
  return &floe_uv_ice_agent_core(agent)->fake;
}

size_t fake_alive(void) {
  return n_alive;
}

/* ---- what the driver calls ---- */

floe_status floe_ice_agent_new(floe_ice_agent **out, floe_env *env, const floe_ice_config *cfg, floe_error *why) {
  (void)env;
  (void)why;
  floe_ice_agent *agent = calloc(1, sizeof *agent);
  assert_non_null(agent);
  agent->fake.agent = agent;
  agent->fake.wait_until = FLOE_TIME_NEVER;
  agent->fake.local = (floe_ice_parameters){.ufrag = cfg->local_ufrag == NULL ? "mine" : cfg->local_ufrag};
  agent->fake.shared_sockets = cfg->shared_sockets;
  last_made = agent;
  n_alive++;
  *out = agent;
  return FLOE_OK;
}

static void drop_taken(floe_ice_agent *agent) {
  /* Poisoned first, so that the driver's use of a stale pointer shows without a sanitizer too. */
  if (agent->taken != NULL) memset(&agent->taken->event, 0xa5, sizeof agent->taken->event);
  free(agent->taken);
  agent->taken = NULL;
}

void floe_ice_agent_free(floe_ice_agent *agent) {
  if (agent == NULL) return;
  drop_taken(agent);
  while (agent->first != NULL) {
    fake_output *next = agent->first->next;
    free(agent->first);
    agent->first = next;
  }
  for (size_t i = 0; i < agent->fake.n_inputs; i++) {
    free(agent->fake.inputs[i].data);
    free(agent->fake.inputs[i].interfaces);
  }
  free(agent->fake.inputs);
  free(agent);
  n_alive--;
}

floe_status floe_ice_agent_gather(floe_ice_agent *agent, floe_time now) {
  (void)now;
  agent->fake.n_gathers++;
  return agent->is_closing ? FLOE_E_STATE : FLOE_OK;
}

floe_status floe_ice_agent_prefetch(floe_ice_agent *agent, floe_time now) {
  return floe_ice_agent_gather(agent, now);
}

floe_status floe_ice_agent_permit(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                  bool use_channel) {
  (void)now;
  (void)use_channel;
  floe_output out = {.type = FLOE_OUTPUT_PERMISSION};
  out.u.permission.candidate = candidate;
  out.u.permission.peer = *peer;
  out.u.permission.granted = true;
  fake_push(&agent->fake, &out);
  return FLOE_OK;
}

floe_status floe_ice_agent_send_relayed(floe_ice_agent *agent, floe_time now, uint32_t candidate, const floe_addr *peer,
                                        floe_bytes data) {
  (void)now;
  /* What is sent to a candidate goes out of the socket with its number. */
  fake_transmit(&agent->fake, candidate, peer, data.ptr, data.len);
  return FLOE_OK;
}

static fake_call *note(floe_ice_agent *agent, const char *name, floe_time now) {
  agent->fake.n_calls++;
  agent->fake.call = (fake_call){.name = name, .now = now};
  return &agent->fake.call;
}

static void note_text(fake_call *call, const char *text) {
  strncpy(call->text, text, sizeof call->text - 1);
}

static floe_status reply(const floe_ice_agent *agent, floe_error *why) {
  if (agent->fake.reply != FLOE_OK && why != NULL) why->status = agent->fake.reply;
  return agent->fake.reply;
}

floe_status floe_ice_agent_set_role(floe_ice_agent *agent, floe_ice_role role) {
  note(agent, "set_role", 0)->number = role;
  return reply(agent, NULL);
}

floe_ice_role floe_ice_agent_role(const floe_ice_agent *agent) {
  (void)agent;
  return FLOE_ICE_ROLE_CONTROLLED;
}

const floe_ice_parameters *floe_ice_agent_local_parameters(const floe_ice_agent *agent) {
  return &agent->fake.local;
}

const floe_ice_parameters *floe_ice_agent_remote_parameters(const floe_ice_agent *agent) {
  static const floe_ice_parameters theirs = {.ufrag = "theirs"};
  (void)agent;
  return &theirs;
}

floe_status floe_ice_agent_set_remote_parameters(floe_ice_agent *agent, floe_time now,
                                                 const floe_ice_parameters *params, floe_error *why) {
  note_text(note(agent, "set_remote_parameters", now), params->ufrag);
  return reply(agent, why);
}

floe_status floe_ice_agent_add_remote_candidate(floe_ice_agent *agent, floe_time now, const char *line,
                                                floe_error *why) {
  note_text(note(agent, "add_remote_candidate", now), line);
  return reply(agent, why);
}

void floe_ice_agent_end_of_remote_candidates(floe_ice_agent *agent, floe_time now) {
  (void)note(agent, "end_of_remote_candidates", now);
}

size_t floe_ice_agent_local_description(const floe_ice_agent *agent, char *out, size_t cap) {
  (void)agent;
  if (cap > 0) strncpy(out, "a=ice-ufrag:mine\n", cap);
  return 17;
}

floe_status floe_ice_agent_set_remote_description(floe_ice_agent *agent, floe_time now, const char *text,
                                                  floe_error *why) {
  note_text(note(agent, "set_remote_description", now), text);
  return reply(agent, why);
}

floe_status floe_ice_agent_send(floe_ice_agent *agent, floe_time now, floe_bytes data, uint8_t dscp) {
  (void)note(agent, "send", now);
  if (agent->fake.reply != FLOE_OK) return agent->fake.reply;
  fake_transmit_marked(&agent->fake, 1, &agent->fake.peer, data.ptr, data.len, dscp);
  return FLOE_OK;
}

floe_status floe_ice_agent_restart(floe_ice_agent *agent, floe_time now) {
  (void)note(agent, "restart", now);
  return reply(agent, NULL);
}

void floe_ice_agent_on_interfaces_changed(floe_ice_agent *agent, floe_time now) {
  (void)note(agent, "on_interfaces_changed", now);
  fake_interfaces(&agent->fake);
}

floe_ice_connection_state floe_ice_agent_connection_state(const floe_ice_agent *agent) {
  (void)agent;
  return FLOE_ICE_CONNECTION_COMPLETED;
}

bool floe_ice_agent_selected_pair(const floe_ice_agent *agent, const floe_ice_candidate **local,
                                  const floe_ice_candidate **remote) {
  static const floe_ice_candidate pair[2] = {{.id = 3}, {.id = 4}};
  (void)agent;
  *local = &pair[0];
  *remote = &pair[1];
  return true;
}

const floe_stats *floe_ice_agent_stats(floe_ice_agent *agent, floe_time now) {
  static floe_stats stats;
  (void)note(agent, "stats", now);
  stats.timestamp = now;
  return &stats;
}

const floe_connection_report *floe_ice_agent_connection_report(floe_ice_agent *agent, floe_time now) {
  static const floe_connection_report report = {.n_remote_candidates = 5};
  (void)note(agent, "connection_report", now);
  return &report;
}

void floe_ice_agent_input(floe_ice_agent *agent, floe_time now, const floe_input *in) {
  (void)now;
  drop_taken(agent);
  fake_core *fake = &agent->fake;
  if (fake->n_inputs == agent->cap_inputs) {
    agent->cap_inputs = agent->cap_inputs * 2 + 4;
    fake->inputs = realloc(fake->inputs, agent->cap_inputs * sizeof *fake->inputs);
    assert_non_null(fake->inputs);
  }
  fake_input *copy = &fake->inputs[fake->n_inputs++];
  memset(copy, 0, sizeof *copy);
  copy->in = *in;
  if (in->os_error_text != NULL) {
    strncpy(copy->text, in->os_error_text, sizeof copy->text - 1);
    copy->in.os_error_text = "see text";
  }
  if (in->data.len > 0) {
    copy->data = malloc(in->data.len);
    assert_non_null(copy->data);
    memcpy(copy->data, in->data.ptr, in->data.len);
    copy->in.data.ptr = copy->data;
  }
  for (size_t i = 0; i < in->n_addrs && i < 8; i++) copy->addrs[i] = in->addrs[i];
  copy->in.addrs = NULL;
  if (in->n_interfaces > 0) {
    copy->interfaces = calloc(in->n_interfaces, sizeof *copy->interfaces);
    assert_non_null(copy->interfaces);
    memcpy(copy->interfaces, in->interfaces, in->n_interfaces * sizeof *copy->interfaces);
  }
  copy->in.interfaces = copy->interfaces;
  if (fake->on_input != NULL) fake->on_input(fake, in);
}

void floe_ice_agent_poll(floe_ice_agent *agent, floe_output *out) {
  drop_taken(agent);
  memset(out, 0, sizeof *out);
  agent->taken = agent->first;
  if (agent->taken == NULL) {
    out->type = FLOE_OUTPUT_WAIT;
    out->u.wait.until = agent->fake.wait_until;
    out->u.wait.reason = "fake";
    return;
  }
  agent->first = agent->taken->next;
  if (agent->first == NULL) agent->last = NULL;
  *out = agent->taken->out;
}

void floe_ice_agent_close(floe_ice_agent *agent, floe_time now) {
  (void)now;
  drop_taken(agent);
  agent->is_closing = true;
  agent->fake.n_closes++;
}

bool floe_ice_agent_is_closed(const floe_ice_agent *agent) {
  return agent->is_closing && !agent->fake.holds_close && agent->first == NULL;
}

/* ---- what the test pushes ---- */

static fake_output *push(fake_core *fake, const floe_output *out, const void *data, size_t len) {
  floe_ice_agent *agent = fake->agent;
  fake_output *copy = malloc(sizeof *copy + len + 1);
  assert_non_null(copy);
  copy->out = *out;
  copy->next = NULL;
  if (len > 0) memcpy(copy->data, data, len);
  copy->data[len] = 0;
  if (agent->last != NULL) {
    agent->last->next = copy;
  } else {
    agent->first = copy;
  }
  agent->last = copy;
  return copy;
}

void fake_push(fake_core *fake, const floe_output *out) {
  (void)push(fake, out, NULL, 0);
}

void fake_open(fake_core *fake, floe_sock_id sock, floe_transport transport, const char *local, const char *remote) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = sock;
  out.u.open.transport = transport;
  assert_true(floe_addr_parse(&out.u.open.local, local));
  if (remote != NULL) assert_true(floe_addr_parse(&out.u.open.remote, remote));
  fake_push(fake, &out);
}

static void open_tcp(fake_core *fake, floe_sock_id sock, const char *local, const char *remote, bool is_shared) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = sock;
  out.u.open.transport = FLOE_TRANSPORT_TCP;
  out.u.open.listen = remote == NULL;
  out.u.open.shared = is_shared;
  assert_true(floe_addr_parse(&out.u.open.local, local));
  if (remote != NULL) assert_true(floe_addr_parse(&out.u.open.remote, remote));
  fake_push(fake, &out);
}

void fake_open_on_mux(fake_core *fake, floe_sock_id sock, const char *local) {
  floe_output out = {.type = FLOE_OUTPUT_OPEN};
  out.u.open.sock = sock;
  out.u.open.shared = true;
  assert_true(floe_addr_parse(&out.u.open.local, local));
  fake_push(fake, &out);
}

void fake_open_shared(fake_core *fake, floe_sock_id sock, const char *local, const char *remote) {
  open_tcp(fake, sock, local, remote, true);
}

void fake_listen(fake_core *fake, floe_sock_id sock, const char *local) {
  open_tcp(fake, sock, local, NULL, false);
}

void fake_close(fake_core *fake, floe_sock_id sock) {
  floe_output out = {.type = FLOE_OUTPUT_CLOSE};
  out.u.close.sock = sock;
  fake_push(fake, &out);
}

void fake_transmit(fake_core *fake, floe_sock_id sock, const floe_addr *to, const void *data, size_t len) {
  fake_transmit_marked(fake, sock, to, data, len, 0);
}

void fake_transmit_marked(fake_core *fake, floe_sock_id sock, const floe_addr *to, const void *data, size_t len,
                          uint8_t dscp) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock;
  out.u.transmit.dscp = dscp;
  if (to != NULL) out.u.transmit.to = *to;
  fake_output *copy = push(fake, &out, data, len);
  copy->out.u.transmit.data = (floe_bytes){.ptr = copy->data, .len = len};
}

void fake_data(fake_core *fake, uint32_t candidate, const floe_addr *from, const void *data, size_t len) {
  floe_output out = {.type = FLOE_OUTPUT_DATA};
  out.u.data.candidate = candidate;
  out.u.data.from = *from;
  fake_output *copy = push(fake, &out, data, len);
  copy->out.u.data.data = (floe_bytes){.ptr = copy->data, .len = len};
}

void fake_interfaces(fake_core *fake) {
  floe_output out = {.type = FLOE_OUTPUT_INTERFACES};
  fake_push(fake, &out);
}

static void push_resolve(fake_core *fake, floe_output *out, const char *host) {
  fake_output *copy = push(fake, out, host, strlen(host));
  copy->out.u.resolve.host = (const char *)copy->data;
}

void fake_resolve(fake_core *fake, floe_req_id req, const char *host, floe_family family) {
  floe_output out = {.type = FLOE_OUTPUT_RESOLVE};
  out.u.resolve.req = req;
  out.u.resolve.family = family;
  push_resolve(fake, &out, host);
}

void fake_resolve_multicast(fake_core *fake, floe_req_id req, const char *host, floe_family family) {
  floe_output out = {.type = FLOE_OUTPUT_RESOLVE};
  out.u.resolve.req = req;
  out.u.resolve.family = family;
  out.u.resolve.multicast = true;
  push_resolve(fake, &out, host);
}

void fake_publish(fake_core *fake, const char *name, const floe_addr *address, bool withdraw) {
  floe_output out = {.type = FLOE_OUTPUT_PUBLISH};
  out.u.publish.address = *address;
  out.u.publish.withdraw = withdraw;
  fake_output *copy = push(fake, &out, name, strlen(name));
  copy->out.u.publish.name = (const char *)copy->data;
}

floe_event *fake_event(fake_core *fake, floe_event_type type) {
  floe_output out = {.type = FLOE_OUTPUT_EVENT};
  fake_output *copy = push(fake, &out, NULL, 0);
  copy->event = (floe_event){.type = type, .name = "fake"};
  copy->out.u.event = &copy->event;
  return &copy->event;
}

/* ---- what the test reads ---- */

static uint32_t id_of(const floe_input *in) {
  return in->type == FLOE_INPUT_RESOLVED ? in->req : in->sock;
}

const fake_input *fake_find(const fake_core *fake, floe_input_type type, uint32_t id, size_t n) {
  for (size_t i = 0; i < fake->n_inputs; i++) {
    const floe_input *in = &fake->inputs[i].in;
    if (in->type == type && (id == 0 || id_of(in) == id) && n-- == 0) return &fake->inputs[i];
  }
  return NULL;
}

size_t fake_count(const fake_core *fake, floe_input_type type, uint32_t id) {
  size_t n = 0;
  while (fake_find(fake, type, id, n) != NULL) n++;
  return n;
}

size_t fake_stream_bytes(const fake_core *fake, floe_sock_id sock) {
  size_t sum = 0;
  for (size_t i = 0; i < fake->n_inputs; i++) {
    const floe_input *in = &fake->inputs[i].in;
    if (in->type == FLOE_INPUT_STREAM && in->sock == sock) sum += in->data.len;
  }
  return sum;
}

/* ---- running ---- */

static void on_late(uv_timer_t *timer) {
  *(bool *)timer->data = true;
}

void fake_run(uv_loop_t *loop, bool (*done)(void *user), void *user) {
  bool is_late = false;
  uv_timer_t guard;
  assert_int_equal(uv_timer_init(loop, &guard), 0);
  guard.data = &is_late;
  uv_update_time(loop);
  assert_int_equal(uv_timer_start(&guard, on_late, 10000, 0), 0);
  while (!done(user) && !is_late) (void)uv_run(loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&guard, NULL);
  (void)uv_run(loop, UV_RUN_NOWAIT);
  if (is_late) fail_msg("what the test waits for has not come");
}

typedef struct awaited {
  fake_core *fake;
  floe_input_type type;
  uint32_t id;
  size_t count;
} awaited;

static bool has_come(void *user) {
  const awaited *a = user;
  return fake_find(a->fake, a->type, a->id, a->count - 1) != NULL;
}

const fake_input *fake_await(floe_uv_ice_agent *agent, uv_loop_t *loop, floe_input_type type, uint32_t id,
                             size_t count) {
  awaited a = {.fake = fake_of(agent), .type = type, .id = id, .count = count};
  fake_run(loop, has_come, &a);
  return fake_find(a.fake, type, id, count - 1);
}
