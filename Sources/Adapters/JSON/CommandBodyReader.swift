import Domain

/// The rules of a command's body, without any transport: what `run` decides and `validate` prints.
package struct CommandBodyReader: Sendable {
  package enum Reading: Sendable {
    case command(Command)
    /// Every fault of the body, at least one.
    case faults([Fault])
  }

  /// The currency of an `order.create` that names none.
  let defaultCurrency: Currency

  package init(defaultCurrency: Currency) { self.defaultCurrency = defaultCurrency }

  /// `body` is an object of the document; `derivedOrder` the id of a new order whose sender chose none; `event` the CloudEvent around the body.
  package func read(
    _ type: CommandType, in document: JSONDocument, body: JSONNode, event: JSONDocument? = nil, derivedOrder: () -> OrderID
  ) -> Reading {
    var fields = BodyFields(document)
    let command =
      switch type {
      case .create: createOrder(&fields, body, derivedOrder).map(Command.create)
      case .updateStatus: updateStatus(&fields, body).map(Command.updateStatus)
      }
    if document.hasNullCharacter { fields.addNullCharacters(in: body) }
    guard let command, fields.faults.isEmpty else { return .faults(fields.faults) }
    guard let event, event.hasNullCharacter else { return .command(command) }
    var attributes = BodyFields(event)
    attributes.addNullCharacters(in: event.root)
    return .faults(attributes.faults)
  }

  private func updateStatus(_ fields: inout BodyFields, _ body: JSONNode) -> UpdateStatus? {
    let orderPlace = FieldPlace("order_id")
    let order = fields.required(orderPlace, of: body).flatMap { fields.uuid(orderPlace, $0) }
    let status = status(&fields, body)
    let reason = reason(&fields, body)
    let versionPlace = FieldPlace("expected_version")
    let version = fields.optional(versionPlace, of: body).flatMap { fields.wholeNumber(versionPlace, $0, in: 1...Int64.max, "1 or more") }
    let paymentMethod = paymentMethod(&fields, body)
    guard fields.faults.isEmpty, let order, let status else { return nil }
    return UpdateStatus(order: order, status: status, reason: reason, expectedVersion: version, paymentMethod: paymentMethod)
  }

  private func status(_ fields: inout BodyFields, _ body: JSONNode) -> OrderStatus? {
    let place = FieldPlace("status")
    guard let node = fields.required(place, of: body), let text = fields.text(place, node) else { return nil }
    if let status = OrderStatus(rawValue: text) { return status }
    fields.add(place.path, .format, "must be one of \(OrderStatus.allCases.map(\.rawValue).joined(separator: ", "))")
    return nil
  }

  private func reason(_ fields: inout BodyFields, _ body: JSONNode) -> String? {
    let place = FieldPlace("reason")
    guard let node = fields.optional(place, of: body), let text = fields.text(place, node) else { return nil }
    if BodyFields.isLonger(text, than: 1_024) { fields.add(place.path, .tooLong, "must have at most 1,024 characters") }
    return text
  }

  func paymentMethod(_ fields: inout BodyFields, _ body: JSONNode) -> PaymentMethod? {
    let place = FieldPlace("payment_method")
    return fields.optional(place, of: body).flatMap { fields.identifier(place, $0, PaymentMethod.init) }
  }
}
