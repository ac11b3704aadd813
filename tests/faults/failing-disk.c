/* Makes writes and syncs of one folder's files fail while a flag file exists: preloaded by store-errors.ts.
   FAIL_FOLDER: the folder. FAIL_FLAG: a file that contains "EIO" or "EROFS". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int failure(int fd) {
  const char *flag = getenv("FAIL_FLAG"), *folder = getenv("FAIL_FOLDER");
  if (!flag || !folder || access(flag, F_OK) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0) return 0;
  char kind[8] = "";
  FILE *file = fopen(flag, "r");
  if (file) {
    if (!fgets(kind, sizeof kind, file)) kind[0] = 0;
    fclose(file);
  }
  return strncmp(kind, "EROFS", 5) == 0 ? EROFS : EIO;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(fd) do { int code = failure(fd); if (code) { errno = code; return -1; } } while (0)

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { FAIL(fd); return REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { FAIL(fd); return REAL(pwrite64)(fd, data, size, at); }
int fsync(int fd) { FAIL(fd); return REAL(fsync)(fd); }
int fdatasync(int fd) { FAIL(fd); return REAL(fdatasync)(fd); }
