import CPostgres

/// What the server said beside its results, since the last reset; libpq would print it to stderr.
final class NoticeCollector {
  private static let limit = 32

  private(set) var messages: [String] = []
  /// A commit went through here, but waiting for the synchronous standby was cancelled.
  var commitWasNotReplicated = false
  /// The last message that announced the session's end.
  private(set) var lastFatal: String?

  func reset() {
    messages.removeAll(keepingCapacity: true)
    commitWasNotReplicated = false
  }

  /// The collector must outlive the connection's last call: both are held by `PostgresConnection`.
  func attach(to connection: OpaquePointer) {
    PQsetNoticeReceiver(
      connection,
      { argument, result in
        guard let argument, let result else { return }
        // Unretained: set by `attach`, whose caller keeps the collector as long as the connection.
        Unmanaged<NoticeCollector>.fromOpaque(argument).takeUnretainedValue().receive(result)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func receive(_ result: OpaquePointer) {
    let error = ServerError(result, statementIndex: nil, statement: nil)
    // The function's name, because messages are translated into the server's language.
    if result.field(ERROR_FIELD_SOURCE_FUNCTION) == "SyncRepWaitForLSN" || error.message.hasPrefix("canceling wait for synchronous replication") {
      commitWasNotReplicated = true
    }
    if error.endsConnection || error.sqlState.hasPrefix("57P") { lastFatal = error.description }
    if messages.count < Self.limit { messages.append(error.description) }
  }
}

extension ServerError {
  init(_ result: OpaquePointer, statementIndex: Int?, statement: String?) {
    self.init(
      sqlState: result.field(ERROR_FIELD_SQLSTATE) ?? "", severity: result.field(ERROR_FIELD_SEVERITY) ?? "ERROR",
      message: result.field(ERROR_FIELD_MESSAGE) ?? "", detail: result.field(ERROR_FIELD_DETAIL),
      constraint: result.field(ERROR_FIELD_CONSTRAINT), statementIndex: statementIndex, statement: statement)
  }
}

extension OpaquePointer {
  /// A field of an error or notice.
  fileprivate func field(_ code: some BinaryInteger) -> String? {
    PQresultErrorField(self, Int32(code)).map { String(cString: $0) }
  }
}
