#include "trace_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* --- finding and adding ------------------------------------------------------------------------------------------ */

/* The element at (a, b) of the array, made when it is not there; NULL when there are too many. */
static void *find_or_add(floe__story *s, floe__trace_index *x, void **array, size_t *n, size_t size, uint64_t a,
                         uint64_t b) {
  size_t at = floe__trace_index_find(x, a, b);
  if (at == FLOE__TRACE_NOWHERE) {
    if (s->n_agents + s->n_servers + s->n_locals + s->n_remotes + s->n_pairs >= FLOE__STORY_MAX) {
      s->n_dropped++;
      return NULL;
    }
    at = *n;
    floe__cli_grow(array, at, size);
    memset((char *)*array + at * size, 0, size);
    floe__trace_index_set(x, a, b, at);
    *n = at + 1;
  }
  return (char *)*array + at * size;
}

static const void *find(const floe__trace_index *x, const void *array, size_t size, uint64_t a, uint64_t b) {
  size_t at = floe__trace_index_find(x, a, b);
  return at == FLOE__TRACE_NOWHERE ? NULL : (const char *)array + at * size;
}

static floe__story_agent *agent_at(floe__story *s, uint32_t number) {
  void *array = s->agents;
  floe__story_agent *a = find_or_add(s, &s->agent_index, &array, &s->n_agents, sizeof *a, number, 0);
  s->agents = array;
  if (a != NULL) a->number = number;
  return a;
}

static floe__story_server *server_at(floe__story *s, const floe__trace_line *line) {
  uint32_t server, url;
  if (!floe__trace_line_id(line, "server", &server) || !floe__trace_line_id(line, "url", &url)) return NULL;
  void *array = s->servers;
  floe__story_server *v =
      find_or_add(s, &s->server_index, &array, &s->n_servers, sizeof *v, line->agent, (uint64_t)server << 32 | url);
  s->servers = array;
  if (v == NULL) return NULL;
  v->agent = line->agent;
  v->server = server;
  v->url = url;
  return v;
}

static floe__story_candidate *candidate_at(floe__story *s, const floe__trace_line *line, bool is_remote) {
  uint32_t id;
  if (!floe__trace_line_id(line, "id", &id)) return NULL;
  floe__story_candidate **list = is_remote ? &s->remotes : &s->locals;
  floe__trace_index *x = is_remote ? &s->remote_index : &s->local_index;
  void *array = *list;
  floe__story_candidate *c =
      find_or_add(s, x, &array, is_remote ? &s->n_remotes : &s->n_locals, sizeof *c, line->agent, id);
  *list = array;
  if (c == NULL) return NULL;
  c->agent = line->agent;
  c->id = id;
  return c;
}

static floe__story_pair *pair_at(floe__story *s, const floe__trace_line *line) {
  uint32_t id;
  if (!floe__trace_line_id(line, "pair", &id)) return NULL;
  void *array = s->pairs;
  floe__story_pair *p = find_or_add(s, &s->pair_index, &array, &s->n_pairs, sizeof *p, line->agent, id);
  s->pairs = array;
  if (p == NULL) return NULL;
  p->agent = line->agent;
  p->id = id;
  return p;
}

const floe__story_agent *floe__story_agent_of(const floe__story *s, uint32_t agent) {
  return find(&s->agent_index, s->agents, sizeof *s->agents, agent, 0);
}

const floe__story_pair *floe__story_pair_of(const floe__story *s, uint32_t agent, uint32_t id) {
  return find(&s->pair_index, s->pairs, sizeof *s->pairs, agent, id);
}

const floe__story_candidate *floe__story_local_of(const floe__story *s, uint32_t agent, uint32_t id) {
  return find(&s->local_index, s->locals, sizeof *s->locals, agent, id);
}

const floe__story_candidate *floe__story_remote_of(const floe__story *s, uint32_t agent, uint32_t id) {
  return find(&s->remote_index, s->remotes, sizeof *s->remotes, agent, id);
}

/* --- events ----------------------------------------------------------------------------------------------------- */

/* Keeps what was told before when the member is absent. */
static void take_text(char *out, size_t cap, const floe__trace_line *line, const char *name) {
  const char *text = floe__trace_line_text(line, name);
  if (text[0] != '\0') (void)snprintf(out, cap, "%s", text);
}

/* The contract's section 2: the later group says more; within one the first counts. */
static void take_server_cause(floe__story_server *v, const char *cause) {
  if (cause[0] == '\0') return;
  int old = floe_cause_group(floe_cause_from_id(v->cause)), new = floe_cause_group(floe_cause_from_id(cause));
  if (v->cause[0] == '\0' || new > old) (void)snprintf(v->cause, sizeof v->cause, "%s", cause);
}

static void on_attempt(floe__story *s, const floe__trace_line *line) {
  floe__story_server *v = server_at(s, line);
  if (v == NULL) return;
  const char *to = floe__trace_line_text(line, "to");
  if (v->started + v->candidates + v->errors + v->cancelled == 0) v->first_ms = line->t_ms;
  v->last_ms = line->t_ms;
  take_text(v->kind, sizeof v->kind, line, "kind");
  take_text(v->transport, sizeof v->transport, line, "transport");
  take_text(v->host, sizeof v->host, line, "host");
  if (strcmp(to, "running") == 0) v->started++;
  if (strcmp(to, "candidate") == 0) v->candidates++;
  if (strcmp(to, "cancelled") == 0) v->cancelled++;
  if (strcmp(to, "error") != 0) return;
  v->errors++;
  take_server_cause(v, floe__trace_line_text(line, "cause"));
}

static void on_candidate(floe__story *s, const floe__trace_line *line, bool is_remote) {
  floe__story_candidate *c = candidate_at(s, line, is_remote);
  if (c == NULL) return;
  take_text(c->type, sizeof c->type, line, "type");
  take_text(c->transport, sizeof c->transport, line, "transport");
  take_text(c->origin, sizeof c->origin, line, "origin");
  take_text(c->addr, sizeof c->addr, line, "addr");
}

static void on_state(const floe__trace_line *line, floe__story_agent *a) {
  const char *to = floe__trace_line_text(line, "to");
  const char *cause = floe__trace_line_text(line, "cause");
  if (strcmp(to, "checking") == 0 && !a->was_checking) {
    a->was_checking = true;
    a->checking_ms = line->t_ms;
  }
  if (strcmp(to, "connected") == 0 && !a->was_connected) {
    a->was_connected = true;
    a->connected_ms = line->t_ms;
  }
  (void)snprintf(a->state, sizeof a->state, "%s", to);
  (void)snprintf(a->cause, sizeof a->cause, "%s", strcmp(cause, "none") == 0 ? "" : cause);
  a->state_ms = line->t_ms;
}

static void on_peer_check(floe__story *s, const floe__trace_line *line, floe__story_agent *a) {
  static const char *const names[] = {
#define FLOE__ROW(id, name, words) name,
      FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
  };
  const char *outcome = floe__trace_line_text(line, "outcome");
  for (size_t i = 0; i < FLOE__PEER_CHECK_COUNT; i++) {
    if (strcmp(outcome, names[i]) == 0) a->peer_checks[i]++;
  }
  uint32_t remote;
  if (!floe__trace_line_flag(line, "use_candidate") || !floe__trace_line_id(line, "remote", &remote)) return;
  const floe__story_candidate *c = floe__story_remote_of(s, a->number, remote);
  if (c != NULL) s->remotes[c - s->remotes].nominations++;
}

static void on_pair_state(const floe__trace_line *line, floe__story_pair *p) {
  take_text(p->state, sizeof p->state, line, "to");
  (void)floe__trace_line_id(line, "local", &p->local);
  (void)floe__trace_line_id(line, "remote", &p->remote);
  const char *failure = floe__trace_line_text(line, "failure");
  (void)snprintf(p->failure, sizeof p->failure, "%s", strcmp(failure, "none") == 0 ? "" : failure);
}

static void on_answer(const floe__trace_line *line, floe__story_pair *p) {
  int64_t rtt_us;
  uint32_t code = 0;
  p->answered++;
  if (floe__trace_line_id(line, "code", &code) && code != 0) {
    p->errors++;
    p->last_error = code;
  }
  if (!floe__trace_line_number(line, "rtt_us", &rtt_us) || rtt_us < 0) return;
  double ms = (double)rtt_us / 1000;
  p->rtt_last_ms = ms;
  p->rtt_min_ms = p->n_rtt == 0 || ms < p->rtt_min_ms ? ms : p->rtt_min_ms;
  p->rtt_sum_ms += ms;
  p->n_rtt++;
}

static void select_pair(floe__story *s, floe__story_agent *a, const floe__trace_line *line) {
  uint32_t id;
  if (!floe__trace_line_id(line, "pair", &id)) return;
  const floe__story_pair *old = floe__story_pair_of(s, a->number, a->selected_pair);
  if (old != NULL) s->pairs[old - s->pairs].selected = false;
  a->selected_pair = id;
}

static void on_pair_event(floe__story *s, const floe__trace_line *line, const char *what) {
  floe__story_pair *p = pair_at(s, line);
  if (p == NULL) return;
  if (strcmp(what, "pair.state") == 0) on_pair_state(line, p);
  if (strcmp(what, "check.sent") == 0) p->sent++;
  if (strcmp(what, "check.answered") == 0) on_answer(line, p);
  if (strcmp(what, "nominated") == 0) p->nominated = true;
  if (strcmp(what, "selected") == 0) p->selected = true;
  if (strcmp(what, "consent") != 0) return;
  const char *outcome = floe__trace_line_text(line, "outcome");
  if (strcmp(outcome, "ok") == 0) p->consent_ok++;
  if (strcmp(outcome, "missed") == 0) p->consent_missed++;
}

static void on_ice(floe__story *s, floe__story_agent *a, const floe__trace_line *line) {
  const char *what = line->event + strlen("ice.");
  if (strcmp(what, "state") == 0) on_state(line, a);
  if (strcmp(what, "role") == 0) take_text(a->role, sizeof a->role, line, "to");
  if (strcmp(what, "local") == 0) on_candidate(s, line, false);
  if (strcmp(what, "remote") == 0) on_candidate(s, line, true);
  if (strcmp(what, "check.received") == 0) on_peer_check(s, line, a);
  if (strcmp(what, "session") == 0 && strcmp(floe__trace_line_text(line, "change"), "started") == 0) a->sessions++;
  if (strcmp(what, "selected") == 0) select_pair(s, a, line);
  on_pair_event(s, line, what);
}

void floe__story_add(floe__story *s, const floe__trace_line *line) {
  if (s->n_events++ == 0) s->first_ms = s->last_ms = line->t_ms;
  if (line->t_ms > s->last_ms) s->last_ms = line->t_ms;
  floe__story_agent *a = agent_at(s, line->agent);
  if (a == NULL) return;
  if (strcmp(line->event, "agent.state") == 0)
    a->is_closing = strncmp(floe__trace_line_text(line, "to"), "clos", 4) == 0;
  if (strcmp(line->event, "gather.attempt.state") == 0) on_attempt(s, line);
  if (strncmp(line->event, "ice.", 4) == 0) on_ice(s, a, line);
  if (floe__story_pc_is_event(line->event)) floe__story_pc_add(&a->pc, line);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

void floe__story_clear(floe__story *s) {
  free(s->agents);
  free(s->servers);
  free(s->locals);
  free(s->remotes);
  free(s->pairs);
  floe__trace_index_clear(&s->agent_index);
  floe__trace_index_clear(&s->server_index);
  floe__trace_index_clear(&s->local_index);
  floe__trace_index_clear(&s->remote_index);
  floe__trace_index_clear(&s->pair_index);
  memset(s, 0, sizeof *s);
}

bool floe__story_has_news(const floe__story *s, const floe__story_agent *a, size_t server, size_t pair) {
  if (a->state[0] != '\0' || a->role[0] != '\0' || a->pc.is_there) return true;
  if (server < s->n_servers && s->servers[server].agent == a->number) return true;
  return pair < s->n_pairs && s->pairs[pair].agent == a->number;
}

static int compare(uint64_t a, uint64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

static int compare_agents(const void *a, const void *b) {
  return compare(((const floe__story_agent *)a)->number, ((const floe__story_agent *)b)->number);
}

static int compare_servers(const void *a, const void *b) {
  const floe__story_server *x = a, *y = b;
  if (x->agent != y->agent) return compare(x->agent, y->agent);
  return compare((uint64_t)x->server << 32 | x->url, (uint64_t)y->server << 32 | y->url);
}

static int compare_pairs(const void *a, const void *b) {
  const floe__story_pair *x = a, *y = b;
  return x->agent != y->agent ? compare(x->agent, y->agent) : compare(x->id, y->id);
}

/* The indexes no longer fit the arrays after this. */
void floe__story_sort(floe__story *s) {
  floe__trace_index_clear(&s->agent_index);
  floe__trace_index_clear(&s->server_index);
  floe__trace_index_clear(&s->pair_index);
  if (s->n_agents > 0) qsort(s->agents, s->n_agents, sizeof *s->agents, compare_agents);
  if (s->n_servers > 0) qsort(s->servers, s->n_servers, sizeof *s->servers, compare_servers);
  if (s->n_pairs > 0) qsort(s->pairs, s->n_pairs, sizeof *s->pairs, compare_pairs);
}

const char *floe__story_candidate_text(const floe__story_candidate *c, char *buf) {
  if (c == NULL) {
    (void)snprintf(buf, FLOE__STORY_CANDIDATE_TEXT, "?");
  } else {
    (void)snprintf(buf, FLOE__STORY_CANDIDATE_TEXT, "%s %s%s%s", c->type, c->transport, c->addr[0] == '\0' ? "" : " ",
                   c->addr);
  }
  return buf;
}

const char *floe__story_server_verdict(const floe__story_server *v) {
  if (v->started > v->candidates + v->errors + v->cancelled) return "open";
  if (v->candidates > 0) return v->errors > 0 ? "degraded" : "ok";
  return v->errors > 0 ? "failed" : "cancelled";
}
