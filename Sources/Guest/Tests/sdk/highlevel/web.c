/* curl and wolfSSL, easy and multi, as an app links them. */
#include <applibs/log.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tlsutils/deviceauth_curl.h>
#include <wolfssl/ssl.h>

int main(void) {
    if (curl_global_init(CURL_GLOBAL_ALL)) return 1;
    CURL *curl = curl_easy_init();
    CURLM *multi = curl_multi_init();
    int running = 1;
    Log_Debug("%s\n", curl_version());
    curl_easy_setopt(curl, CURLOPT_URL, "https://127.0.0.1/");
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, DeviceAuth_CurlSslFunc);
    Log_Debug("easy: %s\n", curl_easy_strerror(curl_easy_perform(curl)));
    curl_multi_add_handle(multi, curl);
    while (running) curl_multi_perform(multi, &running);
    int left;
    CURLMsg *message = curl_multi_info_read(multi, &left);
    Log_Debug("multi: %s\n", message ? curl_easy_strerror(message->data.result) : "nothing");
    curl_multi_remove_handle(multi, curl);
    curl_multi_cleanup(multi);
    curl_easy_cleanup(curl);

    /* TLS 1.3 and names are declared by the header itself. */
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    WOLFSSL *ssl = wolfSSL_new(context);
    Log_Debug("name: %d\n", wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, "example.com", 11) == WOLFSSL_SUCCESS);
    Log_Debug("check: %d\n", wolfSSL_check_domain_name(ssl, "example.com") == WOLFSSL_SUCCESS);
    Log_Debug("roots: %d\n", wolfSSL_CTX_load_verify_locations(context, "/nowhere.pem", NULL) == WOLFSSL_SUCCESS);
    Log_Debug("no device: %d %d\n", DeviceAuth_SslCtxFunc(context), DeviceAuth_CurlSslFunc(NULL, context, NULL));
    wolfSSL_free(ssl);
    wolfSSL_CTX_free(context);
    wolfSSL_Cleanup();
    curl_global_cleanup();
    return 0;
}
