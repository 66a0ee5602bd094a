/* A line each second from GPT0's interrupt (32768/33 Hz: 993 ticks), and a light that changes with it. */
#include "mt3620.h"
static volatile uint32_t ticks;
static void timer(void) {
    uint32_t status = REG(GPT);
    REG(GPT) = status;
    ticks++;
}
int main(void) {
    print("tick\r\n");
    REG(GROUP(2) + 0x24) = 1; /* GPIO 8 is an output */
    interrupt(1, timer, 5);
    REG(GPT + 0x04) = 1;
    REG(GPT + 0x14) = 32768;
    REG(GPT + 0x10) = 1 | 2 | 4; /* on, again and again, 32,768 Hz */
    for (uint32_t seen = 0;;) {
        wait();
        if (ticks == seen) continue;
        seen = ticks;
        REG(GROUP(2) + (seen & 1 ? 0x14 : 0x18)) = 1;
        print_line("second ", seen);
    }
}
