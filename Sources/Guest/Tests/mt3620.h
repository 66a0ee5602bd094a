/* The registers of a real-time core that the test programs use (mt3620-silicon §1–§3). */
#pragma once
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

enum { GPT = 0x21030000, UART = 0x21040000, WDT = 0x21020000, RGU = 0x21010000, CIRQ = 0x21000000, MBOX = 0x21050000,
       ADC = 0x38000000, DMA = 0x21080000, SCS = 0xE000E000 };
#define GROUP(n) (0x38010000u + 0x10000u * (n))
#define ISU(n) (0x38070000u + 0x10000u * (n))

static inline void put(char c) { while (!(REG(UART + 0x14) & 0x20)) {} REG(UART) = (uint8_t)c; }
#include "print.h"
