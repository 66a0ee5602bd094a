/* The recovery loader: receives a signed list of images and then the images, and fills flash with them anew (HW-26).

   Until the list has been accepted nothing is changed. From then on the device has no partition table until all images
   are there and good: whoever stops in between has a device that asks for recovery again. */
#include "check.h"
#include "keystore.h"
#include "xmodem.h"

enum {
    SETTINGS = 0x00FC0000, IMAGES = 0x00010000, IMAGES_END = SETTINGS - SECTOR,
    MOST_PARTS = 64,
};

extern uint32_t __bss_start, __bss_end;

/* One image, as the body of the recovery manifest lists it. */
struct part { uint16_t type, version; uint32_t length; uint8_t ids[32]; };

static union { uint8_t bytes[8192]; struct { uint32_t length; uint8_t package[]; }; } list;
static struct entry places[2 * MOST_PARTS];
static uint8_t sector[SECTOR], tail[1024], keystore[1024];

static __attribute__((noinline)) void end(uint32_t error) {
    if (error) cancel();
    say_end(error);
    for (;;) REG(CHIP_HALT) = error;
}

static void change_flash(uint32_t operation, uint32_t offset, const void *from, uint32_t length) {
    REG(FLASH_OFFSET) = offset;
    REG(FLASH_SOURCE) = (uint32_t)from;
    REG(FLASH_LENGTH) = length;
    REG(FLASH_START) = operation;
}
static void write_sector(uint32_t offset, const void *from, uint32_t length) {
    change_flash(FLASH_ERASE, offset, 0, SECTOR);
    change_flash(FLASH_PROGRAM, offset, from, length);
}

/* Each type before apps has its counter, and so have the first four apps. */
static uint32_t floor_of(uint32_t type, uint32_t ordinal) {
    static const uint8_t types[] = {TYPE_ONE_BL, TYPE_KEYSTORE, 22, 20, TYPE_PLUTON_RUNTIME, 4, 7, 9};
    uint32_t counter = 0;
    while (counter < sizeof types && types[counter] != type) counter++;
    if (counter == sizeof types) counter += ordinal < 3 ? ordinal : 3;
    return REG(FUSE_COUNTERS + 4 * counter);
}

/* `image->signed_length` and what lies before the signature are set. */
static uint32_t judge(const struct image *image) {
    if (REG(CHIP_SECURE) != INSECURE) {
        const uint8_t *key = find_key(image);
        if (!key) return UNTRUSTED_CERTIFICATE;
        verify_signature(image, key);
        if (!REG(ECC_RESULT)) return BAD_IMAGE_SIGNATURE;
    }
    return 0;
}

static const struct part *parts;
static uint32_t part_count;

static uint32_t receive_list(void) {
    struct image image;
    uint32_t error = receive_into(list.bytes, sizeof list.bytes);
    if (error) return error;
    if (list.length < 64 + 12) return BAD_IMAGE_FILE_SIZE;
    image.base = list.package;
    image.signed_length = list.length - 64;
    if (parse(list.package, list.package + image.signed_length, &image) != ACCEPTED || image.type != TYPE_RECOVERY_MANIFEST)
        return BAD_IMAGE_TYPE;
    error = judge(&image);
    if (error) return error;
    parts = (const struct part *)list.package;
    part_count = image.body_length / sizeof(struct part);
    uint32_t sectors = 0, ordinal = 0;
    for (uint32_t p = 0; p < part_count; p++) {
        /* Now, and not when the old ones are gone. */
        ordinal = p && parts[p - 1].type == parts[p].type ? ordinal + 1 : 0;
        if (REG(CHIP_ROLLBACK) != INSECURE && parts[p].version < floor_of(parts[p].type, ordinal)) return IMAGE_ROLLED_BACK;
        if (parts[p].length < 64 + 12 || parts[p].length > IMAGES_END) return BAD_IMAGE_FILE_SIZE;
        sectors += (parts[p].length + SECTOR - 1) / SECTOR;
    }
    return part_count && part_count <= MOST_PARTS && 2 * sectors <= (IMAGES_END - IMAGES) / SECTOR ? 0 : BAD_IMAGE_FILE_SIZE;
}

/* What comes over the line goes into flash by sectors. */
static uint32_t write_at, head_count, length_said, left, filled, expected_length;
static void flush(void) {
    if (filled) write_sector(write_at, sector, filled);
    write_at += SECTOR;
    filled = 0;
}
static uint32_t store(const uint8_t *block, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (head_count < 4) {
            length_said |= (uint32_t)block[i] << 8 * head_count++;
            if (head_count == 4 && length_said != expected_length) return BAD_IMAGE_FILE_SIZE;
        } else if (left) {
            sector[filled++] = block[i];
            if (!--left || filled == SECTOR) flush();
        }
    }
    return 0;
}

static int differ(const uint8_t *a, const uint8_t *b, int count) {
    int difference = 0;
    for (int i = 0; i < count; i++) difference |= a[i] ^ b[i];
    return difference;
}

static uint32_t receive_part(const struct part *part, uint32_t offset) {
    write_at = offset;
    head_count = length_said = filled = 0;
    left = expected_length = part->length;
    uint32_t error = receive(store);
    if (error) return error;
    if (left) return BAD_IMAGE_FILE_SIZE;
    struct image image;
    image.base = (uint8_t *)(FLASH + offset);
    image.signed_length = part->length - 64;
    uint32_t count = image.signed_length < sizeof tail ? image.signed_length : sizeof tail;
    hash((uint32_t)image.base + image.signed_length - count, count, (uint32_t)tail, MODE_CRC32);
    if (parse(tail, tail + count, &image) != ACCEPTED || image.type != part->type) return BAD_IMAGE_TYPE;
    if (differ(image.identity + 4, part->ids, 16)) return BAD_COMPONENT_UID;
    if (differ(image.identity + 20, part->ids + 16, 16)) return BAD_IMAGE_UID;
    if (image.version < part->version) return IMAGE_ROLLED_BACK;
    error = judge(&image);
    if (!error && part->type == TYPE_KEYSTORE) {
        uint32_t length = image.body_length < sizeof keystore ? image.body_length : sizeof keystore;
        hash((uint32_t)image.base, length, (uint32_t)keystore, MODE_CRC32);
        trust(keystore, length);
    }
    return error;
}

static void copy_image(uint32_t from, uint32_t to, uint32_t length) {
    for (uint32_t done = 0; done < length; done += SECTOR) {
        uint32_t count = length - done < SECTOR ? length - done : SECTOR;
        hash(FLASH + from + done, count, (uint32_t)sector, MODE_CRC32);
        write_sector(to + done, sector, count);
    }
}

static void write_tables(void) {
    struct table *table = (struct table *)sector;
    table->magic = MAGIC_TABLE;
    table->generation = 1;
    table->count = 2 * part_count;
    for (uint32_t i = 0; i < table->count; i++) table->entries[i] = places[i];
    uint32_t length = 12 + sizeof(struct entry) * table->count;
    hash((uint32_t)table, length, 0, MODE_CRC32);
    *(uint32_t *)(sector + length) = REG(HASH_DIGEST);
    for (uint32_t slot = 0; slot < 2; slot++) write_sector(slot * SECTOR, sector, length + 4);
}

__attribute__((section(".text.entry"))) void begin(void) {
    REG(CHIP_POSTCODE) = 0x30;
    /* The loader was received where its data lie. */
    for (uint32_t *word = &__bss_start; word < &__bss_end; word++) *word = 0;
    trust(BOOT_KEY, 64);
    uint32_t error = receive_list();
    if (error) end(error);
    for (uint32_t slot = 0; slot < 2; slot++) change_flash(FLASH_ERASE, slot * SECTOR, 0, SECTOR);
    uint32_t offset = IMAGES;
    for (uint32_t p = 0; p < part_count; p++) {
        error = receive_part(&parts[p], offset);
        if (error) end(error);
        places[p] = (struct entry){parts[p].type, 0, offset, parts[p].length};
        offset += (parts[p].length + SECTOR - 1) / SECTOR * SECTOR;
    }
    for (uint32_t p = 0; p < part_count; p++) {
        copy_image(places[p].offset, offset, parts[p].length);
        places[part_count + p] = (struct entry){parts[p].type, 1, offset, parts[p].length};
        offset += (parts[p].length + SECTOR - 1) / SECTOR * SECTOR;
    }
    for (uint32_t at = SETTINGS; at < 0x01000000; at += SECTOR) change_flash(FLASH_ERASE, at, 0, SECTOR);
    write_tables();
    end(0);
}
