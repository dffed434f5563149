/* A path of bench/support/delay.h for programs in other languages.
 *
 *   floe_path ONE-WAY-MS LOST-PER-MILLION SEED
 *
 * Standard input: `open` makes a new path, and "via A B" tells the ports that stand for a and b; `end SIDE ADDRESS
 * PORT` says where a (0) or b (1) really is, and is answered with "ok". */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delay.h"

static int obey(delay *d, const char *line) {
  char ip[INET_ADDRSTRLEN];
  int side;
  uint16_t port, via_a, via_b;
  struct in_addr addr;
  if (strcmp(line, "open\n") == 0) {
    if (!delay_open(d, &via_a, &via_b)) return 0;
    return printf("via %u %u\n", via_a, via_b) > 0;
  }
  if (sscanf(line, "end %d %15s %hu", &side, ip, &port) != 3 || inet_pton(AF_INET, ip, &addr) != 1) return 0;
  return delay_end(d, side, addr.s_addr, port) && printf("ok\n") > 0;
}

int main(int argc, char **argv) {
  char line[100];
  delay d;
  if (argc != 4) {
    fprintf(stderr, "usage: %s ONE-WAY-MS LOST-PER-MILLION SEED\n", argv[0]);
    return 2;
  }
  if (!delay_start_lossy(&d, (unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10),
                         strtoull(argv[3], NULL, 10)))
    return 1;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (!obey(&d, line) || fflush(stdout) != 0) return 1;
  }
  delay_stop(&d);
  return 0;
}
