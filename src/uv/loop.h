/* The driver: one timer for all deadlines, and one drain, from which alone the program is called back.
 *
 * Sockets and look-ups feed their agent as they hear something and mark it ready; the drain, which runs when libuv has
 * polled, takes the outputs of the agents that are ready. */
#ifndef FLOE_UV_LOOP_H
#define FLOE_UV_LOOP_H

#include <uv.h>

#include "floe/uv.h"
#include "uv/alarm.h"
#include "uv/batch.h"
#include "uv/mem.h"
#include "uv/monitor.h"

typedef struct floe__uv_resolver floe__uv_resolver;
typedef struct floe__uv_mdns floe__uv_mdns;

typedef enum floe__uv_state {
  FLOE__UV_RESTING = 0, /* nothing to do before a socket or the timer says so */
  FLOE__UV_AWAKE,       /* the drain runs in this turn of the loop */
  FLOE__UV_DRAINING,    /* the drain is running */
  FLOE__UV_LEAVING,     /* closed by the program from inside the drain */
  FLOE__UV_CLOSING      /* waiting for libuv to close the handles */
} floe__uv_state;

struct floe_uv {
  floe__uv_state state;
  floe__uv_mem mem;
  floe_env *env;
  uv_loop_t *loop;
  bool owns_loop;
  bool is_finished; /* own loop: all handles are closed */
  bool has_drained; /* own loop: in this turn */
  uv_timer_t timer;
  uv_idle_t idle; /* keeps libuv from blocking while the driver is awake */
  uv_check_t check;
  size_t n_handles; /* open or closing */
  floe__uv_alarms alarms;
  floe_uv_ice_agent *agents; /* all */
  floe_uv_ice_mux *muxes;    /* all */
  floe_uv_ice_agent *ready_first;
  floe_uv_ice_agent *ready_last;
  size_t n_ready;
  floe__uv_resolver *resolver;
  floe__uv_mdns *mdns; /* NULL: no agent has asked for it */
  floe__uv_monitor monitor;
  uint8_t *slots; /* FLOE__UV_SLOTS of FLOE__UV_SLOT_BYTES, for whatever is read next */
  floe__uv_batch batch;
};

/* Tells the env what time it is. */
void floe__uv_set_unix_time(floe_uv *uv);

/* Fills `why` (nullable) and returns `status`. */
floe_status floe__uv_error_set(floe_error *why, floe_status status, const char *path, const char *message);

/* Makes the drain run soon. */
void floe__uv_wake(floe_uv *uv);

/* Counts a handle that was made; floe__uv_handle_closed is called once from its close callback. */
void floe__uv_handle_opened(floe_uv *uv);
void floe__uv_handle_closed(floe_uv *uv);

#endif
