import RabbitMQClient
import Testing

extension HostileInputTests {
  static func expectDeadLetters(of bad: [HostileMessage], _ deliveries: [Delivery]) {
    let byRow = Dictionary(grouping: deliveries) { $0.row ?? "no row" }
    #expect(deliveries.count == bad.count)
    for message in bad {
      guard let all = byRow[message.name], all.count == 1, let letter = all.first else {
        Issue.record("\(message.name): \(byRow[message.name]?.count ?? 0) dead letters")
        continue
      }
      guard case .deadLettered(let reason, let word) = message.expectation else { continue }
      let error = letter.headerText("x-error") ?? ""
      #expect(letter.headerText("x-reason") == reason, "\(message.name): \(error)")
      // Where several things are wrong, the sentence names the first.
      #expect(error.contains(word) || reason == "invalid", "\(message.name): \(error)")
      #expect(!error.isEmpty && error.count < 500, "\(message.name): \(error)")
      #expect(letter.body == message.body, "\(message.name): the body is not as it came")
      #expect(!letter.properties.headers.contains { $0.name == "authorization" }, "\(message.name)")
      #expect(letter.header("x-attempt") == .int32(1) && letter.headerText("x-worker") != nil, "\(message.name)")
      #expect(letter.headerText("x-failed-at")?.hasSuffix("Z") == true, "\(message.name)")
      #expect(letter.headerText("x-first-failed-at") == letter.headerText("x-failed-at"), "\(message.name)")
      #expect(letter.headerText("x-original-exchange") == message.publication.exchange, "\(message.name)")
      expectPropertiesAsTheyCame(letter, message)
    }
  }

  private static func expectPropertiesAsTheyCame(_ letter: Delivery, _ message: HostileMessage) {
    guard message.raw == nil else { return }
    let (came, sent) = (letter.properties, message.publication.properties)
    #expect(letter.headerText("x-original-routing-key") == message.publication.routingKey, "\(message.name)")
    #expect(came.messageID == sent.messageID && came.correlationID == sent.correlationID && came.replyTo == sent.replyTo, "\(message.name)")
    #expect(came.contentType == sent.contentType && came.contentEncoding == sent.contentEncoding, "\(message.name)")
    #expect(came.appID == sent.appID && came.timestamp == sent.timestamp && came.priority == sent.priority && came.deliveryMode == 2, "\(message.name)")
    if let type = sent.type { #expect(came.type == type, "\(message.name)") }
    guard !message.headersAreCut else { return }
    let kept = sent.headers.filter { !message.dropped.contains($0.name) }
    // A table has no order, and RabbitMQ 4 sorts it, and keeps one header of each name.
    for (name, all) in Dictionary(grouping: kept, by: \.name) {
      #expect(all.contains(where: came.headers.contains), "\(message.name): \(name)")
      #expect(came.headers.allSatisfy { $0.name != name || all.contains($0) }, "\(message.name): \(name)")
    }
    #expect(message.dropped.allSatisfy { letter.header($0) == nil || $0 == "x-order-principal" }, "\(message.name)")
  }

  static func expectReplies(to answered: [HostileMessage], _ deliveries: [Delivery]) {
    let byCorrelation = Dictionary(grouping: deliveries) { $0.properties.correlationID ?? HostileMessage.noCorrelation }
    #expect(deliveries.count == answered.count)
    for message in answered {
      guard let all = byCorrelation[message.answeredAs!], all.count == 1, let answer = CommandAnswer(all[0]) else {
        Issue.record("\(message.name): \(byCorrelation[message.answeredAs!]?.count ?? 0) replies")
        continue
      }
      switch message.expectation {
      case .accepted: #expect(answer.outcome == "accepted" && answer.status == "pending" && answer.version == 1 && answer.error == nil, "\(message.name)")
      case .duplicate: #expect(answer.outcome == "duplicate" && answer.original == "accepted" && answer.version == 1, "\(message.name)")
      case .deadLettered(let reason, let word):
        #expect(answer.outcome == "dead_lettered" && answer.error?.code == reason, "\(message.name): \(answer)")
        let named = answer.error?.message.contains(word) == true || answer.error?.details.contains { $0.path.contains(word) } == true
        #expect(named, "\(message.name): \(answer)")
        #expect((reason == "invalid") == (answer.error?.details.isEmpty == false), "\(message.name): \(answer)")
      }
    }
  }
}
