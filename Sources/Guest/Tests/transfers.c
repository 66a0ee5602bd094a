/* DMA as drivers use it: rings whose pointers count bytes, half-size channels that serve what their fixed address names,
   SPI by its data port, I2C both ways. */
#include "mt3620.h"

enum { SPI_PORT = 0x340, I2C_PORT = 0x290, UART_PORT = 0x500, WORDS = 8 };
#define CHANNEL(n, offset) REG(DMA + (n) * 0x100 + (offset))
#define SYSRAM __attribute__((section(".sysram")))
static SYSRAM volatile uint32_t samples[WORDS], configuration[13], words[4];
static SYSRAM volatile uint8_t text[32], heard[32];
/* Bit n: channel n has finished; two more for the handlers of SPI and I2C. */
enum { SPI_DONE = 30, I2C_DONE = 31 };
static volatile uint32_t finished, half, spi_status, rest;

static void channel(int n, uint32_t control, const volatile void *memory, uint32_t port, uint32_t count) {
    REG(DMA + 0x4024) = 1u << n;
    CHANNEL(n, 0x18) = 0;
    CHANNEL(n, 0x14) = control;
    CHANNEL(n, 0x2C) = (uint32_t)memory;
    CHANNEL(n, 0x60) = port;
    CHANNEL(n, 0x10) = count;
}
static void ring(int n, uint32_t control, const volatile void *memory, uint32_t port, uint32_t threshold, uint32_t elements) {
    channel(n, control, memory, port, threshold);
    CHANNEL(n, 0x44) = elements;
    CHANNEL(n, 0x5C) = 0;
}
static void start(int n) { CHANNEL(n, 0x18) = 0x8000; }
/* One line for all channels: every one that says it has something. */
static void dma_handler(void) {
    for (int n = 0; n < 30; n++) {
        if (!(REG(DMA + 0x4000 + n / 16 * 4) >> (n % 16 * 2 + 1) & 1)) continue;
        uint32_t status = CHANNEL(n, 0x1C);
        if (status & 1 << 13) half |= 1u << n;
        if (status & 1 << 15) finished |= 1u << n;
        if (n == 29) {
            /* As many as there are, from the software pointer on, round the end. */
            static uint32_t taken, next = 1;
            uint32_t count = CHANNEL(29, 0x38), pointer = CHANNEL(29, 0x5C) & 0xFFFF, wrap = CHANNEL(29, 0x5C) & 0x10000;
            for (uint32_t i = 0; i < count; i++) {
                uint32_t sample = samples[pointer / 4];
                if ((sample & 15) != next) print_line("out of order: ", sample & 15);
                next ^= 3; /* channels 1 and 2 */
                if ((pointer += 4) == sizeof samples) { pointer = 0; wrap ^= 0x10000; }
            }
            CHANNEL(29, 0x5C) = wrap | pointer;
            taken += count;
            if (taken == 60) {
                REG(ADC + 0x100) = 0;
                print_line("samples ", taken);
            } else {
                finished &= ~(1u << 29);
            }
        }
        CHANNEL(n, 0x20) = status;
    }
}
/* Masked, so that what comes after the look still ends the sleep. */
static void await(uint32_t bit) {
    for (;;) {
        __asm volatile("cpsid i" ::: "memory");
        if (finished & 1u << bit) break;
        wait();
        __asm volatile("cpsie i" ::: "memory");
    }
    finished &= ~(1u << bit);
    __asm volatile("cpsie i" ::: "memory");
}
static int text_length(const char *line) {
    int length = 0;
    for (; line[length]; length++) text[length] = line[length];
    return length;
}
static void show(int length) {
    for (int i = 0; i < length; i++) put(heard[i]);
    print("\r\n");
}

static void spi_handler(void) {
    CHANNEL(2, 0x18) = 0;
    spi_status = REG(ISU(1) + 0x334);
    rest = CHANNEL(2, 0x24);
    finished |= 1u << SPI_DONE;
}
static void i2c_handler(void) {
    REG(ISU(2) + 0x200) |= 1;
    CHANNEL(4, 0x18) = CHANNEL(5, 0x18) = 0;
    rest = CHANNEL(4, 0x24) + CHANNEL(5, 0x24);
    finished |= 1u << I2C_DONE;
}

static void rings(void) {
    uint32_t uart = ISU(0) + UART_PORT;
    int length = text_length("ring of bytes");
    REG(uart + 0x4C) = 1;
    ring(14, 1 << 18 | 1 << 15 | 1 << 4, heard, uart, length, 0x4000);
    start(14);
    /* The interrupt of a ring that is emptied says that it is empty. */
    ring(13, 1 << 15 | 1 << 4, text, uart, 1, 0x4000);
    CHANNEL(13, 0x5C) = length;
    start(13);
    await(13);
    print_line("sent, left ", CHANNEL(13, 0x38));
    await(14);
    print_line("heard ", CHANNEL(14, 0x38));
    show(length);
    CHANNEL(13, 0x18) = CHANNEL(14, 0x18) = 0;
    /* Sixty words through a ring of eight, taken as six are there: two channels a hundred times a second. */
    REG(ADC) = 1;
    REG(ADC + 0x104) = 20000;
    REG(ADC + 0x24C) = 1;
    ring(29, 2 | 1 << 18 | 1 << 15 | 1 << 4, samples, ADC + 0x200, 6, WORDS);
    start(29);
    REG(ADC + 0x100) = 6 << 16 | 1 << 8 | 1;
    await(29);
    CHANNEL(29, 0x18) = 0;
}

static void half_size(void) {
    uint32_t uart = ISU(0) + UART_PORT;
    int length = text_length("half-size");
    channel(1, 1 << 18 | 1 << 15 | 1 << 13 | 1 << 4 | 1 << 3, heard, uart, length);
    start(1);
    channel(0, 1 << 15 | 1 << 4 | 1 << 2, text, uart, length);
    start(0);
    await(0);
    await(1);
    print_line("half of ", half);
    show(length);
    REG(uart + 0x4C) = 0;
}

static void spi(void) {
    uint32_t block = ISU(1) + 0x300;
    interrupt(49, spi_handler, 2);
    REG(block + 0x38) = 1 << 8;
    channel(2, 2 | 1 << 2, configuration, ISU(1) + SPI_PORT, 13);
    configuration[0] = 0xFFFFFF8F;
    configuration[9] = 1 << 2 | 1 << 9 | 38 << 16;
    configuration[10] = 8 << 24 | 8 << 12;
    configuration[11] = 1 << 8;
    start(2);
    await(SPI_DONE);
    print_line("spi status ", spi_status);
    print_line("left ", rest);
    print_line("who ", BYTE(block + 0x48));
    /* The receiving channel may be started after the transfer. */
    channel(3, 2 | 1 << 18 | 1 << 15 | 1 << 4 | 1 << 3, words, ISU(1) + SPI_PORT, 1);
    start(3);
    await(3);
    print_line("again ", words[0]);
    REG(block + 0x38) = 0;
}

/* Both ways, by the FIFO: 1 to 16 bytes after an opcode, through a wire from MOSI to MISO. */
static void spi_loop(void) {
    uint32_t block = ISU(3) + 0x300, wrong = 0;
    REG(block + 0x28) = 1 << 2 | 1 << 10 | 6 << 16;
    for (uint32_t length = 1; length <= 16; length++) {
        REG(block + 0x04) = 0x5A;
        for (uint32_t i = 0; i < 4; i++) REG(block + 0x08 + 4 * i) = 0x14131211 + i * 0x04040404;
        REG(block + 0x2C) = 8 << 24 | length * 8 << 12 | length * 8;
        REG(block) = 2 << 19 | 1 << 8;
        while (REG(block) & 1 << 16) {}
        (void)REG(block + 0x34);
        for (uint32_t i = 0; i < length; i++)
            if (BYTE(block + 0x58 + i) != 0x11 + i || BYTE(block + 0x48 + i) != 0x11 + i) wrong++;
    }
    /* One way, nothing goes out while something comes in. */
    REG(block + 0x28) = 1 << 2 | 6 << 16;
    REG(block + 0x2C) = 8 << 24 | 8 << 12;
    REG(block) = 2 << 19 | 1 << 8;
    while (REG(block) & 1 << 16) {}
    print_line("loop wrong ", wrong);
    print_line("idle ", BYTE(block + 0x48));
}

static void i2c(void) {
    uint32_t block = ISU(2) + 0x200;
    interrupt(52, i2c_handler, 2);
    REG(block) = 3;
    REG(block + 0xC0) = 1 << 4;
    text[0] = 0x0F;
    channel(4, 1 << 4 | 1 << 2, text, ISU(2) + I2C_PORT, 1);
    channel(5, 1 << 18 | 1 << 16 | 1 << 4 | 1 << 3, heard, ISU(2) + I2C_PORT, 12);
    REG(block + 0x60) = 0x6A;
    REG(block + 0x54) = 1;
    REG(block + 0x58) = 12;
    REG(block + 0x68) = 1 << 4 | 2;
    start(4);
    start(5);
    while (!(REG(block + 0x74) & 4)) {}
    REG(block + 0x70) |= 1 << 15 | 1 << 14 | 1;
    await(I2C_DONE);
    print_line("i2c left ", rest);
    print_line("who ", heard[0]);
    print_line("fifo ", REG(block + 0x80) & 0x11);
}

/* By the FIFO, cleared before each transfer: what there is follows from its two pointers. */
static void i2c_fifo(void) {
    uint32_t block = ISU(2) + 0x200, lengths = 0;
    for (int n = 0; n < 4; n++) {
        REG(block + 0x78) = 3;
        REG(block + 0x54) = 1;
        REG(block + 0x58) = 6;
        REG(block + 0x68) = 1 << 4 | 2;
        REG(block + 0x90) = 0x0F;
        REG(block + 0x70) |= 1;
        await(I2C_DONE);
        uint32_t read = REG(block + 0x84) & 15, written = REG(block + 0x84) >> 4 & 15;
        lengths = lengths * 10 + ((written >= read ? written - read : 8 - (read - written)) & 15);
        while (!(REG(block + 0x80) & 1)) (void)REG(block + 0x90);
    }
    print_line("lengths ", lengths);
}

int main(void) {
    interrupt(77, dma_handler, 2);
    rings();
    half_size();
    spi();
    spi_loop();
    i2c();
    i2c_fifo();
    print("done\r\n");
    return 0;
}
