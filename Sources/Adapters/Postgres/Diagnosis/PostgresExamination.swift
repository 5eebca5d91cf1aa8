import ClientRuntime
import PostgresClient

/// Reads a server's facts; changes nothing.
package struct PostgresExamination: Sendable {
  private let schema: String

  package init(schema: String) { self.schema = schema }

  /// What a session that differs in nothing from the worker's says of the two settings that it can be given.
  package func workerSettings(_ session: PostgresSession) throws(PostgresError) -> (commit: String, statementTimeout: Int64) {
    let rows = try session.query(Self.ownSettings)
    return (rows.text(0, 0), rows.int64(0, 1))
  }

  /// Of a session with none of the worker's settings.
  package func facts(_ session: PostgresSession, server: String) throws(PostgresError) -> PostgresFacts {
    var facts = PostgresFacts()
    facts.server = server
    facts.certificateEnd = session.certificateEnd
    try readServer(session, &facts)
    try readClock(session, &facts)
    try readConnections(session, &facts)
    try readFollowers(session, &facts)
    try readTransactions(session, &facts)
    if !facts.isStandby { facts.schema = try SchemaExamination(schema: schema).facts(session) }
    return facts
  }

  private func readServer(_ session: PostgresSession, _ facts: inout PostgresFacts) throws(PostgresError) {
    let rows = try session.query(Self.server)
    facts.version = rows.int32(0, 0)
    facts.isStandby = rows.bool(0, 1)
    facts.isReadOnly = rows.bool(0, 2)
    facts.encoding = rows.text(0, 3)
    facts.fsync = rows.bool(0, 4)
    facts.fullPageWrites = rows.bool(0, 5)
    facts.autovacuum = rows.bool(0, 6)
    facts.commitOfUser = rows.text(0, 7)
    facts.commitSource = rows.text(0, 8)
    facts.standbyNames = rows.text(0, 9)
    facts.user = rows.text(0, 10)
    facts.database = rows.text(0, 11)
  }

  private func readClock(_ session: PostgresSession, _ facts: inout PostgresFacts) throws(PostgresError) {
    // The statement is prepared by the first call, which takes a round trip more.
    _ = try session.query(Self.clock)
    let before = ClockReading.wallClock
    let rows = try session.query(Self.clock)
    facts.clock = ClockReading(server: .microseconds(rows.int64(0, 0)), before: before, after: ClockReading.wallClock)
  }

  private func readConnections(_ session: PostgresSession, _ facts: inout PostgresFacts) throws(PostgresError) {
    let rows = try session.query(Self.connections)
    facts.freeConnections = rows.int64(0, 0)
    facts.nearestLimit = rows.text(0, 1)
  }

  private func readFollowers(_ session: PostgresSession, _ facts: inout PostgresFacts) throws(PostgresError) {
    let rows = try session.query(Self.followers)
    facts.followers = rows.int64(0, 0)
    facts.synchronousFollowers = rows.int64(0, 1)
    facts.hiddenFollowers = rows.int64(0, 2)
  }

  private func readTransactions(_ session: PostgresSession, _ facts: inout PostgresFacts) throws(PostgresError) {
    let rows = try session.query(Self.transactions)
    facts.heldTransactions.idle = rows.int64(0, 0)
    facts.heldTransactions.oldestProcess = rows.int64(0, 1)
    facts.heldTransactions.oldestSeconds = rows.int64(0, 2)
    facts.heldTransactions.prepared = rows.int64(0, 3)
    facts.heldTransactions.preparedName = rows.text(0, 4)
    facts.heldTransactions.seesAll = rows.bool(0, 5)
  }

  private static let ownSettings = Statement(
    name: "doctor_own_settings",
    sql: """
      SELECT current_setting('synchronous_commit'), setting::bigint FROM pg_settings WHERE name = 'statement_timeout'
      """)

  private static let server = Statement(
    name: "doctor_server",
    sql: """
      SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean,
        current_setting('server_encoding'), current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean,
        current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean, setting, source,
        current_setting('synchronous_standby_names'), current_user::text, current_database()::text
      FROM pg_settings WHERE name = 'synchronous_commit'
      """)

  private static let clock = Statement(name: "doctor_clock", sql: "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")

  /// Statistics of databases are everybody's to see, other users' sessions are not.
  private static let connections = Statement(
    name: "doctor_connections",
    sql: """
      SELECT free::bigint, name FROM (
        SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
          - (SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database) AS free, 'max_connections' AS name
        UNION ALL
        SELECT rolconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user), 'ALTER ROLE … CONNECTION LIMIT'
        FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
        UNION ALL
        SELECT datconnlimit - numbackends, 'ALTER DATABASE … CONNECTION LIMIT'
        FROM pg_database JOIN pg_stat_database USING (datname) WHERE datname = current_database() AND datconnlimit >= 0
      ) AS limits ORDER BY free LIMIT 1
      """)

  private static let followers = Statement(
    name: "doctor_followers",
    sql: """
      SELECT count(*), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')), count(*) FILTER (WHERE sync_state IS NULL) FROM pg_stat_replication
      """)

  private static let transactions = Statement(
    name: "doctor_transactions",
    sql: """
      WITH held AS (
        SELECT pid, extract(epoch FROM now() - xact_start)::bigint AS seconds FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '5 minutes' AND pid <> pg_backend_pid()
      ), prepared AS (SELECT gid FROM pg_prepared_xacts WHERE prepared < now() - interval '5 minutes' ORDER BY prepared)
      SELECT (SELECT count(*) FROM held), coalesce((SELECT pid FROM held ORDER BY seconds DESC LIMIT 1), 0)::bigint,
        coalesce((SELECT max(seconds) FROM held), 0), (SELECT count(*) FROM prepared), coalesce((SELECT gid FROM prepared LIMIT 1), ''),
        pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER')
      """)
}
