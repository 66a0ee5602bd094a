/* What would change how the device is connected: checked, and not done. */
#include "service.h"
#include <applibs/networking.h>
#include <errno.h>
#include <string.h>

static int fail(int error) {
    errno = error;
    return -1;
}
/* The capability first, then that there is nothing behind it. */
static int refuse(const char *interface) {
    if (!interface) return fail(EFAULT);
    if (strcmp(interface, "wlan0") != 0) return fail(ENOENT);
    return service_request(SERVICE_NETWORK_CONFIG, NULL, 0, NULL, 0) < 0 ? -1 : fail(ENOSYS);
}
static int refuse_time(void) {
    uint32_t is_on = 1;
    return service_request(SERVICE_TIME_SYNC_ENABLE, &is_on, sizeof is_on, NULL, 0) < 0 ? -1 : fail(ENOSYS);
}

void Networking_IpConfig_Init(Networking_IpConfig *ipConfig) { memset(ipConfig, 0, sizeof *ipConfig); }
void Networking_IpConfig_Destroy(Networking_IpConfig *ipConfig) { (void)ipConfig; }
void Networking_IpConfig_EnableDynamicIp(Networking_IpConfig *ipConfig) { ipConfig->reserved[0] = 0; }
void Networking_IpConfig_EnableStaticIp(
    Networking_IpConfig *ipConfig, struct in_addr ipAddress, struct in_addr subnetMask, struct in_addr gatewayAddress) {
    ipConfig->reserved[0] = 1;
    ipConfig->reserved[1] = (uint64_t)ipAddress.s_addr << 32 | subnetMask.s_addr;
    ipConfig->reserved[2] = gatewayAddress.s_addr;
}
void Networking_IpConfig_EnableAutomaticDns(Networking_IpConfig *ipConfig) { ipConfig->reserved[3] = 0; }
int Networking_IpConfig_EnableCustomDns(Networking_IpConfig *ipConfig, const struct in_addr *dnsServerAddresses, size_t serverCount) {
    if (!ipConfig || !dnsServerAddresses) return fail(EFAULT);
    if (serverCount > 3) return fail(EINVAL);
    for (size_t index = 0; index < serverCount; index++)
        if (dnsServerAddresses[index].s_addr == INADDR_ANY) return fail(EINVAL);
    ipConfig->reserved[3] = serverCount;
    return 0;
}
/* What the device has anyway is no change. */
int Networking_IpConfig_Apply(const char *networkInterfaceName, const Networking_IpConfig *ipConfig) {
    if (!ipConfig) return fail(EFAULT);
    int result = refuse(networkInterfaceName);
    return errno == ENOSYS && ipConfig->reserved[0] == 0 && ipConfig->reserved[3] == 0 ? 0 : result;
}
int Networking_IpConfig_ReleaseIp(const char *networkInterfaceName) { return refuse(networkInterfaceName); }
int Networking_IpConfig_RenewIp(const char *networkInterfaceName) { return refuse(networkInterfaceName); }
int Networking_TimeSync_EnableDefaultNtp(void) {
    uint32_t is_on = 1;
    return service_request(SERVICE_TIME_SYNC_ENABLE, &is_on, sizeof is_on, NULL, 0);
}
int Networking_TimeSync_EnableAutomaticNtp(Networking_NtpOption option) { return option > 1 ? fail(EINVAL) : refuse_time(); }
int Networking_TimeSync_EnableCustomNtp(const char *primaryNtpServer, const char *secondaryNtpServer, Networking_NtpOption option) {
    (void)secondaryNtpServer;
    return !primaryNtpServer ? fail(EFAULT) : option > 1 ? fail(EINVAL) : refuse_time();
}
/* The device's time comes from the security service, by no server that has a name here. */
int Networking_TimeSync_GetLastNtpSyncInfo(
    char *outNtpServer, size_t *inOutNtpServerLength, struct tm *outTimeBeforeSync, struct tm *outNtpTime) {
    (void)outNtpServer, (void)inOutNtpServerLength, (void)outTimeBeforeSync, (void)outNtpTime;
    return fail(ENOENT);
}
void Networking_SntpServerConfig_Init(Networking_SntpServerConfig *sntpServerConfig) { memset(sntpServerConfig, 0, sizeof *sntpServerConfig); }
void Networking_SntpServerConfig_Destroy(Networking_SntpServerConfig *sntpServerConfig) { (void)sntpServerConfig; }
int Networking_SntpServer_Start(const char *networkInterfaceName, const Networking_SntpServerConfig *sntpServerConfig) {
    return sntpServerConfig ? refuse(networkInterfaceName) : fail(EFAULT);
}
void Networking_DhcpServerConfig_Init(Networking_DhcpServerConfig *dhcpServerConfig) { memset(dhcpServerConfig, 0, sizeof *dhcpServerConfig); }
void Networking_DhcpServerConfig_Destroy(Networking_DhcpServerConfig *dhcpServerConfig) { (void)dhcpServerConfig; }
int Networking_DhcpServerConfig_SetLease(
    Networking_DhcpServerConfig *dhcpServerConfig, struct in_addr startIpAddress, uint8_t ipAddressCount, struct in_addr subnetMask,
    struct in_addr gatewayAddress, uint32_t leaseTimeInHours) {
    (void)startIpAddress, (void)subnetMask, (void)gatewayAddress, (void)leaseTimeInHours;
    return !dhcpServerConfig ? fail(EFAULT) : ipAddressCount == 0 ? fail(EINVAL) : 0;
}
int Networking_DhcpServerConfig_SetNtpServerAddresses(
    Networking_DhcpServerConfig *dhcpServerConfig, const struct in_addr *ntpServerAddresses, size_t serverCount) {
    return !dhcpServerConfig || !ntpServerAddresses ? fail(EFAULT) : serverCount > 3 ? fail(EINVAL) : 0;
}
int Networking_DhcpServer_Start(const char *networkInterfaceName, const Networking_DhcpServerConfig *dhcpServerConfig) {
    return dhcpServerConfig ? refuse(networkInterfaceName) : fail(EFAULT);
}
int Networking_SetHardwareAddress(const char *networkInterfaceName, const uint8_t *hardwareAddress, size_t hardwareAddressLength) {
    return !hardwareAddress ? fail(EFAULT) : hardwareAddressLength != HARDWARE_ADDRESS_LENGTH ? fail(ERANGE) : refuse(networkInterfaceName);
}
/* Only Ethernet has one to tell. */
int Networking_GetHardwareAddress(const char *networkInterfaceName, Networking_Interface_HardwareAddress *outAddress) {
    (void)outAddress;
    return !networkInterfaceName ? fail(EINVAL) : fail(strcmp(networkInterfaceName, "wlan0") == 0 ? EPERM : ENOENT);
}
