/*
 * Put before libc (LD_PRELOAD): while the file named by POSTERN_FAULT_FILE exists, the system calls that it names
 * fail for files of the database. "fsync": fsync and fdatasync give EIO; "write": writes give ENOSPC.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int due(int fd, const char *what) {
  const char *control = getenv("POSTERN_FAULT_FILE");
  if (control == NULL) return 0;
  int at = open(control, O_RDONLY | O_CLOEXEC);
  if (at < 0) return 0;
  char order[16] = {0};
  ssize_t length = read(at, order, sizeof order - 1);
  close(at);
  if (length <= 0 || strncmp(order, what, strlen(what)) != 0) return 0;
  char link[64], path[4096] = {0};
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return readlink(link, path, sizeof path - 1) > 0 && strstr(path, "postern.db") != NULL;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(code) do { errno = code; return -1; } while (0)

int fsync(int fd) {
  if (due(fd, "fsync")) FAIL(EIO);
  return REAL(fsync)(fd);
}

int fdatasync(int fd) {
  if (due(fd, "fsync")) FAIL(EIO);
  return REAL(fdatasync)(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
  if (due(fd, "write")) FAIL(ENOSPC);
  return REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  if (due(fd, "write")) FAIL(ENOSPC);
  return REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  if (due(fd, "write")) FAIL(ENOSPC);
  return REAL(pwrite64)(fd, data, size, at);
}
