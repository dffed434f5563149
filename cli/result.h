/* What a check found out: the agent's report, and beside it what only the command looks at (relay data, private
 * addresses). Everything that prints works from this. */
#ifndef FLOE_CLI_RESULT_H
#define FLOE_CLI_RESULT_H

#include "floe/floe.h"

typedef enum floe__relay_outcome {
  FLOE__RELAY_FLOWS = 0, /* data arrived in both directions */
  FLOE__RELAY_NO_DATA,   /* nothing arrived in at least one direction */
  FLOE__RELAY_NOT_TESTED /* no second allocation to send to, or no permission for it: cause says why */
} floe__relay_outcome;

/* "flows", "no_data" or "not_tested". */
const char *floe__relay_outcome_name(floe__relay_outcome outcome);

/* One relay candidate, tested against a second allocation at the same server. */
typedef struct floe__relay_result {
  floe__relay_outcome outcome;
  floe_cause cause;         /* NONE, RELAY_NO_DATA, PERMISSION_FAILED, or what kept the second allocation away */
  uint16_t error_code;      /* 0, or the server's code when it refused the permission or the second allocation */
  char words[256];          /* "" or the server's reason phrase for that code */
  floe_transport transport; /* to the server */
  floe_addr relayed;        /* the candidate */
  floe_addr peer;           /* the second allocation; family 0 = none */
  uint32_t sent;            /* packets sent in each direction */
  uint32_t arrived_out;     /* of those from the candidate to the second allocation */
  uint32_t arrived_back;    /* of those from the second allocation to the candidate */
  uint32_t n_rtt;           /* echoes that came back; 0 = no RTT known */
  double rtt_min_ms, rtt_avg_ms, rtt_max_ms; /* through both allocations, there and back */
  double jitter_ms;                          /* mean difference of one RTT to the next; 0 with fewer than two */
} floe__relay_result;

typedef struct floe__check_server {
  const floe_server_report *report;
  bool is_derived; /* made up by --all: its failure only degrades */
  bool is_turn;
  floe_verdict verdict;      /* the report's, changed by what the command found */
  floe_cause cause;          /* likewise */
  floe_addr private_relayed; /* family 0 = none: a private relayed address of a public server */
  floe_addr private_mapped;  /* family 0 = none: a private mapped address of a public server */
  char **candidates;         /* candidate-attributes */
  size_t n_candidates;
  floe__relay_result *relays; /* one per relay candidate; none without a relay test */
  size_t n_relays;
} floe__check_server;

typedef struct floe__check_result {
  floe_verdict verdict;
  double elapsed_ms; /* relay test included */
  bool insecure;     /* certificates were not verified */
  floe__check_server *servers;
  size_t n_servers;
} floe__check_result;

/* Copies what the report says; the report must outlive the result. `n_asked`: servers from this index on are derived.
 */
void floe__result_init(floe__check_result *result, const floe_report *report, size_t n_asked);
void floe__result_clear(floe__check_result *result);

/* Looks for private addresses and, once `relays` are filled in, decides the verdicts. Idempotent. */
void floe__result_judge(floe__check_result *result);

/* True when the server is on the public Internet and `addr`, one of the attempt's three addresses, is not: it has no
 * use for telling such a one. A mapped address that is our own has not been through a NAT, and is no fault of the
 * server's. */
bool floe__result_is_oddly_private(const floe_attempt_report *a, const floe_addr *addr);

/* The first attempt that gave a candidate; NULL when none did. */
const floe_attempt_report *floe__result_first_candidate(const floe_server_report *report);
/* The failed attempt that says why the server failed: the first with the server's cause, else the first that failed;
 * NULL when none did. */
const floe_attempt_report *floe__result_first_failure(const floe_server_report *report);

#endif
