/* A network namespace of the test's own, made with iproute2. Its includer defines _GNU_SOURCE, for unshare. */
#ifndef TESTS_DRIVER_PARTS_NETNS_H
#define TESTS_DRIVER_PARTS_NETNS_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline bool write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (file == NULL) return false;
  bool is_ok = fputs(text, file) >= 0;
  return fclose(file) == 0 && is_ok;
}

static inline bool write_map(const char *path, unsigned id) {
  char text[32];
  (void)snprintf(text, sizeof text, "0 %u 1", id);
  return write_file(path, text);
}

/* As root in a user namespace of its own, unless it is root already. */
static inline bool enter_namespace(void) {
  unsigned uid = getuid();
  unsigned gid = getgid();
  if (uid == 0 && unshare(CLONE_NEWNET) == 0) return true;
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  (void)write_file("/proc/self/setgroups", "deny");
  return write_map("/proc/self/uid_map", uid) && write_map("/proc/self/gid_map", gid);
}

static inline bool run_ip(const char *arguments) {
  char command[256];
  (void)snprintf(command, sizeof command, "ip %s >/dev/null 2>&1", arguments);
  return system(command) == 0;
}

#endif
