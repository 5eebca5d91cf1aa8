/// What each of the worker's roles may do with a table.
///
/// Nobody deletes from what is kept for ever, and what happened is never changed: the audit log, an order's history and its items.
struct TableRights {
  let table: String
  /// Whether its rows belong to tenants: row-level security keeps these apart.
  let hasTenants: Bool
  let tenants: String
  let system: String

  static let all: [TableRights] = [
    TableRights("orders", tenants: "SELECT, INSERT, UPDATE", system: "SELECT"),
    TableRights("order_items", tenants: "SELECT, INSERT"),
    TableRights("order_history", tenants: "SELECT, INSERT"),
    TableRights("inventory", tenants: "SELECT, INSERT, UPDATE"),
    TableRights("reservations", tenants: "SELECT, INSERT, UPDATE"),
    TableRights("processed_commands", tenants: "SELECT, INSERT, UPDATE", system: "SELECT"),
    TableRights("outbox", tenants: "SELECT, INSERT, DELETE", system: "SELECT, UPDATE, DELETE"),
    TableRights("payments", tenants: "SELECT, INSERT, UPDATE", system: "SELECT, UPDATE"),
    TableRights("audit_log", tenants: "SELECT, INSERT", system: "SELECT, INSERT"),
    TableRights("dead_letters", system: "SELECT, INSERT, UPDATE, DELETE"),
    TableRights("audit_heads", hasTenants: false, tenants: "SELECT, INSERT, UPDATE (seq, hash)", system: "SELECT, INSERT, UPDATE"),
    TableRights("audit_dropped", hasTenants: false, system: "SELECT"),
    // A commit that must be known to be replicated writes a row here.
    TableRights("leases", hasTenants: false, tenants: "SELECT, INSERT, UPDATE", system: "SELECT, INSERT, UPDATE, DELETE"),
    TableRights("delivery_trials", hasTenants: false, system: "SELECT, INSERT, UPDATE, DELETE"),
    TableRights("schema_migrations", hasTenants: false, tenants: "SELECT", system: "SELECT"),
  ]

  private init(_ table: String, hasTenants: Bool = true, tenants: String = "", system: String = "") {
    self.table = table
    self.hasTenants = hasTenants
    self.tenants = tenants
    self.system = system
  }

  func of(_ role: DatabaseRole) -> String {
    switch role {
    case .tenants: tenants
    case .system: system
    }
  }
}
