/* Start-up of the test programs: a vector table in writable memory, .bss cleared by the program itself. */
#include <stdint.h>
extern uint32_t __stack_top, __bss_start, __bss_end;
int main(void);
void reset(void);
static void stuck(void) { for (;;) {} }
__attribute__((weak)) void hard_fault(void) { stuck(); }
__attribute__((weak)) void supervisor_call(void) { stuck(); }
__attribute__((weak)) void pend_supervisor(void) { stuck(); }
__attribute__((weak)) void system_tick(void) { stuck(); }
__attribute__((section(".vectors"), used)) void *vectors[116] = {
    &__stack_top, reset, stuck, hard_fault, hard_fault, hard_fault, hard_fault, 0, 0, 0, 0, supervisor_call, stuck, 0,
    pend_supervisor, system_tick, [16 ... 115] = stuck,
};
void begin(void);
/* Sets the stack too: a debugger or another emulator may come here without a look at the vector table. */
__attribute__((naked)) void reset(void) { __asm volatile("ldr sp, =__stack_top\n b begin"); }
void begin(void) {
    for (uint32_t *word = &__bss_start; word < &__bss_end; ++word) *word = 0;
    *(volatile uint32_t *)0xE000ED88 |= 0xF << 20; /* the floating-point unit */
    *(volatile uint32_t *)0xE000ED08 = (uint32_t)vectors;
    main();
    for (;;) __asm volatile("wfi");
}
