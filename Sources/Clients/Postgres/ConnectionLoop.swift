import ClientRuntime
import Pacing

/// The body of the client's thread: connect, serve, look, classify, back off, until the mailbox closes.
struct ConnectionLoop {
  let configuration: PostgresConfiguration
  let mailbox: Mailbox<Job>
  let status: ConnectionStatus

  /// A connection that lived this long was a good one: the next wait starts small again.
  private static let provenAfter = Duration.seconds(5)
  private static let cleaningLimit = Duration.seconds(2)
  private static let idlePeriod = Duration.seconds(3_600)

  func run() {
    var backoff = Backoff()
    var first = 0
    while !mailbox.isClosing {
      status.set(.connecting)
      let reason: String
      do throws(PostgresError) {
        let (connection, host) = try PostgresConnection.open(configuration, first: first, mailbox: mailbox)
        try takeRole(connection)
        status.set(.connected(server: connection.server))
        let began = ContinuousClock.now
        let served = serve(connection)
        if served || ContinuousClock.now - began > Self.provenAfter { backoff.reset() }
        reason = connection.failure ?? "closed"
        // Another may have taken its place, and a host that is gone without a word would cost the whole timeout again and again.
        first = host + 1
      } catch {
        reason = error.reason
      }
      if mailbox.isClosing { break }
      status.set(.disconnected(reason: reason))
      pause(until: .after(backoff.next()))
    }
    status.set(.closed)
    for job in mailbox.takeAll() { job.fail(.unavailable("the client is closed")) }
  }

  private func takeRole(_ connection: PostgresConnection) throws(PostgresError) {
    guard let role = configuration.role else { return }
    let name = role.replacing("'", with: "''")
    try PostgresSession(connection, deadline: .after(configuration.connectTimeout))
      .execute("SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = '\(name)'")
  }

  /// Runs jobs until the connection fails or the mailbox closes; true when a job went well.
  private func serve(_ connection: PostgresConnection) -> Bool {
    var served = false
    while !mailbox.isClosing && connection.failure == nil {
      mailbox.failOverdueJobs()
      if let job = mailbox.take() {
        perform(job, on: connection)
        served = served || connection.failure == nil
        continue
      }
      let ready = mailbox.wait(
        socket: connection.socket, until: .after(Self.idlePeriod), isOver: { mailbox.isClosing || !mailbox.isEmpty }, look: mailbox.failOverdueJobs)
      if ready?.socketReadable == true && !connection.readWhileIdle() { connection.fail(connection.lastError) }
    }
    return served
  }

  private func perform(_ job: Job, on connection: PostgresConnection) {
    let outcome = job.perform(PostgresSession(connection, deadline: job.deadline))
    var replacement: PostgresError?
    if connection.failure == nil && connection.isInTransaction {
      if outcome.error == nil { replacement = .misuse("the job left its transaction open; it was rolled back") }
      clean(connection, "ROLLBACK")
    }
    if let error = outcome.error?.serverError {
      if error.meansPreparedStatementIsStale {
        clean(connection, "DEALLOCATE ALL")
        connection.prepared = [:]
      }
      // A primary that became a standby: the next connection looks for the one that takes writes.
      if error.sqlState == "25006" { connection.fail(error.description) }
    }
    if connection.isOn(configuration.mustBeOff) { connection.fail("the server takes no writes any more") }
    outcome.finish(replacement)
  }

  private func clean(_ connection: PostgresConnection, _ sql: String) {
    guard connection.failure == nil else { return }
    let session = PostgresSession(connection, deadline: .after(Self.cleaningLimit))
    do { try session.execute(sql) } catch { connection.fail("\(sql) failed: \(error)") }
  }

  private func pause(until end: Deadline) {
    _ = mailbox.wait(socket: -1, until: end, isOver: { mailbox.isClosing }, look: mailbox.failOverdueJobs)
  }
}

extension PostgresError {
  fileprivate var reason: String { if case .unavailable(let reason) = self { reason } else { description } }
}
