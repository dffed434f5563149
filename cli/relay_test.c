#include "relay_test.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "relay_probe.h"
#include "round.h"
#include "server_list.h"

enum {
  PROBE_EVERY_MS = 20,
  WAIT_FOR_LAST_MS = 1500, /* after the last packet was sent */
  TEST_LIMIT_MS = 20000    /* whatever happens */
};

/* Where one end of a relay stands. */
typedef enum end_state { END_ASKED = 0, END_GRANTED, END_REFUSED } end_state;

/* One relay candidate of the checked agent, and its partner at the second agent. */
typedef struct relay_pair {
  floe__relay_result *result; /* in the check's result */
  const floe__check_server *server;
  uint32_t second_index; /* the server's index in the second agent's configuration */
  uint32_t candidate[2]; /* by floe__probe_end; 0 = there is no partner */
  end_state state[2];
  floe__probe_log log;
} relay_pair;

struct relay_test;

/* What the callbacks of one agent get. */
typedef struct relay_side {
  struct relay_test *test;
  floe_uv_ice_agent *agent;
  floe__probe_end end;
} relay_side;

typedef struct relay_test {
  floe__session *session;
  const floe_ice_config *cfg;
  floe__check_result *result;
  floe__server_list servers; /* of the second agent */
  relay_side side[2];
  relay_pair *pairs;
  size_t n_pairs;
  uv_timer_t timer;
  floe_time last_sent_at;
  bool gathered, decided, finished, timer_closed;
} relay_test;

/* --- which relays ----------------------------------------------------------------------------------------------- */

static const floe_addr *address_of(const relay_pair *pair, floe__probe_end end) {
  return end == FLOE__PROBE_OUT ? &pair->result->relayed : &pair->result->peer;
}

static relay_pair *find_candidate(relay_test *t, uint32_t candidate) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    if (t->pairs[i].candidate[FLOE__PROBE_OUT] == candidate) return &t->pairs[i];
  }
  return NULL;
}

static void add_pair(relay_test *t, const floe__check_server *server, floe__relay_result *result, uint32_t candidate) {
  void *array = t->pairs;
  floe__cli_grow(&array, t->n_pairs, sizeof *t->pairs);
  t->pairs = array;
  relay_pair *pair = &t->pairs[t->n_pairs++];
  memset(pair, 0, sizeof *pair);
  pair->result = result;
  pair->server = server;
  pair->second_index = (uint32_t)(t->servers.n - 1);
  pair->candidate[FLOE__PROBE_OUT] = candidate;
}

static void add_second_server(relay_test *t, const floe_server_report *report) {
  const floe_ice_server *configured = &t->cfg->ice_servers[report->server_index];
  floe_ice_server *copy = floe__server_list_add(&t->servers, configured->username, configured->credential);
  floe__server_list_add_url(copy, report->url);
}

/* A URL that is configured twice has its candidates in both entries: they are tested once. */
static void add_pairs_of(relay_test *t, floe__check_server *server) {
  const floe_server_report *report = server->report;
  const floe_ice_agent *core = floe_uv_ice_agent_core(t->side[FLOE__PROBE_OUT].agent);
  size_t before = t->n_pairs;
  server->relays = floe__cli_alloc(report->n_candidates * sizeof *server->relays);
  for (size_t i = 0; i < report->n_candidates; i++) {
    const floe_ice_candidate *c = floe_ice_agent_candidate(core, report->candidates[i]);
    if (c == NULL || c->type != FLOE_CANDIDATE_RELAY) continue;
    floe__relay_result *result = &server->relays[server->n_relays++];
    result->relayed = c->address;
    result->transport = c->relay_protocol;
    if (find_candidate(t, c->id) != NULL) continue;
    if (t->n_pairs == before) add_second_server(t, report);
    add_pair(t, server, result, c->id);
  }
}

/* Gives the other entries of a URL that is configured twice what was found for the first. */
static void copy_to_twins(relay_test *t) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    const floe__relay_result *from = t->pairs[i].result;
    for (size_t k = 0; k < t->result->n_servers; k++) {
      const floe__check_server *server = &t->result->servers[k];
      for (size_t r = 0; r < server->n_relays; r++) {
        floe__relay_result *to = &server->relays[r];
        if (to == from || to->transport != from->transport) continue;
        if (floe_addr_equal(&to->relayed, &from->relayed)) *to = *from;
      }
    }
  }
}

/* The second allocation: of the same URL, family and way to the server; one not taken yet where there are several. */
static bool is_partner(const relay_test *t, const relay_pair *pair, const floe_ice_candidate *c, bool unused) {
  if (c->type != FLOE_CANDIDATE_RELAY || c->server_index != pair->second_index) return false;
  if (c->address.family != pair->result->relayed.family || c->relay_protocol != pair->result->transport) return false;
  for (size_t i = 0; unused && i < t->n_pairs; i++) {
    if (t->pairs[i].candidate[FLOE__PROBE_BACK] == c->id) return false;
  }
  return true;
}

static const floe_ice_candidate *find_partner(const relay_test *t, const relay_pair *pair) {
  const floe_ice_candidate *const *all;
  size_t n = floe_ice_agent_local_candidates(floe_uv_ice_agent_core(t->side[FLOE__PROBE_BACK].agent), &all);
  for (int unused = 1; unused >= 0; unused--) {
    for (size_t i = 0; i < n; i++) {
      if (is_partner(t, pair, all[i], unused != 0)) return all[i];
    }
  }
  return NULL;
}

static void say_untested(const relay_test *t, relay_pair *pair) {
  const floe_report *report = floe_ice_agent_report(floe_uv_ice_agent_core(t->side[FLOE__PROBE_BACK].agent));
  const floe_server_report *server = &report->servers[pair->second_index];
  const floe_attempt_report *why = floe__result_first_failure(server);
  floe__relay_result *result = pair->result;
  result->outcome = FLOE__RELAY_NOT_TESTED;
  result->cause = server->cause != FLOE_CAUSE_NONE ? server->cause : FLOE_CAUSE_STUN_ERROR;
  if (why == NULL || why->error_code == 0 || why->error_code == 701) return;
  result->error_code = why->error_code;
  (void)snprintf(result->words, sizeof result->words, "%s", why->error_text == NULL ? "" : why->error_text);
}

/* --- permissions ------------------------------------------------------------------------------------------------ */

static relay_pair *find_pair(relay_test *t, floe__probe_end end, uint32_t candidate, const floe_addr *peer) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    relay_pair *pair = &t->pairs[i];
    if (pair->candidate[end] != candidate || pair->candidate[FLOE__PROBE_BACK] == 0) continue;
    if (peer == NULL || floe_addr_equal(address_of(pair, (floe__probe_end)(1 - end)), peer)) return pair;
  }
  return NULL;
}

static void look_if_decided(relay_test *t) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    const relay_pair *pair = &t->pairs[i];
    if (pair->candidate[FLOE__PROBE_BACK] == 0) continue;
    if (pair->state[FLOE__PROBE_OUT] == END_ASKED || pair->state[FLOE__PROBE_BACK] == END_ASKED) return;
  }
  t->decided = true;
}

static void on_permission(uint32_t candidate, const floe_addr *peer, bool granted, void *user) {
  relay_side *side = user;
  relay_pair *pair = find_pair(side->test, side->end, candidate, peer);
  if (pair == NULL) return;
  pair->state[side->end] = granted ? END_GRANTED : END_REFUSED;
  look_if_decided(side->test);
}

/* Why a permission was refused comes as an event about the server, before the answer itself. */
static void on_server_error(const floe_event *event, void *user) {
  const relay_side *side = user;
  const floe_candidate_error *e = &event->u.error;
  if (e->detail == NULL || e->error_code == 701) return;
  for (size_t i = 0; i < side->test->n_pairs; i++) {
    const relay_pair *pair = &side->test->pairs[i];
    const floe_server_report *report = pair->server->report;
    bool is_of_it = side->end == FLOE__PROBE_OUT
                        ? e->detail->server_index == report->server_index && e->detail->url_index == report->url_index
                        : e->detail->server_index == pair->second_index;
    if (!is_of_it || pair->result->error_code != 0) continue;
    pair->result->error_code = e->error_code;
    (void)snprintf(pair->result->words, sizeof pair->result->words, "%s", e->error_text);
  }
}

/* One end through a channel and the other through Send and Data indications, so that both ways of TURN are used. */
static void ask_permission(relay_test *t, relay_pair *pair, floe__probe_end end) {
  const floe_addr *peer = address_of(pair, (floe__probe_end)(1 - end));
  floe_status status = floe_uv_ice_agent_permit(t->side[end].agent, pair->candidate[end], peer, end == FLOE__PROBE_OUT);
  if (status != FLOE_OK) pair->state[end] = END_REFUSED;
}

static void find_partners_and_ask(relay_test *t) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    relay_pair *pair = &t->pairs[i];
    const floe_ice_candidate *partner = find_partner(t, pair);
    if (partner == NULL) {
      say_untested(t, pair);
      continue;
    }
    pair->candidate[FLOE__PROBE_BACK] = partner->id;
    pair->result->peer = partner->address;
  }
  for (size_t i = 0; i < t->n_pairs; i++) {
    if (t->pairs[i].candidate[FLOE__PROBE_BACK] == 0) continue;
    ask_permission(t, &t->pairs[i], FLOE__PROBE_OUT);
    ask_permission(t, &t->pairs[i], FLOE__PROBE_BACK);
  }
  look_if_decided(t);
}

/* --- data ------------------------------------------------------------------------------------------------------- */

static bool is_permitted(const relay_pair *pair) {
  return pair->candidate[FLOE__PROBE_BACK] != 0 && pair->state[FLOE__PROBE_OUT] == END_GRANTED &&
         pair->state[FLOE__PROBE_BACK] == END_GRANTED;
}

static void send_bytes(relay_test *t, const relay_pair *pair, floe__probe_end end, const uint8_t *bytes) {
  floe_bytes data = {bytes, FLOE__PROBE_LEN};
  const floe_addr *peer = address_of(pair, (floe__probe_end)(1 - end));
  /* What cannot be sent is lost, and is counted as lost: it does not arrive. */
  floe_status status = floe_uv_ice_agent_send_relayed(t->side[end].agent, pair->candidate[end], peer, data);
  (void)status;
}

static void on_data(uint32_t candidate, const floe_addr *from, floe_bytes data, void *user) {
  relay_side *side = user;
  relay_test *t = side->test;
  uint8_t echo[FLOE__PROBE_LEN];
  (void)from; /* the key in the packet says whose it is; a server behind NAT shows another address */
  relay_pair *pair = find_pair(t, side->end, candidate, NULL);
  if (pair == NULL) return;
  if (floe__probe_read(&pair->log, side->end, floe_uv_now(t->session->uv), data, echo)) {
    send_bytes(t, pair, side->end, echo);
  }
}

static void send_probe(relay_test *t, relay_pair *pair, floe__probe_end end) {
  uint8_t bytes[FLOE__PROBE_LEN];
  if (pair->log.sent[end] >= FLOE__PROBE_COUNT) return;
  floe__probe_write(&pair->log, end, floe_uv_now(t->session->uv), bytes);
  send_bytes(t, pair, end, bytes);
  t->last_sent_at = floe_uv_now(t->session->uv);
}

static void on_timer(uv_timer_t *timer) {
  relay_test *t = timer->data;
  bool complete = true;
  for (size_t i = 0; i < t->n_pairs; i++) {
    if (!is_permitted(&t->pairs[i])) continue;
    send_probe(t, &t->pairs[i], FLOE__PROBE_OUT);
    send_probe(t, &t->pairs[i], FLOE__PROBE_BACK);
    complete = complete && floe__probe_is_complete(&t->pairs[i].log);
  }
  bool waited = floe_uv_now(t->session->uv) - t->last_sent_at > WAIT_FOR_LAST_MS * FLOE_MS;
  if (complete || waited) t->finished = true;
}

static void on_timer_closed(uv_handle_t *handle) {
  ((relay_test *)handle->data)->timer_closed = true;
}

static void exchange(relay_test *t) {
  t->last_sent_at = floe_uv_now(t->session->uv);
  (void)uv_timer_init(&t->session->loop, &t->timer);
  t->timer.data = t;
  (void)uv_timer_start(&t->timer, on_timer, 0, PROBE_EVERY_MS);
  (void)floe__session_wait(t->session, &t->finished, TEST_LIMIT_MS);
  uv_close((uv_handle_t *)&t->timer, on_timer_closed);
  (void)floe__session_wait_cleanup(t->session, &t->timer_closed, 0);
}

/* --- the test --------------------------------------------------------------------------------------------------- */

static void on_second_state(const floe_event *event, void *user) {
  relay_side *side = user;
  if (event->u.gathering_state == FLOE_ICE_GATHERING_COMPLETE) side->test->gathered = true;
}

static floe_status start_second_agent(relay_test *t) {
  floe_ice_config cfg = *t->cfg;
  cfg.ice_servers = t->servers.servers;
  cfg.n_ice_servers = t->servers.n;
  cfg.ice_transport_policy = FLOE_ICE_TRANSPORT_POLICY_RELAY;
  relay_side *side = &t->side[FLOE__PROBE_BACK];
  floe_status status = floe_uv_ice_agent_new(&side->agent, t->session->uv, &cfg, NULL);
  if (status != FLOE_OK) return status;
  status = floe_uv_ice_agent_on_icegatheringstatechange(side->agent, on_second_state, side);
  return status == FLOE_OK ? floe_uv_ice_agent_gather(side->agent) : status;
}

static floe_status listen_to_side(relay_side *side) {
  const floe_uv_relay_handler handler = {.on_data = on_data, .on_permission = on_permission, .user = side};
  floe_uv_ice_agent_on_relay(side->agent, &handler);
  return floe_uv_ice_agent_add_event_listener(side->agent, FLOE_EVENT_ICESERVERERROR, on_server_error, side);
}

static void judge(relay_test *t) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    relay_pair *pair = &t->pairs[i];
    if (pair->candidate[FLOE__PROBE_BACK] == 0) continue;
    if (is_permitted(pair)) {
      floe__probe_judge(&pair->log, pair->result);
    } else {
      pair->result->outcome = FLOE__RELAY_NOT_TESTED;
      pair->result->cause = FLOE_CAUSE_PERMISSION_FAILED;
    }
  }
}

static void mark_all_untested(relay_test *t, floe_cause cause) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    t->pairs[i].result->outcome = FLOE__RELAY_NOT_TESTED;
    t->pairs[i].result->cause = cause;
  }
}

static void run(relay_test *t) {
  bool started = start_second_agent(t) == FLOE_OK && listen_to_side(&t->side[FLOE__PROBE_OUT]) == FLOE_OK &&
                 listen_to_side(&t->side[FLOE__PROBE_BACK]) == FLOE_OK;
  if (!started) {
    mark_all_untested(t, FLOE_CAUSE_SOCKET_FAILED);
    return;
  }
  if (!floe__session_wait(t->session, &t->gathered, 0)) return;
  find_partners_and_ask(t);
  (void)floe__session_wait(t->session, &t->decided, TEST_LIMIT_MS);
  exchange(t);
  judge(t);
}

static void make_keys(relay_test *t) {
  for (size_t i = 0; i < t->n_pairs; i++) {
    unsigned char key[sizeof t->pairs[i].log.key];
    if (RAND_bytes(key, sizeof key) != 1) memset(key, (int)(i + 1), sizeof key);
    memcpy(&t->pairs[i].log.key, key, sizeof key);
  }
}

bool floe__relay_test_run(floe__session *s, floe_uv_ice_agent *agent, const floe_ice_config *cfg,
                          floe__check_result *result) {
  relay_test t = {.session = s, .cfg = cfg, .result = result};
  floe_time start = floe_uv_now(s->uv);
  for (int end = 0; end < 2; end++) t.side[end] = (relay_side){&t, NULL, (floe__probe_end)end};
  t.side[FLOE__PROBE_OUT].agent = agent;
  for (size_t i = 0; i < result->n_servers; i++) add_pairs_of(&t, &result->servers[i]);
  if (t.n_pairs > 0) {
    make_keys(&t);
    run(&t);
    floe_uv_ice_agent_on_relay(agent, NULL);
    floe_uv_ice_agent_remove_event_listener(agent, FLOE_EVENT_ICESERVERERROR, on_server_error,
                                            &t.side[FLOE__PROBE_OUT]);
    floe__round_close_agent(s, t.side[FLOE__PROBE_BACK].agent);
  }
  copy_to_twins(&t);
  free(t.pairs);
  floe__server_list_clear(&t.servers);
  result->elapsed_ms += (double)(floe_uv_now(s->uv) - start) / (double)FLOE_MS;
  return !floe__session_is_stopping(s);
}
