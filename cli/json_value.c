#include "json_value.h"

#include <math.h>
#include <stdlib.h>

#include "exit_status.h"
#include "text.h"

/* The JSON library fails only when there is no memory: it sees nothing but valid UTF-8 and finite numbers from here. */
static void set(json_t *object, const char *name, json_t *value) {
  if (json_object_set_new(object, name, value) == 0) return;
  (void)fputs("floe: out of memory\n", stderr);
  exit(FLOE__EXIT_OTHER);
}

void floe__json_set_text(json_t *object, const char *name, const char *text) {
  if (text == NULL) return;
  char *utf8 = floe__text_utf8(text);
  set(object, name, json_string(utf8));
  free(utf8);
}

void floe__json_set_number(json_t *object, const char *name, bool is_known, double value) {
  if (!is_known || !isfinite(value)) return;
  set(object, name, json_real(round(value * 1000) / 1000));
}

void floe__json_set_integer(json_t *object, const char *name, bool is_known, int64_t value) {
  if (is_known) set(object, name, json_integer(value));
}

void floe__json_set_true(json_t *object, const char *name, bool value) {
  if (value) set(object, name, json_true());
}

void floe__json_set_addr(json_t *object, const char *name, const floe_addr *addr) {
  char text[FLOE_ADDR_TEXT];
  if (addr->family != FLOE_FAMILY_NONE) set(object, name, json_string(floe_addr_format(addr, text)));
}

void floe__json_set_date(json_t *object, const char *name, bool is_known, int64_t unix_s) {
  char text[FLOE__DATE_TEXT];
  if (is_known) set(object, name, json_string(floe__text_date_time(unix_s, text)));
}

void floe__json_or_null(json_t *object, const char *name) {
  if (json_object_get(object, name) == NULL) set(object, name, json_null());
}

void floe__json_print_line(FILE *out, json_t *object) {
  /* 15 digits show a number rounded to thousandths as it is, 12.3 and not 12.300000000000001. */
  (void)json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
  (void)fputc('\n', out);
  json_decref(object);
}
