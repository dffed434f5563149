#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status_internal.h"

const char *floe_status_name(floe_status status) {
  switch (status) {
#define FLOE__ROW(id, value, w3c, text) \
  case id: return #id;
    FLOE_STATUS_MAP(FLOE__ROW)
#undef FLOE__ROW
  }
  return "unknown";
}

const char *floe_status_exception(floe_status status) {
  switch (status) {
#define FLOE__ROW(id, value, w3c, text) \
  case id: return w3c;
    FLOE_STATUS_MAP(FLOE__ROW)
#undef FLOE__ROW
  }
  return "OperationError";
}

const char *floe_status_text(floe_status status) {
  switch (status) {
#define FLOE__ROW(id, value, w3c, text) \
  case id: return text;
    FLOE_STATUS_MAP(FLOE__ROW)
#undef FLOE__ROW
  }
  return "unknown status";
}

floe_status floe__error_set(floe_error *why, floe_status status, const char *path, size_t offset, const char *format,
                            ...) {
  if (why == NULL) return status;
  memset(why, 0, sizeof *why);
  why->status = status;
  why->offset = offset;
  (void)snprintf(why->path, sizeof why->path, "%s", path);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(why->message, sizeof why->message, format, args);
  va_end(args);
  return status;
}
