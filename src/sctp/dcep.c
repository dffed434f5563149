#include "sctp/dcep.h"
