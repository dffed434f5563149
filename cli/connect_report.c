#include "connect_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_lines.h"
#include "json_value.h"
#include "mem.h"
#include "progress.h"
#include "text.h"

enum { LINE_MAX_LEN = 1024 };

bool floe__report_open(floe__report *r, bool json, const char *json_file, bool verbose, char *why, size_t cap) {
  memset(r, 0, sizeof *r);
  r->verbose = verbose;
  r->human = json && json_file == NULL ? NULL : stderr;
  r->is_terminal = r->human != NULL && floe__progress_is_terminal(stderr);
  r->json = json ? stderr : NULL;
  if (json_file == NULL) return true;
  r->json = fopen(json_file, "we");
  r->owns_json = r->json != NULL;
  if (r->json != NULL) return true;
  (void)snprintf(why, cap, "--json=%.150s: %s", json_file, strerror(errno));
  return false;
}

void floe__report_clear(floe__report *r) {
  if (r->owns_json) (void)fclose(r->json);
  if (r->keylog != NULL) (void)fclose(r->keylog);
  for (size_t i = 0; i < r->n_told; i++) free(r->told[i]);
  free(r->told);
  memset(r, 0, sizeof *r);
}

bool floe__report_open_keylog(floe__report *r, const char *name, char *why, size_t cap) {
  if (name == NULL) return true;
  int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  r->keylog = fd < 0 ? NULL : fdopen(fd, "a");
  if (r->keylog != NULL) return true;
  (void)snprintf(why, cap, "--keylog %.150s: %s", name, strerror(errno));
  if (fd >= 0) (void)close(fd);
  return false;
}

void floe__report_keylog(void *user, const char *line) {
  const floe__report *r = user;
  if (r->keylog == NULL) return;
  (void)fprintf(r->keylog, "%s\n", line);
  (void)fflush(r->keylog);
}

/* --- lines for people --------------------------------------------------------------------------------------------- */

void floe__report_erase(floe__report *r) {
  if (!r->is_line_shown) return;
  (void)fputs("\r\033[K", r->human);
  (void)fflush(r->human);
  r->is_line_shown = false;
}

void floe__report_draw(floe__report *r, const char *text) {
  if (!r->is_terminal) return;
  char *clean = floe__text_clean(text);
  (void)fprintf(r->human, "\r\033[K%s", clean);
  (void)fflush(r->human);
  free(clean);
  r->is_line_shown = true;
}

static void tell(floe__report *r, const char *before, const char *text) {
  json_t *line = floe__report_object(r, "message");
  char *clean = floe__text_clean(text);
  if (line != NULL) floe__json_set_text(line, "text", clean);
  floe__report_print(r, line);
  if (r->human != NULL) {
    floe__report_erase(r);
    (void)fprintf(r->human, "%s%s\n", before, clean);
    (void)fflush(r->human);
  }
  free(clean);
}

void floe__report_say(floe__report *r, const char *format, ...) {
  char text[LINE_MAX_LEN];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  tell(r, "floe connect: ", text);
}

void floe__report_text(floe__report *r, const char *format, ...) {
  char text[LINE_MAX_LEN];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  tell(r, "", text);
}

/* --- lines for programs ------------------------------------------------------------------------------------------- */

json_t *floe__report_object(const floe__report *r, const char *type) {
  if (r->json == NULL) return NULL;
  json_t *line = json_object();
  floe__json_set_text(line, "type", type);
  return line;
}

void floe__report_print(const floe__report *r, json_t *object) {
  if (object == NULL) return;
  floe__json_print_line(r->json, object);
  (void)fflush(r->json);
}

void floe__report_event(const floe__report *r, const floe_event *event) {
  if (r->json == NULL) return;
  floe__json_print_event(r->json, event);
  (void)fflush(r->json);
}

static bool was_told(floe__report *r, const char *url, const char *cause) {
  size_t cap = strlen(url) + strlen(cause) + 2;
  char *key = floe__cli_alloc(cap);
  (void)snprintf(key, cap, "%s %s", url, cause);
  for (size_t i = 0; i < r->n_told; i++) {
    if (strcmp(r->told[i], key) != 0) continue;
    free(key);
    return true;
  }
  void *array = r->told;
  floe__cli_grow(&array, r->n_told, sizeof *r->told);
  r->told = array;
  r->told[r->n_told++] = key;
  return false;
}

void floe__report_server_error(floe__report *r, const floe_candidate_error *e) {
  const floe_attempt_detail *d = e->detail;
  floe_cause cause = d == NULL ? FLOE_CAUSE_NONE : d->cause;
  const char *id = cause == FLOE_CAUSE_NONE ? "error" : floe_cause_id(cause);
  if (r->human == NULL || (was_told(r, e->url, id) && !r->verbose)) return;
  char at[FLOE_ADDR_TEXT] = "", *url = floe__text_mask_url(e->url);
  if (d != NULL && d->server_address.family != FLOE_FAMILY_NONE) (void)floe_addr_format(&d->server_address, at);
  const char *hint = d != NULL && d->hint != NULL ? d->hint : floe_cause_hint(cause);
  const char *sentence = cause == FLOE_CAUSE_NONE ? e->error_text : floe_cause_sentence(cause);
  floe__report_say(r, "%s%s%s: %s: %s", url, at[0] == '\0' ? "" : " at ", at, id, sentence);
  if (e->error_code < 700) floe__report_text(r, "  the server says: %u %s", e->error_code, e->error_text);
  if (hint[0] != '\0') floe__report_text(r, "  try: %s", hint);
  free(url);
}
