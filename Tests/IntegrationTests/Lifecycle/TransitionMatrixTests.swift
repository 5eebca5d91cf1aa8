import TestSupport
import Testing

/// The contract's table of transitions, cell by cell, by messages against the running worker.
@Suite(.serialized) struct TransitionMatrixTests {
  @Test(.timeLimit(.minutes(3)), arguments: [false, true])
  func everyStatusToEveryStatusIsAsTheContractSays(paid: Bool) async throws {
    try await run(Situation.allCases.filter { $0 != .expired }, paid: paid)
  }

  /// In a world of its own, where an order expires soon.
  @Test(.timeLimit(.minutes(3))) func anExpiredOrderIsFinal() async throws {
    try await run([.expired], paid: false, ["ORDERS_RESERVATION_TTL": "1s"])
  }

  private func run(_ situations: [Situation], paid: Bool, _ settings: [String: String] = [:]) async throws {
    let sandbox = paid ? try await PaymentSandbox.start() : nil
    let world = try await ProductWorld.make(settings.merging(sandbox?.settings ?? [:]) { $1 })
    let upstream = try await Upstream(world)
    let worker = await world.worker()
    let matrix = TransitionMatrix(upstream, from: situations, paid: paid)
    #expect(try await matrix.prepare() == [])
    var differences = try await matrix.differences()
    if let sandbox { differences += matrix.differences(from: try await sandbox.ledger()) }
    #expect(differences.isEmpty, "\(differences.count) differences:\n\(differences.prefix(20).joined(separator: "\n"))\n\(world.logTail(5))")
    #expect(try await world.depth("dead-letter") == situations.count)
    await worker.end()
    await upstream.close()
    await sandbox?.end()
    if differences.isEmpty { try await world.remove() }
  }
}
