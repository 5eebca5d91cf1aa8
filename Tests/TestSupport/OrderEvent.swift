import Foundation

/// An event of an order, by the names on the wire.
package struct OrderEvent: Decodable, Sendable {
  package struct Order: Decodable, Sendable, Equatable {
    package let order_id: String
    package let tenant_id: String
    package let status: String
    package let payment_status: String
    package let reservation: String
    package let version: Int64
    package let currency: String
    package let total_amount: String
  }

  package struct Command: Decodable, Sendable {
    package let type: String
    package let order_id: String
    package let status: String?
    package let payment_method: String?
  }

  package struct Failure: Decodable, Sendable {
    package let code: String
    package let message: String
  }

  /// `data` of an `order.command_rejected`.
  package struct Refusal: Decodable, Sendable {
    package let command: Command
    package let error: Failure
    package let order: Order?
  }

  package let specversion: String
  package let id: String
  package let source: String
  package let type: String
  package let subject: String
  package let time: String
  package let dataschema: String
  package let correlationid: String
  package let causationid: String
  package let partitionkey: String
  package let sequence: String?
  package let traceparent: String
  /// The order after this version; nil in an `order.command_rejected`.
  package let order: Order?
  package let previousStatus: String?
  package let refusal: Refusal?

  package var version: Int64? { sequence.flatMap { Int64($0) } }

  private enum Key: String, CodingKey {
    case specversion, id, source, type, subject, time, dataschema, correlationid, causationid, partitionkey, sequence, traceparent, data
  }
  private enum DataKey: String, CodingKey { case previous_status }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func text(_ key: Key) throws -> String { try values.decode(String.self, forKey: key) }
    specversion = try text(.specversion)
    id = try text(.id)
    source = try text(.source)
    type = try text(.type)
    subject = try text(.subject)
    time = try text(.time)
    dataschema = try text(.dataschema)
    correlationid = try text(.correlationid)
    causationid = try text(.causationid)
    partitionkey = try text(.partitionkey)
    sequence = try values.decodeIfPresent(String.self, forKey: .sequence)
    traceparent = try text(.traceparent)
    let isRefusal = type == "order.command_rejected"
    order = isRefusal ? nil : try values.decode(Order.self, forKey: .data)
    refusal = isRefusal ? try values.decode(Refusal.self, forKey: .data) : nil
    previousStatus =
      isRefusal ? nil : try values.nestedContainer(keyedBy: DataKey.self, forKey: .data).decodeIfPresent(String.self, forKey: .previous_status)
  }
}
