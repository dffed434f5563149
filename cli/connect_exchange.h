/* How tickets get from one user to the other: printed here, read from the terminal, a file or standard input. */
#ifndef FLOE_CLI_CONNECT_EXCHANGE_H
#define FLOE_CLI_CONNECT_EXCHANGE_H

#include "connect_link.h"

/* Prints the own ticket, or writes it where --ticket-out says. False: it could not be, or a signal came; told. */
bool floe__exchange_give(floe__link *link);

/* Reads the other side's ticket into link->peer, and looks whether it fits. False: it does not, it did not come, or a
 * signal came; told. */
bool floe__exchange_take(floe__link *link);

/* Whether link->peer is what this side can connect with; told when not. */
bool floe__exchange_check(floe__link *link);

#endif
