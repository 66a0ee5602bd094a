#include "service.h"
#include <applibs/networking.h>
#include <errno.h>
#include <string.h>

static int fault(void) {
    errno = EFAULT;
    return -1;
}
static int truth(enum service_operation operation, bool *out) {
    if (!out) return fault();
    int result = service_request(operation, NULL, 0, NULL, 0);
    if (result < 0) return -1;
    *out = result != 0;
    return 0;
}

int Networking_IsNetworkingReady(bool *outIsNetworkingReady) { return truth(SERVICE_NETWORK_READY, outIsNetworkingReady); }
int Networking_TimeSync_GetEnabled(bool *outIsEnabled) { return truth(SERVICE_TIME_SYNC_ENABLED, outIsEnabled); }
int Networking_TimeSync_SetEnabled(bool enabled) {
    uint32_t word = enabled;
    return service_request(SERVICE_TIME_SYNC_ENABLE, &word, sizeof word, NULL, 0);
}

struct interface_record {
    uint8_t is_enabled, medium, addressing, reserved;
    char name[16];
};
enum { MOST_INTERFACES = 8 };

ssize_t Networking_GetInterfaceCount(void) { return service_request(SERVICE_NETWORK_INTERFACES, NULL, 0, NULL, 0); }

ssize_t Networking_GetInterfaces(Networking_NetworkInterface *outNetworkInterfacesArray, size_t networkInterfacesArrayCount) {
    if (!outNetworkInterfacesArray) return fault();
    if (networkInterfacesArrayCount == 0) {
        errno = ERANGE;
        return -1;
    }
    struct interface_record records[MOST_INTERFACES];
    int count = service_request(SERVICE_NETWORK_INTERFACES, NULL, 0, records, sizeof records);
    if (count < 0) return -1;
    if ((size_t)count > networkInterfacesArrayCount) count = (int)networkInterfacesArrayCount;
    for (int index = 0; index < count; index++) {
        Networking_NetworkInterface *out = &outNetworkInterfacesArray[index];
        memset(out, 0, sizeof *out);
        out->isEnabled = records[index].is_enabled;
        memcpy(out->interfaceName, records[index].name, sizeof records[index].name);
        out->ipConfigurationType = records[index].addressing;
        out->interfaceMediumType = records[index].medium;
    }
    return count;
}

int Networking_GetInterfaceConnectionStatus(const char *networkInterfaceName, Networking_InterfaceConnectionStatus *outStatus) {
    if (!networkInterfaceName || !outStatus) return fault();
    return service_request(SERVICE_NETWORK_STATUS, networkInterfaceName, strlen(networkInterfaceName), outStatus, sizeof *outStatus) < 0 ? -1 : 0;
}

int Networking_SetInterfaceState(const char *networkInterfaceName, bool isEnabled) {
    if (!networkInterfaceName) return fault();
    char request[IF_NAMESIZE + 1] = {isEnabled};
    strncpy(request + 1, networkInterfaceName, IF_NAMESIZE);
    return service_request(SERVICE_NETWORK_ENABLE, request, sizeof request, NULL, 0);
}
