import Domain

extension CommandBodyReader {
  static let itemCount = 1...200
  static let mostMetadata = 50

  func createOrder(_ fields: inout BodyFields, _ body: JSONNode, _ derivedOrder: () -> OrderID) -> CreateOrder? {
    let orderPlace = FieldPlace("order_id")
    let chosen = fields.optional(orderPlace, of: body)
    let order = chosen.map { fields.uuid(orderPlace, $0) } ?? derivedOrder()
    let customerPlace = FieldPlace("customer_id")
    let customer = fields.required(customerPlace, of: body).flatMap { fields.identifier(customerPlace, $0, CustomerID.init) }
    let currency = currency(&fields, body)
    let lines = lines(&fields, body, currency)
    let paymentMethod = paymentMethod(&fields, body)
    let confirmPlace = FieldPlace("confirm")
    let confirm = fields.optional(confirmPlace, of: body).map { fields.truth(confirmPlace, $0) } ?? false
    let metadata = metadata(&fields, body)
    guard fields.faults.isEmpty, let order, let customer, let currency else { return nil }
    return CreateOrder(
      order: order, choosesOrderID: chosen != nil, customer: customer, currency: currency, lines: lines, paymentMethod: paymentMethod, confirm: confirm,
      metadata: metadata)
  }

  /// Nil where a currency is named that there is not.
  private func currency(_ fields: inout BodyFields, _ body: JSONNode) -> Currency? {
    let place = FieldPlace("currency")
    guard let node = fields.optional(place, of: body) else { return defaultCurrency }
    guard let text = fields.text(place, node) else { return nil }
    if let currency = Currency(text) { return currency }
    fields.add(place.path, .format, "must be a currency code of ISO 4217 in capitals, like USD")
    return nil
  }

  private func lines(_ fields: inout BodyFields, _ body: JSONNode, _ currency: Currency?) -> [OrderLine] {
    let place = FieldPlace("items")
    guard let node = fields.required(place, of: body) else { return [] }
    guard node.kind == .array else {
      fields.add(place.path, .type, "must be an array")
      return []
    }
    if !Self.itemCount.contains(Int(node.count)) { fields.add(place.path, .range, "must have 1 to 200 entries") }
    var reader = OrderLineReader(currency: currency, count: Int(node.count))
    let document = fields.document
    document.forEachElement(of: node) { position, element in
      reader.read(&fields, element, position)
      // What lies beyond the last one allowed is not looked at: the answer to one message stays small.
      return position + 1 < Self.itemCount.upperBound
    }
    if reader.totalOverflows { fields.add(place.path, .overflow, "come to a total that is more than can be counted") }
    return reader.lines
  }

  private func metadata(_ fields: inout BodyFields, _ body: JSONNode) -> [MetadataEntry] {
    let place = FieldPlace("metadata")
    guard let node = fields.optional(place, of: body) else { return [] }
    guard node.kind == .object else {
      fields.add(place.path, .type, "must be an object")
      return []
    }
    let document = fields.document
    var pairs: [(key: String, value: JSONNode)] = []
    var hasTooMany = false
    document.forEachMember(of: node) { key, value in
      let key = document.text(key)
      if let known = pairs.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
        pairs[known].value = value
        return true
      }
      hasTooMany = pairs.count == Self.mostMetadata
      if !hasTooMany { pairs.append((key, value)) }
      return !hasTooMany
    }
    if hasTooMany { fields.add(place.path, .range, "must have at most 50 pairs") }
    var entries: [MetadataEntry] = []
    entries.reserveCapacity(pairs.count)
    for (key, value) in pairs {
      if BodyFields.isLonger(key, than: 64) { fields.add("metadata.\(FieldPlace.shown(key))", .tooLong, "has a key of more than 64 characters") }
      switch value.kind {
      case .null: continue
      case .string:
        let text = document.text(value)
        if BodyFields.isLonger(text, than: 1_024) { fields.add("metadata.\(FieldPlace.shown(key))", .tooLong, "must have at most 1,024 characters") }
        entries.append(MetadataEntry(key: key, value: text))
      default: fields.add("metadata.\(FieldPlace.shown(key))", .type, "must be a string")
      }
    }
    return entries
  }
}
