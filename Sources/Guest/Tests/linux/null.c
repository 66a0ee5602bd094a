/* Calls through a null pointer, in either state of the processor. */
#include <stdint.h>
int main(int argc, char **argv) {
    void (*volatile nowhere)(void) = (void (*)(void))(uintptr_t)(argc > 1 ? 1 : 0);
    (void)argv;
    nowhere();
    return 0;
}
