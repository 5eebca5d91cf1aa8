import CTLS
import Glibc

/// Looks at the certificate of a server that speaks TLS from the first byte on, such as one of HTTPS. Whether to believe it is not decided here.
public enum TLSMeeting {
  public enum Outcome: Sendable, Equatable {
    case certificate(CertificateEnd)
    case unreachable(String)
    /// Somebody is there, and no handshake came about.
    case noTLS
  }

  public static func look(at host: String, port: UInt16, within limit: Duration) async -> Outcome {
    await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "tls-meeting", stackSize: 512 << 10) { continuation.resume(returning: meet(host, port, .after(limit))) }
    }
  }

  private static func meet(_ host: String, _ port: UInt16, _ deadline: Deadline) -> Outcome {
    let addresses: [String]
    switch HostLookup.system.addresses(of: host, until: deadline) {
    case nil: return .unreachable("\(host) was not resolved in time")
    case .failure(let reason): return .unreachable(reason)
    case .addresses(let found): addresses = found
    }
    var reason = ""
    for address in addresses {
      let (socket, fault) = connect(address, port, deadline)
      guard let socket else {
        reason = fault
        continue
      }
      defer { close(socket) }
      guard let ssl = tls_meet(socket, HostLookup.isNumeric(host) ? nil : host) else {
        return deadline.hasPassed ? .unreachable("no handshake in time") : .noTLS
      }
      defer { tls_release(ssl) }
      return CertificateEnd(ofServer: ssl).map(Outcome.certificate) ?? .noTLS
    }
    return .unreachable(reason)
  }

  private static func connect(_ address: String, _ port: UInt16, _ deadline: Deadline) -> (Int32?, String) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &list) == 0, let entry = list?.pointee else { return (nil, "cannot connect to \(address)") }
    defer { freeaddrinfo(list) }
    let socket = Glibc.socket(entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
    guard socket >= 0 else { return (nil, String(cString: strerror(errno))) }
    // Counts for connecting, too, and for each step of the handshake.
    let (seconds, attoseconds) = deadline.remaining.components
    var limit = timeval(tv_sec: Int(seconds), tv_usec: max(1, Int(attoseconds / 1_000_000_000_000)))
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] { setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
    if Glibc.connect(socket, entry.ai_addr, entry.ai_addrlen) == 0 { return (socket, "") }
    let reason = errno == EINPROGRESS ? "no connection in time" : String(cString: strerror(errno))
    close(socket)
    return (nil, reason)
  }
}
