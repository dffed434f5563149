#include "ice_servers_json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

static floe_status FLOE_PRINTF(4, 5)
    refuse(floe__json_error *why, floe_status status, const char *path, const char *format, ...) {
  why->error.status = status;
  why->error.offset = FLOE_NO_OFFSET;
  (void)snprintf(why->error.path, sizeof why->error.path, "%s", path);
  va_list args;
  va_start(args, format);
  (void)vsnprintf(why->error.message, sizeof why->error.message, format, args);
  va_end(args);
  return status;
}

static const char *name_of_type(const json_t *value) {
  switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null";
  }
  return "something else";
}

/* A member's name comes from the text: it is cut, so that it cannot hide the rest of a path. No name at all is "". */
static void join_path(char *out, size_t cap, const char *path, const char *member) {
  const char *shown = member[0] == '\0' ? "\"\"" : member;
  (void)snprintf(out, cap, "%s%s%.40s%s", path, path[0] == '\0' ? "" : ".", shown, strlen(shown) > 40 ? "..." : "");
}

/* A NUL would end the text early for everything that reads it afterwards. */
static floe_status check_nul(const json_t *value, const char *path, floe_status status, floe__json_error *why) {
  size_t len = strlen(json_string_value(value));
  if (len == json_string_length(value)) return FLOE_OK;
  (void)refuse(why, status, path, "the text has a NUL character");
  if (status == FLOE_E_SYNTAX) why->error.offset = len;
  return status;
}

static floe_status add_url(floe_ice_server *server, const json_t *value, const char *path, size_t index,
                           floe__json_error *why) {
  char where[96];
  (void)snprintf(where, sizeof where, "%s.urls[%zu]", path, index);
  if (!json_is_string(value))
    return refuse(why, FLOE_E_TYPE, where, "a string is expected, not %s", name_of_type(value));
  floe_status status = check_nul(value, where, FLOE_E_SYNTAX, why);
  if (status == FLOE_OK) floe__server_list_add_url(server, json_string_value(value));
  return status;
}

static floe_status add_urls(floe_ice_server *server, const json_t *urls, const char *path, floe__json_error *why) {
  char where[96];
  join_path(where, sizeof where, path, "urls");
  if (urls == NULL) return refuse(why, FLOE_E_TYPE, where, "the member is missing");
  if (json_is_string(urls)) return add_url(server, urls, path, 0, why);
  if (!json_is_array(urls)) {
    return refuse(why, FLOE_E_TYPE, where, "a string or an array of strings is expected, not %s", name_of_type(urls));
  }
  for (size_t i = 0; i < json_array_size(urls); i++) {
    floe_status status = add_url(server, json_array_get(urls, i), path, i, why);
    if (status != FLOE_OK) return status;
  }
  return FLOE_OK;
}

static floe_status read_text(const json_t *server, const char *member, const char *path, const char **out,
                             floe__json_error *why) {
  char where[96];
  const json_t *value = json_object_get(server, member);
  *out = NULL;
  if (value == NULL) return FLOE_OK;
  join_path(where, sizeof where, path, member);
  if (!json_is_string(value))
    return refuse(why, FLOE_E_TYPE, where, "a string is expected, not %s", name_of_type(value));
  *out = json_string_value(value);
  return check_nul(value, where, FLOE_E_ACCESS, why);
}

static const char *hint_of_unknown(const char *member) {
  if (strcmp(member, "url") == 0 || strcmp(member, "uris") == 0) return "; its name is urls";
  if (strcmp(member, "password") == 0) return "; its name is credential";
  if (strcmp(member, "user") == 0 || strcmp(member, "userName") == 0) return "; its name is username";
  return "";
}

static floe_status check_members(json_t *object, const char *const *known, const char *path, floe__json_error *why) {
  for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
    const char *member = json_object_iter_key(it);
    const char *const *k = known;
    while (*k != NULL && strcmp(*k, member) != 0) k++;
    if (*k != NULL) continue;
    char where[96];
    join_path(where, sizeof where, path, member);
    return refuse(why, FLOE_E_TYPE, where, "there is no such member%s", hint_of_unknown(member));
  }
  return FLOE_OK;
}

static floe_status read_server(floe__server_list *list, json_t *value, size_t index, floe__json_error *why) {
  static const char *const known[] = {"urls", "username", "credential", NULL};
  char path[40];
  const char *username, *credential;
  (void)snprintf(path, sizeof path, "iceServers[%zu]", index);
  if (!json_is_object(value))
    return refuse(why, FLOE_E_TYPE, path, "an object is expected, not %s", name_of_type(value));
  floe_status status = check_members(value, known, path, why);
  if (status == FLOE_OK) status = read_text(value, "username", path, &username, why);
  if (status == FLOE_OK) status = read_text(value, "credential", path, &credential, why);
  if (status != FLOE_OK) return status;
  return add_urls(floe__server_list_add(list, username, credential), json_object_get(value, "urls"), path, why);
}

static floe_status read_servers(floe__server_list *list, json_t *root, floe__json_error *why) {
  static const char *const known[] = {"iceServers", NULL};
  const json_t *array = root;
  if (json_is_object(root)) {
    floe_status status = check_members(root, known, "", why);
    if (status != FLOE_OK) return status;
    array = json_object_get(root, "iceServers");
    if (array == NULL) return refuse(why, FLOE_E_TYPE, "iceServers", "the member is missing");
  }
  if (!json_is_array(array)) {
    return refuse(why, FLOE_E_TYPE, "iceServers", "an array is expected, not %s", name_of_type(array));
  }
  for (size_t i = 0; i < json_array_size(array); i++) {
    floe_status status = read_server(list, json_array_get(array, i), i, why);
    if (status != FLOE_OK) return status;
  }
  return FLOE_OK;
}

/* The parser's words quote the text near the error, and that may be a credential: they are cut off there. */
static floe_status refuse_json(floe__json_error *why, const json_error_t *e) {
  char words[JSON_ERROR_TEXT_LENGTH];
  (void)snprintf(words, sizeof words, "%s", e->text);
  char *near = strstr(words, " near ");
  if (near != NULL) *near = '\0';
  if (json_error_code(e) == json_error_duplicate_key) (void)snprintf(words, sizeof words, "a member is given twice");
  why->line = e->line > 0 ? e->line : 1;
  why->column = e->column > 0 ? e->column : 1;
  return refuse(why, FLOE_E_SYNTAX, "", "not JSON at line %d, column %d: %.150s", why->line, why->column, words);
}

void floe__ice_servers_json_init(void) {
  json_set_alloc_funcs(floe__cli_secret_malloc, floe__cli_secret_free);
}

floe_status floe__ice_servers_json_parse(floe__server_list *list, const char *text, size_t len, floe__json_error *why) {
  static const char bom[] = "\xef\xbb\xbf"; /* RFC 8259 8.1 lets a reader ignore it */
  json_error_t e;
  memset(why, 0, sizeof *why);
  if (len > FLOE__ICE_SERVERS_JSON_MAX) {
    return refuse(why, FLOE_E_TOO_LARGE, "", "the JSON text is larger than %zu bytes", FLOE__ICE_SERVERS_JSON_MAX);
  }
  size_t skip = len >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
  json_t *root = json_loadb(text + skip, len - skip, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &e);
  if (root == NULL) return refuse_json(why, &e);
  floe_status status = read_servers(list, root, why);
  json_decref(root);
  return status;
}
