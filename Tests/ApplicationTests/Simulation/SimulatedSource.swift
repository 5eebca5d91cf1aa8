import Application
import Domain

/// One worker's consumer of a queue.
final class SimulatedSource: CommandSource, @unchecked Sendable {  // touched by the one thread of its simulation
  private unowned let world: SimulatedWorld
  private let life: Life
  private let queue: SimulatedQueue
  private let prefetch = 12
  private var generation: UInt64 = 1
  private var nextTag: UInt64 = 1
  private var unsettled: [(tag: UInt64, copy: SimulatedQueue.Copy)] = []
  private var lost: UInt64?
  private var isStopped = false
  private var waiter: CheckedContinuation<Void, Never>?

  init(world: SimulatedWorld, life: Life, queue: SimulatedQueue) {
    self.world = world
    self.life = life
    self.queue = queue
    queue.attach(self)
  }

  private var acknowledgesAtOnce: Bool { world.mutation == .acknowledgesBeforeCommit && queue === world.broker.commands }

  var hasNothing: Bool { unsettled.isEmpty }

  func wake() {
    let waiter = waiter
    self.waiter = nil
    waiter?.resume()
  }

  func next(max: Int) async -> SourceEvent {
    await world.pause()
    while true {
      if isStopped || life.isOver { return .stopped }
      if let generation = lost {
        lost = nil
        return .lost(generation: generation)
      }
      let room = min(max, prefetch - unsettled.count)
      if room > 0, case let taken = queue.take(room), !taken.isEmpty { return .deliveries(taken.map(received)) }
      await withCheckedContinuation { waiter = $0 }
    }
  }

  private func received(_ copy: SimulatedQueue.Copy) -> ReceivedMessage {
    let tag = DeliveryTag(generation: generation, number: nextTag)
    nextTag += 1
    world.tell("\(life.name) takes \(copy.message.messageID ?? "?")")
    if acknowledgesAtOnce { queue.onAcknowledge(copy) } else { unsettled.append((tag.number, copy)) }
    if copy.returns > 0 { world.saw("redelivered") }
    var message = copy.message
    if copy.returns > 0 { message.headers.append(MessageHeader("x-delivery-count", .int64(copy.returns))) }
    return ReceivedMessage(tag: tag, redelivered: copy.returns > 0, message: message)
  }

  func settle(_ settlements: [Settlement], generation settled: UInt64) {
    guard !life.isOver, settled == generation, !acknowledgesAtOnce else { return }
    for settlement in settlements {
      let covered: [(tag: UInt64, copy: SimulatedQueue.Copy)]
      switch settlement {
      case .acknowledge(let last): covered = unsettled.filter { $0.tag <= last }
      case .acknowledgeOne(let tag): covered = unsettled.filter { $0.tag == tag }
      }
      if covered.isEmpty { world.violated("what is not unsettled was acknowledged: the broker closes the channel") }
      for (tag, copy) in covered {
        unsettled.removeAll { $0.tag == tag }
        queue.onAcknowledge(copy)
      }
    }
    wake()
  }

  func stopTaking() async {
    isStopped = true
    wake()
  }

  /// The channel is gone, and another one is there at once.
  func loseChannel() {
    guard !life.isOver, !isStopped else { return }
    lost = generation
    generation += 1
    nextTag = 1
    giveBack()
  }

  /// The connection is gone for good.
  func end() {
    isStopped = true
    queue.detach(self)
    giveBack()
  }

  private func giveBack() {
    let copies = unsettled.map(\.copy)
    unsettled = []
    queue.giveBack(copies)
    wake()
  }
}
