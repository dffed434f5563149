/* Lines of a session description (RFC 8866 5: type=value), their words, and what is wrong with them. */
#ifndef FLOE_SDP_LEX_H
#define FLOE_SDP_LEX_H

#include "floe/status.h"
#include "floe/types.h"

typedef struct floe__sdp_slice {
  const char *ptr;
  size_t len;
} floe__sdp_slice;

typedef struct floe__sdp_lex {
  const char *text, *text_end;
  const char *next;            /* where the line after this one begins */
  const char *line, *line_end; /* this one, without its end */
  const char *value;           /* behind the '=' */
  char type;                   /* '\0': the text is at its end */
  uint32_t number;             /* of this line, from 1 */
  floe_error *why;             /* nullable */
} floe__sdp_lex;

void floe__sdp_lex_init(floe__sdp_lex *l, const char *text, size_t len, floe_error *why);
/* Goes to the next line; type '\0' behind the last. FLOE_OK or FLOE_E_SYNTAX. */
floe_status floe__sdp_lex_next(floe__sdp_lex *l);

/* "expected <format>, found <what stands at `at`>", with the place. Returns FLOE_E_SYNTAX. */
floe_status floe__sdp_lex_fail(const floe__sdp_lex *l, const char *at, const char *format, ...) FLOE_PRINTF(3, 4);

/* The next word of the line, behind spaces; empty at its end. */
floe__sdp_slice floe__sdp_lex_word(const floe__sdp_lex *l, const char **at);
/* From `at` to the end of the line. */
floe__sdp_slice floe__sdp_lex_rest(const floe__sdp_lex *l, const char *at);
/* Nothing but spaces is left of the line. */
floe_status floe__sdp_lex_end(const floe__sdp_lex *l, const char *at);

/* The next word, of at least one byte, all of them RFC 8866 9 token-char. */
floe_status floe__sdp_lex_token(const floe__sdp_lex *l, const char **at, const char *what, floe__sdp_slice *out);
/* The next word, digits only, up to `max`. */
floe_status floe__sdp_lex_number(const floe__sdp_lex *l, const char **at, const char *what, uint64_t max,
                                 uint64_t *out);

bool floe__sdp_is_token_char(char c);
/* ASCII letters compare without case: RFC 5234 2.3 has it so for the words of a grammar. */
bool floe__sdp_equal_nocase(const char *a, const char *b);
bool floe__sdp_slice_is(floe__sdp_slice s, const char *word); /* without case */

#endif
