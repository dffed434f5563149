#include "uv/event_target.h"

#include <string.h>

static bool is_type(floe_event_type type) {
  return (unsigned)type < (unsigned)FLOE_EVENT_COUNT;
}

static floe__uv_listener *find_listener(floe__uv_event_target *target, floe_event_type type, floe_event_listener fn,
                                        const void *user) {
  for (size_t i = 0; i < target->n; i++) {
    floe__uv_listener *l = &target->list[i];
    if (!l->is_handler && l->type == type && l->fn == fn && l->user == user) return l;
  }
  return NULL;
}

static floe__uv_listener *find_handler(floe__uv_event_target *target, floe_event_type type) {
  for (size_t i = 0; i < target->n; i++) {
    floe__uv_listener *l = &target->list[i];
    if (l->is_handler && l->type == type && l->fn != NULL) return l;
  }
  return NULL;
}

static floe_status append(floe__uv_event_target *target, const floe__uv_mem *mem, const floe__uv_listener *listener) {
  void *list = target->list;
  if (!floe__uv_reserve(mem, &list, &target->cap, sizeof *target->list, target->n + 1)) return FLOE_E_NOMEM;
  target->list = list;
  target->list[target->n++] = *listener;
  return FLOE_OK;
}

/* While an event is dispatched the places must not move. */
static void sweep(floe__uv_event_target *target) {
  if (target->depth > 0) return;
  size_t kept = 0;
  for (size_t i = 0; i < target->n; i++) {
    if (target->list[i].fn != NULL) target->list[kept++] = target->list[i];
  }
  target->n = kept;
}

floe_status floe__uv_target_add(floe__uv_event_target *target, const floe__uv_mem *mem, floe_event_type type,
                                floe_event_listener fn, void *user) {
  if (!is_type(type)) return FLOE_E_TYPE;
  /* DOM 2.7, "add an event listener", step 3: "If listener's callback is null, then return." */
  if (fn == NULL || find_listener(target, type, fn, user) != NULL) return FLOE_OK;
  return append(target, mem, &(floe__uv_listener){.fn = fn, .user = user, .type = type, .is_handler = false});
}

void floe__uv_target_remove(floe__uv_event_target *target, floe_event_type type, floe_event_listener fn, void *user) {
  floe__uv_listener *found = fn == NULL ? NULL : find_listener(target, type, fn, user);
  if (found == NULL) return;
  found->fn = NULL;
  sweep(target);
}

floe_status floe__uv_target_set_handler(floe__uv_event_target *target, const floe__uv_mem *mem, floe_event_type type,
                                        floe_event_listener fn, void *user) {
  floe__uv_listener *found = find_handler(target, type);
  if (found == NULL && fn == NULL) return FLOE_OK;
  if (found == NULL) {
    return append(target, mem, &(floe__uv_listener){.fn = fn, .user = user, .type = type, .is_handler = true});
  }
  found->fn = fn;
  found->user = user;
  if (fn == NULL) sweep(target);
  return FLOE_OK;
}

void floe__uv_target_remove_all(floe__uv_event_target *target) {
  for (size_t i = 0; i < target->n; i++) target->list[i].fn = NULL;
  sweep(target);
}

void floe__uv_target_dispatch(floe__uv_event_target *target, const floe_event *event) {
  /* DOM 2.9, "inner invoke", works on a clone of the list: what is added now waits for the next event, what is removed
   * now is not called. The list may be reallocated by a listener, so it is read anew each time. */
  size_t n = target->n;
  target->depth++;
  for (size_t i = 0; i < n; i++) {
    floe__uv_listener l = target->list[i];
    if (l.fn != NULL && l.type == event->type) l.fn(event, l.user);
  }
  target->depth--;
  sweep(target);
}

void floe__uv_target_clear(floe__uv_event_target *target, const floe__uv_mem *mem) {
  floe__uv_free(mem, target->list);
  memset(target, 0, sizeof *target);
}
