import PostgresClient

/// Reads what is in the worker's schema; changes nothing.
struct SchemaExamination {
  let schema: String

  /// As the worker sees it: by the role that it takes, for its user need not have rights of his own. The session keeps the role.
  func facts(_ session: PostgresSession) throws(PostgresError) -> SchemaFacts {
    var facts = SchemaFacts()
    try readRoles(session, &facts)
    let system = DatabaseRole.system.name(schema: schema)
    do throws(PostgresError) {
      if !(facts.missingRoles + facts.forbiddenRoles).contains(system) { _ = try session.query(Self.takeRole, [.text(system)]) }
      try readMigrations(session, &facts)
      // Of tables that are not there nothing more can be said.
      guard facts.pending.isEmpty else { return facts }
      try readPartition(session, &facts)
      try readRights(session, &facts)
    } catch {
      guard error.sqlState == "42501" else { throw error }
      facts.hidden = error.serverError?.message
    }
    return facts
  }

  private func readMigrations(_ session: PostgresSession, _ facts: inout SchemaFacts) throws(PostgresError) {
    var applied: [Int32: String] = [:]
    let exists = try session.query(Self.hasMigrations, [.text("\(schema.quotedIdentifier).schema_migrations")])
    if exists.bool(0, 0) {
      let rows = try session.query(
        Statement(name: "doctor_migrations", sql: "SELECT version, name FROM \(schema.quotedIdentifier).schema_migrations"), [])
      for row in 0..<rows.rowCount { applied[rows.int32(row, 0)] = rows.text(row, 1) }
    }
    let known = Set(Migration.all.map(\.version))
    facts.pending = Migration.all.filter { applied[$0.version] == nil }.map { "\($0.version) \($0.name)" }
    facts.newer = applied.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
  }

  private func readRoles(_ session: PostgresSession, _ facts: inout SchemaFacts) throws(PostgresError) {
    for role in DatabaseRole.allCases {
      let name = role.name(schema: schema)
      let rows = try session.query(Self.role, [.text(name)])
      if rows.isEmpty { facts.missingRoles.append(name) } else if !rows.bool(0, 0) { facts.forbiddenRoles.append(name) }
    }
  }

  private func readPartition(_ session: PostgresSession, _ facts: inout SchemaFacts) throws(PostgresError) {
    facts.hasNextAuditPartition = try session.query(Self.partition, [.text(schema)]).bool(0, 0)
  }

  private func readRights(_ session: PostgresSession, _ facts: inout SchemaFacts) throws(PostgresError) {
    for rights in TableRights.all {
      let table = "\(schema.quotedIdentifier).\(rights.table)"
      if rights.hasTenants, try !session.query(Self.separation, [.text(table)]).bool(0, 0) { facts.unseparated.append(rights.table) }
      for role in DatabaseRole.allCases {
        let name = role.name(schema: schema)
        // Where a role is not there, the worker works as who logs in.
        let isThere = !facts.missingRoles.contains(name)
        for right in rights.of(role).tableWide {
          let has = try session.query(Self.right, [isThere ? .text(name) : .null, .text(table), .text(right)])
          if !has.bool(0, 0) { facts.missingRights.append("\(isThere ? name : has.text(0, 1)): \(right) on \(rights.table)") }
        }
      }
    }
  }

  private static let hasMigrations = Statement(name: "doctor_has_migrations", sql: "SELECT to_regclass($1) IS NOT NULL", parameterTypes: [.text])

  private static let role = Statement(
    name: "doctor_role",
    sql: """
      SELECT pg_has_role(current_user, oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
      FROM pg_roles WHERE rolname = $1
      """, parameterTypes: [.text])

  private static let takeRole = Statement(name: "doctor_take_role", sql: "SELECT set_config('role', $1, false)", parameterTypes: [.text])

  private static let partition = Statement(
    name: "doctor_partition",
    sql: """
      SELECT to_regclass(format('%I.audit_log_%s', $1, to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'))) IS NOT NULL
      """, parameterTypes: [.text])

  private static let separation = Statement(
    name: "doctor_separation", sql: "SELECT relrowsecurity FROM pg_class WHERE oid = $1::regclass", parameterTypes: [.text])

  private static let right = Statement(
    name: "doctor_right", sql: "SELECT has_table_privilege(coalesce($1, session_user::text), $2, $3), session_user::text",
    parameterTypes: [.text, .text, .text])
}

extension String {
  /// `SELECT, INSERT, UPDATE (seq, hash)`, without what is for some columns only.
  fileprivate var tableWide: [String] {
    replacing(#/\([^)]*\)/#, with: "*").split(separator: ",").map { word in String(word.drop { $0 == " " }) }.filter { !$0.hasSuffix("*") }
  }
}
