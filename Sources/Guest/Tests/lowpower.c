/* Deep sleep with clocks gated, as the vendor's driver enters it: GPT3 ends it, then a button that is held; what has woken
   the core says which line's handler is to be taken off. */
#include "mt3620.h"

enum { GPT3 = 2, BUTTON = 20 + 12, DISABLED = CIRQ + 0x600, UNWOKEN = CIRQ + 0x620, CLEAR = CIRQ + 0x344, WOKEN = CIRQ + 0x364 };
static volatile uint32_t handled;

static void clear(void) {
    REG(CLEAR - 4) |= 1;
    REG(CLEAR) |= 1;
    REG(CLEAR) &= ~1u;
}
static void alarm_handler(void) {
    REG(GPT + 0x50) &= ~1u;
    REG(GPT + 0x50) |= 1 << 15;
    clear();
    handled++;
}
/* The level stays: only a line that is off is quiet. */
static void button_handler(void) {
    if (REG(WOKEN + 4) & 1u << BUTTON % 32) REG(SCS + 0x180 + BUTTON / 32 * 4) = 1u << BUTTON % 32;
    clear();
    handled++;
}
static void sleep(int line) {
    __asm volatile("cpsid i" ::: "memory");
    for (uint32_t word = 0; word < 16; word += 4) REG(DISABLED + word) = REG(UNWOKEN + word) = ~0u;
    clear();
    REG(DISABLED + line / 32 * 4) &= ~(1u << line % 32);
    REG(UNWOKEN + line / 32 * 4) &= ~(1u << line % 32);
    REG(RGU) &= ~3u;
    REG(SCS + 0xD10) |= 4;
    __asm volatile("dsb\n wfi\n isb" ::: "memory");
    for (uint32_t word = 0; word < 16; word += 4) REG(DISABLED + word) = REG(UNWOKEN + word) = 0;
    print("woken by ");
    print_hex(REG(WOKEN));
    print_hex(REG(WOKEN + 4));
    print("\r\n");
    __asm volatile("cpsie i" ::: "memory");
}

int main(void) {
    interrupt(GPT3, alarm_handler, 5);
    REG(GPT + 0x5C) = 10000;
    REG(GPT + 0x50) |= 1;
    sleep(GPT3);
    print_line("handled ", handled);

    REG(CIRQ + 4 * (BUTTON - 20)) |= 1 << 8;
    REG(CIRQ + 0x200 + BUTTON / 32 * 4) |= 1u << BUTTON % 32;
    interrupt(BUTTON, button_handler, 5);
    sleep(BUTTON);
    print_line("handled ", handled);
    print_line("left ", REG(WOKEN) | REG(WOKEN + 4));
    return 0;
}
