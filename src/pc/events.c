#include "pc/events.h"

floe__pc_node *floe__pc_node_new(floe_env *env, floe_event_type type) {
  floe__pc_node *node = floe__zalloc(env, sizeof *node);
  if (node == NULL) return NULL;
  node->type = type;
  node->is_owned = true;
  return node;
}

void floe__pc_node_free(floe_env *env, floe__pc_node *node) {
  if (node != NULL && node->is_owned) floe__free(env, node);
}

void floe__pc_events_push(floe__pc_events *q, floe__pc_node *node, floe_time now) {
  if (node->queued) return;
  node->queued = true;
  node->next = NULL;
  node->time = now;
  if (q->last == NULL) {
    q->first = node;
  } else {
    q->last->next = node;
  }
  q->last = node;
}

floe__pc_node *floe__pc_events_take(floe__pc_events *q) {
  floe__pc_node *node = q->first;
  if (node == NULL) return NULL;
  q->first = node->next;
  if (q->first == NULL) q->last = NULL;
  node->queued = false;
  return node;
}

void floe__pc_events_remove(floe__pc_events *q, floe__pc_node *node) {
  if (!node->queued) return;
  floe__pc_node *before = NULL;
  for (floe__pc_node *at = q->first; at != node; at = at->next) before = at;
  if (before == NULL) {
    q->first = node->next;
  } else {
    before->next = node->next;
  }
  if (q->last == node) q->last = before;
  node->queued = false;
}

void floe__pc_events_clear(floe__pc_events *q, floe_env *env) {
  floe__pc_node *node;
  while ((node = floe__pc_events_take(q)) != NULL) floe__pc_node_free(env, node);
}
