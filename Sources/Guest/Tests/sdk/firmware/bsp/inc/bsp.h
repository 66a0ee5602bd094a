#pragma once
#include <stdint.h>
#define REGISTER(address) (*(volatile uint32_t *)(address))
enum { UART_BASE = 0x21040000 };
#define CORE_BASE 0xE000E000u
