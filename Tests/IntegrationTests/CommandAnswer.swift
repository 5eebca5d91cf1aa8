import Foundation
import RabbitMQClient

/// A reply to a command, as its sender reads it.
struct CommandAnswer: Decodable, Sendable {
  struct Fault: Decodable, Sendable {
    let path: String
    let code: String
  }
  struct Failure: Decodable, Sendable {
    let code: String
    let message: String
    let details: [Fault]
  }
  let outcome: String
  let original: String?
  let message_id: String?
  let order_id: String?
  let status: String?
  let version: Int64?
  let error: Failure?

  init?(_ delivery: Delivery) {
    guard delivery.properties.type == "order.reply", let answer = try? JSONDecoder().decode(Self.self, from: Data(delivery.body)) else { return nil }
    self = answer
  }
}

/// What a test needs of an event.
struct EventNote: Decodable, Sendable {
  let id: String
  let type: String
  let subject: String
  let causationid: String
  let sequence: String?

  init?(_ delivery: Delivery) {
    guard let note = try? JSONDecoder().decode(Self.self, from: Data(delivery.body)) else { return nil }
    self = note
  }
}
