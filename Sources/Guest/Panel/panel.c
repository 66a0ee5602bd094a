/* A heating panel for a wall: it switches a relay on pin 8 and can be asked and set over TCP port 8080.
   Deliberately vulnerable: renaming it trusts the length that came over the network. Nothing else is wrong with it.
   It needs no C library. Frames, both ways: a letter, the length of what follows (16 bits, low byte first), that much. */

/* The relay is in another block of pins than the compressor's PWM: a block goes to one core. */
enum { PORT = 8080, LONGEST = 4096, NAME = 32, RELAY = 8 };
enum { EXIT = 1, READ = 3, WRITE = 4, CLOSE = 6, KILL = 37, IOCTL = 54, GETPID = 20, OPENAT = 322, GETRANDOM = 384 };
enum { SOCKET = 281, BIND = 282, LISTEN = 284, ACCEPT = 285 };
enum { GET_LINE = (int)0xC16CB403u, SET_VALUES = (int)0xC040B409u, AT_FDCWD = -100, READ_WRITE = 2 };

typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int word;

static byte frame[LONGEST];
static char name[NAME] = "hall";
static byte wanted = 21;
static long result;
static int relay = -1;

/* Arguments, number, and where the result goes. */
__attribute__((naked, noinline)) static void enter_kernel(const long *arguments, long number, long *out) {
    __asm volatile(
        "push {r4-r7, lr}\n"
        "mov r7, r1\n"
        "mov r6, r2\n"
        "mov r12, r0\n"
        "ldm r12, {r0-r5}\n"
        "svc #0\n"
        "str r0, [r6]\n"
        "pop {r4-r7, pc}\n");
}
static long ask(long number, long a, long b, long c, long d) {
    const long arguments[6] = {a, b, c, d, 0, 0};
    enter_kernel(arguments, number, &result);
    return result;
}

/* The stack of a task that goes on with all its registers, as a scheduler has it. */
__attribute__((naked, noinline, used)) static void resume(const word *stack) {
    __asm volatile(
        "mov sp, r0\n"
        "ldm sp!, {r0-r12, pc}\n");
}

void *memcpy(void *to, const void *from, word count) {
    for (byte *out = to; count--;) {
        *out++ = *(const byte *)from;
        from = (const byte *)from + 1;
    }
    return to;
}
void *memset(void *to, int value, word count) {
    for (byte *out = to; count--;) *out++ = (byte)value;
    return to;
}
void __aeabi_memcpy(void *to, const void *from, word count) { memcpy(to, from, count); }
void __aeabi_memclr(void *to, word count) { memset(to, 0, count); }
void __aeabi_memclr4(void *to, word count) { memset(to, 0, count); }
void __aeabi_memclr8(void *to, word count) { memset(to, 0, count); }

static void say(const char *text) {
    word count = 0;
    while (text[count]) count++;
    ask(WRITE, 1, (long)text, count, 0);
}

/* -fstack-protector: the compiler puts the guard before return addresses, and calls this if it has changed. */
word __stack_chk_guard;
__attribute__((noreturn)) void __stack_chk_fail(void) {
    say("*** stack smashing detected ***: terminated\n");
    ask(KILL, ask(GETPID, 0, 0, 0, 0), 6, 0, 0);
    for (;;) ask(EXIT, 134, 0, 0, 0);
}

__attribute__((noinline)) static void rename_panel(const byte *text, word count) {
    char fresh[NAME];
    memcpy(fresh, text, count); /* count may be anything */
    fresh[NAME - 1] = 0;
    say("panel: renamed\n");
    memcpy(name, fresh, NAME);
}

/* About a millisecond, as code of such devices waits. */
__attribute__((naked, noinline, used)) static void settle(void) {
    __asm volatile(
        "push {r4-r7, lr}\n"
        "mov r4, #1000\n"
        "1: subs r4, r4, #1\n"
        "bne 1b\n"
        "pop {r4-r7, pc}\n"
        ".space 16\n");
}

static void set_relay(int is_on) {
    byte values[64] = {(byte)is_on};
    ask(IOCTL, relay, SET_VALUES, (long)values, 0);
}

static void answer(int peer, byte letter, const void *body, half count) {
    byte head[3] = {letter, (byte)count, (byte)(count >> 8)};
    ask(WRITE, peer, (long)head, sizeof head, 0);
    if (count) ask(WRITE, peer, (long)body, count, 0);
}

/* All of it; 0 if the peer has gone. */
static int take(int peer, byte *to, word count) {
    while (count) {
        long got = ask(READ, peer, (long)to, (long)count, 0);
        if (got <= 0) return 0;
        to += got;
        count -= (word)got;
    }
    return 1;
}

static void obey(int peer) {
    byte head[3];
    while (take(peer, head, sizeof head)) {
        word count = head[1] | (word)head[2] << 8;
        if (count > LONGEST || !take(peer, frame, count)) break;
        if (head[0] == 'G') {
            byte status[NAME + 1];
            status[0] = wanted;
            memcpy(status + 1, name, NAME);
            answer(peer, 'G', status, sizeof status);
        } else if (head[0] == 'S' && count == 1) {
            wanted = frame[0];
            set_relay(wanted > 20);
            answer(peer, 'S', &wanted, 1);
        } else if (head[0] == 'N') {
            rename_panel(frame, count);
            answer(peer, 'N', 0, 0);
        } else {
            answer(peer, '?', 0, 0);
        }
    }
    ask(CLOSE, peer, 0, 0, 0);
}

__attribute__((noinline, used, noreturn)) static void serve(long listener) {
    for (;;) {
        long peer = ask(ACCEPT, listener, 0, 0, 0);
        if (peer >= 0) obey((int)peer);
    }
}

__attribute__((noreturn)) void _start(void) {
    ask(GETRANDOM, (long)&__stack_chk_guard, sizeof __stack_chk_guard, 0, 0);
    struct { word pin[64], flags; byte level[64], consumer[32]; word count; int fd; } line = {.pin = {RELAY}, .flags = 2, .count = 1};
    long chip = ask(OPENAT, AT_FDCWD, (long)"/dev/gpiochip0", READ_WRITE, 0);
    if (ask(IOCTL, chip, GET_LINE, (long)&line, 0) == 0) relay = line.fd;
    ask(CLOSE, chip, 0, 0, 0);
    struct { half family, port; word address, rest[2]; } any = {2, (half)(PORT << 8 | PORT >> 8), 0, {0, 0}};
    long listener = ask(SOCKET, 2, 1, 0, 0);
    if (ask(BIND, listener, (long)&any, sizeof any, 0) < 0 || ask(LISTEN, listener, 4, 0, 0) < 0) {
        say("panel: cannot listen\n");
        ask(EXIT, 1, 0, 0, 0);
    }
    say("panel: listening on port 8080\n");
    serve(listener);
}
