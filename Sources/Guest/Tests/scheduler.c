/* A kernel as FreeRTOS has it: tasks with priorities on stacks of their own, a tick, delays, a queue that blocks both ways, a mutex
   that lends its owner the priority of who waits; switched by PendSV, started by SVC, critical sections by BASEPRI, floating-point
   registers kept for each task. What it prints does not depend on how fast the core is. */
#include "board.h"
void *memset(void *to, int value, unsigned n) { char *d = to; while (n--) *d++ = (char)value; return to; }

enum { TASKS = 4, STACK = 256, DEPTH = 3, FOREVER = -1 };
enum state { READY, DELAYED, SENDING, RECEIVING, LOCKING };
struct task { uint32_t *stack; enum state state; int priority, lent; uint32_t wakes; };
static uint32_t stacks[TASKS][STACK] __attribute__((aligned(8)));
static struct task tasks[TASKS];
struct task *current;
static volatile uint32_t now, switches;
static uint32_t queue[DEPTH];
static volatile int head, filled, owner = FOREVER;

static void enter(void) { __asm volatile("msr basepri, %0\n isb" ::"r"(0x40) : "memory"); }
static void leave(void) { __asm volatile("msr basepri, %0" ::"r"(0) : "memory"); }
static void yield(void) { REG(SCS + 0xD04) = 1 << 28; __asm volatile("dsb\n isb" ::: "memory"); }
static int rank(const struct task *t) { return t->lent > t->priority ? t->lent : t->priority; }

void choose(void) {
    struct task *best = 0;
    for (int i = 1; i <= TASKS; i++) { /* those of one priority in turn */
        struct task *t = &tasks[(current - tasks + i) % TASKS];
        if (t->state == READY && (!best || rank(t) > rank(best))) best = t;
    }
    if (best != current) switches++;
    current = best;
}
void system_tick(void) {
    now++;
    for (int i = 0; i < TASKS; i++) if (tasks[i].state == DELAYED && tasks[i].wakes == now) tasks[i].state = READY;
    REG(SCS + 0xD04) = 1 << 28;
}
__attribute__((naked)) void pend_supervisor(void) {
    __asm volatile(
        "mrs r0, psp\n isb\n tst lr, #0x10\n it eq\n vstmdbeq r0!, {s16-s31}\n stmdb r0!, {r4-r11, lr}\n"
        "ldr r1, =current\n ldr r2, [r1]\n str r0, [r2]\n"
        "mov r0, #0x40\n msr basepri, r0\n dsb\n isb\n bl choose\n mov r0, #0\n msr basepri, r0\n"
        "ldr r1, =current\n ldr r2, [r1]\n ldr r0, [r2]\n"
        "ldmia r0!, {r4-r11, lr}\n tst lr, #0x10\n it eq\n vldmiaeq r0!, {s16-s31}\n msr psp, r0\n isb\n bx lr\n");
}
__attribute__((naked)) void supervisor_call(void) {
    __asm volatile(
        "ldr r1, =current\n ldr r2, [r1]\n ldr r0, [r2]\n ldmia r0!, {r4-r11, lr}\n msr psp, r0\n isb\n mov r0, #0\n msr basepri, r0\n bx lr\n");
}
static void block(enum state state) { current->state = state; leave(); yield(); enter(); }
static void wake(enum state state) { for (int i = 0; i < TASKS; i++) if (tasks[i].state == state) { tasks[i].state = READY; yield(); } }

static void delay(uint32_t ticks) { enter(); current->wakes = now + ticks; block(DELAYED); leave(); }
static void send(uint32_t value) {
    enter();
    while (filled == DEPTH) block(SENDING);
    queue[(head + filled++) % DEPTH] = value;
    wake(RECEIVING);
    leave();
}
static uint32_t receive(void) {
    enter();
    while (!filled) block(RECEIVING);
    uint32_t value = queue[head];
    head = (head + 1) % DEPTH;
    filled--;
    wake(SENDING);
    leave();
    return value;
}
static void lock(void) {
    enter();
    while (owner != FOREVER) {
        if (tasks[owner].lent < rank(current)) tasks[owner].lent = rank(current);
        block(LOCKING);
    }
    owner = current - tasks;
    leave();
}
static void unlock(void) { enter(); owner = FOREVER; current->lent = 0; wake(LOCKING); leave(); }

static void producer(void) { /* faster than its queue is emptied: blocks */
    float sum = 0;
    for (uint32_t n = 1; n <= 12; n++) { sum += 1.0f / (float)n; send((uint32_t)(sum * 1000000.0f)); }
    send(0);
    for (;;) delay(1000);
}
static void consumer(void) {
    double product = 1;
    for (uint32_t value, n = 1; (value = receive()); n++) {
        product *= 1.0 + value * 1e-9;
        lock();
        print_number(n); print(": "); print_number(value); print_line(" ", (uint32_t)(product * 1000000000.0));
        unlock();
        delay(3);
    }
    lock();
    print(switches > 24 ? "switched often enough\r\n" : "did not switch\r\n");
    print(now >= 36 ? "delays took their time\r\n" : "delays did not wait\r\n");
    finish();
}
static void holder(void) { /* of the lowest priority, and holds what the consumer wants, for longer than a tick */
    float x = 2;
    for (;;) {
        lock();
        for (uint32_t start = now; now - start < 2;) x = (x + 2 / x) / 2;
        if (x < 1.414f || x > 1.415f) print("a task's floats are not its own\r\n");
        unlock();
        delay(1);
    }
}
static void idle(void) { for (;;) wait(); }

static void prepare(int number, void (*entry)(void), int priority) {
    uint32_t *stack = stacks[number] + STACK - 17;
    stack[8] = 0xFFFFFFFD; /* lr: to thread mode, process stack, no floating-point frame */
    stack[9 + 6] = (uint32_t)entry & ~1u;
    stack[9 + 7] = 1u << 24;
    tasks[number] = (struct task){stack, READY, priority, 0, 0};
}
int main(void) {
    start_board();
    prepare(0, producer, 3);
    prepare(1, consumer, 2);
    prepare(2, holder, 1);
    prepare(3, idle, 0);
    current = &tasks[0];
    REG(SCS + 0xD20) = 0xE0E00000;
    REG(SCS + 0x14) = TICKS_PER_MILLISECOND - 1;
    REG(SCS + 0x18) = 0;
    REG(SCS + 0x10) = 7;
    print("scheduler\r\n");
    __asm volatile("cpsie i\n svc 0");
    for (;;) {}
}
