import CRabbitMQ
import ClientRuntime
import Pacing

/// The publisher's thread: connect, write batches, read confirms, back off, again.
struct PublisherLoop {
  let configuration: ConnectionConfiguration
  let confirms: Bool
  let mailbox: Mailbox<PublishJob>
  let status: ConnectionStatus

  func run() {
    var backoff = Backoff()
    var hosts = HostRotation(configuration.hosts)
    while !(mailbox.isClosing && mailbox.isEmpty) {
      status.set(.connecting)
      do throws(AMQPError) {
        let session = try connect(hosts.current)
        status.set(.connected(server: session.connection.server))
        let began = ContinuousClock.now
        do throws(AMQPError) {
          try serve(session)
        } catch {
          session.lose(error.message)
          if began.duration(to: .now) > backoff.limit {
            backoff.reset()
            hosts.reset()
          }
          throw error
        }
        session.connection.close()
        break
      } catch {
        status.set(.disconnected(reason: error.message))
        hosts.fail()
        pause(hosts.isRoundOver ? backoff.next() : backoff.short())
      }
    }
    for job in mailbox.takeAll() { job.refuse("the publisher is closed") }
    status.set(.closed)
  }

  private func connect(_ host: ConnectionConfiguration.Host) throws(AMQPError) -> PublisherSession {
    // Connecting occupies this thread; deadlines hold meanwhile, too.
    let watch = Task { [self] in
      while !Task.isCancelled {
        refuseOverdue()
        try? await Task.sleep(for: .milliseconds(20))
      }
    }
    defer { watch.cancel() }
    return try PublisherSession(connection: AMQPConnection(configuration, host: host), confirms: confirms)
  }

  private func serve(_ session: PublisherSession) throws(AMQPError) {
    let connection = session.connection
    while true {
      refuseOverdue()
      try session.write()
      while session.takesJobs, let job = mailbox.take() { try session.begin(job) }
      try session.tend()
      if mailbox.isClosing && mailbox.isEmpty && session.isIdle { return }
      if connection.hasBuffered {
        try session.read()
        continue
      }
      var until = session.nextTurn
      if let deadline = mailbox.earliestDeadline { until = min(until, deadline) }
      let result = poll(socket: connection.socket, wantsWrite: session.wantsWrite, wakeup: mailbox.wakeup, until: until)
      if result.wokenUp { mailbox.wakeup.clear() }
      if result.socketReadable { try session.read() }
    }
  }

  private func refuseOverdue() {
    for job in mailbox.takeOverdue() { job.refuse("not connected, or blocked by RabbitMQ, until the deadline") }
  }

  private func pause(_ duration: Duration) {
    let end = Deadline.after(duration)
    while !end.hasPassed && !(mailbox.isClosing && mailbox.isEmpty) {
      refuseOverdue()
      let until = mailbox.earliestDeadline.map { min($0, end) } ?? end
      if poll(socket: -1, wakeup: mailbox.wakeup, until: until).wokenUp { mailbox.wakeup.clear() }
    }
    refuseOverdue()
  }
}
