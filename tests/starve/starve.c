/* Preloaded into a real program by the flows: its n-th allocation fails, or all from the n-th on, whoever asks for it:
 * we, jansson, SQLite, zstd, libsodium (which takes its pages by mmap), libmicrohttpd.
 *
 * MQ_STARVE=N     the N-th, counted from the start of main; MQ_STARVE=N+ all from there on
 * MQ_STARVE_LOG=FILE  gets, when it happens, who had asked: frames as MODULE+OFFSET for addr2line */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

enum { FRAMES_MAX = 16, LOG_MAX = 8 };

static atomic_long asked;
static long first; /* 0: never */
static bool from_then_on;
static int log_descriptor = -1, logged;
static _Thread_local bool inside; /* what the log itself asks for is given */

__attribute__((constructor)) static void begin(void)
{
    void *frames[FRAMES_MAX];
    const char *number = getenv("MQ_STARVE"), *path = getenv("MQ_STARVE_LOG");

    (void)backtrace(frames, FRAMES_MAX); /* loads what it needs now */
    if (path != NULL)
        log_descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (number == NULL)
        return;
    char *rest;
    asked = 0;
    first = strtol(number, &rest, 10);
    from_then_on = *rest == '+';
}

static void tell(void)
{
    void *frames[FRAMES_MAX];
    char line[256];

    if (log_descriptor < 0 || logged++ >= LOG_MAX)
        return;
    int count = backtrace(frames, FRAMES_MAX);
    for (int i = 2; i < count; i++) {
        Dl_info about;
        if (dladdr(frames[i], &about) == 0 || about.dli_fname == NULL)
            continue;
        int size = snprintf(line, sizeof line, "%s+0x%zx ", about.dli_fname,
                            (size_t)((uintptr_t)frames[i] - (uintptr_t)about.dli_fbase));
        (void)!write(log_descriptor, line, (size_t)size);
    }
    (void)!write(log_descriptor, "\n", 1);
}

static bool fails(void)
{
    if (first == 0 || inside)
        return false;
    long number = ++asked;
    if (from_then_on ? number < first : number != first)
        return false;
    inside = true;
    tell();
    inside = false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return size > 0 && fails() ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (fails())
        return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);

    if (real == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "mmap");
        memcpy(&real, &symbol, sizeof real);
    }
    return (flags & MAP_ANONYMOUS) != 0 && fails() ? MAP_FAILED : real(address, size, protection, flags, descriptor, offset);
}
