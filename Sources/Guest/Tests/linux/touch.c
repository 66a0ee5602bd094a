/* Maps 8 MiB, and touches as many KiB of it as it is told: only that counts. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
int main(int count, char **words) {
    volatile char *pages = mmap(0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long kibibytes = count > 1 ? atol(words[1]) : 0;
    for (long at = 0; at < kibibytes << 10; at += 4096) pages[at] = 0;
    printf("touched %ld KiB\n", kibibytes);
}
