/* What the files of the try machine share: gather_try.c (states), gather_try_net.c (what the network says),
 * gather_try_request.c (STUN and TURN), gather_try_redirect.c. */
#ifndef FLOE_ICE_GATHER_TRY_INTERNAL_H
#define FLOE_ICE_GATHER_TRY_INTERNAL_H

#include "ice/gather_try.h"

/* The only writer of the state. */
void floe__try_go(floe__try *t, floe__try_state next);

bool floe__try_is_stream(const floe__try *t);
/* Ends the try as failed; what the network said stays. `reason` nullable: copied. Follows the rule for a redirect under
 * way: then 300 stands with its phrase and `cause` is what was met at the alternate. */
floe__try_step floe__try_fail(floe__try *t, floe_cause cause, uint16_t code, const char *reason);

/* An answer to our request that cannot be used ends the whole attempt (the contract's section 3): the first address
 * that answers decides. */
floe__try_step floe__try_fail_attempt(floe__try *t, floe_cause cause);

/* What broke right behind the success is told now. */
floe__try_step floe__try_lose_late(floe__try *t);

/* Connects to t->server from the start: socket, TLS, request. */
floe__try_step floe__try_connect(floe__try *t);
/* Drops connection and machines, keeps what was learnt. */
void floe__try_disconnect(floe__try *t);

/* The way to the server is open: sends the first request. */
floe__try_step floe__try_request(floe__try *t);
/* One whole message from the server. */
floe__try_step floe__try_on_message(floe__try *t, floe_bytes message, bool *taken, floe_cause *discard);
floe__try_step floe__try_request_on_deadline(floe__try *t);
/* The phase of the request: binding or allocate. */
floe_phase floe__try_request_phase(const floe__try *t);

/* After STEP_REDIRECT of the allocation. */
floe__try_step floe__try_follow_redirect(floe__try *t);
/* After STEP_MISMATCH of the allocation. */
floe__try_step floe__try_take_new_port(floe__try *t);

/* Sends bytes to the server over the socket, TLS included. */
void floe__try_send(void *try_, floe_bytes message);
void floe__try_flush_tls(floe__try *t);

/* The cause that REQUESTING has when nothing (better) comes. */
floe_cause floe__try_silence_cause(const floe__try *t);

#endif
