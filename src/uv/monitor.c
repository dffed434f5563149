#include "uv/monitor.h"

#include <unistd.h>

#include "uv/agent.h"
#include "uv/ifaces.h"
#include "uv/mdns.h"
#include "uv/os.h"

/* An interface that comes up brings several addresses, one after the other: so the look waits for quiet, but not for
 * ever. */
#define QUIET  (100 * FLOE_MS)
#define LATEST (500 * FLOE_MS)

/* When the addresses could not be listed: no memory or no descriptor. */
#define RETRY FLOE_SECOND

static floe_uv *driver_of(floe__uv_monitor *monitor) {
  return (void *)((char *)monitor - offsetof(floe_uv, monitor));
}

static void look_at(floe_uv *uv, floe_time at) {
  uv->monitor.state = FLOE__UV_MONITOR_CHANGED;
  floe__uv_alarm_set(&uv->alarms, &uv->monitor.alarm, at);
  floe__uv_wake(uv); /* the drain arms the timer */
}

static void note_news(floe_uv *uv) {
  floe__uv_monitor *monitor = &uv->monitor;
  if (uv->agents == NULL) return;
  floe_time now = floe_uv_now(uv);
  if (monitor->state == FLOE__UV_MONITOR_WATCHING) monitor->latest_at = now + LATEST;
  look_at(uv, now + QUIET < monitor->latest_at ? now + QUIET : monitor->latest_at);
}

static void on_due(floe__uv_alarm *alarm, floe_time now) {
  floe_uv *uv = driver_of((void *)((char *)alarm - offsetof(floe__uv_monitor, alarm)));
  floe_interface *list = NULL;
  size_t n = 0;
  uv->monitor.state = FLOE__UV_MONITOR_WATCHING;
  if (floe__uv_list_interfaces(&uv->mem, &list, &n) == 0) {
    floe__uv_set_unix_time(uv);
    floe__uv_on_interfaces_changed(uv, list, n);
  } else {
    uv->monitor.latest_at = now + RETRY;
    look_at(uv, now + RETRY);
  }
  floe__uv_free(&uv->mem, list);
}

void floe__uv_on_interfaces_changed(floe_uv *uv, const floe_interface *list, size_t n) {
  uint64_t print = floe__uv_interfaces_print(list, n);
  for (floe_uv_ice_agent *agent = uv->agents; agent != NULL; agent = agent->next) {
    bool is_concerned = agent->state == FLOE__UV_AGENT_LIVE && agent->interfaces != 0;
    if (is_concerned && agent->interfaces != print) floe__uv_agent_tell_interfaces(agent, list, n, 0);
  }
  floe__uv_mdns_on_interfaces_changed(uv, list, n);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  floe_uv *uv = poll->data;
  (void)events;
  int got = floe__uv_os_read_changes(uv->monitor.fd);
  if (got != 0) note_news(uv);
  /* libuv has stopped the handle when news was lost; a descriptor that is broken is left alone. */
  if (got < 0) {
    (void)uv_poll_stop(poll);
  } else if (status < 0) {
    (void)uv_poll_start(poll, UV_READABLE, on_ready);
  }
}

static bool open_monitor(floe_uv *uv) {
  floe__uv_monitor *monitor = &uv->monitor;
  if (!floe__uv_alarm_init(&uv->alarms, &uv->mem, &monitor->alarm, on_due)) return false;
  monitor->fd = floe__uv_os_open_changes();
  if (monitor->fd < 0) return false;
  if (uv_poll_init(uv->loop, &monitor->poll, monitor->fd) != 0) {
    (void)close(monitor->fd);
    return false;
  }
  monitor->poll.data = uv;
  floe__uv_handle_opened(uv);
  (void)uv_poll_start(&monitor->poll, UV_READABLE, on_ready);
  uv_unref((uv_handle_t *)&monitor->poll);
  return true;
}

void floe__uv_monitor_start(floe_uv *uv) {
  if (uv->monitor.state != FLOE__UV_MONITOR_NEW) return;
  if (open_monitor(uv)) {
    uv->monitor.state = FLOE__UV_MONITOR_WATCHING;
  } else {
    floe__uv_alarm_clear(&uv->alarms, &uv->monitor.alarm);
    uv->monitor.state = FLOE__UV_MONITOR_OFF;
  }
}

static bool is_open(const floe_uv *uv) {
  return uv->monitor.state == FLOE__UV_MONITOR_WATCHING || uv->monitor.state == FLOE__UV_MONITOR_CHANGED;
}

void floe__uv_monitor_rest(floe_uv *uv) {
  if (uv->monitor.state != FLOE__UV_MONITOR_CHANGED) return;
  uv->monitor.state = FLOE__UV_MONITOR_WATCHING;
  floe__uv_alarm_set(&uv->alarms, &uv->monitor.alarm, FLOE_TIME_NEVER);
}

static void on_closed(uv_handle_t *handle) {
  floe__uv_handle_closed(handle->data);
}

void floe__uv_monitor_close(floe_uv *uv) {
  bool was_open = is_open(uv);
  uv->monitor.state = FLOE__UV_MONITOR_OFF;
  if (!was_open) return;
  floe__uv_alarm_clear(&uv->alarms, &uv->monitor.alarm);
  uv_close((uv_handle_t *)&uv->monitor.poll, on_closed);
  (void)close(uv->monitor.fd);
}

void floe__uv_monitor_hold(floe_uv *uv, bool is_held) {
  if (!is_open(uv)) return;
  if (is_held) {
    uv_ref((uv_handle_t *)&uv->monitor.poll);
  } else {
    uv_unref((uv_handle_t *)&uv->monitor.poll);
  }
}
