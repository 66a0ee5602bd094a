/* Certificates of the device's apps: identifiers are of the whole device. */
#pragma once
#include <stddef.h>
#include <sys/types.h>
#include <time.h>
#ifdef __cplusplus
extern "C" {
#endif
#define CERTSTORE_MAX_CERT_SIZE 8192
#define CERTSTORE_MAX_PRIVATE_KEY_PASSWORD_LENGTH 256
#define CERTSTORE_MAX_IDENTIFIER_LENGTH 16
#define CERTSTORE_SUBJECTNAME_MAX_LENGTH 300
#define CERTSTORE_ISSUERNAME_MAX_LENGTH 300
typedef struct CertStore_Identifier {
    char identifier[CERTSTORE_MAX_IDENTIFIER_LENGTH + 1];
} CertStore_Identifier;
typedef struct CertStore_SubjectName {
    char name[CERTSTORE_SUBJECTNAME_MAX_LENGTH + 1];
} CertStore_SubjectName;
typedef struct CertStore_IssuerName {
    char name[CERTSTORE_ISSUERNAME_MAX_LENGTH + 1];
} CertStore_IssuerName;

int CertStore_InstallClientCertificate(
    const char *identifier, const char *certBlob, size_t certBlobLength, const char *privateKeyBlob, size_t privateKeyBlobLength,
    const char *privateKeyPassword);
int CertStore_InstallRootCACertificate(const char *identifier, const char *certBlob, size_t certBlobLength);
int CertStore_DeleteCertificate(const char *identifier);
ssize_t CertStore_GetCertificateCount(void);
int CertStore_GetCertificateIdentifierAt(size_t index, CertStore_Identifier *outIdentifier);
ssize_t CertStore_GetAvailableSpace(void);
int CertStore_GetCertificateSubjectName(const char *identifier, struct CertStore_SubjectName *outSubjectName);
int CertStore_GetCertificateIssuerName(const char *identifier, struct CertStore_IssuerName *outIssuerName);
int CertStore_GetCertificateNotBefore(const char *identifier, struct tm *outNotBefore);
int CertStore_GetCertificateNotAfter(const char *identifier, struct tm *outNotAfter);
int CertStore_MoveCertificate(const char *oldIdentifier, const char *newIdentifier);
#ifdef __cplusplus
}
#endif
