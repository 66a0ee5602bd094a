/* All is in the header; a package wants a source beside it. */
#include "device.h"
