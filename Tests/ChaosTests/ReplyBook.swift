import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport

/// The replies to commands of which each is asked about.
final class ReplyBook: Sendable {
  private let replies = Locked([String: [Reply]]())

  func note(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    for reply in deliveries.compactMap({ try? decoder.decode(Reply.self, from: Data($0.body)) }) {
      replies.withLock { $0[reply.message_id ?? "", default: []].append(reply) }
    }
  }

  var count: Int { replies.withLock { $0.values.reduce(0) { $0 + $1.count } } }
  var byMessage: [String: [Reply]] { replies.withLock(\.self) }
  var all: [Reply] { replies.withLock { $0.values.flatMap(\.self) } }
}
