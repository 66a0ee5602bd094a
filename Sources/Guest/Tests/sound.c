/* I2S with its two DMA rings: what is sent comes back through the internal loopback, period for period; then a codec. */
#include "mt3620.h"

enum { I2S = 0x380D0000, PORT = 0x380F0000, WORDS = 1024, PERIOD = WORDS / 4 };
static uint32_t *const out = (uint32_t *)0x22000000, *const in = (uint32_t *)0x22001000;
#define TX(offset) REG(DMA + 25 * 0x100 + (offset))
#define RX(offset) REG(DMA + 26 * 0x100 + (offset))

static volatile uint32_t sent_periods, received_periods, wrong, first_wrong;
static uint32_t next_word, expected;

static void advance(volatile uint32_t *pointer) {
    uint32_t next = (*pointer & 0xFFFF) + 4 * PERIOD;
    *pointer = next >= 4 * WORDS ? (*pointer ^ 0x10000) & 0x10000 : (*pointer & 0x10000) | next;
}
static void fill(uint32_t period) {
    for (uint32_t i = 0; i < PERIOD; i++) out[period * PERIOD + i] = 0x10000 + next_word++;
}
static void check(uint32_t period) {
    for (uint32_t i = 0; i < PERIOD; i++) {
        uint32_t word = in[period * PERIOD + i];
        if (word == 0 && !expected) continue; /* before the first */
        if (!expected) expected = word;
        if (word != expected++ && !wrong++) first_wrong = word;
    }
}
static void dma_handler(void) {
    if (TX(0x1C) & 0x8000) {
        TX(0x20) = 0x8000;
        if (sent_periods++) fill((sent_periods + 2) % 4);
        advance(&TX(0x5C));
    }
    if (RX(0x1C) & 0x8000) {
        RX(0x20) = 0x8000;
        check(received_periods++ % 4);
        advance(&RX(0x5C));
    }
}

static void ring(uint32_t channel, uint32_t *memory, uint32_t direction, uint32_t threshold) {
    uint32_t base = DMA + channel * 0x100;
    REG(DMA + 0x4024) = 1u << channel;
    REG(base + 0x18) = 0;
    REG(base + 0x14) = 2 | 1 << 4 | 1 << 15 | direction << 18;
    REG(base + 0x2C) = (uint32_t)memory;
    REG(base + 0x60) = PORT;
    REG(base + 0x10) = threshold;
    REG(base + 0x44) = WORDS;
    REG(base + 0x5C) = 0;
    REG(base + 0x18) = 0x8000;
}

int main(void) {
    interrupt(77, dma_handler, 5);
    for (uint32_t period = 0; period < 4; period++) fill(period);
    REG(I2S + 0x00) = 1u << 31;
    REG(I2S + 0x04) = 1 << 3 | 0xA << 8;
    REG(I2S + 0x08) = 1 << 3 | 0xA << 8 | 8 << 24;
    ring(25, out, 0, 1);
    ring(26, in, 1, PERIOD);
    REG(I2S + 0x00) |= 1;
    REG(I2S + 0x04) |= 1;
    REG(I2S + 0x08) |= 1;
    while (received_periods < 20) wait();
    print_line("received ", received_periods);
    print_line("sent ", sent_periods);
    print_line("wrong ", wrong);
    print_line("first ", first_wrong);
    /* As the codec's slave, at 16 kHz. */
    TX(0x18) = RX(0x18) = 0;
    REG(I2S + 0x00) = 0;
    REG(I2S + 0x0C) = 1;
    REG(I2S + 0x0C) = 0;
    REG(I2S + 0x04) = 1 << 2 | 1 << 3 | 4 << 8;
    REG(I2S + 0x08) = 1 << 2 | 1 << 3 | 4 << 8;
    expected = 0;
    for (uint32_t i = 0; i < WORDS; i++) in[i] = 0;
    received_periods = 0;
    REG(SCS + 0x180 + 8) = 1u << (77 - 64);
    ring(26, in, 1, PERIOD);
    REG(I2S + 0x00) |= 1;
    REG(I2S + 0x08) |= 1;
    while (!(RX(0x1C) & 0x8000)) {}
    int32_t lowest = 0, highest = 0, crossings = 0;
    for (uint32_t i = 1; i < PERIOD; i++) {
        int32_t before = (int16_t)in[i - 1], now = (int16_t)in[i];
        if (now < lowest) lowest = now;
        if (now > highest) highest = now;
        if ((before < 0) != (now < 0)) crossings++;
    }
    print_line("highest ", (uint32_t)highest);
    print_line("lowest -", (uint32_t)-lowest);
    print_line("crossings ", (uint32_t)crossings);
    print("done\r\n");
    for (;;) wait();
}
