/* Draws on an SSD1306: on I2C (ISU 2), or with D/C on GPIO 6 on SPI (ISU 1). A frame, a diagonal, and a block in the upper
   left corner; then, after a fifth of a second, everything the other way round. */
#include "wires.h"
static volatile uint32_t done;
static uint8_t frame[1024];
static void on_i2c(void) {
    REG(I2C(2)) = REG(I2C(2));
    done = 1;
}
static void i2c_write(uint8_t control, const uint8_t *bytes, int count) {
    done = 0;
    REG(I2C(2) + 0x78) = 3;
    REG(I2C(2) + 0x60) = 0x3C;
    REG(I2C(2) + 0x54) = count + 1;
    REG(I2C(2) + 0x68) = 0;
    REG(I2C(2)) = 2;
    REG(I2C(2) + 0x90) = control;
    REG(I2C(2) + 0x70) = 1 << 15 | 1 << 14 | 1;
    for (int i = 0; i < count; i++) {
        while (REG(I2C(2) + 0x80) & 1 << 5) {}
        REG(I2C(2) + 0x90) = bytes[i];
    }
    WAIT_UNTIL(done);
    if (REG(I2C(2) + 0x6C)) print("nobody on I2C\r\n");
}
static void spi_write(int is_data, const uint8_t *bytes, int count) {
    uint32_t spi = ISU(1) + 0x300;
    REG(GROUP(1) + 0x10) = is_data ? 4 : 0;
    for (int i = 0; i < count; i += 16) {
        int part = count - i < 16 ? count - i : 16;
        for (int j = 0; j < part; j += 4) {
            uint32_t word = 0;
            for (int k = 0; k < 4 && j + k < part; k++) word |= (uint32_t)bytes[i + j + k] << 8 * k;
            REG(spi + 0x08 + j) = word;
        }
        REG(spi + 0x28) = 1 << 2 | 8 << 16;
        REG(spi + 0x2C) = part * 8;
        REG(spi) = 1 << 8;
        while (REG(spi) & 1 << 16) {}
        (void)REG(spi + 0x34);
    }
}
static void show(void) {
    static const uint8_t window[] = {0x20, 0x00, 0x21, 0, 127, 0x22, 0, 7};
    i2c_write(0x00, window, sizeof window);
    for (int i = 0; i < 1024; i += 64) i2c_write(0x40, frame + i, 64);
    spi_write(0, window, sizeof window);
    spi_write(1, frame, sizeof frame);
}
static void pixel(int x, int y) { frame[y / 8 * 128 + x] |= 1 << y % 8; }
int main(void) {
    static const uint8_t start[] = {0xAE, 0xD5, 0x80, 0xA8, 63, 0xD3, 0, 0x40, 0x8D, 0x14, 0xA1, 0xC8, 0xDA, 0x12, 0x81, 0xCF, 0xA4, 0xA6, 0xAF};
    interrupt(44 + 8, on_i2c, 2);
    REG(GROUP(1) + 0x24) = 4;
    clock_start();
    i2c_write(0x00, start, sizeof start);
    spi_write(0, start, sizeof start);
    for (int x = 0; x < 128; x++) pixel(x, 0), pixel(x, 63), pixel(x, x / 2);
    for (int y = 0; y < 64; y++) pixel(0, y), pixel(127, y);
    for (int y = 4; y < 12; y++) for (int x = 4; x < 20; x++) pixel(x, y);
    show();
    print("drawn\r\n");
    while (microseconds() < 200000) {}
    static const uint8_t inverse[] = {0xA7};
    i2c_write(0x80, inverse, 1);
    spi_write(0, inverse, 1);
    print("inverted\r\n");
    return 0;
}
