/* Memory for the command. A command line tool that has no memory left cannot say anything useful: it ends with
 * status 9. */
#ifndef FLOE_CLI_MEM_H
#define FLOE_CLI_MEM_H

#include <stddef.h>

void *floe__cli_alloc(size_t size);                 /* zeroed; out: caller frees with free */
char *floe__cli_strdup(const char *text);           /* out: caller frees with free */
char *floe__cli_strndup(const char *p, size_t len); /* adds a NUL; out: caller frees with free */

/* Makes room for one more element of `size` bytes in the array at *array that holds n. */
void floe__cli_grow(void **array, size_t n, size_t size);

void floe__cli_wipe(void *p, size_t len);
void floe__cli_wipe_text(char *text);   /* nullable: overwrites the text, not the NUL */
void floe__cli_free_secret(char *text); /* takes; nullable */

/* malloc and free that wipe: what the JSON parser copies may be a credential. */
void *floe__cli_secret_malloc(size_t size);
void floe__cli_secret_free(void *ptr);

#endif
