import ClientRuntime
import Glibc

/// One connection to Redis on a thread of its own, which carries pipelines of commands and connects again by itself.
///
/// A call fails at once while Redis is known to be away. Let go of without `close()`, the client closes by itself.
public final class RedisClient: Sendable {
  private let mailbox: Mailbox<RedisCall>
  private let status: ConnectionStatus
  private let thread: DedicatedThread

  /// hiredis writes with `write(2)`, without MSG_NOSIGNAL: a server that went away would end the process by SIGPIPE.
  private static let ignoreBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

  /// Starts to connect. `onState` is called on the client's thread and must return soon.
  public init(configuration: RedisConfiguration, onState: @escaping @Sendable (ConnectionState) -> Void = { _ in }) {
    Self.ignoreBrokenPipes
    let mailbox = Mailbox<RedisCall>(capacity: 1_024)
    let status = ConnectionStatus(onChange: onState)
    self.mailbox = mailbox
    self.status = status
    thread = DedicatedThread(name: "redis", stackSize: 1 << 20) {
      RedisLoop(configuration: configuration, mailbox: mailbox, status: status).run()
    }
  }

  deinit { mailbox.close() }

  public var state: ConnectionState { status.current }

  /// Sends all commands in one go and returns their replies in that order; the deadline covers waiting, connecting and all replies.
  public func pipeline(_ commands: [RedisCommand], deadline: Deadline) async throws(RedisError) -> [RedisReply] {
    if commands.isEmpty { return [] }
    let result: Result<[RedisReply], RedisError> = await withCheckedContinuation { continuation in
      let call = RedisCall(commands: commands, deadline: deadline) { continuation.resume(returning: $0) }
      do throws(Mailbox<RedisCall>.Refusal) {
        try mailbox.post(call, deadline: deadline)
      } catch {
        call.finish(.failure(.unavailable(error == .closed ? "the client is closed" : "too many calls are waiting")))
      }
    }
    return try result.get()
  }

  /// Whether there is a connection, at the latest by the deadline.
  public func waitUntilConnected(deadline: Deadline) async -> Bool {
    while !state.isConnected {
      if deadline.hasPassed || state == .closed || Task.isCancelled { return false }
      try? await Task.sleep(for: min(.milliseconds(5), deadline.remaining))
    }
    return true
  }

  /// Ends after the call at hand; those still waiting fail as `.unavailable`.
  public func close() async {
    mailbox.close()
    await thread.join()
  }
}
