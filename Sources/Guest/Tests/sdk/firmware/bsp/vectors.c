/* The vector table in a section of its own, which the linker script aligns, and the way from reset to main. */
#include "bsp.h"

extern uint32_t StackTop[], __bss_start__[], __bss_end__[];
int main(void);
static void stuck(void) { for (;;) {} }
void SVC_Handler(void) __attribute__((weak, alias("stuck")));
void PendSV_Handler(void) __attribute__((weak, alias("stuck")));
void SysTick_Handler(void) __attribute__((weak, alias("stuck")));

extern void *const __isr_vector[116];
static void reset(void) {
    REGISTER(CORE_BASE + 0xD08) = (uint32_t)__isr_vector;
    REGISTER(CORE_BASE + 0xD88) |= 0xF << 20;
    for (uint32_t *word = __bss_start__; word < __bss_end__; word++) *word = 0;
    main();
    stuck();
}
void *const __isr_vector[116] __attribute__((section(".vector_table"), used)) = {
    [0] = StackTop, [1] = reset, [2 ... 10] = stuck, [11] = SVC_Handler, [12 ... 13] = stuck, [14] = PendSV_Handler,
    [15] = SysTick_Handler, [16 ... 115] = stuck,
};
