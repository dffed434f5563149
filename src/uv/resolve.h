/* Name look-ups, by c-ares: /etc/hosts first, then the resolvers.
 *
 * c-ares 1.18 goes on to the next resolver after SERVFAIL or REFUSED, and then forgets what was answered: when all say
 * so it reports that none could be reached. So each resolver has a channel of its own, which reports everything, and
 * going on to the next is done here: the next is asked when the last has failed, or beside it when it is slow. */
#ifndef FLOE_UV_RESOLVE_H
#define FLOE_UV_RESOLVE_H

#include "uv/agent.h"

/* FLOE_OK; FLOE_E_NOMEM; FLOE_E_TYPE when one of cfg->dns_servers is no address. */
floe_status floe__uv_resolver_new(floe__uv_resolver **out, floe_uv *uv, const floe_uv_config *cfg /* nullable */,
                                  floe_error *why);
/* Drops the look-ups, which must have been forgotten by their agents, and closes the handles. */
void floe__uv_resolver_close(floe__uv_resolver *resolver);
void floe__uv_resolver_free(floe__uv_resolver *resolver);

/* As a RESOLVE output asks for it. Answered by floe__uv_resolver_deliver, never from inside this. */
void floe__uv_resolve(floe_uv_ice_agent *agent, floe_req_id req, const char *host, floe_family family);
/* The agent goes away: its look-ups end unheard. */
void floe__uv_lookups_forget(floe_uv_ice_agent *agent);

bool floe__uv_resolver_has_answers(const floe__uv_resolver *resolver);
/* Hands the answers to their agents. */
void floe__uv_resolver_deliver(floe__uv_resolver *resolver);
/* When nobody waits for a look-up: lets go of the channels and what is still under way in them, so that the loop may
 * end and the next look-up reads the system's configuration anew. */
void floe__uv_resolver_rest(floe__uv_resolver *resolver);

#endif
