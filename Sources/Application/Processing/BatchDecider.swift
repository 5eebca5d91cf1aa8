import Domain

/// Decides a whole batch in memory, in the order of arrival, each command on the results of those before it. Pure: the same
/// commands and facts give the same writes.
package struct BatchDecider: Sendable {
  package let commands: [CommandEnvelope]
  /// The worker's own, after the others.
  package let own: [OwnCommand]
  package let encoder: any MessageEncoder
  package let terms: OrderTerms

  package init(commands: [CommandEnvelope], own: [OwnCommand] = [], encoder: any MessageEncoder, terms: OrderTerms) {
    self.commands = commands
    self.own = own
    self.encoder = encoder
    self.terms = terms
  }

  package var keys: BatchKeys {
    var products: [ProductKey] = []
    var changesOrders = !own.isEmpty
    for command in commands {
      guard case .create(let create) = command.command else {
        changesOrders = true
        continue
      }
      for line in create.lines { products.append(ProductKey(tenant: command.identity.tenant, product: line.product)) }
    }
    let payments: [PaymentKey] = own.compactMap { if case .paymentAnswered(let report) = $0 { report.key } else { nil } }
    return BatchKeys(
      identities: commands.map(\.identity).sortedSet(), orders: (commands.map(\.orderKey) + own.map(\.order)).sortedSet(),
      products: products.sortedSet(), changesOrders: changesOrders, payments: payments.sortedSet())
  }

  package func decide(_ facts: BatchFacts) -> (BatchWrites, BatchOutcome) {
    var fold = BatchFold(facts: facts, encoder: encoder, terms: terms, capacity: commands.count)
    for command in commands { fold.add(command) }
    for command in own { fold.add(command) }
    return fold.finish()
  }
}

extension Array where Element: Comparable {
  /// Sorted, each once.
  fileprivate func sortedSet() -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(count)
    for element in sorted() where element != result.last { result.append(element) }
    return result
  }
}
