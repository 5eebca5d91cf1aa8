import CRabbitMQ
import ClientRuntime

/// One life of a publisher's connection: what is being written, and what waits for its confirm.
final class PublisherSession {
  /// How much is made ready for the socket at once; a batch may be larger.
  private static let pendingMax = 256 << 10

  let connection: AMQPConnection
  private let confirms: Bool
  private let outgoing: OutgoingFrames
  private var assembler = FrameAssembler(generation: 0, limits: HeaderLimits())
  private var unconfirmed = UnconfirmedPublications()
  /// Jobs not answered yet, of which at least the first publication was made ready.
  private var jobs: [PublishJob] = []
  private var writing: (job: PublishJob, next: Int)?
  /// What a closed channel certainly did not take, to be written again.
  private var again: [UnconfirmedPublications.Entry] = []
  private var isBlocked = false { didSet { connection.expectUnread(isBlocked) } }
  private var nacks = NackRun()
  private var lastHeard = ContinuousClock.now
  private let heartbeat: Duration?

  init(connection: AMQPConnection, confirms: Bool) throws(AMQPError) {
    self.connection = connection
    self.confirms = confirms
    heartbeat = connection.takeOverHeartbeats()
    outgoing = OutgoingFrames(socket: connection.socket, tls: connection.tls, frameMax: Int(amqp_get_frame_max(connection.handle)))
    try selectConfirms()
  }

  var isIdle: Bool { jobs.isEmpty && outgoing.isEmpty }
  var wantsWrite: Bool { !outgoing.isEmpty }
  /// Whether another batch can be begun now.
  var takesJobs: Bool { !isBlocked && writing == nil && again.isEmpty && outgoing.pending < Self.pendingMax && !nacks.asksForNewChannel }

  /// When the session wants its turn, whatever happens on the socket.
  var nextTurn: Deadline {
    var turn = nacks.asksForNewChannel ? Deadline.after(.milliseconds(100)) : heartbeat.map { Deadline.after($0 / 4) } ?? .after(.seconds(10))
    for job in jobs { turn = min(turn, job.deadline) }
    return turn
  }

  func begin(_ job: PublishJob) throws(AMQPError) {
    jobs.append(job)
    writing = (job, 0)
    try write()
  }

  /// Makes ready and hands over as much as the socket takes.
  func write() throws(AMQPError) {
    repeat {
      while outgoing.pending < Self.pendingMax, let (job, index) = nextPublication() { prepare(job, index) }
      try outgoing.flush()
      if !confirms { unconfirmed.settleWritten(outgoing.written) }
    } while outgoing.isEmpty && hasMoreToWrite
    removeDone()
  }

  private var hasMoreToWrite: Bool { !isBlocked && (writing != nil || !again.isEmpty) }

  private func nextPublication() -> (PublishJob, Int)? {
    guard !isBlocked else { return nil }
    if !again.isEmpty {
      let entry = again.removeFirst()
      return (entry.job, entry.index)
    }
    guard let (job, index) = writing else { return nil }
    writing = index + 1 < job.batch.count ? (job, index + 1) : nil
    return (job, index)
  }

  private func prepare(_ job: PublishJob, _ index: Int) {
    if job.isDone { return }
    let start = outgoing.position
    do throws(AMQPError) {
      try outgoing.append(job.batch[index], channel: AMQPConnection.channel)
      unconfirmed.append(.init(job: job, index: index, start: start, end: outgoing.position))
    } catch {
      job.settle(index, .notSent(reason: error.message))
    }
  }

  /// Reads what has arrived.
  func read() throws(AMQPError) {
    lastHeard = .now
    var frame = amqp_frame_t()
    var count = 0
    do throws(AMQPError) {
      repeat {
        guard try connection.nextFrame(&frame) else { break }
        if let incoming = try assembler.take(frame) { handle(incoming) }
        count += 1
        if count % 64 == 0 { connection.releaseBuffers() }
      } while connection.hasBuffered
    } catch {
      guard case .channelClosed = error.code else { throw error }
      try recover(from: error)
    }
    connection.releaseBuffers()
    removeDone()
  }

  private func handle(_ incoming: Incoming) {
    switch incoming {
    case .ack(let tag, let multiple):
      nacks.end()
      unconfirmed.settle(tag, multiple: multiple, .confirmed)
    case .nack(let tag, let multiple):
      let count = unconfirmed.settle(tag, multiple: multiple, .nacked)
      // Of what was not to be confirmed nothing is kept, and how many they were is not known.
      nacks.add(confirms ? count : multiple ? 3 : 1)
    case .returned(let code, let text, let exchange, let routingKey, let messageID):
      unconfirmed.settleReturned(.returned(code: code, text: text), exchange: exchange, routingKey: routingKey, messageID: messageID)
    case .blocked: isBlocked = true
    case .unblocked: isBlocked = false
    case .delivery, .cancelled: break
    }
  }

  /// Heartbeats, deadlines and a channel that only nacks.
  func tend() throws(AMQPError) {
    expire()
    if nacks.asksForNewChannel, outgoing.isEmpty, unconfirmed.isEmpty || nacks.hasWaitedLong { try replaceNackingChannel() }
    guard let heartbeat else { return }
    if lastHeard.duration(to: .now) > heartbeat * 2 { throw AMQPError(.connection, "no heartbeat from RabbitMQ for \(heartbeat * 2)") }
    if outgoing.isEmpty, outgoing.lastWrite.duration(to: .now) > heartbeat / 2 {
      outgoing.appendHeartbeat()
      try outgoing.flush()
    }
  }

  /// Answers the jobs whose time is over; their confirms are passed over when they come.
  private func expire() {
    let overdue = jobs.filter(\.deadline.hasPassed)
    if overdue.isEmpty { return }
    for job in overdue {
      settleUnwritten(of: job, isBlocked ? "blocked by RabbitMQ until the deadline" : "not written by the deadline")
      job.finish(.unknown(reason: "no confirm by the deadline"))
    }
    unconfirmed.forgetAnswered()
    removeDone()
  }

  /// The connection is gone: what the kernel never got was certainly not sent.
  func lose(_ reason: String) {
    for entry in unconfirmed.takeAll() where entry.start >= outgoing.written { entry.job.settle(entry.index, .notSent(reason: reason)) }
    for job in jobs {
      settleUnwritten(of: job, reason)
      job.finish(.unknown(reason: reason))
    }
    jobs = []
  }

  private func settleUnwritten(of job: PublishJob, _ reason: String) {
    for entry in again where entry.job === job { job.settle(entry.index, .notSent(reason: reason)) }
    again.removeAll { $0.job === job }
    guard let (current, next) = writing, current === job else { return }
    for index in next..<job.batch.count { job.settle(index, .notSent(reason: reason)) }
    writing = nil
  }

  private func removeDone() {
    if jobs.contains(where: { $0.isDone }) { jobs.removeAll { $0.isDone } }
  }

  /// The server closed the channel over one message: everything after that one was certainly not taken, and goes out again on a new
  /// channel unless it is for the same exchange; of what went before it nothing more will be heard.
  private func recover(from closed: AMQPError) throws(AMQPError) {
    let open = unconfirmed.takeAll()
    let culprit = open.firstIndex { closed.message.contains("exchange '\($0.publication.exchange.isEmpty ? "amq.default" : $0.publication.exchange)'") }
    for (i, entry) in open.enumerated() where !entry.job.isDone {
      if let culprit, i > culprit, entry.publication.exchange != open[culprit].publication.exchange {
        again.append(entry)
      } else {
        entry.job.settle(entry.index, .unknown(reason: closed.message))
      }
    }
    try connection.drain(outgoing)
    try connection.reopenChannel(closedByServer: true)
    try startChannel()
    try write()
  }

  private func replaceNackingChannel() throws(AMQPError) {
    for entry in unconfirmed.takeAll() { entry.job.settle(entry.index, .unknown(reason: "the channel was replaced, as it only nacked")) }
    try connection.reopenChannel(closedByServer: false)
    try startChannel()
    try write()
  }

  private func startChannel() throws(AMQPError) {
    assembler = FrameAssembler(generation: 0, limits: HeaderLimits())
    nacks.end()
    try selectConfirms()
  }

  /// Also where nobody waits for them: a channel that drops everything tells it by nothing else.
  private func selectConfirms() throws(AMQPError) {
    amqp_confirm_select(connection.handle, AMQPConnection.channel)
    try connection.check("asking for confirms")
  }
}
