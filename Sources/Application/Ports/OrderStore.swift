import Domain

/// Everything that a batch needs to be read and locked, each list sorted and without repeats.
package struct BatchKeys: Sendable {
  package let identities: [CommandIdentity]
  package let orders: [OrderKey]
  /// Products that creates ask for.
  package let products: [ProductKey]
  /// Whether the orders may change: the store adds the products that they hold, and their open payments.
  package let changesOrders: Bool
  /// Payments that are wanted whether they are open or not.
  package let payments: [PaymentKey]

  package init(identities: [CommandIdentity], orders: [OrderKey], products: [ProductKey], changesOrders: Bool, payments: [PaymentKey]) {
    self.identities = identities
    self.orders = orders
    self.products = products
    self.changesOrders = changesOrders
    self.payments = payments
  }
}

/// The claim on a command's id: made in the transaction that decided it, and never removed.
package struct Claim: Sendable, Equatable {
  package let fingerprint: Fingerprint
  package let subject: String
  package let type: CommandType
  /// Nil while its payment is open.
  package let result: CommandResult?
  package init(fingerprint: Fingerprint, subject: String, type: CommandType, result: CommandResult?) {
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
  /// Of orders that ever had a payment.
  package var payments: [OrderKey: PaymentFacts]
  /// The open ones of these orders, and those asked for by key.
  package var records: [PaymentKey: PaymentRecord]
  /// A product without an entry is out of stock.
  package var stock: [ProductKey: StockLevel]
  /// Versions of these orders whose events stand in the outbox. An event that is no version stands in nobody's way.
  package var unsent: [OrderKey: [OutboxKey]]

  package init(
    now: Timestamp, claims: [CommandIdentity: Claim] = [:], orders: [OrderKey: Order] = [:], payments: [OrderKey: PaymentFacts] = [:],
    records: [PaymentKey: PaymentRecord] = [:], stock: [ProductKey: StockLevel] = [:], unsent: [OrderKey: [OutboxKey]] = [:]
  ) {
    self.now = now
    self.claims = claims
    self.orders = orders
    self.payments = payments
    self.records = records
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

  package init(
    order: OrderKey, version: Int64, status: OrderStatus, previousStatus: OrderStatus?, paymentStatus: PaymentStatus, at: Timestamp, actor: String,
    message: MessageID, reason: String?
  ) {
    self.order = order
    self.version = version
    self.status = status
    self.previousStatus = previousStatus
    self.paymentStatus = paymentStatus
    self.at = at
    self.actor = actor
    self.message = message
    self.reason = reason
  }
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
  package let before: AuditState?
  package let after: AuditState?
}

/// What something was, or became.
package enum AuditState: Sendable {
  case order(OrderState)
  case stock(StockLevel)
  case note(String)
}

/// What of an order a command may change.
package struct OrderState: Hashable, Sendable {
  package let status: OrderStatus
  package let paymentStatus: PaymentStatus
  package let reservation: ReservationState
  package let version: Int64

  init(_ order: Order) {
    status = order.status
    paymentStatus = order.paymentStatus
    reservation = order.reservation
    version = order.version
  }
}

package struct ClaimEntry: Sendable {
  package let identity: CommandIdentity
  package let claim: Claim
}

/// An order's row: the order, and what is authorised for it.
package struct OrderRow: Sendable, Equatable {
  package let order: Order
  package let payments: PaymentFacts
}

/// What an open claim came to in the end.
package struct ClaimSettlement: Sendable, Equatable {
  package let identity: CommandIdentity
  package let result: CommandResult
}

/// A reply that is committed with what it tells, and is then sent once.
package struct StoredReply: Sendable, Equatable {
  package let key: OutboxKey
  package let reply: Reply
  package init(key: OutboxKey, reply: Reply) {
    self.key = key
    self.reply = reply
  }
}

/// Everything that one transaction writes: all of it, or none.
package struct BatchWrites: Sendable {
  package var created: [OrderRow] = []
  package var updated: [OrderRow] = []
  package var history: [HistoryEntry] = []
  package var audit: [AuditEntry] = []
  package var inventory = InventoryWrites()
  package var events: [EncodedEvent] = []
  package var replies: [StoredReply] = []
  package var opened: [PaymentRecord] = []
  package var settled: [PaymentSettlement] = []
  package var postponed: [PaymentPostponement] = []
  package var claims: [ClaimEntry] = []
  package var settledClaims: [ClaimSettlement] = []

  package init() {}
}

package enum StoreError: Error, Sendable, Equatable {
  /// The database cannot be reached or cannot work. Nothing counts; the batch is run again when it can.
  case unavailable(String)
  /// Another transaction was in the way. The batch is run again.
  case conflict(String)
  /// Another transaction held a lock, or this one worked, for longer than is waited for. The batch is run again, but not often: that takes long.
  case blocked(String)
  /// The database refuses something in this batch.
  case refused(String)

  /// What the database said.
  package var reason: String {
    switch self {
    case .unavailable(let reason), .conflict(let reason), .blocked(let reason), .refused(let reason): reason
    }
  }
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

  /// Versions of these orders whose events stand in the outbox.
  func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey>

  /// Deletes outbox rows whose events are confirmed.
  func forget(_ sent: [OutboxKey]) async throws(StoreError)

  /// Returns when it is worth trying again after `unavailable`, or when the task is cancelled.
  func untilAvailable() async
}
