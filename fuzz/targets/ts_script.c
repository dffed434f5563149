/* Any text as a script of the test server: it is read, or refused with a sentence and a place in the text. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "testserver/testserver.h"

static void check_script(const floe__ts_script *script) {
  FLOE__ASSERT(script->error_code == 0 || (script->error_code >= 300 && script->error_code <= 699));
  FLOE__ASSERT(memchr(script->reason, '\0', sizeof script->reason) != NULL);
  FLOE__ASSERT(memchr(script->alternate_domain, '\0', sizeof script->alternate_domain) != NULL);
  FLOE__ASSERT(script->fault <= FLOE__TS_FORGET_ALLOCATION && script->tls <= FLOE__TS_TLS_ALERT);
  FLOE__ASSERT(script->times <= 1000000 && script->delay_ms <= 600000);
  FLOE__ASSERT(script->fault != FLOE__TS_REDIRECT || script->alternate.port != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  FLOE__ASSERT(text != NULL);
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  floe__ts_script script;
  char why[64]; /* shorter than some sentences */
  size_t offset = SIZE_MAX;
  if (floe__ts_script_parse(&script, text, why, sizeof why, &offset)) {
    check_script(&script);
  } else {
    FLOE__ASSERT(why[0] != '\0' && strlen(why) < sizeof why && offset <= strlen(text));
  }
  free(text);
  return 0;
}
