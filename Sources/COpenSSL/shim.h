/* EC_KEY_METHOD, the only way to sign outside OpenSSL without a provider, is marked deprecated in 3.0. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdh.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* Everything below is a macro or a macro-made function in OpenSSL's headers, which Swift cannot see. */

static inline int tls_versions(SSL_CTX *ctx, int least, int most) {
    return SSL_CTX_set_min_proto_version(ctx, least) && SSL_CTX_set_max_proto_version(ctx, most);
}
static inline long ssl_ctx_set_groups(SSL_CTX *ctx, const char *list) { return SSL_CTX_set1_groups_list(ctx, list); }
static inline long ssl_ctx_no_session_cache(SSL_CTX *ctx) { return SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline long ssl_ctx_add_chain(SSL_CTX *ctx, X509 *x) { return SSL_CTX_add1_chain_cert(ctx, x); }
static inline long ssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline int x509_stack_count(const STACK_OF(X509) *s) { return s ? sk_X509_num(s) : 0; }
static inline X509 *x509_stack_at(const STACK_OF(X509) *s, int i) { return sk_X509_value(s, i); }
static inline STACK_OF(X509) *x509_stack_new(void) { return sk_X509_new_null(); }
static inline int x509_stack_push(STACK_OF(X509) *s, X509 *x) { return sk_X509_push(s, x); }
static inline void x509_stack_free(STACK_OF(X509) *s) { sk_X509_pop_free(s, X509_free); }
static inline STACK_OF(X509) *pkcs7_certificates(PKCS7 *p) {
    return OBJ_obj2nid(p->type) == NID_pkcs7_signed && p->d.sign ? p->d.sign->cert : NULL;
}
static inline int pkcs7_make_empty_content(PKCS7 *p) { return PKCS7_content_new(p, NID_pkcs7_data) && PKCS7_set_detached(p, 1); }
static inline int general_name_count(const GENERAL_NAMES *s) { return s ? sk_GENERAL_NAME_num(s) : 0; }
static inline GENERAL_NAME *general_name_at(const GENERAL_NAMES *s, int i) { return sk_GENERAL_NAME_value(s, i); }
static inline const ASN1_STRING *general_name_text(const GENERAL_NAME *n, int *type) {
    *type = n->type;
    return n->type == GEN_DNS || n->type == GEN_URI ? n->d.ia5 : NULL;
}
static inline GENERAL_NAMES *general_names_new(void) { return sk_GENERAL_NAME_new_null(); }
static inline void general_names_free(GENERAL_NAMES *s) { sk_GENERAL_NAME_pop_free(s, GENERAL_NAME_free); }
/* A name of a type whose value is an IA5String, taken byte for byte. */
static inline int general_names_add(GENERAL_NAMES *s, int type, const unsigned char *text, int count) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    if (!name || !value || !ASN1_STRING_set(value, text, count) || !sk_GENERAL_NAME_push(s, name)) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(value);
        return 0;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return 1;
}
/* A directory name, of which a copy is taken. */
static inline int general_names_add_directory(GENERAL_NAMES *s, X509_NAME *directory) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    X509_NAME *copy = X509_NAME_dup(directory);
    if (!name || !copy || !sk_GENERAL_NAME_push(s, name)) {
        GENERAL_NAME_free(name);
        X509_NAME_free(copy);
        return 0;
    }
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, copy);
    return 1;
}
static inline X509_NAME *general_name_directory(const GENERAL_NAME *n) {
    return n->type == GEN_DIRNAME ? n->d.directoryName : NULL;
}
static inline int purpose_count(const EXTENDED_KEY_USAGE *s) { return s ? sk_ASN1_OBJECT_num(s) : 0; }
static inline const ASN1_OBJECT *purpose_at(const EXTENDED_KEY_USAGE *s, int i) { return sk_ASN1_OBJECT_value(s, i); }
static inline int ec_key_data_index(CRYPTO_EX_dup *copy, CRYPTO_EX_free *release) {
    return EC_KEY_get_ex_new_index(0, NULL, NULL, copy, release);
}
static inline int ssl_data_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }
static inline int error_reason(unsigned long e) { return ERR_GET_REASON(e); }
static inline unsigned long name_line_flags(void) { return XN_FLAG_RFC2253; }
static inline long bio_pending_bytes(BIO *b) { return BIO_pending(b); }
