/* What this app uses, and the OS that it runs on. */
#pragma once
#include <errno.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct Applications_OsVersion {
    char version[16];
} Applications_OsVersion;
/* KiB; 0 with errno if it is not known. */
size_t Applications_GetTotalMemoryUsageInKB(void);
size_t Applications_GetUserModeMemoryUsageInKB(void);
size_t Applications_GetPeakUserModeMemoryUsageInKB(void);
int Applications_GetOsVersion(Applications_OsVersion *outVersion);
#ifdef __cplusplus
}
#endif
