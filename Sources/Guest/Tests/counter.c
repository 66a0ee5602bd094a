/* The pin counters, as their drivers use them: up and down between two limits, a quadrature encoder, captures, and the
   microsecond timer set up from the crystal strap. */
#include "mt3620.h"

enum { BASE = 0x38040000, XTAL_STRAP = 0x30090190, CLOCK_GATE = 0x30030210 };
#define COUNTER(offset) REG(BASE + (offset))

static volatile uint32_t told, hits;
static void counter_handler(void) {
    told |= COUNTER(0x138);
    hits++;
    COUNTER(0x134) = COUNTER(0x138);
    COUNTER(0x134) = 0;
    COUNTER(0x130) &= ~told;
}

static void set_up(uint32_t control, uint32_t enable) {
    COUNTER(0x00) &= ~2u;
    COUNTER(0x00) |= 2;
    COUNTER(0x00) |= 1 | 8;
    REG(CLOCK_GATE) = (REG(CLOCK_GATE) & ~3u) | 3;
    COUNTER(0x10C) = control;
    COUNTER(0x120) = 100;
    COUNTER(0x124) = 98;
    COUNTER(0x128) = 103;
    COUNTER(0x110) = enable;
    COUNTER(0x110) = enable | 3 << 16;
    COUNTER(0x110) = enable;
    told = hits = 0;
}

static void alarm_handler(void) {
    REG(GPT + 0x50) |= 1 << 15;
    REG(GPT + 0x50) &= ~(1u << 15);
}

static void sleep_us(uint32_t microseconds) {
    REG(GPT + 0x50) &= ~1u;
    REG(GPT + 0x54) = 0;
    REG(GPT + 0x50) = (REG(GPT + 0x50) & ~(0x3Fu << 16)) | (((uint32_t[]){20, 40, 26, 52}[REG(XTAL_STRAP) & 3] - 1) << 16);
    REG(GPT + 0x5C) = microseconds;
    REG(GPT + 0x50) |= 1;
    while (REG(GPT + 0x58) < microseconds) wait();
}

int main(void) {
    print_line("crystal ", REG(XTAL_STRAP) & 3);
    interrupt(74, counter_handler, 5);
    interrupt(2, alarm_handler, 5);
    /* Both edges, up/down, both limits. Pin 12 is pressed for 1 ms at 1 and 3 ms, pin 13 at 6, 8 and 10 ms. */
    set_up(2 << 16 | 1 << 18 | 3 << 24, 1);
    COUNTER(0x130) = 3;
    sleep_us(2500);
    print_line("up ", COUNTER(0x14C));
    sleep_us(2500);
    print_line("more ", COUNTER(0x14C));
    print_line("told ", told);
    COUNTER(0x130) = 3;
    sleep_us(6500);
    print_line("down ", COUNTER(0x14C));
    print_line("told ", told);
    print_line("hits ", hits);
    /* A quadrature encoder: pin 12 falls at 20 and 22 ms, pin 13 half a millisecond later each time; then the other way. */
    set_up(2 << 16 | 2 << 18, 3);
    sleep_us(8000 + 4000);
    print_line("forward ", COUNTER(0x14C));
    print_line("captures ", COUNTER(0x140) & 15);
    sleep_us(6000);
    print_line("back ", COUNTER(0x14C));
    uint32_t last = 0, count = COUNTER(0x140) & 15;
    while (COUNTER(0x140) & 15) last = COUNTER(0x144);
    print_line("captured ", count);
    print_line("last ", last);
    print_line("empty ", COUNTER(0x144) + (COUNTER(0x138) >> 24 & 1));
    print("done\r\n");
    for (;;) wait();
}
