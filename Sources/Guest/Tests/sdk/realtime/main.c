/* The small C library on a bare core, and objects of C++ that were made before. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern uint32_t __bss_start[], __bss_end[];
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);
int count_in_plus(int);

static void print(const char *text) {
    for (; *text; text++) {
        while (!(*(volatile uint32_t *)0x21040014 & 1u << 5)) {}
        *(volatile uint32_t *)0x21040000 = (uint8_t)*text;
    }
}

void reset(void) {
    memset(__bss_start, 0, (size_t)((char *)__bss_end - (char *)__bss_start));
    for (void (**make)(void) = __init_array_start; make < __init_array_end; make++) (*make)();
    char line[64];
    snprintf(line, sizeof line, "counted %d, %s\r\n", count_in_plus(2), "core ready");
    print(line);
    for (;;) __asm volatile("wfi");
}
