/* Two ISUs that are wired to each other: an I2C master and a slave, and UARTs, as drivers use them (mt3620-silicon §2.5, §2.10). */
#include "mt3620.h"
enum { SLAVE_ADDRESS = 0x42 };
#define I2C(n) (ISU(n) + 0x200)
#define SERIAL(n) (ISU(n) + 0x500)
#define SYSRAM __attribute__((section(".sysram")))

/* Masked between the look and the sleep: what comes in between still ends the sleep. */
#define WAIT_UNTIL(condition) do { \
    __asm volatile("cpsid i" ::: "memory"); \
    if (condition) { __asm volatile("cpsie i" ::: "memory"); break; } \
    wait(); \
    __asm volatile("cpsie i" ::: "memory"); \
} while (1)

static inline uint32_t microseconds(void) { return REG(GPT + 0x58); }
static inline void clock_start(void) {
    REG(GPT + 0x54) = 0;
    REG(GPT + 0x50) = 1 | 0x19 << 16;
}

/* 115200 baud, 8N1. */
static inline void serial_open(int unit, int divisor) {
    uint32_t uart = SERIAL(unit);
    REG(uart + 0x0C) = 0x80;
    REG(uart + 0x00) = divisor;
    REG(uart + 0x04) = 0;
    REG(uart + 0x0C) = 3;
    REG(uart + 0x24) = 3;
    REG(uart + 0x28) = 224;
    REG(uart + 0x2C) = 110;
    REG(uart + 0x08) = 1;
}

/* Whether the address was acknowledged; both FIFOs are cleared, as the vendor's driver does it. */
static inline void master_start(int unit, uint8_t address, const uint8_t *bytes, int sent, int received) {
    REG(I2C(unit) + 0x78) = 3;
    REG(I2C(unit) + 0x70) = 1 << 15 | 1 << 14;
    REG(I2C(unit) + 0x60) = address;
    REG(I2C(unit) + 0x54) = sent ? sent : received;
    REG(I2C(unit) + 0x58) = received;
    REG(I2C(unit) + 0x68) = sent && received ? 1 << 4 | 2 : received ? 1 : 0;
    REG(I2C(unit)) = 2;
    for (int i = 0; i < sent; i++) REG(I2C(unit) + 0x90) = bytes[i];
    REG(I2C(unit) + 0x70) |= 1;
}
static inline void slave_start(int unit, const uint8_t *bytes, int sent) {
    REG(I2C(unit) + 0xD8) = 3;
    REG(I2C(unit) + 0xC8) = SLAVE_ADDRESS;
    REG(I2C(unit) + 0xC4) = 1 << 15;
    REG(I2C(unit)) = 1 << 5;
    for (int i = 0; i < sent; i++) REG(I2C(unit) + 0xF0) = bytes[i];
}
static inline uint32_t slave_count(int unit) {
    uint32_t pointers = REG(I2C(unit) + 0xE4);
    return ((pointers >> 4 & 15) - (pointers & 15)) & 15;
}
