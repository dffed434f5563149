/* Checks the lines of `floe check --json` from standard input against the contract's section 7, knowing nothing of the
 * command's own code: member names, types, order.
 *
 *   jsonl_check [--watch] [--refused]    status 0 when all is well, else 1 and what is wrong
 *   jsonl_check --get TYPE.MEMBER...     prints a value of the last line of that type: report.servers.0.cause
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A member: name, and its kinds: s string, n number, i integer, o object, a array, b true, 0 null, ? may be absent. */
typedef struct member {
  const char *name, *kinds;
} member;

static const member state_members[] = {{"type", "s"}, {"t_ms", "n"}, {"state", "s"}, {NULL, NULL}};
static const member end_members[] = {{"type", "s"}, {"t_ms", "n"}, {"candidate", "s"}, {NULL, NULL}};
static const member candidate_members[] = {
    {"type", "s"},         {"t_ms", "n"}, {"candidate", "s"},      {"candidateType", "s"},
    {"address", "s"},      {"port", "i"}, {"protocol", "s"},       {"relatedAddress", "s0"},
    {"relatedPort", "i0"}, {"url", "s0"}, {"relayProtocol", "s0"}, {NULL, NULL}};
static const member error_members[] = {{"type", "s"},      {"t_ms", "n"},   {"address", "s0"},
                                       {"port", "i0"},     {"url", "s"},    {"errorCode", "i"},
                                       {"errorText", "s"}, {"detail", "o"}, {NULL, NULL}};
static const member detail_members[] = {
    {"cause", "s0"},        {"phase", "s"},      {"serverIndex", "i"},    {"urlIndex", "i"},
    {"transport", "s"},     {"family", "i?"},    {"serverAddress", "s?"}, {"serverName", "s?"},
    {"localAddress", "s?"}, {"interface", "s?"}, {"osError", "i?"},       {"osErrorText", "s?"},
    {"icmpType", "i?"},     {"icmpCode", "i?"},  {"dnsStatus", "s?"},     {"tls", "o?"},
    {"realm", "s?"},        {"software", "s?"},  {"attempts", "i"},       {"rttMs", "n?"},
    {"startedMs", "n"},     {"elapsedMs", "n"},  {"hint", "s?"},          {NULL, NULL}};
static const member report_members[] = {{"type", "s"},      {"t_ms", "n"},    {"round", "i?"}, {"verdict", "s"},
                                        {"insecure", "b?"}, {"servers", "a"}, {NULL, NULL}};
static const member server_members[] = {
    {"url", "s"},      {"serverIndex", "i"}, {"urlIndex", "i"},   {"verdict", "s"},    {"cause", "s0"},
    {"derived", "b?"}, {"attempts", "a"},    {"candidates", "a"}, {"relayTests", "a"}, {NULL, NULL}};
static const member attempt_members[] = {{"outcome", "s"},
                                         {"errorCode", "i?"},
                                         {"errorText", "s?"},
                                         {"dnsMs", "n?"},
                                         {"connectMs", "n?"},
                                         {"tlsMs", "n?"},
                                         {"requestMs", "n?"},
                                         {"discarded", "i"},
                                         {"redirects", "i"},
                                         {"unauthenticatedRedirect", "b?"},
                                         {"redundant", "b?"},
                                         {"mappedAddress", "s?"},
                                         {"relayedAddress", "s?"},
                                         {"relayedAddressAdditional", "s?"},
                                         {"additionalErrorCode", "i?"},
                                         {"lifetime", "i?"},
                                         {"detail", "o"},
                                         {NULL, NULL}};
static const member refused_members[] = {{"type", "s"},  {"name", "s"},    {"path", "s0"},   {"offset", "i?"},
                                         {"line", "i?"}, {"column", "i?"}, {"message", "s"}, {NULL, NULL}};
static const member summary_members[] = {{"type", "s"}, {"t_ms", "n"}, {"rounds", "i"}, {"servers", "a"}, {NULL, NULL}};

static int line_number;

static void complain(const char *what, const char *name) {
  (void)printf("line %d: %s: %s\n", line_number, name, what);
  exit(1);
}

static char kind_of(const json_t *value) {
  switch (json_typeof(value)) {
    case JSON_OBJECT: return 'o';
    case JSON_ARRAY: return 'a';
    case JSON_STRING: return 's';
    case JSON_INTEGER: return 'i';
    case JSON_REAL: return 'n';
    case JSON_TRUE: return 'b';
    case JSON_FALSE: return 'f';
    case JSON_NULL: return '0';
  }
  return ' ';
}

static const member *find_member(const member *members, const char *name) {
  for (; members->name != NULL; members++) {
    if (strcmp(members->name, name) == 0) return members;
  }
  return NULL;
}

/* Every member is known and of a right kind, every needed one is there, and they come in the order of the table. */
static void check_members(json_t *object, const member *members) {
  const char *name;
  json_t *value;
  const member *last = members;
  json_object_foreach(object, name, value) {
    const member *m = find_member(members, name);
    if (m == NULL) complain("is not in the contract", name);
    if (strchr(m->kinds, kind_of(value)) == NULL) complain("is of a wrong type", name);
    if (m < last) complain("is out of order", name);
    last = m;
  }
  for (const member *m = members; m->name != NULL; m++) {
    if (strchr(m->kinds, '?') == NULL && json_object_get(object, m->name) == NULL) complain("is missing", m->name);
  }
}

static bool is_one_of(const json_t *object, const char *name, const char *const *words) {
  const char *text = json_string_value(json_object_get(object, name));
  for (; text != NULL && *words != NULL; words++) {
    if (strcmp(text, *words) == 0) return true;
  }
  return false;
}

static void check_detail(json_t *detail) {
  static const char *const transports[] = {"udp", "tcp", "tls", "dtls", NULL};
  static const char *const phases[] = {"dns",     "socket",     "connect", "tls",  "binding", "allocate",
                                       "refresh", "permission", "channel", "data", NULL};
  check_members(detail, detail_members);
  if (!is_one_of(detail, "transport", transports)) complain("is no transport", "transport");
  if (!is_one_of(detail, "phase", phases)) complain("is no phase", "phase");
}

static void check_error(json_t *line) {
  check_members(line, error_members);
  check_detail(json_object_get(line, "detail"));
  json_int_t code = json_integer_value(json_object_get(line, "errorCode"));
  if (code != 701 && (code < 300 || code > 699)) complain("is neither 701 nor of 300 to 699", "errorCode");
  bool has_address = json_is_string(json_object_get(line, "address"));
  if (has_address != json_is_integer(json_object_get(line, "port"))) complain("port and address", "address");
}

static void check_server(json_t *server) {
  static const char *const verdicts[] = {"ok", "degraded", "failed", "unused", NULL};
  static const char *const outcomes[] = {"candidate", "error", "cancelled", NULL};
  size_t i;
  json_t *attempt;
  check_members(server, server_members);
  if (!is_one_of(server, "verdict", verdicts)) complain("is no verdict", "verdict");
  json_array_foreach(json_object_get(server, "attempts"), i, attempt) {
    check_members(attempt, attempt_members);
    check_detail(json_object_get(attempt, "detail"));
    if (!is_one_of(attempt, "outcome", outcomes)) complain("is no outcome", "outcome");
  }
}

static void check_report(json_t *line) {
  size_t i;
  json_t *server;
  check_members(line, report_members);
  json_array_foreach(json_object_get(line, "servers"), i, server) check_server(server);
}

/* --- the order of the lines --------------------------------------------------------------------------------------- */

typedef enum stage { NOTHING, GATHERING, ENDED, COMPLETE, REPORTED, SUMMED, REFUSED } stage;

typedef struct options {
  bool watch, refused;
} options;

static void expect_stage(stage is, stage wanted, const char *type) {
  if (is != wanted) complain("comes at a wrong place", type);
}

static stage check_state(json_t *line, stage now, const options *o) {
  const char *state = json_string_value(json_object_get(line, "state"));
  check_members(line, state_members);
  if (state != NULL && strcmp(state, "gathering") == 0) {
    if (!(now == NOTHING || (o->watch && now == REPORTED))) complain("comes at a wrong place", "gathering");
    return GATHERING;
  }
  expect_stage(now, ENDED, "complete");
  return COMPLETE;
}

static stage check_candidate(json_t *line, stage now) {
  const char *text = json_string_value(json_object_get(line, "candidate"));
  expect_stage(now, GATHERING, "icecandidate");
  if (text != NULL && text[0] == '\0') {
    check_members(line, end_members);
    return ENDED;
  }
  check_members(line, candidate_members);
  if (text != NULL && strncmp(text, "candidate:", 10) != 0) complain("is no candidate-attribute", "candidate");
  return GATHERING;
}

static stage check_line(json_t *line, stage now, const options *o) {
  const char *type = json_string_value(json_object_get(line, "type"));
  if (type == NULL) complain("is missing", "type");
  if (strcmp(type, "icegatheringstatechange") == 0) return check_state(line, now, o);
  if (strcmp(type, "icecandidate") == 0) return check_candidate(line, now);
  if (strcmp(type, "icecandidateerror") == 0) {
    expect_stage(now, GATHERING, type);
    check_error(line);
    return now;
  }
  if (strcmp(type, "iceservererror") == 0) {
    expect_stage(now, COMPLETE, type);
    check_error(line);
    return now;
  }
  if (strcmp(type, "report") == 0) {
    expect_stage(now, COMPLETE, type);
    check_report(line);
    return REPORTED;
  }
  if (strcmp(type, "summary") == 0 && o->watch) {
    expect_stage(now, REPORTED, type);
    check_members(line, summary_members);
    return SUMMED;
  }
  if (strcmp(type, "error") != 0) complain("is no type of line", type);
  expect_stage(now, NOTHING, type);
  check_members(line, refused_members);
  return REFUSED;
}

static int check_all(const options *o) {
  stage now = NOTHING;
  static char text[1 << 20];
  for (line_number = 1; fgets(text, sizeof text, stdin) != NULL; line_number++) {
    json_error_t e;
    if (strchr(text, '\n') == NULL) complain("is not ended by a line feed", "the line");
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    if (!json_is_object(line)) complain("is no JSON object", "the line");
    now = check_line(line, now, o);
    json_decref(line);
  }
  stage end = o->refused ? REFUSED : o->watch ? SUMMED : REPORTED;
  if (now != end) complain("is not the last line", "the last line");
  return 0;
}

/* --- one value ---------------------------------------------------------------------------------------------------- */

static json_t *last_line_of(const char *type) {
  json_t *found = NULL;
  static char text[1 << 20];
  while (fgets(text, sizeof text, stdin) != NULL) {
    json_t *line = json_loads(text, 0, NULL);
    const char *is = json_string_value(json_object_get(line, "type"));
    if (is != NULL && strcmp(is, type) == 0) {
      json_decref(found);
      found = json_incref(line);
    }
    json_decref(line);
  }
  return found;
}

static int print_value(char *path) {
  char *word = strtok(path, ".");
  json_t *line = word == NULL ? NULL : last_line_of(word), *value = line;
  while (value != NULL && (word = strtok(NULL, ".")) != NULL) {
    value = json_is_array(value) ? json_array_get(value, (size_t)atoi(word)) : json_object_get(value, word);
  }
  if (value == NULL) {
    (void)puts("absent");
  } else if (json_is_string(value)) {
    (void)puts(json_string_value(value));
  } else {
    (void)json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
    (void)putchar('\n');
  }
  json_decref(line);
  return 0;
}

int main(int argc, char **argv) {
  options o = {false, false};
  if (argc == 3 && strcmp(argv[1], "--get") == 0) return print_value(argv[2]);
  for (int i = 1; i < argc; i++) {
    o.watch = o.watch || strcmp(argv[i], "--watch") == 0;
    o.refused = o.refused || strcmp(argv[i], "--refused") == 0;
  }
  return check_all(&o);
}
