/* What the kernel says of the page that an address lies in: is it kept from swap and from core files? */
#ifndef MQ_TESTS_PLATFORM_GUARDED_H
#define MQ_TESTS_PLATFORM_GUARDED_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    bool locked, left_out_of_dumps; /* VmFlags lo and dd */
};

static inline struct guarded guarded_page(const void *address)
{
    struct guarded page = {false, false};
    char line[1024];
    bool inside = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    if (maps == NULL)
        abort();
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t first, end;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2)
            inside = (uintptr_t)address >= first && (uintptr_t)address < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            page = (struct guarded){strstr(line, " lo") != NULL, strstr(line, " dd") != NULL};
    }
    fclose(maps);
    return page;
}

/* Can a page be locked here at all? Some containers allow none, and under AddressSanitizer mlock() does nothing; there
 * tests/flows/200_hardening_flow looks at the programs that people run. */
static inline bool may_lock_pages(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool may = page != MAP_FAILED && mlock(page, size) == 0 && guarded_page(page).locked;
    if (page != MAP_FAILED)
        munmap(page, size);
    return may;
}

/* NULL, or what is wrong with the page of a secret. */
static inline const char *unguarded(const void *secret)
{
    struct guarded page = guarded_page(secret);
    if (!page.left_out_of_dumps)
        return "it would stand in a core file";
    if (!page.locked && may_lock_pages())
        return "it could be swapped to disk";
    return NULL;
}

#endif
