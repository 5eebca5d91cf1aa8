import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why a request got no answer, and whether any of it can have been sent. Where that is not certain, it may have been.
struct ExchangeFault {
  let isBeforeSending: Bool
  /// Without anything of the request.
  let reason: String

  init(_ error: any Error) {
    switch error {
    case let error as HTTPClientError:
      let early: [HTTPClientError] = [.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .alreadyShutdown]
      isBeforeSending = early.contains(error)
      reason = "\(error.shortDescription)"
    case let error as NIOConnectionError:
      // Only made while connecting to a host's name, where every address failed or there is none.
      isBeforeSending = true
      reason = error.connectionErrors.isEmpty ? "the name \(error.host) has no address" : "\(error.host) cannot be connected to"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      // A connection that stands is reset, never refused.
      isBeforeSending = true
      reason = "the connection is refused"
    case NIOSSLError.handshakeFailed:
      isBeforeSending = true
      reason = "TLS cannot be agreed on"
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      isBeforeSending = true
      reason = "the certificate is for another name"
    case is CancellationError:
      isBeforeSending = false
      reason = "given up before an answer came"
    default:
      isBeforeSending = false
      reason = "the exchange broke off (\(type(of: error)))"
    }
  }
}
