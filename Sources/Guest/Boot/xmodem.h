/* Receives files over the debug UART: XMODEM with CRC and blocks of 128 or 1,024 bytes, as in Forsberg's "XMODEM/YMODEM
   Protocol Reference" (1988). Each file begins with its length, since the protocol fills its last block up. */
enum { SOH = 1, STX = 2, EOT = 4, ACK = 6, NAK = 21, CAN = 24 };

/* Why a recovery ends, as the original numbers it (HW-26); the last one is ours. */
enum recovery_error {
    UNTRUSTED_CERTIFICATE = 4, BAD_IMAGE_SIGNATURE, BAD_COMPONENT_UID, BAD_IMAGE_UID, BAD_IMAGE_FILE_SIZE, BAD_IMAGE_TYPE,
    XMODEM_SILENCE = 205, XMODEM_BROKEN = 206, IMAGE_ROLLED_BACK = 1000, CATEGORY_RECOVERY = 39,
};

enum { NO_BYTE = 0x100, GREETING_MS = 1000, GREETINGS = 600, BLOCK_MS = 10000, BYTE_MS = 1000, MOST_ERRORS = 10 };

/* The next byte, or NO_BYTE when that much time has passed; the core sleeps meanwhile. */
static __attribute__((noinline)) uint32_t next_byte(uint32_t milliseconds) {
    for (;;) {
        uint32_t byte = REG(UART_RECEIVED);
        if (byte != NO_BYTE || REG(UART_EXPIRED)) return byte;
        REG(UART_WAIT) = milliseconds;
    }
}

static void say(uint8_t byte) { REG(UART_SEND) = byte; }
static void say_text(const char *text) { while (*text) say((uint8_t)*text++); }
static void cancel(void) { for (int i = 0; i < 3; i++) say(CAN); }

/* The last word of a recovery, as the original shows its errors: category times 2^20 plus number. */
static void say_end(uint32_t error) {
    if (!error) return say_text("recovery complete\r\n");
    char digits[12], *at = digits + 11;
    uint32_t left = (CATEGORY_RECOVERY << 20) + error;
    for (*at = 0; left; left /= 10) *--at = (char)('0' + left % 10);
    say_text("recovery error ");
    say_text(at);
    say_text("\r\n");
}

static uint32_t crc16(const uint8_t *at, uint32_t count) {
    uint32_t crc = 0;
    for (; count; count--) {
        uint32_t x = (crc >> 8 ^ *at++) & 0xFF;
        x ^= x >> 4;
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF;
    }
    return crc;
}

/* The rest of a block; its number, or NO_BYTE if it is damaged. */
static uint32_t read_block(uint8_t *block, uint32_t size) {
    uint32_t number = next_byte(BYTE_MS), complement = next_byte(BYTE_MS);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t byte = next_byte(BYTE_MS);
        if (byte == NO_BYTE) return NO_BYTE;
        block[i] = (uint8_t)byte;
    }
    uint32_t high = next_byte(BYTE_MS), low = next_byte(BYTE_MS);
    if (number == NO_BYTE || (number ^ complement) != 0xFF || (high << 8 | low) != crc16(block, size)) return NO_BYTE;
    return number;
}

/* Until the line is quiet: what follows a damaged block is no block. */
static void purge(void) {
    for (int i = 0; i < 2048 && next_byte(BYTE_MS) != NO_BYTE; i++) {}
}

/* One file. `take` gets its blocks, and ends the transfer with an error of its own. */
static uint32_t receive(uint32_t (*take)(const uint8_t *block, uint32_t size)) {
    static uint8_t block[1024];
    uint32_t expected = 1, has_begun = 0;
    say('C');
    for (uint32_t errors = 0; errors < (has_begun ? MOST_ERRORS : GREETINGS);) {
        uint32_t head = next_byte(has_begun ? BLOCK_MS : GREETING_MS);
        if (head == SOH || head == STX) {
            uint32_t size = head == SOH ? 128 : 1024, number = read_block(block, size);
            if (number == NO_BYTE) {
                purge();
                errors++;
                say(has_begun ? NAK : 'C');
            } else if (number == (expected & 0xFF)) {
                uint32_t error = take(block, size);
                if (error) return cancel(), error;
                expected++;
                has_begun = 1;
                errors = 0;
                say(ACK);
            } else if (has_begun && number == ((expected - 1) & 0xFF)) {
                errors++;
                say(ACK); /* it did not hear the first time */
            } else {
                return cancel(), XMODEM_BROKEN;
            }
        } else if (head == EOT && has_begun) {
            return say(ACK), 0;
        } else if (head == CAN && next_byte(BYTE_MS) == CAN) {
            return XMODEM_BROKEN;
        } else {
            errors++;
            if (head == NO_BYTE) say(has_begun ? NAK : 'C');
        }
    }
    return cancel(), has_begun ? XMODEM_BROKEN : XMODEM_SILENCE;
}

/* A file into memory: `room` bytes from `target` on, the length before the content. */
static uint8_t *target;
static uint32_t room;
static uint32_t keep(const uint8_t *block, uint32_t size) {
    if (size > room) return BAD_IMAGE_FILE_SIZE;
    for (uint32_t i = 0; i < size; i++) *target++ = block[i];
    room -= size;
    return 0;
}
static uint32_t receive_into(uint8_t *to, uint32_t most) {
    target = to;
    room = most;
    uint32_t error = receive(keep);
    if (error) return error;
    return *(uint32_t *)to <= (uint32_t)(target - to) - 4 ? 0 : BAD_IMAGE_FILE_SIZE;
}

static uint32_t recovery_error(uint32_t result) {
    switch (result) {
    case ACCEPTED: return 0;
    case UNTRUSTED_SIGNER: return UNTRUSTED_CERTIFICATE;
    case BAD_SIGNATURE: return BAD_IMAGE_SIGNATURE;
    case ROLLED_BACK: return IMAGE_ROLLED_BACK;
    default: return BAD_IMAGE_TYPE;
    }
}
