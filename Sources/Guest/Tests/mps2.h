/* The registers of Arm's MPS2 board with image AN386 that the test programs use (ARM DAI 0386, ARM DDI 0479). */
#pragma once
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

enum { TIMER0 = 0x40000000, TIMER1 = 0x40001000, DUAL = 0x40002000, UART0 = 0x40004000, UART1 = 0x40005000, WATCHDOG = 0x40008000,
       GPIO0 = 0x40010000, FPGAIO = 0x40028000, SCC = 0x4002F000, SCS = 0xE000E000 };
enum { TICKS_PER_MILLISECOND = 25000 };

static inline void start_board(void) {
    REG(UART0 + 0x10) = 217; /* 115,200 baud */
    REG(UART0 + 0x08) = 1;
}
static inline void put(char c) { while (REG(UART0 + 0x04) & 1) {} REG(UART0) = (uint8_t)c; }
