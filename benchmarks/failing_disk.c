/* Preloaded: the k-th input or output on files below a folder fails, in the program whose command line has a word.
   FAULT_UNDER the folder, FAULT_IN the word, FAULT_AT k (0: none), FAULT_ERRNO the error, FAULT_COUNT a file that is
   told at the end how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long at, count;
static int number, chosen;
static char under[4096];

__attribute__((constructor)) static void begin(void) {
    char line[8192];
    const char *word = getenv("FAULT_IN"), *folder = getenv("FAULT_UNDER");
    if (!word || !folder) return;
    FILE *file = fopen("/proc/self/cmdline", "rb");
    size_t size = file ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file) fclose(file);
    for (size_t i = 0; i < size; i++) if (!line[i]) line[i] = ' ';
    line[size] = 0;
    snprintf(under, sizeof under, "%s", folder);
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    number = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : EIO;
    chosen = strstr(line, word) != NULL;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNT");
    if (!chosen || !path) return;
    chosen = 0;
    FILE *file = fopen(path, "w");
    if (file) { fprintf(file, "%ld", count); fclose(file); }
}

static int fails(const char *path) {
    if (!chosen || !path || strncmp(path, under, strlen(under))) return 0;
    if (__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) != at) return 0;
    errno = number;
    return 1;
}

static int fails_on(int handle) {
    char link[64], path[4096];
    if (!chosen) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = before;
    if (size < 0) return 0;
    path[size] = 0;
    return fails(path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define OPENED(name) int name(const char *path, int flags, ...) { REAL(name); va_list rest; va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); va_end(rest); return fails(path) ? -1 : real(path, flags, mode); }
OPENED(open)
OPENED(open64)
ssize_t read(int handle, void *data, size_t size) { REAL(read); return fails_on(handle) ? -1 : real(handle, data, size); }
ssize_t write(int handle, const void *data, size_t size) {
    REAL(write); return fails_on(handle) ? -1 : real(handle, data, size); }
ssize_t pread64(int handle, void *data, size_t size, off64_t place) {
    REAL(pread64); return fails_on(handle) ? -1 : real(handle, data, size, place); }
ssize_t pwrite64(int handle, const void *data, size_t size, off64_t place) {
    REAL(pwrite64); return fails_on(handle) ? -1 : real(handle, data, size, place); }
int fsync(int handle) { REAL(fsync); return fails_on(handle) ? -1 : real(handle); }
int fdatasync(int handle) { REAL(fdatasync); return fails_on(handle) ? -1 : real(handle); }
int rename(const char *from, const char *to) { REAL(rename); return fails(to) ? -1 : real(from, to); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); return fails(path) ? -1 : real(path, mode); }
