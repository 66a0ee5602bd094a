/* The device's HTTP proxy: a setting that all its applications see. */
#include "service.h"
#include <applibs/networking.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 32, LONGEST = HEAD_BYTES + 255 + 63 + 63 + 255 };

struct Networking_ProxyConfig {
    Networking_ProxyOptions options;
    uint32_t port;
    int32_t authentication;
    char address[PROXY_ADDRESS_MAX_LENGTH + 1], user[PROXY_USERNAME_MAX_LENGTH + 1], password[PROXY_PASSWORD_MAX_LENGTH + 1];
    char exceptions[PROXY_NO_PROXY_ADDRESSES_MAX_LENGTH + 1];
};

static int fail(int error) {
    errno = error;
    return -1;
}
static const char *fault(void) {
    errno = EFAULT;
    return NULL;
}
static int copy(char *to, const char *from, size_t most) {
    if (strnlen(from, most + 1) > most) return fail(ERANGE);
    strcpy(to, from);
    return 0;
}

Networking_ProxyConfig *Networking_Proxy_Create(void) {
    Networking_ProxyConfig *config = calloc(1, sizeof *config);
    if (config) config->options = Networking_ProxyOptions_Enabled;
    return config;
}
void Networking_Proxy_Destroy(Networking_ProxyConfig *proxyConfig) { free(proxyConfig); }

/* Options, port, type, authentication; four lengths; address, user, password, exceptions. */
int Networking_Proxy_Apply(const Networking_ProxyConfig *proxyConfig) {
    if (!proxyConfig) return fail(EFAULT);
    const char *texts[] = {proxyConfig->address, proxyConfig->user, proxyConfig->password, proxyConfig->exceptions};
    uint8_t request[LONGEST];
    uint32_t head[8] = {proxyConfig->options, proxyConfig->port, Networking_ProxyType_HTTP, (uint32_t)proxyConfig->authentication};
    size_t length = HEAD_BYTES;
    for (int index = 0; index < 4; index++) {
        size_t count = strlen(texts[index]);
        head[4 + index] = (uint32_t)count;
        memcpy(request + length, texts[index], count);
        length += count;
    }
    memcpy(request, head, sizeof head);
    return service_request(SERVICE_PROXY_SET, request, length, NULL, 0);
}
int Networking_Proxy_Get(Networking_ProxyConfig *proxyConfig) {
    if (!proxyConfig) return fail(EFAULT);
    uint8_t answer[LONGEST];
    uint32_t head[8];
    if (service_request(SERVICE_PROXY_GET, NULL, 0, answer, sizeof answer) < 0) return -1;
    memcpy(head, answer, sizeof head);
    memset(proxyConfig, 0, sizeof *proxyConfig);
    proxyConfig->options = head[0];
    proxyConfig->port = head[1];
    proxyConfig->authentication = (int32_t)head[3];
    char *texts[] = {proxyConfig->address, proxyConfig->user, proxyConfig->password, proxyConfig->exceptions};
    size_t place = HEAD_BYTES;
    for (int index = 0; index < 4; index++) {
        memcpy(texts[index], answer + place, head[4 + index]);
        place += head[4 + index];
    }
    return 0;
}

int Networking_Proxy_SetProxyOptions(Networking_ProxyConfig *proxyConfig, Networking_ProxyOptions proxyOptions) {
    if (!proxyConfig) return fail(EFAULT);
    if ((proxyOptions & ~7u) != 0) return fail(EINVAL);
    proxyConfig->options = proxyOptions;
    return 0;
}
int Networking_Proxy_SetProxyAddress(Networking_ProxyConfig *proxyConfig, const char *proxyAddress, uint16_t port) {
    if (!proxyConfig || !proxyAddress) return fail(EFAULT);
    if (copy(proxyConfig->address, proxyAddress, PROXY_ADDRESS_MAX_LENGTH) < 0) return -1;
    proxyConfig->port = port;
    return 0;
}
int Networking_Proxy_SetAnonymousAuthentication(Networking_ProxyConfig *proxyConfig) {
    if (!proxyConfig) return fail(EFAULT);
    proxyConfig->authentication = Networking_ProxyAuthType_Anonymous;
    proxyConfig->user[0] = proxyConfig->password[0] = 0;
    return 0;
}
int Networking_Proxy_SetBasicAuthentication(Networking_ProxyConfig *proxyConfig, const char *username, const char *password) {
    if (!proxyConfig || !username || !password) return fail(EFAULT);
    if (copy(proxyConfig->user, username, PROXY_USERNAME_MAX_LENGTH) < 0) return -1;
    if (copy(proxyConfig->password, password, PROXY_PASSWORD_MAX_LENGTH) < 0) return -1;
    proxyConfig->authentication = Networking_ProxyAuthType_Basic;
    return 0;
}
int Networking_Proxy_SetProxyNoProxyAddresses(Networking_ProxyConfig *proxyConfig, const char *noProxyAddresses) {
    if (!proxyConfig || !noProxyAddresses) return fail(EFAULT);
    return copy(proxyConfig->exceptions, noProxyAddresses, PROXY_NO_PROXY_ADDRESSES_MAX_LENGTH);
}
int Networking_Proxy_GetProxyOptions(const Networking_ProxyConfig *proxyConfig, Networking_ProxyOptions *outProxyOptions) {
    if (!proxyConfig || !outProxyOptions) return fail(EFAULT);
    *outProxyOptions = proxyConfig->options;
    return 0;
}
const char *Networking_Proxy_GetProxyAddress(const Networking_ProxyConfig *proxyConfig) { return proxyConfig ? proxyConfig->address : fault(); }
int Networking_Proxy_GetProxyPort(const Networking_ProxyConfig *proxyConfig, uint16_t *outPort) {
    if (!proxyConfig || !outPort) return fail(EFAULT);
    *outPort = (uint16_t)proxyConfig->port;
    return 0;
}
Networking_ProxyType Networking_Proxy_GetProxyType(const Networking_ProxyConfig *proxyConfig) {
    return proxyConfig ? Networking_ProxyType_HTTP : (fault(), Networking_ProxyType_Invalid);
}
const char *Networking_Proxy_GetProxyUsername(const Networking_ProxyConfig *proxyConfig) { return proxyConfig ? proxyConfig->user : fault(); }
const char *Networking_Proxy_GetProxyPassword(const Networking_ProxyConfig *proxyConfig) { return proxyConfig ? proxyConfig->password : fault(); }
Networking_ProxyAuthType Networking_Proxy_GetAuthType(const Networking_ProxyConfig *proxyConfig) {
    return proxyConfig ? (Networking_ProxyAuthType)proxyConfig->authentication : (fault(), Networking_ProxyAuthType_Invalid);
}
const char *Networking_Proxy_GetNoProxyAddresses(const Networking_ProxyConfig *proxyConfig) {
    return proxyConfig ? proxyConfig->exceptions : fault();
}
int Networking_Proxy_GetProxyStatus(Networking_ProxyStatus *outProxyStatus) {
    if (!outProxyStatus) return fail(EFAULT);
    int status = service_request(SERVICE_PROXY_STATUS, NULL, 0, NULL, 0);
    if (status < 0) return -1;
    *outProxyStatus = (Networking_ProxyStatus)status;
    return 0;
}
