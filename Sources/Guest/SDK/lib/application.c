#include "service.h"
#include <applibs/application.h>
#include <applibs/applications.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Datagrams to a component of this device. */
enum { AF_COMPONENT = 43 };
struct component_address {
    uint16_t family;
    uint8_t component[16];
};

/* A GUID's text, in either case; its first three parts have their bytes turned round. */
static int parse(const char *text, uint8_t bytes[16]) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    if (strlen(text) != 36) return -1;
    int digits = 0;
    for (int index = 0; index < 36; index++) {
        if (index == 8 || index == 13 || index == 18 || index == 23) {
            if (text[index] != '-') return -1;
            continue;
        }
        int c = tolower((unsigned char)text[index]);
        if (!isxdigit(c)) return -1;
        uint8_t *byte = &bytes[order[digits / 2]];
        *byte = (uint8_t)(*byte << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
        digits++;
    }
    return 0;
}

int Application_Connect(const char *componentId) {
    struct component_address address = {.family = AF_COMPONENT};
    if (!componentId || parse(componentId, address.component) < 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(AF_COMPONENT, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int Application_IsDeviceAuthReady(bool *outIsDeviceAuthReady) {
    if (!outIsDeviceAuthReady) {
        errno = EFAULT;
        return -1;
    }
    int result = service_request(SERVICE_DEVICE_AUTH_READY, NULL, 0, NULL, 0);
    if (result < 0) return -1;
    *outIsDeviceAuthReady = result != 0;
    return 0;
}

static size_t usage(int index) {
    uint32_t words[3];
    return service_request(SERVICE_MEMORY_USAGE, NULL, 0, words, sizeof words) < 0 ? 0 : words[index];
}
size_t Applications_GetTotalMemoryUsageInKB(void) { return usage(0); }
size_t Applications_GetUserModeMemoryUsageInKB(void) { return usage(1); }
size_t Applications_GetPeakUserModeMemoryUsageInKB(void) { return usage(2); }

int Applications_GetOsVersion(Applications_OsVersion *outVersion) {
    if (!outVersion) {
        errno = EFAULT;
        return -1;
    }
    memset(outVersion, 0, sizeof *outVersion);
    return service_request(SERVICE_OS_VERSION, NULL, 0, outVersion->version, sizeof outVersion->version - 1) < 0 ? -1 : 0;
}
