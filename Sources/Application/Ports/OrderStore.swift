import Domain

/// Everything that a batch needs to be read and locked, each list sorted and without repeats.
package struct BatchKeys: Sendable {
  package let identities: [CommandIdentity]
  package let orders: [OrderKey]
  /// Products that creates ask for.
  package let products: [ProductKey]
  /// Whether the stock of what the orders hold may move too: the store adds their products.
  package let movesStockOfOrders: Bool
}

/// The claim on a command's id: made in the transaction that decided it, and never removed.
package struct Claim: Sendable, Equatable {
  package let fingerprint: Fingerprint
  package let subject: String
  package let type: CommandType
  package let result: CommandResult
  package init(fingerprint: Fingerprint, subject: String, type: CommandType, result: CommandResult) {
    self.fingerprint = fingerprint
    self.subject = subject
    self.type = type
    self.result = result
  }
}

package struct StockLevel: Sendable, Equatable {
  package var onHand: Int64
  package var reserved: Int64
  package var available: Int64 { onHand - reserved }
  package init(onHand: Int64, reserved: Int64) {
    self.onHand = onHand
    self.reserved = reserved
  }
}

/// What the store found, under its locks.
package struct BatchFacts: Sendable {
  /// The store's clock.
  package var now: Timestamp
  package var claims: [CommandIdentity: Claim]
  package var orders: [OrderKey: Order]
  /// A product without an entry is out of stock.
  package var stock: [ProductKey: StockLevel]
  /// Events of these orders that stand in the outbox.
  package var unsent: [OrderKey: [OutboxKey]]

  package init(
    now: Timestamp, claims: [CommandIdentity: Claim] = [:], orders: [OrderKey: Order] = [:], stock: [ProductKey: StockLevel] = [:],
    unsent: [OrderKey: [OutboxKey]] = [:]
  ) {
    self.now = now
    self.claims = claims
    self.orders = orders
    self.stock = stock
    self.unsent = unsent
  }
}

/// A version of an order, for those who ask how it came about.
package struct HistoryEntry: Sendable {
  package let order: OrderKey
  package let version: Int64
  package let status: OrderStatus
  package let previousStatus: OrderStatus?
  package let paymentStatus: PaymentStatus
  package let at: Timestamp
  package let actor: String
  package let message: MessageID
  package let reason: String?
}

/// Who did what, when, to which order, and what became of it: one for each command.
package struct AuditEntry: Sendable {
  package let tenant: TenantID
  package let at: Timestamp
  package let actor: String
  package let action: String
  package let message: MessageID
  package let order: OrderID?
  /// `accepted`, or the rejection's code.
  package let outcome: String
  package let correlationID: String
  package let traceparent: String?
  package let before: Order?
  package let after: Order?
}

package struct ClaimEntry: Sendable {
  package let identity: CommandIdentity
  package let claim: Claim
}

/// Everything that one transaction writes: all of it, or none.
package struct BatchWrites: Sendable {
  package var created: [Order] = []
  package var updated: [Order] = []
  package var history: [HistoryEntry] = []
  package var audit: [AuditEntry] = []
  /// How much each product's levels rise or fall.
  package var stock: [ProductKey: StockLevel] = [:]
  package var events: [EncodedEvent] = []
  package var claims: [ClaimEntry] = []

  package init() {}
}

package enum StoreError: Error, Sendable, Equatable {
  /// The database cannot be reached or cannot work. Nothing counts; the batch is run again when it can.
  case unavailable(String)
  /// Another transaction was in the way. The batch is run again.
  case conflict(String)
  /// The database refuses something in this batch.
  case refused(String)
}

/// Where orders, stock, claims and the outbox live.
package protocol OrderStore: Sendable {
  /// One transaction for a whole batch: reads and locks what `keys` name, lets `decide` make the writes of it, deletes the outbox rows in
  /// `sent`, writes, commits. Returns what `decide` gave beside the writes, once that is durable.
  ///
  /// `decide` may be called more than once; what counts is the call whose writes were committed.
  func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision

  /// Deletes outbox rows whose events are confirmed.
  func forget(_ sent: [OutboxKey]) async throws(StoreError)

  /// Returns when it is worth trying again after `unavailable`, or when the task is cancelled.
  func untilAvailable() async
}
