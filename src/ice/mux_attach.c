#include "ice/mux_internal.h"

floe_status floe_ice_mux_attach(floe_ice_mux *mux, floe_ice_agent *agent, void *user) {
  return floe__mux_add(mux, agent, floe_ice_agent_local_parameters(agent), user);
}
