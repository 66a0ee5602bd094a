/* Sends each byte back as the next one, from the receiver's interrupt, until a q comes. */
#include "../board.h"
static volatile uint32_t count, isOver;
static void received(void) {
    while (REG(UART0 + 0x04) & 2) {
        uint32_t byte = REG(UART0);
        REG(UART0 + 0x0C) = 2;
        if (byte == 'q') isOver = 1; else put((char)(byte + 1));
        count++;
    }
}
int main(void) {
    interrupt(0, received, 5);
    start_board();
    print("echo\r\n");
    REG(UART0 + 0x08) = 0xB;
    /* Masked between the look and the sleep: what comes there ends the sleep all the same. */
    __asm volatile("cpsid i" ::: "memory");
    while (!isOver) { wait(); __asm volatile("cpsie i\n isb\n cpsid i" ::: "memory"); }
    __asm volatile("cpsie i" ::: "memory");
    print_line("\r\nbytes ", count);
    finish();
}
