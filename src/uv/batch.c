#include "uv/batch.h"

#include <string.h>

#include "uv/neterror.h"
#include "uv/os.h"
#include "uv/sock.h"

/* Less than the largest IP packet, headers included. */
#define MAX_BYTES ((size_t)65000)

static bool has_room(const floe__uv_batch *b, const floe__uv_sock *sock, floe__uv_sender sender,
                     const floe_output *out) {
  bool is_same_way = b->sock == sock && b->sender.agent == sender.agent && b->sender.id == sender.id &&
                     b->dscp == out->u.transmit.dscp && floe_addr_equal(&b->to, &out->u.transmit.to);
  size_t len = out->u.transmit.data.len;
  /* A shorter one is the last. */
  bool fits = b->len == b->n * b->segment && len > 0 && len <= b->segment && b->len + len <= MAX_BYTES;
  return is_same_way && fits && b->n < floe__uv_os_max_segments;
}

void floe__uv_batch_add(floe_uv *uv, floe__uv_sock *sock, floe__uv_sender sender, const floe_output *out) {
  floe__uv_batch *b = &uv->batch;
  floe_bytes data = out->u.transmit.data;
  if (data.len > FLOE__UV_SLOT_BYTES) return; /* no UDP datagram is that large */
  if (b->sock == NULL || !has_room(b, sock, sender, out)) {
    floe__uv_batch_flush(uv);
    b->sock = sock;
    b->sender = sender;
    b->to = out->u.transmit.to;
    b->dscp = out->u.transmit.dscp;
    b->segment = data.len;
    b->len = b->n = 0;
  }
  if (data.len > 0) memcpy(b->bytes + b->len, data.ptr, data.len);
  b->len += data.len;
  b->n++;
}

void floe__uv_batch_flush(floe_uv *uv) {
  floe__uv_batch *b = &uv->batch;
  floe__uv_sock *sock = b->sock;
  if (sock == NULL) return;
  b->sock = NULL;
  if (sock->state != FLOE__UV_SOCK_OPEN) return;
  int err = floe__uv_udp_send(sock, &b->to, (floe_bytes){.ptr = b->bytes, .len = b->len}, b->segment, b->dscp);
  if (err == 0) return;
  b->failed = err;
  b->victim = b->sender;
  b->failed_to = b->to;
}

bool floe__uv_batch_tell(floe_uv *uv) {
  floe__uv_batch *b = &uv->batch;
  if (b->failed == 0) return false;
  char text[FLOE__UV_ERROR_TEXT];
  floe_input in = {.type = FLOE_INPUT_SEND_FAILED, .sock = b->victim.id, .addr = b->failed_to};
  floe__uv_set_error(&in, b->failed, text);
  b->failed = 0;
  floe__uv_agent_input(b->victim.agent, &in);
  return true;
}
