import ClientRuntime

/// What one server of PostgreSQL says of itself, as far as the worker depends on it. Nothing of it is judged here.
package struct PostgresFacts: Sendable, Equatable {
  /// Such as 150013.
  package var version: Int32 = 0
  /// Product, version, encryption and place, in words.
  package var server = ""
  package var isStandby = false
  package var isReadOnly = false
  package var clock = ClockReading(skew: .zero, doubt: .zero)
  package var certificateEnd: CertificateEnd?

  package var encoding = "UTF8"
  package var fsync = true
  package var fullPageWrites = true
  package var autovacuum = true
  /// What the worker's own sessions commit with, and what the user's other sessions do.
  package var commitOfWorker = "on"
  package var commitOfUser = "on"
  /// Where the latter comes from: `user`, `database`, `configuration file`, …
  package var commitSource = "default"
  /// What the worker's sessions run into, in milliseconds; 0 is no limit.
  package var statementTimeout: Int64 = 0

  package var user = ""
  package var database = ""
  package var standbyNames = ""
  /// Of those that follow: how many, how many of them commits wait for, and how many of whom this user may not see that.
  package var followers: Int64 = 0
  package var synchronousFollowers: Int64 = 0
  package var hiddenFollowers: Int64 = 0

  /// Connections that this user can still open, by the nearest of three limits.
  package var freeConnections: Int64 = 100
  /// Which limit that is, as a setting's name.
  package var nearestLimit = "max_connections"

  package var heldTransactions = HeldTransactions()
  package var schema: SchemaFacts?

  package init() {}
}

/// Transactions that hold locks and rows for long.
package struct HeldTransactions: Sendable, Equatable {
  /// Of sessions that are idle in a transaction for more than five minutes: how many, and the oldest.
  package var idle: Int64 = 0
  package var oldestProcess: Int64 = 0
  package var oldestSeconds: Int64 = 0
  /// Prepared for more than five minutes: how many, and one of them.
  package var prepared: Int64 = 0
  package var preparedName = ""
  /// Whether this user sees other users' sessions.
  package var seesAll = true

  package init() {}
}

/// What is in the worker's schema; read where the server takes writes.
package struct SchemaFacts: Sendable, Equatable {
  /// Names of migrations that this program has and the database not.
  package var pending: [String] = []
  /// Names of those that the database has and this program does not know.
  package var newer: [String] = []
  package var missingRoles: [String] = []
  /// Roles that are there, and that the user may not take.
  package var forbiddenRoles: [String] = []
  package var hasNextAuditPartition = true
  /// Tables of tenants without row-level security.
  package var unseparated: [String] = []
  /// Rights that a role lacks, as `orders_tenants: UPDATE on orders`.
  package var missingRights: [String] = []
  /// Why the schema cannot be read at all, in the server's words; nil where it can.
  package var hidden: String?

  package init() {}
}
