/* Events waiting to be told, in the order they happened. A node is part of what the event is about (a candidate, an
 * attempt, the gathering), so that telling a failure cannot itself fail for want of memory. */
#ifndef FLOE_ICE_EVENT_QUEUE_H
#define FLOE_ICE_EVENT_QUEUE_H

#include "base/alloc.h"
#include "floe/event.h"

typedef struct floe__event_node floe__event_node;
struct floe__event_node {
  floe__event_node *next;
  floe_event event;
  void *owned; /* nullable: freed with the node's turn; for nodes that belong to nothing else */
  bool queued;
};

typedef struct floe__event_queue {
  floe__event_node *first, *last;
  void *taken; /* `owned` of the node last handed out: freed at the next call */
  bool held;   /* a candidate pool: nothing is handed out yet */
} floe__event_queue;

void floe__event_init(floe__event_node *node, floe_event_type type, floe_time now, floe_time started_at);
void floe__event_push(floe__event_queue *q, floe__event_node *node);
void floe__event_push_front(floe__event_queue *q, floe__event_node *node);
/* The next event, or NULL; valid until the next call. */
const floe_event *floe__event_take(floe__event_queue *q, floe_env *env);
/* Forgets candidates, their errors and the states of gathering. */
void floe__event_drop_gathering(floe__event_queue *q, floe_env *env);
/* Forgets all. */
void floe__event_clear(floe__event_queue *q, floe_env *env);

#endif
