/* How far a file is, how fast, and how long it will still take. */
#ifndef FLOE_CLI_CONNECT_METER_H
#define FLOE_CLI_CONNECT_METER_H

#include "connect_report.h"

typedef struct floe__meter {
  const char *name;        /* borrowed */
  uint64_t size, from, at; /* bytes: of the whole, where it began, now */
  uint64_t begun_ms, last_ms, last_at, told_ms;
  double rate; /* bytes a second, of late */
} floe__meter;

void floe__meter_begin(floe__meter *m, const char *name, uint64_t size, uint64_t from, uint64_t now_ms);
/* Looks at the clock; a few times a second. */
void floe__meter_tick(floe__meter *m, uint64_t at, uint64_t now_ms);
/* "notes.txt: 45 %, 12.3 MB of 27.0 MB, 3.2 MB/s, 4 s left". Returns `buf` (FLOE__METER_TEXT). */
enum { FLOE__METER_TEXT = 200, FLOE__SIZE_TEXT = 32 };
const char *floe__meter_text(const floe__meter *m, char *buf);
/* Draws that line; as JSON an object of type "progress", once a second. */
void floe__meter_draw(floe__meter *m, floe__report *r, uint64_t at, uint64_t now_ms);

/* "12 bytes", "3.2 kB", "27.0 MB". `buf` holds FLOE__SIZE_TEXT bytes; returns it. */
const char *floe__size_text(double bytes, char *buf);

#endif
