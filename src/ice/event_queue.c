#include "ice/event_queue.h"

#include <string.h>

#include "base/assert.h"
#include "base/deadline.h"

void floe__event_init(floe__event_node *node, floe_event_type type, floe_time now, floe_time started_at) {
  memset(node, 0, sizeof *node);
  node->event.type = type;
  node->event.name = floe_event_name(type);
  node->event.time = now;
  node->event.t_ms = floe__ms_between(started_at, now);
}

void floe__event_push(floe__event_queue *q, floe__event_node *node) {
  FLOE__ASSERT(!node->queued);
  node->queued = true;
  node->next = NULL;
  if (q->last == NULL) {
    q->first = node;
  } else {
    q->last->next = node;
  }
  q->last = node;
}

void floe__event_push_front(floe__event_queue *q, floe__event_node *node) {
  FLOE__ASSERT(!node->queued);
  node->queued = true;
  node->next = q->first;
  q->first = node;
  if (q->last == NULL) q->last = node;
}

static void free_taken(floe__event_queue *q, floe_env *env) {
  floe__free(env, q->taken);
  q->taken = NULL;
}

const floe_event *floe__event_take(floe__event_queue *q, floe_env *env) {
  free_taken(q, env);
  floe__event_node *node = q->first;
  if (node == NULL || q->held) return NULL;
  q->first = node->next;
  if (q->first == NULL) q->last = NULL;
  node->queued = false;
  q->taken = node->owned;
  return &node->event;
}

void floe__event_clear(floe__event_queue *q, floe_env *env) {
  free_taken(q, env);
  while (q->first != NULL) {
    floe__event_node *node = q->first;
    q->first = node->next;
    node->queued = false;
    floe__free(env, node->owned);
  }
  q->last = NULL;
}

static bool is_of_gathering(floe_event_type type) {
  return type == FLOE_EVENT_ICECANDIDATE || type == FLOE_EVENT_ICECANDIDATEERROR ||
         type == FLOE_EVENT_ICEGATHERINGSTATECHANGE;
}

void floe__event_drop_gathering(floe__event_queue *q, floe_env *env) {
  floe__event_node *node = q->first;
  q->first = q->last = NULL;
  while (node != NULL) {
    floe__event_node *next = node->next;
    node->queued = false;
    if (is_of_gathering(node->event.type)) {
      floe__free(env, node->owned);
    } else {
      floe__event_push(q, node);
    }
    node = next;
  }
}
