#include "service.h"
#include <applibs/wificonfig.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields of a network, as the OS numbers them. */
enum field { SSID, SECURITY, KEY, PROBED, ENABLED, NAME, IDENTITY, CLIENT_CERTIFICATE, ROOT_CERTIFICATE };
enum { FREQUENCY_MHZ = 2412, RSSI = -50, MOST_NETWORKS = 37, LONGEST_IDENTITY = WIFICONFIG_EAP_IDENTITY_MAX_LENGTH };

/* What the OS says of a stored network. */
struct record {
    uint32_t id;
    uint8_t ssid_length, is_enabled, is_connected, security;
    uint8_t ssid[WIFICONFIG_SSID_MAX_LENGTH];
};

static int fail(int error) {
    errno = error;
    return -1;
}
static int ask(enum service_operation operation) { return service_request(operation, NULL, 0, NULL, 0); }
static int ask_of(enum service_operation operation, int id) {
    uint32_t word = (uint32_t)id;
    return id < 0 ? fail(EINVAL) : service_request(operation, &word, sizeof word, NULL, 0);
}
static int set(enum service_operation operation, int id, enum field field, const void *bytes, size_t count) {
    uint8_t request[8 + 256];
    if (id < 0) return fail(EINVAL);
    if (count > sizeof request - 8) return fail(ERANGE);
    memcpy(request, (uint32_t[]){(uint32_t)id, field}, 8);
    if (count) memcpy(request + 8, bytes, count);
    return service_request(operation, request, 8 + count, NULL, 0);
}
static int set_word(enum service_operation operation, int id, enum field field, uint32_t word) {
    return set(operation, id, field, &word, sizeof word);
}
static int set_text(enum service_operation operation, int id, enum field field, const char *text, size_t most) {
    if (!text) return fail(EFAULT);
    size_t count = strnlen(text, most + 1);
    return count > most ? fail(ERANGE) : set(operation, id, field, text, count);
}

int WifiConfig_AddNetwork(void) { return ask(SERVICE_WIFI_ADD); }
int WifiConfig_AddDuplicateNetwork(int networkId, const char *configName) {
    if (!configName) return fail(EFAULT);
    size_t count = strnlen(configName, WIFICONFIG_CONFIG_NAME_MAX_LENGTH + 1);
    if (count == 0 || count > WIFICONFIG_CONFIG_NAME_MAX_LENGTH) return fail(ERANGE);
    if (networkId < 0) return fail(EINVAL);
    uint8_t request[4 + WIFICONFIG_CONFIG_NAME_MAX_LENGTH];
    memcpy(request, &networkId, 4);
    memcpy(request + 4, configName, count);
    return service_request(SERVICE_WIFI_DUPLICATE, request, 4 + count, NULL, 0);
}
int WifiConfig_SetSSID(int networkId, const uint8_t *ssid, size_t ssidLength) {
    if (!ssid) return fail(EFAULT);
    return ssidLength == 0 || ssidLength > WIFICONFIG_SSID_MAX_LENGTH ? fail(ERANGE) : set(SERVICE_WIFI_SET, networkId, SSID, ssid, ssidLength);
}
int WifiConfig_SetSecurityType(int networkId, WifiConfig_Security_Type securityType) {
    int is_enterprise = securityType == WifiConfig_Security_Wpa2_EAP_TLS;
    return set_word(is_enterprise ? SERVICE_ENTERPRISE_SET : SERVICE_WIFI_SET, networkId, SECURITY, securityType);
}
int WifiConfig_SetPSK(int networkId, const char *psk, size_t pskLength) {
    if (!psk) return fail(EFAULT);
    return pskLength > WIFICONFIG_WPA2_KEY_MAX_BUFFER_SIZE ? fail(ERANGE) : set(SERVICE_WIFI_SET, networkId, KEY, psk, pskLength);
}
int WifiConfig_SetTargetedScanEnabled(int networkId, bool enabled) { return set_word(SERVICE_WIFI_SET, networkId, PROBED, enabled); }
int WifiConfig_SetNetworkEnabled(int networkId, bool enabled) { return set_word(SERVICE_WIFI_SET, networkId, ENABLED, enabled); }
int WifiConfig_SetConfigName(int networkId, const char *configName) {
    return set_text(SERVICE_WIFI_SET, networkId, NAME, configName, WIFICONFIG_CONFIG_NAME_MAX_LENGTH);
}
int WifiConfig_GetNetworkIdByConfigName(const char *configName) {
    if (!configName) return fail(EFAULT);
    size_t count = strnlen(configName, WIFICONFIG_CONFIG_NAME_MAX_LENGTH + 1);
    if (count == 0 || count > WIFICONFIG_CONFIG_NAME_MAX_LENGTH) return fail(ERANGE);
    return service_request(SERVICE_WIFI_BY_NAME, configName, count, NULL, 0);
}
int WifiConfig_PersistConfig(void) { return ask(SERVICE_WIFI_PERSIST); }
int WifiConfig_ReloadConfig(void) { return ask(SERVICE_WIFI_RELOAD); }
int WifiConfig_ForgetNetworkById(int networkId) { return ask_of(SERVICE_WIFI_FORGET, networkId); }
int WifiConfig_ForgetAllNetworks(void) { return ask(SERVICE_WIFI_FORGET_ALL); }

/* All that are stored; -1 with errno. */
static int list(struct record *records) {
    int count = service_request(SERVICE_WIFI_LIST, NULL, 0, records, MOST_NETWORKS * sizeof *records);
    return count > MOST_NETWORKS ? MOST_NETWORKS : count;
}
/* The network with an SSID and a kind of security; -1 with ENOENT. */
static int find(const uint8_t *ssid, size_t length, uint8_t security) {
    struct record records[MOST_NETWORKS];
    int count = list(records);
    if (count < 0) return -1;
    for (int index = 0; index < count; index++)
        if (records[index].ssid_length == length && memcmp(records[index].ssid, ssid, length) == 0 && records[index].security == security)
            return (int)records[index].id;
    return fail(ENOENT);
}
int WifiConfig_ForgetNetwork(const WifiConfig_StoredNetwork *storedNetwork) {
    if (!storedNetwork) return fail(EFAULT);
    int id = find(storedNetwork->ssid, storedNetwork->ssidLength, storedNetwork->security);
    return id < 0 || WifiConfig_ForgetNetworkById(id) < 0 ? -1 : WifiConfig_PersistConfig();
}
static int store(const uint8_t *ssid, size_t length, WifiConfig_Security_Type security, const char *psk, size_t pskLength) {
    if (!ssid || (security == WifiConfig_Security_Wpa2_Psk && !psk)) return fail(EFAULT);
    if (length == 0 || length > WIFICONFIG_SSID_MAX_LENGTH || pskLength > WIFICONFIG_WPA2_KEY_MAX_BUFFER_SIZE) return fail(ERANGE);
    if (find(ssid, length, security) >= 0) return fail(EEXIST);
    if (errno != ENOENT) return -1;
    int id = WifiConfig_AddNetwork();
    if (id < 0) return -1;
    if (WifiConfig_SetSSID(id, ssid, length) == 0 && WifiConfig_SetSecurityType(id, security) == 0 &&
        (!psk || WifiConfig_SetPSK(id, psk, pskLength) == 0) && WifiConfig_SetNetworkEnabled(id, true) == 0 && WifiConfig_PersistConfig() == 0)
        return 0;
    int error = errno;
    WifiConfig_ForgetNetworkById(id);
    return fail(error);
}
int WifiConfig_StoreOpenNetwork(const uint8_t *ssid, size_t ssidLength) { return store(ssid, ssidLength, WifiConfig_Security_Open, NULL, 0); }
int WifiConfig_StoreWpa2Network(const uint8_t *ssid, size_t ssidLength, const char *psk, size_t pskLength) {
    return store(ssid, ssidLength, WifiConfig_Security_Wpa2_Psk, psk, pskLength);
}

ssize_t WifiConfig_GetStoredNetworkCount(void) { return ask(SERVICE_WIFI_LIST); }
ssize_t WifiConfig_GetStoredNetworks(WifiConfig_StoredNetwork *storedNetworkArray, size_t storedNetworkArrayCount) {
    if (!storedNetworkArray) return fail(EFAULT);
    if (storedNetworkArrayCount == 0) return fail(ERANGE);
    struct record records[MOST_NETWORKS];
    int count = list(records);
    if (count < 0) return -1;
    if ((size_t)count > storedNetworkArrayCount) count = (int)storedNetworkArrayCount;
    for (int index = 0; index < count; index++) {
        WifiConfig_StoredNetwork *out = &storedNetworkArray[index];
        memset(out, 0, sizeof *out);
        memcpy(out->ssid, records[index].ssid, sizeof out->ssid);
        out->ssidLength = records[index].ssid_length;
        out->isEnabled = records[index].is_enabled;
        out->isConnected = records[index].is_connected;
        out->security = records[index].security;
    }
    return count;
}
/* What is on the air: the length of its SSID, its security, the SSID. */
static ssize_t scan(WifiConfig_ScannedNetwork *out) {
    uint8_t answer[2 + WIFICONFIG_SSID_MAX_LENGTH] = {0};
    int count = service_request(SERVICE_WIFI_SCAN, NULL, 0, answer, sizeof answer);
    if (count <= 0 || !out) return count;
    memset(out, 0, sizeof *out);
    memcpy(out->ssid, answer + 2, answer[0]);
    memcpy(out->bssid, (uint8_t[]){2, 0, 0, 0, 0, 1}, sizeof out->bssid);
    out->ssidLength = answer[0];
    out->security = answer[1];
    out->frequencyMHz = FREQUENCY_MHZ;
    out->signalRssi = RSSI;
    return 1;
}
/* Of the network that the device is connected to; -1 with ENOTCONN. */
static int connected(void) {
    struct record records[MOST_NETWORKS];
    int count = list(records);
    if (count < 0) return -1;
    for (int index = 0; index < count; index++)
        if (records[index].is_connected) return (int)records[index].id;
    return fail(ENOTCONN);
}
int WifiConfig_GetConnectedNetworkId(void) { return connected(); }
/* What is connected to is what is on the air. */
int WifiConfig_GetCurrentNetwork(WifiConfig_ConnectedNetwork *connectedNetwork) {
    if (!connectedNetwork) return fail(EFAULT);
    if (connected() < 0) return fail(errno == ENOTCONN ? ENODATA : errno);
    return scan(connectedNetwork) < 0 ? -1 : 0;
}
ssize_t WifiConfig_TriggerScanAndGetScannedNetworkCount(void) { return scan(NULL); }
ssize_t WifiConfig_GetScannedNetworks(WifiConfig_ScannedNetwork *scannedNetworkArray, size_t scannedNetworkArrayCount) {
    if (!scannedNetworkArray) return fail(EFAULT);
    return scannedNetworkArrayCount == 0 ? fail(ERANGE) : scan(scannedNetworkArray);
}
int WifiConfig_GetNetworkDiagnostics(int networkId, WifiConfig_NetworkDiagnostics *networkDiagnostics) {
    struct {
        uint8_t is_enabled, is_connected, reserved[2];
        int32_t error;
        int64_t unix_seconds;
    } answer;
    uint32_t id = (uint32_t)networkId;
    if (!networkDiagnostics) return fail(EFAULT);
    if (networkId < 0) return fail(EINVAL);
    if (service_request(SERVICE_WIFI_DIAGNOSTICS, &id, sizeof id, &answer, sizeof answer) < 0) return -1;
    memset(networkDiagnostics, 0, sizeof *networkDiagnostics);
    networkDiagnostics->isEnabled = answer.is_enabled;
    networkDiagnostics->isConnected = answer.is_connected;
    networkDiagnostics->error = answer.error;
    networkDiagnostics->timestamp = (time_t)answer.unix_seconds;
    return 0;
}

/* Bytes of a field, with a zero behind them. */
static int get(int id, enum field field, char *out, size_t size) {
    uint32_t request[2] = {(uint32_t)id, field};
    if (!out) return fail(EFAULT);
    if (id < 0) return fail(EINVAL);
    memset(out, 0, size);
    return service_request(SERVICE_ENTERPRISE_GET, request, sizeof request, out, size - 1) < 0 ? -1 : 0;
}
int WifiConfig_GetClientIdentity(int networkId, WifiConfig_ClientIdentity *outIdentity) {
    return get(networkId, IDENTITY, outIdentity ? outIdentity->identity : NULL, sizeof outIdentity->identity);
}
int WifiConfig_SetClientIdentity(int networkId, const char *identity) {
    return set_text(SERVICE_ENTERPRISE_SET, networkId, IDENTITY, identity, LONGEST_IDENTITY);
}
int WifiConfig_GetClientCertStoreIdentifier(int networkId, CertStore_Identifier *outIdentifier) {
    return get(networkId, CLIENT_CERTIFICATE, outIdentifier ? outIdentifier->identifier : NULL, sizeof outIdentifier->identifier);
}
int WifiConfig_SetClientCertStoreIdentifier(int networkId, const char *certStoreIdentifier) {
    return set_text(SERVICE_ENTERPRISE_SET, networkId, CLIENT_CERTIFICATE, certStoreIdentifier, CERTSTORE_MAX_IDENTIFIER_LENGTH);
}
int WifiConfig_GetRootCACertStoreIdentifier(int networkId, CertStore_Identifier *outIdentifier) {
    return get(networkId, ROOT_CERTIFICATE, outIdentifier ? outIdentifier->identifier : NULL, sizeof outIdentifier->identifier);
}
int WifiConfig_SetRootCACertStoreIdentifier(int networkId, const char *certStoreIdentifier) {
    return set_text(SERVICE_ENTERPRISE_SET, networkId, ROOT_CERTIFICATE, certStoreIdentifier, CERTSTORE_MAX_IDENTIFIER_LENGTH);
}
/* It only changes how much current the radio takes. */
int WifiConfig_SetPowerSavingsEnabled(bool enabled) { return (void)enabled, ask(SERVICE_WIFI); }
