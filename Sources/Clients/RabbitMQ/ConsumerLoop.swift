import ClientRuntime
import Pacing

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

  func run() {
    var backoff = Backoff()
    var generation: UInt64 = 0
    var hosts = HostRotation(configuration.hosts)
    while !requests.isClosing && !inbox.isStopped {
      status.set(.connecting)
      do throws(AMQPError) {
        let connection = try AMQPConnection(configuration, host: hosts.current)
        generation += 1
        let session = ConsumerSession(connection: connection, generation: generation, prefetch: prefetch, inbox: inbox, limits: limits)
        try goodbye(connection) { () throws(AMQPError) in
          let queue = try session.subscribe(to: subscription)
          name.value.withLock { $0 = queue }
          status.set(.connected(server: connection.server))
          let began = ContinuousClock.now
          defer {
            inbox.lose(generation)
            if began.duration(to: .now) > backoff.limit {
              backoff.reset()
              hosts.reset()
            }
          }
          try serve(session)
        }
      } catch {
        status.set(.disconnected(reason: error.message))
        hosts.fail()
        pause(hosts.isRoundOver ? backoff.next() : backoff.short())
      }
    }
    // Told to take no more, and without a connection: there is nothing left to do but to wait for the end.
    while !requests.isClosing {
      answerAll()
      if poll(socket: -1, wakeup: requests.wakeup, until: .never).wokenUp { requests.wakeup.clear() }
    }
    status.set(.closed)
    answerAll()
  }

  /// Takes leave of the server where the connection still stands: at the end, and where only the channel was closed.
  private func goodbye(_ connection: AMQPConnection, after body: () throws(AMQPError) -> Void) throws(AMQPError) {
    do throws(AMQPError) {
      try body()
    } catch {
      if case .channelClosed = error.code { connection.close() }
      throw error
    }
    connection.close()
  }

  private func serve(_ session: ConsumerSession) throws(AMQPError) {
    let connection = session.connection
    // Heartbeats go out only inside library calls.
    let beat = configuration.heartbeat > .zero ? configuration.heartbeat / 4 : .seconds(10)
    var sip = Deadline.after(beat)
    while true {
      while let request = requests.take() { try session.answer(request) }
      if requests.isClosing && requests.isEmpty { return try session.giveBack() }
      if inbox.isFull {
        // RabbitMQ leaves a client that has taken nothing off the wire for 30 s.
        if sip.hasPassed {
          try session.read(.aLittle)
          sip = .after(beat)
        }
        if poll(socket: -1, wakeup: requests.wakeup, until: .after(.milliseconds(10))).wokenUp { requests.wakeup.clear() }
        continue
      }
      try session.read(.untilFull)
      sip = .after(beat)
      if connection.hasBuffered || !requests.isEmpty { continue }
      if poll(socket: connection.socket, wakeup: requests.wakeup, until: .after(beat)).wokenUp { requests.wakeup.clear() }
    }
  }

  /// Waits before the next try; who waits for an answer meanwhile gets it: there is nothing to settle on a lost channel.
  private func pause(_ duration: Duration) {
    let end = Deadline.after(duration)
    while !end.hasPassed && !requests.isClosing && !inbox.isStopped {
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
