/* Any text as a peer's description: what is read holds together; what passes the checks is answered, and the answer
 * fits; so do candidates that are appended, and a later offer. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sdp/jsep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const floe__sdp_fingerprint print = {
    "sha-256", "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"};

static floe__jsep_local make_local(floe__sdp_setup setup) {
  return (floe__jsep_local){.session_id = "1",
                            .session_version = 1,
                            .ufrag = "floe",
                            .pwd = "0123456789abcdefghijkl",
                            .fingerprints = &print,
                            .n_fingerprints = 1,
                            .setup = setup,
                            .sctp_port = 5000,
                            .max_message_size = 262144,
                            .wants_data = true};
}

static void check_error(const floe_error *why, floe_status st, const char *text) {
  FLOE__ASSERT(why->status == st && strcmp(why->path, "sdp") == 0 && why->message[0] != '\0');
  if (why->offset == FLOE_NO_OFFSET) return;
  FLOE__ASSERT(why->offset <= strlen(text));
  if (why->column == 0) return;
  uint32_t line = 1;
  size_t start = 0;
  for (size_t i = 0; i < why->offset; i++) {
    if (text[i] != '\n') continue;
    line++;
    start = i + 1;
  }
  bool is_missing_line = text[why->offset] == '\0' && why->column == 1; /* behind a last line without an end */
  FLOE__ASSERT(is_missing_line || (why->line == line && why->column == why->offset - start + 1));
}

/* Reading all of it finds what is not memory of the description. */
static size_t walk(const floe__sdp *sdp) {
  size_t sum = strlen(sdp->session_id);
  for (size_t i = 0; i < sdp->n_attributes; i++) sum += strlen(sdp->attributes[i].name);
  for (size_t i = 0; i < sdp->n_media; i++) {
    const floe__sdp_media *m = &sdp->media[i];
    FLOE__ASSERT(m->n_fmts > 0 && m->port <= 65535 && m->line > 0);
    for (size_t j = 0; j < m->n_fmts; j++) sum += strlen(m->fmts[j]);
    for (size_t j = 0; j < m->n_candidates; j++) sum += strlen(m->candidates[j]) + m->candidate_lines[j];
    for (size_t j = 0; j < m->n_attributes; j++) sum += strlen(m->attributes[j].name) + m->attributes[j].line;
    for (size_t j = 0; j < m->n_fingerprints; j++) sum += strlen(m->fingerprints[j].value);
    FLOE__ASSERT(floe__sdp_transport_of(sdp, m) != NULL);
  }
  return sum;
}

static floe__sdp *parse_own(floe_env *env, const char *text) {
  floe__sdp *sdp;
  floe_error why;
  FLOE__ASSERT(floe__sdp_parse(&sdp, env, text, &why) == FLOE_OK);
  return sdp;
}

static void append(floe_env *env, const char *text, const char *mid) {
  static const char *const lines[] = {"candidate:1 1 udp 1 192.0.2.1 9 typ host",
                                      "candidate:2 1 udp 1 192.0.2.2 9 typ host"};
  floe__jsep_candidates c = {.mid = mid, .candidates = lines, .n_candidates = 2, .is_ended = true};
  FLOE__ASSERT(floe_addr_parse(&c.default_addr, "[2001:db8::1]:4"));
  char *with;
  FLOE__ASSERT(floe__jsep_append_candidates(env, text, &c, &with));
  floe__sdp *sdp = parse_own(env, with);
  const floe__sdp_media *data = floe__sdp_data(sdp);
  FLOE__ASSERT(data != NULL && data->n_candidates == 2 && data->port == 4 && data->end_of_candidates);
  floe__sdp_free(sdp);
  floe__free(env, with);
}

static void offer_again(floe_env *env, const floe__sdp *local, const floe__sdp *remote) {
  floe__jsep_local us = make_local(FLOE__SETUP_ACTPASS);
  char *text;
  floe_error why;
  FLOE__ASSERT(floe__jsep_write_offer(env, &us, local, remote, &text));
  floe__sdp *again = parse_own(env, text);
  FLOE__ASSERT(floe__jsep_check(again, true, &why) == FLOE_OK);
  FLOE__ASSERT(floe__sdp_data(again) != NULL);
  bool is_kept = floe__sdp_data(local) != NULL && floe__sdp_data(remote) != NULL;
  FLOE__ASSERT(!is_kept || floe__jsep_check_reoffer(again, local, &why) == FLOE_OK);
  floe__sdp_free(again);
  floe__free(env, text);
}

static void answer(floe_env *env, const floe__sdp *offer) {
  const floe__sdp_media *data = floe__sdp_data(offer);
  bool is_active = data == NULL || floe__sdp_transport_of(offer, data)->setup != FLOE__SETUP_ACTIVE;
  floe__jsep_local us = make_local(is_active ? FLOE__SETUP_ACTIVE : FLOE__SETUP_PASSIVE);
  char *text;
  floe_error why;
  FLOE__ASSERT(floe__jsep_write_answer(env, &us, offer, &text));
  floe__sdp *own = parse_own(env, text);
  FLOE__ASSERT(floe__jsep_check(own, false, &why) == FLOE_OK);
  FLOE__ASSERT(floe__jsep_check_answer(own, offer, &why) == FLOE_OK);
  FLOE__ASSERT((floe__sdp_data(own) == NULL) == (data == NULL));
  if (data != NULL) append(env, text, data->mid);
  offer_again(env, own, offer);
  floe__sdp_free(own);
  floe__free(env, text);
}

/* As an answer to what this side offers. */
static void take_answer(floe_env *env, const floe__sdp *theirs) {
  floe__jsep_local us = make_local(FLOE__SETUP_ACTPASS);
  char *text;
  floe_error why;
  FLOE__ASSERT(floe__jsep_write_offer(env, &us, NULL, NULL, &text));
  floe__sdp *offer = parse_own(env, text);
  floe__free(env, text);
  if (floe__jsep_check(theirs, false, &why) == FLOE_OK && floe__jsep_check_answer(theirs, offer, &why) == FLOE_OK) {
    offer_again(env, offer, theirs);
  }
  floe__sdp_free(offer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  floe_env *env;
  char *text = malloc(size + 1);
  if (text == NULL || floe_env_new(&env, NULL) != FLOE_OK) abort();
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  floe__sdp *sdp;
  floe_error why;
  floe_status st = floe__sdp_parse(&sdp, env, text, &why);
  if (st != FLOE_OK) {
    check_error(&why, st, text);
  } else {
    FLOE__ASSERT(walk(sdp) > 0);
    if (floe__jsep_check(sdp, true, &why) == FLOE_OK) answer(env, sdp);
    FLOE__ASSERT(!floe__jsep_is_restart(sdp, sdp));
    FLOE__ASSERT(floe__jsep_check_reoffer(sdp, sdp, &why) == FLOE_OK);
    take_answer(env, sdp);
    floe__sdp_free(sdp);
  }
  floe_env_free(env);
  free(text);
  return 0;
}
