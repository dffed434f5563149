#include "connect_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *refuse(uint8_t *code, floe__frame_code which, const char *sentence) {
  *code = (uint8_t)which;
  return sentence;
}

/* NULL: the name may be used. */
static const char *look_at_name(const floe__part *p, bool force, uint8_t *code) {
  struct stat st;
  if (fstatat(p->directory, p->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? NULL : refuse(code, FLOE__CODE_FILE, strerror(errno));
  }
  if (!force) return refuse(code, FLOE__CODE_EXISTS, "there is a file of this name already");
  return S_ISREG(st.st_mode) ? NULL : refuse(code, FLOE__CODE_EXISTS, "what has this name there is no file");
}

/* Somebody may have put something else in its place: a link, a device, a file with a second name. */
static const char *look_at_part(floe__part *p, uint8_t *code) {
  struct stat st;
  if (fstat(p->fd, &st) != 0) return refuse(code, FLOE__CODE_FILE, strerror(errno));
  if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
    return refuse(code, FLOE__CODE_FILE, "what is there under the name for the incomplete file is something else");
  }
  if (flock(p->fd, LOCK_EX | LOCK_NB) != 0) {
    return refuse(code, FLOE__CODE_FILE, "it is being received already");
  }
  p->at = (uint64_t)st.st_size;
  if (p->at <= p->size || floe__part_restart(p)) return NULL;
  return refuse(code, FLOE__CODE_FILE, strerror(errno));
}

const char *floe__part_open(floe__part *p, int directory, const char *name, uint64_t size, bool force, uint8_t *code) {
  memset(p, 0, sizeof *p);
  p->fd = -1;
  p->directory = directory;
  p->size = size;
  (void)snprintf(p->name, sizeof p->name, "%s", name);
  (void)snprintf(p->part_name, sizeof p->part_name, "%s%s", p->name, FLOE__PART_SUFFIX);
  const char *sentence = look_at_name(p, force, code);
  if (sentence != NULL) return sentence;
  if (size > INT64_MAX) return refuse(code, FLOE__CODE_FILE, strerror(EFBIG));
  p->fd = openat(directory, p->part_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (p->fd < 0) return refuse(code, FLOE__CODE_FILE, strerror(errno));
  sentence = look_at_part(p, code);
  if (sentence == NULL) return NULL;
  (void)close(p->fd); /* it is not ours to remove */
  p->fd = -1;
  return sentence;
}

bool floe__part_restart(floe__part *p) {
  p->at = 0;
  return ftruncate(p->fd, 0) == 0;
}

bool floe__part_add(floe__part *p, const void *bytes, size_t len) {
  const char *at = bytes;
  while (len > 0) {
    ssize_t n = pwrite(p->fd, at, len, (off_t)p->at);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return false;
    at += n;
    len -= (size_t)n;
    p->at += (uint64_t)n;
  }
  return true;
}

/* Never over another file: a hard link fails where the name is taken, in one step. Where there are none, renaming that
 * replaces nothing; where there is not even that, looking first. */
static bool rename_over_nothing(const floe__part *p) {
  struct stat st;
  if (linkat(p->directory, p->part_name, p->directory, p->name, 0) == 0) {
    (void)unlinkat(p->directory, p->part_name, 0);
    return true;
  }
  if (errno == EEXIST) return false;
  if (renameat2(p->directory, p->part_name, p->directory, p->name, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  if (fstatat(p->directory, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0) errno = EEXIST;
  return errno != EEXIST && renameat(p->directory, p->part_name, p->directory, p->name) == 0;
}

const char *floe__part_publish(floe__part *p, bool force, uint8_t *code) {
  if (fsync(p->fd) != 0) return refuse(code, FLOE__CODE_FILE, strerror(errno));
  bool done = force ? renameat(p->directory, p->part_name, p->directory, p->name) == 0 : rename_over_nothing(p);
  if (!done && errno == EEXIST) return refuse(code, FLOE__CODE_EXISTS, "there is a file of this name meanwhile");
  if (!done) return refuse(code, FLOE__CODE_FILE, strerror(errno));
  (void)fsync(p->directory);
  (void)close(p->fd);
  p->fd = -1;
  return NULL;
}

void floe__part_close(floe__part *p, bool is_bad) {
  if (p->fd < 0) return;
  if (is_bad || p->at == 0) {
    (void)unlinkat(p->directory, p->part_name, 0);
  } else {
    (void)fsync(p->fd);
  }
  (void)close(p->fd);
  p->fd = -1;
}
