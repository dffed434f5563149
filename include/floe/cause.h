/* floe/cause.h - why a server could not be used: stable causes, each with a sentence and what to try.
 *
 * The names are part of the API: the list grows, ids do not change. docs/causes/ has a page for each.
 *
 *     printf("%s: %s\n  try: %s\n", floe_cause_id(c), floe_cause_sentence(c), floe_cause_hint(c));
 */
#ifndef FLOE_CAUSE_H
#define FLOE_CAUSE_H

#include "floe/export.h"

/** @file
 *  The causes of failures, and the phases in which they happen. */

/** One row per phase of an attempt: enumerator, name. */
#define FLOE_PHASE_MAP(X)                \
  X(FLOE_PHASE_DNS, "dns")               \
  X(FLOE_PHASE_SOCKET, "socket")         \
  X(FLOE_PHASE_CONNECT, "connect")       \
  X(FLOE_PHASE_TLS, "tls")               \
  X(FLOE_PHASE_BINDING, "binding")       \
  X(FLOE_PHASE_ALLOCATE, "allocate")     \
  X(FLOE_PHASE_REFRESH, "refresh")       \
  X(FLOE_PHASE_PERMISSION, "permission") \
  X(FLOE_PHASE_CHANNEL, "channel")       \
  X(FLOE_PHASE_DATA, "data")             \
  X(FLOE_PHASE_CHECK, "check")

/** What was being done when it failed. */
typedef enum floe_phase {
#define FLOE__ROW(id, name) id,
  FLOE_PHASE_MAP(FLOE__ROW)
#undef FLOE__ROW
} floe_phase;

/** "dns", "socket", ... Any thread. */
FLOE_API const char *floe_phase_name(floe_phase phase);

/** One row per cause, in the order of the contract's groups, the one that says least first:
 *  enumerator, id, group (0: not of gathering), exit class of `floe check`, sentence, hint. New rows come at the end,
 *  whatever their group, so that the values stay. */
#define FLOE_CAUSE_MAP(X)                                                                                              \
  X(FLOE_CAUSE_NONE, "none", 0, 0, "nothing failed", "")                                                               \
  X(FLOE_CAUSE_NO_LOCAL_ADDRESS, "no_local_address", 1, 4,                                                             \
    "this host has no usable address of a family that the server has",                                                 \
    "Check that an interface is up and has an IPv4 or IPv6 address, and that no filter (-4, -6, interface) hides it")  \
  X(FLOE_CAUSE_PORT_RANGE_EXHAUSTED, "port_range_exhausted", 1, 4,                                                     \
    "every local port of the configured range is in use", "Widen the port range or close what uses it")                \
  X(FLOE_CAUSE_SOCKET_FAILED, "socket_failed", 1, 4, "the operating system refused a local socket",                    \
    "Look at the system error: often too many open files, or an address that has just gone")                           \
  X(FLOE_CAUSE_DNS_UNREACHABLE, "dns_unreachable", 2, 3, "no DNS resolver could be reached",                           \
    "Check the name servers in the system's resolver configuration and the route to them")                             \
  X(FLOE_CAUSE_DNS_TIMEOUT, "dns_timeout", 2, 3, "no DNS resolver answered in time",                                   \
    "Check that UDP and TCP port 53 to the resolver is open, or use another resolver")                                 \
  X(FLOE_CAUSE_DNS_REFUSED, "dns_refused", 2, 3, "every DNS resolver refused the question",                            \
    "The resolver does not serve this host: use one that does")                                                        \
  X(FLOE_CAUSE_DNS_SERVFAIL, "dns_servfail", 2, 3, "every DNS resolver failed to find out (SERVFAIL)",                 \
    "The zone's own name servers or its DNSSEC signatures are broken: ask the owner of the domain")                    \
  X(FLOE_CAUSE_DNS_NODATA, "dns_nodata", 2, 3, "the name exists but has no address of a family that this host has",    \
    "Add an A (or AAAA) record for the name, or use a name that has one")                                              \
  X(FLOE_CAUSE_DNS_NXDOMAIN, "dns_nxdomain", 2, 3, "the name does not exist",                                          \
    "Look for a typing error in the host name of the URL")                                                             \
  X(FLOE_CAUSE_NET_UNREACHABLE, "net_unreachable", 3, 4, "there is no route to the server's network",                  \
    "Check the default route and, for IPv6, that this host has a working IPv6 connection")                             \
  X(FLOE_CAUSE_HOST_UNREACHABLE, "host_unreachable", 3, 4, "a router says that the server's host cannot be reached",   \
    "Check that the server is up and that its address is right")                                                       \
  X(FLOE_CAUSE_SEND_DENIED, "send_denied", 3, 4, "a firewall forbids sending to the server",                           \
    "Allow the traffic in this host's firewall or in the one on the path that answered so")                            \
  X(FLOE_CAUSE_PORT_UNREACHABLE, "port_unreachable", 3, 4, "the server's host says that nothing listens on the port",  \
    "Check that the server runs and listens on this port for UDP; a firewall that rejects looks the same")             \
  X(FLOE_CAUSE_UDP_TIMEOUT, "udp_timeout", 3, 4, "no answer over UDP",                                                 \
    "A firewall may drop UDP on the way there or back: open the port, or add a turn:...?transport=tcp or turns: URL")  \
  X(FLOE_CAUSE_TCP_REFUSED, "tcp_refused", 3, 4, "the server's host refused the TCP connection",                       \
    "Check that the server runs and listens on this port for TCP")                                                     \
  X(FLOE_CAUSE_TCP_TIMEOUT, "tcp_timeout", 3, 4, "the TCP connection was not answered",                                \
    "A firewall may drop it: open the port, or use port 443")                                                          \
  X(FLOE_CAUSE_TCP_RESET, "tcp_reset", 4, 4, "the connection was reset by the server or on the way to it",             \
    "The server or a middlebox cut the connection: check that the port speaks this protocol")                          \
  X(FLOE_CAUSE_TCP_CLOSED, "tcp_closed", 4, 4, "the connection was closed by the server",                              \
    "Look into the server's log; a proxy in front of it or a limit on connections closes like this")                   \
  X(FLOE_CAUSE_TLS_TIMEOUT, "tls_timeout", 4, 5, "the TLS handshake was not finished in time",                         \
    "Check that the port speaks TLS; one that waits for plain STUN is silent like this")                               \
  X(FLOE_CAUSE_TLS_NOT_TLS, "tls_not_tls", 4, 5, "what answers on the port does not speak TLS",                        \
    "Use turn: or stun: with this port, or turns: or stuns: with the server's TLS port (often 5349 or 443)")           \
  X(FLOE_CAUSE_TLS_ALERT, "tls_alert", 4, 5, "the TLS handshake failed",                                               \
    "The alert says why: protocol version, cipher or name that the two sides cannot agree on")                         \
  X(FLOE_CAUSE_TLS_UNTRUSTED, "tls_untrusted", 4, 5, "the server's certificate is not signed by a trusted authority",  \
    "Serve the whole chain with the intermediate certificates, or give the private authority as CA file")              \
  X(FLOE_CAUSE_TLS_EXPIRED, "tls_expired", 4, 5, "the server's certificate is not valid at this time",                 \
    "Renew the certificate and reload the server; check this host's clock")                                            \
  X(FLOE_CAUSE_TLS_NAME_MISMATCH, "tls_name_mismatch", 4, 5, "the server's certificate is for another name",           \
    "Use a host name that the certificate names in the URL, or get a certificate for this one")                        \
  X(FLOE_CAUSE_NO_ANSWER, "no_answer", 5, 4, "connected, but the server never answered the STUN request",              \
    "Check that a STUN/TURN server, and not another service, listens on this port")                                    \
  X(FLOE_CAUSE_NOT_STUN, "not_stun", 5, 9, "what answers is not a STUN message",                                       \
    "Another service listens on this port: check host and port")                                                       \
  X(FLOE_CAUSE_WRONG_TRANSACTION, "wrong_transaction", 5, 9, "the answer belongs to no request of ours",               \
    "The server or a middlebox mixes up its answers: update it")                                                       \
  X(FLOE_CAUSE_BAD_FINGERPRINT, "bad_fingerprint", 5, 9,                                                               \
    "the answer's FINGERPRINT is wrong: it was damaged or altered",                                                    \
    "A middlebox (SIP ALG, NAT helper) rewrites packets: switch it off, or use turns:")                                \
  X(FLOE_CAUSE_BAD_INTEGRITY, "bad_integrity", 5, 9, "the answer is not signed with our password's key",               \
    "The two sides work with different passwords, or somebody alters what is sent: with a server use turns:")          \
  X(FLOE_CAUSE_MALFORMED_RESPONSE, "malformed_response", 5, 9, "the answer lacks or breaks what it must carry",        \
    "The server is broken or very old: update it")                                                                     \
  X(FLOE_CAUSE_STUN_ERROR, "stun_error", 6, 9, "the server answered with an error",                                    \
    "Look up the code, and look into the server's log")                                                                \
  X(FLOE_CAUSE_AUTH_REQUIRED, "auth_required", 6, 6, "the server wants credentials and the URL has none",              \
    "Use a turn: URL with a user name and a credential, or let the server answer STUN without authentication")         \
  X(FLOE_CAUSE_MALFORMED_CHALLENGE, "malformed_challenge", 6, 6,                                                       \
    "the server asks for credentials without REALM or NONCE",                                                          \
    "Set a realm in the server's configuration and switch long-term credentials on")                                   \
  X(FLOE_CAUSE_AUTH_REJECTED, "auth_rejected", 6, 6, "the server rejects the user name or the credential",             \
    "Check user name, credential and realm; for time-limited credentials also the shared secret")                      \
  X(FLOE_CAUSE_AUTH_EXPIRED, "auth_expired", 6, 6, "the time-limited user name has expired",                           \
    "Fetch new credentials from the service that issues them, and check the clocks of both sides")                     \
  X(FLOE_CAUSE_STALE_NONCE_LOOP, "stale_nonce_loop", 6, 6, "the server calls each nonce stale that it has just given", \
    "Several servers behind one address do not share their nonces, or the server's clock jumps")                       \
  X(FLOE_CAUSE_REDIRECT_LOOP, "redirect_loop", 6, 9, "the server sends us round in a circle",                          \
    "Correct the alternate-server settings of the servers")                                                            \
  X(FLOE_CAUSE_REDIRECT_REFUSED, "redirect_refused", 6, 9,                                                             \
    "the server sends us to another one in a way we do not follow",                                                    \
    "Name the other server in the configuration, or let the server give a usable ALTERNATE-SERVER")                    \
  X(FLOE_CAUSE_ALLOC_MISMATCH, "alloc_mismatch", 6, 7,                                                                 \
    "the server believes that our address already has an allocation",                                                  \
    "A NAT reuses ports faster than the server forgets: wait, or use another transport")                               \
  X(FLOE_CAUSE_FAMILY_UNSUPPORTED, "family_unsupported", 6, 7,                                                         \
    "the server has no relay of the address family asked for",                                                         \
    "Give the server a relay address of this family, or ask for the other")                                            \
  X(FLOE_CAUSE_TRANSPORT_UNSUPPORTED, "transport_unsupported", 6, 7, "this transport is not supported",                \
    "Use turn: (UDP), turn:...?transport=tcp or turns: (TLS over TCP)")                                                \
  X(FLOE_CAUSE_QUOTA_REACHED, "quota_reached", 6, 7, "the user's quota of allocations is used up",                     \
    "Close old sessions, wait until they expire, or raise the quota (coturn: user-quota, total-quota)")                \
  X(FLOE_CAUSE_INSUFFICIENT_CAPACITY, "insufficient_capacity", 6, 7, "the server has no relay port or capacity left",  \
    "Widen the server's relay port range (coturn: min-port, max-port) or add a server")                                \
  X(FLOE_CAUSE_FORBIDDEN, "forbidden", 6, 7, "the server forbids it",                                                  \
    "Check the server's rules for peers and users (coturn: allowed-peer-ip, denied-peer-ip)")                          \
  X(FLOE_CAUSE_REFRESH_FAILED, "refresh_failed", 0, 9, "the allocation could not be refreshed",                        \
    "The server or the way to it was lost after gathering: gather again")                                              \
  X(FLOE_CAUSE_PERMISSION_FAILED, "permission_failed", 0, 9, "the server refused or did not answer a permission",      \
    "Check the server's rules for peers (coturn: allowed-peer-ip, denied-peer-ip)")                                    \
  X(FLOE_CAUSE_ALLOCATION_EXPIRED, "allocation_expired", 0, 9, "the server no longer knows the allocation",            \
    "The server was restarted or the allocation ran out: gather again")                                                \
  X(FLOE_CAUSE_RELAY_PRIVATE_ADDRESS, "relay_private_address", 0, 8,                                                   \
    "the server is public but hands out a private address",                                                            \
    "Tell the server its public address (coturn: external-ip)")                                                        \
  X(FLOE_CAUSE_RELAY_NO_DATA, "relay_no_data", 0, 8, "allocated, but nothing sent through the relay arrives",          \
    "Open the server's relay port range for UDP in its firewall (coturn: min-port, max-port), and check external-ip")  \
  X(FLOE_CAUSE_CANCELLED, "cancelled", 0, 9, "ended by the program before it was decided", "")                         \
  X(FLOE_CAUSE_NO_LOCAL_CANDIDATES, "no_local_candidates", 0, 9, "this side has no candidate to connect from",         \
    "Look at the icecandidateerror events: no interface, no server that answers, or a filter that hides all")          \
  X(FLOE_CAUSE_NO_REMOTE_CANDIDATES, "no_remote_candidates", 0, 9, "the peer has sent no usable candidate",            \
    "Check that the signalling carries the peer's candidates, or the description they are in, to this side")           \
  X(FLOE_CAUSE_REMOTE_UNRESOLVABLE, "remote_unresolvable", 0, 9,                                                       \
    "the peer's candidates are .local names and none of them could be resolved",                                       \
    "The peer is in another network, or multicast DNS (UDP port 5353) is blocked: use a STUN or TURN server")          \
  X(FLOE_CAUSE_NO_COMMON_FAMILY, "no_common_family", 0, 9,                                                             \
    "the two sides have no candidates of a common address family and transport",                                       \
    "One side has only IPv4 and the other only IPv6, or only TCP and only UDP: use a TURN server that has both")       \
  X(FLOE_CAUSE_CHECKS_UNANSWERED, "checks_unanswered", 0, 9, "no connectivity check was answered",                     \
    "NATs or firewalls drop the checks both ways: add a TURN server, over TCP or TLS where UDP is blocked")            \
  X(FLOE_CAUSE_CHECKS_ONE_WAY, "checks_one_way", 0, 9, "checks of the peer arrive, but none of ours is answered",      \
    "A firewall lets packets through in one direction only, or the peer cannot answer: look at its side")              \
  X(FLOE_CAUSE_CHECKS_UNREACHABLE, "checks_unreachable", 0, 9,                                                         \
    "the network says of every candidate of the peer that it cannot be reached",                                       \
    "The ICMP or system errors in the report say where: a closed port, a missing route or a firewall that rejects")    \
  X(FLOE_CAUSE_UFRAG_MISMATCH, "ufrag_mismatch", 0, 9, "the user name fragments of the two sides do not fit",          \
    "One side works with an older description: after an ICE restart both must exchange their new parameters")          \
  X(FLOE_CAUSE_RELAY_DENIED, "relay_denied", 0, 9, "the TURN server refuses to relay to the peer",                     \
    "Check the server's rules for peers (coturn: allowed-peer-ip, denied-peer-ip)")                                    \
  X(FLOE_CAUSE_ROLE_CONFLICT, "role_conflict", 0, 9, "both sides claim the same ICE role and never agreed",            \
    "The peer does not resolve role conflicts (RFC 8445 7.3.1.1): give the two sides different roles")                 \
  X(FLOE_CAUSE_NOT_NOMINATED, "not_nominated", 0, 9, "a path works, but the controlling side never chose one",         \
    "The peer is controlling and nominated no pair: look at its side")                                                 \
  X(FLOE_CAUSE_CONSENT_LOST, "consent_lost", 0, 9, "the peer no longer answers on the path that was in use",           \
    "The peer has gone, or the path to it broke: restart ICE")                                                         \
  X(FLOE_CAUSE_NETWORK_GONE, "network_gone", 0, 9, "the local address of the path in use is gone",                     \
    "The interface went down or changed its address: restart ICE when the network is back")                            \
  X(FLOE_CAUSE_DTLS_FINGERPRINT, "dtls_fingerprint", 0, 9,                                                             \
    "the peer's certificate is not the one that its description names",                                                \
    "Somebody is in between, or the signalling mixes up descriptions: a=fingerprint must come from this very peer")    \
  X(FLOE_CAUSE_DTLS_ALERT, "dtls_alert", 0, 9, "the DTLS handshake failed, or the peer ended the session by an alert", \
    "The alert says why: version, cipher or certificate that the two sides cannot agree on")                           \
  X(FLOE_CAUSE_DTLS_TIMEOUT, "dtls_timeout", 0, 9,                                                                     \
    "ICE is connected, but the DTLS handshake was not finished in time",                                               \
    "Large packets may be lost on the path (MTU), or the peer does not speak DTLS in the role that it announced")      \
  X(FLOE_CAUSE_SCTP_ABORT, "sctp_abort", 0, 9, "the SCTP association was aborted",                                     \
    "The code says why; a user-initiated abort is how browsers close a connection")                                    \
  X(FLOE_CAUSE_SCTP_TIMEOUT, "sctp_timeout", 0, 9, "the peer's SCTP no longer answers, or never did",                  \
    "The peer has no data section, another SCTP port, or has gone without a word")

/** Why something failed. */
typedef enum floe_cause {
#define FLOE__ROW(id, name, group, exit_class, sentence, hint) id,
  FLOE_CAUSE_MAP(FLOE__ROW)
#undef FLOE__ROW
      FLOE_CAUSE_COUNT /**< how many there are; not a cause */
} floe_cause;

/** The stable id, "auth_rejected". Any thread. */
FLOE_API const char *floe_cause_id(floe_cause cause);
/** One sentence for people, in lower case and without a full stop. Any thread. */
FLOE_API const char *floe_cause_sentence(floe_cause cause);
/** What to try; "" where there is nothing. Any thread. */
FLOE_API const char *floe_cause_hint(floe_cause cause);
/** The contract's group, 1 (says least) to 6 (says most); 0 for causes that gathering does not have. Any thread. */
FLOE_API int floe_cause_group(floe_cause cause);
/** The exit status of `floe check` for this cause, 3 to 9; 0 for none. Any thread. */
FLOE_API int floe_cause_exit_class(floe_cause cause);
/** The cause with this id, or FLOE_CAUSE_COUNT. Any thread. */
FLOE_API floe_cause floe_cause_from_id(const char *id);

#endif
