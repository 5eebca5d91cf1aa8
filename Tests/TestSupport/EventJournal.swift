import ClientRuntime
import Foundation
import RabbitMQClient

/// Everything that comes to a world's events exchange, judged as it comes: the form of each event, the same bytes in every repeat, and first
/// occurrences of one order in the order of its versions.
package final class EventJournal: Sendable {
  private struct State {
    var bodies: [String: [UInt8]] = [:]
    var byOrder: [String: [OrderEvent]] = [:]
    var byCause: [String: [OrderEvent]] = [:]
    var versions: [String: Int64] = [:]
    var inOrder: [[UInt8]] = []
    var repeats = 0
    var faults: [String] = []
  }

  private let consumer: Consumer
  private let state: Locked<State>
  private let reading: Task<Void, Never>

  /// Returns once the consumer is connected; the exchange must be there.
  package init(_ consumer: Consumer) async {
    self.consumer = consumer
    let state = Locked(State())
    self.state = state
    reading = Task {
      while true {
        switch await consumer.next(max: 1_000) {
        case .deliveries(let some):
          state.withLock { state in for delivery in some { Self.note(delivery, in: &state) } }
          consumer.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
        case .lost: state.withLock { $0.faults.append("the connection for events was lost, and with it some of them") }
        case .stopped: return
        }
      }
    }
    _ = await eventually { consumer.state.isConnected }
  }

  /// Distinct events, without repeats.
  package var count: Int { state.withLock(\.inOrder.count) }
  package var repeats: Int { state.withLock(\.repeats) }
  /// An order's distinct events, as they first came.
  package func events(of order: String) -> [OrderEvent] { state.withLock { $0.byOrder[order] ?? [] } }
  package func events(causedBy message: String) -> [OrderEvent] { state.withLock { $0.byCause[message] ?? [] } }
  /// The last version of each order that an event told of.
  package var versions: [String: Int64] { state.withLock(\.versions) }
  package var faults: [String] { state.withLock(\.faults) }

  /// Ends, and leaves the distinct events as a file of lines in the folder that `EVENTS_DIRECTORY` names: one a world, for orders of two have the same ids.
  package func close() async {
    await consumer.close()
    await reading.value
    guard let folder = ProcessInfo.processInfo.environment["EVENTS_DIRECTORY"] else { return }
    let path = "\(folder)/\(UUID().uuidString).jsonl"
    let lines = Array(state.withLock(\.inOrder).map { $0 + [0x0A] }.joined())
    do { try Data(lines).write(to: URL(fileURLWithPath: path)) } catch { print("the events could not be written to \(path): \(error)") }
  }

  private static func note(_ delivery: Delivery, in state: inout State) {
    let text = String(decoding: delivery.body.prefix(600), as: UTF8.self)
    guard let event = try? JSONDecoder().decode(OrderEvent.self, from: Data(delivery.body)) else {
      state.faults.append("not an event: \(text)")
      return
    }
    if let known = state.bodies[event.id] {
      state.repeats += 1
      if known != delivery.body { state.faults.append("\(event.id) came again with other bytes: \(text)") }
      return
    }
    state.bodies[event.id] = delivery.body
    state.inOrder.append(delivery.body)
    state.byOrder[event.subject, default: []].append(event)
    state.byCause[event.causationid, default: []].append(event)
    state.faults += formFaults(event, delivery).map { "\($0): \(text)" }
    guard let version = event.version else { return }
    let expected = (state.versions[event.subject] ?? 0) + 1
    if version != expected { state.faults.append("order \(event.subject): version \(version) came where \(expected) was due") }
    state.versions[event.subject] = version
  }

  /// What the contract says of every event, whatever it tells.
  private static func formFaults(_ event: OrderEvent, _ delivery: Delivery) -> [String] {
    let properties = delivery.properties
    let digits = event.sequence.map { $0.count == 10 && $0.allSatisfy(\.isNumber) }
    let checks: [(Bool, String)] = [
      (event.specversion == "1.0" && properties.contentType == "application/cloudevents+json", "not a structured CloudEvent 1.0"),
      (properties.messageID == event.id && UUID(uuidString: event.id) != nil, "message_id is not the event's id, or no UUID"),
      (properties.deliveryMode == 2, "not persistent"),
      (delivery.routingKey == event.type, "the routing key is not the type"),
      (
        delivery.properties.headers.contains(Header(name: "tenant", value: .string("default"))) && event.source == "/orders/default", "a wrong tenant or source"
      ),
      (event.partitionkey == event.subject, "partitionkey is not the order"),
      (!event.causationid.isEmpty && !event.correlationid.isEmpty, "without cause or correlation"),
      (event.traceparent.hasPrefix("00-") && event.traceparent.count == 55, "a wrong traceparent"),
      (event.dataschema.contains(event.type), "dataschema does not name the type"),
      ((event.order == nil) == (event.sequence == nil) && digits ?? true, "a wrong sequence"),
      (
        event.order.map { $0.version == event.version && $0.order_id == event.subject && $0.tenant_id == "default" } ?? true,
        "data is of another order or version"
      ),
      (event.refusal.map { $0.command.order_id == event.subject && $0.command.payment_method == nil } ?? true, "a wrong command in a refusal"),
    ]
    return checks.filter { !$0.0 }.map(\.1)
  }
}
