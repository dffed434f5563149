#include "explain.h"

#include <string.h>
#include <unistd.h>

#include "exit_status.h"
#include "text.h"

/* What the group of a cause means for the W3C event. */
static const char *code_of_group(int group) {
  if (group == 0) return "none while gathering";
  return group == 6 ? "the server's own code, or 701" : "701";
}

static const char *name_of_class(int class) {
  switch ((floe__exit) class) {
#define FLOE__ROW(id, number, word, text) \
  case id: return word;
    FLOE__EXIT_MAP(FLOE__ROW)
#undef FLOE__ROW
  }
  return "";
}

static void print_list(FILE *out) {
  for (int c = FLOE_CAUSE_NONE + 1; c < FLOE_CAUSE_COUNT; c++) {
    (void)fprintf(out, "%-23s %s\n", floe_cause_id((floe_cause)c), floe_cause_sentence((floe_cause)c));
  }
}

static void print_page(FILE *out, const char *id) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/causes/%s.md", FLOE_DOC_DIR, id);
  if (access(path, R_OK) != 0) (void)snprintf(path, sizeof path, "docs/causes/%s.md", id);
  (void)fprintf(out, "  more: %s\n", path);
}

static void print_cause(FILE *out, floe_cause cause) {
  const char *hint = floe_cause_hint(cause);
  int class = floe_cause_exit_class(cause);
  (void)fprintf(out, "%s: %s\n", floe_cause_id(cause), floe_cause_sentence(cause));
  if (hint[0] != '\0') (void)fprintf(out, "  try: %s\n", hint);
  (void)fprintf(out, "  errorCode of icecandidateerror: %s\n", code_of_group(floe_cause_group(cause)));
  (void)fprintf(out, "  exit status of floe check: %d (%s)\n", class, name_of_class(class));
  print_page(out, floe_cause_id(cause));
}

bool floe__explain_print(FILE *out, const char *id, char *why, size_t cap) {
  if (strcmp(id, "list") == 0) {
    print_list(out);
    return true;
  }
  floe_cause cause = floe_cause_from_id(id);
  if (cause != FLOE_CAUSE_COUNT && cause != FLOE_CAUSE_NONE) {
    print_cause(out, cause);
    return true;
  }
  const char *ids[FLOE_CAUSE_COUNT];
  for (int c = FLOE_CAUSE_NONE + 1; c < FLOE_CAUSE_COUNT; c++) ids[c - 1] = floe_cause_id((floe_cause)c);
  ids[FLOE_CAUSE_COUNT - 1] = NULL;
  const char *near = floe__text_suggest(id, ids);
  if (near != NULL) {
    (void)snprintf(why, cap, "there is no cause %.40s; did you mean %s?", id, near);
  } else {
    (void)snprintf(why, cap, "there is no cause %.40s; --explain list names them all", id);
  }
  return false;
}
