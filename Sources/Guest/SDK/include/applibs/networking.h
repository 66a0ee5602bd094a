/* Whether and how the device is connected. */
#pragma once
#include <net/if.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef uint8_t Networking_IpType_Type;
typedef enum { Networking_IpType_DhcpNone = 0, Networking_IpType_DhcpClient = 1 } Networking_IpType;
typedef uint8_t Networking_InterfaceMedium_Type;
typedef enum {
    Networking_InterfaceMedium_Unspecified = 0,
    Networking_InterfaceMedium_Wifi = 1,
    Networking_InterfaceMedium_Ethernet = 2
} Networking_InterfaceMedium;
typedef struct Networking_NetworkInterface {
    uint32_t z__magicAndVersion;
    bool isEnabled;
    char interfaceName[IF_NAMESIZE];
    uint32_t reserved;
    Networking_IpType_Type ipConfigurationType;
    Networking_InterfaceMedium_Type interfaceMediumType;
} Networking_NetworkInterface;
typedef uint32_t Networking_InterfaceConnectionStatus;
enum {
    Networking_InterfaceConnectionStatus_InterfaceUp = 1,
    Networking_InterfaceConnectionStatus_ConnectedToNetwork = 2,
    Networking_InterfaceConnectionStatus_IpAvailable = 4,
    Networking_InterfaceConnectionStatus_ConnectedToInternet = 8
};

int Networking_IsNetworkingReady(bool *outIsNetworkingReady);
ssize_t Networking_GetInterfaceCount(void);
ssize_t Networking_GetInterfaces(Networking_NetworkInterface *outNetworkInterfacesArray, size_t networkInterfacesArrayCount);
int Networking_GetInterfaceConnectionStatus(const char *networkInterfaceName, Networking_InterfaceConnectionStatus *outStatus);
int Networking_SetInterfaceState(const char *networkInterfaceName, bool isEnabled);
int Networking_TimeSync_GetEnabled(bool *outIsEnabled);
int Networking_TimeSync_SetEnabled(bool enabled);
#ifdef __cplusplus
}
#endif
