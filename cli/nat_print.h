/* What `floe nat` prints. */
#ifndef FLOE_CLI_NAT_PRINT_H
#define FLOE_CLI_NAT_PRINT_H

#include "human.h"
#include "nat_findings.h"

void floe__nat_print(const floe__human *h, const floe__nat_findings *f);
/* A line for each server and family, one for each transport and server, one for each family, and the summary. */
void floe__nat_print_json(FILE *out, const floe__nat_findings *f);

#endif
