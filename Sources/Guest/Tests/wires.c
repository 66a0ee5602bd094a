/* ISU 1 and ISU 2 of one core, wired to each other: UART bytes at 115200 baud both ways and at the wrong rate; then ISU 1 as
   an I2C master and ISU 2 as a slave, by FIFO and by DMA. */
#include "wires.h"
static volatile uint32_t master_done, slave_done;
static SYSRAM volatile uint8_t out[64], in[64];

static void on_master(void) {
    REG(I2C(1)) = REG(I2C(1));
    master_done = 1;
}
static void on_slave(void) {
    REG(I2C(2)) = REG(I2C(2));
    slave_done++;
}
static uint32_t master(uint8_t address, const uint8_t *bytes, int sent, int received) {
    master_done = 0;
    master_start(1, address, bytes, sent, received);
    WAIT_UNTIL(master_done);
    return REG(I2C(1) + 0x6C);
}

static void serial(void) {
    serial_open(1, 1);
    serial_open(2, 1);
    uint32_t begin = microseconds();
    int sent = 0, received = 0, wrong = 0;
    while (received < 100) {
        if (sent < 100 && REG(SERIAL(1) + 0x14) & 0x20) REG(SERIAL(1)) = sent++;
        if (REG(SERIAL(2) + 0x14) & 1) {
            if (REG(SERIAL(2)) != (uint32_t)received) wrong++;
            received++;
        }
    }
    uint32_t spent = microseconds() - begin;
    print_line("100 bytes, wrong ", wrong);
    print_line("took 8.6 ms: ", spent > 8600 && spent < 8760);
    /* Sixteen at once fill the FIFO, and leave at the line's rate. */
    for (int i = 0; i < 16; i++) REG(SERIAL(2)) = 'a' + i;
    print_line("waiting ", REG(SERIAL(2) + 0x6C));
    while (!(REG(SERIAL(2) + 0x14) & 0x40)) {}
    print_line("arrived ", REG(SERIAL(1) + 0x68));
    REG(SERIAL(1) + 0x08) = 3;
    /* Four more than there is room for. */
    for (int i = 0; i < 21; i++) REG(SERIAL(2)) = 'a' + i;
    while (!(REG(SERIAL(2) + 0x14) & 0x40)) {}
    print_line("of 21: ", REG(SERIAL(1) + 0x68));
    print_line("overrun ", REG(SERIAL(1) + 0x14) >> 1 & 1);
    /* Half the rate at one end. */
    REG(SERIAL(1) + 0x08) = 3;
    serial_open(2, 2);
    REG(SERIAL(2)) = 'x';
    while (!(REG(SERIAL(1) + 0x14) & 8)) {}
    print("framing error\r\n");
}

static void by_fifo(void) {
    static const uint8_t words[] = {1, 2, 3, 4, 5}, answer[] = {0xA0, 0xA1, 0xA2};
    slave_start(2, 0, 0);
    print_line("nobody at 0x43: ", master(0x43, words, 5, 0) >> 8);
    print_line("acknowledged ", !master(SLAVE_ADDRESS, words, 5, 0));
    WAIT_UNTIL(slave_done == 1);
    print_line("slave has ", slave_count(2));
    uint32_t sum = 0;
    while (!(REG(I2C(2) + 0xE0) & 1)) sum = sum * 10 + REG(I2C(2) + 0xF0);
    print_line("it is ", sum);
    print_line("clean ", REG(I2C(2) + 0xE0) == 0x11);
    slave_start(2, answer, 3);
    print_line("acknowledged ", !master(SLAVE_ADDRESS, 0, 0, 4));
    print_line("read bit ", REG(I2C(2) + 0xCC) == (0x80 | SLAVE_ADDRESS));
    for (int i = 0; i < 4; i++) print_hex(REG(I2C(1) + 0x90)), put(i < 3 ? ' ' : '\n');
    print_line("underrun ", REG(I2C(2) + 0xE0) >> 6 & 1);
}

static void channel(int n, uint32_t control, const volatile void *memory, uint32_t port, uint32_t count) {
    uint32_t base = DMA + n * 0x100;
    REG(DMA + 0x4024) = 1u << n;
    REG(base + 0x18) = 0;
    REG(base + 0x14) = control;
    REG(base + 0x2C) = (uint32_t)memory;
    REG(base + 0x60) = port;
    REG(base + 0x10) = count;
    REG(base + 0x18) = 0x8000;
}
static void by_dma(void) {
    for (int i = 0; i < 40; i++) out[i] = 3 * i;
    slave_start(2, 0, 0);
    REG(I2C(2) + 0xC0) = 3 << 4;
    channel(5, 1 << 18 | 1 << 15 | 1 << 4 | 1 << 3, in, ISU(2) + 0x2F0, 40);
    REG(I2C(1) + 0xC0) = 1 << 4;
    channel(2, 1 << 4 | 1 << 2, out, ISU(1) + 0x290, 40);
    master_done = 0;
    REG(I2C(1) + 0x54) = 40;
    REG(I2C(1) + 0x68) = 0;
    REG(I2C(1)) = 2;
    REG(I2C(1) + 0x70) |= 1;
    WAIT_UNTIL(master_done);
    print_line("acknowledged ", !REG(I2C(1) + 0x6C));
    uint32_t wrong = 0;
    print_line("left ", REG(DMA + 5 * 0x100 + 0x24));
    for (int i = 0; i < 40; i++) wrong += in[i] != (uint8_t)(3 * i);
    print_line("wrong ", wrong);
}

int main(void) {
    clock_start();
    interrupt(44 + 4, on_master, 2);
    interrupt(44 + 8, on_slave, 2);
    serial();
    by_fifo();
    by_dma();
    print("done\r\n");
    return 0;
}
