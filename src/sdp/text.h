/* A text that grows, for the descriptions that are written. */
#ifndef FLOE_SDP_TEXT_H
#define FLOE_SDP_TEXT_H

#include "base/alloc.h"

typedef struct floe__sdp_text {
  floe_env *env;
  char *ptr; /* nullable: nothing yet */
  size_t len, cap;
  bool bad; /* sticky: out of memory */
} floe__sdp_text;

void floe__sdp_put(floe__sdp_text *t, const char *from, size_t len);
void floe__sdp_puts(floe__sdp_text *t, const char *text);
/* A line: the texts one after the other up to NULL, and CRLF. */
void floe__sdp_put_line(floe__sdp_text *t, const char *const *texts);
#define FLOE__SDP_LINE(t, ...) floe__sdp_put_line((t), (const char *const[]){__VA_ARGS__, NULL})

/* The text, ended by a NUL. *out: caller frees with floe__free. False: out of memory; *out is NULL. */
bool floe__sdp_text_take(floe__sdp_text *t, char **out);

/* A number as text. */
typedef struct floe__sdp_digits {
  char text[24];
} floe__sdp_digits;
floe__sdp_digits floe__sdp_digits_of(uint64_t n);

#endif
