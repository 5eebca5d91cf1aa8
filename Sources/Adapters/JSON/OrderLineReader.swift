import Domain

/// Reads the lines of an `order.create`, with what can only be judged over all of them: one line per product, and the total.
struct OrderLineReader {
  private let currency: Currency?
  private(set) var lines: [OrderLine] = []
  private(set) var totalOverflows = false
  private var total: Money?
  private var products: Set<ProductID> = []

  init(currency: Currency?, count: Int) {
    self.currency = currency
    total = currency.map(Money.zero)
    lines.reserveCapacity(count)
    products.reserveCapacity(min(count, CommandBodyReader.itemCount.upperBound))
  }

  mutating func read(_ fields: inout BodyFields, _ element: JSONNode, _ position: Int) {
    guard element.kind == .object else { return fields.add("items[\(position)]", .type, "must be an object") }
    let product = product(&fields, element, position)
    let quantityPlace = FieldPlace("quantity", item: position)
    let quantity = fields.required(quantityPlace, of: element)
      .flatMap { fields.wholeNumber(quantityPlace, $0, in: Quantity.range, "a whole number from 1 to 1,000,000") }
      .flatMap(Quantity.init)
    let pricePlace = FieldPlace("unit_price", item: position)
    let price = fields.required(pricePlace, of: element).flatMap { fields.amount(pricePlace, $0, currency) }
    guard let product, let quantity, let price, currency != nil else { return }
    guard let line = OrderLine(product: product, quantity: quantity, unitPrice: price) else {
      return fields.add(pricePlace.path, .overflow, "times the quantity is more than can be counted")
    }
    lines.append(line)
    total = total?.adding(line.total)
    totalOverflows = total == nil
  }

  private mutating func product(_ fields: inout BodyFields, _ element: JSONNode, _ position: Int) -> ProductID? {
    let place = FieldPlace("product_id", item: position)
    guard let product = fields.required(place, of: element).flatMap({ fields.identifier(place, $0, ProductID.init) }) else { return nil }
    if products.insert(product).inserted { return product }
    fields.add(place.path, .duplicate, "stands in an earlier item already")
    return nil
  }
}
