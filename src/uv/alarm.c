#include "uv/alarm.h"

#include <string.h>

static void put(floe__uv_alarms *alarms, size_t i, floe__uv_alarm *alarm) {
  alarms->heap[i] = alarm;
  alarm->place = i + 1;
}

static void sift_up(floe__uv_alarms *alarms, size_t i) {
  floe__uv_alarm *alarm = alarms->heap[i];
  while (i > 0 && alarms->heap[(i - 1) / 2]->at > alarm->at) {
    put(alarms, i, alarms->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  put(alarms, i, alarm);
}

static void sift_down(floe__uv_alarms *alarms, size_t i) {
  floe__uv_alarm *alarm = alarms->heap[i];
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= alarms->n) break;
    if (child + 1 < alarms->n && alarms->heap[child + 1]->at < alarms->heap[child]->at) child++;
    if (alarms->heap[child]->at >= alarm->at) break;
    put(alarms, i, alarms->heap[child]);
    i = child;
  }
  put(alarms, i, alarm);
}

static void take_out(floe__uv_alarms *alarms, floe__uv_alarm *alarm) {
  size_t i = alarm->place - 1;
  alarm->place = 0;
  alarm->at = FLOE_TIME_NEVER;
  floe__uv_alarm *last = alarms->heap[--alarms->n];
  if (last == alarm) return;
  put(alarms, i, last);
  sift_up(alarms, i);
  sift_down(alarms, last->place - 1);
}

bool floe__uv_alarm_init(floe__uv_alarms *alarms, const floe__uv_mem *mem, floe__uv_alarm *alarm,
                         void (*on_due)(floe__uv_alarm *alarm, floe_time now)) {
  void *heap = alarms->heap;
  if (!floe__uv_reserve(mem, &heap, &alarms->cap, sizeof(floe__uv_alarm *), alarms->n_members + 1)) return false;
  alarms->heap = heap;
  alarms->n_members++;
  *alarm = (floe__uv_alarm){.at = FLOE_TIME_NEVER, .on_due = on_due};
  return true;
}

void floe__uv_alarm_clear(floe__uv_alarms *alarms, floe__uv_alarm *alarm) {
  if (alarm->on_due == NULL) return;
  if (alarm->place != 0) take_out(alarms, alarm);
  alarm->on_due = NULL;
  alarms->n_members--;
}

void floe__uv_alarm_set(floe__uv_alarms *alarms, floe__uv_alarm *alarm, floe_time at) {
  if (alarm->place != 0 && alarm->at == at) return;
  if (alarm->place != 0) take_out(alarms, alarm);
  if (at == FLOE_TIME_NEVER) return;
  alarm->at = at;
  put(alarms, alarms->n++, alarm);
  sift_up(alarms, alarm->place - 1);
}

floe_time floe__uv_alarms_first(const floe__uv_alarms *alarms) {
  return alarms->n == 0 ? FLOE_TIME_NEVER : alarms->heap[0]->at;
}

floe__uv_alarm *floe__uv_alarms_take_due(floe__uv_alarms *alarms, floe_time now) {
  if (floe__uv_alarms_first(alarms) > now || alarms->n == 0) return NULL;
  floe__uv_alarm *alarm = alarms->heap[0];
  take_out(alarms, alarm);
  return alarm;
}

void floe__uv_alarms_clear(floe__uv_alarms *alarms, const floe__uv_mem *mem) {
  floe__uv_free(mem, alarms->heap);
  memset(alarms, 0, sizeof *alarms);
}
