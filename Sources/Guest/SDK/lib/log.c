#include <applibs/log.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One write for each call, so that lines of several threads do not mix. */
int Log_DebugVarArgs(const char *fmt, va_list args) {
    if (!fmt) {
        errno = EFAULT;
        return -1;
    }
    va_list copy;
    va_copy(copy, args);
    char short_text[256];
    int count = vsnprintf(short_text, sizeof short_text, fmt, copy);
    va_end(copy);
    if (count < 0) return -1;
    if ((size_t)count < sizeof short_text) return write(STDOUT_FILENO, short_text, count) < 0 ? -1 : 0;
    char *text = malloc(count + 1);
    if (!text) return -1;
    va_copy(copy, args);
    vsnprintf(text, count + 1, fmt, copy);
    va_end(copy);
    ssize_t written = write(STDOUT_FILENO, text, count);
    free(text);
    return written < 0 ? -1 : 0;
}
