/* The one transport of a connection: ICE below DTLS below SCTP, and the demultiplexer between them (RFC 7983). */
#ifndef FLOE_PC_TRANSPORT_H
#define FLOE_PC_TRANSPORT_H

#include "floe/ice.h"
#include "floe/pc.h"
#include "sctp/sctp.h"
#include "sdp/sdp.h"
#include "tls/dtls.h"

/* Datagrams that came before the DTLS role was known: a ClientHello may be faster than the answer (RFC 8842 5.5). */
#define FLOE__EARLY_MAX 8

typedef struct floe__early {
  uint8_t *bytes;
  size_t len;
} floe__early;

/* What descriptions say of the association. */
typedef struct floe__sctp_plan {
  bool is_negotiated;
  uint16_t local_port, remote_port;
  uint64_t remote_max_message_size; /* 0: any */
} floe__sctp_plan;

typedef struct floe__transport {
  floe_ice_agent *agent;
  bool is_used;                       /* a description was set: W3C has transports */
  bool has_gathered;                  /* in the current ICE session */
  floe_ice_connection_state ice;      /* as the agent told it */
  floe_cause ice_cause;               /* of failed and disconnected */
  floe_ice_gathering_state gathering; /* likewise */
  floe__dtls *dtls;                   /* nullable before the role is known */
  bool is_client;
  bool dtls_started;
  floe_dtls_transport_state dtls_state;
  floe__sctp *sctp; /* nullable before DTLS is connected */
  floe_sctp_transport_state sctp_state;
  bool sctp_ended;
  floe__sctp_plan plan;
  floe_cause sctp_cause; /* of the end */
  char *sctp_text;       /* nullable */
  bool has_sctp_code;
  uint16_t sctp_code;
  uint16_t streams; /* negotiated */
  floe__early early[FLOE__EARLY_MAX];
  size_t n_early;
  uint64_t datagrams_unknown; /* neither DTLS nor STUN: counted, dropped */
} floe__transport;

void floe__transport_clear(floe_pc *pc);
/* The DTLS role and the peer's fingerprints are known. FLOE_OK; FLOE_E_ACCESS: another certificate than that
 * of the session that is established; FLOE_E_NOMEM. */
floe_status floe__transport_set_dtls(floe_pc *pc, bool is_client, const floe__sdp_media *remote);
/* One datagram that is no STUN. */
void floe__transport_on_datagram(floe_pc *pc, floe_bytes datagram);
/* ICE has told a new state. */
void floe__transport_on_ice_state(floe_pc *pc, floe_ice_connection_state state, floe_cause cause);
void floe__transport_on_deadline(floe_pc *pc);
floe__deadline floe__transport_deadline(const floe_pc *pc);
/* Moves bytes between the layers until nothing moves. */
void floe__transport_pump(floe_pc *pc);
/* The next event of the association becomes events of the connection; true: *out is one to be handed out at once. False
 * and *more false: there was none. */
bool floe__transport_take_event(floe_pc *pc, floe_event *out, bool *more);
/* The peer is told of close(). */
void floe__transport_close(floe_pc *pc);
/* The data section was rejected, or is gone: no association. */
void floe__transport_drop_sctp(floe_pc *pc);
/* There is a data section (again): another association. */
void floe__transport_renew_sctp(floe_pc *pc);
/* Largest message that can be sent; SIZE_MAX: any. */
uint64_t floe__transport_max_message_size(const floe_pc *pc);
bool floe__transport_is_sctp_connected(const floe_pc *pc);

#endif
