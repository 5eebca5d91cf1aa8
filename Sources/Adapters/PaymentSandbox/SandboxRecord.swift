/// A line of the ledger: an effect that the sandbox had, or an attempt that it declined.
struct LedgerEntry: Codable, Hashable, Sendable {
  let key: String
  let operation: String
  let tenantID: String
  let orderID: String
  let amount: String
  let currency: String
  let paymentMethod: String
  let result: String
  /// Nil where an authorisation was declined.
  let authorizationID: String?

  enum CodingKeys: String, CodingKey {
    case key, operation, amount, currency, result
    case tenantID = "tenant_id"
    case orderID = "order_id"
    case paymentMethod = "payment_method"
    case authorizationID = "authorization_id"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(key, forKey: .key)
    try container.encode(operation, forKey: .operation)
    try container.encode(tenantID, forKey: .tenantID)
    try container.encode(orderID, forKey: .orderID)
    try container.encode(amount, forKey: .amount)
    try container.encode(currency, forKey: .currency)
    try container.encode(paymentMethod, forKey: .paymentMethod)
    try container.encode(result, forKey: .result)
    // `null` rather than nothing.
    try container.encode(authorizationID, forKey: .authorizationID)
  }
}

/// What was answered to a key, for ever, and what it did. A line of the sandbox's file.
struct SandboxRecord: Codable, Hashable, Sendable {
  let key: String
  let path: String
  let request: String
  let status: Int
  let answer: String
  /// Nil where it did nothing and declined nothing: the state did not allow it.
  let entry: LedgerEntry?

  var reply: SandboxAnswer { SandboxAnswer(status: status, body: Array(answer.utf8)) }
}
