/* What the files of the parser share. */
#ifndef FLOE_SDP_SDP_INTERNAL_H
#define FLOE_SDP_SDP_INTERNAL_H

#include "sdp/arena.h"
#include "sdp/lex.h"
#include "sdp/sdp.h"

/* A level of the description as it is being read: the session, or a media section. */
typedef struct floe__sdp_section {
  floe__sdp_media m; /* the lists below are put in when the section is complete */
  floe__arena_list fingerprints, candidates, candidate_lines, attributes;
  uint64_t seen;      /* rows of the table of attributes, for those that stand once */
  bool has_direction; /* or the session's counts */
  bool has_map;       /* a=sctpmap of webrtc-datachannel, which names map_port */
  uint16_t map_port;
} floe__sdp_section;

typedef struct floe__sdp_parser {
  floe__sdp_lex lex;
  floe__arena *arena;
  floe__sdp *sdp;
  floe__sdp_section session;
  floe__arena_list sections; /* floe__sdp_section */
  floe__arena_list groups;   /* floe__sdp_group */
} floe__sdp_parser;

/* Reads the current line, a=, into the section that is read now: the last, or the session before the first.
 * FLOE_OK, FLOE_E_SYNTAX, FLOE_E_TOO_LARGE, FLOE_E_NOMEM. */
floe_status floe__sdp_read_attribute(floe__sdp_parser *p);

/* "no memory" and "too large" as errors. */
floe_status floe__sdp_no_memory(const floe__sdp_parser *p);
floe_status floe__sdp_too_many(const floe__sdp_parser *p, size_t max, const char *what);

/* A copy in the arena; NULL: out of memory. */
char *floe__sdp_copy(const floe__sdp_parser *p, floe__sdp_slice s);

/* RFC 8841 4: the two protocols of SCTP over DTLS. */
bool floe__sdp_is_sctp_proto(const char *proto);
/* The one before RFC 8841: its format is the SCTP port. */
bool floe__sdp_is_old_sctp_proto(const char *proto);

#endif
