/* The device's proxy for curl. Needs NetworkConfig or ReadNetworkProxyConfig in the manifest. */
#pragma once
#include <applibs/networking.h>
#include <curl/curl.h>
#include <errno.h>
#ifdef __cplusplus
extern "C" {
#endif
/* 0, also if no proxy is set; -1: EACCES, EFAULT, EAGAIN. In the header, so that only those who use curl link it. */
static inline int Networking_Curl_SetDefaultProxy(CURL *curlHandle) {
    if (!curlHandle) {
        errno = EFAULT;
        return -1;
    }
    Networking_ProxyConfig *proxy = Networking_Proxy_Create();
    if (!proxy) return -1;
    Networking_ProxyOptions options = 0;
    uint16_t port = 0;
    int result = Networking_Proxy_Get(proxy);
    int error = errno;
    if (result == 0 && Networking_Proxy_GetProxyOptions(proxy, &options) == 0 && (options & Networking_ProxyOptions_Enabled) &&
        Networking_Proxy_GetProxyPort(proxy, &port) == 0) {
        CURLcode code = curl_easy_setopt(curlHandle, CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP);
        if (!code) code = curl_easy_setopt(curlHandle, CURLOPT_PROXY, Networking_Proxy_GetProxyAddress(proxy));
        if (!code) code = curl_easy_setopt(curlHandle, CURLOPT_PROXYPORT, (long)port);
        if (!code) code = curl_easy_setopt(curlHandle, CURLOPT_NOPROXY, Networking_Proxy_GetNoProxyAddresses(proxy));
        if (!code && Networking_Proxy_GetAuthType(proxy) == Networking_ProxyAuthType_Basic) {
            code = curl_easy_setopt(curlHandle, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
            if (!code) code = curl_easy_setopt(curlHandle, CURLOPT_PROXYUSERNAME, Networking_Proxy_GetProxyUsername(proxy));
            if (!code) code = curl_easy_setopt(curlHandle, CURLOPT_PROXYPASSWORD, Networking_Proxy_GetProxyPassword(proxy));
        }
        if (code) {
            result = -1;
            error = code == CURLE_OUT_OF_MEMORY ? ENOMEM : EINVAL;
        }
    }
    Networking_Proxy_Destroy(proxy);
    if (result < 0 && error == ENOENT) return 0;
    errno = error;
    return result;
}
#ifdef __cplusplus
}
#endif
