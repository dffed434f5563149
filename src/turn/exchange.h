/* The requests of one allocation: all are made alike, and each response is handed to the one it answers. */
#ifndef FLOE_TURN_EXCHANGE_H
#define FLOE_TURN_EXCHANGE_H

#include "turn/alloc_fsm.h"

/* A request of this allocation, signed with its credentials; not sent yet. */
void floe__turn_request_init(floe__turn *turn, floe__stun_request *request, const floe__stun_request_ops *ops,
                             void *owner /* keeps */, uint16_t method);

/* A response for this request (floe__stun_request_is_mine). Fills turn->outcome unless PENDING; when the response was
 * discarded the result is PENDING and turn->discard_cause says why. */
floe__stun_result floe__turn_request_on_response(floe__turn *turn, floe__stun_request *request, floe_time now,
                                                 const floe__stun_msg *m, floe__stun_parse parse);

#endif
