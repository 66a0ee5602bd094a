/* What boot code sees of the security core: registers of our own design, since the MT3620's are not public
   (Sources/Silicon/Boot/BootRegisters.swift is the other side of them), and the formats that it reads from flash. */
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))

enum {
    CHIP = 0x21080000, /* configuration, fuses, reports */
    CHIP_SECURE = CHIP + 0x00, CHIP_ROLLBACK = CHIP + 0x04, CHIP_RANDOM = CHIP + 0x08, CHIP_POSTCODE = CHIP + 0x0C,
    CHIP_CONSOLE = CHIP + 0x10, CHIP_HANDOVER = CHIP + 0x14, CHIP_HALT = CHIP + 0x18, CHIP_STRAP = CHIP + 0x1C,
    REPORT_STAGE = CHIP + 0x20, REPORT_SLOT = CHIP + 0x24, REPORT_OFFSET = CHIP + 0x28, REPORT_LENGTH = CHIP + 0x2C,
    REPORT_DETAIL = CHIP + 0x30, REPORT_RESULT = CHIP + 0x34,
    FUSE_KEY_HASH = CHIP + 0x100, FUSE_COUNTERS = CHIP + 0x140,

    HASH = 0x21090000, /* also copies what it hashes */
    HASH_SOURCE = HASH + 0x00, HASH_LENGTH = HASH + 0x04, HASH_DESTINATION = HASH + 0x08, HASH_MODE = HASH + 0x0C,
    HASH_START = HASH + 0x10, HASH_DIGEST = HASH + 0x20,

    ECC = 0x210A0000, /* P-256 verification; the result is 1 or 0, and its complement beside it */
    ECC_KEY = ECC + 0x00, ECC_DIGEST = ECC + 0x40, ECC_SIGNATURE = ECC + 0x60, ECC_START = ECC + 0xA0, ECC_RESULT = ECC + 0xA4,
    ECC_COMPLEMENT = ECC + 0xA8,

    MEASURE = 0x210B0000, /* can only be extended */
    MEASURE_TYPE = MEASURE + 0x00, MEASURE_DIGEST = MEASURE + 0x04, MEASURE_SIGNER = MEASURE + 0x24, MEASURE_EXTEND = MEASURE + 0x44,
    MEASURE_COUNT = MEASURE + 0x48,

    UART = 0x210C0000, /* the debug UART, in recovery mode only */
    UART_RECEIVED = UART + 0x00, UART_SEND = UART + 0x04, UART_WAIT = UART + 0x08, UART_EXPIRED = UART + 0x0C,

    FLASH_CONTROL = 0x210D0000,
    FLASH_OFFSET = FLASH_CONTROL + 0x00, FLASH_SOURCE = FLASH_CONTROL + 0x04, FLASH_LENGTH = FLASH_CONTROL + 0x08,
    FLASH_START = FLASH_CONTROL + 0x0C, FLASH_DONE = FLASH_CONTROL + 0x10,
    FLASH_ERASE = 1, FLASH_PROGRAM = 2, SECTOR = 4096,

    FLASH = 0x90000000, TCM = 0x00100000, TABLE = 0x00118000, STAGE_AREA = 0x00108000,
    MODE_SHA256 = 0, MODE_CRC32 = 1,
    MAGIC_TABLE = 0x3254504F, MAGIC_PACKAGE = 0x4D345834,
    TYPE_ONE_BL = 1, TYPE_PLUTON_RUNTIME = 2, TYPE_APPLICATION = 10, TYPE_KEYSTORE = 19, TYPE_RECOVERY_MANIFEST = 26,
};

/* A chip that does not enforce secure boot says so with a word that no fault makes; everything else means that it does. */
enum { INSECURE = 0x5AC3693C };

/* RTS of the debug UART was held when the chip came out of reset. */
enum { STRAPPED = 0x57A9 };

/* Results of a check. The hardened build accepts nothing but the first, which no register holds by chance. */
enum {
    ACCEPTED = 0x3CA5965A, NOT_A_PACKAGE = 1, WRONG_TYPE, UNTRUSTED_SIGNER, BAD_SIGNATURE, ROLLED_BACK, LIST_FULL, BAD_TABLE, NO_COPY,
};

struct entry { uint16_t type, slot; uint32_t offset, length; };
struct table { uint32_t magic, generation, count; struct entry entries[]; };

struct image {
    const struct entry *entry;
    uint8_t *base;          /* where it was copied to */
    uint32_t signed_length; /* all but the signature */
    uint32_t body_length, type, version;
    const uint8_t *signer;
    const uint8_t *identity; /* type, component and image IDs */
};

/* What the ROM leaves for 1BL: the table, and the boot key at the beginning of 1BL's own body. */
#define BOOT_KEY ((const uint8_t *)TCM)
#define CODE_LENGTH (*(const uint32_t *)(TCM + 64))
enum { CODE = TCM + 68 };

static inline void copy_to_registers(uint32_t to, const uint8_t *from, int words) {
    for (int i = 0; i < words; i++)
        REG(to + 4 * i) = from[4 * i] | from[4 * i + 1] << 8 | from[4 * i + 2] << 16 | (uint32_t)from[4 * i + 3] << 24;
}
static inline void copy_registers(uint32_t to, uint32_t from, int words) {
    for (int i = 0; i < words; i++) REG(to + 4 * i) = REG(from + 4 * i);
}
static inline void hash(uint32_t source, uint32_t length, uint32_t destination, uint32_t mode) {
    REG(HASH_SOURCE) = source;
    REG(HASH_LENGTH) = length;
    REG(HASH_DESTINATION) = destination;
    REG(HASH_MODE) = mode;
    REG(HASH_START) = 1;
}
static inline void print(const char *text) { while (*text) REG(CHIP_CONSOLE) = *text++; }
static inline void report(uint32_t stage, const struct entry *entry, uint32_t detail, uint32_t result) {
    REG(REPORT_STAGE) = stage;
    REG(REPORT_SLOT) = entry->slot;
    REG(REPORT_OFFSET) = entry->offset;
    REG(REPORT_LENGTH) = entry->length;
    REG(REPORT_DETAIL) = detail;
    REG(REPORT_RESULT) = result;
}
