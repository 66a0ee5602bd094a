/* Why was the core reset? Not at all, by the watchdog, by itself; then a chain of faults that ends in a lock-up. */
#include "mt3620.h"
static uint32_t runs __attribute__((section(".data"))) = 0;
void hard_fault(void) {
    print("hard fault ");
    print_hex(REG(SCS + 0xD2C));
    print(" ");
    print_hex(REG(SCS + 0xD28));
    print(" ");
    print_hex(REG(SCS + 0xD38));
    print("\r\n");
    __asm volatile("udf #0");
}
int main(void) {
    print_line("status ", REG(WDT + 0x3C));
    runs++;
    if (runs == 1) {
        REG(WDT + 0x34) = 7 << 5 | 0x08; /* a quarter of a second */
        REG(WDT + 0x30) = 0x2200 | 1;
        for (;;) {}
    }
    if (runs == 2) REG(WDT + 0x44) = 0x1209;
    if (runs == 3) *(volatile uint32_t *)0x40000010 = 1;
    for (;;) {}
}
