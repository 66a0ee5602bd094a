/* How this SDK's wolfSSL is built, which whoever includes its headers must know: TLS 1.2 and 1.3 as a client or server, without
 * what is broken, in little memory. */
#pragma once
#define HAVE_PTHREAD
#define WOLFSSL_GETRANDOM

#define WOLFSSL_TLS13
#define NO_OLD_TLS
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_EXTENDED_MASTER
#define HAVE_ENCRYPT_THEN_MAC
#define HAVE_SERVER_RENEGOTIATION_INFO
#define HAVE_SNI
#define HAVE_ALPN
#define HAVE_MAX_FRAGMENT
#define HAVE_SESSION_TICKET

#define HAVE_ECC
#define HAVE_ECC384
#define ECC_TIMING_RESISTANT
#define ECC_SHAMIR
#define HAVE_CURVE25519
#define CURVE25519_SMALL
#define TFM_TIMING_RESISTANT
#define WC_RSA_BLINDING
#define WC_RSA_PSS
#define HAVE_HKDF
#define HAVE_AESGCM
#define GCM_SMALL
#define WOLFSSL_AES_SMALL_TABLES
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_ONE_TIME_AUTH
#define WOLFSSL_SHA224
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define NO_DH
#define NO_DSA
#define NO_RC4
#define NO_MD4
#define NO_DES3
#define NO_PSK

#define WOLFSSL_SP_MATH_ALL
#define SP_INT_BITS 4096
#define WOLFSSL_SMALL_STACK
#define SMALL_SESSION_CACHE

#define WOLFSSL_ASN_TEMPLATE
#define WOLFSSL_ALT_NAMES
#define WOLFSSL_CERT_EXT
#define WOLFSSL_PEM_TO_DER
#define WOLFSSL_DER_TO_PEM
#define WOLFSSL_ENCRYPTED_KEYS
#define KEEP_PEER_CERT
#define HAVE_PK_CALLBACKS
#define WOLF_PRIVATE_KEY_ID
#define HAVE_EX_DATA
#define OPENSSL_EXTRA
#define HAVE_SECRET_CALLBACK
