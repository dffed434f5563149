/* Events of the connection waiting to be told, in the order they happened. A channel's nodes are part of it, so that
 * telling of a channel cannot fail for want of memory. What an event carries is put together when it is handed out. */
#ifndef FLOE_PC_EVENTS_H
#define FLOE_PC_EVENTS_H

#include "base/alloc.h"
#include "floe/pc.h"

typedef struct floe__pc_node floe__pc_node;
struct floe__pc_node {
  floe__pc_node *next;
  floe_event_type type;
  bool queued;
  bool is_owned; /* freed with its turn */
  floe_time time;
  union {
    floe_signaling_state signaling;
    floe_ice_gathering_state gathering;
    floe_connection_change ice;
    floe_pc_change pc;
    floe_dtls_transport_state dtls;
    floe_sctp_transport_state sctp;
    floe_data_channel *channel;
  } u;
};

typedef struct floe__pc_events {
  floe__pc_node *first, *last;
} floe__pc_events;

/* A node of its own. NULL: no memory. */
floe__pc_node *floe__pc_node_new(floe_env *env, floe_event_type type);
void floe__pc_node_free(floe_env *env, floe__pc_node *node); /* not queued; NULL is fine */
/* A node that is queued already stays where it is. */
void floe__pc_events_push(floe__pc_events *q, floe__pc_node *node, floe_time now);
/* The first node, taken off; NULL: none. The caller frees it when it is owned. */
floe__pc_node *floe__pc_events_take(floe__pc_events *q);
void floe__pc_events_remove(floe__pc_events *q, floe__pc_node *node);
void floe__pc_events_clear(floe__pc_events *q, floe_env *env);

#endif
