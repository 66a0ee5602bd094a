/* On one real-time core: asks a slave on the other (busslave.c) over a wire from ISU 1 to ISU 2, and hears it on the UART. */
#include "wires.h"
static volatile uint32_t done;
static void on_done(void) {
    REG(I2C(1)) = REG(I2C(1));
    done = 1;
}
int main(void) {
    interrupt(44 + 4, on_done, 2);
    serial_open(1, 1);
    uint32_t refused = 0;
    for (uint8_t n = 1; n <= 5; n++) {
        uint8_t words[] = {n, 7};
        do {
            done = 0;
            master_start(1, SLAVE_ADDRESS, words, 2, 0);
            WAIT_UNTIL(done);
            if (!REG(I2C(1) + 0x6C)) break;
            refused++;
        } while (1);
        /* The slave says on the UART that its answer is there. */
        while (!(REG(SERIAL(1) + 0x14) & 1)) {}
        uint32_t said = REG(SERIAL(1));
        done = 0;
        master_start(1, SLAVE_ADDRESS, 0, 0, 1);
        WAIT_UNTIL(done);
        print_number(said);
        print_line(" is ", REG(I2C(1) + 0x90));
    }
    print_line("refused before it was there: ", refused > 0);
    for (;;) wait();
}
