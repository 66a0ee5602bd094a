/* Who are you? An inertial sensor on I2C (ISU 2), with and without DMA, and on SPI (ISU 1); an echo on ISU 0's UART. */
#include "mt3620.h"
static volatile int finished;
static uint8_t buffer[32] __attribute__((section(".sysram")));
static void i2c_done(void) {
    REG(ISU(2) + 0x200) = REG(ISU(2) + 0x200) | 1;
    finished = 1;
}
static void i2c_start(uint8_t address, const uint8_t *bytes, int sent, int received) {
    uint32_t i2c = ISU(2) + 0x200;
    REG(i2c + 0x78) = 3;
    REG(i2c + 0x60) = address;
    REG(i2c + 0x54) = sent;
    REG(i2c + 0x58) = received;
    REG(i2c + 0x68) = received ? 1 << 4 | 2 : 0;
    for (int i = 0; i < sent; i++) REG(i2c + 0x90) = bytes[i];
    finished = 0;
    REG(i2c + 0x70) = 1 << 15 | 1 << 14 | 1;
    while (!finished) wait();
}
static uint32_t spi_read(uint8_t index) {
    uint32_t spi = ISU(1) + 0x300;
    REG(spi + 0x04) = 0x80 | index;
    REG(spi + 0x28) = 1 << 2 | 38 << 16;
    REG(spi + 0x2C) = 8 << 24 | 8 << 12;
    REG(spi) = 1 << 8;
    while (REG(spi) & 1 << 16) {}
    (void)REG(spi + 0x34);
    return REG(spi + 0x48) & 0xFF;
}
int main(void) {
    static const uint8_t who[] = {0x0F}, turn_on[] = {0x10, 0x60}, out[] = {0x28};
    interrupt(44 + 4 * 2, i2c_done, 2);
    REG(ISU(2) + 0x200) = 2;
    i2c_start(0x6A, who, 1, 1);
    print("i2c ");
    print_hex(REG(ISU(2) + 0x290));
    print("\r\n");
    i2c_start(0x11, who, 1, 1);
    print_line("nobody: ", REG(ISU(2) + 0x26C) >> 8 & 1);
    i2c_start(0x6A, turn_on, 2, 0);
    /* Six bytes by DMA, channel 5. */
    REG(ISU(2) + 0x2C0) = 1 << 4;
    REG(DMA + 0x500 + 0x14) = 1 << 18 | 1 << 4 | 1 << 3;
    REG(DMA + 0x500 + 0x2C) = (uint32_t)buffer;
    REG(DMA + 0x500 + 0x10) = 6;
    REG(DMA + 0x500 + 0x18) = 1 << 15;
    i2c_start(0x6A, out, 1, 6);
    print_line("left over ", REG(DMA + 0x500 + 0x24));
    print_line("z ", buffer[4] | buffer[5] << 8);
    print("spi ");
    print_hex(spi_read(0x0F));
    print("\r\n");
    uint32_t uart = ISU(0) + 0x500;
    for (const char *c = "echo"; *c; c++) {
        REG(uart) = *c;
        while (!(REG(uart + 0x14) & 1)) {}
        put(REG(uart));
    }
    print("\r\n");
    return 0;
}
