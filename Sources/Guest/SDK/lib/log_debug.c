/* In a file of its own: apps may have a Log_Debug of their own. */
#include <applibs/log.h>
int Log_Debug(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int result = Log_DebugVarArgs(fmt, args);
    va_end(args);
    return result;
}
