import Foundation
import Testing

@testable import RabbitMQClient

/// The judge of the failover runs must see what is wrong, or its silence says nothing.
@Suite struct FlowLedgerTests {
  private func delivery(_ body: String) -> Delivery {
    Delivery(
      tag: 1, generation: 1, redelivered: false, exchange: "", routingKey: "", properties: MessageProperties(), body: Array(body.utf8),
      headersExceedLimits: false, hasInvalidText: false)
  }

  private func reply(_ id: String, _ order: String, _ outcome: String = #""outcome":"accepted""#) -> Delivery {
    delivery(#"{\#(outcome),"message_id":"\#(id)","order_id":"\#(order)","status":"pending","version":1}"#)
  }

  private func event(_ cause: String, _ order: String, id: String = "e", type: String = "order.created") -> Delivery {
    delivery(#"{"id":"\#(id)","type":"\#(type)","subject":"\#(order)","causationid":"\#(cause)","sequence":"0000000001"}"#)
  }

  private func differences(
    confirmed: [String] = ["a", "b"], replies: [Delivery]? = nil, events: [Delivery]? = nil, orders: [String: String] = ["a": "1", "b": "2"]
  ) -> [String] {
    let ledger = FlowLedger()
    ledger.confirm(confirmed)
    ledger.replies(replies ?? [reply("a", "1"), reply("b", "2", #""outcome":"duplicate","original":"accepted""#)])
    ledger.events(events ?? [event("a", "1"), event("b", "2"), event("a", "1")])
    return ledger.differences(from: orders)
  }

  @Test func repeatsAndRepliesThatNeverCameAreNoDifference() {
    #expect(differences() == [])
    #expect(differences(replies: []) == [])
  }

  @Test func eachLossAndContradictionIsNamed() {
    let lost = differences(orders: ["b": "2"])
    #expect(
      lost == ["a: confirmed and lost", "a: answered as order 1, the database has none", "a: told as order 1, the database has none"])
    #expect(differences(orders: ["a": "9", "b": "2"]).contains("a: answered as order 1, the database has 9"))
    #expect(differences(events: [event("a", "1")]) == ["b: no order.created"])
    #expect(differences(events: [event("a", "1"), event("b", "2"), event("a", "1", id: "f")]).first?.contains("events e of 1 and f of 1") == true)
    #expect(differences(replies: [reply("a", "1"), reply("a", "9")]).contains("a: one reply says order 1, another 9"))
    #expect(differences(replies: [reply("a", "1", #""outcome":"rejected""#)]).first?.hasPrefix("an unexpected reply") == true)
    #expect(differences(events: [event("a", "1", type: "order.failed"), event("a", "1"), event("b", "2")]).first?.hasPrefix("an unexpected event") == true)
  }
}
