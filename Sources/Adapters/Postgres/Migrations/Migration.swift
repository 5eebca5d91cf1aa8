/// A numbered step of the schema. Steps only go forward, and a step that has been released is never edited.
struct Migration: Sendable {
  let version: Int32
  let name: String
  /// Run in the worker's schema, in one transaction with the row in `schema_migrations`.
  let sql: String

  static let all: [Migration] = [.orders, .payments, .deadLetters, .trials, .watchedPayments, .auditHeads, .outboxTraces]
}
