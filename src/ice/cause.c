#include "floe/cause.h"

#include <string.h>

typedef struct cause_row {
  const char *id;
  int group;
  int exit_class;
  const char *sentence;
  const char *hint;
} cause_row;

static const cause_row rows[] = {
#define FLOE__ROW(id, name, group, exit_class, sentence, hint) {name, group, exit_class, sentence, hint},
    FLOE_CAUSE_MAP(FLOE__ROW)
#undef FLOE__ROW
};

static const cause_row *row_of(floe_cause cause) {
  return &rows[(unsigned)cause < FLOE_CAUSE_COUNT ? cause : FLOE_CAUSE_NONE];
}

const char *floe_cause_id(floe_cause cause) {
  return row_of(cause)->id;
}

const char *floe_cause_sentence(floe_cause cause) {
  return row_of(cause)->sentence;
}

const char *floe_cause_hint(floe_cause cause) {
  return row_of(cause)->hint;
}

int floe_cause_group(floe_cause cause) {
  return row_of(cause)->group;
}

int floe_cause_exit_class(floe_cause cause) {
  return row_of(cause)->exit_class;
}

floe_cause floe_cause_from_id(const char *id) {
  for (int i = 0; i < FLOE_CAUSE_COUNT; i++) {
    if (strcmp(rows[i].id, id) == 0) return (floe_cause)i;
  }
  return FLOE_CAUSE_COUNT;
}

const char *floe_phase_name(floe_phase phase) {
  switch (phase) {
#define FLOE__ROW(id, name) \
  case id: return name;
    FLOE_PHASE_MAP(FLOE__ROW)
#undef FLOE__ROW
  }
  return "unknown";
}
