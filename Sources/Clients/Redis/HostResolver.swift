import ClientRuntime
import Glibc

/// Turns a host name into a numeric address without holding up its caller: `getaddrinfo` can take many seconds where DNS is down.
///
/// At most one question is under way; who asks again meanwhile waits for that one's answer.
final class HostResolver: Sendable {
  enum Answer: Sendable {
    case address(String)
    case failure(String)
  }

  private enum State: Sendable {
    case idle
    case asking
    case answered(Answer)
  }

  private let host: String
  private let wakeup: Wakeup
  private let state = Locked(State.idle)

  /// `wakeup` is signalled when the answer is there.
  init(host: String, wakeup: Wakeup) {
    self.host = host
    self.wakeup = wakeup
  }

  /// The answer, if it is there; it is then forgotten, so that the next call asks anew.
  func poll() -> Answer? {
    if isNumeric { return .address(host) }
    let start: Bool
    let answer: Answer?
    (start, answer) = state.withLock { state in
      switch state {
      case .idle:
        state = .asking
        return (true, nil)
      case .asking: return (false, nil)
      case .answered(let answer):
        state = .idle
        return (false, answer)
      }
    }
    if start {
      _ = DedicatedThread(name: "resolver", stackSize: 1 << 20) { [self] in
        let answer = Self.resolve(host)
        state.withLock { $0 = .answered(answer) }
        wakeup.signal()
      }
    }
    return answer
  }

  private var isNumeric: Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
  }

  private static func resolve(_ host: String) -> Answer {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // IPv4 first, as hiredis does: a name such as localhost has both, and a server often listens on one.
    for family in [AF_INET, AF_INET6] {
      hints.ai_family = family
      let code = getaddrinfo(host, nil, &hints, &list)
      guard code == 0, let first = list else {
        if family == AF_INET { continue }
        return .failure("cannot resolve \(host): \(String(cString: gai_strerror(code)))")
      }
      defer { freeaddrinfo(list) }
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      getnameinfo(first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      return .address(text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }
    return .failure("cannot resolve \(host)")
  }
}
