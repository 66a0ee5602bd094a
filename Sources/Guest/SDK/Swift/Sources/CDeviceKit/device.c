#include "device.h"
#include <malloc.h>

/* Swift without a runtime draws no seeds of its own, and asks for these by name. */
void arc4random_buf(void *buffer, size_t count) { getentropy(buffer, count); }
