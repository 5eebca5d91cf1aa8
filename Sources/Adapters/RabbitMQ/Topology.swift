import Application
import RabbitMQClient

/// The exchanges, queues and bindings that the worker lives on, as data.
///
/// The arguments are the same on every version of RabbitMQ, to the byte: a queue cannot be declared again with others.
package struct Topology: Sendable {
  package struct Queue: Sendable {
    package let name: String
    package let arguments: [Header]
    /// The topic exchange that it is bound to by `#`.
    package let boundTo: String?
  }

  /// All of type topic.
  package let exchanges: [String]
  package let queues: [Queue]

  package init(prefix: String) {
    exchanges = ["commands", "queries", "events"].map { "\(prefix).\($0)" }
    let commands = Queue(
      name: "\(prefix).commands",
      arguments: [.kind, .overflow, .deadLetterExchange, .deadLetterKey("\(prefix).dead-letter"), .deadLetterStrategy, .deliveryLimit(50)],
      boundTo: "\(prefix).commands")
    let queries = Queue(
      name: "\(prefix).queries", arguments: [.kind, .ttl(milliseconds: 30_000), .deliveryLimit(5), .maxLength(100_000), .overflow],
      boundTo: "\(prefix).queries")
    let ladder = RetryRung.allCases.map { rung in
      Queue(
        name: "\(prefix).retry.\(rung.rawValue)",
        arguments: [
          .kind, .ttl(milliseconds: rung.milliseconds), .overflow, .deadLetterStrategy, .deadLetterExchange, .deadLetterKey("\(prefix).commands"),
        ], boundTo: nil)
    }
    // 4.x has a limit of 20 where none is given, and drops what is over it; -1 ends the server on 3.10.
    let deadLetter = Queue(name: "\(prefix).dead-letter", arguments: [.kind, .deliveryLimit(1_000_000_000)], boundTo: nil)
    // The targets of dead-lettering come first: what has a route before it is used loses nothing.
    queues = [deadLetter, commands, queries] + ladder
  }
}

extension RetryRung {
  fileprivate var milliseconds: Int64 {
    switch self {
    case .oneSecond: 1_000
    case .fiveSeconds: 5_000
    case .thirtySeconds: 30_000
    case .twoMinutes: 120_000
    case .tenMinutes: 600_000
    }
  }
}

extension Header {
  fileprivate static let kind = Header(name: "x-queue-type", value: .string("quorum"))
  fileprivate static let overflow = Header(name: "x-overflow", value: .string("reject-publish"))
  fileprivate static let deadLetterStrategy = Header(name: "x-dead-letter-strategy", value: .string("at-least-once"))
  fileprivate static let deadLetterExchange = Header(name: "x-dead-letter-exchange", value: .string(""))
  fileprivate static func deadLetterKey(_ queue: String) -> Header { Header(name: "x-dead-letter-routing-key", value: .string(queue)) }
  fileprivate static func deliveryLimit(_ count: Int64) -> Header { Header(name: "x-delivery-limit", value: .int64(count)) }
  fileprivate static func ttl(milliseconds: Int64) -> Header { Header(name: "x-message-ttl", value: .int64(milliseconds)) }
  fileprivate static func maxLength(_ count: Int64) -> Header { Header(name: "x-max-length", value: .int64(count)) }
}
