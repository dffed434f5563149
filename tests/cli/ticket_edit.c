/* Changes a ticket of floe connect, for the tests: reads one from standard input, writes another.
 *
 *   ticket_edit --fingerprint        names another certificate
 *   ticket_edit --answer OFFER-FILE  an answer to that offer, of somebody who is nowhere */
#include <stdio.h>
#include <string.h>

#include "connect_ticket.h"

static floe__ticket ticket, offer;

static int read_ticket(floe__ticket *out, FILE *from) {
  char text[FLOE__TICKET_TEXT];
  floe__ticket_error why;
  if (from == NULL || fgets(text, sizeof text, from) == NULL) return 1;
  return floe__ticket_read(out, text, &why) == FLOE__TICKET_OK ? 0 : 1;
}

static void answer_from_nowhere(void) {
  ticket.is_answer = true;
  ticket.answers = floe__ticket_tag(&offer);
  ticket.setup = FLOE__TICKET_ACTIVE;
  memcpy(ticket.ufrag, "nobody", 7);
  for (size_t i = 0; i < ticket.n_candidates; i++) ticket.candidates[i].port = ticket.candidates[i].address.port = 9;
}

int main(int argc, char **argv) {
  char text[FLOE__TICKET_TEXT];
  if (argc < 2 || read_ticket(&ticket, stdin) != 0) return 2;
  if (strcmp(argv[1], "--fingerprint") == 0) {
    ticket.fingerprint[0] ^= 1;
  } else if (argc == 3 && strcmp(argv[1], "--answer") == 0) {
    FILE *f = fopen(argv[2], "r");
    int bad = read_ticket(&offer, f);
    if (f != NULL) (void)fclose(f);
    if (bad != 0) return 2;
    answer_from_nowhere();
  } else {
    return 2;
  }
  if (floe__ticket_write(&ticket, text, sizeof text) == 0) return 1;
  (void)puts(text);
  return 0;
}
