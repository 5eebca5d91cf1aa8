import ClientRuntime
import Pacing

/// The body of the client's thread: connect, serve, look, classify, back off, until the mailbox closes.
struct RedisLoop {
  let configuration: RedisConfiguration
  let mailbox: Mailbox<RedisCall>
  let status: ConnectionStatus

  private static let idlePeriod = Duration.seconds(3_600)

  init(configuration: RedisConfiguration, mailbox: Mailbox<RedisCall>, status: ConnectionStatus) {
    self.configuration = configuration
    self.mailbox = mailbox
    self.status = status
  }

  func run() {
    var backoff = Backoff(first: .milliseconds(50), limit: .seconds(1))
    var lastFailure: String?
    while !mailbox.isClosing {
      status.set(.connecting)
      do throws(RedisError) {
        let (context, server) = try connect(lastFailure: lastFailure)
        status.set(.connected(server: server))
        let (served, reason) = serve(context)
        status.set(.disconnected(reason: reason))
        if served {
          // A connection that was good: the next one is tried at once, and calls wait for it.
          backoff.reset()
          lastFailure = nil
          continue
        }
        lastFailure = reason
      } catch {
        let reason = error.reason
        status.set(.disconnected(reason: reason))
        lastFailure = reason
      }
      let refusal = lastFailure ?? ""
      _ = mailbox.wait(socket: -1, until: .after(backoff.next()), isOver: { mailbox.isClosing }, look: { mailbox.failAllCalls(refusal) })
    }
    status.set(.closed)
    mailbox.failAllCalls("the client is closed")
  }

  /// While the last try failed, nobody waits for this one: calls fail at once.
  private func connect(lastFailure: String?) throws(RedisError) -> (RedisContext, server: String) {
    let look = { if let lastFailure { mailbox.failAllCalls(lastFailure) } else { mailbox.failOverdueCalls() } }
    let deadline = Deadline.after(configuration.connectTimeout)
    let answer = HostLookup.system.addresses(of: configuration.host, until: deadline, wakeup: mailbox.wakeup) {
      look()
      return mailbox.isClosing
    }
    switch answer {
    case nil: throw .unavailable(mailbox.isClosing ? "the client is closed" : "\(configuration.host) was not resolved within the connect timeout")
    case .failure(let reason): throw .unavailable(reason)
    case .addresses(let addresses):
      // IPv4 first, as hiredis does: a name such as localhost has both, and a server often listens on one.
      let address = addresses.first { !$0.contains(":") } ?? addresses[0]
      let context = try RedisContext(address: address, port: configuration.port, mailbox: mailbox)
      try context.finishConnecting(by: deadline, look: look)
      return (context, try logIn(context, by: deadline, look: look))
    }
  }

  /// Returns the server's name and version. INFO shows too whether anybody is at home: a frozen server's kernel accepts connections.
  private func logIn(_ context: RedisContext, by deadline: Deadline, look: () -> Void) throws(RedisError) -> String {
    var commands: [RedisCommand] = []
    if let password = configuration.password {
      commands.append(configuration.user.isEmpty ? RedisCommand("AUTH", password) : RedisCommand("AUTH", configuration.user, password))
    }
    if configuration.database != 0 { commands.append(RedisCommand("SELECT", String(configuration.database))) }
    let needed = commands.count
    commands.append(RedisCommand("INFO", "server"))
    let replies = try context.exchange(commands, by: deadline, isOver: { mailbox.isClosing }, look: look)
    if let refusal = replies.prefix(needed).lazy.compactMap(\.errorText).first { throw .unavailable(refusal) }
    if let refusal = replies[needed].errorText {
      if refusal.hasPrefix("NOAUTH") || refusal.hasPrefix("LOADING") { throw .unavailable(refusal) }
      return "Redis"  // of a user who may not ask
    }
    let info = String(decoding: replies[needed].bytes ?? [], as: UTF8.self)
    let version = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }?.dropFirst("redis_version:".count)
    return "\(version.map { "Redis \($0)" } ?? "Redis") at \(configuration.host):\(configuration.port)"
  }

  /// Carries calls until the first error or the mailbox's end; says whether one went well, and why it is over.
  private func serve(_ context: RedisContext) -> (served: Bool, reason: String) {
    var served = false
    while !mailbox.isClosing {
      mailbox.failOverdueCalls()
      if let call = mailbox.take() {
        do throws(RedisError) {
          let replies = try context.exchange(call.commands, by: call.deadline, look: mailbox.failOverdueCalls)
          call.finish(.success(replies))
          served = true
          continue
        } catch {
          call.finish(.failure(error))
          return (served, error.reason)
        }
      }
      let ready = mailbox.wait(
        socket: context.socket, until: .after(Self.idlePeriod), isOver: { mailbox.isClosing || !mailbox.isEmpty }, look: mailbox.failOverdueCalls)
      // Redis says nothing unasked: this is the connection's end.
      if ready?.socketReadable == true { return (served, "the server closed the connection") }
    }
    return (served, "the client is closed")
  }
}

extension RedisError {
  fileprivate var reason: String {
    switch self {
    case .unavailable(let reason), .connectionLost(let reason): reason
    case .timeout: "no answer by the deadline"
    }
  }
}
