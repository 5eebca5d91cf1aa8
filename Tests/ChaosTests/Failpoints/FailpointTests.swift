import Foundation
import TestSupport
import Testing

/// A worker that dies or stands still at any named point of its work loses nothing and does nothing twice. `make failpoints` builds the worker for it.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["ORDER_WORKER_FAILPOINTS"] == "1", "make failpoints builds a worker that has them"))
struct FailpointTests {
  @Test(arguments: [
    "before-commit", "after-commit", "before-publish", "after-publish", "after-confirm", "before-forward", "after-forward", "before-ack", "after-ack",
    "before-forget", "before-lease", "after-lease", "before-call", "after-call",
  ])
  func aWorkerThatDiesTwiceAtAPointOfItsWorkLosesNothingAndRepeatsNothing(point: String) async throws {
    try await run(["\(point):1", "\(point):4"])
  }

  @Test(arguments: ["before-relay", "after-relay"])
  func aRelayThatDiesLosesNothing(point: String) async throws {
    // It has something to do only for one that died before.
    try await run(["after-commit:2", "\(point):1"])
  }

  @Test(arguments: ["before-commit", "after-commit", "before-publish", "after-publish", "before-ack", "after-lease", "before-call", "after-call"])
  func aWorkerThatComesBackToWhatAnotherHasTakenOverHarmsNothing(point: String) async throws {
    try await run(["\(point):3:pause"])
  }

  private func run(_ lives: [String]) async throws {
    let sandbox = try await PaymentSandbox.start()
    let world = try await ProductWorld.make(sandbox.settings.merging(ChaosWitness.settings) { $1 })
    let seed = ProcessInfo.processInfo.environment["CHAOS_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)
    let start = ContinuousClock.now
    let differences = try await FailpointRun(lives: lives, seed: seed).differences(world, sandbox)
    print("failpoints: \(lives.joined(separator: ", ")), CHAOS_SEED=\(seed): \(differences.count) differences in \(ContinuousClock.now - start)")
    #expect(differences.isEmpty, "CHAOS_SEED=\(seed): \(lives):\n\(differences.prefix(40).joined(separator: "\n"))\n\(world.logTail(20))")
    if differences.isEmpty { try await world.remove() }
    await sandbox.end()
  }
}
