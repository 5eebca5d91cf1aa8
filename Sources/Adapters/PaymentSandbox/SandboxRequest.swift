/// One HTTP request, as far as the sandbox looks at it.
struct SandboxRequest: Sendable {
  let method: String
  /// As it came, still encoded.
  let path: String
  let query: String
  let key: String?
  let body: [UInt8]

  init(method: String, target: String, key: String?, body: [UInt8]) {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.method = method
    path = String(parts.first ?? "")
    query = parts.count > 1 ? String(parts[1]) : ""
    self.key = key
    self.body = body
  }

  /// The value of a query's parameter, decoded.
  func parameter(_ name: String) -> String? {
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0] == name { return parts.count > 1 ? Self.decode(parts[1]) : "" }
    }
    return nil
  }

  static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// What is answered.
struct SandboxAnswer: Hashable, Sendable {
  let status: Int
  let body: [UInt8]
  var retryAfter: Int?

  var contentType: String { status < 400 ? "application/json" : "application/problem+json" }

  static func json(_ status: Int, _ value: some Encodable) -> SandboxAnswer { SandboxAnswer(status: status, body: SandboxJSON.encode(value)) }

  static func problem(_ status: Int, _ code: String, _ detail: String, retryAfter: Int? = nil) -> SandboxAnswer {
    SandboxAnswer(status: status, body: SandboxJSON.encode(Problem(status: status, code: code, detail: detail)), retryAfter: retryAfter)
  }

  private struct Problem: Encodable {
    let type = "about:blank"
    let status: Int
    let code: String
    let detail: String
  }
}

/// How an answer reaches whoever asked.
enum SandboxDelivery: Sendable {
  case now(SandboxAnswer)
  case later(SandboxAnswer, at: ContinuousClock.Instant)
  /// The connection is cut instead.
  case cut
  /// The connection stays open, and nothing comes.
  case never
  /// The request waits, undone, until the sandbox no longer hangs.
  case parked
}
