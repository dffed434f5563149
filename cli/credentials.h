/* Where the credentials of the URLs on the command line come from. None is taken from the environment. */
#ifndef FLOE_CLI_CREDENTIALS_H
#define FLOE_CLI_CREDENTIALS_H

#include "check_options.h"

typedef struct floe__credentials {
  char *username;   /* nullable */
  char *credential; /* nullable */
} floe__credentials;

/* Gets them as the options say: reads the file, asks on the terminal, makes time-limited ones. A user name alone is
 * asked for its credential when `may_ask` and somebody is there; else it is returned without one. On false, `why` (cap
 * bytes) says what is wrong; it never holds a secret. Clear them in both cases. */
bool floe__credentials_get(floe__credentials *out, const floe__check_options *o, int64_t unix_s, bool may_ask,
                           char *why, size_t cap);
void floe__credentials_clear(floe__credentials *c);

/* Time-limited credentials as TURN servers with a shared secret check them: the user name is "<expiry>:<user>", or the
 * expiry alone when `user` is NULL; the credential is base64(HMAC-SHA1(secret, user name)). */
bool floe__credentials_make_rest(floe__credentials *out, const char *secret, const char *user, int64_t expiry_unix_s);

#endif
