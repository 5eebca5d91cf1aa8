import ClientRuntime
import RabbitMQClient
import TestSupport

/// An upstream service that keeps a steady pace and sends each command until it is confirmed, however long the broker is away.
final class PatientSender: Sendable {
  private struct State {
    var confirmed = 0
    var over = false
  }

  private static let chunk = 20
  private let world: ProductWorld
  private let publisher: Publisher
  private let state = Locked(State())

  init(_ world: ProductWorld) throws {
    self.world = world
    publisher = try world.publisher()
  }

  var confirmed: Int { state.withLock(\.confirmed) }
  func end() { state.withLock { $0.over = true } }

  /// Until it is told to end, and what was begun is confirmed.
  func run(perSecond rate: Int) async {
    let start = ContinuousClock.now
    var next = 0
    while !state.withLock(\.over) && !Task.isCancelled {
      try? await Task.sleep(until: start + .milliseconds(1_000 * next / rate), clock: .continuous)
      var open = Array(next..<next + Self.chunk)
      next += Self.chunk
      while !open.isEmpty && !Task.isCancelled {
        let outcomes = await publisher.publish(open.map(publication), deadline: .after(.seconds(5)))
        open = zip(open, outcomes).filter { $0.1 != .confirmed }.map(\.0)
        if !open.isEmpty { try? await Task.sleep(for: .milliseconds(50)) }
      }
      state.withLock { [open] in $0.confirmed += Self.chunk - open.count }
    }
    await publisher.close()
  }

  /// Some 20 KB each: after a while a worker without a database has more of them in hand than it takes off the wire.
  private func publication(_ number: Int) -> Publication {
    let metadata = (0..<20).map { #""k\#($0)":"\#(String(repeating: "x", count: 1_000))""# }.joined(separator: ",")
    let body = #"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":"9.99"}],"metadata":{\#(metadata)}}"#
    return world.publication(Array(body.utf8), id: "m\(number)")
  }
}
