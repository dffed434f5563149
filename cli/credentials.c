#include "credentials.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "prompt.h"

enum { SHA1_LEN = 20, BASE64_OF_SHA1 = 28, LINE_MAX_LEN = 4096 };

bool floe__credentials_make_rest(floe__credentials *out, const char *secret, const char *user, int64_t expiry_unix_s) {
  size_t cap = 24 + (user == NULL ? 0 : strlen(user));
  unsigned char mac[SHA1_LEN], text[BASE64_OF_SHA1 + 1];
  unsigned len = 0;
  out->username = floe__cli_alloc(cap);
  (void)snprintf(out->username, cap, "%" PRId64 "%s%s", expiry_unix_s, user == NULL ? "" : ":",
                 user == NULL ? "" : user);
  const unsigned char *name = (const unsigned char *)out->username;
  if (HMAC(EVP_sha1(), secret, (int)strlen(secret), name, strlen(out->username), mac, &len) == NULL) return false;
  (void)EVP_EncodeBlock(text, mac, (int)len);
  out->credential = floe__cli_strdup((const char *)text);
  floe__cli_wipe(mac, sizeof mac);
  floe__cli_wipe(text, sizeof text);
  return true;
}

/* The first line without its end; the rest of the file is not looked at. */
static char *read_first_line(const char *name, char *why, size_t cap) {
  bool is_stdin = strcmp(name, "-") == 0;
  FILE *f = is_stdin ? stdin : fopen(name, "r");
  if (f == NULL) {
    (void)snprintf(why, cap, "cannot read %s: %s", name, strerror(errno));
    return NULL;
  }
  char buf[LINE_MAX_LEN];
  bool got = fgets(buf, sizeof buf, f) != NULL;
  bool failed = ferror(f) != 0;
  int error = errno;
  if (!is_stdin) (void)fclose(f);
  size_t len = got ? strcspn(buf, "\r\n") : 0;
  char *line = len > 0 && len < sizeof buf - 1 ? floe__cli_strndup(buf, len) : NULL;
  floe__cli_wipe(buf, sizeof buf);
  if (line != NULL) return line;
  const char *shown = is_stdin ? "standard input" : name;
  if (failed) {
    (void)snprintf(why, cap, "cannot read %s: %s", shown, strerror(error));
  } else {
    (void)snprintf(why, cap, len == 0 ? "the first line of %s is empty" : "the first line of %s is too long", shown);
  }
  return NULL;
}

static char *get_secret(const floe__check_options *o, floe__credential_source source, char *why, size_t cap) {
  switch (source) {
    case FLOE__CREDENTIAL_TEXT:
    case FLOE__CREDENTIAL_SECRET_TEXT: return floe__cli_strdup(o->credential);
    case FLOE__CREDENTIAL_FILE:
    case FLOE__CREDENTIAL_SECRET_FILE: return read_first_line(o->credential_file, why, cap);
    case FLOE__CREDENTIAL_PROMPT: return floe__prompt_secret(o->user, why, cap);
    case FLOE__CREDENTIAL_NONE: break;
  }
  return NULL;
}

bool floe__credentials_get(floe__credentials *out, const floe__check_options *o, int64_t unix_s, bool may_ask,
                           char *why, size_t cap) {
  floe__credential_source source = o->credential_source;
  memset(out, 0, sizeof *out);
  if (source == FLOE__CREDENTIAL_NONE && o->user != NULL && may_ask && floe__prompt_is_possible()) {
    source = FLOE__CREDENTIAL_PROMPT;
  }
  if (source == FLOE__CREDENTIAL_NONE) {
    if (o->user != NULL) out->username = floe__cli_strdup(o->user);
    return true;
  }
  char *secret = get_secret(o, source, why, cap);
  if (secret == NULL) return false;
  if (source != FLOE__CREDENTIAL_SECRET_TEXT && source != FLOE__CREDENTIAL_SECRET_FILE) {
    out->username = floe__cli_strdup(o->user);
    out->credential = secret;
    return true;
  }
  bool made = floe__credentials_make_rest(out, secret, o->user, unix_s + (int64_t)o->ttl_s);
  floe__cli_free_secret(secret);
  if (!made) (void)snprintf(why, cap, "HMAC-SHA1 is not available in this system's OpenSSL");
  return made;
}

void floe__credentials_clear(floe__credentials *c) {
  floe__cli_free_secret(c->username);
  floe__cli_free_secret(c->credential);
  memset(c, 0, sizeof *c);
}
