/* curl with wolfSSL: the device's certificate is shown, its key stays with the OS. */
#include <applibs/application.h>
#include <applibs/log.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <tlsutils/deviceauth_curl.h>
#include <unistd.h>
#include <wolfssl/ssl.h>

static const char url[] = "https://service.acme.internal:8443/messages/curl";

static void post(const char *what, long isVerified, curl_ssl_ctx_callback setUp) {
    CURL *curl = curl_easy_init();
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "hi");
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, isVerified);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, isVerified ? 2L : 0L);
    if (setUp) curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, setUp);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    Log_Debug("%s: %s, %ld\n", what, curl_easy_strerror(code), status);
    curl_easy_cleanup(curl);
}

int main(void) {
    bool isReady = false;
    curl_global_init(CURL_GLOBAL_ALL);
    Log_Debug("%s\n", curl_version());
    Log_Debug("context: %d\n", DeviceAuth_SslCtxFunc(NULL));
    post("too early", 0, DeviceAuth_CurlSslFunc);
    while (Application_IsDeviceAuthReady(&isReady) == 0 && !isReady) sleep(1);
    post("nobody trusts the service", 1, DeviceAuth_CurlSslFunc);
    post("without a certificate", 0, NULL);
    post("device", 0, DeviceAuth_CurlSslFunc);
    curl_global_cleanup();
    for (;;) pause();
}
