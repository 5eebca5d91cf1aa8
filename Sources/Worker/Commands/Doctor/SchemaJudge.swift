import PostgresAdapter

/// What is to be said of the worker's schema.
enum SchemaJudge {
  static let setUp = "run `order-worker setup`"

  static func judge(_ schema: SchemaFacts, user: String, into list: inout FindingList) {
    judgeRoles(schema, user: user, &list)
    if let hidden = schema.hidden {
      let mend = "make the worker's user a member of the worker's roles, or give it rights, as docs/deployment.md says; then \(setUp)"
      return list.problem("rights", "the worker's user may not read the schema: \(hidden)", mend: mend)
    }
    if !schema.pending.isEmpty {
      list.problem("migrations", "not applied yet: \(schema.pending.joined(separator: ", "))", mend: "\(setUp), as a user who may make tables")
    }
    if !schema.newer.isEmpty {
      list.warning(
        "migrations", "this program is older than the schema, and does not know: \(schema.newer.joined(separator: ", "))",
        mend: "go on with the upgrade, so that no worker of this version is left; doctor and setup of the newer version know these tables")
    }
    if schema.pending.isEmpty && schema.newer.isEmpty { list.ok("migrations", "all are applied") }
    guard schema.pending.isEmpty else { return }
    judgeRights(schema, &list)
    if schema.hasNextAuditPartition {
      list.ok("audit partition", "next month's is there")
    } else {
      list.warning("audit partition", "the audit log has no partition for the next month: its rows would go to the default one and stay", mend: setUp)
    }
  }

  private static func judgeRoles(_ schema: SchemaFacts, user: String, _ list: inout FindingList) {
    let quoted = { (names: [String]) in names.map { "\"\($0)\"" }.joined(separator: ", ") }
    if !schema.missingRoles.isEmpty {
      let create = schema.missingRoles.map { "CREATE ROLE \"\($0)\" NOLOGIN" }.joined(separator: "; ")
      list.warning(
        "roles", "PostgreSQL does not keep tenants apart, for there is no role \(schema.missingRoles.joined(separator: " and no role "))",
        mend:
          "\(setUp), which makes them where it may; else have an administrator run `\(create); GRANT \(quoted(schema.missingRoles)) TO \"\(user)\"`, then setup again"
      )
    }
    if !schema.forbiddenRoles.isEmpty {
      list.problem(
        "roles", "\(user) may not take the role \(schema.forbiddenRoles.joined(separator: " nor ")): no session of the worker comes about",
        mend: "`GRANT \(quoted(schema.forbiddenRoles)) TO \"\(user)\"`")
    }
    if schema.missingRoles.isEmpty && schema.forbiddenRoles.isEmpty { list.ok("roles", "both are there, and can be taken") }
  }

  private static func judgeRights(_ schema: SchemaFacts, _ list: inout FindingList) {
    if !schema.missingRights.isEmpty {
      list.problem("rights", "missing: \(schema.missingRights.joined(separator: "; "))", mend: "\(setUp) as the tables' owner, which gives them again")
    }
    if !schema.unseparated.isEmpty && schema.missingRoles.isEmpty {
      list.warning(
        "rights", "row-level security is off on \(schema.unseparated.joined(separator: ", ")): only the worker's conditions keep tenants apart", mend: setUp)
    }
    if schema.missingRights.isEmpty && (schema.unseparated.isEmpty || !schema.missingRoles.isEmpty) { list.ok("rights", "the worker may do all that it does") }
  }
}
