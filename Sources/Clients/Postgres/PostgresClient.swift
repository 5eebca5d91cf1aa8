import ClientRuntime

/// One connection to PostgreSQL on a thread of its own, which runs jobs one after the other and connects again by itself.
///
/// A job is a closure with blocking calls in it. Let go of without `close()`, the client closes by itself after the job at hand.
public final class PostgresClient: Sendable {
  private let mailbox: Mailbox<Job>
  private let status: ConnectionStatus
  private let thread: DedicatedThread

  /// Starts to connect. `onState` is called on the client's thread and must return soon.
  public init(configuration: PostgresConfiguration, onState: @escaping @Sendable (ConnectionState) -> Void = { _ in }) {
    let mailbox = Mailbox<Job>(capacity: 1_024)
    let status = ConnectionStatus(onChange: onState)
    self.mailbox = mailbox
    self.status = status
    thread = DedicatedThread(name: "postgres", stackSize: 1 << 20) {
      ConnectionLoop(configuration: configuration, mailbox: mailbox, status: status).run()
    }
  }

  deinit { mailbox.close() }

  public var state: ConnectionState { status.current }

  /// Runs the closure on the client's thread when those posted before it are done and a connection is there.
  ///
  /// The deadline covers waiting and running; without a connection by then it fails as `.unavailable`. An error that the closure throws
  /// comes out here, after an open transaction was rolled back. Cancelling the task does not interrupt a job.
  public func run<T: Sendable>(
    deadline: Deadline, _ job: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
  ) async throws(PostgresError) -> T {
    let result: Result<T, PostgresError> = await withCheckedContinuation { continuation in
      let job = Job(deadline: deadline, continuation, job)
      do throws(Mailbox<Job>.Refusal) {
        try mailbox.post(job, deadline: deadline)
      } catch {
        job.fail(.unavailable(error == .closed ? "the client is closed" : "too many jobs are waiting"))
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

  /// Ends after the job at hand; those still waiting fail as `.unavailable`.
  public func close() async {
    mailbox.close()
    await thread.join()
  }
}
