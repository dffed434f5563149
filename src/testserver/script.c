/* Scripts: what a port of the test server does wrong, as text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "testserver/ts_internal.h"

/* What follows a name. */
typedef enum argument {
  ARG_NONE,
  ARG_CODE,     /* "=CODE[:REASON]" */
  ARG_CODE_OPT, /* the same, or nothing */
  ARG_ADDRESS,  /* "=ADDRESS:PORT" */
  ARG_TIMES,    /* "=N", or nothing for 1 */
  ARG_DELAY,    /* "=MS" */
  ARG_DOMAIN    /* "=NAME" */
} argument;

/* One row per name: name, how it is written, argument, fault, what it does. */
#define FAULT_MAP(X)                                                                                                  \
  X("correct", "correct                          ", ARG_NONE, FLOE__TS_CORRECT, "do nothing wrong")                   \
  X("error", "error=CODE[:REASON]              ", ARG_CODE, FLOE__TS_ERROR, "answer every request with this error")   \
  X("error-after-auth", "error-after-auth=CODE[:REASON]   ", ARG_CODE, FLOE__TS_ERROR_AFTER_AUTH,                     \
    "the same, after the challenge and signed")                                                                       \
  X("401-forever", "401-forever                      ", ARG_NONE, FLOE__TS_401_FOREVER, "challenge whatever comes")   \
  X("401-no-nonce", "401-no-nonce                     ", ARG_NONE, FLOE__TS_401_NO_NONCE, "challenge without NONCE")  \
  X("401-no-realm", "401-no-realm                     ", ARG_NONE, FLOE__TS_401_NO_REALM, "challenge without REALM")  \
  X("stale-once", "stale-once                       ", ARG_NONE, FLOE__TS_STALE_ONCE,                                 \
    "call the first nonce stale (438)")                                                                               \
  X("stale-forever", "stale-forever                    ", ARG_NONE, FLOE__TS_STALE_FOREVER, "call every nonce stale") \
  X("420-optional", "420-optional                     ", ARG_NONE, FLOE__TS_420_OPTIONAL,                             \
    "420 for the first optional attribute, until none is left")                                                       \
  X("437", "437[=TIMES]                      ", ARG_TIMES, FLOE__TS_437_TIMES,                                        \
    "so many allocation mismatches for each client address, then correct")                                            \
  X("redirect", "redirect=ADDRESS:PORT            ", ARG_ADDRESS, FLOE__TS_REDIRECT,                                  \
    "300 to another server, unsigned to unsigned requests")                                                           \
  X("redirect-after-auth", "redirect-after-auth=ADDRESS:PORT ", ARG_ADDRESS, FLOE__TS_REDIRECT_AFTER_AUTH,            \
    "300 after the challenge, signed")                                                                                \
  X("redirect-no-address", "redirect-no-address              ", ARG_NONE, FLOE__TS_REDIRECT_NO_ADDRESS,               \
    "300 that does not say where to")                                                                                 \
  X("wrong-integrity", "wrong-integrity                  ", ARG_NONE, FLOE__TS_WRONG_INTEGRITY,                       \
    "sign answers with another key")                                                                                  \
  X("no-integrity", "no-integrity                     ", ARG_NONE, FLOE__TS_NO_INTEGRITY, "do not sign answers")      \
  X("wrong-transaction", "wrong-transaction                ", ARG_NONE, FLOE__TS_WRONG_TRANSACTION,                   \
    "answer with another transaction id")                                                                             \
  X("bad-fingerprint", "bad-fingerprint                  ", ARG_NONE, FLOE__TS_BAD_FINGERPRINT,                       \
    "answer with a wrong FINGERPRINT")                                                                                \
  X("truncated", "truncated                        ", ARG_NONE, FLOE__TS_TRUNCATED,                                   \
    "keep back the last four bytes of each answer")                                                                   \
  X("no-address", "no-address                       ", ARG_NONE, FLOE__TS_NO_ADDRESS,                                 \
    "leave out the mapped, or the relayed, address")                                                                  \
  X("lifetime-0", "lifetime-0                       ", ARG_NONE, FLOE__TS_LIFETIME_0, "allocate with LIFETIME 0")     \
  X("bad-error-class", "bad-error-class                  ", ARG_NONE, FLOE__TS_BAD_ERROR_CLASS,                       \
    "answer with an error of class 7")                                                                                \
  X("overrun", "overrun                          ", ARG_NONE, FLOE__TS_OVERRUN,                                       \
    "answer with an attribute that reaches past the end")                                                             \
  X("silent", "silent                           ", ARG_NONE, FLOE__TS_SILENT, "never answer")                         \
  X("silent-after-401", "silent-after-401                 ", ARG_NONE, FLOE__TS_SILENT_AFTER_401,                     \
    "challenge, then never answer")                                                                                   \
  X("late", "late=MS                          ", ARG_DELAY, FLOE__TS_LATE, "answer so many milliseconds late")        \
  X("garbage", "garbage                          ", ARG_NONE, FLOE__TS_GARBAGE, "answer with bytes that are no STUN") \
  X("bytewise", "bytewise                         ", ARG_NONE, FLOE__TS_BYTEWISE,                                     \
    "over TCP and TLS: one byte per write")                                                                           \
  X("close-after-accept", "close-after-accept               ", ARG_NONE, FLOE__TS_CLOSE_AFTER_ACCEPT,                 \
    "over TCP and TLS: close at once")                                                                                \
  X("close-after-401", "close-after-401                  ", ARG_NONE, FLOE__TS_CLOSE_AFTER_401,                       \
    "over TCP and TLS: close after the challenge")                                                                    \
  X("reset-after-accept", "reset-after-accept               ", ARG_NONE, FLOE__TS_RESET_AFTER_ACCEPT,                 \
    "over TCP and TLS: reset at once")                                                                                \
  X("reset-after-401", "reset-after-401                  ", ARG_NONE, FLOE__TS_RESET_AFTER_401,                       \
    "over TCP and TLS: reset after the challenge")                                                                    \
  X("relay-nothing", "relay-nothing                    ", ARG_NONE, FLOE__TS_RELAY_NOTHING,                           \
    "allocate, but relay no data")                                                                                    \
  X("relay-private", "relay-private                    ", ARG_NONE, FLOE__TS_RELAY_PRIVATE,                           \
    "give a private relayed address")                                                                                 \
  X("refresh-error", "refresh-error[=CODE[:REASON]]    ", ARG_CODE_OPT, FLOE__TS_REFRESH_ERROR,                       \
    "answer Refresh with this error (500)")                                                                           \
  X("permission-error", "permission-error[=CODE[:REASON]] ", ARG_CODE_OPT, FLOE__TS_PERMISSION_ERROR,                 \
    "answer CreatePermission and ChannelBind with this error (403)")                                                  \
  X("forget-allocation", "forget-allocation                ", ARG_NONE, FLOE__TS_FORGET_ALLOCATION,                   \
    "answer Refresh with 437, as after a restart")

#define TLS_MAP(X)                                                                                                 \
  X("tls-plain-text", "tls-plain-text                   ", FLOE__TS_TLS_PLAIN_TEXT, "TLS: answer with plain text") \
  X("tls-expired", "tls-expired                      ", FLOE__TS_TLS_EXPIRED, "TLS: the certificate has run out")  \
  X("tls-self-signed", "tls-self-signed                  ", FLOE__TS_TLS_SELF_SIGNED,                              \
    "TLS: a certificate without an authority")                                                                     \
  X("tls-other-name", "tls-other-name                   ", FLOE__TS_TLS_OTHER_NAME,                                \
    "TLS: a certificate for another name")                                                                         \
  X("tls-hangs", "tls-hangs                        ", FLOE__TS_TLS_HANGS, "TLS: never answer the handshake")       \
  X("tls-alert", "tls-alert                        ", FLOE__TS_TLS_ALERT, "TLS: answer with a fatal alert")

static const struct {
  const char *name;
  argument arg;
  floe__ts_fault fault;
} fault_rows[] = {
#define FLOE__ROW(name, form, arg, fault, help) {name, arg, fault},
    FAULT_MAP(FLOE__ROW)
#undef FLOE__ROW
};

static const struct {
  const char *name;
  floe__ts_tls_fault fault;
} tls_rows[] = {
#define FLOE__ROW(name, form, fault, help) {name, fault},
    TLS_MAP(FLOE__ROW)
#undef FLOE__ROW
};

const char *floe__ts_script_help(void) {
#define FLOE__ROW(name, form, arg, fault, help) "  " form " " help "\n"
#define FLOE__TLS_ROW(name, form, fault, help)  "  " form " " help "\n"
  return FAULT_MAP(
      FLOE__ROW) "  alternate-domain=NAME             with redirect: the name in the other's certificate\n" TLS_MAP(FLOE__TLS_ROW);
#undef FLOE__ROW
#undef FLOE__TLS_ROW
}

/* --- parsing ---------------------------------------------------------------------------------------------------- */

typedef struct parser {
  floe__ts_script *out;
  const char *text;
  char *why;
  size_t why_cap;
  size_t *offset;
  bool has_fault, has_tls;
  size_t domain_at; /* where alternate-domain stood; SIZE_MAX = nowhere */
} parser;

/* A piece of the text. */
typedef struct piece {
  const char *p;
  size_t len;
} piece;

static bool refuse(const parser *ps, const char *at, const char *format, ...) FLOE_PRINTF(3, 4);

static bool refuse(const parser *ps, const char *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(ps->why, ps->why_cap, format, args);
  va_end(args);
  *ps->offset = (size_t)(at - ps->text);
  return false;
}

static bool is_name(piece p, const char *name) {
  return strlen(name) == p.len && memcmp(p.p, name, p.len) == 0;
}

static bool read_number(piece p, uint32_t max, uint32_t *out) {
  uint32_t value = 0;
  if (p.len == 0 || p.len > 9) return false;
  for (size_t i = 0; i < p.len; i++) {
    if (p.p[i] < '0' || p.p[i] > '9') return false;
    value = value * 10 + (uint32_t)(p.p[i] - '0');
  }
  *out = value;
  return value <= max;
}

static bool read_code(const parser *ps, piece arg) {
  const char *colon = memchr(arg.p, ':', arg.len);
  piece code = {arg.p, colon == NULL ? arg.len : (size_t)(colon - arg.p)};
  uint32_t value;
  if (!read_number(code, 699, &value) || value < 300) {
    return refuse(ps, arg.p, "an error code from 300 to 699 is needed");
  }
  ps->out->error_code = (uint16_t)value;
  if (colon == NULL) return true;
  piece reason = {colon + 1, arg.len - code.len - 1};
  if (reason.len >= sizeof ps->out->reason) {
    return refuse(ps, reason.p, "the reason is longer than %zu bytes", sizeof ps->out->reason - 1);
  }
  memcpy(ps->out->reason, reason.p, reason.len);
  ps->out->reason[reason.len] = '\0';
  return true;
}

static bool read_address(const parser *ps, piece arg) {
  char text[FLOE_ADDR_TEXT] = "";
  if (arg.len < sizeof text) memcpy(text, arg.p, arg.len);
  if (floe_addr_parse(&ps->out->alternate, text) && ps->out->alternate.port != 0) return true;
  return refuse(ps, arg.p, "an IP address with a port is needed, such as 192.0.2.1:3478 or [2001:db8::1]:3478");
}

static bool read_domain(parser *ps, piece arg) {
  if (arg.len == 0 || arg.len >= sizeof ps->out->alternate_domain) {
    return refuse(ps, arg.p, "a name of 1 to %zu bytes is needed", sizeof ps->out->alternate_domain - 1);
  }
  memcpy(ps->out->alternate_domain, arg.p, arg.len);
  ps->out->alternate_domain[arg.len] = '\0';
  return true;
}

static bool read_argument(parser *ps, argument kind, piece arg, bool has_arg) {
  switch (kind) {
    case ARG_NONE: return has_arg ? refuse(ps, arg.p, "this name takes no argument") : true;
    case ARG_CODE: return read_code(ps, arg);
    case ARG_CODE_OPT: return has_arg ? read_code(ps, arg) : true;
    case ARG_ADDRESS: return read_address(ps, arg);
    case ARG_DOMAIN: return read_domain(ps, arg);
    case ARG_TIMES:
      ps->out->times = 1;
      if (!has_arg || read_number(arg, 1000000, &ps->out->times)) return true;
      return refuse(ps, arg.p, "a number up to 1000000 is needed");
    case ARG_DELAY:
      if (read_number(arg, 600000, &ps->out->delay_ms)) return true;
      return refuse(ps, arg.p, "milliseconds up to 600000 are needed");
  }
  return false;
}

static uint16_t default_code(floe__ts_fault fault) {
  if (fault == FLOE__TS_REFRESH_ERROR) return 500;
  return fault == FLOE__TS_PERMISSION_ERROR ? 403 : 0;
}

static bool read_fault(parser *ps, size_t row, piece name, piece arg, bool has_arg) {
  if (ps->has_fault)
    return refuse(ps, name.p, "a script does one thing wrong; \"%.*s\" is the second", (int)name.len, name.p);
  ps->has_fault = true;
  ps->out->fault = fault_rows[row].fault;
  ps->out->error_code = default_code(ps->out->fault);
  return read_argument(ps, fault_rows[row].arg, arg, has_arg);
}

static bool read_tls(parser *ps, size_t row, piece name, piece arg, bool has_arg) {
  if (ps->has_tls) return refuse(ps, name.p, "\"%.*s\" is the second TLS fault", (int)name.len, name.p);
  ps->has_tls = true;
  ps->out->tls = tls_rows[row].fault;
  return read_argument(ps, ARG_NONE, arg, has_arg);
}

static bool read_part(parser *ps, piece part) {
  const char *equals = memchr(part.p, '=', part.len);
  piece name = {part.p, equals == NULL ? part.len : (size_t)(equals - part.p)};
  piece arg = {part.p + part.len, 0};
  if (equals != NULL) arg = (piece){equals + 1, part.len - name.len - 1};
  for (size_t i = 0; i < sizeof fault_rows / sizeof fault_rows[0]; i++) {
    if (is_name(name, fault_rows[i].name)) return read_fault(ps, i, name, arg, equals != NULL);
  }
  for (size_t i = 0; i < sizeof tls_rows / sizeof tls_rows[0]; i++) {
    if (is_name(name, tls_rows[i].name)) return read_tls(ps, i, name, arg, equals != NULL);
  }
  if (is_name(name, "alternate-domain")) {
    ps->domain_at = (size_t)(part.p - ps->text);
    return read_argument(ps, ARG_DOMAIN, arg, equals != NULL);
  }
  if (name.len == 0) return refuse(ps, part.p, "a name is missing");
  return refuse(ps, part.p, "there is no script \"%.*s\"", (int)(name.len < 40 ? name.len : 40), name.p);
}

static bool is_redirect(floe__ts_fault fault) {
  return fault == FLOE__TS_REDIRECT || fault == FLOE__TS_REDIRECT_AFTER_AUTH || fault == FLOE__TS_REDIRECT_NO_ADDRESS;
}

static bool parse_parts(parser *ps) {
  const char *p = ps->text;
  for (;;) {
    size_t len = strcspn(p, ",");
    if (!read_part(ps, (piece){p, len})) return false;
    if (p[len] == '\0') break;
    p += len + 1;
  }
  if (ps->domain_at != SIZE_MAX && !is_redirect(ps->out->fault)) {
    return refuse(ps, ps->text + ps->domain_at, "alternate-domain belongs to a redirect");
  }
  return true;
}

bool floe__ts_script_parse(floe__ts_script *out, const char *text, char *why, size_t why_cap, size_t *offset) {
  memset(out, 0, sizeof *out);
  if (why_cap > 0) why[0] = '\0';
  *offset = 0;
  parser ps = {.out = out, .text = text, .why = why, .why_cap = why_cap, .offset = offset, .domain_at = SIZE_MAX};
  return parse_parts(&ps);
}
