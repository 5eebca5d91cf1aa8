import Domain

/// What the sandbox holds: authorisations, the answers to keys, the ledger. No clock, no I/O.
struct SandboxBank: Sendable {
  /// How it does what it is asked for.
  enum Outcome {
    /// A key that was answered before, or a request that is refused without being remembered.
    case answered(SandboxAnswer)
    /// Done for the first time, and remembered. `method` is that of the authorisation.
    case done(SandboxRecord, method: String)
  }

  private struct Authorization {
    enum State { case authorized, captured, voided }
    let order: (tenant: String, id: String)
    let method: String
    let amount: Money
    var state = State.authorized
    var captured: Int64 = 0
    var refunded: Int64 = 0
  }

  private struct NewAuthorization: Decodable {
    let tenant_id: String
    let order_id: String
    let amount: String
    let currency: String
    let payment_method: String
  }

  private struct AmountOnly: Decodable { let amount: String }
  /// An object, of whatever members.
  private struct AnyObject: Decodable {
    private enum NoKeys: CodingKey {}
    init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: NoKeys.self) }
  }
  private struct Success: Encodable {
    let id: String
    let status: String
  }

  private var authorizations: [String: Authorization] = [:]
  private var records: [String: SandboxRecord] = [:]
  private var entries: [[UInt8]] = []
  private var entriesByOrder: [String: [Int]] = [:]
  private var random = SystemRandomNumberGenerator()

  func answer(toKey key: String) -> SandboxAnswer? { records[key]?.reply }

  /// A JSON array of the entries, all or of one order.
  func ledger(order: String?) -> [UInt8] {
    let wanted = order.map { (entriesByOrder[$0] ?? []).map { entries[$0] } } ?? entries
    return Array("[".utf8) + wanted.joined(separator: ",".utf8) + Array("]\n".utf8)
  }

  mutating func perform(_ operation: SandboxOperation, key: String, path: String, body: [UInt8]) -> Outcome {
    if let known = records[key] {
      guard known.path == path, known.request.utf8.elementsEqual(body) else {
        return .answered(.problem(422, "key_reused", "this Idempotency-Key was used for another request"))
      }
      return .answered(known.reply)
    }
    switch operation {
    case .authorize: return authorize(key, path, body)
    case .capture(let id), .void(let id), .refund(let id): return settle(operation, id, key, path, body)
    }
  }

  /// Takes what was remembered by a sandbox before this one.
  mutating func restore(_ record: SandboxRecord) {
    records[record.key] = record
    guard let entry = record.entry else { return }
    entriesByOrder[entry.orderID, default: []].append(entries.count)
    entries.append(SandboxJSON.encode(entry))
    guard entry.result == "ok", let id = entry.authorizationID, let currency = Currency(entry.currency), let amount = Self.money(entry.amount, currency)
    else { return }
    switch entry.operation {
    case "authorize": authorizations[id] = Authorization(order: (entry.tenantID, entry.orderID), method: entry.paymentMethod, amount: amount)
    case "capture":
      authorizations[id]?.state = .captured
      authorizations[id]?.captured = amount.minorUnits
    case "void": authorizations[id]?.state = .voided
    default: authorizations[id]?.refunded += amount.minorUnits
    }
  }

  // MARK: one operation

  private mutating func authorize(_ key: String, _ path: String, _ body: [UInt8]) -> Outcome {
    guard let asked = SandboxJSON.decode(NewAuthorization.self, from: body),
      [asked.tenant_id, asked.order_id, asked.payment_method].allSatisfy({ identifierFault($0) == nil })
    else { return .answered(.problem(400, "invalid_request", "tenant_id, order_id, amount, currency and payment_method are strings, and all are needed")) }
    guard let currency = Currency(asked.currency) else { return .answered(.problem(400, "unknown_currency", "currency is a code of ISO 4217")) }
    guard let amount = Self.money(asked.amount, currency), !amount.isZero else { return .answered(Self.wrongAmount) }
    let declined: String?
    switch asked.payment_method {
    case "pm_unavailable": return .answered(.problem(503, "unavailable", "the provider is not available", retryAfter: 1))
    case "pm_declined": declined = "card_declined"
    case "pm_declined_funds": declined = "insufficient_funds"
    default: declined = nil
    }
    let id = declined == nil ? "auth_\(UUIDValue.random(using: &random))" : nil
    let entry = LedgerEntry(
      key: key, operation: "authorize", tenantID: asked.tenant_id, orderID: asked.order_id, amount: Self.text(amount), currency: currency.code,
      paymentMethod: asked.payment_method, result: declined == nil ? "ok" : "declined", authorizationID: id)
    let answer = id.map { SandboxAnswer.json(201, Success(id: $0, status: "authorized")) } ?? Self.declined(declined ?? "")
    return remember(key, path, body, answer, entry, method: asked.payment_method)
  }

  private mutating func settle(_ operation: SandboxOperation, _ id: String, _ key: String, _ path: String, _ body: [UInt8]) -> Outcome {
    guard let held = authorizations[id] else { return .answered(.problem(404, "unknown_authorization", "there is no authorisation of this id")) }
    let amount: Money
    if case .void = operation {
      guard body.isEmpty || SandboxJSON.decode(AnyObject.self, from: body) != nil else {
        return .answered(.problem(400, "invalid_request", "the body is an empty object"))
      }
      amount = held.amount
    } else {
      guard let asked = SandboxJSON.decode(AmountOnly.self, from: body), let read = Self.money(asked.amount, held.amount.currency), !read.isZero else {
        return .answered(Self.wrongAmount)
      }
      amount = read
    }
    let status: String
    let bound: Int64
    switch (operation, held.state) {
    case (.capture, .authorized): (status, bound) = ("captured", held.amount.minorUnits)
    case (.void, .authorized): (status, bound) = ("voided", held.amount.minorUnits)
    case (.refund, .captured) where held.refunded < held.captured:
      bound = held.captured - held.refunded
      status = amount.minorUnits == bound ? "refunded" : "partially_refunded"
    default: return remember(key, path, body, .problem(409, "wrong_state", "the authorisation's state does not allow it"), nil, method: held.method)
    }
    guard amount.minorUnits <= bound else { return .answered(.problem(400, "amount_too_large", "more than what is left of the authorisation")) }
    var isDeclined = false
    if case .capture = operation { isDeclined = held.method == "pm_capture_declined" }
    let entry = LedgerEntry(
      key: key, operation: operation.name, tenantID: held.order.tenant, orderID: held.order.id, amount: Self.text(amount),
      currency: amount.currency.code, paymentMethod: held.method, result: isDeclined ? "declined" : "ok", authorizationID: id)
    let answer = isDeclined ? Self.declined("card_declined") : .json(200, Success(id: id, status: status))
    return remember(key, path, body, answer, entry, method: held.method)
  }

  private mutating func remember(
    _ key: String, _ path: String, _ body: [UInt8], _ answer: SandboxAnswer, _ entry: LedgerEntry?, method: String
  ) -> Outcome {
    let record = SandboxRecord(
      key: key, path: path, request: String(decoding: body, as: UTF8.self), status: answer.status, answer: String(decoding: answer.body, as: UTF8.self),
      entry: entry)
    restore(record)
    return .done(record, method: method)
  }

  /// The contract's decimal string, but of as many digits as a total may have.
  private static func money(_ text: String, _ currency: Currency) -> Money? {
    let bytes = Array(text.utf8)
    guard bytes.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
    return try? Money(parsing: bytes[...], as: .jsonNumber, currency: currency)
  }

  private static func text(_ amount: Money) -> String {
    var bytes: [UInt8] = []
    amount.appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let wrongAmount = SandboxAnswer.problem(
    400, "invalid_amount", "amount is a decimal string above zero, with no more decimals than the currency has")

  private static func declined(_ code: String) -> SandboxAnswer { .problem(402, code, "the payment is declined") }
}
