import CPostgres
import ClientRuntime

/// The connection as one job has it: calls block the client's thread until the server answers or the job's deadline passes.
///
/// A call that fails with anything but `.server` or `.misuse` ends the session; later calls in the job fail as `.unavailable`.
public final class PostgresSession {
  public let deadline: Deadline
  let connection: PostgresConnection

  init(_ connection: PostgresConnection, deadline: Deadline) {
    self.connection = connection
    self.deadline = deadline
    connection.notices.reset()
  }

  /// Whether a commit of the last call went through without the synchronous standby: it is durable only on this server yet, until a
  /// later writing commit returns without this.
  public var commitWasNotReplicated: Bool { connection.notices.commitWasNotReplicated }

  /// Notices and warnings since the job began, the first 32, for the log.
  public var notices: [String] { connection.notices.messages }

  /// When the first of the certificates runs out that the server showed; nil where nothing is encrypted.
  public var certificateEnd: CertificateEnd? { CertificateEnd(ofServer: connection.ssl) }

  public var isInTransaction: Bool { connection.isInTransaction }

  /// Runs SQL without parameters, several statements too, as migrations need it. What it returns is dropped.
  public func execute(_ sql: String) throws(PostgresError) {
    try checkUsable()
    connection.notices.commitWasNotReplicated = false
    guard PQsendQuery(connection.handle, sql) == 1 else { throw lost(canTakeEffect: false) }
    var first: ServerError?
    while let result = try nextResult(canTakeEffect: true) {
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
      case PGRES_FATAL_ERROR:
        let error = ServerError(result, statementIndex: nil, statement: nil)
        if error.endsConnection || PQstatus(connection.handle) == CONNECTION_BAD { throw lost(error, canTakeEffect: true) }
        if first == nil { first = error }
      default: throw unsupported(result)
      }
    }
    if let first { throw .server(first) }
  }

  /// Runs one prepared statement.
  public func query(_ statement: Statement, _ parameters: Parameters = []) throws(PostgresError) -> ResultSet {
    try pipeline { $0.append(statement, parameters) }[0]
  }

  func checkUsable() throws(PostgresError) {
    if let failure = connection.failure { throw .unavailable(failure) }
    if deadline.hasPassed { throw .unavailable("the deadline passed before the call") }
  }

  /// The next result, or nil between two statements' results.
  func nextResult(canTakeEffect: Bool) throws(PostgresError) -> OpaquePointer? {
    while PQisBusy(connection.handle) == 1 {
      let unsent = PQflush(connection.handle)
      if unsent < 0 { throw lost(canTakeEffect: canTakeEffect) }
      guard let ready = connection.wait(wantsWrite: unsent == 1, until: deadline) else {
        connection.fail("the server did not answer by the deadline")
        throw canTakeEffect ? .timeout : .unavailable("the server did not answer by the deadline")
      }
      if ready.socketReadable, PQconsumeInput(connection.handle) == 0 { throw lost(canTakeEffect: canTakeEffect) }
    }
    return PQgetResult(connection.handle)
  }

  func lost(_ error: ServerError? = nil, canTakeEffect: Bool) -> PostgresError {
    let reason = error.flatMap { $0.message.isEmpty ? nil : $0.description } ?? connection.notices.lastFatal ?? connection.lastError
    connection.fail(reason)
    return canTakeEffect ? .connectionLost(reason) : .unavailable(reason)
  }

  func unsupported(_ result: OpaquePointer) -> PostgresError {
    let status = String(cString: PQresStatus(PQresultStatus(result)))
    connection.fail("COPY is not supported (\(status))")
    return .misuse("COPY is not supported (\(status))")
  }
}
