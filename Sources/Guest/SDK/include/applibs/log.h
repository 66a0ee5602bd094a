/* The debug stream. Nothing is added to what is logged. */
#pragma once
#include <stdarg.h>
#ifdef __cplusplus
extern "C" {
#endif
int Log_Debug(const char *fmt, ...);
int Log_DebugVarArgs(const char *fmt, va_list args);
#ifdef __cplusplus
}
#endif
