import CRabbitMQ
import ClientRuntime

/// The publisher's thread: connect, write batches, read confirms, back off, again.
struct PublisherLoop {
  let configuration: ConnectionConfiguration
  let confirms: Bool
  let mailbox: Mailbox<PublishJob>
  let status: ConnectionStatus

  func run() {
    var backoff = Backoff()
    var turn = 0
    while !(mailbox.isClosing && mailbox.isEmpty) {
      status.set(.connecting)
      do throws(AMQPError) {
        let connection = try AMQPConnection(configuration, turn: turn)
        if confirms {
          amqp_confirm_select(connection.handle, AMQPConnection.channel)
          try connection.check("asking for confirms")
        }
        backoff.reset()
        status.set(.connected(server: connection.server))
        let session = PublisherSession(connection: connection, confirms: confirms)
        do throws(AMQPError) {
          try serve(session)
        } catch {
          session.lose(error.message)
          throw error
        }
        connection.close()
        if mailbox.isClosing { break }
      } catch {
        status.set(.disconnected(reason: error.message))
        turn += 1
        pause(backoff.next())
      }
    }
    for job in mailbox.takeAll() { job.refuse("the publisher is closed") }
    status.set(.closed)
  }

  private func serve(_ session: PublisherSession) throws(AMQPError) {
    let connection = session.connection
    let beat = configuration.heartbeat / 3
    while true {
      refuseOverdue()
      if !session.isBlocked { while let job = mailbox.take() { try session.write(job) } }
      try session.read()
      session.expire()
      connection.releaseBuffers()
      if session.needsNewChannel { throw AMQPError(.channelClosed(0), "every publish was nacked: a new channel may mend it") }
      if mailbox.isClosing && mailbox.isEmpty && session.isSettled { return }
      if connection.hasBuffered || (!mailbox.isEmpty && !session.isBlocked) { continue }
      var until = Deadline.after(beat)
      for deadline in [mailbox.earliestDeadline, session.earliestDeadline] { if let deadline { until = min(until, deadline) } }
      if poll(socket: connection.socket, wakeup: mailbox.wakeup, until: until).wokenUp { mailbox.wakeup.clear() }
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
