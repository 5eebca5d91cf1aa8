#include "CTLS.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tls_watch {
  SSL_CTX *context;
  /// Of the last handshake; held on to, so that it outlives librabbitmq's closing of a connection that failed.
  SSL *ssl;
  char *asked_name;
  bool was_asked;
  char names[256];
};

/// librabbitmq hands out its context, but not what it makes of it for a connection, and asks for the server by the address that it was given.
static void on_step(const SSL *ssl, int where, int result) {
  (void)result;
  tls_watch *watch = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (watch == NULL || !(where & SSL_CB_HANDSHAKE_START) || watch->ssl == ssl) return;
  SSL_free(watch->ssl);
  watch->ssl = (SSL *)ssl;
  SSL_up_ref(watch->ssl);
  watch->was_asked = false;
  watch->names[0] = 0;
  SSL_set_tlsext_host_name(watch->ssl, watch->asked_name);
}

static int on_certificate_wanted(SSL *ssl, void *unused) {
  (void)unused;
  tls_watch *watch = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (watch != NULL) watch->was_asked = true;
  return 1;
}

/// Nobody sits at this program's terminal.
static int no_passphrase(char *buffer, int size, int writing, void *unused) {
  (void)buffer, (void)size, (void)writing, (void)unused;
  return -1;
}

static void append_name(tls_watch *watch, const char *name, size_t length) {
  size_t used = strlen(watch->names);
  size_t gap = used > 0 ? 2 : 0;
  if (used + gap + length >= sizeof watch->names) return;
  for (size_t i = 0; i < length; i++) if (name[i] <= ' ' || name[i] > '~') return;
  if (gap > 0) memcpy(watch->names + used, ", ", 2);
  memcpy(watch->names + used + gap, name, length);
  watch->names[used + gap + length] = 0;
}

static void note_names(tls_watch *watch, X509 *certificate) {
  GENERAL_NAMES *all = certificate == NULL ? NULL : X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
    const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
    char address[INET6_ADDRSTRLEN];
    if (one->type == GEN_DNS) {
      append_name(watch, (const char *)ASN1_STRING_get0_data(one->d.dNSName), ASN1_STRING_length(one->d.dNSName));
    } else if (one->type == GEN_IPADD) {
      int family = ASN1_STRING_length(one->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      if (family == AF_INET6 && ASN1_STRING_length(one->d.iPAddress) != 16) continue;
      if (inet_ntop(family, ASN1_STRING_get0_data(one->d.iPAddress), address, sizeof address)) append_name(watch, address, strlen(address));
    }
  }
  GENERAL_NAMES_free(all);
}

static int on_verified(int good, X509_STORE_CTX *store) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  tls_watch *watch = ssl == NULL ? NULL : SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  if (!good && watch != NULL && watch->names[0] == 0) note_names(watch, X509_STORE_CTX_get0_cert(store));
  return good;
}

tls_watch *tls_watch_new(void *context) {
  tls_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return NULL;
  watch->context = context;
  SSL_CTX_up_ref(watch->context);
  SSL_CTX_set_app_data(watch->context, watch);
  SSL_CTX_set_min_proto_version(watch->context, TLS1_2_VERSION);
  SSL_CTX_set_mode(watch->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_info_callback(watch->context, on_step);
  SSL_CTX_set_cert_cb(watch->context, on_certificate_wanted, NULL);
  SSL_CTX_set_default_passwd_cb(watch->context, no_passphrase);
  SSL_CTX_set_verify(watch->context, SSL_VERIFY_NONE, NULL);
  return watch;
}

void tls_watch_free(tls_watch *watch) {
  // The context may outlive this, and call back.
  SSL_CTX_set_app_data(watch->context, NULL);
  SSL_free(watch->ssl);
  SSL_CTX_free(watch->context);
  free(watch->asked_name);
  free(watch);
}

bool tls_watch_trust(tls_watch *watch, const char *file) {
  ERR_clear_error();
  return (file == NULL ? SSL_CTX_set_default_verify_paths(watch->context) : SSL_CTX_load_verify_locations(watch->context, file, NULL)) == 1;
}

bool tls_watch_verify(tls_watch *watch, const char *name, bool is_address) {
  X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(watch->context);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_CTX_set_verify(watch->context, SSL_VERIFY_PEER, on_verified);
  return (is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name) : X509_VERIFY_PARAM_set1_host(parameters, name, 0)) == 1;
}

bool tls_watch_ask_for(tls_watch *watch, const char *name) {
  free(watch->asked_name);
  watch->asked_name = name == NULL ? NULL : strdup(name);
  return name == NULL || watch->asked_name != NULL;
}

bool tls_watch_certificate(tls_watch *watch, const char *file) {
  ERR_clear_error();
  return SSL_CTX_use_certificate_chain_file(watch->context, file) == 1;
}

bool tls_watch_key(tls_watch *watch, const char *file) {
  ERR_clear_error();
  return SSL_CTX_use_PrivateKey_file(watch->context, file, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(watch->context) == 1;
}

bool tls_watch_was_asked(const tls_watch *watch) { return watch->was_asked; }
const char *tls_watch_names(const tls_watch *watch) { return watch->names; }
void *tls_watch_ssl(const tls_watch *watch) { return watch->ssl; }

void *tls_hold(void *ssl) {
  if (ssl != NULL) SSL_up_ref(ssl);
  return ssl;
}

void tls_release(void *ssl) { SSL_free(ssl); }
const char *tls_version(void *ssl) { return ssl == NULL ? "" : SSL_get_version(ssl); }
bool tls_verifies(void *ssl) { return ssl != NULL && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE; }
bool tls_has_pending(void *ssl) { return ssl != NULL && SSL_pending(ssl) > 0; }

static long verify_result(void *ssl) { return tls_verifies(ssl) ? SSL_get_verify_result(ssl) : X509_V_OK; }

enum tls_verdict tls_verdict(void *ssl) {
  switch (verify_result(ssl)) {
  case X509_V_OK: return TLS_VERDICT_GOOD;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH: return TLS_VERDICT_OTHER_NAME;
  case X509_V_ERR_CERT_HAS_EXPIRED: return TLS_VERDICT_EXPIRED;
  case X509_V_ERR_CERT_NOT_YET_VALID: return TLS_VERDICT_NOT_YET_VALID;
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  // Of another authority of the same name.
  case X509_V_ERR_CERT_SIGNATURE_FAILURE: return TLS_VERDICT_UNKNOWN_AUTHORITY;
  default: return TLS_VERDICT_BAD;
  }
}

const char *tls_verdict_text(void *ssl) { return X509_verify_cert_error_string(verify_result(ssl)); }

static void note_end(X509 *certificate, tls_end *end, bool *found) {
  struct tm date;
  if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &date)) return;
  long long seconds = timegm(&date);
  if (*found && seconds >= end->seconds) return;
  *found = true;
  end->seconds = seconds;
  end->name[0] = 0;
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, end->name, sizeof end->name);
  for (char *c = end->name; *c; c++) if (*c < ' ' || *c > '~') *c = '?';
}

bool tls_chain_end(void *ssl, tls_end *end) {
  bool found = false;
  if (ssl == NULL) return false;
  STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
  if (chain == NULL || verify_result(ssl) != X509_V_OK) chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); i++) note_end(sk_X509_value(chain, i), end, &found);
  return found;
}

bool tls_file_end(const char *file, tls_end *end) {
  bool found = false;
  FILE *input = fopen(file, "r");
  if (input == NULL) return false;
  for (X509 *one; (one = PEM_read_X509(input, NULL, no_passphrase, NULL)) != NULL; X509_free(one)) note_end(one, end, &found);
  fclose(input);
  ERR_clear_error();
  return found;
}

void *tls_meet(int socket, const char *name) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *ssl = context == NULL ? NULL : SSL_new(context);
  SSL_CTX_free(context);
  if (ssl != NULL && (name == NULL || SSL_set_tlsext_host_name(ssl, name)) && SSL_set_fd(ssl, socket) && SSL_connect(ssl) == 1) return ssl;
  SSL_free(ssl);
  ERR_clear_error();
  return NULL;
}

long tls_watch_write(tls_watch *watch, const void *bytes, size_t count) {
  size_t written = 0;
  ERR_clear_error();
  int code = SSL_write_ex(watch->ssl, bytes, count, &written);
  if (code == 1) return (long)written;
  int error = SSL_get_error(watch->ssl, code);
  return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? 0 : -1;
}

tls_fault tls_take_fault(void) {
  // The first is why a file cannot be read, and the last what is wrong with what is in it.
  unsigned long error = ERR_peek_error();
  if (!ERR_SYSTEM_ERROR(error)) error = ERR_peek_last_error();
  tls_fault fault = {TLS_FAULT_OTHER, 0, NULL};
  if (error == 0) {
    fault.kind = TLS_FAULT_NONE;
    fault.text = "the connection was closed";
    return fault;
  }
  int reason = ERR_GET_REASON(error);
  fault.text = ERR_SYSTEM_ERROR(error) ? strerror(reason) : ERR_reason_error_string(error);
  if (fault.text == NULL) fault.text = "an error without a name";
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST: fault.kind = TLS_FAULT_NOT_TLS; break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: fault.kind = TLS_FAULT_CLOSED; break;
    default:
      if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
        fault.kind = TLS_FAULT_ALERT;
        fault.alert = reason - SSL_AD_REASON_OFFSET;
        fault.text = SSL_alert_desc_string_long(fault.alert);
      }
    }
  }
  ERR_clear_error();
  return fault;
}
