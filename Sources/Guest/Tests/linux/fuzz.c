/* System calls at random, with arguments that are right, wrong and absurd: the program may suffer, nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t state;
static uint32_t draw(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}
static uint8_t buffer[8192] __attribute__((aligned(4096)));
static uint32_t argument(void) {
    static const uint32_t odd[] = {0, 1, 2, 3, 4, 7, 8, 16, 64, 4096, 65535, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFF9C, 0xFFFFF000, 0xFFFF0FE0};
    switch (draw() % 8) {
    case 0: return draw();
    case 1: case 2: return odd[draw() % (sizeof odd / sizeof *odd)];
    case 3: case 4: return (uint32_t)(uintptr_t)buffer + draw() % sizeof buffer;
    case 5: return draw() % 48;
    case 6: return (uint32_t)(uintptr_t)buffer + sizeof buffer - draw() % 16;
    default: return 1u << draw() % 32;
    }
}
int main(int argc, char **argv) {
    state = argc > 1 ? (uint32_t)atoi(argv[1]) * 2654435761u + 1 : 1;
    int count = argc > 2 ? atoi(argv[2]) : 1000;
    static const char *const paths[] = {"/tmp/x", "/dev/gpiochip0", "/dev/adc0", "/proc/self/mem", "/dev/services", "/tmp", "/dev/i2c-2", "/proc"};
    for (int turn = 0; turn < count; turn++) {
        /* Each stretch in a child, which may come to grief. */
        if (turn % 32 == 0) {
            pid_t child = fork();
            if (child > 0) {
                waitpid(child, NULL, 0);
                state += 77;
                turn += 31;
                continue;
            }
            count = turn + 32;
            alarm(2);
        }
        if (turn % 16 == 0) {
            for (size_t index = 0; index < sizeof buffer; index += 4) {
                uint32_t word = draw() % 4 ? argument() : 0;
                memcpy(buffer + index, &word, 4);
            }
            strcpy((char *)buffer + draw() % 4096, paths[draw() % 8]);
        }
        long number = draw() % 8 ? draw() % 450 : 0xF0000 + draw() % 8;
        if (number == SYS_exit || number == SYS_exit_group || number == SYS_kill || number == SYS_tgkill || number == SYS_tkill) continue;
        if (number == SYS_fork || number == SYS_vfork || number == SYS_clone) continue;
        uint32_t a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
        /* Its own code and stack stay, so that it goes on. */
        if ((number == SYS_munmap || number == SYS_mprotect || number == SYS_mremap || number == SYS_mmap2) && a >= 0x10000 && a < (uint32_t)(uintptr_t)buffer + 1000000) continue;
        if ((number == SYS_munmap || number == SYS_mprotect || number == SYS_mremap || number == SYS_mmap2) && a >= 0xBE000000) continue;
        syscall(number, a, b, c, d, e, f);
    }
    return 0;
}
