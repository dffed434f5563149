#include "pc/states.h"

/* Sets of states, a bit each. */
#define ICE(state)  (1u << FLOE_ICE_CONNECTION_##state)
#define DTLS(state) (1u << FLOE_DTLS_TRANSPORT_##state)

typedef struct sets {
  unsigned ice, dtls, gathering; /* those that occur */
} sets;

static sets collect(const floe__transport_states *list, size_t n) {
  sets s = {0};
  for (size_t i = 0; i < n; i++) {
    s.ice |= 1u << list[i].ice;
    s.dtls |= 1u << list[i].dtls;
    s.gathering |= 1u << list[i].gathering;
  }
  return s;
}

static bool are_all(unsigned occurring, unsigned of) {
  return (occurring & ~of) == 0;
}

/* webrtc-pc 4.3.4: the first row that fits counts. */
floe_ice_connection_state floe__pc_ice_connection_state(const floe__transport_states *list, size_t n, bool closed) {
  if (closed) return FLOE_ICE_CONNECTION_CLOSED;
  unsigned ice = collect(list, n).ice;
  if ((ice & ICE(FAILED)) != 0) return FLOE_ICE_CONNECTION_FAILED;
  if ((ice & ICE(DISCONNECTED)) != 0) return FLOE_ICE_CONNECTION_DISCONNECTED;
  if (are_all(ice, ICE(NEW) | ICE(CLOSED))) return FLOE_ICE_CONNECTION_NEW;
  if ((ice & (ICE(NEW) | ICE(CHECKING))) != 0) return FLOE_ICE_CONNECTION_CHECKING;
  if (are_all(ice, ICE(COMPLETED) | ICE(CLOSED))) return FLOE_ICE_CONNECTION_COMPLETED;
  return FLOE_ICE_CONNECTION_CONNECTED;
}

/* webrtc-pc 4.3.2. */
floe_ice_gathering_state floe__pc_ice_gathering_state(const floe__transport_states *list, size_t n) {
  unsigned gathering = collect(list, n).gathering;
  if ((gathering & (1u << FLOE_ICE_GATHERING_GATHERING)) != 0) return FLOE_ICE_GATHERING_GATHERING;
  if (n == 0 || (gathering & (1u << FLOE_ICE_GATHERING_NEW)) != 0) return FLOE_ICE_GATHERING_NEW;
  return FLOE_ICE_GATHERING_COMPLETE;
}

/* webrtc-pc 4.3.3. */
floe_pc_state floe__pc_connection_state(const floe__transport_states *list, size_t n, bool closed) {
  if (closed) return FLOE_PC_CLOSED;
  sets s = collect(list, n);
  if ((s.ice & ICE(FAILED)) != 0 || (s.dtls & DTLS(FAILED)) != 0) return FLOE_PC_FAILED;
  if ((s.ice & ICE(DISCONNECTED)) != 0) return FLOE_PC_DISCONNECTED;
  if (are_all(s.ice, ICE(NEW) | ICE(CLOSED)) && are_all(s.dtls, DTLS(NEW) | DTLS(CLOSED))) return FLOE_PC_NEW;
  if (are_all(s.ice, ICE(CONNECTED) | ICE(COMPLETED) | ICE(CLOSED)) &&
      are_all(s.dtls, DTLS(CONNECTED) | DTLS(CLOSED))) {
    return FLOE_PC_CONNECTED;
  }
  return FLOE_PC_CONNECTING;
}
