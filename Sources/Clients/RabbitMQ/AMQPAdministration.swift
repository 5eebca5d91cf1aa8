import CRabbitMQ
import ClientRuntime

/// Declares and looks at queues and exchanges, over a connection for as long as that takes.
public enum AMQPAdministration {
  /// Runs the closure on a thread of its own, with blocking calls in it.
  public static func withSession<T: Sendable>(
    _ configuration: ConnectionConfiguration, _ body: @escaping @Sendable (AMQPSession) throws(AMQPError) -> T
  ) async throws(AMQPError) -> T {
    let result: Result<T, AMQPError> = await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "amqp-admin") {
        do throws(AMQPError) {
          let session = AMQPSession(configuration)
          let value = try body(session)
          session.close()
          continuation.resume(returning: .success(value))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}

/// What a passive look found.
public enum Presence: Sendable, Equatable {
  case present(messages: UInt32)
  case missing
  /// It is there, with other arguments: the server's own words.
  case differs(String)
}

/// A connection for administration, confined to its thread. A channel that an error closed is replaced before the next call.
public final class AMQPSession {
  private let configuration: ConnectionConfiguration
  private var connection: AMQPConnection?
  private let arena = Arena()

  init(_ configuration: ConnectionConfiguration) { self.configuration = configuration }

  func close() { connection?.close() }

  public var server: String { get throws(AMQPError) { try connected().server } }

  public func declareExchange(_ name: String, type: String) throws(AMQPError) {
    let connection = try connected()
    amqp_exchange_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), arena.bytes(type), 0, 1, 0, 0, arena.table([]))
    try checked(connection, "declaring exchange \(name)")
  }

  public func lookAtExchange(_ name: String) throws(AMQPError) -> Presence {
    try look { connection throws(AMQPError) in
      amqp_exchange_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), arena.bytes("topic"), 1, 1, 0, 0, arena.table([]))
      try checked(connection, "looking at exchange \(name)")
      return 0
    }
  }

  public func declareQueue(_ name: String, arguments: [Header]) throws(AMQPError) {
    let connection = try connected()
    amqp_queue_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), 0, 1, 0, 0, arena.table(arguments))
    try checked(connection, "declaring queue \(name)")
  }

  /// How many messages are ready in the queue; nil where there is no such queue.
  public func messages(in queue: String) throws(AMQPError) -> UInt32? {
    let found = try look { connection throws(AMQPError) in
      let declared = amqp_queue_declare(connection.handle, AMQPConnection.channel, arena.bytes(queue), 1, 1, 0, 0, arena.table([]))
      try checked(connection, "looking at queue \(queue)")
      return declared?.pointee.message_count ?? 0
    }
    if case .present(let messages) = found { return messages }
    return nil
  }

  /// Missing, there, or there with other arguments than these.
  public func lookAtQueue(_ name: String, arguments: [Header]) throws(AMQPError) -> Presence {
    guard let messages = try messages(in: name) else { return .missing }
    // A queue that exists is only compared by a declaration that is not passive.
    return try look { connection throws(AMQPError) in
      amqp_queue_declare(connection.handle, AMQPConnection.channel, arena.bytes(name), 0, 1, 0, 0, arena.table(arguments))
      try checked(connection, "comparing queue \(name)")
      return messages
    }
  }

  public func bind(queue: String, exchange: String, routingKey: String) throws(AMQPError) {
    let connection = try connected()
    amqp_queue_bind(connection.handle, AMQPConnection.channel, arena.bytes(queue), arena.bytes(exchange), arena.bytes(routingKey), arena.table([]))
    try checked(connection, "binding queue \(queue) to \(exchange)")
  }

  public func deleteQueue(_ name: String) throws(AMQPError) {
    let connection = try connected()
    amqp_queue_delete(connection.handle, AMQPConnection.channel, arena.bytes(name), 0, 0)
    try checked(connection, "deleting queue \(name)")
  }

  public func deleteExchange(_ name: String) throws(AMQPError) {
    let connection = try connected()
    amqp_exchange_delete(connection.handle, AMQPConnection.channel, arena.bytes(name), 0)
    try checked(connection, "deleting exchange \(name)")
  }

  private func connected() throws(AMQPError) -> AMQPConnection {
    if let connection { return connection }
    var failure: AMQPError?
    for turn in 0..<configuration.hosts.count {
      do throws(AMQPError) {
        let new = try AMQPConnection(configuration, turn: turn)
        connection = new
        return new
      } catch {
        failure = error
      }
    }
    throw failure!
  }

  private func checked(_ connection: AMQPConnection, _ action: String) throws(AMQPError) {
    do throws(AMQPError) {
      try connection.check(action)
    } catch {
      // Its channel is closed now.
      connection.close()
      self.connection = nil
      throw error
    }
  }

  private func look(_ ask: (AMQPConnection) throws(AMQPError) -> UInt32) throws(AMQPError) -> Presence {
    do throws(AMQPError) {
      return .present(messages: try ask(try connected()))
    } catch {
      switch error.code {
      case .channelClosed(404): return .missing
      case .channelClosed(406): return .differs(error.message)
      default: throw error
      }
    }
  }
}
