/* TLS keys and certificates; the only door to GnuTLS. See tls_key.h. */
#include "platform/tls_key.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#include "protocol/assert.h"

/* From a fixed day to no end: neither tells when the server was made, and a clock that stands in 1970 does no harm. */
#define VALID_FROM ((time_t)1577836800)    /* 2020-01-01 */
#define VALID_UNTIL ((time_t)253402300799) /* 9999-12-31: RFC 5280's "no end" */

static enum mq_status library_failed(struct mq_error *error, int code)
{
    return mq_fail(error, MQ_FAULT, _("cannot make a TLS key or certificate: %s"), gnutls_strerror(code));
}

static int make_key(gnutls_x509_privkey_t *key)
{
    int code = gnutls_x509_privkey_init(key);

    if (code == 0)
        code = gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    return code;
}

static int fill_certificate(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name)
{
    uint8_t serial[16];
    int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    if (code == 0)
        code = gnutls_x509_crt_set_version(certificate, 3);
    if (code == 0)
        code = gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
    if (code == 0)
        code = gnutls_x509_crt_set_key(certificate, key);
    if (code == 0)
        code = gnutls_x509_crt_set_activation_time(certificate, VALID_FROM);
    if (code == 0)
        code = gnutls_x509_crt_set_expiration_time(certificate, VALID_UNTIL);
    if (code == 0)
        code = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
    if (code == 0)
        code = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
                                                    GNUTLS_FSAN_SET);
    if (code == 0)
        code = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
    if (code == 0)
        code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code == 0)
        code = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return code;
}

static int make_certificate(gnutls_x509_crt_t *certificate, gnutls_x509_privkey_t key, const char *name)
{
    int code = gnutls_x509_crt_init(certificate);

    if (code == 0)
        code = fill_certificate(*certificate, key, name);
    if (code == 0)
        code = gnutls_x509_crt_sign2(*certificate, *certificate, key, GNUTLS_DIG_SHA256, 0);
    return code;
}

/* Straight into the caller's memory, so that no copy of the key is left elsewhere. */
static int write_pem(struct mq_buffer *key_pem, struct mq_buffer *certificate_pem, gnutls_x509_privkey_t key,
                     gnutls_x509_crt_t certificate)
{
    size_t key_size = key_pem->capacity - key_pem->size;
    size_t certificate_size = certificate_pem->capacity - certificate_pem->size;
    int code = gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, key_pem->data + key_pem->size, &key_size);

    if (code == 0)
        code = gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_PEM, certificate_pem->data + certificate_pem->size,
                                      &certificate_size);
    if (code == 0) {
        key_pem->size += key_size;
        certificate_pem->size += certificate_size;
    }
    return code;
}

enum mq_status mq_tls_make(struct mq_buffer *key_pem, struct mq_buffer *certificate_pem, const char *name,
                           struct mq_error *error)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t certificate = NULL;

    MQ_ASSERT(!key_pem->failed && !certificate_pem->failed);
    int code = make_key(&key);
    if (code == 0)
        code = make_certificate(&certificate, key, name);
    if (code == 0)
        code = write_pem(key_pem, certificate_pem, key, certificate);
    if (certificate != NULL)
        gnutls_x509_crt_deinit(certificate);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    if (code == GNUTLS_E_SHORT_MEMORY_BUFFER) {
        key_pem->failed = certificate_pem->failed = true;
        return mq_fail(error, MQ_NO_SPACE, _("no room for the TLS key and certificate"));
    }
    return code == 0 ? MQ_OK : library_failed(error, code);
}

static gnutls_datum_t to_datum(struct mq_span span)
{
    /* GnuTLS reads only; its type has no const. */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)span.data, (unsigned)span.size};
}

static enum mq_status certificate_id(uint8_t id[MQ_HASH_SIZE], struct mq_span pem, struct mq_error *error)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t datum = to_datum(pem);
    size_t size = MQ_HASH_SIZE;

    int code = pem.size > MQ_TLS_PEM_MAX ? GNUTLS_E_LARGE_PACKET : gnutls_x509_crt_init(&certificate);
    if (code == 0)
        code = gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM);
    if (code == 0)
        code = gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, id, &size);
    if (certificate != NULL)
        gnutls_x509_crt_deinit(certificate);
    if (code != 0)
        return mq_fail(error, MQ_REFUSED,
                       _("the TLS certificate cannot be read; it should be a PEM file that starts with "
                         "-----BEGIN CERTIFICATE-----: %s"),
                       gnutls_strerror(code));
    MQ_ASSERT(size == MQ_HASH_SIZE);
    return MQ_OK;
}

static enum mq_status key_id(uint8_t id[MQ_HASH_SIZE], struct mq_span pem, struct mq_error *error)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t datum = to_datum(pem);
    size_t size = MQ_HASH_SIZE;

    int code = pem.size > MQ_TLS_PEM_MAX ? GNUTLS_E_LARGE_PACKET : gnutls_x509_privkey_init(&key);
    if (code == 0)
        code = gnutls_x509_privkey_import2(key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code == 0)
        code = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &size);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    if (code != 0)
        return mq_fail(error, MQ_REFUSED,
                       _("the TLS key cannot be read; it should be a PEM file with a private key, without a "
                         "passphrase: %s"),
                       gnutls_strerror(code));
    MQ_ASSERT(size == MQ_HASH_SIZE);
    return MQ_OK;
}

enum mq_status mq_tls_pin(uint8_t pin[MQ_HASH_SIZE], struct mq_span certificate_pem, struct mq_error *error)
{
    return certificate_id(pin, certificate_pem, error);
}

enum mq_status mq_tls_check(struct mq_span certificate_pem, struct mq_span key_pem, struct mq_error *error)
{
    uint8_t of_certificate[MQ_HASH_SIZE], of_key[MQ_HASH_SIZE];
    enum mq_status status = certificate_id(of_certificate, certificate_pem, error);

    if (status == MQ_OK)
        status = key_id(of_key, key_pem, error);
    if (status == MQ_OK && memcmp(of_certificate, of_key, MQ_HASH_SIZE) != 0)
        status = mq_fail(error, MQ_REFUSED, _("the TLS key and the TLS certificate do not belong together"));
    return status;
}
