import CRabbitMQ
import ClientRuntime
import Synchronization

/// The consumer's thread: connect, look, serve, back off, again.
struct ConsumerLoop {
  let configuration: ConnectionConfiguration
  let subscription: Subscription
  let prefetch: UInt16
  let limits: HeaderLimits
  let inbox: DeliveryInbox
  let requests: Mailbox<Consumer.Request>
  let status: ConnectionStatus
  let name: SharedName

  private static let tag = "order-consumer"

  func run() {
    var backoff = Backoff()
    var generation: UInt64 = 0
    var turn = 0
    while !requests.isClosing {
      status.set(.connecting)
      do throws(AMQPError) {
        let connection = try AMQPConnection(configuration, turn: turn)
        try subscribe(connection)
        generation += 1
        backoff.reset()
        status.set(.connected(server: connection.server))
        var serving = Serving(connection: connection, generation: generation, limits: limits)
        defer { inbox.lose(generation) }
        try serve(&serving)
        connection.close()
        break
      } catch {
        status.set(.disconnected(reason: error.message))
        turn += 1
        pause(backoff.next())
      }
    }
    status.set(.closed)
    answerAll()
  }

  private struct Serving {
    let connection: AMQPConnection
    let generation: UInt64
    var assembler: FrameAssembler
    var taking = true

    init(connection: AMQPConnection, generation: UInt64, limits: HeaderLimits) {
      self.connection = connection
      self.generation = generation
      assembler = FrameAssembler(generation: generation, limits: limits)
    }
  }

  private func subscribe(_ connection: AMQPConnection) throws(AMQPError) {
    let arena = Arena()
    var queue = ""
    switch subscription {
    case .queue(let name):
      queue = name
      // Looked at first, for an error that names the queue.
      amqp_queue_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), 1, 0, 0, 0, amqp_table_t(num_entries: 0, entries: nil))
      try connection.check("queue \(name)")
    case .exclusive(let name, let bindings):
      let none = amqp_table_t(num_entries: 0, entries: nil)
      let declared = amqp_queue_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), 0, 0, 1, 1, none)
      try connection.check("declaring a queue of one's own")
      queue = declared.map { text($0.pointee.queue) } ?? name
      for binding in bindings {
        amqp_queue_bind(
          connection.handle, AMQPConnection.channel, arena.bytes(queue), arena.bytes(binding.exchange), arena.bytes(binding.routingKey), none)
        try connection.check("binding to exchange \(binding.exchange)")
      }
    }
    name.value.withLock { $0 = queue }
    amqp_basic_qos(connection.handle, AMQPConnection.channel, 0, prefetch, 0)
    try connection.check("asking for a prefetch of \(prefetch)")
    amqp_basic_consume(
      connection.handle, AMQPConnection.channel, arena.bytes(queue), arena.bytes(Self.tag), 0, 0, 0, amqp_table_t(num_entries: 0, entries: nil))
    try connection.check("consuming from \(queue)")
  }

  private func serve(_ serving: inout Serving) throws(AMQPError) {
    let connection = serving.connection
    // Heartbeats go out only inside library calls.
    let beat = configuration.heartbeat / 3
    while true {
      if requests.isClosing && requests.isEmpty { return }
      try answer(&serving)
      try read(&serving)
      connection.releaseBuffers()
      if connection.hasBuffered || !requests.isEmpty { continue }
      let result = poll(socket: connection.socket, wakeup: requests.wakeup, until: .after(beat))
      if result.wokenUp { requests.wakeup.clear() }
    }
  }

  private func read(_ serving: inout Serving) throws(AMQPError) {
    var frame = amqp_frame_t()
    var deliveries: [Delivery] = []
    defer { if !deliveries.isEmpty { inbox.add(deliveries) } }
    while try serving.connection.nextFrame(&frame) {
      switch try serving.assembler.take(frame) {
      case .delivery(let delivery):
        deliveries.append(delivery)
        // The reader starts while more is read, and the library's memory does not grow with the burst.
        if deliveries.count == 64 {
          inbox.add(deliveries)
          deliveries = []
          serving.connection.releaseBuffers()
        }
      case .cancelled: throw AMQPError(.channelClosed(0), "RabbitMQ cancelled the consumer: its queue was deleted or moved")
      default: break
      }
    }
  }

  private func answer(_ serving: inout Serving) throws(AMQPError) {
    while let request = requests.take() {
      switch request {
      case .settle(let settlements, let generation):
        guard generation == serving.generation else { continue }
        for settlement in settlements { try settle(settlement, serving.connection) }
      case .stopTaking(let continuation):
        defer { continuation.resume() }
        guard serving.taking else { continue }
        serving.taking = false
        inbox.stop()
        let arena = Arena()
        amqp_basic_cancel(serving.connection.handle, AMQPConnection.channel, arena.bytes(Self.tag))
        try serving.connection.check("cancelling the consumer")
      case .flush(let continuation):
        defer { continuation.resume() }
        // The channel's methods are processed in order: an answer to this one means that those before it are done.
        amqp_basic_qos(serving.connection.handle, AMQPConnection.channel, 0, prefetch, 0)
        try serving.connection.check("waiting for RabbitMQ")
      }
    }
  }

  private func settle(_ settlement: Settlement, _ connection: AMQPConnection) throws(AMQPError) {
    switch settlement {
    case .ack(let tag, let multiple):
      try connection.checkSent(amqp_basic_ack(connection.handle, AMQPConnection.channel, tag, multiple ? 1 : 0), "acknowledging")
    case .nack(let tag, let requeue, let multiple):
      try connection.checkSent(
        amqp_basic_nack(connection.handle, AMQPConnection.channel, tag, multiple ? 1 : 0, requeue ? 1 : 0), "giving back")
    }
  }

  /// Waits before the next try; who waits for an answer meanwhile gets it: there is nothing to settle on a lost channel.
  private func pause(_ duration: Duration) {
    let end = Deadline.after(duration)
    while !end.hasPassed && !requests.isClosing {
      answerAll()
      if poll(socket: -1, wakeup: requests.wakeup, until: end).wokenUp { requests.wakeup.clear() }
    }
    answerAll()
  }

  private func answerAll() {
    for request in requests.takeAll() {
      switch request {
      case .settle: break
      case .stopTaking(let continuation):
        inbox.stop()
        continuation.resume()
      case .flush(let continuation): continuation.resume()
      }
    }
  }
}
