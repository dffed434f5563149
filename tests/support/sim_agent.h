/* An ICE agent on a simulated host: takes its outputs, opens its sockets, answers its look-ups, and writes down each
 * event as one line of text.
 *
 *     0.0 state gathering
 *     0.0 candidate host 10.0.0.1:50000
 *     10.0 candidate srflx 203.0.113.1:40000 base=10.0.0.1:50000 stun:192.0.2.1
 *     25.0 candidate relay 192.0.2.1:50000 mapped=203.0.113.1:40001 udp turn:192.0.2.1
 *     30.0 error 486 quota_reached turn:192.0.2.7 at 10.0.0.1:50002 allocate "Allocation Quota Reached"
 *     5010.0 error 701 udp_timeout turn:192.0.2.9 at - allocate
 *     5010.0 candidate end
 *     5010.0 state complete
 *     5012.0 connection checking
 *     5022.0 pair host 10.0.0.1:50000 > srflx 203.0.113.2:40000
 *     5022.0 connection connected
 *     5030.0 data host 203.0.113.2:40000 "text"
 *     5900.0 connection failed checks_unanswered
 *
 * Times are virtual milliseconds. The text of a 701 is left out: that it is "<cause>: <sentence>" is checked for each,
 * with all that holds in every world (sim_check.c): poll ends in WAIT for a later time, sockets are known, nothing is
 * told after close, no 701 comes twice for a URL, each attempt in the report has ended, verdicts fit the attempts, no
 * credential or password is in the trace, no block is left at the end; and for connections (sim_check_connection.c):
 * states follow each other as W3C has them, `failed` and `disconnected` have a cause and nothing else has, a pair is
 * selected while connected, and no timer spins. */
#ifndef FLOE_TESTS_SIM_AGENT_H
#define FLOE_TESTS_SIM_AGENT_H

#include "floe/stats.h"
#include "support/sim_net.h"

typedef struct sim_agent sim_agent;

typedef struct sim_agent_options {
  int64_t unix_ms;     /* wall clock at virtual time 0; 0 = the default, SIM_UNIX_MS */
  uint64_t fail_at;    /* this allocation fails; 0 = none */
  uint64_t fail_from;  /* this one and all later ones fail; 0 = none */
  uint32_t lazy_drain; /* per mille of inputs after which the outputs are taken only later */
  bool no_wire;        /* what is sent is not written down: for tests that send much */
} sim_agent_options;

/* 2026-01-01 00:00:00 UTC */
#define SIM_UNIX_S  INT64_C(1767225600)
#define SIM_UNIX_MS (SIM_UNIX_S * 1000)

/* A refused configuration fails the test, unless memory was made to fail: then sim_agent_core is NULL. */
sim_agent *sim_agent_new(sim_host *h, const floe_ice_config *cfg /* keeps what it points at */,
                         const sim_agent_options *options /* nullable */);
floe_ice_agent *sim_agent_core(sim_agent *a);
/* Frees the agent and its env and checks that nothing is left. Also done by sim_free. */
void sim_agent_free(sim_agent *a);

/* The calls of floe/ice.h, each followed by taking the outputs. */
floe_status sim_agent_gather(sim_agent *a);
floe_status sim_agent_prefetch(sim_agent *a);
void sim_agent_close(sim_agent *a);
floe_status sim_agent_permit(sim_agent *a, uint32_t candidate, const char *peer, bool use_channel);
floe_status sim_agent_send_relayed(sim_agent *a, uint32_t candidate, const char *peer, const char *data);
/* Any input, as a hostile or confused driver might give it. */
void sim_agent_feed(sim_agent *a, const floe_input *in);
/* The test lies about sockets, so that outputs may name ones that are not there: they are dropped. */
void sim_agent_set_lenient(sim_agent *a);

/* The same for connecting. Passwords that pass here must never be in the trace. */
floe_status sim_agent_set_role(sim_agent *a, floe_ice_role role);
floe_status sim_agent_set_remote_parameters(sim_agent *a, const floe_ice_parameters *params);
floe_status sim_agent_add_remote_candidate(sim_agent *a, const char *line);
void sim_agent_end_of_remote_candidates(sim_agent *a);
floe_status sim_agent_set_remote_description(sim_agent *a, const char *text);
floe_status sim_agent_send(sim_agent *a, floe_bytes data, uint8_t dscp);
floe_status sim_agent_send_text(sim_agent *a, const char *text);
floe_status sim_agent_restart(sim_agent *a);
/* After sim_host_add_address or sim_host_remove_address: the program says so; the agent asks for the list. */
void sim_agent_interfaces_changed(sim_agent *a);
/* The same as a driver does it that notices by itself: the list comes unasked. */
void sim_agent_tell_interfaces(sim_agent *a);
/* What the last of these calls that was refused had to say. */
const floe_error *sim_agent_why(const sim_agent *a);

/* Called with each local candidate that is told, and with NULL at their end; may plan events only. */
void sim_agent_on_candidate(sim_agent *a, void (*fn)(void *user, const floe_ice_candidate *c), void *user);

/* What the peer has sent so far. */
typedef struct sim_data {
  floe_time at;
  floe_addr from;
  size_t len;
  uint8_t *bytes;
} sim_data;
size_t sim_agent_n_data(const sim_agent *a);
const sim_data *sim_agent_data(const sim_agent *a, size_t n); /* fails the test when there is none */

/* As told last. */
floe_ice_connection_state sim_agent_connection(const sim_agent *a);
bool sim_agent_is_connected(const sim_agent *a); /* connected or completed */
floe_cause sim_agent_connection_cause(const sim_agent *a);
/* "host 10.0.0.1:50000 > srflx 203.0.113.2:40000", or "none". Valid until the next call. */
const char *sim_agent_pair(sim_agent *a);
/* The report on the connection as text (sim_report.c). Valid until the next call. */
const char *sim_agent_connection_report(sim_agent *a);
floe_cause sim_agent_verdict(sim_agent *a);
/* How often a timer woke the agent. */
uint64_t sim_agent_timers(const sim_agent *a);

/* Runs until the state is `complete`, or for `limit_ms`; true when it came. */
bool sim_agent_run_to_complete(sim_agent *a, uint64_t limit_ms);
bool sim_agent_run_to_closed(sim_agent *a, uint64_t limit_ms);

/* The events so far, data and permissions of relays included. */
const char *sim_agent_events(const sim_agent *a);
/* What was asked of the driver: `0.0 open udp 10.0.0.1`, `5.0 send udp 10.0.0.1:50000 > 192.0.2.1:3478 Allocate`,
 * `0.0 resolve A turn.example.org`, `5000.0 close udp 10.0.0.1:50000`. */
const char *sim_agent_wire(const sim_agent *a);
/* The lines of the wire that hold `part`. Valid until the next call. */
const char *sim_agent_wire_with(sim_agent *a, const char *part);
/* The same for the events. */
const char *sim_agent_events_with(sim_agent *a, const char *part);
/* Forgets both. */
void sim_agent_clear_log(sim_agent *a);
/* The report as text (sim_report.c); "" before there is one. Valid until the next call. */
const char *sim_agent_report(sim_agent *a);
const char *sim_agent_trace(const sim_agent *a);

/* The n-th candidateerror or servererror event so far, from 0. */
typedef struct sim_error {
  bool is_server_error; /* iceservererror */
  uint16_t code;
  bool has_address;
  bool has_port;
  char address[FLOE_ADDR_TEXT];
  uint16_t port;
  char url[300];
  char text[800];
  uint32_t credentials;       /* which pair of user name and credential: equal numbers, equal pairs */
  floe_attempt_detail detail; /* its pointers are NULL, but for those below */
  char server_name[256];
  char interface[32];
  char os_error_text[128];
  char realm[128];
  char software[128];
  char hint[256];
  bool has_tls;
  floe_tls_info tls; /* pointers are NULL, but for those below */
  char tls_subject[128], tls_issuer[128], tls_names[256], tls_verify_text[128], tls_alert_text[64];
} sim_error;

size_t sim_agent_n_errors(const sim_agent *a);
const sim_error *sim_agent_error(const sim_agent *a, size_t n); /* fails the test when there is none */
/* The id of the n-th relay candidate so far; 0 when there is none. */
uint32_t sim_agent_relay(const sim_agent *a, size_t n);

/* Allocations that the agent and its env made so far, and what lives now. */
uint64_t sim_agent_allocations(const sim_agent *a);
uint64_t sim_agent_failed_allocations(const sim_agent *a);
uint64_t sim_agent_live_bytes(const sim_agent *a);
/* From now on allocations fail at this count (of sim_agent_allocations); 0 = none. */
void sim_agent_fail_allocations(sim_agent *a, uint64_t fail_at, uint64_t fail_from);

#endif
