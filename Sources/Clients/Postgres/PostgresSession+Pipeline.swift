import CPostgres
import ClientRuntime

extension PostgresSession {
  /// Sends the statements that `build` appends in one go and returns their results in that order.
  ///
  /// The first error of the server fails the whole: those before it are undone with their transaction, those after it are not run.
  public func pipeline(_ build: (inout Pipeline) -> Void) throws(PostgresError) -> [ResultSet] {
    var pipeline = Pipeline()
    build(&pipeline)
    return try run(pipeline)
  }

  public func run(_ pipeline: Pipeline) throws(PostgresError) -> [ResultSet] {
    try checkUsable()
    let names = try newNames(in: pipeline)
    if pipeline.count == 0 { return [] }
    connection.notices.commitWasNotReplicated = false
    let canTakeEffect = pipeline.canTakeEffect(startingInTransaction: isInTransaction)
    guard PQenterPipelineMode(connection.handle) == 1 else { throw lost(canTakeEffect: false) }
    let steps = try send(pipeline, preparing: names, canTakeEffect: canTakeEffect)
    let results = try receive(steps, of: pipeline, canTakeEffect: canTakeEffect)
    guard PQexitPipelineMode(connection.handle) == 1 else { throw lost(canTakeEffect: canTakeEffect) }
    return try results.get()
  }

  private enum Step {
    case prepare(Int)
    case execute(Int)

    var index: Int {
      switch self {
      case .prepare(let index), .execute(let index): index
      }
    }
  }

  /// The statements that this connection does not know yet.
  private func newNames(in pipeline: Pipeline) throws(PostgresError) -> Set<String> {
    var new: [String: Statement] = [:]
    for entry in pipeline.entries {
      let statement = entry.statement
      if let known = connection.prepared[statement.name] ?? new[statement.name] {
        if known != statement { throw .misuse("two statements are called \(statement.name)") }
      } else {
        new[statement.name] = statement
      }
    }
    return Set(new.keys)
  }

  /// Hands everything to libpq, which sends what the socket takes and keeps the rest: nothing waits here.
  private func send(_ pipeline: Pipeline, preparing names: Set<String>, canTakeEffect: Bool) throws(PostgresError) -> [Step] {
    var sentCommit = false
    var names = names
    var steps: [Step] = []
    steps.reserveCapacity(pipeline.count + names.count)
    for (index, entry) in pipeline.entries.enumerated() {
      let statement = entry.statement
      if names.remove(statement.name) != nil {
        let sent = PQsendPrepare(
          connection.handle, statement.name, statement.sql, Int32(statement.parameterTypes.count), statement.parameterTypes)
        if sent == 0 { throw lost(canTakeEffect: sentCommit) }
        steps.append(.prepare(index))
      }
      let sent = entry.parameters.withPointers { values, lengths, formats in
        PQsendQueryPrepared(connection.handle, statement.name, Int32(entry.parameters.count), values, lengths, formats, 1)
      }
      if sent == 0 { throw lost(canTakeEffect: sentCommit) }
      steps.append(.execute(index))
      if statement.role == .commit { sentCommit = true }
    }
    // Until the server has read a Sync, it commits nothing but an explicit COMMIT.
    if PQpipelineSync(connection.handle) == 0 { throw lost(canTakeEffect: canTakeEffect) }
    return steps
  }

  /// Reads up to the answer to the synchronisation, whatever happened before it, so that the next call starts clean.
  private func receive(_ steps: [Step], of pipeline: Pipeline, canTakeEffect: Bool) throws(PostgresError) -> Result<[ResultSet], PostgresError> {
    var results: [ResultSet] = []
    results.reserveCapacity(pipeline.count)
    var failure: PostgresError?
    var position = 0
    while true {
      guard let result = try nextResult(canTakeEffect: canTakeEffect) else {
        position += 1
        if position > steps.count { throw lost(canTakeEffect: canTakeEffect) }
        continue
      }
      let step = position < steps.count ? steps[position] : nil
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
        guard case .execute(let index) = step else {
          PQclear(result)
          if let step { connection.prepared[pipeline.entries[step.index].statement.name] = pipeline.entries[step.index].statement }
          continue
        }
        let rows = ResultSet(owning: result)
        results.append(rows)
        if failure == nil { failure = commitThatRolledBack(pipeline.entries[index].statement, index, rows) }
      case PGRES_PIPELINE_SYNC:
        PQclear(result)
        return failure.map(Result.failure) ?? .success(results)
      case PGRES_PIPELINE_ABORTED: PQclear(result)
      case PGRES_FATAL_ERROR:
        let error = ServerError(result, statementIndex: step?.index, statement: step.map { pipeline.entries[$0.index].statement.name })
        PQclear(result)
        if error.endsConnection || PQstatus(connection.handle) == CONNECTION_BAD { throw lost(error, canTakeEffect: canTakeEffect) }
        if failure == nil { failure = .server(error) }
      default:
        defer { PQclear(result) }
        throw unsupported(result)
      }
    }
  }

  /// COMMIT of a transaction that has failed answers ROLLBACK, and calls that a success.
  private func commitThatRolledBack(_ statement: Statement, _ index: Int, _ result: ResultSet) -> PostgresError? {
    guard statement.role == .commit, result.commandTag == "ROLLBACK" else { return nil }
    return .server(
      ServerError(sqlState: "25P02", message: "the transaction had failed before its COMMIT", statementIndex: index, statement: statement.name))
  }
}
