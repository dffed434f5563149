/* Uses the driver with a loop of its own. */
#include <floe/uv.h>
#include <stdio.h>

int main(void) {
  floe_uv *uv = NULL;
  floe_error why;
  if (floe_uv_new(&uv, NULL, NULL, &why) != FLOE_OK) {
    fprintf(stderr, "%s\n", why.message);
    return 1;
  }
  if (floe_uv_now(uv) == 0) return 2;
  floe_uv_close(uv);
  printf("floe-uv %s\n", floe_version());
  return 0;
}
