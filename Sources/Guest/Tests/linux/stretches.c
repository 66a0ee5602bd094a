/* Cuts a mapping into ever more stretches, by permissions and by holes: what there is no room for is refused, and nothing is lost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#define PAGES 4096
static volatile char *pages;
static int cut(int by_holes) {
    for (int page = 0; page < PAGES; page += 2)
        if (by_holes ? munmap((void *)(pages + page * 4096L), 4096) : mprotect((void *)(pages + page * 4096L), 4096, PROT_READ)) return page / 2;
    return PAGES / 2;
}
int main(void) {
    pages = mmap(0, PAGES * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int page = 0; page < PAGES; page++) pages[page * 4096L] = (char)(page + page / 256);
    for (int turn = 0; turn < 3; turn++) {
        int done = cut(0);
        printf("permissions: %s, %s\n", done > 100 ? "many" : "few", strerror(errno));
        /* They are one stretch again. */
        if (mprotect((void *)pages, PAGES * 4096L, PROT_READ | PROT_WRITE)) return 1;
    }
    int holes = cut(1), wrong = 0;
    printf("holes: %s, %s\n", holes > 100 ? "many" : "few", strerror(errno));
    for (int page = 0; page < PAGES; page++)
        if (page % 2 || page >= 2 * holes) wrong += pages[page * 4096L] != (char)(page + page / 256);
    printf("wrong: %d\n", wrong);
    printf("another: %s\n", mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? strerror(errno) : "mapped");
    return 0;
}
