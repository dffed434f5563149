/* The listeners of one agent (DOM 2.7 and 2.9, HTML 8.1.8.1), for a target without ancestors: no capture, no bubbling.
 */
#ifndef FLOE_UV_EVENT_TARGET_H
#define FLOE_UV_EVENT_TARGET_H

#include "floe/uv.h"
#include "uv/mem.h"

typedef struct floe__uv_listener {
  floe_event_listener fn; /* NULL: removed while an event was dispatched, to be swept after it */
  void *user;
  floe_event_type type;
  bool is_handler; /* the handler property (`onicecandidate`), of which there is one per type */
} floe__uv_listener;

typedef struct floe__uv_event_target {
  floe__uv_listener *list; /* in the order they were added */
  size_t n;
  size_t cap;
  size_t depth; /* dispatches under way */
} floe__uv_event_target;

/* FLOE_OK, FLOE_E_NOMEM or FLOE_E_TYPE, as floe_uv_ice_agent_add_event_listener. */
floe_status floe__uv_target_add(floe__uv_event_target *target, const floe__uv_mem *mem, floe_event_type type,
                                floe_event_listener fn, void *user);
void floe__uv_target_remove(floe__uv_event_target *target, floe_event_type type, floe_event_listener fn, void *user);
/* `fn` NULL removes the handler. FLOE_OK or FLOE_E_NOMEM. */
floe_status floe__uv_target_set_handler(floe__uv_event_target *target, const floe__uv_mem *mem, floe_event_type type,
                                        floe_event_listener fn, void *user);
/* Removes all. */
void floe__uv_target_remove_all(floe__uv_event_target *target);
void floe__uv_target_dispatch(floe__uv_event_target *target, const floe_event *event);
/* Not while an event is dispatched. */
void floe__uv_target_clear(floe__uv_event_target *target, const floe__uv_mem *mem);

#endif
