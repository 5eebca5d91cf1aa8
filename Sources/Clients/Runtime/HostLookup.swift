import Glibc

/// Turns a host's name into numeric addresses without holding up its caller beyond a deadline: `getaddrinfo` can take many seconds where DNS
/// is down.
///
/// At most one question about a name is under way; who asks again meanwhile waits for that one's answer.
public final class HostLookup: Sendable {
  public enum Answer: Sendable, Equatable {
    /// In the order in which they are to be tried; never empty.
    case addresses([String])
    case failure(String)
  }

  private final class Question: Sendable {
    /// Signalled once and never cleared, so that all who wait see it.
    let answered = Wakeup()
    let answer = Locked<Answer?>(nil)
  }

  /// The system's own.
  public static let system = HostLookup { resolve($0) }

  private let resolve: @Sendable (String) -> Answer
  private let questions = Locked<[String: Question]>([:])

  /// `resolve` may block.
  public init(_ resolve: @escaping @Sendable (String) -> Answer) { self.resolve = resolve }

  /// Nil where the deadline passes first, or `isOver` says so, which is asked at each of the caller's wake-ups and every now and then.
  public func addresses(of host: String, until deadline: Deadline, wakeup: Wakeup? = nil, isOver: () -> Bool = { false }) -> Answer? {
    if Self.isNumeric(host) { return .addresses([host]) }
    let question = ask(host)
    while true {
      if let answer = question.answer.withLock(\.self) { return answer }
      if isOver() || deadline.hasPassed { return nil }
      let woken = poll(socket: question.answered.descriptor, wakeup: wakeup, until: min(deadline, .after(.milliseconds(20)))).wokenUp
      if woken { wakeup?.clear() }
    }
  }

  private func ask(_ host: String) -> Question {
    let (question, isNew) = questions.withLock { questions in
      if let open = questions[host] { return (open, false) }
      let question = Question()
      questions[host] = question
      return (question, true)
    }
    if isNew {
      _ = DedicatedThread(name: "resolver", stackSize: 1 << 20) { [self] in
        let answer = resolve(host)
        questions.withLock { $0[host] = nil }
        question.answer.withLock { $0 = answer }
        question.answered.signal()
      }
    }
    return question
  }

  /// Whether that is an IP address, which needs no looking up.
  public static func isNumeric(_ host: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
  }

  /// Whether nothing for this host leaves the machine, by its name alone; so has the path of a socket in the file system, and no host.
  public static func isLocal(_ host: String) -> Bool {
    if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") { return true }
    let name = host.lowercased()
    return name == "localhost" || name.hasSuffix(".localhost") || name == "::1" || name.hasPrefix("127.") && isNumeric(name)
  }

  private static func resolve(_ host: String) -> Answer {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else { return .failure("cannot resolve \(host): \(String(cString: gai_strerror(code)))") }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
        let address = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        if !addresses.contains(address) { addresses.append(address) }
      }
      next = entry.ai_next
    }
    return addresses.isEmpty ? .failure("cannot resolve \(host)") : .addresses(addresses)
  }
}
