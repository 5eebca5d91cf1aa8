extension TransitionTable {
  /// Whether an order that has the status `from`, or gets it, may come to have `to` later on.
  package static func leads(from: OrderStatus, to: OrderStatus) -> Bool {
    var reached: Set<OrderStatus> = []
    var next = [from]
    while let status = next.popLast() {
      for row in rows where row.from == status && reached.insert(row.to).inserted { next.append(row.to) }
    }
    return reached.contains(to)
  }
}
