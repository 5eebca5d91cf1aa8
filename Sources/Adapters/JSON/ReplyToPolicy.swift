/// Which addresses a reply may go to: the worker's credentials reach every queue, its callers' need not.
package struct ReplyToPolicy: Sendable {
  package static let standardPatterns = "amq.rabbitmq.reply-to.*,amq.gen-*,reply.*,*.replies"
  /// Addresses that only the broker gives out; the ones at which a sender that was not verified is answered.
  private static let brokersOwn = ["amq.rabbitmq.reply-to.*", "amq.gen-*"].map(Pattern.init)

  private let patterns: [Pattern]
  private let ownPrefix: String

  /// `patterns` is a list by comma, where `*` stands for any text; `ownPrefix` that of the worker's own queues.
  package init(patterns: String = standardPatterns, ownPrefix: String) {
    self.patterns = patterns.split(separator: ",").map { Pattern(String($0.trimmingSpaces())) }.filter { !$0.isEmpty }
    self.ownPrefix = ownPrefix + "."
  }

  package func allows(_ address: String, verifiedSender: Bool = true) -> Bool {
    guard !address.isEmpty, !address.hasPrefix(ownPrefix), patterns.contains(where: { $0.matches(address) }) else { return false }
    return verifiedSender || Self.brokersOwn.contains { $0.matches(address) }
  }

  /// Text with `*` for any part.
  private struct Pattern: Sendable {
    private let text: [UInt8]
    init(_ text: String) { self.text = Array(text.utf8) }
    var isEmpty: Bool { text.isEmpty }

    func matches(_ address: String) -> Bool {
      let address = address.utf8
      var at = address.startIndex
      var i = 0
      var star: (pattern: Int, address: String.UTF8View.Index)?
      while at < address.endIndex {
        if i < text.count, text[i] == UInt8(ascii: "*") {
          star = (i, at)
          i += 1
        } else if i < text.count, text[i] == address[at] {
          i += 1
          address.formIndex(after: &at)
        } else if let last = star {
          let next = address.index(after: last.address)
          star = (last.pattern, next)
          i = last.pattern + 1
          at = next
        } else {
          return false
        }
      }
      return text[i...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
  }
}

extension Substring {
  fileprivate func trimmingSpaces() -> Substring {
    var rest = self
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
