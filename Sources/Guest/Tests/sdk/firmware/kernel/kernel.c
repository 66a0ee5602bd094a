/* Tasks with stacks in the system's memory, which take turns. */
#include "kernel.h"
#include <stdint.h>

enum { MOST_TASKS = 2, STACK_WORDS = 512, FRAME_WORDS = 17 };
#define REGISTER(address) (*(volatile uint32_t *)(address))
static uint32_t stacks[MOST_TASKS][STACK_WORDS] __attribute__((section(".freertosheap"), aligned(8)));
uint32_t *kernel_saved[MOST_TASKS];
uint32_t kernel_current;
static uint32_t count;
void kernel_enter(void);

void kernel_next(void) { kernel_current = (kernel_current + 1) % count; }
void SysTick_Handler(void) { REGISTER(0xE000ED04) = 1 << 28; }

void kernel_add(void (*task)(void)) {
    uint32_t *frame = stacks[count] + STACK_WORDS - FRAME_WORDS;
    frame[8] = 0xFFFFFFFD; /* to a thread on a stack of its own, without floats yet */
    frame[9 + 6] = (uint32_t)task & ~1u;
    frame[9 + 7] = 1u << 24;
    kernel_saved[count++] = frame;
}
void kernel_start(void) {
    REGISTER(0xE000ED20) = 0xE0E00000;
    REGISTER(0xE000E014) = 26000 - 1;
    REGISTER(0xE000E018) = 0;
    REGISTER(0xE000E010) = 7;
    kernel_enter();
}
