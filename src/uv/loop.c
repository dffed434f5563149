#include "uv/loop.h"

#include <stdio.h>
#include <string.h>

#include "uv/agent.h"
#include "uv/mdns.h"
#include "uv/mux.h"
#include "uv/os.h"
#include "uv/resolve.h"

/* Turns of an own loop in one floe_uv_dispatch: what the drain opened is polled, and what that brings is drained. */
#define MAX_TURNS 8

floe_status floe__uv_error_set(floe_error *why, floe_status status, const char *path, const char *message) {
  if (why == NULL) return status;
  memset(why, 0, sizeof *why);
  why->status = status;
  why->offset = FLOE_NO_OFFSET;
  (void)snprintf(why->path, sizeof why->path, "%s", path);
  (void)snprintf(why->message, sizeof why->message, "%s", message);
  return status;
}

void floe__uv_set_unix_time(floe_uv *uv) {
  uv_timeval64_t tv;
  if (uv_gettimeofday(&tv) != 0) return;
  floe_env_set_unix_time(uv->env, floe_uv_now(uv), tv.tv_sec * 1000 + tv.tv_usec / 1000);
}

/* ---- the drain ---- */

static void tear_down(floe_uv *uv);
static void on_check(uv_check_t *check);

static void on_idle(uv_idle_t *idle) {
  (void)idle; /* an active idle handle is what keeps libuv from blocking */
}

static void on_timer(uv_timer_t *timer) {
  floe__uv_wake(timer->data);
}

void floe__uv_wake(floe_uv *uv) {
  if (uv->state != FLOE__UV_RESTING) return;
  uv->state = FLOE__UV_AWAKE;
  (void)uv_idle_start(&uv->idle, on_idle);
  (void)uv_check_start(&uv->check, on_check);
}

static void arm_timer(floe_uv *uv) {
  floe_time first = floe__uv_alarms_first(&uv->alarms);
  if (first == FLOE_TIME_NEVER) {
    (void)uv_timer_stop(&uv->timer);
    return;
  }
  /* libuv's clock is uv_hrtime in whole milliseconds, and may lag behind; never wake before the deadline. */
  uint64_t at_ms = first / FLOE_MS + (first % FLOE_MS != 0 ? 1 : 0);
  uint64_t now_ms = uv_now(uv->loop);
  (void)uv_timer_start(&uv->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void rest_or_go_on(floe_uv *uv) {
  uv->state = FLOE__UV_AWAKE;
  if (uv->ready_first != NULL || floe__uv_resolver_has_answers(uv->resolver) || floe__uv_mdns_is_ready(uv)) return;
  uv->state = FLOE__UV_RESTING;
  (void)uv_idle_stop(&uv->idle);
  (void)uv_check_stop(&uv->check);
}

static void drain(floe_uv *uv) {
  uv->state = FLOE__UV_DRAINING;
  uv->has_drained = true;
  floe_time now = floe_uv_now(uv);
  for (floe__uv_alarm *a; (a = floe__uv_alarms_take_due(&uv->alarms, now)) != NULL;) a->on_due(a, now);
  floe__uv_resolver_deliver(uv->resolver);
  floe__uv_mdns_drain(uv);
  /* Those that become ready meanwhile wait for the next turn, so that the loop's other handles have theirs. */
  for (size_t n = uv->n_ready; n > 0 && uv->ready_first != NULL && uv->state == FLOE__UV_DRAINING; n--) {
    floe__uv_agent_drain(uv->ready_first);
  }
  if (uv->state == FLOE__UV_LEAVING) {
    tear_down(uv);
    return;
  }
  floe__uv_resolver_rest(uv->resolver);
  arm_timer(uv);
  rest_or_go_on(uv);
}

static void on_check(uv_check_t *check) {
  drain(check->data);
}

/* ---- handles and the end ---- */

void floe__uv_handle_opened(floe_uv *uv) {
  uv->n_handles++;
}

static void free_driver(floe_uv *uv) {
  floe__uv_mem mem = uv->mem;
  if (uv->resolver != NULL) floe__uv_resolver_free(uv->resolver);
  if (uv->owns_loop && uv->loop != NULL) floe__uv_free(&mem, uv->loop);
  floe__uv_alarms_clear(&uv->alarms, &mem);
  floe__uv_free(&mem, uv->slots);
  floe__uv_free(&mem, uv->batch.bytes);
  floe_env_free(uv->env);
  floe__uv_free(&mem, uv);
}

void floe__uv_handle_closed(floe_uv *uv) {
  if (--uv->n_handles > 0 || uv->state != FLOE__UV_CLOSING) return;
  while (uv->agents != NULL) floe__uv_agent_finish(uv->agents);
  if (uv->owns_loop) {
    uv->is_finished = true; /* the loop is still running: floe_uv_close frees it */
  } else {
    free_driver(uv);
  }
}

static void on_closed(uv_handle_t *handle) {
  floe__uv_handle_closed(handle->data);
}

static void tear_down(floe_uv *uv) {
  uv->state = FLOE__UV_CLOSING;
  for (floe_uv_ice_agent *agent = uv->agents, *next; agent != NULL; agent = next) {
    next = agent->next;
    floe__uv_agent_abandon(agent);
  }
  floe__uv_muxes_close(uv);
  floe__uv_resolver_close(uv->resolver);
  floe__uv_mdns_close(uv);
  floe__uv_monitor_close(uv);
  uv_close((uv_handle_t *)&uv->timer, on_closed);
  uv_close((uv_handle_t *)&uv->idle, on_closed);
  uv_close((uv_handle_t *)&uv->check, on_closed);
}

static void finish_own_loop(floe_uv *uv) {
  while (!uv->is_finished) (void)uv_run(uv->loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(uv->loop);
  free_driver(uv);
}

/* ---- floe/uv.h ---- */

void floe_uv_config_init(floe_uv_config *cfg, size_t size) {
  memset(cfg, 0, size);
  cfg->size = (uint32_t)size;
}

static bool make_loop(floe_uv *uv) {
  uv_loop_t *loop = floe__uv_zalloc(&uv->mem, sizeof *loop);
  if (loop == NULL) return false;
  if (uv_loop_init(loop) != 0) {
    floe__uv_free(&uv->mem, loop);
    return false;
  }
  uv->loop = loop;
  return true;
}

static void start_handles(floe_uv *uv) {
  (void)uv_timer_init(uv->loop, &uv->timer);
  (void)uv_idle_init(uv->loop, &uv->idle);
  (void)uv_check_init(uv->loop, &uv->check);
  uv->timer.data = uv->idle.data = uv->check.data = uv;
  uv->n_handles = 3;
}

static floe_status make_parts(floe_uv *uv, uv_loop_t *loop, const floe_uv_config *cfg, floe_error *why) {
  floe_status st = floe_env_new(&uv->env, cfg->env);
  if (st != FLOE_OK) return floe__uv_error_set(why, st, "env", floe_status_text(st));
  st = floe__uv_resolver_new(&uv->resolver, uv, cfg, why);
  if (st != FLOE_OK) return st;
  uv->slots = floe__uv_alloc(&uv->mem, FLOE__UV_SLOTS * FLOE__UV_SLOT_BYTES);
  uv->batch.bytes = floe__uv_alloc(&uv->mem, FLOE__UV_SLOT_BYTES);
  if (uv->slots == NULL || uv->batch.bytes == NULL)
    return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  uv->loop = loop;
  uv->owns_loop = loop == NULL;
  if (loop == NULL && !make_loop(uv)) return floe__uv_error_set(why, FLOE_E_SYSTEM, "", "no event loop can be made");
  return FLOE_OK;
}

/* The program's structure may be of an older library, and of a newer one when it sets nothing that we lack. */
static bool take_config(floe_uv_config *out, const floe_uv_config *cfg) {
  floe_uv_config_init(out, sizeof *out);
  if (cfg == NULL) return true;
  if (cfg->size < sizeof cfg->size || cfg->size > 65536) return false;
  for (const uint8_t *p = (const uint8_t *)cfg + sizeof *cfg; p < (const uint8_t *)cfg + cfg->size; p++) {
    if (*p != 0) return false;
  }
  memcpy(out, cfg, cfg->size < sizeof *out ? cfg->size : sizeof *out);
  return true;
}

floe_status floe_uv_new(floe_uv **out, struct uv_loop_s *loop, const floe_uv_config *given, floe_error *why) {
  *out = NULL;
  floe_uv_config known;
  const floe_uv_config *cfg = &known;
  if (!take_config(&known, given)) {
    return floe__uv_error_set(why, FLOE_E_TYPE, "size", "the size is not one that this library knows");
  }
  floe__uv_mem mem = floe__uv_mem_of(cfg->env);
  floe_uv *uv = floe__uv_zalloc(&mem, sizeof *uv);
  if (uv == NULL) return floe__uv_error_set(why, FLOE_E_NOMEM, "", floe_status_text(FLOE_E_NOMEM));
  uv->mem = mem;
  floe_status st = make_parts(uv, loop, cfg, why);
  if (st != FLOE_OK) {
    free_driver(uv);
    return st;
  }
  if (cfg->no_network_monitor) uv->monitor.state = FLOE__UV_MONITOR_OFF;
  start_handles(uv);
  floe__uv_set_unix_time(uv);
  *out = uv;
  return FLOE_OK;
}

void floe_uv_close(floe_uv *uv) {
  if (uv == NULL) return;
  switch (uv->state) {
    case FLOE__UV_RESTING:
    case FLOE__UV_AWAKE:
      tear_down(uv);
      if (uv->owns_loop) finish_own_loop(uv);
      break;
    case FLOE__UV_DRAINING:
      uv->state = FLOE__UV_LEAVING;
      for (floe_uv_ice_agent *agent = uv->agents; agent != NULL; agent = agent->next) floe__uv_agent_silence(agent);
      break;
    case FLOE__UV_LEAVING:
    case FLOE__UV_CLOSING: break;
  }
}

floe_env *floe_uv_env(floe_uv *uv) {
  return uv->env;
}

floe_time floe_uv_now(const floe_uv *uv) {
  (void)uv;
  return uv_hrtime();
}

int floe_uv_backend_fd(const floe_uv *uv) {
  return uv_backend_fd(uv->loop);
}

int floe_uv_backend_timeout(const floe_uv *uv) {
  if (!uv_loop_alive(uv->loop)) return -1; /* libuv would say 0: there is nothing to wait for */
  if (uv->has_drained) return 0;           /* there are turns left to take */
  uv_update_time(uv->loop);
  return uv_backend_timeout(uv->loop);
}

bool floe_uv_dispatch(floe_uv *uv) {
  /* What the drain starts is told to the kernel only when the loop polls next: so it has another turn at once. */
  int turns = 0;
  floe__uv_monitor_hold(uv, true);
  do {
    uv->has_drained = false;
    (void)uv_run(uv->loop, UV_RUN_NOWAIT);
  } while (uv->has_drained && uv->state != FLOE__UV_CLOSING && ++turns < MAX_TURNS);
  floe__uv_monitor_hold(uv, false);
  if (uv->state == FLOE__UV_CLOSING) {
    finish_own_loop(uv);
    return false;
  }
  return uv_loop_alive(uv->loop) != 0;
}
