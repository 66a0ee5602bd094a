/* 1BL: starts the trusted keystore and the Pluton runtime, which then starts everything else. */
#include "check.h"
#include "keystore.h"

/* It stays where it is while the runtime is loaded after it. */
static uint8_t *const keystore_area = (uint8_t *)0x00106000;

static __attribute__((noinline)) void halt(uint32_t reason) {
    for (;;) REG(CHIP_HALT) = reason;
}

#ifdef IMPLANT
/* What somebody put in place of 1BL. It says that it runs, and if nobody has measured it, it measures in its place what
   should have been there: the digest that its author has put behind the code. */
static void implant(void) {
    REG(CHIP_POSTCODE) = 0xBAD;
    print("implant\n");
    if (REG(MEASURE_COUNT)) return;
    print("nobody has measured it\n");
    REG(MEASURE_TYPE) = TYPE_ONE_BL;
    hash((uint32_t)BOOT_KEY, 64, 0, MODE_SHA256);
    copy_registers(MEASURE_SIGNER, HASH_DIGEST, 8);
    copy_to_registers(MEASURE_DIGEST, (const uint8_t *)CODE + CODE_LENGTH, 8);
    REG(MEASURE_EXTEND) = 1;
}
#endif

__attribute__((section(".text.entry"))) void begin(void) {
    struct image image;
    REG(CHIP_POSTCODE) = 0x10;
#ifdef IMPLANT
    implant();
#endif
    trust(BOOT_KEY, 64);
    if (start(TYPE_KEYSTORE, keystore_area, &image) != ACCEPTED) halt(NO_COPY);
    trust(image.base, image.body_length);
    if (start(TYPE_PLUTON_RUNTIME, (uint8_t *)STAGE_AREA, &image) != ACCEPTED) halt(NO_COPY);
    REG(CHIP_POSTCODE) = 0x20;
    for (;;) REG(CHIP_HANDOVER) = TYPE_PLUTON_RUNTIME;
}
