#include "uart.h"
#include "bsp.h"

void uart_print(const char *text) {
    for (; *text; text++) {
        while (!(REGISTER(UART_BASE + 0x14) & 1u << 5)) {}
        REGISTER(UART_BASE) = (uint8_t)*text;
    }
}
