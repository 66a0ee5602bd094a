/* The SDK's C headers as Swift sees them, and what they have as macros or with variadic arguments. */
#pragma once
#include <applibs/application.h>
#include <applibs/gpio.h>
#include <applibs/log.h>
#include <applibs/networking.h>
#include <applibs/storage.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <tlsutils/deviceauth.h>
#include <tlsutils/tls.h>
#include <unistd.h>

static inline int device_error(void) { return errno; }
static inline void device_log(const char *text) { Log_Debug("%s\n", text); }
