import ClientRuntime

/// Publishes batches over one connection and channel on a thread of its own, with publisher confirms, and connects again by itself for ever.
public final class Publisher: Sendable {
  private let mailbox: Mailbox<PublishJob>
  private let status: ConnectionStatus
  private let thread: DedicatedThread

  /// Without `confirms` an outcome of `confirmed` means only that the message was written. `onState` is called on the publisher's thread.
  public init(configuration: ConnectionConfiguration, confirms: Bool = true, onState: @escaping @Sendable (ConnectionState) -> Void = { _ in }) {
    let mailbox = Mailbox<PublishJob>(capacity: 10_000)
    let status = ConnectionStatus(onChange: onState)
    self.mailbox = mailbox
    self.status = status
    thread = DedicatedThread(name: "amqp-publish") {
      PublisherLoop(configuration: configuration, confirms: confirms, mailbox: mailbox, status: status).run()
    }
  }

  deinit { mailbox.close() }

  public var state: ConnectionState { status.current }

  /// One outcome for each publication, in their order, by the deadline at the latest. Several calls may be under way at once.
  public func publish(_ batch: [Publication], deadline: Deadline) async -> [PublishOutcome] {
    if batch.isEmpty { return [] }
    return await withCheckedContinuation { continuation in
      let job = PublishJob(batch: batch, deadline: deadline, continuation: continuation)
      do throws(Mailbox<PublishJob>.Refusal) {
        try mailbox.post(job, deadline: deadline)
      } catch {
        job.refuse(error == .closed ? "the publisher is closed" : "too many batches are waiting")
      }
    }
  }

  /// Ends after what was given to it is written and confirmed, or its deadline has passed.
  public func close() async {
    mailbox.close()
    await thread.join()
  }
}

/// A batch on its way. Its state belongs to the publisher's thread once it has been taken from the mailbox.
final class PublishJob: @unchecked Sendable {
  // Proof of @unchecked: written by the poster before the mailbox's lock and by the one thread that takes it afterwards, never by both.
  let batch: [Publication]
  let deadline: Deadline
  private var outcomes: [PublishOutcome?]
  private var open: Int
  private var continuation: CheckedContinuation<[PublishOutcome], Never>?

  init(batch: [Publication], deadline: Deadline, continuation: CheckedContinuation<[PublishOutcome], Never>) {
    self.batch = batch
    self.deadline = deadline
    self.continuation = continuation
    outcomes = Array(repeating: nil, count: batch.count)
    open = batch.count
  }

  var isDone: Bool { continuation == nil }

  /// The first outcome counts: a returned message is acknowledged too. False where there was one already.
  @discardableResult
  func settle(_ index: Int, _ outcome: PublishOutcome) -> Bool {
    guard outcomes[index] == nil, !isDone else { return false }
    outcomes[index] = outcome
    open -= 1
    if open == 0 { finish(outcome) }
    return true
  }

  /// Gives what is still open this outcome, and answers.
  func finish(_ rest: PublishOutcome) {
    guard let continuation else { return }
    self.continuation = nil
    continuation.resume(returning: outcomes.map { $0 ?? rest })
  }

  func refuse(_ reason: String) { finish(.notSent(reason: reason)) }
}
