import Crypto

/// The two roles of PostgreSQL that the worker's sessions take; neither owns a table, nor can log in.
package enum DatabaseRole: String, Sendable, CaseIterable {
  /// Decides commands and answers queries; row-level security shows it the tenants that its transaction named, and no others.
  case tenants
  /// Does what is not about one tenant: the relay, payment calls, housekeeping, leases, gauges and dead letters. It sees all tenants, in these tables only.
  case system

  /// Roles are the whole server's, so that their names have the schema's; PostgreSQL cuts off what is longer than 63 bytes.
  package func name(schema: String) -> String {
    let name = "\(schema)_\(rawValue)"
    if name.utf8.count <= 63 { return name }
    let digest = SHA256.hash(data: Array(schema.utf8)).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return "order_worker_\(digest)_\(rawValue)"
  }
}
