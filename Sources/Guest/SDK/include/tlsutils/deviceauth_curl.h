/* The device's certificate for curl and wolfSSL. Signatures are made by the OS: the key never comes into the program. Needs
 * DeviceAuthentication in the manifest, and -ltlsutils -lcurl -lwolfssl. */
#pragma once
#include <curl/curl.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef enum DeviceAuthSslResult {
    DeviceAuthSslResult_Success = 0,
    DeviceAuthSslResult_CertificateError = 1, /* it is not there yet: Application_IsDeviceAuthReady */
    DeviceAuthSslResult_KeyError = 2,
    DeviceAuthSslResult_GeneralError = 3, /* no context */
} DeviceAuthSslResult;

/* Sets up a WOLFSSL_CTX. */
DeviceAuthSslResult DeviceAuth_SslCtxFunc(void *sslctx);

/* For CURLOPT_SSL_CTX_FUNCTION. */
static inline CURLcode DeviceAuth_CurlSslFunc(CURL *curl, void *sslctx, void *userCtx) {
    (void)curl;
    (void)userCtx;
    return DeviceAuth_SslCtxFunc(sslctx) == DeviceAuthSslResult_Success ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}
#ifdef __cplusplus
}
#endif
