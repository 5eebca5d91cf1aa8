import Application

/// A queue of the broker, from which workers' sources take.
final class SimulatedQueue: @unchecked Sendable {  // touched by the one thread of its simulation
  struct Copy {
    let message: Message
    let number: Int64
    /// How often it came back.
    var returns: Int64 = 0
  }

  private unowned let world: SimulatedWorld
  private var copies: [Copy] = []
  private var count: Int64 = 0
  private(set) var sources: [SimulatedSource] = []
  /// What must hold where a delivery is acknowledged.
  var onAcknowledge: (Copy) -> Void = { _ in }

  init(world: SimulatedWorld) { self.world = world }

  var isAtRest: Bool { copies.isEmpty && sources.allSatisfy(\.hasNothing) }

  func put(_ message: Message) {
    count += 1
    var message = message
    message.headers.removeAll { $0.name == "x-copy" }
    message.headers.append(MessageHeader("x-copy", .int64(count)))
    copies.append(Copy(message: message, number: count))
    wake()
  }

  func giveBack(_ given: [Copy]) {
    for var copy in given {
      copy.returns += 1
      copies.append(copy)
    }
    wake()
  }

  func wake() { for source in sources { source.wake() } }

  /// Mostly the oldest ones; now and then whichever.
  func take(_ most: Int) -> [Copy] {
    if world.isOut(.broker) { return [] }
    let taken = min(copies.count, Int.random(in: 1...most, using: &world.executor.random))
    return (0..<taken).map { _ in
      let isInOrder = Int.random(in: 0..<4, using: &world.executor.random) > 0
      return copies.remove(at: isInOrder ? 0 : Int.random(in: copies.indices, using: &world.executor.random))
    }
  }

  func attach(_ source: SimulatedSource) { sources.append(source) }
  func detach(_ source: SimulatedSource) { sources.removeAll { $0 === source } }
}
