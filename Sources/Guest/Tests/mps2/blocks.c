/* Each block of the MPS2 board's image AN386, one after the other. What is printed does not depend on how long instructions take:
   counts are compared with other counts. In the end the watchdog resets the board, and the program says so. */
#include "../board.h"
static volatile uint32_t ticks, combined, warnings, sent;
static volatile uint32_t resets __attribute__((section(".kept")));
static volatile uint32_t mark __attribute__((section(".kept")));

static void say(const char *what, int holds) { print(what); print(holds ? ": yes\r\n" : ": NO\r\n"); }
static void show(const char *what, uint32_t value) { print(what); print(" "); print_hex(value); print("\r\n"); }
static int about(uint32_t value, uint32_t wanted) { return value * 100 >= wanted * 97 && value * 100 <= wanted * 103; }

static void timer_interrupt(void) { ticks++; REG(TIMER0 + 0x0C) = 1; }
static void stubborn_interrupt(void) { if (++ticks == 3) REG(TIMER0 + 0x0C) = 1; }
static void dual_interrupt(void) {
    combined++;
    if (REG(DUAL + 0x14)) REG(DUAL + 0x0C) = 1;
    if (REG(DUAL + 0x34)) REG(DUAL + 0x2C) = 1;
    REG(DUAL + 0xF04) = 0;
}
void warned(void) { warnings++; if (!mark) REG(WATCHDOG + 0x0C) = 1; }
static void uart_interrupt(void) { sent++; REG(UART1 + 0x0C) = 1; }

/* Counts timer 1 from 2³²-1 down: a clock to compare with. */
static void begin_clock(void) { REG(TIMER1) = 0; REG(TIMER1 + 0x08) = 0xFFFFFFFF; REG(TIMER1) = 1; }
static uint32_t clock_cycles(void) { return 0xFFFFFFFF - REG(TIMER1 + 0x04); }
static void wait_cycles(uint32_t cycles) { uint32_t start = clock_cycles(); while (clock_cycles() - start < cycles) {} }

static void core(void) {
    show("CPUID", REG(SCS + 0xD00));
    show("ICTR", REG(SCS + 0x004));
    show("CALIB", REG(SCS + 0x01C));
    REG(SCS + 0x400) = 0xFFFFFFFF;
    show("IPR0", REG(SCS + 0x400));
    REG(SCS + 0x400) = 0;
    REG(SCS + 0x104) = 0xFFFFFFFF;
    show("ISER1", REG(SCS + 0x104));
    REG(SCS + 0x100) = 0x80000000;
    show("ISER0", REG(SCS + 0x100));
    REG(SCS + 0x180) = 0x80000000;
    REG(SCS + 0x14) = 0xFFFFFF;
    REG(SCS + 0x18) = 0;
    begin_clock();
    REG(SCS + 0x10) = 1; /* from the reference */
    wait_cycles(250000);
    uint32_t reference = 0xFFFFFF - REG(SCS + 0x18);
    REG(SCS + 0x10) = 0;
    say("SysTick's reference is 1 MHz", about(reference, 10000));
    REG(SCS + 0x18) = 0;
    REG(SCS + 0x10) = 5;
    wait_cycles(250000);
    uint32_t own = 0xFFFFFF - REG(SCS + 0x18);
    REG(SCS + 0x10) = 0;
    say("SysTick's own clock is 25 MHz", about(own, 250000));
}
static void identifications(void) {
    uint32_t bases[] = {TIMER0, TIMER1, DUAL, UART0, UART1, WATCHDOG};
    for (int i = 0; i < 6; i++) {
        for (uint32_t offset = 0xFD0; offset < 0x1000; offset += 4) { print_number(REG(bases[i] + offset)); print(" "); }
        print("\r\n");
    }
    show("SCC AID", REG(SCC + 0xFF8));
    show("SCC ID", REG(SCC + 0xFFC));
    show("SCC CFG4", REG(SCC + 0x10));
    show("SCC DLL", REG(SCC + 0x100));
    REG(SCC + 0x100) = 0x12345678;
    show("SCC DLL", REG(SCC + 0x100));
    for (uint32_t device = 0; device < 4; device++) {
        REG(SCC + 0xA8) = 0x80100000 | device;
        show("oscillator", REG(SCC + 0xA0));
        show("status", REG(SCC + 0xAC));
    }
    REG(SCC + 0xA4) = 12000000;
    REG(SCC + 0xA8) = 0xC0100001;
    REG(SCC + 0xA8) = 0x80100001;
    show("oscillator", REG(SCC + 0xA0));
    show("control", REG(SCC + 0xA8));
    REG(SCC + 0xA8) = 0x80200001;
    show("status", REG(SCC + 0xAC));
    REG(SCC + 0x04) = 0xA5;
    show("SCC LEDs", REG(SCC + 0x04));
}
static void timer(void) {
    interrupt(8, timer_interrupt, 5);
    REG(TIMER0 + 0x08) = 24999;
    show("RELOAD", REG(TIMER0 + 0x08));
    show("VALUE", REG(TIMER0 + 0x04));
    begin_clock();
    REG(TIMER0) = 9;
    while (ticks < 5) {}
    uint32_t took = clock_cycles();
    REG(TIMER0) = 8;
    say("five rounds of 25,000 cycles", about(took, 125000));
    show("CTRL", REG(TIMER0));
    uint32_t held = REG(TIMER0 + 0x04);
    wait_cycles(1000);
    say("stands while it is off", held == REG(TIMER0 + 0x04) && held < 25000);
    /* Once: nothing to reload. */
    ticks = 0;
    REG(TIMER0 + 0x08) = 0;
    REG(TIMER0) = 9;
    REG(TIMER0 + 0x04) = 5000;
    wait_cycles(20000);
    print_line("interrupts of one shot: ", ticks);
    show("VALUE", REG(TIMER0 + 0x04));
    /* The status is set only where the interrupt is enabled, and stays until it is cleared. */
    REG(TIMER0) = 1;
    REG(TIMER0 + 0x04) = 5000;
    wait_cycles(20000);
    show("INTSTATUS without IRQEN", REG(TIMER0 + 0x0C));
    REG(SCS + 0x180) = 1 << 8;
    REG(TIMER0) = 9;
    REG(TIMER0 + 0x04) = 5000;
    wait_cycles(20000);
    show("INTSTATUS", REG(TIMER0 + 0x0C));
    show("pending", REG(SCS + 0x200));
    REG(TIMER0 + 0x0C) = 0;
    show("INTSTATUS", REG(TIMER0 + 0x0C));
    ticks = 0;
    interrupt(8, stubborn_interrupt, 5);
    __asm volatile("isb");
    print_line("a line that stays high: ", ticks);
    show("INTSTATUS", REG(TIMER0 + 0x0C));
    REG(TIMER0) = 0;
    REG(TIMER0 + 0x08) = 77;
    show("VALUE with RELOAD", REG(TIMER0 + 0x04));
}
static void dual(void) {
    interrupt(10, dual_interrupt, 5);
    show("CONTROL", REG(DUAL + 0x08));
    show("VALUE", REG(DUAL + 0x04));
    REG(DUAL + 0x00) = 0x12345678;
    show("LOAD", REG(DUAL + 0x00));
    show("VALUE", REG(DUAL + 0x04));
    REG(DUAL + 0x08) = 0x22; /* 32 bits */
    show("VALUE of 32 bits", REG(DUAL + 0x04));
    REG(DUAL + 0x08) = 0x20;
    show("VALUE of 16 bits", REG(DUAL + 0x04));
    /* Each prescaler, free-running. */
    for (uint32_t prescale = 0; prescale < 3; prescale++) {
        REG(DUAL + 0x08) = 2 | prescale << 2;
        REG(DUAL + 0x00) = 0xFFFFFFFF;
        begin_clock();
        REG(DUAL + 0x08) = 0x82 | prescale << 2;
        wait_cycles(512000);
        uint32_t counted = 0xFFFFFFFF - REG(DUAL + 0x04);
        REG(DUAL + 0x08) = 2 | prescale << 2;
        print_line("prescale ", prescale);
        say("counts as slowly", about(counted, 512000 >> 4 * prescale));
    }
    /* Periodic, 32 bits. */
    combined = 0;
    REG(DUAL + 0x08) = 0x62;
    REG(DUAL + 0x00) = 9999;
    begin_clock();
    REG(DUAL + 0x08) = 0xE2;
    while (combined < 5) {}
    uint32_t took = clock_cycles();
    REG(DUAL + 0x08) = 0x62;
    say("five rounds of 10,000 cycles", about(took, 50000));
    /* Once, from the second timer, 16 bits. */
    combined = 0;
    REG(DUAL + 0x28) = 0x61;
    REG(DUAL + 0x20) = 0xABCD2000;
    REG(DUAL + 0x28) = 0xE1;
    wait_cycles(100000);
    print_line("interrupts of one shot: ", combined);
    show("VALUE", REG(DUAL + 0x24));
    show("CONTROL", REG(DUAL + 0x28));
    /* Raw and masked status. */
    REG(DUAL + 0x28) = 0x41;
    REG(DUAL + 0x20) = 3000;
    REG(DUAL + 0x28) = 0xC1;
    wait_cycles(10000);
    show("RIS", REG(DUAL + 0x30));
    show("MIS", REG(DUAL + 0x34));
    REG(DUAL + 0x2C) = 1;
    show("RIS", REG(DUAL + 0x30));
    REG(DUAL + 0x28) = 0;
    /* What is loaded in the background waits for its round. */
    combined = 0;
    REG(DUAL + 0x08) = 0x62;
    REG(DUAL + 0x00) = 100000;
    begin_clock();
    REG(DUAL + 0x08) = 0xE2;
    REG(DUAL + 0x18) = 9999;
    while (combined < 1) {}
    uint32_t first = clock_cycles();
    while (combined < 4) {}
    uint32_t fourth = clock_cycles();
    say("the round ends as it was", about(first, 100000));
    say("and then it is shorter", about(fourth, 130000));
    REG(DUAL + 0x08) = 0;
    show("LOAD", REG(DUAL + 0x00));
    show("BGLOAD", REG(DUAL + 0x18));
    /* Integration test: the outputs by hand. */
    combined = 0;
    REG(DUAL + 0xF00) = 1;
    show("ITCR", REG(DUAL + 0xF00));
    REG(DUAL + 0xF04) = 2;
    __asm volatile("isb");
    print_line("interrupts by hand: ", combined);
    REG(DUAL + 0xF00) = 0;
}
static void uart(void) {
    interrupt(3, uart_interrupt, 5);
    show("CTRL", REG(UART1 + 0x08));
    show("STATE", REG(UART1 + 0x04));
    REG(UART1 + 0x10) = 0xFFFFFFFF;
    show("BAUDDIV", REG(UART1 + 0x10));
    REG(UART1 + 0x10) = 16;
    REG(UART1 + 0x08) = 0xFFFFFFFF;
    show("CTRL", REG(UART1 + 0x08));
    REG(UART1 + 0x08) = 5;
    for (int i = 0; i < 10; i++) { while (REG(UART1 + 0x04) & 1) {} REG(UART1) = (uint32_t)i; wait_cycles(1000); }
    print_line("interrupts of ten bytes: ", sent);
    REG(UART1 + 0x08) = 1;
    while (REG(UART1 + 0x04) & 1) {}
    REG(UART1) = 65;
    wait_cycles(1000);
    show("INTSTATUS without TXINTEN", REG(UART1 + 0x0C));
    show("STATE", REG(UART1 + 0x04));
}
static void fpga(void) {
    REG(FPGAIO) = 0xFFFFFFFF;
    show("LED", REG(FPGAIO));
    REG(FPGAIO + 0x4C) = 0x1F;
    show("MISC", REG(FPGAIO + 0x4C));
    show("BUTTON", REG(FPGAIO + 0x08));
    REG(FPGAIO + 0x1C) = 24;
    REG(FPGAIO + 0x20) = 24;
    REG(FPGAIO + 0x18) = 0;
    begin_clock();
    wait_cycles(250000);
    say("the counter behind the prescaler", about(REG(FPGAIO + 0x18), 10000));
    say("the prescaler stays below", REG(FPGAIO + 0x20) <= 24);
    REG(FPGAIO + 0x14) = 1000;
    wait_cycles(2500000 / 4 * 3);
    uint32_t slow = REG(FPGAIO + 0x14);
    say("100 Hz", slow == 1007 || slow == 1008);
    REG(FPGAIO + 0x10) = 77;
    show("1 Hz", REG(FPGAIO + 0x10));
}
__attribute__((noreturn)) static void watchdog(void) {
    vectors[2] = warned;
    show("LOAD", REG(WATCHDOG));
    show("LOCK", REG(WATCHDOG + 0xC00));
    REG(WATCHDOG) = 25000;
    REG(WATCHDOG + 0xC00) = 1;
    REG(WATCHDOG) = 100;
    show("LOCK", REG(WATCHDOG + 0xC00));
    show("LOAD, locked", REG(WATCHDOG));
    REG(WATCHDOG + 0xC00) = 0x1ACCE551;
    show("LOCK", REG(WATCHDOG + 0xC00));
    begin_clock();
    REG(WATCHDOG + 0x08) = 1;
    while (warnings < 3) {}
    say("three warnings", about(clock_cycles(), 75000));
    REG(WATCHDOG + 0x08) = 0;
    show("RIS", REG(WATCHDOG + 0x10));
    show("MIS", REG(WATCHDOG + 0x14));
    print("now nobody clears it\r\n");
    resets = 1;
    mark = 0x600DC0DE;
    REG(WATCHDOG) = 250000;
    REG(WATCHDOG + 0x08) = 3;
    for (;;) {}
}
int main(void) {
    start_board();
    if (mark == 0x600DC0DE) {
        print_line("the watchdog has reset the board: ", resets);
        show("LOAD", REG(WATCHDOG));
        show("CONTROL", REG(WATCHDOG + 0x08));
        show("dual CONTROL", REG(DUAL + 0x08));
        mark = 0;
        finish();
    }
    mark = 0;
    print("blocks\r\n");
    core();
    identifications();
    timer();
    dual();
    uart();
    fpga();
    watchdog();
}
