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
  fake_output *taken; /* its pointers are valid until the next call */
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
  (void)cfg;
  (void)why;
  floe_ice_agent *agent = calloc(1, sizeof *agent);
  assert_non_null(agent);
  agent->fake.agent = agent;
  agent->fake.wait_until = FLOE_TIME_NEVER;
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
  for (size_t i = 0; i < agent->fake.n_inputs; i++) free(agent->fake.inputs[i].data);
  free(agent->fake.inputs);
  free(agent);
  n_alive--;
}

floe_status floe_ice_agent_gather(floe_ice_agent *agent, floe_time now) {
  (void)now;
  drop_taken(agent);
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
  drop_taken(agent);
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
  drop_taken(agent);
  /* What is sent to a candidate goes out of the socket with its number. */
  fake_transmit(&agent->fake, candidate, peer, data.ptr, data.len);
  return FLOE_OK;
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

void fake_close(fake_core *fake, floe_sock_id sock) {
  floe_output out = {.type = FLOE_OUTPUT_CLOSE};
  out.u.close.sock = sock;
  fake_push(fake, &out);
}

void fake_transmit(fake_core *fake, floe_sock_id sock, const floe_addr *to, const void *data, size_t len) {
  floe_output out = {.type = FLOE_OUTPUT_TRANSMIT};
  out.u.transmit.sock = sock;
  if (to != NULL) out.u.transmit.to = *to;
  fake_output *copy = push(fake, &out, data, len);
  copy->out.u.transmit.data = (floe_bytes){.ptr = copy->data, .len = len};
}

void fake_resolve(fake_core *fake, floe_req_id req, const char *host, floe_family family) {
  floe_output out = {.type = FLOE_OUTPUT_RESOLVE};
  out.u.resolve.req = req;
  out.u.resolve.family = family;
  fake_output *copy = push(fake, &out, host, strlen(host));
  copy->out.u.resolve.host = (const char *)copy->data;
}

void fake_event(fake_core *fake, floe_event_type type) {
  floe_output out = {.type = FLOE_OUTPUT_EVENT};
  fake_output *copy = push(fake, &out, NULL, 0);
  copy->event = (floe_event){.type = type, .name = "fake"};
  copy->out.u.event = &copy->event;
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
