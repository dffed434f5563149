/* What a NAT's behaviour means, in plain words. Each function returns a sentence of ours; it never ends. */
#ifndef FLOE_CLI_NAT_WORDS_H
#define FLOE_CLI_NAT_WORDS_H

#include "nat_findings.h"

const char *floe__nat_words_mapping(const floe_nat_result *r);
const char *floe__nat_words_filtering(const floe_nat_result *r);
/* NULL: it was not tried. */
const char *floe__nat_words_hairpin(const floe_nat_result *r);
/* NULL: nothing is known. */
const char *floe__nat_words_ports(const floe_nat_result *r);
const char *floe__nat_words_reach(const floe__nat_way *way);

/* Who connects directly, and who needs a TURN server. `*certainty` is that of what it rests on. */
const char *floe__nat_words_conclusion(const floe_nat_result *r, floe_nat_certainty *certainty);
/* NULL, or what has to be said besides: the servers are in a private network; packets were lost. */
const char *floe__nat_words_caveat(const floe_nat_result *r);

#endif
