#include "turn/frame.h"

#include "base/reader.h"
#include "base/writer.h"
#include "stun/msg.h"

#define HEAD 4 /* type or channel number, and length: both kinds begin with them */

typedef struct frame_head {
  bool bad;
  size_t size;  /* of the message, 0 while its length is not there yet */
  size_t total; /* with padding */
} frame_head;

static bool begins_cookie(floe_bytes b) {
  floe__reader r = floe__reader_of(b);
  for (unsigned shift = 32; shift > 0 && floe__rd_left(&r) > 0; shift -= 8) {
    if (floe__rd_u8(&r) != (uint8_t)(FLOE__STUN_COOKIE >> (shift - 8))) return false;
  }
  return true;
}

/* RFC 8489 5: "the most significant 2 bits of every STUN message MUST be zeroes", the length is a multiple of four, and
 * the cookie is fixed. */
static frame_head judge_stun(floe_bytes b) {
  frame_head head = {0};
  floe__reader r = floe__reader_of(b);
  (void)floe__rd_u16(&r);
  uint16_t len = floe__rd_u16(&r);
  if (r.bad) return head;
  head.bad = len % 4 != 0 || !begins_cookie((floe_bytes){r.at, floe__rd_left(&r)});
  head.size = head.total = (size_t)FLOE__STUN_HEADER + len;
  return head;
}

/* RFC 8656 12.5: "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple of four bytes", which
 * its length does not count. */
static frame_head judge_channel_data(floe_bytes b) {
  frame_head head = {0};
  floe__reader r = floe__reader_of(b);
  (void)floe__rd_u16(&r);
  uint16_t len = floe__rd_u16(&r);
  if (r.bad) return head;
  head.size = (size_t)HEAD + len;
  head.total = (head.size + 3) / 4 * 4;
  return head;
}

/* What the bytes at hand, which may be few, say of the message that they begin. */
static frame_head judge(const floe__turn_framer *f, floe_bytes b) {
  if (b.len == 0) return (frame_head){0};
  floe__reader r = floe__reader_of(b);
  switch (floe__rd_u8(&r) >> 6) {
    case 0: return judge_stun(b);
    case 1: return f->channel_data ? judge_channel_data(b) : (frame_head){.bad = true};
    default: return (frame_head){.bad = true};
  }
}

static floe_bytes take(floe_bytes *in, size_t len) {
  floe__reader r = floe__reader_of(*in);
  floe_bytes b = floe__rd_take(&r, len);
  *in = (floe_bytes){r.at, floe__rd_left(&r)};
  return b;
}

static void drop_buffer(floe__turn_framer *f) {
  floe__free(f->env, f->buf);
  f->buf = NULL;
  f->len = f->cap = 0;
}

/* Moves bytes from `in` to the buffer until that holds `upto`. The buffer grows with what has arrived, not with what a
 * length promises. */
static bool append(floe__turn_framer *f, floe_bytes *in, size_t upto) {
  size_t n = upto - f->len < in->len ? upto - f->len : in->len;
  void *p = f->buf;
  if (!floe__reserve(f->env, &p, &f->cap, 1, f->len + n)) return false;
  f->buf = p;
  floe__writer w = {.buf = f->buf, .len = f->len, .cap = f->cap};
  floe__wr_bytes(&w, take(in, n).ptr, n);
  f->len = w.len;
  return true;
}

/* Goes on with a message whose first bytes came in an earlier call. */
static floe__turn_frame assemble(floe__turn_framer *f, floe_bytes *in, floe_bytes *out) {
  for (;;) {
    frame_head head = judge(f, (floe_bytes){f->buf, f->len});
    if (head.bad) return FLOE__TURN_FRAME_BAD;
    size_t upto = head.size == 0 ? HEAD : head.total;
    if (f->len == upto) {
      *out = (floe_bytes){f->buf, head.size};
      f->len = 0; /* the next call frees the buffer */
      return FLOE__TURN_FRAME_MESSAGE;
    }
    if (in->len == 0) return FLOE__TURN_FRAME_MORE;
    if (!append(f, in, upto)) return FLOE__TURN_FRAME_NOMEM;
  }
}

void floe__turn_framer_init(floe__turn_framer *f, floe_env *env) {
  *f = (floe__turn_framer){.env = env};
}

void floe__turn_framer_clear(floe__turn_framer *f) {
  drop_buffer(f);
}

floe__turn_frame floe__turn_framer_next(floe__turn_framer *f, floe_bytes *in, floe_bytes *out) {
  *out = (floe_bytes){0};
  if (f->len > 0) return assemble(f, in, out);
  drop_buffer(f);
  frame_head head = judge(f, *in);
  if (head.bad) return FLOE__TURN_FRAME_BAD;
  if (head.size > 0 && in->len >= head.total) {
    *out = (floe_bytes){take(in, head.total).ptr, head.size};
    return FLOE__TURN_FRAME_MESSAGE;
  }
  if (in->len == 0) return FLOE__TURN_FRAME_MORE;
  return assemble(f, in, out);
}
