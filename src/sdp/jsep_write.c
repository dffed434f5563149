/* The parts that offers and answers are made of (RFC 9429 5.2.1, 5.3.1). */
#include "sdp/jsep_internal.h"
#include "sdp/lex.h"

/* RFC 9429 5.2.1: the address of o= tells nothing; a=ice-options stands at session level. */
void floe__jsep_put_session(floe__sdp_text *t, const floe__jsep_local *local, const char *bundled_mid) {
  floe__sdp_digits version = floe__sdp_digits_of(local->session_version);
  FLOE__SDP_LINE(t, "v=0");
  FLOE__SDP_LINE(t, "o=- ", local->session_id, " ", version.text, " IN IP4 0.0.0.0");
  FLOE__SDP_LINE(t, "s=-");
  FLOE__SDP_LINE(t, "t=0 0");
  if (bundled_mid != NULL) FLOE__SDP_LINE(t, "a=group:BUNDLE ", bundled_mid);
  if (local->ice_lite) FLOE__SDP_LINE(t, "a=ice-lite");
  FLOE__SDP_LINE(t, "a=ice-options:trickle ice2");
}

static const char *name_setup(floe__sdp_setup setup) {
  switch (setup) {
    case FLOE__SETUP_ACTIVE: return "active";
    case FLOE__SETUP_PASSIVE: return "passive";
    case FLOE__SETUP_ACTPASS:
    case FLOE__SETUP_NONE: return "actpass";
    case FLOE__SETUP_HOLDCONN: return "holdconn";
  }
  return "actpass";
}

static void put_transport(floe__sdp_text *t, const floe__jsep_local *local) {
  FLOE__SDP_LINE(t, "a=ice-ufrag:", local->ufrag);
  FLOE__SDP_LINE(t, "a=ice-pwd:", local->pwd);
  for (size_t i = 0; i < local->n_fingerprints; i++) {
    FLOE__SDP_LINE(t, "a=fingerprint:", local->fingerprints[i].hash, " ", local->fingerprints[i].value);
  }
  FLOE__SDP_LINE(t, "a=setup:", name_setup(local->setup));
  if (local->tls_id != NULL) FLOE__SDP_LINE(t, "a=tls-id:", local->tls_id);
}

/* The form from before RFC 8841, for a peer that speaks it: the port is the format. RFC 3264 6 has the transport of an
 * answer be that of the offer. */
static bool is_old_form(const floe__sdp_media *like) {
  return like != NULL && floe__sdp_equal_nocase(like->proto, "DTLS/SCTP");
}

static void put_data_line(floe__sdp_text *t, const floe__sdp_media *like, const char *port) {
  if (is_old_form(like)) {
    FLOE__SDP_LINE(t, "m=application 9 ", like->proto, " ", port);
  } else {
    FLOE__SDP_LINE(t, "m=application 9 ", like == NULL ? "UDP/DTLS/SCTP" : like->proto, " webrtc-datachannel");
  }
  FLOE__SDP_LINE(t, "c=IN IP4 0.0.0.0");
}

/* No direction: RFC 9429 5.2.1 lists none for data. */
void floe__jsep_put_data(floe__sdp_text *t, const floe__jsep_local *local, const floe__jsep_data_form *form) {
  floe__sdp_digits port = floe__sdp_digits_of(local->sctp_port);
  floe__sdp_digits size = floe__sdp_digits_of(local->max_message_size);
  put_data_line(t, form->like, port.text);
  if (form->mid != NULL) FLOE__SDP_LINE(t, "a=mid:", form->mid);
  put_transport(t, local);
  if (is_old_form(form->like)) {
    FLOE__SDP_LINE(t, "a=sctpmap:", port.text, " webrtc-datachannel 65535");
  } else {
    FLOE__SDP_LINE(t, "a=sctp-port:", port.text);
  }
  FLOE__SDP_LINE(t, "a=max-message-size:", size.text);
}

/* RFC 3264 6: port zero, and formats that are ignored but must be there: those of the offer. */
void floe__jsep_put_rejected(floe__sdp_text *t, const floe__sdp_media *m, const char *mid) {
  floe__sdp_puts(t, "m=");
  floe__sdp_puts(t, m->kind);
  floe__sdp_puts(t, " 0 ");
  floe__sdp_puts(t, m->proto);
  for (size_t i = 0; i < m->n_fmts; i++) {
    floe__sdp_puts(t, " ");
    floe__sdp_puts(t, m->fmts[i]);
  }
  FLOE__SDP_LINE(t, "");
  FLOE__SDP_LINE(t, "c=IN IP4 0.0.0.0");
  if (mid != NULL) FLOE__SDP_LINE(t, "a=mid:", mid);
  if (!floe__sdp_equal_nocase(m->kind, "application")) FLOE__SDP_LINE(t, "a=inactive");
}
