import ClientRuntime
import RabbitMQClient
import TestSupport

/// Commands that flow at a steady pace while something is done to the servers, and all that comes of them.
final class CommandFlow: Sendable {
  let world: ProductWorld
  let events: DeliveryLog
  let replies: DeliveryLog
  private let publisher: Publisher
  private let sent = Locked<[String: ContinuousClock.Instant]>([:])

  init(_ world: ProductWorld) async throws {
    self.world = world
    publisher = try world.publisher()
    events = await DeliveryLog(try world.events())
    replies = await DeliveryLog(try world.replies())
  }

  static func orderID(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  func create(_ number: Int, customer: String = "customer") -> Publication {
    let body = #"{"order_id":"\#(Self.orderID(number))","customer_id":"\#(customer)","items":[{"product_id":"p","quantity":1,"unit_price":"9.99"}]}"#
    return world.publication(Array(body.utf8), id: "create-\(number)")
  }

  func cancel(_ number: Int, id: String? = nil, expecting version: Int? = nil) -> Publication {
    let expected = version.map { #","expected_version":\#($0)"# } ?? ""
    let body = #"{"order_id":"\#(Self.orderID(number))","status":"cancelled"\#(expected)}"#
    return world.publication(Array(body.utf8), id: id ?? "cancel-\(number)", type: "order.update_status")
  }

  /// Publishes and confirms; false where the broker did not take all of them.
  func send(_ publications: [Publication]) async -> Bool {
    let now = ContinuousClock.now
    sent.withLock { sent in for publication in publications { sent[publication.properties.messageID!] = now } }
    return await publisher.publish(publications, deadline: .after(.seconds(60))).allSatisfy { $0 == .confirmed }
  }

  /// In bursts of 25, so many commands a second.
  func send(_ publications: [Publication], perSecond rate: Int) async -> Bool {
    let start = ContinuousClock.now
    for first in stride(from: 0, to: publications.count, by: 25) {
      try? await Task.sleep(until: start + .milliseconds(1_000 * first / rate), clock: .continuous)
      guard await send(Array(publications[first..<min(first + 25, publications.count)])) else { return false }
    }
    return true
  }

  /// The longest that any command took from its publication to its event.
  var slowest: Duration {
    let sent = sent.withLock { $0 }
    return events.all.compactMap { entry in
      EventNote(entry.delivery).flatMap { sent[$0.causationid] }.map { $0.duration(to: entry.at) }
    }.max() ?? .zero
  }

  func duration(toReplyOf id: String) -> Duration? {
    let sent = sent.withLock { $0[id] }
    guard let sent, let reply = replies.all.first(where: { $0.delivery.properties.correlationID == id }) else { return nil }
    return sent.duration(to: reply.at)
  }

  func answers(to id: String) -> [CommandAnswer] {
    replies.all.filter { $0.delivery.properties.correlationID == id }.compactMap { CommandAnswer($0.delivery) }
  }

  /// Distinct events: a repeat has the same id.
  var eventIDs: Set<String> { Set(events.all.compactMap { EventNote($0.delivery)?.id }) }

  /// Commands whose first outcome was to be accepted.
  var acceptedIDs: Set<String> {
    Set(replies.all.compactMap { CommandAnswer($0.delivery) }.filter { ($0.original ?? $0.outcome) == "accepted" }.compactMap(\.message_id))
  }

  func close() async {
    await publisher.close()
    await events.close()
    await replies.close()
  }
}
