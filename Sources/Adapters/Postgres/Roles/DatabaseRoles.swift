import PostgresClient

/// Makes the worker's roles, gives them their rights, and has PostgreSQL keep tenants apart.
enum DatabaseRoles {
  /// Where the roles are not there and this user may not make them, nothing is changed, and the result says why.
  static func ensure(_ session: PostgresSession, schema: String) throws(PostgresError) -> String? {
    let names = DatabaseRole.allCases.map { $0.name(schema: schema) }
    try session.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtext('order-worker setup'), hashtext(current_database())); SET LOCAL lock_timeout = '5s'")
    let mayMake = try session.query(
      Statement(name: "may_make_roles", sql: "SELECT rolsuper OR rolcreaterole, current_user::text FROM pg_roles WHERE rolname = current_user"), [])
    var missing: [String] = []
    for name in names {
      let isThere = try session.query(
        Statement(name: "role_exists", sql: "SELECT FROM pg_roles WHERE rolname = $1", parameterTypes: [.text]), [.text(name)])
      if isThere.rowCount == 0 { missing.append(name) }
    }
    if !missing.isEmpty, !mayMake.bool(0, 0) {
      try session.execute("ROLLBACK")
      return
        "\(mayMake.text(0, 1)) may not create roles, so that only the worker's own conditions keep tenants apart, and not PostgreSQL. "
        + "Have an administrator run: " + missing.map { "CREATE ROLE \($0.quotedIdentifier) NOLOGIN; " }.joined()
        + "GRANT \(names.map(\.quotedIdentifier).joined(separator: ", ")) TO the worker's user; then run setup again"
    }
    for name in missing { try session.execute(make(name)) }
    for name in names { try session.execute(join(name)) }
    for rights in TableRights.all { try session.execute(grant(rights, schema)) }
    for rights in TableRights.all where rights.hasTenants { try session.execute(separate(rights, schema)) }
    try session.execute("COMMIT")
    return nil
  }

  private static func make(_ role: String) -> String {
    // Another database's setup may make it at the same time.
    """
    DO $$ BEGIN CREATE ROLE \(role.quotedIdentifier) NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
    """
  }

  /// Whoever runs `setup` may take the roles, for where the worker logs in as the same user.
  private static func join(_ role: String) -> String {
    let name = "'\(role.quotedLiteral)'"
    return """
      DO $$ BEGIN
        IF NOT pg_has_role(current_user, \(name), CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
          EXECUTE format('GRANT %I TO %I', \(name), current_user);
        END IF;
      EXCEPTION WHEN insufficient_privilege THEN NULL;
      END $$
      """
  }

  private static func grant(_ rights: TableRights, _ schema: String) -> String {
    let table = "\(schema.quotedIdentifier).\(rights.table)"
    return DatabaseRole.allCases.map { role in
      let name = role.name(schema: schema).quotedIdentifier
      var sql = "GRANT USAGE ON SCHEMA \(schema.quotedIdentifier) TO \(name); REVOKE ALL ON \(table) FROM \(name)"
      if !rights.of(role).isEmpty { sql += "; GRANT \(rights.of(role)) ON \(table) TO \(name)" }
      return sql
    }.joined(separator: "; ")
  }

  /// Who had rights of his own before, the owner and a worker of an earlier version that logs in with them, sees what he saw: such a worker names no
  /// tenants, and would find no order any more.
  private static func separate(_ rights: TableRights, _ schema: String) -> String {
    let table = "\(schema.quotedIdentifier).\(rights.table)"
    let (tenants, system) = (DatabaseRole.tenants.name(schema: schema), DatabaseRole.system.name(schema: schema))
    // The inner SELECT is computed once for a statement, and not for each row. The collation is not that of the indexes: with all the tenants of a large
    // batch as one more condition of an index they cost twenty times what it costs to look at the row.
    let isNamed = "tenant_id COLLATE \"C\" = ANY ((SELECT nullif(current_setting('orders.tenants', true), '')::text[])::text[])"
    return """
      DO $$
      DECLARE others text; this regclass := '\(table.quotedLiteral)';
      BEGIN
        IF (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = this) THEN RETURN; END IF;
        SELECT string_agg(DISTINCT CASE WHEN holder = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(holder)) END, ', ') INTO others
        FROM (
          SELECT c.relowner AS holder FROM pg_class c WHERE c.oid = this
          UNION SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = this
        ) AS holders
        WHERE holder = 0 OR pg_get_userbyid(holder) NOT IN ('\(tenants.quotedLiteral)', '\(system.quotedLiteral)');
        CREATE POLICY tenants ON \(table) TO \(tenants.quotedIdentifier) USING (\(isNamed));
        \(rights.system.isEmpty ? "" : "CREATE POLICY system ON \(table) TO \(system.quotedIdentifier) USING (true);")
        EXECUTE 'CREATE POLICY others ON \(table.quotedLiteral) TO ' || others || ' USING (true)';
        ALTER TABLE \(table) ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      END $$
      """
  }
}
