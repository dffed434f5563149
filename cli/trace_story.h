/* What the lines of a trace tell together: agents, servers, candidates and pairs, and how each of them ended. */
#ifndef FLOE_CLI_TRACE_STORY_H
#define FLOE_CLI_TRACE_STORY_H

#include "floe/cause.h"
#include "floe/types.h"
#include "trace_index.h"
#include "trace_line.h"
#include "trace_story_pc.h"

/* More agents, servers, candidates and pairs than this in all are told in the timeline, but not kept. */
enum { FLOE__STORY_MAX = 200000 };

enum { FLOE__STORY_HOST = 64 };

/* How a check of the peer was dealt with; one row per value of `outcome`. */
#define FLOE__PEER_CHECK_MAP(X)                                                        \
  X(FLOE__PEER_CHECK_OK, "ok", "accepted")                                             \
  X(FLOE__PEER_CHECK_UNKNOWN_UFRAG, "unknown_ufrag", "for another user name fragment") \
  X(FLOE__PEER_CHECK_BAD_INTEGRITY, "bad_integrity", "wrongly signed")                 \
  X(FLOE__PEER_CHECK_ROLE_CONFLICT, "role_conflict", "with our role")                  \
  X(FLOE__PEER_CHECK_REFUSED, "refused", "refused")                                    \
  X(FLOE__PEER_CHECK_MALFORMED, "malformed", "malformed")

typedef enum floe__peer_check {
#define FLOE__ROW(id, name, words) id,
  FLOE__PEER_CHECK_MAP(FLOE__ROW)
#undef FLOE__ROW
      FLOE__PEER_CHECK_COUNT
} floe__peer_check;

typedef struct floe__story_agent {
  uint32_t number; /* 0 = the trace names none */
  bool is_closing;
  char state[FLOE__STORY_WORD]; /* of the connection; "" = none was told */
  char cause[FLOE__STORY_CAUSE];
  char role[FLOE__STORY_WORD];
  bool was_checking, was_connected;
  double checking_ms, connected_ms, state_ms; /* when checks began; when it first was connected; when the state came */
  uint32_t sessions;                          /* ICE sessions: one more than restarts */
  uint64_t peer_checks[FLOE__PEER_CHECK_COUNT];
  uint32_t selected_pair; /* 0 = none */
  floe__story_pc pc;      /* above ICE */
} floe__story_agent;

/* One URL of one agent. */
typedef struct floe__story_server {
  uint32_t agent, server, url;
  char kind[FLOE__STORY_WORD], transport[FLOE__STORY_WORD]; /* "" = not told */
  char host[FLOE__STORY_HOST];                              /* "" = not told */
  uint32_t started, candidates, errors, cancelled;          /* attempts */
  char cause[FLOE__STORY_CAUSE];                            /* of the failure that says most */
  double first_ms, last_ms;
} floe__story_server;

typedef struct floe__story_candidate {
  uint32_t agent, id;
  char type[FLOE__STORY_WORD], transport[FLOE__STORY_WORD], origin[FLOE__STORY_WORD];
  char addr[FLOE_ADDR_TEXT]; /* "" = not told */
  uint64_t nominations;      /* of the peer's: checks from it that nominated */
} floe__story_candidate;

typedef struct floe__story_pair {
  uint32_t agent, id;
  uint32_t local, remote; /* ids of candidates; 0 = not told */
  char state[FLOE__STORY_WORD], failure[FLOE__STORY_WORD];
  uint64_t sent, answered, errors; /* checks, retransmissions included; answers; those that were errors */
  uint32_t last_error;             /* STUN error code; 0 = none */
  uint32_t n_rtt;
  double rtt_last_ms, rtt_min_ms, rtt_sum_ms;
  uint64_t consent_ok, consent_missed;
  bool nominated, selected;
} floe__story_pair;

typedef struct floe__story {
  floe__story_agent *agents;
  size_t n_agents;
  floe__story_server *servers;
  size_t n_servers;
  floe__story_candidate *locals, *remotes;
  size_t n_locals, n_remotes;
  floe__story_pair *pairs;
  size_t n_pairs;
  size_t n_dropped; /* beyond FLOE__STORY_MAX */
  uint64_t n_events;
  double first_ms, last_ms; /* of the trace; last_ms - first_ms leaves out jumps back */
  floe__trace_index agent_index, server_index, local_index, remote_index, pair_index;
} floe__story;

/* A zeroed story is empty. */
void floe__story_add(floe__story *s, const floe__trace_line *line);
void floe__story_clear(floe__story *s);

/* NULL when nothing was told of it. */
const floe__story_agent *floe__story_agent_of(const floe__story *s, uint32_t agent);
const floe__story_pair *floe__story_pair_of(const floe__story *s, uint32_t agent, uint32_t id);
const floe__story_candidate *floe__story_local_of(const floe__story *s, uint32_t agent, uint32_t id);
const floe__story_candidate *floe__story_remote_of(const floe__story *s, uint32_t agent, uint32_t id);

/* Something is known of the agent beyond that it was there: of its connection, or of a server or a pair, where `server`
 * and `pair` are the places of the next ones in the sorted story. */
bool floe__story_has_news(const floe__story *s, const floe__story_agent *a, size_t server, size_t pair);

/* Servers and pairs in the order of agent and id, for printing. */
void floe__story_sort(floe__story *s);

/* "host udp 192.0.2.1:50000", "host udp", or "?" for NULL. Returns `buf`. */
enum { FLOE__STORY_CANDIDATE_TEXT = 2 * FLOE__STORY_WORD + FLOE_ADDR_TEXT + 4 };
const char *floe__story_candidate_text(const floe__story_candidate *c /* nullable */, char *buf);

/* FLOE_VERDICT-like word of a server: "ok", "degraded", "failed", "cancelled" or "open". */
const char *floe__story_server_verdict(const floe__story_server *server);

#endif
