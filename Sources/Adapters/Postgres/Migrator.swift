import ClientRuntime
import PostgresClient

/// Brings the schema to what this program needs. Safe to repeat, and to run from many at once: one waits for the other.
package struct Migrator: Sendable {
  private let client: PostgresClient
  private let schema: String

  package init(client: PostgresClient, schema: String) {
    self.client = client
    self.schema = schema
  }

  /// Names of the migrations that are not applied yet, oldest first.
  package func pending(deadline: Deadline) async throws(PostgresError) -> [String] {
    let schema = schema
    return try await client.run(deadline: deadline) { session throws(PostgresError) in
      let applied = try Self.applied(session, schema: schema)
      return Migration.all.filter { !applied.contains($0.version) }.map { "\($0.version) \($0.name)" }
    }
  }

  /// Sentences about what the worker runs without, and should not.
  package func remarks(deadline: Deadline) async throws(PostgresError) -> [String] {
    let schema = schema
    return try await client.run(deadline: deadline) { session throws(PostgresError) in
      var roles = TextArray()
      for role in DatabaseRole.allCases { roles.append(role.name(schema: schema)) }
      let found = try session.query(Self.looks, Parameters([.array(roles), .text(schema)]))
      var remarks: [String] = []
      if found.int64(0, 0) < Int64(DatabaseRole.allCases.count) {
        remarks.append("PostgreSQL does not keep tenants apart, for its roles are not there: run `order-worker setup`, which makes them or says how")
      }
      if !found.bool(0, 1) { remarks.append("the audit log has no partition for the next month: run `order-worker setup`") }
      return remarks
    }
  }

  private static let looks = Statement(
    name: "setup_remarks",
    sql: """
      SELECT (SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1)),
        to_regclass(format('%I.audit_log_%s', $2, to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'))) IS NOT NULL
      """, parameterTypes: [.textArray, .text])

  package struct Outcome: Sendable {
    /// Names of the migrations that were missing.
    package var applied: [String] = []
    /// Why PostgreSQL does not keep tenants apart here; nil where it does.
    package var tenantsAreNotApart: String?
  }

  /// Applies what is missing, each migration in a transaction of its own.
  package func migrate(deadline: Deadline) async throws(PostgresError) -> Outcome {
    let schema = schema
    return try await client.run(deadline: deadline) { session throws(PostgresError) in
      var done = Outcome()
      for migration in Migration.all {
        try session.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtext('order-worker setup'), hashtext(current_database()))")
        try session.execute("SET LOCAL client_min_messages = warning")
        // Asked first: IF NOT EXISTS takes the right to create schemas even where there is nothing to create.
        let exists = try session.query(
          Statement(name: "schema_exists", sql: "SELECT to_regnamespace($1) IS NOT NULL", parameterTypes: [.text]), [.text(schema.quotedIdentifier)])
        if !exists.bool(0, 0) { try session.execute("CREATE SCHEMA \(schema.quotedIdentifier)") }
        try session.execute(
          """
          CREATE TABLE IF NOT EXISTS \(schema.quotedIdentifier).schema_migrations (
            version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
          """)
        if try !Self.applied(session, schema: schema).contains(migration.version) {
          try session.execute("SET LOCAL search_path = \(schema.quotedIdentifier); SET LOCAL lock_timeout = '5s'")
          try session.execute(migration.sql)
          try session.execute("INSERT INTO schema_migrations (version, name) VALUES (\(migration.version), '\(migration.name)')")
          done.applied.append("\(migration.version) \(migration.name)")
        }
        try session.execute("COMMIT")
      }
      try AuditPartitions.create(session, schema: schema)
      done.tenantsAreNotApart = try DatabaseRoles.ensure(session, schema: schema)
      return done
    }
  }

  private static func applied(_ session: PostgresSession, schema: String) throws(PostgresError) -> Set<Int32> {
    let exists = try session.query(
      Statement(name: "migrations_exist", sql: "SELECT to_regclass($1) IS NOT NULL", parameterTypes: [.text]),
      Parameters([.text("\(schema.quotedIdentifier).schema_migrations")]))
    guard exists.bool(0, 0) else { return [] }
    let rows = try session.query(
      Statement(name: "migrations_applied", sql: "SELECT version FROM \(schema.quotedIdentifier).schema_migrations", parameterTypes: []), [])
    var versions: Set<Int32> = []
    for row in 0..<rows.rowCount { versions.insert(rows.int32(row, 0)) }
    return versions
  }
}

extension String {
  /// As an SQL identifier in double quotes.
  var quotedIdentifier: String {
    var quoted = "\""
    for character in self { quoted += character == "\"" ? "\"\"" : String(character) }
    return quoted + "\""
  }
}
