/*
 * Notes all that a program does to the files below POWER_DIR, in one order, with the data and the times (CLOCK_MONOTONIC,
 * ns), in POWER_TRACE. It is preloaded into the built program: SQLite and Node call libc for each of these.
 *
 * One lock is held from before a call until it is noted, so that a write noted behind a sync was not covered by it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static const char *root;
static size_t root_length;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  root = getenv("POWER_DIR");
  root_length = root ? strlen(root) : 0;
  const char *path = getenv("POWER_TRACE");
  if (root && path) trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static uint64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

/* What of a path lies below the directory; "." for itself, null for what is elsewhere or has no name any more. */
static const char *inside(const char *path) {
  if (!root || trace < 0 || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == '\0') return ".";
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static const char *name_of(int fd, char *buffer, size_t size) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, size - 1);
  if (length < 0) return NULL;
  buffer[length] = '\0';
  return inside(buffer);
}

struct __attribute__((packed)) header {
  char kind;
  uint16_t path_length;
  uint32_t length;
  uint64_t offset, started, ended;
};

static void note(char kind, const char *path, uint64_t started, uint64_t offset, const void *data, size_t length) {
  struct header header = {kind, (uint16_t)strlen(path), (uint32_t)length, offset, started, now()};
  struct iovec parts[] = {
      {&header, sizeof header}, {(void *)path, header.path_length}, {(void *)data, length}};
  int before = errno;
  if (writev(trace, parts, 3) != (ssize_t)(sizeof header + header.path_length + length)) abort();
  errno = before;
}

#define ALONE(result, call, noted)                \
  do {                                            \
    pthread_mutex_lock(&order);                   \
    uint64_t started = now();                     \
    result = call;                                \
    noted;                                        \
    pthread_mutex_unlock(&order);                 \
  } while (0)

#define WRITE_AT(name, offset_type)                                                     \
  ssize_t name(int fd, const void *data, size_t length, offset_type offset) {           \
    char buffer[4096];                                                                  \
    const char *path = name_of(fd, buffer, sizeof buffer);                              \
    if (!path) return REAL(name)(fd, data, length, offset);                             \
    ssize_t written;                                                                    \
    ALONE(written, REAL(name)(fd, data, length, offset),                                \
          if (written > 0) note('W', path, started, (uint64_t)offset, data, (size_t)written)); \
    return written;                                                                     \
  }
WRITE_AT(pwrite, off_t)
WRITE_AT(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t length) {
  char buffer[4096];
  const char *path = name_of(fd, buffer, sizeof buffer);
  if (!path) return REAL(write)(fd, data, length);
  ssize_t written;
  ALONE(written, REAL(write)(fd, data, length),
        if (written > 0)
            note('W', path, started, (uint64_t)lseek(fd, 0, SEEK_CUR) - (uint64_t)written, data, (size_t)written));
  return written;
}

#define TRUNCATE(name, offset_type)                                             \
  int name(int fd, offset_type length) {                                        \
    char buffer[4096];                                                          \
    const char *path = name_of(fd, buffer, sizeof buffer);                      \
    if (!path) return REAL(name)(fd, length);                                   \
    int result;                                                                 \
    ALONE(result, REAL(name)(fd, length),                                       \
          if (result == 0) note('T', path, started, (uint64_t)length, "", 0));  \
    return result;                                                              \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                     \
  int name(int fd) {                                                   \
    char buffer[4096];                                                 \
    const char *path = name_of(fd, buffer, sizeof buffer);             \
    if (!path) return REAL(name)(fd);                                  \
    int result;                                                        \
    ALONE(result, REAL(name)(fd),                                      \
          if (result == 0) note('S', path, started, 0, "", 0));        \
    return result;                                                     \
  }
SYNC(fsync)
SYNC(fdatasync)

/* A file that the call made, or emptied. */
#define OPEN(name)                                                                        \
  int name(const char *path, int flags, ...) {                                            \
    va_list more;                                                                         \
    va_start(more, flags);                                                                \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;             \
    va_end(more);                                                                         \
    const char *known = inside(path);                                                     \
    if (!known || !(flags & (O_CREAT | O_TRUNC))) return REAL(name)(path, flags, mode);   \
    int fd;                                                                               \
    pthread_mutex_lock(&order);                                                           \
    int is_there = access(path, F_OK) == 0;                                               \
    uint64_t started = now();                                                             \
    fd = REAL(name)(path, flags, mode);                                                   \
    if (fd >= 0 && !is_there) note('C', known, started, 0, "", 0);                        \
    else if (fd >= 0 && flags & O_TRUNC) note('T', known, started, 0, "", 0);             \
    pthread_mutex_unlock(&order);                                                         \
    return fd;                                                                            \
  }
OPEN(open)
OPEN(open64)

int unlink(const char *path) {
  const char *known = inside(path);
  if (!known) return REAL(unlink)(path);
  int result;
  ALONE(result, REAL(unlink)(path), if (result == 0) note('U', known, started, 0, "", 0));
  return result;
}

int rename(const char *from, const char *to) {
  const char *known = inside(from), *next = inside(to);
  if (!known || !next) return REAL(rename)(from, to);
  int result;
  ALONE(result, REAL(rename)(from, to),
        if (result == 0) note('R', known, started, 0, next, strlen(next)));
  return result;
}
