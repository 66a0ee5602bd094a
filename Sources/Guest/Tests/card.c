/* An SD card in SPI mode on ISU 1, as drivers begin with one: initialized, asked for its size, read, written with and without
   a right checksum, many blocks, and beyond its end. */
#include "mt3620.h"
enum { SPI = 0x38080300 };
static uint8_t exchange(uint8_t byte) {
    REG(SPI + 0x08) = byte;
    REG(SPI + 0x28) = 1 << 2 | 1 << 10 | 2 << 16;
    REG(SPI + 0x2C) = 8 << 12 | 8;
    REG(SPI) = 1 << 8;
    while (REG(SPI) & 1 << 16) {}
    (void)REG(SPI + 0x34);
    return BYTE(SPI + 0x48);
}
static uint8_t crc7(const uint8_t *bytes, int count) {
    uint8_t crc = 0;
    for (int i = 0; i < count; i++)
        for (int bit = 7; bit >= 0; bit--) {
            uint8_t top = (crc >> 6 ^ bytes[i] >> bit) & 1;
            crc = (crc << 1 & 0x7F) ^ (top ? 9 : 0);
        }
    return crc << 1 | 1;
}
static uint16_t crc16(const uint8_t *bytes, int count) {
    uint16_t crc = 0;
    for (int i = 0; i < count; i++) {
        crc ^= bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return crc;
}
static uint8_t command(uint8_t index, uint32_t argument, uint8_t spoilt) {
    uint8_t frame[6] = {0x40 | index, argument >> 24, argument >> 16, argument >> 8, argument, 0};
    frame[5] = crc7(frame, 5) ^ spoilt;
    for (int i = 0; i < 6; i++) exchange(frame[i]);
    for (int i = 0; i < 10; i++) {
        uint8_t answer = exchange(0xFF);
        if (!(answer & 0x80)) return answer;
    }
    return 0xFF;
}
static uint8_t block[512];
static int read_data(int count) {
    uint8_t token = 0xFF;
    for (int i = 0; i < 100 && token == 0xFF; i++) token = exchange(0xFF);
    if (token != 0xFE) return -token;
    for (int i = 0; i < count; i++) block[i] = exchange(0xFF);
    uint16_t crc = exchange(0xFF) << 8;
    crc |= exchange(0xFF);
    return crc == crc16(block, count);
}
static uint8_t write_data(uint8_t token, uint16_t spoilt) {
    exchange(0xFF);
    exchange(token);
    for (int i = 0; i < 512; i++) exchange(block[i]);
    uint16_t crc = crc16(block, 512) ^ spoilt;
    exchange(crc >> 8);
    exchange(crc);
    uint8_t answer = 0xFF;
    for (int i = 0; i < 10 && answer == 0xFF; i++) answer = exchange(0xFF);
    while (exchange(0xFF) == 0) {}
    return answer & 0x1F;
}
int main(void) {
    for (int i = 0; i < 10; i++) exchange(0xFF);
    print_line("bad checksum ", command(0, 0, 2));
    print_line("idle ", command(0, 0, 0));
    print_line("interface ", command(8, 0x1AA, 0));
    uint32_t echo = 0;
    for (int i = 0; i < 4; i++) echo = echo << 8 | exchange(0xFF);
    print_line("pattern ", echo == 0x1AA);
    print_line("too early ", command(17, 0, 0));
    int tries = 0;
    do { command(55, 0, 0); tries++; } while (command(41, 1 << 30, 0) && tries < 100);
    print_line("tries ", tries);
    print_line("ocr ", command(58, 0, 0));
    print_line("high capacity ", exchange(0xFF) >> 6);
    for (int i = 0; i < 3; i++) exchange(0xFF);
    print_line("checks ", command(59, 1, 0));
    command(9, 0, 0);
    read_data(16);
    print_line("kilobytes ", ((block[7] & 0x3F) << 16 | block[8] << 8 | block[9]) * 512 + 512);
    command(17, 3, 0);
    print_line("read ", read_data(512));
    print("block 3: ");
    for (int i = 0; i < 8; i++) put(block[i]);
    print("\r\n");
    for (int i = 0; i < 512; i++) block[i] = i * 7;
    command(24, 5, 0);
    print_line("written ", write_data(0xFE, 0));
    command(24, 6, 0);
    print_line("spoilt ", write_data(0xFE, 1));
    command(25, 7, 0);
    print_line("first ", write_data(0xFC, 0));
    print_line("second ", write_data(0xFC, 0));
    exchange(0xFD);
    exchange(0xFF);
    while (exchange(0xFF) == 0) {}
    /* Blocks 5 to 8 again, of which one was refused. */
    command(18, 5, 0);
    for (int n = 5; n < 9; n++) {
        print_line("again ", read_data(512));
        print_line("byte ", block[9]);
    }
    print_line("stopped ", command(12, 0, 0));
    print_line("beyond ", command(17, 2048, 0));
    print_line("unknown ", command(63, 0, 0));
    return 0;
}
