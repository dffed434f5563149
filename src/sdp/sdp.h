/* Session descriptions (RFC 8866) as WebRTC uses them (RFC 9429): a model that keeps every attribute in its order with
 * its line, and the ones that ICE (RFC 8839), DTLS (RFC 8842), SCTP (RFC 8841) and BUNDLE (RFC 9143) bind, read. */
#ifndef FLOE_SDP_SDP_H
#define FLOE_SDP_SDP_H

#include "base/alloc.h"
#include "floe/status.h"

typedef enum floe__sdp_setup {
  FLOE__SETUP_NONE = 0,
  FLOE__SETUP_ACTIVE,
  FLOE__SETUP_PASSIVE,
  FLOE__SETUP_ACTPASS,
  FLOE__SETUP_HOLDCONN
} floe__sdp_setup;

typedef enum floe__sdp_direction {
  FLOE__DIRECTION_SENDRECV = 0,
  FLOE__DIRECTION_SENDONLY,
  FLOE__DIRECTION_RECVONLY,
  FLOE__DIRECTION_INACTIVE
} floe__sdp_direction;

/* a=name or a=name:value */
typedef struct floe__sdp_attribute {
  const char *name;
  const char *value; /* nullable */
  uint32_t line;     /* from 1 */
} floe__sdp_attribute;

typedef struct floe__sdp_fingerprint {
  const char *hash;  /* lower case: "sha-256" */
  const char *value; /* upper case: "AB:CD:..." */
} floe__sdp_fingerprint;

/* What stands at session level counts for each section that does not have it itself: parsing has filled it in. */
typedef struct floe__sdp_media {
  uint32_t line;     /* of m= */
  const char *kind;  /* "audio", "video", "application", ... */
  uint32_t port;     /* 0: rejected, or bundle-only */
  const char *proto; /* "UDP/DTLS/SCTP" */
  const char *const *fmts;
  size_t n_fmts;
  const char *mid;                           /* nullable */
  bool is_bundle_only;                       /* a=bundle-only */
  bool is_rejected;                          /* port 0 and not bundle-only */
  const char *ufrag, *pwd;                   /* nullable */
  bool ice_lite;                             /* session level */
  bool ice_trickle;                          /* a=ice-options has "trickle" */
  bool ice_renomination;                     /* a=ice-options has "renomination" */
  const floe__sdp_fingerprint *fingerprints; /* all of them: RFC 8122 allows several */
  size_t n_fingerprints;
  floe__sdp_setup setup;
  const char *tls_id;            /* nullable: RFC 8842 */
  const char *const *candidates; /* the values: "candidate:..." */
  const uint32_t *candidate_lines;
  size_t n_candidates;
  bool end_of_candidates;
  floe__sdp_direction direction;
  bool is_data; /* application over (UDP|TCP)/DTLS/SCTP with webrtc-datachannel, or the older DTLS/SCTP form
                   with a=sctpmap, whose port then is sctp_port */
  bool has_sctp_port;
  uint16_t sctp_port; /* 5000 when absent (RFC 8841 5 has it mandatory; browsers of old leave it out) */
  bool has_max_message_size;
  uint64_t max_message_size;             /* 0: any size (RFC 8841 6); 65536 when absent */
  const floe__sdp_attribute *attributes; /* all, in their order */
  size_t n_attributes;
} floe__sdp_media;

typedef struct floe__sdp_group {
  const char *semantics; /* "BUNDLE", "LS", ... */
  const char *const *mids;
  size_t n_mids;
} floe__sdp_group;

typedef struct floe__sdp {
  floe_env *env;
  const char *username; /* of o= */
  const char *session_id;
  uint64_t session_version;
  bool ice_lite;
  const floe__sdp_group *groups;
  size_t n_groups;
  const floe__sdp_attribute *attributes; /* session level */
  size_t n_attributes;
  const floe__sdp_media *media;
  size_t n_media;
  void *arena; /* holds all of the above */
} floe__sdp;

/* Limits, so that a hostile description stays cheap. Over them: FLOE_E_TOO_LARGE. */
#define FLOE__SDP_MAX_BYTES ((size_t)1024 * 1024)
#define FLOE__SDP_MAX_MEDIA 256

/* Reads a description. Lines end in CRLF or LF; the last may lack it. Unknown attributes and lines of unknown types
 * that RFC 8866 allows are kept or skipped; what is read (above) must have its form.
 * `why` (nullable): path "sdp", offset of the byte at fault, line and column from 1, and "expected ..., found ...".
 * FLOE_OK, FLOE_E_SYNTAX, FLOE_E_TOO_LARGE, FLOE_E_NOMEM. */
floe_status floe__sdp_parse(floe__sdp **out, floe_env *env, const char *text, floe_error *why);
void floe__sdp_free(floe__sdp *sdp); /* NULL is fine */

/* The first data section that is not rejected; NULL: none. */
const floe__sdp_media *floe__sdp_data(const floe__sdp *sdp);
/* By a=mid; NULL: none. */
const floe__sdp_media *floe__sdp_by_mid(const floe__sdp *sdp, const char *mid);
/* The BUNDLE group that holds `mid`; NULL: none. */
const floe__sdp_group *floe__sdp_bundle_of(const floe__sdp *sdp, const char *mid);
/* The section that holds the transport attributes of `m` (ICE, DTLS): `m` itself when it has a fragment and a password,
 * and else the first of its BUNDLE group that has them and is not rejected (RFC 9143 7.1.3: a bundle-only section of an
 * offer leaves them out). That the section's own come first matters where the group's first section is one that our
 * answer rejects: the transport then is the accepted section's (RFC 9143 7.3.1). `m` when there are none. */
const floe__sdp_media *floe__sdp_transport_of(const floe__sdp *sdp, const floe__sdp_media *m);

#endif
