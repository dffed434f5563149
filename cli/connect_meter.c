#include "connect_meter.h"

#include <string.h>

#include "json_value.h"

/* The rate follows what happens within a few seconds, and does not flicker. */
enum { TICK_MS = 500, TELL_MS = 1000 };
#define WEIGHT 0.3

const char *floe__size_text(double bytes, char *buf) {
  static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  if (bytes < 999.5) {
    (void)snprintf(buf, FLOE__SIZE_TEXT, "%.0f byte%s", bytes, bytes > 0.5 && bytes < 1.5 ? "" : "s");
    return buf;
  }
  for (bytes /= 1000; bytes >= 999.95 && unit + 1 < sizeof units / sizeof units[0]; bytes /= 1000) unit++;
  (void)snprintf(buf, FLOE__SIZE_TEXT, "%.1f %s", bytes, units[unit]);
  return buf;
}

void floe__meter_begin(floe__meter *m, const char *name, uint64_t size, uint64_t from, uint64_t now_ms) {
  memset(m, 0, sizeof *m);
  m->name = name;
  m->size = size;
  m->from = m->at = m->last_at = from;
  m->begun_ms = m->last_ms = m->told_ms = now_ms;
}

void floe__meter_tick(floe__meter *m, uint64_t at, uint64_t now_ms) {
  m->at = at;
  if (now_ms - m->last_ms < TICK_MS) return;
  double rate = (double)(at - m->last_at) * 1000 / (double)(now_ms - m->last_ms);
  m->rate = m->last_ms == m->begun_ms ? rate : WEIGHT * rate + (1 - WEIGHT) * m->rate;
  m->last_ms = now_ms;
  m->last_at = at;
}

static void add_time_left(const floe__meter *m, char *buf, size_t cap) {
  double s = m->rate < 1 ? -1 : (double)(m->size - m->at) / m->rate;
  buf[0] = '\0';
  if (s < 0 || s > 360000) return;
  unsigned whole = (unsigned)(s + 0.5);
  if (whole < 60) {
    (void)snprintf(buf, cap, ", %u s left", whole);
  } else if (whole < 3600) {
    (void)snprintf(buf, cap, ", %u:%02u min left", whole / 60, whole % 60);
  } else {
    (void)snprintf(buf, cap, ", %u:%02u h left", whole / 3600, whole / 60 % 60);
  }
}

const char *floe__meter_text(const floe__meter *m, char *buf) {
  char at[FLOE__SIZE_TEXT], size[FLOE__SIZE_TEXT], rate[FLOE__SIZE_TEXT], left[40];
  double part = m->size == 0 ? 100 : 100 * (double)m->at / (double)m->size;
  add_time_left(m, left, sizeof left);
  (void)snprintf(buf, FLOE__METER_TEXT, "%.60s: %.0f %%, %s of %s%s%s%s%s", m->name, part,
                 floe__size_text((double)m->at, at), floe__size_text((double)m->size, size), m->rate > 0 ? ", " : "",
                 m->rate > 0 ? floe__size_text(m->rate, rate) : "", m->rate > 0 ? "/s" : "", left);
  return buf;
}

void floe__meter_draw(floe__meter *m, floe__report *r, uint64_t at, uint64_t now_ms) {
  char text[FLOE__METER_TEXT];
  floe__meter_tick(m, at, now_ms);
  floe__report_draw(r, floe__meter_text(m, text));
  if (r->json == NULL || now_ms - m->told_ms < TELL_MS) return;
  m->told_ms = now_ms;
  json_t *line = floe__report_object(r, "progress");
  floe__json_set_text(line, "name", m->name);
  floe__json_set_integer(line, "size", true, (int64_t)m->size);
  floe__json_set_integer(line, "at", true, (int64_t)at);
  floe__json_set_number(line, "bytesPerSecond", m->rate > 0, m->rate);
  floe__report_print(r, line);
}
