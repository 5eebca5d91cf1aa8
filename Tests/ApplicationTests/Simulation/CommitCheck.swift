import Application
import Domain
import TestSupport

/// What must hold of everything that is committed, by the tables before it.
struct CommitCheck {
  let world: SimulatedWorld
  let tables: InMemoryOrderStore.Tables
  let writes: BatchWrites

  /// What the database's keys and checks would refuse, and the tables in memory take for a defect of their caller.
  var refusal: String? {
    for row in writes.created where tables.orders[row.order.key] != nil { return "an order made twice" }
    for row in writes.updated where tables.orders[row.order.key]!.version > row.order.version { return "an order set back" }
    for settled in writes.settledClaims where tables.claims[settled.identity].map({ $0.result != nil }) ?? true { return "a claim settled twice" }
    for record in writes.opened {
      if tables.records[record.key] != nil { return "a payment's number given twice" }
      let settled = Set(writes.settled.map(\.key))
      if tables.records.values.contains(where: { $0.key.order == record.key.order && $0.state == .open && !settled.contains($0.key) }) {
        return "two open payments"
      }
    }
    for key in writes.inventory.made.keys where tables.reservations[key] != nil { return "a reservation made twice" }
    for key in writes.inventory.moved.keys where tables.reservations[key] == nil { return "a reservation that is not there" }
    for (key, moved) in writes.inventory.levels {
      let (onHand, reserved) = (tables.stock[key]!.onHand + moved.onHand, tables.stock[key]!.reserved + moved.reserved)
      if reserved < 0 || reserved > onHand { return "\(key.product.rawValue) oversold" }
    }
    let versions = Set(tables.history.map { Version(order: $0.order, number: $0.version) })
    for entry in writes.history where versions.contains(Version(order: entry.order, number: entry.version)) { return "a version made twice" }
    return nil
  }

  private struct Version: Hashable {
    let order: OrderKey
    let number: Int64
  }

  /// `isHolder`: whether the committing life holds the lease of a row.
  func check(isHolder: (PaymentRecord) -> Bool) {
    for row in writes.updated where row.order.status == .expired && tables.orders[row.order.key]!.status != .expired {
      if tables.records.values.contains(where: { $0.key.order == row.order.key && $0.state == .open }) { world.violated("expired while a payment is open") }
      if row.order.createdAt + .seconds(world.plan.reservationSeconds) > tables.now { world.violated("expired before its time") }
    }
    for settlement in writes.settled {
      let record = tables.records[settlement.key]!
      if record.state == .open, !isHolder(record) { world.violated("a payment was settled by an answer to a lease that was over") }
      if settlement.state == .unavailable, world.provider.hasDone(record.call.key), !world.provider.denied.contains(record.call.key) {
        world.violated("a payment was given up that the provider has done and never denied")
      }
    }
    for postponement in writes.postponed {
      let record = tables.records[postponement.key]!
      guard record.state == .open else { continue }
      if !isHolder(record) { world.violated("a payment was put off by an answer to a lease that was over") }
      if record.isUnknown, !postponement.isUnknown, !world.provider.denied.contains(record.call.key) {
        world.violated("what was unknown of a payment was forgotten before the provider said anything of its key")
      }
    }
  }
}
