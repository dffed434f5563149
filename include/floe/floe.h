/* floe/floe.h - everything of libfloe. The libuv driver is floe/uv.h. */
#ifndef FLOE_FLOE_H
#define FLOE_FLOE_H

/** @file
 *  Includes every header of libfloe. */

#include "floe/candidate.h"
#include "floe/cause.h"
#include "floe/certificate.h"
#include "floe/config.h"
#include "floe/data_channel.h"
#include "floe/env.h"
#include "floe/event.h"
#include "floe/export.h"
#include "floe/ice.h"
#include "floe/mdns.h"
#include "floe/mux.h"
#include "floe/nat.h"
#include "floe/pc.h"
#include "floe/stats.h"
#include "floe/status.h"
#include "floe/types.h"

#endif
