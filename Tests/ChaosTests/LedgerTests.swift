import Foundation
import Testing

@testable import RabbitMQClient

/// The judge of the acceptance runs must see what is wrong, or their silence says nothing.
@Suite struct LedgerTests {
  private let plan = OrderPlan(count: 2, seed: 7)
  private let orders = [UUID(), UUID()]
  private let events = [UUID(), UUID()]

  private func delivery(_ body: String, type: String, message: String? = nil, correlation: String? = nil) -> Delivery {
    var properties = MessageProperties()
    (properties.type, properties.messageID, properties.correlationID) = (type, message, correlation)
    return Delivery(
      tag: 1, generation: 1, redelivered: false, exchange: "", routingKey: type, properties: properties, body: Array(body.utf8), headersExceedLimits: false,
      hasInvalidText: false)
  }

  private func reply(_ order: Int, _ outcome: String = #""outcome":"accepted""#, id: UUID? = nil) -> Delivery {
    let message = plan.messageID(order)
    let body = #"{\#(outcome),"message_id":"\#(message)","order_id":"\#(id ?? orders[order])","status":"pending","version":1}"#
    return delivery(body, type: "order.reply", correlation: message)
  }

  private func duplicate(_ order: Int) -> Delivery { reply(order, #""outcome":"duplicate","original":"accepted""#) }

  private func event(_ order: Int, id: UUID? = nil) -> Delivery {
    let id = (id ?? events[order]).uuidString
    let body = #"{"id":"\#(id)","type":"order.created","subject":"\#(orders[order])","causationid":"\#(plan.messageID(order))","sequence":"0000000001"}"#
    return delivery(body, type: "order.created", message: id)
  }

  private func differences(_ replies: [Delivery], _ seen: [Delivery], confirmed: [Int32] = [0, 0, 1, 1], workersDied: Bool = false) -> [String] {
    let ledger = Ledger(plan)
    ledger.confirmed(confirmed)
    ledger.replies(replies)
    ledger.events(seen)
    return ledger.differences(workersDied: workersDied)
  }

  private var goodReplies: [Delivery] { [reply(0), duplicate(1), duplicate(0), reply(1)] }

  @Test func aGoodRunHasNoDifferencesAndRepeatsOfAnEventAreAllowed() {
    #expect(differences(goodReplies, [event(0), event(1), event(0)]) == [])
  }

  @Test func eachFaultIsNamed() {
    let created = [event(0), event(1)]
    #expect(differences(goodReplies, created, confirmed: [0, 0, 1]) == ["order-1: published and confirmed 1 times instead of 2"])
    #expect(differences(goodReplies, [event(0)]).contains("order-1: no order.created"))
    #expect(differences([reply(0), duplicate(0)], created).contains("order-1: 0 replies to 2 messages"))
    #expect(differences(goodReplies + [reply(0)], created).contains("order-0: accepted 2 times"))
    #expect(differences([reply(0), duplicate(0), reply(1)], created) == ["order-1: 1 replies to 2 messages"])
    let unaccepted = [reply(0), duplicate(0), duplicate(1), duplicate(1)]
    #expect(differences(unaccepted, created) == ["order-1: never accepted, only a duplicate"])
    #expect(differences(unaccepted, created, workersDied: true) == [])
    let second = UUID()
    #expect(differences(goodReplies, created + [event(0, id: second)]) == ["order 0: two events, \(events[0]) and \(second)"])
    #expect(differences(goodReplies, [event(0), event(1, id: events[0])]) == ["not one event id for each order"])
    #expect(differences(goodReplies + [reply(0, #""outcome":"rejected""#)], created).contains { $0.hasPrefix("order-0: answered") })
    #expect(differences([reply(0), duplicate(0), reply(1, id: UUID()), duplicate(1)], created).contains { $0.hasPrefix("order 1: a") })
    #expect(differences(goodReplies + [delivery("{}", type: "order.reply")], created).contains { $0.hasPrefix("not a reply of this run") })
  }

  @Test func basketsHoldEachProductOnce() {
    let plan = OrderPlan(count: 2_000, seed: 3)
    for order in 0..<plan.count {
      let lines = plan.lines(order)
      #expect(!lines.isEmpty && Set(lines.map(\.product)).count == lines.count)
    }
    #expect(plan.copies.sorted() == (0..<4_000).map { $0 / 2 } && plan.copies != plan.copies.sorted())
  }
}
