/* What a kernel with memory protection does: a guard of 32 bytes inside a page, data that may only be read, code that may
   not be executed, a task without privileges; and the floating-point unit switched off. */
#include "mt3620.h"
static uint32_t area[1024] __attribute__((aligned(4096)));
static uint32_t secret __attribute__((aligned(32)));
static uint32_t task_stack[256] __attribute__((aligned(1024)));
static uint16_t code[16] __attribute__((aligned(32)));

static void region(int number, void *base, uint32_t attributes) {
    REG(SCS + 0xD9C) = (uint32_t)base | 0x10 | number;
    REG(SCS + 0xDA0) = attributes | 1;
    __asm volatile("dsb\n isb" ::: "memory");
}
enum { NO_ACCESS = 0, PRIVILEGED = 1 << 24, READ_ONLY = 6 << 24, FULL = 3 << 24, NEVER_EXECUTE = 1 << 28 };
static uint32_t size(int bits) { return (uint32_t)(bits - 1) << 1; }

/* Says what happened and goes on behind the instruction, or back to who called what may not be executed. */
void report_fault(uint32_t *frame) {
    uint32_t status = REG(SCS + 0xD28);
    print("fault ");
    print_hex(status);
    if (status & 0x80) {
        print(" at ");
        print_hex(REG(SCS + 0xD34) - (uint32_t)area);
    }
    print("\r\n");
    REG(SCS + 0xD28) = status;
    if (status & 1) {
        frame[6] = frame[5] & ~1u;
    } else if (status & 0x80000) {
        REG(SCS + 0xD88) = 0xF << 20;
    } else {
        frame[6] += (*(uint16_t *)frame[6] >> 11) >= 0x1D ? 4 : 2;
    }
}
__attribute__((naked)) static void on_fault(void) {
    __asm volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b report_fault");
}
/* A task without privileges asks to have them back. */
__attribute__((naked)) static void on_call(void) { __asm volatile("mov r0, #0\n msr control, r0\n isb\n bx lr"); }

static void write_word(volatile uint32_t *where, uint32_t value) { *where = value; }
static void stack_push(uint32_t *top) {
    __asm volatile("stmdb %0!, {r4-r7}" : "+r"(top)::"memory");
}
int main(void) {
    vectors[4] = on_fault;
    vectors[6] = on_fault;
    vectors[11] = on_call;
    REG(SCS + 0xD24) = 7 << 16;
    code[0] = 0x4770; /* bx lr */
    region(0, area + 256, size(5) | NO_ACCESS);
    region(1, area + 512, size(8) | READ_ONLY | 0xF0 << 8); /* its lower half */
    region(2, &secret, size(5) | PRIVILEGED);
    region(3, code, size(5) | FULL | NEVER_EXECUTE);
    REG(SCS + 0xD94) = 5;
    __asm volatile("dsb\n isb");
    write_word(area + 255, 1);
    write_word(area + 256, 2);
    write_word(area + 263, 3);
    write_word(area + 264, 4);
    stack_push(area + 267); /* its lowest word lies in the guard */
    stack_push(area + 268);
    write_word(area + 512, 5);
    write_word(area + 544, 6);
    print_line("first ", area[255] + area[544] + area[512]);
    ((void (*)(void))((uint32_t)code | 1))();
    /* Registers and its stack are the task's; the rest is to be read by the task, written by the kernel. */
    region(4, (void *)0x00100000, size(18) | 2 << 24);
    region(5, (void *)0x20000000, size(28) | FULL | NEVER_EXECUTE);
    region(6, task_stack, size(10) | FULL);
    region(7, &secret, size(5) | PRIVILEGED);
    secret = 7;
    __asm volatile("msr psp, %0\n mov r0, #3\n msr control, r0\n isb" ::"r"(task_stack + 256) : "r0", "memory");
    write_word(&secret, 8);
    write_word(area, 9);
    print("task\r\n");
    __asm volatile("svc 0" ::: "r0", "memory");
    print_line("secret ", secret);
    REG(SCS + 0xD94) = 0;
    __asm volatile("dsb\n isb");
    write_word(area + 256, 10);
    print_line("open ", area[256]);
    REG(SCS + 0xD88) = 0;
    __asm volatile("dsb\n isb\n vmov.f32 s0, #1.0" ::: "s0");
    print("end\r\n");
    for (;;) wait();
}
