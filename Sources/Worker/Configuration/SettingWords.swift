/// Whether senders must show who they are.
enum AuthMode: String, CaseIterable, Sendable { case required, off }

/// What the worker runs for; `production` refuses what only suits development.
enum RunEnvironment: String, CaseIterable, Sendable { case development, production }

enum PaymentProviderKind: String, CaseIterable, Sendable { case none, http, stripe }

enum InventoryProvider: String, CaseIterable, Sendable { case builtin, http }
