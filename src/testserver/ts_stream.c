/* Connections: TCP, TLS, and the messages in their bytes. */
#include <string.h>

#include "testserver/ts_internal.h"

static const char plain_text[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/* A fatal handshake_failure alert in a record of TLS 1.2 (RFC 5246 6.2.1, 7.2). */
static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};

floe__ts_stream *floe__ts_find_stream(floe__testserver *ts, floe__ts_conn conn) {
  floe__ts_stream *s = ts->streams;
  while (s != NULL && s->id != conn) s = s->next;
  return s;
}

void floe__ts_stream_free(floe__testserver *ts, floe__ts_stream *s) {
  floe__tls_free(s->tls);
  floe__turn_framer_clear(&s->framer);
  floe__free(ts->env, s);
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

static floe__ts_flow flow_of(const floe__ts_stream *s) {
  return (floe__ts_flow){.port = s->port, .conn = s->id, .from = s->from};
}

/* RFC 8656 3.1: an allocation's 5-tuple ends with its connection, so nobody could use the allocation any more. */
static void end_allocation(floe__testserver *ts, const floe__ts_stream *s) {
  floe__ts_flow flow = flow_of(s);
  floe__ts_delete_allocation(ts, floe__ts_find_allocation(ts, &flow));
}

static void unlink_stream(floe__testserver *ts, floe__ts_stream *s) {
  floe__ts_stream **at = &ts->streams;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  s->next = NULL;
  ts->n_streams--;
}

void floe__ts_stream_close(floe__testserver *ts, floe__ts_stream *s, bool reset) {
  if (s->closed) return;
  s->closed = true;
  s->reset = reset;
  ts->has_closed = true;
}

static floe__ts_stream *find_closed(floe__testserver *ts) {
  floe__ts_stream *s = ts->streams;
  while (s != NULL && !s->closed) s = s->next;
  return s;
}

void floe__ts_sweep_streams(floe__testserver *ts) {
  if (!ts->has_closed) return;
  ts->has_closed = false;
  for (floe__ts_stream *s = find_closed(ts); s != NULL; s = find_closed(ts)) {
    end_allocation(ts, s);
    unlink_stream(ts, s);
    s->next = ts->closing;
    ts->closing = s;
  }
}

void floe__testserver_on_end(floe__testserver *ts, floe_time now, floe__ts_conn conn) {
  floe__ts_advance(ts, now);
  floe__ts_stream *s = floe__ts_find_stream(ts, conn);
  if (s == NULL) return;
  floe__ts_drop_conn(ts, conn);
  floe__ts_stream_close(ts, s, false);
  floe__ts_sweep_streams(ts);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void push_bytes(floe__testserver *ts, floe__ts_stream *s, floe_bytes bytes) {
  if (s->closed || bytes.len == 0) return;
  floe__ts_output out = {.type = FLOE__TS_SEND_CONN, .conn = s->id};
  bool bytewise = s->port->script.fault == FLOE__TS_BYTEWISE;
  /* A stream with a hole in it is of no use: close it. */
  if (!floe__ts_push(ts, &out, bytes, bytewise)) floe__ts_stream_close(ts, s, true);
}

static void flush_tls(floe__testserver *ts, floe__ts_stream *s) {
  for (floe_bytes out = floe__tls_output(s->tls); out.len > 0; out = floe__tls_output(s->tls)) {
    push_bytes(ts, s, out);
    floe__tls_sent(s->tls, out.len);
  }
}

void floe__ts_stream_write(floe__testserver *ts, floe__ts_stream *s, floe_bytes bytes) {
  if (s->tls == NULL) {
    push_bytes(ts, s, bytes);
    return;
  }
  if (!floe__tls_write(s->tls, bytes)) {
    floe__ts_stream_close(ts, s, true);
    return;
  }
  flush_tls(ts, s);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static void refuse(floe__testserver *ts, floe__ts_conn conn) {
  floe__ts_output out = {.type = FLOE__TS_CLOSE_CONN, .conn = conn, .reset = true};
  (void)floe__ts_push(ts, &out, (floe_bytes){0}, false);
}

static bool start_tls(floe__testserver *ts, floe__ts_stream *s) {
  if (s->port->transport != FLOE_TRANSPORT_TLS || s->port->cert_pem == NULL) return true;
  const char *cert = s->port->cert_pem;
  const char *key = s->port->key_pem;
  s->tls = floe__tls_server_new(ts->env, (floe_bytes){(const uint8_t *)cert, strlen(cert)},
                                (floe_bytes){(const uint8_t *)key, strlen(key)});
  return s->tls != NULL;
}

static void close_by_script(floe__testserver *ts, floe__ts_stream *s) {
  bool reset = s->port->script.fault == FLOE__TS_RESET_AFTER_ACCEPT;
  if (reset || s->port->script.fault == FLOE__TS_CLOSE_AFTER_ACCEPT) floe__ts_stream_close(ts, s, reset);
}

void floe__ts_stream_open(floe__testserver *ts, floe__ts_port *port, floe__ts_conn conn, const floe_addr *from) {
  floe__ts_stream *s = NULL;
  if (ts->n_streams < FLOE__TS_MAX_CONNS) s = floe__zalloc(ts->env, sizeof *s);
  if (s == NULL) {
    refuse(ts, conn);
    return;
  }
  s->id = conn;
  s->port = port;
  s->from = *from;
  floe__turn_framer_init(&s->framer, ts->env);
  s->next = ts->streams;
  ts->streams = s;
  ts->n_streams++;
  if (!start_tls(ts, s)) floe__ts_stream_close(ts, s, true);
  close_by_script(ts, s);
  floe__ts_sweep_streams(ts);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static void read_messages(floe__testserver *ts, floe__ts_stream *s, floe_bytes in) {
  floe__ts_flow flow = flow_of(s);
  while (!s->closed) {
    /* Only a client with an allocation can mean ChannelData. */
    s->framer.channel_data = floe__ts_find_allocation(ts, &flow) != NULL;
    floe_bytes message;
    switch (floe__turn_framer_next(&s->framer, &in, &message)) {
      case FLOE__TURN_FRAME_MESSAGE: floe__ts_on_message(ts, &flow, message); break;
      case FLOE__TURN_FRAME_MORE: return;
      case FLOE__TURN_FRAME_BAD: floe__ts_stream_close(ts, s, false); return;
      case FLOE__TURN_FRAME_NOMEM: floe__ts_stream_close(ts, s, true); return;
    }
  }
}

static void read_tls(floe__testserver *ts, floe__ts_stream *s, floe_bytes in) {
  floe__tls_on_bytes(s->tls, in, ts->now);
  flush_tls(ts, s);
  size_t n;
  while (!s->closed && (n = floe__tls_read(s->tls, ts->plain, sizeof ts->plain)) > 0) {
    read_messages(ts, s, (floe_bytes){ts->plain, n});
  }
  switch (floe__tls_state_of(s->tls)) {
    case FLOE__TLS_HANDSHAKE:
    case FLOE__TLS_OPEN: break;
    case FLOE__TLS_ENDED:
    case FLOE__TLS_FAILED: floe__ts_stream_close(ts, s, false); break;
  }
}

/* The TLS faults that need no TLS. True: the bytes were dealt with. */
static bool answer_without_tls(floe__testserver *ts, floe__ts_stream *s) {
  if (s->port->transport != FLOE_TRANSPORT_TLS) return false;
  switch (s->port->script.tls) {
    case FLOE__TS_TLS_GOOD:
    case FLOE__TS_TLS_EXPIRED:
    case FLOE__TS_TLS_SELF_SIGNED:
    case FLOE__TS_TLS_OTHER_NAME: return false;
    case FLOE__TS_TLS_HANGS: break;
    case FLOE__TS_TLS_PLAIN_TEXT:
      push_bytes(ts, s, (floe_bytes){(const uint8_t *)plain_text, sizeof plain_text - 1});
      floe__ts_stream_close(ts, s, false);
      break;
    case FLOE__TS_TLS_ALERT:
      push_bytes(ts, s, (floe_bytes){alert, sizeof alert});
      floe__ts_stream_close(ts, s, false);
      break;
  }
  return true;
}

void floe__testserver_on_bytes(floe__testserver *ts, floe_time now, floe__ts_conn conn, floe_bytes data) {
  floe__ts_advance(ts, now);
  floe__ts_stream *s = floe__ts_find_stream(ts, conn);
  if (s == NULL || data.len == 0) return;
  if (!answer_without_tls(ts, s)) {
    if (s->tls != NULL) {
      read_tls(ts, s, data);
    } else {
      read_messages(ts, s, data);
    }
  }
  floe__ts_sweep_streams(ts);
}
