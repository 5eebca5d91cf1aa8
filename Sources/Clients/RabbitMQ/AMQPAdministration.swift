import CRabbitMQ
import ClientRuntime

/// Declares and looks at queues and exchanges, over a connection for as long as that takes.
public enum AMQPAdministration {
  /// Runs the closure on a thread of its own, with blocking calls in it; each of them throws once the deadline has passed.
  public static func withSession<T: Sendable>(
    _ configuration: ConnectionConfiguration, deadline: Deadline = .after(.seconds(60)), _ body: @escaping @Sendable (AMQPSession) throws(AMQPError) -> T
  ) async throws(AMQPError) -> T {
    let result: Result<T, AMQPError> = await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "amqp-admin") {
        let session = AMQPSession(configuration, deadline: deadline)
        do throws(AMQPError) {
          let value = try body(session)
          session.close()
          continuation.resume(returning: .success(value))
        } catch {
          session.close()
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}

/// What waits in a queue, as a passive look tells it: what consumers have in hand is not counted.
public struct QueueDepth: Sendable, Equatable {
  public let messages: UInt32
  public let consumers: UInt32
}

/// What a passive look found.
public enum Presence: Sendable, Equatable {
  case present
  case missing
  /// It is there, with other arguments: the server's own words.
  case differs(String)
}

/// A connection for administration, confined to its thread. A channel that an error closed is replaced before the next call.
public final class AMQPSession {
  private let configuration: ConnectionConfiguration
  private let deadline: Deadline
  private var connection: AMQPConnection?
  private let arena = Arena()

  init(_ configuration: ConnectionConfiguration, deadline: Deadline) {
    self.configuration = configuration
    self.deadline = deadline
  }

  func close() {
    connection?.close()
    connection = nil
  }

  public var server: String { get throws(AMQPError) { try connected().server } }

  /// When the first of the certificates runs out that the server showed; nil where nothing is encrypted.
  public var certificateEnd: CertificateEnd? { get throws(AMQPError) { CertificateEnd(ofServer: try connected().tls?.ssl) } }

  public func declareExchange(_ name: String, type: String) throws(AMQPError) {
    try call("declaring exchange \(name)") { handle, channel throws(AMQPError) in
      amqp_exchange_declare(handle, channel, try arena.shortBytes(name, "exchange"), arena.bytes(type), 0, 1, 0, 0, Self.none)
    }
  }

  public func lookAtExchange(_ name: String) throws(AMQPError) -> Presence {
    try look { () throws(AMQPError) in
      try call("looking at exchange \(name)") { handle, channel throws(AMQPError) in
        amqp_exchange_declare(handle, channel, try arena.shortBytes(name, "exchange"), arena.bytes("topic"), 1, 1, 0, 0, Self.none)
      }
    }
  }

  public func declareQueue(_ name: String, arguments: [Header]) throws(AMQPError) {
    try call("declaring queue \(name)") { handle, channel throws(AMQPError) in
      amqp_queue_declare(handle, channel, try arena.shortBytes(name, "queue"), 0, 1, 0, 0, try arena.table(arguments))
    }
  }

  /// How many messages are ready in the queue, and how many consumers it has; nil where there is no such queue.
  public func depth(of queue: String) throws(AMQPError) -> QueueDepth? {
    var depth = QueueDepth(messages: 0, consumers: 0)
    let found = try look { () throws(AMQPError) in
      try call("looking at queue \(queue)") { handle, channel throws(AMQPError) in
        guard let declared = amqp_queue_declare(handle, channel, try arena.shortBytes(queue, "queue"), 1, 1, 0, 0, Self.none) else { return }
        depth = QueueDepth(messages: declared.pointee.message_count, consumers: declared.pointee.consumer_count)
      }
    }
    return found == .present ? depth : nil
  }

  /// Missing, there, or there with other arguments than these.
  public func lookAtQueue(_ name: String, arguments: [Header]) throws(AMQPError) -> Presence {
    guard try depth(of: name) != nil else { return .missing }
    // A queue that exists is only compared by a declaration that is not passive.
    return try look { () throws(AMQPError) in try declareQueue(name, arguments: arguments) }
  }

  public func bind(queue: String, exchange: String, routingKey: String) throws(AMQPError) {
    try call("binding queue \(queue) to \(exchange)") { handle, channel throws(AMQPError) in
      amqp_queue_bind(
        handle, channel, try arena.shortBytes(queue, "queue"), try arena.shortBytes(exchange, "exchange"), try arena.shortBytes(routingKey, "routing key"),
        Self.none)
    }
  }

  public func purgeQueue(_ name: String) throws(AMQPError) {
    try call("purging queue \(name)") { handle, channel throws(AMQPError) in
      amqp_queue_purge(handle, channel, try arena.shortBytes(name, "queue"))
    }
  }

  public func deleteQueue(_ name: String) throws(AMQPError) {
    try call("deleting queue \(name)") { handle, channel throws(AMQPError) in
      amqp_queue_delete(handle, channel, try arena.shortBytes(name, "queue"), 0, 0)
    }
  }

  public func deleteExchange(_ name: String) throws(AMQPError) {
    try call("deleting exchange \(name)") { handle, channel throws(AMQPError) in
      amqp_exchange_delete(handle, channel, try arena.shortBytes(name, "exchange"), 0)
    }
  }

  private static var none: amqp_table_t { amqp_table_t(num_entries: 0, entries: nil) }

  private func call(_ action: String, _ body: (amqp_connection_state_t, amqp_channel_t) throws(AMQPError) -> Void) throws(AMQPError) {
    let connection = try connected()
    guard !deadline.hasPassed else { throw AMQPError(.timeout, "\(action): no time left") }
    connection.limitCalls(to: deadline.remaining)
    arena.reset()
    try body(connection.handle, AMQPConnection.channel)
    do throws(AMQPError) {
      try connection.check(action)
    } catch {
      // Its channel is closed now.
      close()
      throw error
    }
  }

  private func connected() throws(AMQPError) -> AMQPConnection {
    if let connection { return connection }
    var hosts = HostRotation(configuration.hosts)
    while true {
      guard !deadline.hasPassed else { throw AMQPError(.timeout, "connecting to RabbitMQ: no time left") }
      do throws(AMQPError) {
        let new = try AMQPConnection(configuration, host: hosts.current, deadline: deadline)
        connection = new
        return new
      } catch {
        hosts.fail()
        if hosts.isRoundOver { throw error }
      }
    }
  }

  private func look(_ ask: () throws(AMQPError) -> Void) throws(AMQPError) -> Presence {
    do throws(AMQPError) {
      try ask()
      return .present
    } catch {
      switch error.code {
      case .channelClosed(404): return .missing
      case .channelClosed(406): return .differs(error.message)
      default: throw error
      }
    }
  }
}
