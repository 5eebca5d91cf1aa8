/// An order of an answer, as the command line shows it.
struct ShownOrder: Decodable {
  struct Item: Decodable {
    let product_id: String
    let quantity: Int64
    let unit_price: String
    let total_price: String
  }

  let order_id: String
  let customer_id: String
  let status: String
  let payment_status: String
  let reservation: String
  let version: Int64
  let currency: String
  let total_amount: String
  let items: [Item]
  let metadata: [String: String]?
  let created_at: String
  let updated_at: String

  /// Fits 80 columns where the identifiers do; `width` cuts what is longer than that.
  func card(width: Int?) -> String {
    let facts = [
      ("order", order_id), ("customer", customer_id), ("status", "\(status) (version \(version))"), ("payment", payment_status),
      ("reservation", reservation), ("total", "\(total_amount) \(currency)"), ("created", Self.time(created_at)), ("updated", Self.time(updated_at)),
    ]
    let lines = facts.map { name, value in name + String(repeating: " ", count: 13 - name.count) + TextTable.printable(value) }
    let table = TextTable(
      columns: [.left("PRODUCT"), .right("QUANTITY"), .right("UNIT PRICE"), .right("TOTAL")],
      rows: items.map { [$0.product_id, "\($0.quantity)", $0.unit_price, $0.total_price] }, width: width)
    let entries = (metadata ?? [:]).sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
    let more = entries.isEmpty ? "" : "\n\n" + TextTable(columns: [.left("METADATA"), .left("VALUE")], rows: entries, width: width).text
    return lines.joined(separator: "\n") + "\n\n" + table.text + more
  }

  /// Without the fraction of the second.
  static func time(_ text: String) -> String { text.count == 27 ? text.prefix(19) + "Z" : text }
}

struct ShownVersion: Decodable {
  let version: Int64
  let status: String
  let payment_status: String
  let at: String
  let actor: String
  let reason: String?
}
