/* A name server for the tests: it knows no name, and says so.
 *
 *   tiny_dns RCODE         answers every question over UDP with this response code (3 = NXDOMAIN), prints its port
 *   tiny_dns --closed-port prints a port of 127.0.0.1 on which nothing listens
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(unsigned *port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in addr;
  socklen_t len = sizeof addr;
  memset(&addr, 0, sizeof addr);
  addr.sin_family = AF_INET;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0) exit(1);
  if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) exit(1);
  *port = ntohs(addr.sin_port);
  return fd;
}

/* The question comes back as it is, with QR set and the response code (RFC 1035 4.1.1). */
static void answer(int fd, unsigned char rcode) {
  unsigned char packet[512];
  struct sockaddr_in from;
  socklen_t len = sizeof from;
  ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
  if (n < 12) return;
  packet[2] |= 0x80;
  packet[3] = (unsigned char)(0x80 | rcode);
  packet[11] = 0; /* no additional record: the question's OPT is cut off below */
  size_t end = 12;
  while (end < (size_t)n && packet[end] != 0) end += packet[end] + 1U;
  end += 5;
  if (end > (size_t)n) return;
  (void)sendto(fd, packet, end, 0, (struct sockaddr *)&from, len);
}

int main(int argc, char **argv) {
  unsigned port;
  int fd = open_socket(&port);
  if (argc != 2) return 2;
  (void)printf("%u\n", port);
  (void)fflush(stdout);
  if (strcmp(argv[1], "--closed-port") == 0) return 0;
  for (;;) answer(fd, (unsigned char)atoi(argv[1]));
}
