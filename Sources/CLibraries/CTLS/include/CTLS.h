#ifndef CTLS_H
#define CTLS_H

#include <stdbool.h>
#include <stddef.h>

// What is asked of OpenSSL itself, beside librabbitmq and libpq, which are built over it. None of OpenSSL's headers shows here: those of
// BoringSSL, which other packages bring along, have the same names. All functions are for the thread that owns the connection.

/// The TLS of one connection of librabbitmq: what it is told before the handshake, and what became of it.
typedef struct tls_watch tls_watch;

/// Begins with librabbitmq's context: TLS 1.2 at least, nobody trusted, no verification. NULL where there is no memory.
tls_watch *tls_watch_new(void *context);
/// Before or after the connection is gone.
void tls_watch_free(tls_watch *watch);

/// Trusts who signs in this PEM file, or where it is NULL in the system's store.
bool tls_watch_trust(tls_watch *watch, const char *file);
/// The handshake fails unless the server's certificate is signed by one that is trusted, and is for this name or IP address.
bool tls_watch_verify(tls_watch *watch, const char *name, bool is_address);
/// The name that the server is asked for; NULL for none, as where it has only an address.
bool tls_watch_ask_for(tls_watch *watch, const char *name);
/// Shows this certificate, with its chain, where the server wants one. PEM files, the key without a passphrase.
bool tls_watch_certificate(tls_watch *watch, const char *file);
/// After the certificate. False also where it is another's key.
bool tls_watch_key(tls_watch *watch, const char *file);

/// Whether the server wanted a certificate.
bool tls_watch_was_asked(const tls_watch *watch);
/// What the server's certificate is for, where that is another name: "a, b"; "" where it does not say.
const char *tls_watch_names(const tls_watch *watch);

/// The last handshake's `SSL *`, for the functions below; NULL before it. It lives as long as the watch, unless another handshake begins.
void *tls_watch_ssl(const tls_watch *watch);
/// The number of bytes taken, 0 where the socket takes none now, -1 where the connection is broken. Called again after 0, it must begin with
/// the same bytes, wherever they lie by then.
long tls_watch_write(tls_watch *watch, const void *bytes, size_t count);

enum tls_fault_kind { TLS_FAULT_NONE, TLS_FAULT_NOT_TLS, TLS_FAULT_CLOSED, TLS_FAULT_ALERT, TLS_FAULT_OTHER };
typedef struct {
  enum tls_fault_kind kind;
  /// Of TLS_FAULT_ALERT: the number that the server gave as its reason.
  int alert;
  /// In OpenSSL's or the system's words; never NULL.
  const char *text;
} tls_fault;
/// Why the thread's last call of OpenSSL failed; takes it back, so that it is told once.
tls_fault tls_take_fault(void);

// About an `SSL *`, which librabbitmq's watch and libpq lend. NULL is one that nothing is known of.

/// Keeps it for `tls_release`, also where its connection is closed meanwhile.
void *tls_hold(void *ssl);
void tls_release(void *ssl);
/// Such as "TLSv1.3"; "" for NULL.
const char *tls_version(void *ssl);
/// Whether the server must show a certificate that an authority has signed.
bool tls_verifies(void *ssl);
/// Bytes that are decrypted already, so that `poll` on the socket does not tell of them.
bool tls_has_pending(void *ssl);

enum tls_verdict { TLS_VERDICT_GOOD, TLS_VERDICT_OTHER_NAME, TLS_VERDICT_EXPIRED, TLS_VERDICT_NOT_YET_VALID, TLS_VERDICT_UNKNOWN_AUTHORITY, TLS_VERDICT_BAD };
/// What the verification of the server's certificate ended in.
enum tls_verdict tls_verdict(void *ssl);
/// The same in OpenSSL's words.
const char *tls_verdict_text(void *ssl);

/// When a certificate runs out.
typedef struct {
  /// In seconds since 1970.
  long long seconds;
  /// Whom it is for, as far as that is printable.
  char name[128];
} tls_end;
/// The earliest end among the certificates that the server showed and those that they lead to. False where it showed none.
bool tls_chain_end(void *ssl, tls_end *end);
/// The earliest end among the certificates of a PEM file. False where it cannot be read or has none.
bool tls_file_end(const char *file, tls_end *end);
/// Shakes hands over a connected socket, which may block, with whoever is there and without believing him; gives back what `tls_release` ends, and
/// NULL where he speaks no TLS. `name` is what the server is asked for, NULL for none.
void *tls_meet(int socket, const char *name);

#endif
