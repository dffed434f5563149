/* NAT behaviour discovery (RFC 5780): four UDP ports, two addresses with two ports each, that answer for each other. */
#include "testserver/ts_internal.h"

/* RFC 5780 7.2: bits of CHANGE-REQUEST. */
#define CHANGE_IP   4u
#define CHANGE_PORT 2u

static floe__ts_port *udp_port(floe__testserver *ts, floe__ts_listener listener) {
  floe__ts_port *port = floe__ts_find_port(ts, listener);
  return port != NULL && port->transport == FLOE_TRANSPORT_UDP ? port : NULL;
}

bool floe__testserver_set_square(floe__testserver *ts, const floe__ts_square *square) {
  floe__ts_port *ports[2][2];
  for (unsigned i = 0; i < 4; i++) {
    ports[i >> 1][i & 1] = udp_port(ts, square->at[i >> 1][i & 1]);
    if (ports[i >> 1][i & 1] == NULL) return false;
  }
  for (unsigned i = 0; i < 4; i++) {
    floe__ts_port *port = ports[i >> 1][i & 1];
    for (unsigned k = 0; k < 4; k++) port->other[k >> 1][k & 1] = ports[(i >> 1) ^ (k >> 1)][(i & 1) ^ (k & 1)];
  }
  return true;
}

bool floe__ts_behaviour_understands(const floe__ts_request *req, uint16_t type) {
  if (type != floe__stun_attr_type(FLOE__STUN_CHANGE_REQUEST)) return false;
  return req->origin.method == FLOE__STUN_BINDING && req->origin.flow.port->other[1][1] != NULL;
}

void floe__ts_behaviour_route(const floe__ts_request *req, floe__ts_origin *answer) {
  uint32_t change;
  if (!floe__stun_get_u32(req->m, FLOE__STUN_CHANGE_REQUEST, &change)) return;
  floe__ts_port *port = answer->flow.port;
  answer->flow.port = port->other[(change & CHANGE_IP) != 0][(change & CHANGE_PORT) != 0];
}

/* RFC 5780 7.4: OTHER-ADDRESS is where an answer with both changes would come from, seen from where the request came
 * to; 7.3: RESPONSE-ORIGIN is where this one comes from. */
void floe__ts_behaviour_put(const floe__ts_request *req, const floe__ts_origin *answer, floe__stun_builder *b) {
  const floe__ts_port *other = req->origin.flow.port->other[1][1];
  if (other == NULL) return;
  floe__stun_put_addr(b, FLOE__STUN_RESPONSE_ORIGIN, &answer->flow.port->local);
  floe__stun_put_addr(b, FLOE__STUN_OTHER_ADDRESS, &other->local);
}
