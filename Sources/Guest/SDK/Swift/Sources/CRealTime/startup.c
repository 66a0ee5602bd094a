/* Start-up of a real-time app in TCM: the vector table, and the few symbols that Embedded Swift links to.
   The loader has copied .data and zeroed .bss before the core starts. */

#include <stddef.h>
#include <stdint.h>

extern uint32_t __stack_top;
/* Swift's @main. */
extern int main(int argc, char **argv);

static void halt(void) { for (;;) __asm volatile("wfi"); }

/* An app that uses the timer has its own. */
__attribute__((weak)) void timer_interrupt(void) { halt(); }

void reset_handler(void) {
    main(0, NULL);
    halt();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[116] = {
    [0] = &__stack_top, [1] = (void *)reset_handler, [2 ... 15] = (void *)halt,
    [16 ... 115] = (void *)halt, [16 + 1] = (void *)timer_interrupt,
};

void wait_for_interrupt(void) { __asm volatile("wfi" ::: "memory"); }
void enable_interrupts(void) { __asm volatile("cpsie i" ::: "memory"); }

/* No heap: an app that asks for memory stops. */
int posix_memalign(void **out, size_t alignment, size_t size) {
    (void)alignment; (void)size; *out = NULL;
    return 12;
}
void free(void *p) { (void)p; }

uintptr_t __stack_chk_guard = 0x5A5AA5A5;
void __stack_chk_fail(void) { halt(); }

void *memset(void *to, int value, size_t n) {
    for (uint8_t *p = to; n--; ) *p++ = (uint8_t)value;
    return to;
}
void *memcpy(void *to, const void *from, size_t n) {
    uint8_t *d = to; const uint8_t *s = from;
    while (n--) *d++ = *s++;
    return to;
}
void *memmove(void *to, const void *from, size_t n) {
    uint8_t *d = to; const uint8_t *s = from;
    if (d < s) { while (n--) *d++ = *s++; } else { while (n--) d[n] = s[n]; }
    return to;
}
void __aeabi_memclr(void *to, size_t n) { memset(to, 0, n); }
void __aeabi_memclr4(void *to, size_t n) { memset(to, 0, n); }
void __aeabi_memclr8(void *to, size_t n) { memset(to, 0, n); }
void __aeabi_memcpy(void *to, const void *from, size_t n) { memcpy(to, from, n); }
void __aeabi_memcpy4(void *to, const void *from, size_t n) { memcpy(to, from, n); }
void __aeabi_memmove(void *to, const void *from, size_t n) { memmove(to, from, n); }
