#include "service.h"
#include <applibs/certstore.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fail(int error) {
    errno = error;
    return -1;
}

static int install(
    enum service_operation operation, const char *identifier, const char *cert, size_t cert_bytes, const char *key, size_t key_bytes,
    const char *password) {
    size_t password_bytes = password ? strlen(password) : 0;
    if (cert_bytes == 0 || cert_bytes > CERTSTORE_MAX_CERT_SIZE || key_bytes > CERTSTORE_MAX_CERT_SIZE ||
        password_bytes > CERTSTORE_MAX_PRIVATE_KEY_PASSWORD_LENGTH)
        return fail(ERANGE);
    size_t name_bytes = strlen(identifier);
    if (name_bytes == 0 || name_bytes > CERTSTORE_MAX_IDENTIFIER_LENGTH) return fail(EINVAL);
    uint32_t lengths[4] = {(uint32_t)name_bytes, (uint32_t)cert_bytes, (uint32_t)key_bytes, (uint32_t)password_bytes};
    size_t total = sizeof lengths + name_bytes + cert_bytes + key_bytes + password_bytes;
    char *request = malloc(total);
    if (!request) return -1;
    char *end = request;
    memcpy(end, lengths, sizeof lengths);
    end += sizeof lengths;
    memcpy(end, identifier, name_bytes);
    end += name_bytes;
    memcpy(end, cert, cert_bytes);
    end += cert_bytes;
    if (key_bytes) memcpy(end, key, key_bytes);
    end += key_bytes;
    if (password_bytes) memcpy(end, password, password_bytes);
    int result = service_request(operation, request, total, NULL, 0);
    int error = errno;
    free(request);
    errno = error;
    return result < 0 ? -1 : 0;
}

int CertStore_InstallClientCertificate(
    const char *identifier, const char *certBlob, size_t certBlobLength, const char *privateKeyBlob, size_t privateKeyBlobLength,
    const char *privateKeyPassword) {
    if (!identifier || !certBlob || !privateKeyBlob) return fail(EFAULT);
    if (privateKeyBlobLength == 0) return fail(ERANGE);
    return install(
        SERVICE_CERTIFICATE_INSTALL_CLIENT, identifier, certBlob, certBlobLength, privateKeyBlob, privateKeyBlobLength,
        privateKeyPassword);
}

int CertStore_InstallRootCACertificate(const char *identifier, const char *certBlob, size_t certBlobLength) {
    if (!identifier || !certBlob) return fail(EFAULT);
    return install(SERVICE_CERTIFICATE_INSTALL_ROOT, identifier, certBlob, certBlobLength, NULL, 0, NULL);
}

static int by_name(enum service_operation operation, const char *identifier, void *out, size_t out_bytes) {
    if (!identifier) return fail(EFAULT);
    return service_request(operation, identifier, strlen(identifier), out, out_bytes) < 0 ? -1 : 0;
}

int CertStore_DeleteCertificate(const char *identifier) { return by_name(SERVICE_CERTIFICATE_DELETE, identifier, NULL, 0); }
ssize_t CertStore_GetCertificateCount(void) { return service_request(SERVICE_CERTIFICATE_COUNT, NULL, 0, NULL, 0); }
ssize_t CertStore_GetAvailableSpace(void) { return service_request(SERVICE_CERTIFICATE_SPACE, NULL, 0, NULL, 0); }

int CertStore_GetCertificateIdentifierAt(size_t index, CertStore_Identifier *outIdentifier) {
    if (!outIdentifier) return fail(EFAULT);
    memset(outIdentifier, 0, sizeof *outIdentifier);
    uint32_t word = (uint32_t)index;
    return service_request(SERVICE_CERTIFICATE_AT, &word, sizeof word, outIdentifier->identifier, CERTSTORE_MAX_IDENTIFIER_LENGTH) < 0 ? -1 : 0;
}

int CertStore_GetCertificateSubjectName(const char *identifier, struct CertStore_SubjectName *outSubjectName) {
    if (!outSubjectName) return fail(EFAULT);
    memset(outSubjectName, 0, sizeof *outSubjectName);
    return by_name(SERVICE_CERTIFICATE_SUBJECT, identifier, outSubjectName->name, CERTSTORE_SUBJECTNAME_MAX_LENGTH);
}

int CertStore_GetCertificateIssuerName(const char *identifier, struct CertStore_IssuerName *outIssuerName) {
    if (!outIssuerName) return fail(EFAULT);
    memset(outIssuerName, 0, sizeof *outIssuerName);
    return by_name(SERVICE_CERTIFICATE_ISSUER, identifier, outIssuerName->name, CERTSTORE_ISSUERNAME_MAX_LENGTH);
}

static int date(enum service_operation operation, const char *identifier, struct tm *out) {
    if (!out) return fail(EFAULT);
    int64_t seconds;
    if (by_name(operation, identifier, &seconds, sizeof seconds) < 0) return -1;
    time_t time = (time_t)seconds;
    return gmtime_r(&time, out) ? 0 : -1;
}
int CertStore_GetCertificateNotBefore(const char *identifier, struct tm *outNotBefore) {
    return date(SERVICE_CERTIFICATE_NOT_BEFORE, identifier, outNotBefore);
}
int CertStore_GetCertificateNotAfter(const char *identifier, struct tm *outNotAfter) {
    return date(SERVICE_CERTIFICATE_NOT_AFTER, identifier, outNotAfter);
}

int CertStore_MoveCertificate(const char *oldIdentifier, const char *newIdentifier) {
    if (!oldIdentifier || !newIdentifier) return fail(EFAULT);
    size_t old_bytes = strlen(oldIdentifier), new_bytes = strlen(newIdentifier);
    char request[2 * CERTSTORE_MAX_IDENTIFIER_LENGTH + 1];
    if (old_bytes > CERTSTORE_MAX_IDENTIFIER_LENGTH || new_bytes > CERTSTORE_MAX_IDENTIFIER_LENGTH) return fail(EINVAL);
    memcpy(request, oldIdentifier, old_bytes + 1);
    memcpy(request + old_bytes + 1, newIdentifier, new_bytes);
    return service_request(SERVICE_CERTIFICATE_MOVE, request, old_bytes + 1 + new_bytes, NULL, 0) < 0 ? -1 : 0;
}
