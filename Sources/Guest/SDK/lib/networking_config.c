/* How the device is connected: address, time and what it serves itself. Configurations are words in the application's own structures. */
#include "service.h"
#include <applibs/networking.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { MOST_SERVERS = 3, LONGEST_NAME = 255 };

static int fail(int error) {
    errno = error;
    return -1;
}
/* A request about an interface: its name, then words. */
static int ask(enum service_operation operation, const char *interface, const uint32_t *words, size_t count) {
    uint8_t request[IF_NAMESIZE + 12 * sizeof(uint32_t)] = {0};
    if (!interface) return fail(EFAULT);
    if (strnlen(interface, IF_NAMESIZE) == IF_NAMESIZE) return fail(ENOENT);
    strcpy((char *)request, interface);
    if (count) memcpy(request + IF_NAMESIZE, words, count * sizeof *words);
    return service_request(operation, request, IF_NAMESIZE + count * sizeof *words, NULL, 0);
}

/* Words: whether it is static, address, mask, gateway; how many name servers, those. All in the host's order. */
static uint32_t *address_words(Networking_IpConfig *config) { return (uint32_t *)config->reserved; }

void Networking_IpConfig_Init(Networking_IpConfig *ipConfig) { memset(ipConfig, 0, sizeof *ipConfig); }
void Networking_IpConfig_Destroy(Networking_IpConfig *ipConfig) { (void)ipConfig; }
void Networking_IpConfig_EnableDynamicIp(Networking_IpConfig *ipConfig) { memset(address_words(ipConfig), 0, 4 * sizeof(uint32_t)); }
void Networking_IpConfig_EnableStaticIp(
    Networking_IpConfig *ipConfig, struct in_addr ipAddress, struct in_addr subnetMask, struct in_addr gatewayAddress) {
    uint32_t words[] = {1, ntohl(ipAddress.s_addr), ntohl(subnetMask.s_addr), ntohl(gatewayAddress.s_addr)};
    memcpy(address_words(ipConfig), words, sizeof words);
}
void Networking_IpConfig_EnableAutomaticDns(Networking_IpConfig *ipConfig) { address_words(ipConfig)[4] = 0; }
int Networking_IpConfig_EnableCustomDns(Networking_IpConfig *ipConfig, const struct in_addr *dnsServerAddresses, size_t serverCount) {
    if (!ipConfig || !dnsServerAddresses) return fail(EFAULT);
    if (serverCount > MOST_SERVERS) return fail(EINVAL);
    for (size_t index = 0; index < serverCount; index++)
        if (dnsServerAddresses[index].s_addr == INADDR_ANY) return fail(EINVAL);
    address_words(ipConfig)[4] = (uint32_t)serverCount;
    for (size_t index = 0; index < serverCount; index++) address_words(ipConfig)[5 + index] = ntohl(dnsServerAddresses[index].s_addr);
    return 0;
}
int Networking_IpConfig_Apply(const char *networkInterfaceName, const Networking_IpConfig *ipConfig) {
    if (!ipConfig) return fail(EFAULT);
    return ask(SERVICE_ADDRESS_SET, networkInterfaceName, (const uint32_t *)ipConfig->reserved, 8);
}
int Networking_IpConfig_ReleaseIp(const char *networkInterfaceName) { return ask(SERVICE_ADDRESS_RELEASE, networkInterfaceName, NULL, 0); }
int Networking_IpConfig_RenewIp(const char *networkInterfaceName) { return ask(SERVICE_ADDRESS_RENEW, networkInterfaceName, NULL, 0); }

/* Kind of source, option; names, each with a zero behind it. */
static int time_source(uint32_t kind, Networking_NtpOption option, const char *primary, const char *secondary) {
    uint8_t request[8 + 2 * (LONGEST_NAME + 1)];
    size_t length = 8;
    memcpy(request, (uint32_t[]){kind, option}, 8);
    const char *names[] = {primary, secondary};
    for (int index = 0; index < 2; index++) {
        if (!names[index]) continue;
        size_t count = strnlen(names[index], LONGEST_NAME + 1);
        if (count > LONGEST_NAME) return fail(ERANGE);
        memcpy(request + length, names[index], count);
        request[length + count] = 0;
        length += count + 1;
    }
    return service_request(SERVICE_TIME_SOURCE, request, length, NULL, 0);
}
int Networking_TimeSync_EnableDefaultNtp(void) { return time_source(0, 0, NULL, NULL); }
int Networking_TimeSync_EnableAutomaticNtp(Networking_NtpOption option) { return option > 1 ? fail(EINVAL) : time_source(1, option, NULL, NULL); }
int Networking_TimeSync_EnableCustomNtp(const char *primaryNtpServer, const char *secondaryNtpServer, Networking_NtpOption option) {
    return !primaryNtpServer ? fail(EFAULT) : option > 1 ? fail(EINVAL) : time_source(2, option, primaryNtpServer, secondaryNtpServer);
}
int Networking_TimeSync_GetLastNtpSyncInfo(
    char *outNtpServer, size_t *inOutNtpServerLength, struct tm *outTimeBeforeSync, struct tm *outNtpTime) {
    struct {
        int64_t before, time;
        char server[LONGEST_NAME + 1];
    } answer = {0};
    if (outNtpServer && !inOutNtpServerLength) return fail(EFAULT);
    int length = service_request(SERVICE_LAST_TIME, NULL, 0, &answer, sizeof answer - 1);
    if (length < 0) return -1;
    if (inOutNtpServerLength) {
        size_t room = *inOutNtpServerLength;
        *inOutNtpServerLength = (size_t)length + 1;
        if (outNtpServer && room < (size_t)length + 1) return fail(ENOBUFS);
        if (outNtpServer) memcpy(outNtpServer, answer.server, (size_t)length + 1);
    }
    time_t before = (time_t)answer.before, time = (time_t)answer.time;
    if (outTimeBeforeSync) gmtime_r(&before, outTimeBeforeSync);
    if (outNtpTime) gmtime_r(&time, outNtpTime);
    return 0;
}

void Networking_SntpServerConfig_Init(Networking_SntpServerConfig *sntpServerConfig) { memset(sntpServerConfig, 0, sizeof *sntpServerConfig); }
void Networking_SntpServerConfig_Destroy(Networking_SntpServerConfig *sntpServerConfig) { (void)sntpServerConfig; }
int Networking_SntpServer_Start(const char *networkInterfaceName, const Networking_SntpServerConfig *sntpServerConfig) {
    return sntpServerConfig ? ask(SERVICE_TIME_SERVER_START, networkInterfaceName, NULL, 0) : fail(EFAULT);
}
/* Words: first address, how many, mask, gateway, hours; how many time servers, those. */
void Networking_DhcpServerConfig_Init(Networking_DhcpServerConfig *dhcpServerConfig) { memset(dhcpServerConfig, 0, sizeof *dhcpServerConfig); }
void Networking_DhcpServerConfig_Destroy(Networking_DhcpServerConfig *dhcpServerConfig) { (void)dhcpServerConfig; }
int Networking_DhcpServerConfig_SetLease(
    Networking_DhcpServerConfig *dhcpServerConfig, struct in_addr startIpAddress, uint8_t ipAddressCount, struct in_addr subnetMask,
    struct in_addr gatewayAddress, uint32_t leaseTimeInHours) {
    if (!dhcpServerConfig) return fail(EFAULT);
    uint32_t start = ntohl(startIpAddress.s_addr), mask = ntohl(subnetMask.s_addr);
    uint32_t words[] = {start, ipAddressCount, mask, ntohl(gatewayAddress.s_addr), leaseTimeInHours};
    int is_mask = mask != 0 && ((~mask + 1) & ~mask) == 0;
    int is_good = ipAddressCount > 0 && leaseTimeInHours > 0 && start != 0 && is_mask && ((start ^ (start + ipAddressCount - 1)) & mask) == 0;
    if (!is_good) return fail(EINVAL);
    memcpy(dhcpServerConfig->reserved, words, sizeof words);
    return 0;
}
int Networking_DhcpServerConfig_SetNtpServerAddresses(
    Networking_DhcpServerConfig *dhcpServerConfig, const struct in_addr *ntpServerAddresses, size_t serverCount) {
    if (!dhcpServerConfig || !ntpServerAddresses) return fail(EFAULT);
    if (serverCount > MOST_SERVERS) return fail(EINVAL);
    uint32_t *words = (uint32_t *)dhcpServerConfig->reserved;
    for (size_t index = 0; index < serverCount; index++) {
        if (ntpServerAddresses[index].s_addr == INADDR_ANY) return fail(EINVAL);
        words[6 + index] = ntohl(ntpServerAddresses[index].s_addr);
    }
    words[5] = (uint32_t)serverCount;
    return 0;
}
int Networking_DhcpServer_Start(const char *networkInterfaceName, const Networking_DhcpServerConfig *dhcpServerConfig) {
    if (!dhcpServerConfig) return fail(EFAULT);
    return ask(SERVICE_ADDRESS_SERVER_START, networkInterfaceName, (const uint32_t *)dhcpServerConfig->reserved, 9);
}
/* Only Ethernet has one to set. */
int Networking_SetHardwareAddress(const char *networkInterfaceName, const uint8_t *hardwareAddress, size_t hardwareAddressLength) {
    if (!hardwareAddress || !networkInterfaceName) return fail(EFAULT);
    if (hardwareAddressLength != HARDWARE_ADDRESS_LENGTH) return fail(ERANGE);
    uint8_t sum = 0;
    for (size_t index = 0; index < hardwareAddressLength; index++) sum |= hardwareAddress[index];
    if (sum == 0 || (hardwareAddress[0] & 1) != 0) return fail(EINVAL);
    return service_request(SERVICE_HARDWARE_ADDRESS, networkInterfaceName, strlen(networkInterfaceName), NULL, 0);
}
int Networking_GetHardwareAddress(const char *networkInterfaceName, Networking_Interface_HardwareAddress *outAddress) {
    if (!networkInterfaceName || !outAddress) return fail(EINVAL);
    return fail(strcmp(networkInterfaceName, "wlan0") == 0 ? EPERM : ENOENT);
}
