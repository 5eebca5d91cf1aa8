import ClientRuntime
import PostgresAdapter
import Testing

@testable import order_worker

@Suite struct PostgresJudgeTests {
  /// A primary that is as it should be, but for what `change` makes of it.
  private static func findings(_ change: (inout PostgresFacts) -> Void) -> [Finding] {
    var facts = PostgresFacts()
    facts.version = 150_018
    facts.server = "PostgreSQL 15.18 at db1:5432"
    facts.user = "orders"
    facts.database = "shop"
    facts.schema = SchemaFacts()
    change(&facts)
    return PostgresJudge.judge([("db1:5432", .facts(facts))], now: 0)
  }

  private static func complaints(_ change: (inout PostgresFacts) -> Void) -> [String] {
    findings(change).filter { $0.verdict != .ok }.map { "\($0.verdict.rawValue) \($0.check)" }
  }

  @Test func ofWhatIsWellNothingIsSaid() { #expect(Self.complaints { _ in } == []) }

  private static let changes: [(@Sendable (inout PostgresFacts) -> Void, [String])] = [
    ({ $0.version = 130_011 }, ["problem version"]), ({ $0.version = 140_000 }, []),
    ({ $0.encoding = "SQL_ASCII" }, ["problem encoding"]),
    ({ $0.autovacuum = false }, ["warning autovacuum"]),
    ({ $0.fsync = false }, ["problem fsync"]),
    ({ $0.fullPageWrites = false }, ["warning full_page_writes"]),
    ({ $0.freeConnections = 5 }, ["problem connections"]), ({ $0.freeConnections = 6 }, ["warning connections"]),
    ({ $0.freeConnections = 19 }, ["warning connections"]), ({ $0.freeConnections = 20 }, []),
    ({ $0.statementTimeout = 4_999 }, ["warning statement_timeout"]), ({ $0.statementTimeout = 5_000 }, []),
    ({ $0.commitOfUser = "off" }, ["warning synchronous_commit"]), ({ $0.commitOfUser = "local" }, []),
    ({ $0.commitOfWorker = "off" }, ["problem synchronous_commit"]), ({ $0.commitOfWorker = "local" }, []),
    (
      {
        $0.commitOfWorker = "local"
        ($0.standbyNames, $0.followers, $0.synchronousFollowers) = ("a", 1, 1)
      }, ["problem synchronous_commit"]
    ),
    ({ $0.commitOfWorker = "remote_apply" }, []),
    ({ $0.standbyNames = "a" }, ["problem synchronous standby"]),
    ({ ($0.standbyNames, $0.followers) = ("a", 2) }, ["problem synchronous standby"]),
    ({ ($0.standbyNames, $0.followers, $0.hiddenFollowers) = ("a", 1, 1) }, ["not checked synchronous standby"]),
    ({ ($0.standbyNames, $0.followers, $0.synchronousFollowers) = ("a", 1, 1) }, []),
    ({ $0.heldTransactions.idle = 1 }, ["warning transactions"]), ({ $0.heldTransactions.prepared = 1 }, ["warning prepared transactions"]),
    ({ $0.heldTransactions.seesAll = false }, ["not checked transactions"]),
    (
      {
        $0.heldTransactions.seesAll = false
        $0.heldTransactions.idle = 1
      }, ["warning transactions"]
    ),
    ({ $0.schema?.newer = ["9 next"] }, ["warning migrations"]), ({ $0.schema?.missingRoles = ["orders_tenants"] }, ["warning roles"]),
    ({ $0.schema?.forbiddenRoles = ["orders_tenants"] }, ["problem roles"]),
    ({ $0.schema?.missingRights = ["orders_tenants: INSERT on orders"] }, ["problem rights"]),
    ({ $0.schema?.hidden = "permission denied for schema orders" }, ["problem rights"]),
    ({ $0.schema?.unseparated = ["orders"] }, ["warning rights"]),
    ({ $0.schema?.hasNextAuditPartition = false }, ["warning audit partition"]),
    (
      {
        // Of tables that are not there nothing else is said.
        $0.schema?.pending = ["1 orders"]
        $0.schema?.hasNextAuditPartition = false
        $0.schema?.missingRights = ["orders_tenants: INSERT on orders"]
      }, ["problem migrations"]
    ),
    ({ $0.isReadOnly = true }, ["problem primary"]),
    ({ $0.clock = ClockReading(skew: .seconds(-9), doubt: .zero) }, ["problem clock"]),
    ({ $0.certificateEnd = CertificateEnd(name: "db1", seconds: 86_400) }, ["problem certificate"]),
    (
      {
        // Durability and tables are the primary's.
        ($0.isStandby, $0.schema) = (true, nil)
        ($0.fsync, $0.commitOfWorker) = (false, "off")
      }, ["problem primary"]
    ),
  ]

  @Test(arguments: changes.indices) func eachFactIsJudgedByItself(index: Int) {
    #expect(Self.complaints(Self.changes[index].0) == Self.changes[index].1)
  }

  @Test(arguments: [
    ("user", "ALTER ROLE \"orders\" RESET"), ("database", "ALTER DATABASE \"shop\" RESET"),
    ("database user", "ALTER ROLE \"orders\" IN DATABASE \"shop\" RESET"), ("configuration file", "ALTER SYSTEM SET synchronous_commit = on"),
  ])
  func aWeakCommitIsMendedWhereItIsSet(source: String, mend: String) {
    let finding = Self.findings { ($0.commitOfUser, $0.commitSource) = ("off", source) }.first { $0.check == "synchronous_commit" }
    #expect(finding?.mend?.contains(mend) == true)
  }

  @Test func hostsAreJudgedTogether() {
    var (primary, standby) = (PostgresFacts(), PostgresFacts())
    primary.version = 170_000
    (standby.version, standby.isStandby) = (170_000, true)
    func checks(_ hosts: [Examined<PostgresFacts>]) -> [String] {
      PostgresJudge.judge(hosts.enumerated().map { ("db\($0.offset)", $0.element) }, now: 0).filter { $0.verdict == .problem }.map(\.check)
    }
    #expect(checks([.facts(primary), .facts(standby)]) == [])
    #expect(checks([.facts(standby), .facts(standby)]) == ["primary"])
    #expect(checks([.facts(primary), .facts(primary)]) == ["primary"])
    #expect(checks([.failed("refused"), .facts(primary)]) == ["host"])
    // That none takes writes is not known of hosts that cannot be reached.
    #expect(checks([.failed("refused"), .failed("refused")]) == ["host", "host"])
  }

  @Test(arguments: [
    ("FATAL: password authentication failed for user \"orders\"", "password"), ("FATAL: no pg_hba.conf entry for host", "pg_hba.conf"),
    ("FATAL: database \"x\" does not exist", "createdb"), ("FATAL: role \"x\" does not exist", "CREATE ROLE"),
    ("FATAL: the database system is starting up", "wait"), ("FATAL: sorry, too many clients already", "max_connections"),
    ("the server's certificate has expired", "renew"),
    ("the server's certificate is not valid yet", "clock"),
    ("server certificate for \"a\" does not match host name \"b\"", "issued for the name"), ("SSL error: unknown", "docs/tls.md"),
    ("cannot resolve db1: Name or service not known", "name server"), ("Connection refused", "take db1:5432 out of ORDERS_DATABASE_URL"),
    ("no answer from db1:5432 within the connect timeout", "overloaded"),
  ])
  func eachWayInWhichAConnectionFailsHasItsRemedy(reason: String, remedy: String) {
    #expect(ConnectionAdvice.postgres(reason, place: "db1:5432").contains(remedy))
  }
}
