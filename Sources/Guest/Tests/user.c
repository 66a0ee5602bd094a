/* A program for the A7's user mode, with the Linux EABI's system calls and nothing else: what `CASE` says. */
#include <stdint.h>
static long call(long number, long a, long b, long c) {
    register long r7 __asm("r7") = number;
    register long r0 __asm("r0") = a;
    register long r1 __asm("r1") = b;
    register long r2 __asm("r2") = c;
    __asm volatile("svc 0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
    return r0;
}
static void say(const char *text) {
    int n = 0;
    while (text[n]) n++;
    call(4, 1, (long)text, n);
}
static int data = 5;
__attribute__((noinline, target("thumb"))) static int in_thumb(int n) { return n * 3 + data; }
typedef float vector __attribute__((vector_size(16)));
static volatile vector lanes = {1, 2, 3, 4};

__attribute__((naked)) void _start(void) { __asm volatile("mov r0, sp\n b begin"); }
void begin(long *stack) {
    switch (stack[0]) { /* what the test has put there */
    case 0: {
        vector sum = lanes * lanes + lanes;
        uint32_t thread;
        __asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(thread));
        uint32_t helper = ((uint32_t(*)(void))0xFFFF0FE0)();
        int exchanged = ((int (*)(int, int, volatile int *))0xFFFF0FC0)(5, 9, &data);
        say(in_thumb(10) == 39 && sum[3] == 20.0f && thread == helper && exchanged == 0 && data == 9 ? "good\n" : "bad\n");
        call(1, (long)thread, 0, 0);
    }
    case 1: *(volatile int *)0x10 = 1; break;            /* nothing is there */
    case 2: *(volatile int *)_start = 1; break;          /* code is not to be written */
    case 3: ((void (*)(void))stack)(); break;            /* nor a stack to be executed */
    case 4: __asm volatile("udf #0"); break;
    case 5: __asm volatile("bkpt #0"); break;
    case 6: for (;;) {}
    case 7: ((void (*)(void))0x40000000)(); break;
    case 8: __asm volatile("mrs r0, spsr\n mcr p15, 0, r0, c1, c0, 0"); break; /* not in user mode */
    }
    call(1, 99, 0, 0);
}
