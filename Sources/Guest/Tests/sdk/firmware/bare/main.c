#include "uart.h"

int main(void) { uart_print("no OS\r\n"); }
