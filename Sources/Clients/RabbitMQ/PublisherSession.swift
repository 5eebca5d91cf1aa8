import CRabbitMQ
import ClientRuntime

/// One life of a publisher's channel: what was written and waits for its confirm.
final class PublisherSession {
  let connection: AMQPConnection
  private let confirms: Bool
  private let arena = Arena()
  private var assembler = FrameAssembler(generation: 0, limits: HeaderLimits())

  /// Publications by their delivery tags: `waiting[i]` has the tag `firstTag + i`; nil is settled.
  private var waiting: [(job: PublishJob, index: Int)?] = []
  private var head = 0
  private var firstTag: UInt64 = 1
  private var jobs: [PublishJob] = []
  private(set) var isBlocked = false
  private var nacksInARow = 0
  private var firstNack: ContinuousClock.Instant?

  init(connection: AMQPConnection, confirms: Bool) {
    self.connection = connection
    self.confirms = confirms
  }

  var isSettled: Bool { jobs.isEmpty }
  var earliestDeadline: Deadline? { jobs.lazy.map(\.deadline).min() }

  /// On RabbitMQ 3.10 a channel whose first publish fell into a leader's election has every later one nacked. A full queue nacks too, so
  /// the channel is given a second first.
  var needsNewChannel: Bool {
    guard let firstNack, nacksInARow >= 3 else { return false }
    return firstNack.duration(to: .now) > .seconds(1)
  }

  /// Writes a whole batch back to back.
  func write(_ job: PublishJob) throws(AMQPError) {
    jobs.append(job)
    connection.cork(true)
    defer { connection.cork(false) }
    for (index, publication) in job.batch.enumerated() {
      // Its tag is taken before the write: what failed in the middle of it may have arrived.
      if confirms { waiting.append((job, index)) }
      arena.reset()
      var properties = arena.properties(publication.properties)
      let status = publication.body.withUnsafeBytes { body in
        amqp_basic_publish(
          connection.handle, AMQPConnection.channel, arena.bytes(publication.exchange), arena.bytes(publication.routingKey),
          publication.mandatory ? 1 : 0, 0, &properties, amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
      }
      if status != AMQP_STATUS_OK.rawValue {
        for rest in (index + 1)..<max(job.batch.count, index + 1) { job.settle(rest, .notSent(reason: errorText(status))) }
        try connection.checkSent(status, "publishing")
      }
      if !confirms { job.settle(index, .confirmed) }
    }
    if job.isDone { jobs.removeAll { $0 === job } }
  }

  func read() throws(AMQPError) {
    var frame = amqp_frame_t()
    var count = 0
    while try connection.nextFrame(&frame) {
      switch try assembler.take(frame) {
      case .ack(let tag, let multiple):
        nacksInARow = 0
        firstNack = nil
        settle(tag, multiple, .confirmed)
      case .nack(let tag, let multiple):
        nacksInARow += 1
        firstNack = firstNack ?? .now
        settle(tag, multiple, .nacked)
      case .returned(let code, let text, let exchange, let routingKey, let messageID):
        settleReturned(.returned(code: code, text: text), exchange, routingKey, messageID)
      case .blocked: isBlocked = true
      case .unblocked: isBlocked = false
      default: break
      }
      count += 1
      if count % 64 == 0 { connection.releaseBuffers() }
    }
    removeDone()
  }

  /// Answers the jobs whose time is over; their confirms are passed over when they come.
  func expire() {
    for job in jobs where job.deadline.hasPassed { job.finish(.unknown(reason: "no confirm by the deadline")) }
    removeDone()
  }

  func lose(_ reason: String) {
    for job in jobs { job.finish(.unknown(reason: reason)) }
    jobs = []
  }

  private func removeDone() {
    if jobs.contains(where: \.isDone) { jobs.removeAll(where: \.isDone) }
  }

  private func settle(_ tag: UInt64, _ multiple: Bool, _ outcome: PublishOutcome) {
    guard tag >= firstTag else { return }
    let last = min(Int(tag - firstTag), waiting.count - 1)
    guard last >= head else { return }
    for i in (multiple ? head : last)...last {
      guard let (job, index) = waiting[i] else { continue }
      waiting[i] = nil
      job.settle(index, outcome)
    }
    while head < waiting.count, waiting[head] == nil { head += 1 }
    if head > 4_096 || head == waiting.count {
      waiting.removeFirst(head)
      firstTag += UInt64(head)
      head = 0
    }
  }

  /// A returned message comes without its tag, and before its ack: it is the oldest one that looks like it.
  private func settleReturned(_ outcome: PublishOutcome, _ exchange: String, _ routingKey: String, _ messageID: String?) {
    for i in head..<waiting.count {
      guard let (job, index) = waiting[i] else { continue }
      let publication = job.batch[index]
      guard publication.mandatory, publication.routingKey == routingKey, publication.exchange == exchange, publication.properties.messageID == messageID
      else { continue }
      if job.settle(index, outcome) { return }
    }
  }
}
