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
    var products: Set<ProductKey> = []
    var changesOrders = !own.isEmpty
    for command in commands {
      guard case .create(let create) = command.command else {
        changesOrders = true
        continue
      }
      for line in create.lines { products.insert(ProductKey(tenant: command.identity.tenant, product: line.product)) }
    }
    let payments: [PaymentKey] = own.compactMap { if case .paymentAnswered(let report) = $0 { report.key } else { nil } }
    return BatchKeys(
      identities: Set(commands.map(\.identity)).sorted(),
      orders: Set(commands.map(\.orderKey) + own.map(\.order)).sorted(),
      products: products.sorted(), changesOrders: changesOrders, payments: Set(payments).sorted())
  }

  package func decide(_ facts: BatchFacts) -> (BatchWrites, BatchOutcome) {
    var fold = BatchFold(facts: facts, encoder: encoder, terms: terms, capacity: commands.count)
    for command in commands { fold.add(command) }
    for command in own { fold.add(command) }
    return fold.finish()
  }
}
