/* Notices that the host's addresses have changed, where the system can tell, and tells those who have to know. */
#ifndef FLOE_UV_MONITOR_H
#define FLOE_UV_MONITOR_H

#include <uv.h>

#include "floe/uv.h"
#include "uv/alarm.h"

typedef enum floe__uv_monitor_state {
  FLOE__UV_MONITOR_NEW = 0,  /* no agent has gathered yet */
  FLOE__UV_MONITOR_OFF,      /* not wanted, or the system cannot tell: programs notice for themselves */
  FLOE__UV_MONITOR_WATCHING, /* no news since the last look */
  FLOE__UV_MONITOR_CHANGED   /* news has come: a look is due when there is quiet */
} floe__uv_monitor_state;

typedef struct floe__uv_monitor {
  floe__uv_monitor_state state;
  uv_poll_t poll; /* unreferenced: it keeps no loop alive */
  int fd;
  floe__uv_alarm alarm; /* CHANGED: when to look */
  floe_time latest_at;  /* CHANGED: quiet or not, look then */
} floe__uv_monitor;

/* Watches from now on, unless it does so already. Where that is not possible the driver works without. */
void floe__uv_monitor_start(floe_uv *uv);
/* There is no agent left to be told. */
void floe__uv_monitor_rest(floe_uv *uv);
/* The driver closes. */
void floe__uv_monitor_close(floe_uv *uv);
/* While an own loop has a turn, its watching counts: libuv does not poll for what keeps no loop alive, and the program
 * would find the loop's descriptor readable for ever. */
void floe__uv_monitor_hold(floe_uv *uv, bool is_held);

/* The addresses are now these: tells each agent that has been given others, and multicast DNS. */
void floe__uv_on_interfaces_changed(floe_uv *uv, const floe_interface *list, size_t n);

#endif
