/* Asks for a secret on the terminal, without echo. */
#ifndef FLOE_CLI_PROMPT_H
#define FLOE_CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* True when there is somebody at a terminal to ask. */
bool floe__prompt_is_possible(void);

/* Asks on the controlling terminal, whatever standard input is. A signal that ends the program puts the terminal back
 * first. Returns what was typed (out: caller frees with floe__cli_free_secret), or NULL with a sentence in `why`. */
char *floe__prompt_secret(const char *user /* nullable */, char *why, size_t cap);

#endif
