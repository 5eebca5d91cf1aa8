import ClientRuntime
import Domain
import PostgresClient
import TestSupport
import Testing

@testable import PostgresAdapter

/// PostgreSQL itself keeps tenants apart, and the worker's roles to what they need.
@Suite(.enabled(if: Stack.database != nil)) struct TenantSeparationTests {
  private static func run(_ client: PostgresClient, _ sql: String...) async throws(PostgresError) {
    try await client.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in for sql in sql { try session.execute(sql) } }
  }

  /// The first column of each row, as text; all of it in one transaction that names `tenants`.
  private static func texts(_ client: PostgresClient, _ sql: String, naming tenants: String? = nil) async throws -> [String] {
    try await client.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      try session.execute("BEGIN")
      if let tenants { try session.execute("SELECT set_config('orders.tenants', '{\(tenants)}', true)") }
      let rows = try session.query(Statement(name: sql, sql: sql), [])
      try session.execute("COMMIT")
      return (0..<rows.rowCount).map { rows.text($0, 0) }
    }
  }

  /// Two such grants at once would be about one row.
  private static func mayCreateSchemas(_ user: String) -> String {
    """
    DO $$ BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('rights of the database'));
      EXECUTE format('GRANT CREATE ON DATABASE %I TO \(user)', current_database());
    END $$
    """
  }

  private static func refused(_ client: PostgresClient, _ sql: String) async -> String? {
    do throws(PostgresError) {
      try await run(client, "BEGIN; SELECT set_config('orders.tenants', '{a}', true)", sql, "COMMIT")
      return nil
    } catch {
      return error.sqlState
    }
  }

  /// One row of each tenant in each table that has tenants, with whatever the table takes.
  private static func withRows(_ body: (PostgresFixture) async throws -> Void) async throws {
    let fixture = try await PostgresFixture.make()
    for rights in TableRights.all where rights.hasTenants {
      for tenant in ["a", "b"] { try await run(fixture.client, insert(rights.table, tenant)) }
    }
    try await body(fixture)
  }

  private static func insert(_ table: String, _ tenant: String) -> String {
    """
    DO $$
    DECLARE names text; given text;
    BEGIN
      SELECT string_agg(quote_ident(column_name), ', '),
             string_agg(CASE
               WHEN column_name = 'tenant_id' THEN quote_literal('\(tenant)')
               WHEN column_name = 'operation' THEN quote_literal('authorize')
               WHEN column_name = 'state' AND table_name = 'payments' THEN quote_literal('open')
               WHEN column_name = 'state' AND table_name = 'dead_letters' THEN quote_literal('parked')
               WHEN data_type = 'uuid' THEN 'gen_random_uuid()'
               WHEN data_type LIKE 'timestamp%' THEN 'now()'
               WHEN data_type IN ('bigint', 'integer', 'smallint') THEN '1'
               WHEN data_type = 'jsonb' THEN quote_literal('{}')
               WHEN data_type = 'bytea' THEN quote_literal('')
               WHEN data_type = 'boolean' THEN 'false'
               ELSE quote_literal('x') END, ', ')
      INTO names, given
      FROM information_schema.columns
      WHERE table_schema = current_schema() AND table_name = '\(table)' AND is_nullable = 'NO' AND column_default IS NULL;
      EXECUTE format('INSERT INTO \(table) (%s) VALUES (%s)', names, given);
    END $$
    """
  }

  @Test func everyTableHasItsRightsWrittenDown() async throws {
    let fixture = try await PostgresFixture.make()
    let tables = try await Self.texts(
      fixture.client,
      """
      SELECT c.relname || CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') THEN ' by tenant' ELSE '' END
             || CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN ' apart' ELSE '' END
      FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      """)
    #expect(Set(tables) == Set(TableRights.all.map { $0.hasTenants ? "\($0.table) by tenant apart" : $0.table }))
  }

  @Test func aForgottenConditionShowsNothingOfOtherTenants() async throws {
    try await Self.withRows { fixture async throws in
      for rights in TableRights.all where rights.hasTenants && !rights.tenants.isEmpty {
        let all = "SELECT tenant_id FROM \(rights.table) ORDER BY 1"
        #expect(try await Self.texts(fixture.tenants, all) == [], "\(rights.table), no tenant named")
        #expect(try await Self.texts(fixture.tenants, all, naming: "a") == ["a"], "\(rights.table)")
        #expect(try await Self.texts(fixture.tenants, all, naming: "a,b") == ["a", "b"], "\(rights.table)")
        #expect(try await Self.texts(fixture.client, all) == ["a", "b"], "\(rights.table), as its owner")
      }
      for rights in TableRights.all where rights.hasTenants && rights.system.contains("SELECT") {
        #expect(try await Self.texts(fixture.system, "SELECT tenant_id FROM \(rights.table) ORDER BY 1") == ["a", "b"], "\(rights.table)")
      }
    }
  }

  @Test func nothingIsWrittenForOtherTenants() async throws {
    try await Self.withRows { fixture async throws in
      for rights in TableRights.all where rights.hasTenants && rights.tenants.contains("INSERT") {
        #expect(await Self.refused(fixture.tenants, Self.insert(rights.table, "b")) == "42501", "\(rights.table)")
        guard rights.tenants.contains("UPDATE") else { continue }
        #expect(await Self.refused(fixture.tenants, "UPDATE \(rights.table) SET tenant_id = 'b'") == "42501", "\(rights.table)")
        try await Self.run(
          fixture.tenants, "BEGIN; SELECT set_config('orders.tenants', '{a}', true); UPDATE \(rights.table) SET tenant_id = tenant_id; COMMIT")
        let touched = "SELECT tenant_id FROM \(rights.table) WHERE ctid <> '(0,1)' AND ctid <> '(0,2)'"
        #expect(try await Self.texts(fixture.client, touched) == ["a"], "\(rights.table): an UPDATE without a condition")
      }
      #expect(try await Self.texts(fixture.client, "SELECT count(*)::text FROM orders WHERE tenant_id = 'b'") == ["1"])
    }
  }

  @Test(arguments: [
    "UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log", "DELETE FROM audit_log_default", "DELETE FROM audit_heads",
    "DELETE FROM audit_dropped", "UPDATE order_history SET actor = 'x'", "DELETE FROM orders", "DELETE FROM processed_commands",
    "DELETE FROM order_history", "UPDATE order_items SET quantity = 2", "DELETE FROM payments", "DROP TABLE leases", "CREATE TABLE mine ()",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "DROP POLICY tenants ON orders", "UPDATE schema_migrations SET name = 'x'",
  ]) func theWorkersRolesMayNot(statement: String) async throws {
    let fixture = try await PostgresFixture.make()
    for client in [fixture.tenants, fixture.system] { #expect(await Self.refused(client, statement) == "42501") }
  }

  /// As on a server where an administrator makes all roles.
  @Test func withoutTheRightToMakeRolesSetUpSaysWhatIsMissingAndTheWorkerRunsAsBefore() async throws {
    let (owner, schema) = (Stack.uniqueName("owner"), Stack.uniqueName("s"))
    func connect(as user: String?, _ role: DatabaseRole?) throws -> PostgresClient {
      let url = user.map { "\(Stack.databaseURL)?user=\($0)" } ?? Stack.databaseURL
      return PostgresClient(
        configuration: try PostgresConfiguration(
          url: url, schema: schema, role: role?.name(schema: schema), statementTimeout: .seconds(60), lockTimeout: .seconds(60)))
    }
    let admin = try connect(as: nil, nil)
    try await Self.run(admin, "CREATE ROLE \(owner) LOGIN", Self.mayCreateSchemas(owner))
    let setup = Migrator(client: try connect(as: owner, nil), schema: schema)
    let outcome = try await setup.migrate(deadline: .after(.seconds(60)))
    #expect(outcome.applied.count == Migration.all.count)
    let sentence = try #require(outcome.tenantsAreNotApart)
    #expect(sentence.contains("CREATE ROLE \"\(schema)_tenants\" NOLOGIN; CREATE ROLE \"\(schema)_system\" NOLOGIN; GRANT"))
    // Somebody else's worker of that time, and one of this version.
    let old = Stack.uniqueName("worker")
    try await Self.run(admin, "CREATE ROLE \(old) LOGIN", "GRANT USAGE ON SCHEMA \(schema) TO \(old)", "GRANT SELECT, INSERT ON orders TO \(old)")
    let (before, own) = (try connect(as: old, nil), try connect(as: owner, .tenants))
    for client in [before, own] {
      try await Self.run(client, Self.insert("orders", "a"))
      #expect(try await Self.texts(client, "SELECT tenant_id FROM orders").contains("a"))
    }

    try await Self.run(admin, "CREATE ROLE \(schema)_tenants", "CREATE ROLE \(schema)_system", "GRANT \(schema)_tenants, \(schema)_system TO \(owner)")
    #expect(try await setup.migrate(deadline: .after(.seconds(60))).tenantsAreNotApart == nil)
    for client in [before, own] { #expect(try await Self.texts(client, "SELECT tenant_id FROM orders") == ["a", "a"], "connected from before") }
    let new = try connect(as: owner, .tenants)
    #expect(try await Self.texts(new, "SELECT tenant_id FROM orders") == [])
    #expect(try await Self.texts(new, "SELECT tenant_id FROM orders", naming: "a") == ["a", "a"])
    // Not a member of the roles.
    let stranger = try connect(as: old, .system)
    #expect(await !stranger.waitUntilConnected(deadline: .after(.seconds(1))))
    #expect("\(stranger.state)".contains("permission denied to set role"), "\(stranger.state)")
  }

  /// As on most servers that somebody else runs: no superuser, and the right to make roles.
  @Test func whoMayMakeRolesMakesThemAndTakesThem() async throws {
    let (owner, schema) = (Stack.uniqueName("owner"), Stack.uniqueName("s"))
    func connect(as user: String?, _ role: DatabaseRole?) throws -> PostgresClient {
      let url = user.map { "\(Stack.databaseURL)?user=\($0)" } ?? Stack.databaseURL
      return PostgresClient(
        configuration: try PostgresConfiguration(
          url: url, schema: schema, role: role?.name(schema: schema), statementTimeout: .seconds(60), lockTimeout: .seconds(60)))
    }
    let admin = try connect(as: nil, nil)
    try await Self.run(
      admin, "CREATE ROLE \(owner) LOGIN CREATEROLE",
      Self.mayCreateSchemas(owner))
    let setup = Migrator(client: try connect(as: owner, nil), schema: schema)
    for _ in 1...2 { #expect(try await setup.migrate(deadline: .after(.seconds(60))).tenantsAreNotApart == nil) }
    for tenant in ["a", "b"] { try await Self.run(try connect(as: owner, nil), Self.insert("orders", tenant)) }
    #expect(try await Self.texts(try connect(as: owner, .tenants), "SELECT tenant_id FROM orders", naming: "b") == ["b"])
    #expect(try await Self.texts(try connect(as: owner, .system), "SELECT tenant_id FROM orders ORDER BY 1") == ["a", "b"])
  }

  @Test func namesOfRolesFitPostgreSQL() {
    #expect(DatabaseRole.tenants.name(schema: "orders") == "orders_tenants")
    let (a, b) = (String(repeating: "é", count: 31), String(repeating: "é", count: 30) + "x")
    for role in DatabaseRole.allCases { #expect(role.name(schema: a).utf8.count <= 63 && role.name(schema: a) != role.name(schema: b)) }
  }
}
