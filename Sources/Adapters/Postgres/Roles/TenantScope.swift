import Application
import Domain
import PostgresClient

/// Names the tenants whose rows a transaction of the role `tenants` may see and write, for row-level security.
enum TenantScope {
  private static let statement = Statement(
    name: "tenant_scope", sql: "SELECT set_config('orders.tenants', $1::text, true)", parameterTypes: [.textArray])

  /// Holds to the end of the transaction; outside of one, to the end of the pipeline.
  static func append(_ tenants: some Sequence<TenantID>, to pipeline: inout Pipeline) {
    var names = TextArray()
    for tenant in tenants { names.append(tenant.rawValue) }
    pipeline.append(statement, [.array(names)])
  }
}

extension PostgresSession {
  /// Runs one statement on rows of these tenants.
  func query(_ statement: Statement, _ parameters: Parameters, of tenants: some Sequence<TenantID>) throws(PostgresError) -> ResultSet {
    try pipeline {
      TenantScope.append(tenants, to: &$0)
      $0.append(statement, parameters)
    }[1]
  }
}

extension BatchKeys {
  var tenants: Set<TenantID> {
    var tenants = Set(identities.lazy.map(\.tenant))
    for key in orders { tenants.insert(key.tenant) }
    for key in products { tenants.insert(key.tenant) }
    for key in payments { tenants.insert(key.order.tenant) }
    return tenants
  }
}
