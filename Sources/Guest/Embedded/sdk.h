/* What Swift cannot say by itself. */
void wait_for_interrupt(void);
void enable_interrupts(void);
