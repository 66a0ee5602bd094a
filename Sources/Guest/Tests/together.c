/* As firmware for a real-time kernel is built: everything by interrupts, at once. A button on GPIO 12 (EINT); UART bytes of
   ISU 0 through rings of the DMA controller; SPI of ISU 1 by DMA; I2C of ISU 2 as a master by DMA and of ISU 3 as its slave
   by DMA; the A7's mailbox, with the rings behind it; the other core's. A tick counts meanwhile, and a task in the lowest
   exception (PendSV) collects what the interrupts have left it. */
#include "wires.h"
enum { OTHER = 0x21060000, ROUNDS = 20 };
#define CHANNEL(n, offset) REG(DMA + (n) * 0x100 + (offset))
static SYSRAM volatile uint8_t serial_in[64], serial_out[64], slave_in[32], master_out[32];
static SYSRAM volatile uint32_t spi_words[13], who[4];
static volatile uint32_t ticks, edges, dma_interrupts, serial_bytes, spi_rounds, i2c_rounds, slave_rounds, app_words, other_words, tasks;
static volatile uint32_t rings_known, wrong;

static void start(int n, uint32_t control, const volatile void *memory, uint32_t port, uint32_t count, uint32_t ring) {
    REG(DMA + 0x4024) = 1u << n;
    CHANNEL(n, 0x18) = 0;
    CHANNEL(n, 0x14) = control;
    CHANNEL(n, 0x2C) = (uint32_t)memory;
    CHANNEL(n, 0x60) = port;
    CHANNEL(n, 0x10) = count;
    if (ring) {
        CHANNEL(n, 0x44) = ring;
        CHANNEL(n, 0x5C) = 0;
    }
    CHANNEL(n, 0x18) = 0x8000;
}
static void wake_task(void) { REG(SCS + 0xD04) = 1 << 28; }
void system_tick(void) {
    ticks++;
    wake_task();
}
static void on_edge(void) {
    edges++;
    wake_task();
}
static void next_i2c(void) {
    for (int i = 0; i < 12; i++) master_out[i] = i2c_rounds + i;
    REG(I2C(3) + 0xD8) = 3;
    start(7, 1 << 18 | 1 << 15 | 1 << 4 | 1 << 3, slave_in, ISU(3) + 0x2F0, 12, 0);
    REG(I2C(2) + 0x78) = 3;
    start(4, 1 << 4 | 1 << 2, master_out, ISU(2) + 0x290, 12, 0);
    REG(I2C(2) + 0x60) = SLAVE_ADDRESS;
    REG(I2C(2) + 0x54) = 12;
    REG(I2C(2) + 0x68) = 0;
    REG(I2C(2) + 0x70) = 1 << 15 | 1 << 14 | 1;
}
static void next_spi(void) {
    spi_words[0] = 0xFFFFFF8F;
    spi_words[9] = 1 << 2 | 1 << 9 | 38 << 16;
    spi_words[10] = 8 << 24 | 8 << 12;
    spi_words[11] = 1 << 8;
    start(3, 2 | 1 << 18 | 1 << 4 | 1 << 3, who, ISU(1) + 0x340, 1, 0);
    start(2, 2 | 1 << 2, spi_words, ISU(1) + 0x340, 13, 0);
}
static void on_spi(void) {
    (void)REG(ISU(1) + 0x334);
    spi_rounds++;
    wake_task();
}
static void on_master(void) {
    REG(I2C(2)) = REG(I2C(2));
    if (REG(I2C(2) + 0x6C)) wrong++;
    i2c_rounds++;
    wake_task();
}
static void on_slave(void) {
    REG(I2C(3)) = REG(I2C(3));
    slave_rounds++;
}
static void on_dma(void) {
    dma_interrupts++;
    for (int n = 0; n < 30; n++) CHANNEL(n, 0x20) = CHANNEL(n, 0x1C);
    wake_task();
}
static void on_app(void) {
    uint32_t status = REG(MBOX + 0x1C);
    REG(MBOX + 0x1C) = status;
    app_words++;
    wake_task();
}
static void on_other(void) {
    while (REG(OTHER + 0x58)) {
        (void)REG(OTHER + 0x54);
        (void)REG(OTHER + 0x50);
        other_words++;
    }
}
/* The task: starts again what has ended, and answers the UART. */
void pend_supervisor(void) {
    static uint32_t spi_seen, i2c_seen, taken;
    tasks++;
    if (spi_rounds != spi_seen) {
        spi_seen = spi_rounds;
        if ((who[0] & 0xFF) != 0x69) wrong++;
        if (spi_rounds < ROUNDS) next_spi();
    }
    if (i2c_rounds != i2c_seen && slave_rounds == i2c_rounds) {
        i2c_seen = i2c_rounds;
        for (int i = 0; i < 12; i++) if (slave_in[i] != (uint8_t)(i2c_rounds - 1 + i)) wrong++;
        if (i2c_rounds < ROUNDS) next_i2c();
    }
    uint32_t there = CHANNEL(14, 0x38);
    if (there) {
        uint32_t pointer = CHANNEL(14, 0x5C);
        for (uint32_t i = 0; i < there; i++) {
            if (serial_in[pointer & 63] != (uint8_t)taken) wrong++;
            taken++;
            pointer = (pointer & 0xFFFF) == 63 ? (pointer & 0x10000) ^ 0x10000 : pointer + 1;
        }
        CHANNEL(14, 0x5C) = pointer;
        serial_bytes = taken;
    }
}
static void mailboxes(void) {
    interrupt(11, on_app, 3);
    interrupt(15, on_other, 3);
    REG(OTHER + 0x38) = 1;
    /* Where the rings are: three commands. */
    while (rings_known < 3) {
        while (!REG(MBOX + 0x58)) {}
        (void)REG(MBOX + 0x54);
        if (REG(MBOX + 0x50) >> 16 == 0xBA5E) rings_known++;
    }
    REG(MBOX + 0x18) = 2;
}

int main(void) {
    BYTE(SCS + 0xD22) = 7 << 5; /* the task below all interrupts */
    BYTE(SCS + 0xD23) = 6 << 5;
    REG(CIRQ + 4 * 12) = 1 << 7 | 1 << 8 | 1 << 9;
    interrupt(20 + 12, on_edge, 5);
    interrupt(49, on_spi, 3);
    interrupt(52, on_master, 3);
    interrupt(56, on_slave, 2);
    interrupt(77, on_dma, 4);
    mailboxes();
    REG(ISU(1) + 0x338) = 1 << 8;
    REG(I2C(2)) = 2;
    REG(I2C(2) + 0xC0) = 1 << 4;
    REG(I2C(3) + 0xC8) = SLAVE_ADDRESS;
    REG(I2C(3) + 0xC4) = 1 << 15;
    REG(I2C(3)) = 1 << 5;
    REG(I2C(3) + 0xC0) = 3 << 4;
    serial_open(0, 1);
    REG(SERIAL(0) + 0x4C) = 1;
    start(14, 1 << 18 | 1 << 15 | 1 << 4, serial_in, SERIAL(0), 1, 64);
    for (int i = 0; i < 60; i++) serial_out[i] = i;
    start(13, 1 << 15 | 1 << 4, serial_out, SERIAL(0), 1, 64);
    CHANNEL(13, 0x5C) = 60;
    REG(SCS + 0x14) = 26000 - 1;
    REG(SCS + 0x10) = 7;
    next_spi();
    next_i2c();
    /* Sleeps but for the interrupts; the other core is told of each of ten. */
    uint32_t sent = 0;
    while (ticks < 1500) {
        wait();
        if (ticks / 100 > sent && sent < 10) {
            REG(OTHER + 0x44) = sent++;
            REG(OTHER + 0x40) = 0x100;
        }
    }
    print_line("edges ", edges);
    print_line("serial ", serial_bytes);
    print_line("spi ", spi_rounds);
    print_line("i2c ", i2c_rounds);
    print_line("slave ", slave_rounds);
    print_line("app ", app_words > 0);
    print_line("other ", other_words);
    print_line("dma ", dma_interrupts > 40);
    print_line("wrong ", wrong);
    return 0;
}
