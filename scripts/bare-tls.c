/* The baseline of scripts/bench: full mutual TLS 1.3 handshakes between two ends on memory, with OpenSSL and
   nothing else. Same curve, suite and length of chain as the testbed. Prints handshakes per CPU-second. */

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct { EVP_PKEY *key; X509 *cert; } Party;

static void extend(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static Party make(const char *name, const Party *issuer, int is_ca) {
    Party p = {EVP_EC_gen("P-256"), X509_new()};
    X509_set_version(p.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.cert), rand() + 1);
    X509_gmtime_adj(X509_getm_notBefore(p.cert), -10);
    X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(p.cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509 *by = issuer ? issuer->cert : p.cert;
    X509_set_issuer_name(p.cert, X509_get_subject_name(by));
    X509_set_pubkey(p.cert, p.key);
    extend(p.cert, by, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(p.cert, by, NID_key_usage, is_ca ? "critical,keyCertSign" : "critical,digitalSignature");
    extend(p.cert, by, NID_subject_key_identifier, "hash");
    if (issuer) extend(p.cert, by, NID_authority_key_identifier, "keyid:always");
    if (!is_ca) extend(p.cert, by, NID_subject_alt_name, "DNS:a.acme.internal,URI:urn:orrery:acme:product:a");
    if (!is_ca) extend(p.cert, by, NID_ext_key_usage, "clientAuth,serverAuth");
    X509_sign(p.cert, issuer ? issuer->key : p.key, EVP_sha256());
    return p;
}

static SSL_CTX *context(const SSL_METHOD *method, const Party *leaf, const Party *catalog, const Party *policy, const Party *root) {
    SSL_CTX *ctx = SSL_CTX_new(method);
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(ctx, "P-256");
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_use_certificate(ctx, leaf->cert);
    SSL_CTX_use_PrivateKey(ctx, leaf->key);
    SSL_CTX_add1_chain_cert(ctx, catalog->cert);
    SSL_CTX_add1_chain_cert(ctx, policy->cert);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root->cert);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

static void move(SSL *from, SSL *to) {
    char buffer[16384];
    int n;
    while ((n = BIO_read(SSL_get_wbio(from), buffer, sizeof buffer)) > 0) BIO_write(SSL_get_rbio(to), buffer, n);
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 1000;
    Party root = make("root", NULL, 1), policy = make("policy", &root, 1), catalog = make("catalog", &policy, 1);
    Party a = make("a", &catalog, 0), b = make("b", &catalog, 0);
    SSL_CTX *client = context(TLS_client_method(), &a, &catalog, &policy, &root);
    SSL_CTX *server = context(TLS_server_method(), &b, &catalog, &policy, &root);
    clock_t begun = clock();
    for (int i = 0; i < count; i++) {
        SSL *c = SSL_new(client), *s = SSL_new(server);
        SSL_set_bio(c, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(c);
        SSL_set_accept_state(s);
        for (int round = 0; round < 8 && !(SSL_is_init_finished(c) && SSL_is_init_finished(s)); round++) {
            SSL_do_handshake(c);
            move(c, s);
            SSL_do_handshake(s);
            move(s, c);
        }
        if (!SSL_is_init_finished(c) || !SSL_is_init_finished(s)) { fprintf(stderr, "handshake failed\n"); return 1; }
        SSL_free(c);
        SSL_free(s);
    }
    printf("%.1f\n", count / ((double)(clock() - begun) / CLOCKS_PER_SEC));
    return 0;
}
