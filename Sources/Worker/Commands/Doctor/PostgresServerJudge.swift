import PostgresAdapter

/// What is to be said of a server's settings and of who uses it.
enum PostgresServerJudge {
  /// A worker with all roles holds five connections; set-up and operators come on top.
  private static let oneWorker: Int64 = 6
  private static let comfortable: Int64 = 20
  /// The worker's longest statements are those of a full batch.
  private static let shortestTimeout: Int64 = 5_000

  static func judge(_ facts: PostgresFacts, into list: inout FindingList) {
    judgeEncoding(facts, &list)
    judgeAutovacuum(facts, &list)
    judgeConnections(facts, &list)
    judgeTimeout(facts, &list)
    judgeTransactions(facts.heldTransactions, &list)
  }

  private static func judgeEncoding(_ facts: PostgresFacts, _ list: inout FindingList) {
    if facts.encoding == "UTF8" { return list.ok("encoding", "UTF8") }
    list.problem(
      "encoding", "the database \(facts.database) is \(facts.encoding): orders hold any text, which it cannot keep",
      mend: "make another and move to it: `CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0`")
  }

  private static func judgeAutovacuum(_ facts: PostgresFacts, _ list: inout FindingList) {
    if facts.autovacuum { return list.ok("autovacuum", "on") }
    list.warning(
      "autovacuum", "autovacuum or track_counts is off: tables and indexes grow without end, and get slower",
      mend: "`ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()`")
  }

  private static func judgeConnections(_ facts: PostgresFacts, _ list: inout FindingList) {
    let found = "\(max(facts.freeConnections, 0)) connections are free by \(facts.nearestLimit); a worker takes five"
    let mend = "raise it (`ALTER SYSTEM SET max_connections = …` and a restart, or the role's or database's own limit), or end what holds connections"
    switch facts.freeConnections {
    case ..<oneWorker: list.problem("connections", found, mend: mend)
    case ..<comfortable: list.warning("connections", found, mend: mend)
    default: list.ok("connections", found)
    }
  }

  private static func judgeTimeout(_ facts: PostgresFacts, _ list: inout FindingList) {
    guard !facts.isStandby, facts.statementTimeout > 0, facts.statementTimeout < shortestTimeout else { return }
    list.warning(
      "statement_timeout",
      "the worker's sessions end statements after \(facts.statementTimeout) ms, by what ORDERS_DATABASE_URL says in options: large batches will be given up",
      mend: "take statement_timeout out of the URL's options; the worker sets 15 s itself")
  }

  private static func judgeTransactions(_ held: HeldTransactions, _ list: inout FindingList) {
    if held.idle > 0 {
      list.warning(
        "transactions",
        "\(held.idle) sessions idle in a transaction for more than 5 minutes, the longest for \(held.oldestSeconds / 60) minutes: what they locked waits, and vacuum cannot clean up",
        mend:
          "ask who they are, `SELECT * FROM pg_stat_activity WHERE pid = \(held.oldestProcess)`, and end it: `SELECT pg_terminate_backend(\(held.oldestProcess))`"
      )
    }
    if held.prepared > 0 {
      list.warning(
        "prepared transactions", "\(held.prepared) prepared for more than 5 minutes, such as \(held.preparedName): they hold their locks, also over a restart",
        mend: "`COMMIT PREPARED '\(held.preparedName)'` or `ROLLBACK PREPARED '\(held.preparedName)'`, as its owner says")
    }
    guard held.idle == 0, held.prepared == 0 else { return }
    if held.seesAll { return list.ok("transactions", "none is held open for long") }
    list.notChecked(
      "transactions", "other users' sessions are hidden from this one; none of its own is held open for long",
      mend: "`GRANT pg_read_all_stats TO` the user, or run doctor as one who has it")
  }
}
