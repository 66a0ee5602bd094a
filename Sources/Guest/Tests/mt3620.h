/* The registers of a real-time core that the test programs use (mt3620-silicon §1–§3). */
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

enum { GPT = 0x21030000, UART = 0x21040000, WDT = 0x21020000, RGU = 0x21010000, CIRQ = 0x21000000, MBOX = 0x21050000,
       ADC = 0x38000000, DMA = 0x21080000, SCS = 0xE000E000 };
#define GROUP(n) (0x38010000u + 0x10000u * (n))
#define ISU(n) (0x38070000u + 0x10000u * (n))

static inline void put(char c) { while (!(REG(UART + 0x14) & 0x20)) {} REG(UART) = (uint8_t)c; }
static inline void print(const char *text) { while (*text) put(*text++); }
static inline void print_number(uint32_t value) {
    char digits[10];
    int count = 0;
    do { digits[count++] = '0' + value % 10; value /= 10; } while (value);
    while (count) put(digits[--count]);
}
static inline void print_hex(uint32_t value) { for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]); }
static inline void print_line(const char *text, uint32_t value) { print(text); print_number(value); print("\r\n"); }

typedef void (*handler)(void);
extern handler vectors[116];
static inline void interrupt(int line, handler h, int priority) {
    vectors[16 + line] = h;
    BYTE(SCS + 0x400 + line) = (uint8_t)(priority << 5);
    REG(SCS + 0x100 + line / 32 * 4) = 1u << line % 32;
}
static inline void wait(void) { __asm volatile("wfi" ::: "memory"); }
int main(void);
