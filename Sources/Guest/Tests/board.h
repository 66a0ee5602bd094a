/* What a program needs of a board to print and to keep time: for the MT3620's real-time core, or for the MPS2 board. */
#pragma once
#ifdef MPS2
#include "mps2.h"
#else
#include "mt3620.h"
enum { TICKS_PER_MILLISECOND = 197600 };
static inline void start_board(void) { REG(RGU + 0x0C) = 2 << 8; }
#endif
#include "print.h"
