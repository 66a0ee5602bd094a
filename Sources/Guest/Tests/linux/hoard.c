/* Takes more and more memory, and says how much it has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    for (int count = 1; count <= 10; count++) {
        char *volatile block = malloc(40 << 10);
        if (!block) return 1;
        memset(block, count, 40 << 10);
        printf("%d KiB\n", count * 40);
        fflush(stdout);
        usleep(1000);
    }
    for (;;) pause();
}
