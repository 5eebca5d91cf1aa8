import TestSupport
import Testing

/// The contract's table of transitions, cell by cell, by messages against the running worker.
@Suite(.serialized) struct TransitionMatrixTests {
  @Test(.timeLimit(.minutes(3)), arguments: [false])
  func everyStatusToEveryStatusIsAsTheContractSays(paid: Bool) async throws {
    try await run(Situation.allCases.filter { $0 != .expired }, paid: paid)
  }

  private func run(_ situations: [Situation], paid: Bool, _ settings: [String: String] = [:]) async throws {
    let world = try await ProductWorld.make(settings)
    let upstream = try await Upstream(world)
    let worker = await world.worker()
    let matrix = TransitionMatrix(upstream, from: situations, paid: paid)
    #expect(try await matrix.prepare() == [])
    let differences = try await matrix.differences()
    #expect(differences.isEmpty, "\(differences.count) differences:\n\(differences.prefix(20).joined(separator: "\n"))\n\(world.logTail(5))")
    #expect(try await world.depth("dead-letter") == situations.count)
    await worker.end()
    await upstream.close()
    if differences.isEmpty { try await world.remove() }
  }
}
