/* `--trace FILE`: what the library traces, a line per event. */
#ifndef FLOE_CLI_TRACE_FILE_H
#define FLOE_CLI_TRACE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "floe/env.h"

typedef struct floe__trace_file {
  FILE *out;        /* NULL = no trace */
  const char *name; /* borrowed */
  int error;        /* 0, or errno of the first line that could not be written */
} floe__trace_file;

/* Opens the file for writing; `name` NULL: there is to be no trace. On false `why` (cap bytes) says why not. */
bool floe__trace_file_open(floe__trace_file *t, const char *name /* nullable */, char *why, size_t cap);

/* Makes the environment trace into the file, when there is one; `t` must outlive it. */
void floe__trace_file_lend(floe__trace_file *t, bool addresses, floe_env_config *env);

/* False: something could not be written, and `why` says so. */
bool floe__trace_file_close(floe__trace_file *t, char *why, size_t cap);

#endif
