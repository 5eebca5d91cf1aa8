import JSONAdapter
import Testing

@Suite struct ReplyToPolicyTests {
  @Test(arguments: [
    ("amq.rabbitmq.reply-to.g1h2AA5yZXBseUAyNTk.x==", true), ("amq.gen-abc", true), ("reply.mine", true), ("reply.a.b", true), ("shop.replies", true),
    ("a.b.replies", true), ("reply", false), ("replies", false), ("payroll", false), ("amq.rabbitmq.reply-to", false), ("amq.topic", false), ("", false),
    ("orders.replies", false), ("orders.x.replies", false), ("orders2.replies", true), ("xreply.mine", false), ("shop.replies2", false),
  ])
  func theStandardPatternsAllow(address: String, isAllowed: Bool) {
    #expect(ReplyToPolicy(ownPrefix: "orders").allows(address) == isAllowed)
  }

  @Test(arguments: [
    ("a*b*c", "axxbyyc", true), ("a*b*c", "abbc", true), ("a*b*c", "acb", false), ("*", "anything", true), ("x**", "x", true), ("x", "xx", false),
  ])
  func starsStandForAnyText(pattern: String, address: String, isAllowed: Bool) {
    #expect(ReplyToPolicy(patterns: "nothing, \(pattern) ", ownPrefix: "orders").allows(address) == isAllowed)
  }

  @Test func evenAPatternForAllSparesTheWorkersOwnQueues() {
    #expect(!ReplyToPolicy(patterns: "*", ownPrefix: "orders").allows("orders.commands"))
  }

  @Test(arguments: [("amq.rabbitmq.reply-to.x", true), ("amq.gen-x", true), ("reply.x", false), ("x.replies", false)])
  func aSenderThatWasNotVerifiedIsAnsweredOnlyWhereTheBrokerNamedTheQueue(address: String, isAllowed: Bool) {
    #expect(ReplyToPolicy(ownPrefix: "orders").allows(address, verifiedSender: false) == isAllowed)
    #expect(!ReplyToPolicy(patterns: "reply.*", ownPrefix: "orders").allows("amq.gen-x", verifiedSender: false), "not where the operator forbids it")
  }
}
