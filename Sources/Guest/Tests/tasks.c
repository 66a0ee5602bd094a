/* What an RTOS does with the core: tasks on process stacks, started by SVC, switched by PendSV from SysTick at 1 kHz,
   critical sections by BASEPRI, floating-point registers that belong to each task. */
#include "mt3620.h"
enum { TASKS = 2, STACK = 256 };
static uint32_t stacks[TASKS][STACK] __attribute__((aligned(8)));
uint32_t *saved[TASKS];
volatile uint32_t current, milliseconds;
static volatile uint32_t queue[4], head, tail;

void system_tick(void) {
    milliseconds++;
    REG(SCS + 0xD04) = 1 << 28;
}
void next_task(void) { current = (current + 1) % TASKS; }
__attribute__((naked)) void pend_supervisor(void) {
    __asm volatile(
        "mrs r0, psp\n isb\n tst lr, #0x10\n it eq\n vstmdbeq r0!, {s16-s31}\n stmdb r0!, {r4-r11, lr}\n"
        "ldr r1, =current\n ldr r2, [r1]\n ldr r3, =saved\n str r0, [r3, r2, lsl #2]\n"
        "mov r0, #0x40\n msr basepri, r0\n dsb\n isb\n bl next_task\n mov r0, #0\n msr basepri, r0\n"
        "ldr r1, =current\n ldr r2, [r1]\n ldr r3, =saved\n ldr r0, [r3, r2, lsl #2]\n"
        "ldmia r0!, {r4-r11, lr}\n tst lr, #0x10\n it eq\n vldmiaeq r0!, {s16-s31}\n msr psp, r0\n isb\n bx lr\n");
}
__attribute__((naked)) void supervisor_call(void) {
    __asm volatile(
        "ldr r3, =saved\n ldr r0, [r3]\n ldmia r0!, {r4-r11, lr}\n msr psp, r0\n isb\n mov r0, #0\n msr basepri, r0\n bx lr\n");
}
static void enter(void) { __asm volatile("msr basepri, %0\n isb" ::"r"(0x40) : "memory"); }
static void leave(void) { __asm volatile("msr basepri, %0" ::"r"(0) : "memory"); }

static void producer(void) {
    float sum = 0;
    for (uint32_t n = 1;; n++) {
        sum += 1.0f / (float)n;
        uint32_t start = milliseconds;
        while (milliseconds - start < 100) {}
        enter();
        queue[head % 4] = (uint32_t)(sum * 1000000.0f);
        head++;
        leave();
    }
}
static void consumer(void) {
    double product = 1;
    for (;;) {
        enter();
        int has = head != tail;
        uint32_t value = queue[tail % 4];
        tail += has;
        leave();
        if (!has) continue;
        product *= 1.0001;
        print_number(milliseconds);
        print(" ms: ");
        print_number(value);
        print_line(" ", (uint32_t)(product * 1000000.0));
    }
}
static void prepare(int task, void (*entry)(void)) {
    uint32_t *stack = stacks[task] + STACK - 17;
    stack[8] = 0xFFFFFFFD;         /* lr: to thread mode, process stack, no floating-point frame */
    stack[9 + 6] = (uint32_t)entry & ~1u;
    stack[9 + 7] = 1u << 24;
    saved[task] = stack;
}
int main(void) {
    prepare(0, producer);
    prepare(1, consumer);
    REG(SCS + 0xD20) = 0xE0E00000;
    REG(RGU + 0x0C) = 2 << 8;
    REG(SCS + 0x14) = 197600 - 1;
    REG(SCS + 0x18) = 0;
    REG(SCS + 0x10) = 7;
    print("tasks\r\n");
    __asm volatile("cpsie i\n svc 0");
    for (;;) {}
}
