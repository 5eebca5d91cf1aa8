/// Whether senders must show who they are.
enum AuthMode: String, CaseIterable, Sendable { case required, off }

/// What the worker runs for; `production` refuses what only suits development.
enum RunEnvironment: String, CaseIterable, Sendable { case development, production }

enum PaymentProvider: String, CaseIterable, Sendable { case none, http, stripe }

enum InventoryProvider: String, CaseIterable, Sendable { case builtin, http }

/// A part of the worker that may run in a process of its own.
enum WorkerRole: String, CaseIterable, Sendable {
  case commands, queries, payments, outbox
  case deadLetters = "dead-letters"
  case housekeeping
}
