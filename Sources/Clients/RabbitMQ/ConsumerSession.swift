import CRabbitMQ
import ClientRuntime

/// One life of a consumer's channel, whose deliveries have tags of one generation. Confined to its thread.
final class ConsumerSession {
  private static let tag = "consumer"

  let connection: AMQPConnection
  private let generation: UInt64
  private let prefetch: UInt16
  private var window: PrefetchWindow
  private let inbox: DeliveryInbox
  private let arena = Arena()
  private var assembler: FrameAssembler
  private var taking = true
  /// Whether others read this queue, too, and a delivery that is not handed out would be counted against its message.
  private var isShared = true
  private var queue = ""

  init(connection: AMQPConnection, generation: UInt64, prefetch: UInt16, inbox: DeliveryInbox, limits: HeaderLimits) {
    self.connection = connection
    self.generation = generation
    self.prefetch = prefetch
    window = PrefetchWindow(size: prefetch)
    self.inbox = inbox
    assembler = FrameAssembler(generation: generation, limits: limits)
  }

  /// Begins to consume; returns the queue's name.
  func subscribe(to subscription: Subscription) throws(AMQPError) -> String {
    let (handle, channel) = (connection.handle, AMQPConnection.channel)
    let none = amqp_table_t(num_entries: 0, entries: nil)
    switch subscription {
    case .queue(let name):
      queue = name
      // Looked at first, for an error that names the queue.
      amqp_queue_declare(handle, channel, try arena.shortBytes(name, "queue"), 1, 0, 0, 0, none)
      try connection.check("queue \(name)")
    case .exclusive(let name, let bindings):
      isShared = false
      let declared = amqp_queue_declare(handle, channel, try arena.shortBytes(name, "queue"), 0, 0, 1, 1, none)
      try connection.check("declaring a queue of one's own")
      queue = declared.map { text($0.pointee.queue) } ?? name
      for binding in bindings {
        let (exchange, key) = (try arena.shortBytes(binding.exchange, "exchange"), try arena.shortBytes(binding.routingKey, "routing key"))
        amqp_queue_bind(handle, channel, arena.bytes(queue), exchange, key, none)
        try connection.check("binding to exchange \(binding.exchange)")
      }
    }
    amqp_basic_qos(handle, channel, 0, prefetch, 0)
    try connection.check("asking for a prefetch of \(prefetch)")
    amqp_basic_consume(handle, channel, arena.bytes(queue), arena.bytes(Self.tag), 0, 0, 0, none)
    try connection.check("consuming from \(queue)")
    arena.reset()
    return queue
  }

  func answer(_ request: Consumer.Request) throws(AMQPError) {
    switch request {
    case .settle(let settlements, let generation):
      guard generation == self.generation else { return }
      for settlement in settlements { try settle(settlement) }
    case .stopTaking(let continuation):
      defer {
        inbox.stop()
        continuation.resume()
      }
      guard taking else { return }
      taking = false
      if isShared { try fillWindow() }
      amqp_basic_cancel(connection.handle, AMQPConnection.channel, arena.bytes(Self.tag))
      try connection.check("cancelling the consumer")
      // What came before the server's answer is still to be handed out.
      try read(.all)
    case .flush(let continuation):
      defer { continuation.resume() }
      // The channel's methods are processed in order: an answer to this one means that those before it are done.
      amqp_basic_qos(connection.handle, AMQPConnection.channel, 0, prefetch, 0)
      try connection.check("waiting for RabbitMQ")
    }
  }

  /// Waits for what the settlements sent so far have made room for. Of what a quorum queue hands out while it cancels the consumer nothing arrives:
  /// the channel keeps it to its end, and it is counted as delivered. While the window is full there is no such thing, and none is
  /// settled before the cancelling: this thread would have to do it. Of an empty queue nothing is left to be handed out.
  private func fillWindow() throws(AMQPError) {
    let last = Deadline.after(.seconds(10))
    var (look, sip) = (Deadline.after(Self.pause), Deadline.after(Self.pause))
    while !window.isFull {
      if look.hasPassed {
        let isEmpty = try !hasMore()
        if isEmpty || last.hasPassed { return }
        look = .after(Self.pause)
      }
      if inbox.isFull && !last.hasPassed {
        // Large bodies come as fast as the reader takes them. Heartbeats go out only where something is read.
        _ = poll(socket: -1, wakeup: nil, until: .after(.milliseconds(10)))
        if sip.hasPassed {
          try read(.aLittle)
          sip = .after(Self.pause)
        }
        // Before its answer the broker would send all that it has handed out.
        look = .after(Self.pause)
      } else {
        if !connection.hasBuffered { _ = poll(socket: connection.socket, wakeup: nil, until: look) }
        // From a reader that hangs nothing is held back: the answer to the cancelling would come behind it anyway.
        try read(last.hasPassed ? .all : .untilFull)
      }
    }
  }

  /// So often the broker is asked. Not at once: in a cluster the answer may overtake what another node hands out.
  private static let pause = Duration.milliseconds(250)

  /// Whether messages wait in the queue, which a window with room will get.
  private func hasMore() throws(AMQPError) -> Bool {
    let declared = amqp_queue_declare(
      connection.handle, AMQPConnection.channel, try arena.shortBytes(queue, "queue"), 1, 0, 0, 0, amqp_table_t(num_entries: 0, entries: nil))
    try connection.check("queue \(queue)")
    arena.reset()
    return declared.map { $0.pointee.message_count > 0 } ?? false
  }

  /// Gives back all that is unsettled, where no more comes: the end of the channel would do so too, but from RabbitMQ 4.3 on only that counts.
  func giveBack() throws(AMQPError) {
    if !taking { try settle(.nack(tag: 0, requeue: true, multiple: true)) }
  }

  /// How much of what has arrived is handed out.
  enum Extent {
    case all
    /// Until the inbox has enough.
    case untilFull
    /// A whole delivery, and so much that the server notices: the socket's window opens by no less than a segment.
    case aLittle
  }

  private static let little = 128 << 10

  func read(_ extent: Extent) throws(AMQPError) {
    var frame = amqp_frame_t()
    var deliveries: [Delivery] = []
    var (size, total) = (0, 0)
    defer { handOut(&deliveries) }
    repeat {
      guard try connection.nextFrame(&frame) else { break }
      switch try assembler.take(frame) {
      case .delivery(let delivery):
        window.received(delivery.tag)
        deliveries.append(delivery)
        size += delivery.body.count
        total += delivery.body.count
        // The reader starts while more is read, and the library's memory does not grow with the burst.
        if deliveries.count == 64 || size >= 1 << 20 {
          handOut(&deliveries)
          size = 0
        }
      case .cancelled: throw AMQPError(.channelClosed(0), "RabbitMQ cancelled the consumer: its queue was deleted or moved, or a delivery waited too long")
      default: break
      }
    } while connection.hasBuffered && (extent == .all || (extent == .untilFull ? !inbox.isFull : total < Self.little))
  }

  private func handOut(_ deliveries: inout [Delivery]) {
    if !deliveries.isEmpty { inbox.add(deliveries) }
    deliveries = []
    connection.releaseBuffers()
  }

  private func settle(_ settlement: Settlement) throws(AMQPError) {
    let (handle, channel) = (connection.handle, AMQPConnection.channel)
    window.settle(settlement)
    switch settlement {
    case .ack(let tag, let multiple): try connection.checkSent(amqp_basic_ack(handle, channel, tag, multiple ? 1 : 0), "acknowledging")
    case .nack(let tag, let requeue, let multiple):
      try connection.checkSent(amqp_basic_nack(handle, channel, tag, multiple ? 1 : 0, requeue ? 1 : 0), "giving back")
    }
  }
}
