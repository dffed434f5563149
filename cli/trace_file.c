#include "trace_file.h"

#include <errno.h>
#include <string.h>

bool floe__trace_file_open(floe__trace_file *t, const char *name, char *why, size_t cap) {
  memset(t, 0, sizeof *t);
  if (name == NULL) return true;
  t->name = name;
  t->out = fopen(name, "we");
  if (t->out == NULL) {
    (void)snprintf(why, cap, "--trace %.150s: %s", name, strerror(errno));
    return false;
  }
  /* Whole lines, so that the file is right up to the moment when the program is killed. */
  (void)setvbuf(t->out, NULL, _IOLBF, 1 << 14);
  return true;
}

static void write_line(void *user, const char *json, size_t len) {
  floe__trace_file *t = user;
  errno = 0;
  bool ok = fwrite(json, 1, len, t->out) == len && fputc('\n', t->out) != EOF;
  if (!ok && t->error == 0) t->error = errno == 0 ? EIO : errno;
}

void floe__trace_file_lend(floe__trace_file *t, bool addresses, floe_env_config *env) {
  if (t->out == NULL) return;
  env->user = t;
  env->trace = write_line;
  env->trace_addresses = addresses;
}

bool floe__trace_file_close(floe__trace_file *t, char *why, size_t cap) {
  if (t->out == NULL) return true;
  errno = 0;
  if (fclose(t->out) != 0 && t->error == 0) t->error = errno == 0 ? EIO : errno;
  t->out = NULL;
  if (t->error == 0) return true;
  (void)snprintf(why, cap, "--trace %.150s could not be written: %s", t->name, strerror(t->error));
  return false;
}
