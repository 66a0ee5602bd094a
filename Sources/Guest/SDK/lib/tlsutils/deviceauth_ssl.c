/* For those who bring wolfSSL: in a library of its own, so that nobody else needs it. */
#include "../service.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <tlsutils/deviceauth.h>
#include <tlsutils/deviceauth_curl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>

enum { DIGEST_BYTES = 32, SCALAR_BYTES = 32, LONGEST_CHAIN = 8192 };

/* ECDSA on P-256 with SHA-256, by the OS. */
static int sign(
    WOLFSSL *ssl, const unsigned char *digest, unsigned int digestBytes, unsigned char *out, unsigned int *outBytes,
    const unsigned char *key, unsigned int keyBytes, void *context) {
    (void)ssl, (void)key, (void)keyBytes, (void)context;
    unsigned char signature[2 * SCALAR_BYTES];
    if (digestBytes != DIGEST_BYTES) return BAD_FUNC_ARG;
    if (service_request(SERVICE_SIGN_DIGEST, digest, digestBytes, signature, sizeof signature) < 0) return WC_HW_E;
    return wc_ecc_rs_raw_to_sig(signature, SCALAR_BYTES, signature + SCALAR_BYTES, SCALAR_BYTES, out, outBytes);
}

DeviceAuthSslResult DeviceAuth_SslCtxFunc(void *sslctx) {
    WOLFSSL_CTX *context = sslctx;
    if (!context) return DeviceAuthSslResult_GeneralError;
    wolfSSL_CTX_SetEccSignCb(context, sign);
    /* wolfSSL would ask for the length by seeking to the end, which this file has not. */
    static unsigned char chain[LONGEST_CHAIN];
    int fd = open(DeviceAuth_GetCertificatePath(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return DeviceAuthSslResult_CertificateError;
    ssize_t length = 0;
    for (ssize_t count; (count = read(fd, chain + length, sizeof chain - (size_t)length)) > 0;) length += count;
    close(fd);
    if (wolfSSL_CTX_use_certificate_chain_buffer(context, chain, length) != WOLFSSL_SUCCESS) return DeviceAuthSslResult_CertificateError;
    return wolfSSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384:ECDSA+SHA384") ==
                   WOLFSSL_SUCCESS
               ? DeviceAuthSslResult_Success
               : DeviceAuthSslResult_KeyError;
}
