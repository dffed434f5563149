#include "turn/exchange.h"

#include "base/alloc.h"

void floe__turn_request_init(floe__turn *turn, floe__stun_request *request, const floe__stun_request_ops *ops,
                             void *owner, uint16_t method) {
  floe__stun_request_init(request, turn->env, ops, owner, turn->cfg.timing, method, turn->cfg.reliable);
  request->auth = &turn->auth;
  request->software = turn->cfg.software;
}

/* The server's SOFTWARE is for people: without memory for it nothing is lost. */
static void keep_software(floe__turn *turn, const floe__stun_msg *m) {
  if (turn->software != NULL || !floe__stun_has(m, FLOE__STUN_SOFTWARE)) return;
  char text[FLOE__STUN_TEXT_MAX + 1];
  size_t len = floe__stun_decode_text(text, sizeof text, floe__stun_get(m, FLOE__STUN_SOFTWARE));
  if (len > 0) turn->software = floe__strndup(turn->env, text, len);
}

floe__stun_result floe__turn_request_on_response(floe__turn *turn, floe__stun_request *request, floe_time now,
                                                 const floe__stun_msg *m, floe__stun_parse parse) {
  int64_t unix_ms;
  bool has_unix = floe__env_unix_ms(turn->env, now, &unix_ms);
  uint32_t discarded = request->discarded;
  floe__stun_result result =
      floe__stun_request_on_response(request, now, m, parse, has_unix ? &unix_ms : NULL, &turn->outcome);
  if (request->answered) turn->answered = true;
  if (request->discarded != discarded) {
    bool damaged = floe__stun_check_fingerprint(m) == FLOE__STUN_CHECK_BAD;
    turn->discard_cause = damaged ? FLOE_CAUSE_BAD_FINGERPRINT : FLOE_CAUSE_BAD_INTEGRITY;
  } else if (parse == FLOE__STUN_OK) {
    keep_software(turn, m);
  }
  return result;
}
