/* What the two sides of `floe connect` say on a data channel: one frame is one binary message. The first byte is the
 * type; numbers are in network byte order. docs/guide/connect.md shows who says what when. */
#ifndef FLOE_CLI_CONNECT_FRAME_H
#define FLOE_CLI_CONNECT_FRAME_H

#include "floe/types.h"

/* Rows: enumerator, value, members that it has in this order: N number (8 bytes), I index (4), C code (1), H hash (32),
 * D data (the rest). */
#define FLOE__FRAME_MAP(X)                                                                               \
  X(FLOE__FRAME_DATA, 0, "D")      /* bytes of the stream or of the file */                              \
  X(FLOE__FRAME_EOF, 1, "N")       /* no more: that many bytes in all */                                 \
  X(FLOE__FRAME_ACK, 2, "N")       /* that many bytes were taken: the other may send on */               \
  X(FLOE__FRAME_DONE, 3, "N")      /* the end was seen, and all that many bytes were written */          \
  X(FLOE__FRAME_STOP, 4, "CD")     /* this side takes no more, or has to end: code, words */             \
  X(FLOE__FRAME_OFFER, 5, "IND")   /* a file: its number, size and name */                               \
  X(FLOE__FRAME_ACCEPT, 6, "INH")  /* wanted, from this offset on; the hash of what is there up to it */ \
  X(FLOE__FRAME_SKIP, 7, "ICD")    /* not wanted: code, words */                                         \
  X(FLOE__FRAME_START, 8, "IN")    /* DATA begins at this offset: that of ACCEPT, or 0 */                \
  X(FLOE__FRAME_END, 9, "IH")      /* all of the file was sent; the hash of all of it */                 \
  X(FLOE__FRAME_RESULT, 10, "ICD") /* what became of it: code, words */                                  \
  X(FLOE__FRAME_FINISH, 11, "I")   /* there are no more files; how many there were */                    \
  X(FLOE__FRAME_OPENED, 12, "")    /* a tunnel: the TCP connection is there */                           \
  X(FLOE__FRAME_REFUSED, 13, "CD") /* a tunnel: it is not; code, words */                                \
  X(FLOE__FRAME_BYE, 14, "")       /* this side ends, and all is well */

typedef enum floe__frame_type {
#define FLOE__ROW(id, value, members) id = value,
  FLOE__FRAME_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe__frame_type;

/* Codes of STOP, SKIP, RESULT and REFUSED; others count as OTHER. */
typedef enum floe__frame_code {
  FLOE__CODE_OK = 0,          /* RESULT: the file is there */
  FLOE__CODE_OTHER = 1,       /* the words say it */
  FLOE__CODE_EXISTS = 2,      /* SKIP: there is a file of this name */
  FLOE__CODE_CHECKSUM = 3,    /* RESULT: what was received is not what was sent */
  FLOE__CODE_FILE = 4,        /* a file could not be read or written */
  FLOE__CODE_INTERRUPTED = 5, /* STOP: by its user */
  FLOE__CODE_CLOSED = 6,      /* STOP: nobody reads the output, or the TCP connection was reset */
  FLOE__CODE_PROTOCOL = 7     /* STOP: the other side broke the rules */
} floe__frame_code;

enum { FLOE__HASH_LEN = 32 };

typedef struct floe__frame {
  floe__frame_type type;
  uint64_t number;
  uint32_t index;
  uint8_t code;
  uint8_t hash[FLOE__HASH_LEN];
  floe_bytes data; /* borrowed */
} floe__frame;

/* Every peer takes messages of this size (RFC 8841 6.1: 64 KiB when it is not told). */
enum { FLOE__FRAME_MAX = 65536, FLOE__FRAME_DATA_MAX = FLOE__FRAME_MAX - 1 };
/* Bytes that may be on the way, from what was sent to what was taken. Both sides know it: it is part of the protocol.
 */
enum { FLOE__FRAME_WINDOW = 4 << 20 };

/* False: it is no frame. `out->data` points into the message. */
bool floe__frame_parse(floe__frame *out, floe_bytes message);

/* Returns the length, 0 when it does not fit. Data longer than there is room is an error, words are the caller's to
 * keep short. */
size_t floe__frame_write(const floe__frame *f, uint8_t *out, size_t cap);

/* The words of a frame as text fit for a terminal, at most 200 bytes. out: caller frees. */
char *floe__frame_words(const floe__frame *f);

#endif
