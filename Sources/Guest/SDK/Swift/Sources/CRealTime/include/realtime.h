/* What Swift cannot say by itself. */
#pragma once
void wait_for_interrupt(void);
void enable_interrupts(void);
