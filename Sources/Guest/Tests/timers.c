/* GPT2 that goes on from a count, GPT3 as an edge that nobody clears, a UART that is set up in its enhanced bank, and the
   pins of the block beside the A7. */
#include "mt3620.h"

static volatile uint32_t alarms;
static uint32_t repeats;

/* Begins anew by its enable bit alone. */
static void alarm_handler(void) {
    alarms++;
    if (!repeats) return;
    REG(GPT + 0x50) &= ~1u;
    if (alarms < repeats) REG(GPT + 0x50) |= 1;
}
static void alarm(uint32_t microseconds, uint32_t times) {
    alarms = 0;
    repeats = times;
    REG(GPT + 0x50) &= ~1u;
    REG(GPT + 0x54) = 0;
    REG(GPT + 0x5C) = microseconds;
    REG(GPT + 0x50) |= 1 << 15;
    REG(GPT + 0x50) |= 1;
}
static void pass(uint32_t milliseconds) {
    REG(GPT + 0x10) = 0;
    REG(GPT + 0x14) = milliseconds;
    REG(GPT + 0x10) = 9;
    while (REG(GPT + 0x10) & 1) {}
}

int main(void) {
    /* 115,200 with the latch open in the enhanced bank: nothing goes out, and the registers beneath stay. */
    REG(UART + 0x0C) = 0xBF;
    REG(UART + 0x08) = 0x10;
    REG(UART + 0x10) = 0x11; /* XON1, not MCR's loop */
    REG(UART + 0x24) = 3;
    REG(UART + 0x04) = 0;
    REG(UART + 0x00) = 1;
    REG(UART + 0x28) = 224;
    REG(UART + 0x2C) = 110;
    REG(UART + 0x0C) = 3;
    print_line("mcr ", REG(UART + 0x10));

    REG(GPT + 0x34) = 5000;
    print_line("before ", REG(GPT + 0x34));
    REG(GPT + 0x30) = 3;
    pass(50);
    REG(GPT + 0x30) = 2;
    uint32_t count = REG(GPT + 0x34);
    print_line("paused ", count);
    pass(50);
    print_line("still ", REG(GPT + 0x34) - count);
    REG(GPT + 0x34) = count;
    REG(GPT + 0x30) = 3;
    pass(50);
    print_line("resumed ", REG(GPT + 0x34));
    REG(GPT + 0x30) = 2;
    REG(GPT + 0x30) = 3;
    print_line("anew ", REG(GPT + 0x34));

    interrupt(2, alarm_handler, 5);
    alarm(2000, 0);
    pass(20);
    print_line("once ", alarms);
    alarm(2000, 5);
    pass(20);
    print_line("times ", alarms);
    /* Blocked on its way, it does not come. */
    REG(CIRQ + 0x600) = 1 << 2;
    alarm(2000, 0);
    pass(20);
    print_line("blocked ", alarms);
    /* Of the block beside the A7: pins 24, 25, 49…55, 81…93, one bit after the other. */
    REG(0x30020014) = 1 << 21;
    REG(0x30020034) = 1 << 2 | 1 << 21;
    print("done\r\n");
    return 0;
}
