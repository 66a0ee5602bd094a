/* What the core can be told to refuse: divisions by zero and unaligned accesses; a single register for unprivileged code;
   and events. */
#include "mt3620.h"
enum { CCR = SCS + 0xD14, CFSR = SCS + 0xD28, UNALIGN_TRP = 8, DIV_0_TRP = 16 };
static volatile uint32_t alarms;

/* Says what happened and goes on behind the instruction. */
void report_fault(uint32_t *frame) {
    uint32_t status = REG(CFSR);
    print("fault ");
    print_hex(status);
    if (status & 0x80) {
        print(" at ");
        print_hex(REG(SCS + 0xD34));
    }
    print("\r\n");
    REG(CFSR) = status;
    frame[6] += (*(uint16_t *)frame[6] >> 11) >= 0x1D ? 4 : 2;
}
__attribute__((naked)) static void on_fault(void) {
    __asm volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b report_fault");
}
static void on_alarm(void) { REG(GPT) = REG(GPT); alarms++; }

static uint32_t divide(uint32_t a, uint32_t b) {
    uint32_t result = 77; /* stays if the division is refused */
    __asm volatile("cmp %1, #0\n udiv %0, %1, %2" : "+r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}
static int32_t divide_signed(int32_t a, int32_t b) { return a / b; }
static uint32_t load(volatile void *where) { uint32_t v = 5; __asm volatile("ldr %0, [%1]" : "+r"(v) : "r"(where)); return v; }
static void store_half(volatile void *where, uint32_t v) { __asm volatile("strh %0, [%1]" ::"r"(v), "r"(where) : "memory"); }

__attribute__((naked)) static void drop_privileges(void) { __asm volatile("mov r0, #1\n msr control, r0\n isb\n bx lr"); }
static void region(int number, uint32_t base, int bits, uint32_t attributes) {
    REG(SCS + 0xD9C) = base | 0x10 | number;
    REG(SCS + 0xDA0) = attributes | (uint32_t)(bits - 1) << 1 | 1;
}

int main(void) {
    static uint32_t words[4] = {0x11111111, 0x22222222, 0x33333333, 0x44444444};
    vectors[4] = on_fault;
    vectors[6] = on_fault;
    interrupt(1, on_alarm, 5);
    REG(SCS + 0xD24) = 7 << 16;
    print_line("quietly ", divide(8, 0));
    print_line("unaligned ", load((uint8_t *)words + 2) == 0x22221111);
    REG(CCR) |= DIV_0_TRP | UNALIGN_TRP;
    print_line("eight by two ", divide(8, 2));
    print_line("by zero ", divide(8, 0));
    print_line("nine by three ", divide(9, 3));
    print_line("signed ", (uint32_t)divide_signed(-8, -2));
    uint32_t sum = 0;
    for (uint32_t i = 1; i <= 1000; i++) sum += divide(1000, i);
    print_line("sum ", sum);
    print_line("aligned ", load(words + 1) == 0x22222222);
    print_line("refused ", load((uint8_t *)words + 2));
    store_half((uint8_t *)words + 1, 0);
    print_line("kept ", words[0] == 0x11111111);
    print_line("register ", load((void *)(GPT + 2)));
    REG(CCR) &= ~(uint32_t)(DIV_0_TRP | UNALIGN_TRP);
    print_line("quietly ", divide(8, 0));

    /* An interrupt before WFE is not lost; SEV is an event too; then it sleeps. */
    REG(GPT + 0x14) = 4;
    REG(GPT + 0x04) = 1;
    __asm volatile("wfe" ::: "memory"); /* what was before */
    REG(GPT + 0x10) = 9;
    while (!alarms) {}
    __asm volatile("wfe" ::: "memory");
    __asm volatile("sev\n wfe" ::: "memory");
    print_line("events ", alarms);
    REG(GPT + 0x10) = 9;
    __asm volatile("wfe" ::: "memory");
    print_line("woken ", alarms);

    /* Everything for everybody, but the control register of GPT2. */
    region(0, 0, 32, 3 << 24);
    region(1, GPT + 0x20, 5, 1 << 24);
    REG(SCS + 0xD94) = 5;
    REG(GPT + 0x30) = 3;
    drop_privileges();
    print_line("status ", REG(GPT));
    REG(GPT + 0x30) = 0;
    print_line("free ", REG(GPT + 0x40));
    print("done\r\n");
    for (;;) wait();
}
