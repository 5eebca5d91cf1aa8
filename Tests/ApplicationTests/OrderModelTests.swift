import Domain
import Testing

@Suite struct OrderModelTests {
  /// Every sequence of commands, results and expiries up to this length. Sequences that come to the same state go on together.
  private static let longest = 6

  @Test func whateverHappensStockAndMoneyAddUpAndNothingIsStuck() {
    var states: [String: (model: OrderModel, path: [OrderModel.Step])] = ["": (OrderModel(), [])]
    var everSeen: Set<String> = []
    var sequences = 0
    for _ in 0..<Self.longest {
      var next: [String: (model: OrderModel, path: [OrderModel.Step])] = [:]
      for (model, path) in states.values {
        for step in OrderModel.Step.allCases {
          var after = model
          guard after.take(step) else { continue }
          sequences += 1
          #expect(after.faults == [], "after \(path + [step])")
          if next[after.state] == nil { next[after.state] = (after, path + [step]) }
        }
      }
      for (state, reached) in next where everSeen.insert(state).inserted { checkItCanEnd(reached.model, reached.path) }
      states = next
    }
    #expect(everSeen.count > 40, "only \(everSeen.count) states were reached in \(sequences) steps")
    let statuses = Set(everSeen.compactMap { $0.split(separator: " ").first.map(String.init) })
    #expect(statuses.isSuperset(of: ["pending", "confirmed", "processing", "onHold", "shipped", "delivered", "cancelled", "expired"]))
  }

  /// With a provider that is well and a sender who goes on, every order comes to an end, and the books are even.
  private func checkItCanEnd(_ model: OrderModel, _ path: [OrderModel.Step]) {
    for goal in [[OrderModel.Step.resume, .confirm, .process, .ship, .shipWithAnotherMethod, .deliver], [.cancel]] {
      var model = model
      settle(&model)
      guard model.order != nil else { continue }
      for step in goal {
        _ = model.take(step)
        settle(&model)
        #expect(model.faults == [], "after \(path), then \(step)")
      }
      _ = model.take(.runOut)
      #expect(model.faults == [], "after \(path), then time")
      let status = model.order?.status
      #expect(status?.isFinal == true || (goal.count == 1 && status == .shipped), "after \(path) it stays \(status?.rawValue ?? "away")")
    }
  }

  private func settle(_ model: inout OrderModel) {
    for _ in 0..<6 where model.open != nil {
      if !model.take(.paid) { _ = model.take(.declined) }
    }
    #expect(model.open == nil, "an operation that never ends")
  }
}
