/* No interrupt at all: waits for GPT2 and for a status bit, at the high clock, with code and locals on the stack. */
#include "mt3620.h"
static uint32_t __attribute__((noinline)) count(void) { return REG(GPT + 0x34); }
static void __attribute__((noinline, optimize("O0"))) delay(uint32_t milliseconds) {
    volatile uint32_t start = count();
    while (count() - start < milliseconds) {}
}
int main(void) {
    REG(RGU + 0x0C) = 2 << 8; /* 197.6 MHz */
    REG(GPT + 0x30) = 1;      /* GPT2 at 32768/33 Hz */
    for (uint32_t n = 1; n <= 3; n++) {
        delay(199);
        print_line("waited ", n);
    }
    REG(GPT + 0x14) = 100;
    REG(GPT + 0x10) = 1;
    while (REG(GPT + 0x10) & 1) {}
    print_line("one shot at ", count());
    for (;;) {}
}
