import Application
import Domain
import Foundation
import Logging
import Operations
import Synchronization
import Testing

@testable import order_worker

@Suite struct LoggingJournalTests {
  private static let order = OrderID("6f1c2d3e-0000-4000-8000-000000000001")!
  private static let command = CommandReference(
    messageID: "m-1", correlationID: "c-1", tenant: .standard, order: order, traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
  private static let named = [
    "message_id": "m-1", "correlation_id": "c-1", "tenant_id": "default", "order_id": "6f1c2d3e-0000-4000-8000-000000000001",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
  ]

  @Test func aFloodOfDeadLettersOfOneReasonHidesNoOther() {
    let lines = Mutex<[[UInt8]]>([])
    let journal = LoggingJournal(
      logger: Logger(label: "test") { label in JSONLogHandler(label: label, levels: LogLevelSwitch(.info)) { line in lines.withLock { $0.append(line) } } })
    for _ in 0..<1_000 { journal.note(.deadLettered(Self.command, type: .create, reason: .invalid, error: "e")) }
    journal.note(.deadLettered(Self.command, type: .create, reason: .retriesExhausted, error: "e"))
    let written = lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } }
    #expect(written.count == 51 && written.last?.contains(#""reason":"\#(DeadLetterReason.retriesExhausted.rawValue)""#) == true)
  }

  /// The line's members but for its time.
  private static func line(of note: PipelineNote) throws -> [String: String]? {
    let lines = Mutex<[[UInt8]]>([])
    let logger = Logger(label: "test") { label in JSONLogHandler(label: label, levels: LogLevelSwitch(.trace)) { line in lines.withLock { $0.append(line) } } }
    LoggingJournal(logger: logger).note(note)
    let written = lines.withLock { $0 }
    #expect(written.count <= 1)
    return try written.first.map { bytes in
      var members = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]).mapValues { "\($0)" }
      #expect(members.removeValue(forKey: "time") != nil && members.removeValue(forKey: "logger") == "test")
      return members
    }
  }

  @Test(
    arguments: [
      (
        PipelineNote.deadLettered(command, type: .create, reason: .invalid, error: "e"),
        ["level": "warning", "message": "command dead-lettered", "reason": "invalid", "error": "e"]
      ),
      (
        .retried(command, rung: .fiveSeconds, attempt: 5, error: "e"),
        ["level": "warning", "message": "command waits on the retry ladder", "rung": "5s", "attempt": "5", "error": "e"]
      ),
      (
        .failedInPlace(command, attempt: 1, error: "e"),
        ["level": "info", "message": "command failed, tried again in place", "attempt": "1", "error": "e"]
      ),
      (.ownCommandFailed(command, error: "e"), ["level": "error", "message": "a payment's result or an expiry could not be stored", "error": "e"]),
      (
        .paymentCallFailed(command, key: "k", isUnknown: true, error: "e"),
        ["level": "warning", "message": "what a payment call did is not known, the provider is asked again", "key": "k", "error": "e"]
      ),
      (
        .paymentCallFailed(command, key: "k", isUnknown: false, error: "e"),
        ["level": "debug", "message": "a payment call had no effect", "key": "k", "error": "e"]
      ),
    ] as [(PipelineNote, [String: String])])
  func whatConcernsOneCommandNamesIt(note: PipelineNote, own: [String: String]) throws {
    #expect(try Self.line(of: note) == own.merging(Self.named) { $1 })
  }

  @Test func whyRabbitMQDidNotTakeThemIsTold() throws {
    let line = try Self.line(of: .notForwarded(count: 3, error: "the queue takes no more"))
    let message = "retries or dead letters were not taken by RabbitMQ, tried again"
    #expect(line == ["level": "error", "message": message, "count": "3", "error": "the queue takes no more"])
  }

  @Test func whatIsNotKnownIsLeftOut() throws {
    let line = try Self.line(of: .deadLettered(CommandReference(), type: nil, reason: .malformed, error: "message_id is missing"))
    #expect(line == ["level": "warning", "message": "command dead-lettered", "reason": "malformed", "error": "message_id is missing"])
  }

  @Test(arguments: [
    PipelineNote.batch(size: 3), .answered(type: .create, outcome: .accepted, count: 3), .finished(type: .create, FinishedCommands()),
    .eventsPublished(type: .created, count: 3), .waits(count: 3, reason: "early"),
  ])
  func whatGoesWellIsNotLogged(note: PipelineNote) throws { #expect(try Self.line(of: note) == nil) }
}
