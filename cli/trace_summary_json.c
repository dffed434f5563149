#include <string.h>

#include "json_value.h"
#include "trace_summary.h"

/* A member that is known only when its text is not empty. */
static void set_word(json_t *o, const char *name, const char *text) {
  floe__json_set_text(o, name, text[0] == '\0' ? NULL : text);
}

static json_t *make_server(const floe__story_server *v) {
  json_t *o = json_object();
  floe__json_set_integer(o, "serverIndex", true, v->server);
  floe__json_set_integer(o, "urlIndex", true, v->url);
  set_word(o, "kind", v->kind);
  set_word(o, "transport", v->transport);
  set_word(o, "serverName", v->host);
  floe__json_set_text(o, "verdict", floe__story_server_verdict(v));
  set_word(o, "cause", v->cause);
  floe__json_or_null(o, "cause");
  floe__json_set_integer(o, "attempts", true, (int64_t)v->candidates + v->errors + v->cancelled);
  floe__json_set_integer(o, "candidates", true, v->candidates);
  floe__json_set_number(o, "elapsedMs", true, v->last_ms - v->first_ms);
  return o;
}

static void set_candidate(json_t *pair, const char *type, const char *address, const floe__story_candidate *c) {
  if (c == NULL) return;
  set_word(pair, type, c->type);
  set_word(pair, address, c->addr);
  set_word(pair, "transport", c->transport);
}

static json_t *make_pair(const floe__story *s, const floe__story_pair *p) {
  json_t *o = json_object();
  floe__json_set_integer(o, "id", true, p->id);
  floe__json_set_integer(o, "localCandidateId", p->local != 0, p->local);
  floe__json_set_integer(o, "remoteCandidateId", p->remote != 0, p->remote);
  set_candidate(o, "localCandidateType", "localAddress", floe__story_local_of(s, p->agent, p->local));
  set_candidate(o, "remoteCandidateType", "remoteAddress", floe__story_remote_of(s, p->agent, p->remote));
  set_word(o, "state", p->state);
  set_word(o, "failure", p->failure);
  floe__json_set_true(o, "nominated", p->nominated);
  floe__json_set_true(o, "selected", p->selected);
  floe__json_set_integer(o, "requestsSent", true, (int64_t)p->sent);
  floe__json_set_integer(o, "responsesReceived", true, (int64_t)p->answered);
  floe__json_set_integer(o, "errorCode", p->last_error != 0, p->last_error);
  floe__json_set_number(o, "rttMs", p->n_rtt > 0, p->rtt_last_ms);
  floe__json_set_number(o, "rttMinMs", p->n_rtt > 0, p->rtt_min_ms);
  floe__json_set_number(o, "rttAvgMs", p->n_rtt > 0, p->rtt_sum_ms / (p->n_rtt == 0 ? 1 : p->n_rtt));
  floe__json_set_integer(o, "consentMissed", p->consent_missed != 0, (int64_t)p->consent_missed);
  return o;
}

static json_t *make_peer_checks(const floe__story_agent *a) {
  json_t *o = json_object();
#define FLOE__ROW(id, name, words) \
  floe__json_set_integer(o, name, a->peer_checks[id] != 0, (int64_t)a->peer_checks[id]);
  FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
  return o;
}

/* --- above ICE ---------------------------------------------------------------------------------------------------- */

static void set_layer(json_t *o, const floe__story_layer *l, const char *up_ms) {
  set_word(o, "state", l->state);
  floe__json_set_true(o, "closed", l->is_closed);
  set_word(o, "cause", l->cause);
  floe__json_or_null(o, "cause");
  floe__json_set_number(o, up_ms, l->has_begun && l->was_up, l->up_ms - l->begin_ms);
  floe__json_set_number(o, "stateMs", l->has_begun, l->state_ms - l->begin_ms);
}

static json_t *make_signaling(const floe__story_pc *pc) {
  json_t *o = json_object();
  floe__json_set_text(o, "offeredBy", !pc->has_offer ? NULL : pc->we_offered ? "us" : "peer");
  floe__json_set_number(o, "answeredMs", pc->has_offer && pc->has_answer, pc->answer_ms - pc->offer_ms);
  floe__json_set_integer(o, "negotiations", true, pc->negotiations);
  floe__json_set_integer(o, "iceRestarts", true, pc->restarts);
  floe__json_set_integer(o, "refused", true, pc->refused);
  set_word(o, "refusedStatus", pc->refusal);
  return o;
}

static json_t *make_dtls(const floe__story_pc *pc) {
  json_t *o = json_object();
  set_layer(o, &pc->dtls, "openMs");
  set_word(o, "role", pc->role);
  set_word(o, "version", pc->version);
  set_word(o, "cipher", pc->cipher);
  set_word(o, "group", pc->group);
  set_word(o, "fingerprintHash", pc->fingerprint);
  if (strcmp(pc->dtls.state, "failed") == 0) {
    (void)json_object_set_new(o, "peerCertificate", json_boolean(pc->has_certificate));
  }
  floe__json_set_integer(o, "alertReceived", pc->has_alert_received, pc->alert_received);
  floe__json_set_integer(o, "alertSent", pc->has_alert_sent, pc->alert_sent);
  return o;
}

static json_t *make_sctp(const floe__story_pc *pc) {
  json_t *o = json_object();
  set_layer(o, &pc->sctp, "connectedMs");
  floe__json_set_integer(o, "streamsIn", pc->sctp.was_up, pc->streams_in);
  floe__json_set_integer(o, "streamsOut", pc->sctp.was_up, pc->streams_out);
  floe__json_set_true(o, "interleaving", pc->interleaving);
  set_word(o, "abortedBy", pc->by);
  floe__json_set_integer(o, "abortCode", pc->has_code, pc->code);
  set_word(o, "text", pc->reason);
  return o;
}

static json_t *make_channels(const floe__story_pc *pc) {
  json_t *o = json_object();
  floe__json_set_integer(o, "made", true, pc->channels);
  floe__json_set_integer(o, "madeByPeer", true, pc->channels_of_peer);
  floe__json_set_integer(o, "opened", true, pc->opened);
  floe__json_set_integer(o, "closed", true, pc->closed);
  floe__json_set_number(o, "firstSentMs", pc->opened > 0 && pc->has_sent, pc->sent_ms - pc->open_ms);
  floe__json_set_number(o, "firstReceivedMs", pc->opened > 0 && pc->has_received, pc->received_ms - pc->open_ms);
  return o;
}

static json_t *make_pc(const floe__story_pc *pc) {
  json_t *o = json_object();
  set_layer(o, &pc->connection, "connectedMs");
  (void)json_object_set_new(o, "signaling", make_signaling(pc));
  if (pc->dtls.state[0] != '\0') (void)json_object_set_new(o, "dtls", make_dtls(pc));
  if (pc->sctp.state[0] != '\0') (void)json_object_set_new(o, "sctp", make_sctp(pc));
  (void)json_object_set_new(o, "channels", make_channels(pc));
  return o;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* `server` and `pair`: where this agent's begin in the sorted lists, moved to where they end. */
static json_t *make_agent(const floe__story *s, const floe__story_agent *a, size_t *server, size_t *pair) {
  json_t *o = json_object(), *servers = json_array(), *pairs = json_array();
  for (; *server < s->n_servers && s->servers[*server].agent == a->number; ++*server) {
    (void)json_array_append_new(servers, make_server(&s->servers[*server]));
  }
  for (; *pair < s->n_pairs && s->pairs[*pair].agent == a->number; ++*pair) {
    (void)json_array_append_new(pairs, make_pair(s, &s->pairs[*pair]));
  }
  floe__json_set_integer(o, "agent", a->number != 0, a->number);
  set_word(o, "connectionState", a->state);
  set_word(o, "cause", a->cause);
  floe__json_or_null(o, "cause");
  set_word(o, "role", a->role);
  floe__json_set_number(o, "connectedMs", a->was_checking && a->was_connected, a->connected_ms - a->checking_ms);
  floe__json_set_number(o, "connectionStateMs", a->was_checking, a->state_ms - a->checking_ms);
  floe__json_set_integer(o, "sessions", a->sessions != 0, a->sessions);
  if (a->pc.is_there) (void)json_object_set_new(o, "peerConnection", make_pc(&a->pc));
  (void)json_object_set_new(o, "peerChecks", make_peer_checks(a));
  (void)json_object_set_new(o, "servers", servers);
  (void)json_object_set_new(o, "pairs", pairs);
  return o;
}

void floe__trace_summary_print_json(FILE *out, floe__story *s, const floe__trace_gaps *gaps) {
  json_t *line = json_object(), *agents = json_array();
  size_t server = 0, pair = 0;
  floe__story_sort(s);
  for (size_t i = 0; i < s->n_agents; i++) {
    if (!floe__story_has_news(s, &s->agents[i], server, pair)) continue;
    (void)json_array_append_new(agents, make_agent(s, &s->agents[i], &server, &pair));
  }
  floe__json_set_text(line, "type", "summary");
  floe__json_set_integer(line, "events", true, (int64_t)s->n_events);
  floe__json_set_number(line, "elapsedMs", true, s->last_ms - s->first_ms);
  floe__json_set_integer(line, "unknownEvents", true, (int64_t)gaps->unknown);
  floe__json_set_integer(line, "brokenLines", true, (int64_t)gaps->broken);
  (void)json_object_set_new(line, "agents", agents);
  floe__json_print_line(out, line);
}
