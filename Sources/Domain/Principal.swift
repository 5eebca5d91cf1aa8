package enum Role: String, Sendable, CaseIterable {
  case customer, service, viewer, `operator`
}

/// Who acts, as the worker verified it.
package struct Principal: Hashable, Sendable {
  package let subject: String
  package let roles: Set<Role>
  package let tenant: TenantID

  package init(subject: String, roles: Set<Role>, tenant: TenantID) {
    self.subject = subject
    self.roles = roles
    self.tenant = tenant
  }

  /// Every sender while authentication is off.
  package static let anonymous = Principal(subject: "anonymous", roles: Set(Role.allCases), tenant: .standard)
}
