/* What a kernel without ticks asks of the core: sleep with interrupts masked, and find out afterwards how long it was. */
#include "mt3620.h"

enum { CONTROL = SCS + 0x10, RELOAD = SCS + 0x14, CURRENT = SCS + 0x18, COUNTED = 1 << 16 };
static volatile uint32_t ticks, alarms;
void system_tick(void) { ticks++; }
static void alarm_handler(void) { REG(GPT) = REG(GPT); alarms++; }

static void mask(void) { __asm volatile("cpsid i\n dsb\n isb" ::: "memory"); }
static void unmask(void) { __asm volatile("cpsie i\n dsb\n isb" ::: "memory"); }

/* Sleeps until anything comes; cycles that SysTick has counted meanwhile. */
static uint32_t sleep(uint32_t cycles) {
    mask();
    REG(RELOAD) = cycles - 1;
    REG(CURRENT) = 0;
    REG(CONTROL) = 7;
    REG(RELOAD) = 999; /* for what comes after this period */
    wait();
    uint32_t before = ticks + alarms;
    unmask();
    if (ticks + alarms != before + 1) print("the handler did not wait\r\n");
    mask();
    REG(CONTROL) = 6;
    uint32_t left = REG(CURRENT), has_counted = REG(CONTROL) & COUNTED;
    if (REG(CONTROL) & COUNTED) print("the flag stays\r\n");
    unmask();
    return has_counted ? cycles + 999 - left : cycles - left;
}

int main(void) {
    interrupt(1, alarm_handler, 5);
    uint32_t slept = sleep(260000); /* 10 ms at 26 MHz */
    print_line("slept ", slept / 100);
    print_line("ticks ", ticks);
    REG(GPT + 0x14) = 4;
    REG(GPT + 0x04) = 1;
    REG(GPT + 0x10) = 9; /* once, in 4 ms of 1,007 us */
    slept = sleep(260000);
    print_line("woken after ", slept / 100);
    print_line("ticks ", ticks);
    print_line("alarms ", alarms);
    print("done\r\n");
    for (;;) wait();
}
