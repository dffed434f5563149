/* floe/status.h - what a call may say about its own arguments.
 *
 * A status is about the caller ("this URL is malformed"), never about the world ("that server did not answer"):
 * what the world does is an outcome and an event, see floe/event.h and floe/cause.h.
 *
 *     floe_error why;
 *     if (floe_ice_agent_new(&agent, env, &cfg, &why) != FLOE_OK)
 *       fprintf(stderr, "%s: %s: %s\n", floe_status_name(why.status), why.path, why.message);
 */
#ifndef FLOE_STATUS_H
#define FLOE_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "floe/export.h"

/** @file
 *  Status codes and the error that explains one. */

/** One row per status: enumerator, value, the W3C exception a binding throws for it, a sentence. */
#define FLOE_STATUS_MAP(X)                                                                       \
  X(FLOE_OK, 0, "", "success")                                                                   \
  X(FLOE_E_TYPE, -1, "TypeError", "a member is missing, has the wrong type or is out of range")  \
  X(FLOE_E_SYNTAX, -2, "SyntaxError", "a text does not have the form that its grammar asks for") \
  X(FLOE_E_ACCESS, -3, "InvalidAccessError", "a credential is missing or cannot be used")        \
  X(FLOE_E_STATE, -4, "InvalidStateError", "the object is not in a state that allows this")      \
  X(FLOE_E_UNSUPPORTED, -5, "NotSupportedError", "this is not supported")                        \
  X(FLOE_E_TOO_LARGE, -6, "OperationError", "a value exceeds a limit of the configuration")      \
  X(FLOE_E_NOMEM, -7, "OperationError", "out of memory")                                         \
  X(FLOE_E_AGAIN, -8, "OperationError", "a queue is full; try again after the next output")      \
  X(FLOE_E_NOT_FOUND, -9, "NotFoundError", "there is no such object")                            \
  X(FLOE_E_SYSTEM, -10, "OperationError", "the operating system refused")                        \
  X(FLOE_E_MODIFICATION, -11, "InvalidModificationError", "this cannot be changed any more, or in this way")

/** What a fallible call returns. FLOE_OK is zero, every error is negative; values never change. */
typedef enum floe_status {
#define FLOE__ROW(id, value, w3c, text) id = value,
  FLOE_STATUS_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe_status;

/** `floe_error.offset` when no byte is at fault. */
#define FLOE_NO_OFFSET ((size_t)-1)

/** Explains one failed call. Filled only when the call fails; holds no pointer, so it can be copied freely. */
typedef struct floe_error {
  floe_status status; /**< what the call returned */
  char path[96];      /**< which argument: `iceServers[1].urls[0]`; "" when it is the call as a whole */
  size_t offset;      /**< index of the byte at fault in the text named by `path`, or FLOE_NO_OFFSET */
  uint32_t line;      /**< session descriptions: the line at fault, from 1; 0 = none */
  uint32_t column;    /**< session descriptions: the byte of that line, from 1; 0 = the line as a whole, or none */
  char message[200];  /**< a sentence for people, without the path */
} floe_error;

/** The enumerator's own name, such as "FLOE_E_SYNTAX"; "unknown" for a value not in the map. Any thread. */
FLOE_API const char *floe_status_name(floe_status status);

/** The W3C exception name a binding uses, such as "SyntaxError"; "" for FLOE_OK. Any thread. */
FLOE_API const char *floe_status_exception(floe_status status);

/** A sentence for people. Any thread. */
FLOE_API const char *floe_status_text(floe_status status);

#endif
