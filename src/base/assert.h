/* For what only a bug of ours can break (design.md 4, plane 3). A peer's bytes and a user's configuration never reach
 * one. On in every build: the checks are cheap and a wrong machine must not go on. */
#ifndef FLOE_BASE_ASSERT_H
#define FLOE_BASE_ASSERT_H

#include <stdlib.h>

#define FLOE__ASSERT(condition) \
  do {                          \
    if (!(condition)) abort();  \
  } while (0)

#endif
