import ClientRuntime
import TestSupport
import Testing

@testable import RabbitMQClient

@Suite struct UnconfirmedPublicationsTests {
  private static let publication = Publication(exchange: "", routingKey: "q", properties: MessageProperties(), body: [])

  /// The job of one publication, and what will be said of it.
  private static func job() async -> (PublishJob, Task<[PublishOutcome], Never>) {
    let made = Locked<PublishJob?>(nil)
    let outcome = Task {
      await withCheckedContinuation { continuation in
        made.withLock { $0 = PublishJob(batch: [publication], deadline: .after(.seconds(60)), continuation: continuation) }
      }
    }
    _ = await eventually { made.withLock { $0 != nil } }
    return (made.withLock { $0! }, outcome)
  }

  /// Without confirms: what stands behind a batch that was given up at its deadline is done as soon as it is written.
  @Test func aBatchThatWasGivenUpHidesNothingThatIsWrittenBehindIt() async throws {
    let (first, second, third) = (await Self.job(), await Self.job(), await Self.job())
    var unconfirmed = UnconfirmedPublications()
    for (number, job) in [first.0, second.0, third.0].enumerated() {
      unconfirmed.append(.init(job: job, index: 0, start: UInt64(number) * 10, end: UInt64(number + 1) * 10))
    }
    second.0.settle(0, .unknown(reason: "late"))
    unconfirmed.forgetAnswered()
    unconfirmed.settleWritten(30)
    try #require(unconfirmed.isEmpty)
    for job in [first, third] { #expect(await job.1.value == [.confirmed]) }
    #expect(await second.1.value == [.unknown(reason: "late")])
  }
}
