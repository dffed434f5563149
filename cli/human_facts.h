/* The indented lines below a server: one fact each. */
#ifndef FLOE_CLI_HUMAN_FACTS_H
#define FLOE_CLI_HUMAN_FACTS_H

#include "human.h"

/* "  label        text". The text is ours or was cleaned. */
void floe__fact_print(const floe__human *h, const char *label, const char *format, ...) FLOE_PRINTF(3, 4);

/* What the attempts that gave a candidate found: server, relay, mapped, certificate, realm, software, lifetime. */
void floe__fact_print_found(const floe__human *h, const floe__check_server *server);
/* What is known about an attempt that failed: how far it came and who said what. */
void floe__fact_print_failure(const floe__human *h, const floe_attempt_report *attempt);
/* The attempts that failed beside others that did not, one line each kind. */
void floe__fact_print_failed_attempts(const floe__human *h, const floe_server_report *report);
void floe__fact_print_relay_data(const floe__human *h, const floe__check_server *server);
/* Each attempt with its times. */
void floe__fact_print_attempts(const floe__human *h, const floe_server_report *report);

#endif
