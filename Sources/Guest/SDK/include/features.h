/* Programs see all that the C library has, as with the original's. Here rather than by a flag, so that a project may define this macro
   itself, in its own way, before it includes anything. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include_next <features.h>
