/* Many deadlines on one timer: a binary heap, so that setting one costs O(log n) however many agents there are. */
#ifndef FLOE_UV_ALARM_H
#define FLOE_UV_ALARM_H

#include "uv/mem.h"

typedef struct floe__uv_alarm floe__uv_alarm;
struct floe__uv_alarm {
  floe_time at; /* FLOE_TIME_NEVER when it is not set */
  size_t place; /* index in the heap plus 1; 0 = not in it */
  void (*on_due)(floe__uv_alarm *alarm, floe_time now);
};

typedef struct floe__uv_alarms {
  floe__uv_alarm **heap;
  size_t n;
  size_t cap;
  size_t n_members; /* alarms that may be set: `cap` is never less, so that setting one cannot fail */
} floe__uv_alarms;

/* Makes room for one more alarm; false when there is no memory. */
bool floe__uv_alarm_init(floe__uv_alarms *alarms, const floe__uv_mem *mem, floe__uv_alarm *alarm,
                         void (*on_due)(floe__uv_alarm *alarm, floe_time now));
/* Unsets it and gives its room back. One that was never initialised is fine. */
void floe__uv_alarm_clear(floe__uv_alarms *alarms, floe__uv_alarm *alarm);

void floe__uv_alarm_set(floe__uv_alarms *alarms, floe__uv_alarm *alarm, floe_time at /* FLOE_TIME_NEVER unsets */);

/* The earliest; FLOE_TIME_NEVER when none is set. */
floe_time floe__uv_alarms_first(const floe__uv_alarms *alarms);
/* Unsets and returns the earliest one that is due, or NULL. */
floe__uv_alarm *floe__uv_alarms_take_due(floe__uv_alarms *alarms, floe_time now);
void floe__uv_alarms_clear(floe__uv_alarms *alarms, const floe__uv_mem *mem);

#endif
