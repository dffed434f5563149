#include "exit_status.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static int class_of_failures(const floe__check_result *result) {
  int lowest = FLOE__EXIT_OTHER;
  for (size_t i = 0; i < result->n_servers; i++) {
    const floe__check_server *s = &result->servers[i];
    if (s->verdict != FLOE_VERDICT_FAILED || s->is_derived) continue;
    int class = floe_cause_exit_class(s->cause);
    if (class >= FLOE__EXIT_DNS && class < lowest) lowest = class;
  }
  return lowest;
}

int floe__exit_of_result(const floe__check_result *result) {
  switch (result->verdict) {
    case FLOE_VERDICT_OK:
    case FLOE_VERDICT_UNUSED: return FLOE__EXIT_OK;
    case FLOE_VERDICT_DEGRADED: return FLOE__EXIT_DEGRADED;
    case FLOE_VERDICT_FAILED: break;
  }
  return class_of_failures(result);
}

int floe__exit_combine(int a, int b) {
  int low = a < b ? a : b, high = a < b ? b : a;
  return low <= FLOE__EXIT_DEGRADED ? high : low;
}

int floe__exit_of_lost_output(int error) {
  if (error == 0 || error == EPIPE || error == EBADF) return 128 + SIGPIPE;
  (void)fprintf(stderr, "floe: the output could not be written: %s\n", strerror(error));
  return FLOE__EXIT_OTHER;
}

void floe__exit_print_table(FILE *out) {
#define FLOE__ROW(id, number, word, text) (void)fprintf(out, "  %d  %-12s %s\n", number, word, text);
  FLOE__EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
}
